"""Newer tables, fetched by a task: a file counts once all of it was read and found plausible."""

import asyncio
import base64
import zlib
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import attrs
import structlog

from energia import Core, EnergiaError, NoAnswer
from energia_plugins.tariff_brazil.inventory import Content, content
from energia_plugins.tariff_brazil.shelf import Shelf
from energia_plugins.tariff_brazil.table_files import File, Folder
from energia_plugins.tariff_brazil.tables import tables_of

__all__ = ["TableUpdate"]

#: What is read of an answer: ANEEL's tariffs of all years have 60 MB.
_BYTES: Final = 256 * 1024**2
_SECONDS: Final = 300.0
_KNOWN: Final = 'select url, digest, etag, "rows", newest from brazil_table where name = %s'
_TAKE: Final = """insert into brazil_table
  (name, url, digest, data, "rows", newest, etag, fetched_at, checked_at)
  values (%(name)s, %(url)s, %(digest)s, decode(%(data)s, 'base64'), %(rows)s, %(newest)s,
    %(etag)s, %(now)s, %(now)s)
  on conflict (name) do update set url = excluded.url, digest = excluded.digest,
    data = excluded.data, "rows" = excluded."rows", newest = excluded.newest,
    etag = excluded.etag, fetched_at = excluded.fetched_at, checked_at = excluded.checked_at,
    trouble = null"""
_NOTE: Final = """insert into brazil_table as t (name, url, etag, checked_at, trouble)
  values (%(name)s, %(url)s, %(etag)s, %(now)s, %(trouble)s)
  on conflict (name) do update set checked_at = excluded.checked_at, trouble = excluded.trouble,
    etag = coalesce(excluded.etag, t.etag)"""
_FORGET: Final = "delete from brazil_table where name <> all (%s::text[])"
log = structlog.get_logger(__name__)


class _Refused(Exception):
    """A file that is not taken, and why."""


@attrs.frozen
class _Known:
    """What was fetched before, in the order of the columns."""

    url: str
    digest: str | None
    etag: str | None
    rows: int | None
    newest: date | None


@attrs.frozen
class TableUpdate:
    """Fetches each table from its URL, now and then.

    Attributes:
        shelf: The tables in use.
        sources: URLs, by the names of the files.
        period: Seconds between two times.

    """

    shelf: Shelf
    sources: Mapping[str, str]
    period: float
    name: str = "brazil-tables"

    async def run(self, core: Core, _: Mapping[str, Any], /) -> None:
        """Ask for each; one that is away or broken leaves the others alone."""
        await core.pool.everywhere().execute(_FORGET, sorted(self.sources))
        for name, url in self.sources.items():
            trouble: str | None = None
            try:
                await self._update(core, name, url)
            except NoAnswer as error:
                trouble = error.reason
            except _Refused as error:
                trouble = f"{error}"
            if trouble:
                log.warning("brazil_table_refused", table=name, reason=trouble)
                await self._note(core, name, url, trouble)

    async def _update(self, core: Core, name: str, url: str) -> None:
        known = next(iter(await core.pool.everywhere().fetch(_Known, _KNOWN, name)), None)
        if known and known.url != url:
            known = None
        headers = {"If-None-Match": known.etag} if known and known.digest and known.etag else {}
        async with core.outgoing.session(_SECONDS) as session:
            answer = await session.get(url, headers, limit=_BYTES)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            await self._note(core, name, url)
            return
        if answer.status != HTTPStatus.OK:
            raise _Refused(f"a resposta foi {answer.status}")
        if not answer.is_whole:
            raise _Refused(f"o arquivo passa de {_BYTES // 1024**2} MB")
        file = File(name=name, origin=url, data=answer.body)
        if known and known.digest == file.digest:
            await self._note(core, name, url, etag=answer.headers.etag)
            return
        folder, _ = await self.shelf.both(core)
        found, data = await asyncio.to_thread(_checked, folder, file, known)
        row = {
            **{"name": name, "url": url, "digest": file.digest, "data": data},
            **{"rows": found.rows, "newest": found.newest},
            **{"etag": answer.headers.etag, "now": core.clock.now()},
        }
        await core.pool.everywhere().execute(_TAKE, row)
        log.info("brazil_table_taken", table=name, rows=found.rows, newest=f"{found.newest}")

    async def _note(
        self, core: Core, name: str, url: str, trouble: str | None = None, etag: str | None = None
    ) -> None:
        now = core.clock.now()
        row = {"name": name, "url": url, "etag": etag, "now": now, "trouble": trouble}
        await core.pool.everywhere().execute(_NOTE, row)


def _checked(folder: Folder, file: File, known: _Known | None) -> tuple[Content, str]:
    """Return what a file has, and itself as it is stored; raises `_Refused`."""
    try:
        tables = tables_of(Folder({**folder.given, file.name: file}))
        found = content(file, tables)
    except EnergiaError as error:
        raise _Refused(error.detail) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _Refused(f"não é uma tabela: {error}") from error
    if not found.rows:
        raise _Refused("não tem linhas")
    if known and known.rows and found.rows < known.rows / 2:
        raise _Refused(f"tem {found.rows} linhas, e o anterior {known.rows}: está inteiro?")
    if known and known.newest and found.newest and found.newest < known.newest:
        raise _Refused(f"vai até {found.newest}, e o anterior até {known.newest}: é mais velho")
    return found, base64.b64encode(zlib.compress(file.data)).decode()
