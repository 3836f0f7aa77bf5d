"""The tables in use: ours, in place of them what was fetched, in place of that the folder's."""

import asyncio
import base64
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from energia import Core, EnergiaError, Invalid
from energia_plugins.tariff_brazil.table_files import File, Folder, names

if TYPE_CHECKING:
    from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["Shelf"]

#: Seconds for which the tables in use are taken for the newest.
LOOK = 15.0
#: What was fetched, by name and digest.
_FETCHED = "select name, digest from brazil_table where digest is not null order by name"
_DATA = "select name, url, encode(data, 'base64') from brazil_table where digest is not null"

#: What tells what is there from what was: names, with digests or sizes and times.
Stamp = tuple[tuple[str, str], ...]


@attrs.define(eq=False)
class Shelf:
    """Holds the tables, and reads them anew when another replica or the operator changes them.

    Attributes:
        path: The folder of the operator.
        fetches: Whether any are fetched.
        trouble: Why the tables in use are not the newest; None if they are.

    """

    path: str | None
    fetches: bool
    trouble: str | None = None
    _folder: Folder | None = None
    _tables: "Tables | None" = None
    _stamp: Stamp | None = None
    _looked: float = 0.0
    _lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    async def tables(self, core: Core) -> "Tables":
        """Return the tables, at most `LOOK` seconds old.

        Raises:
            Invalid: A file does not fit, and there were no tables before it came.

        """
        return (await self.both(core))[1]

    async def both(self, core: Core) -> "tuple[Folder, Tables]":
        """Return the files of the tables, and the tables; raises as `tables`."""
        now = asyncio.get_running_loop().time()
        if self._folder is None or self._tables is None or now - self._looked >= LOOK:
            async with self._lock:
                await self._refresh(core)
        assert self._folder is not None
        assert self._tables is not None
        return self._folder, self._tables

    async def _refresh(self, core: Core) -> None:
        """Read the tables, if they are others; keep those that there are where that fails."""
        try:
            fetched = await core.pool.everywhere().fetch(_pair, _FETCHED) if self.fetches else []
            stamp = (*_stamps(self.path), *fetched)
            if stamp != self._stamp:
                given = await self._fetched(core) if fetched else {}
                folder, tables = await asyncio.to_thread(_read, given, self.path)
                self._folder, self._tables, self._stamp = folder, tables, stamp
            self.trouble = None
        except (EnergiaError, OSError) as error:
            if self._tables is None:
                raise
            self.trouble = error.detail if isinstance(error, EnergiaError) else f"{error}"
        self._looked = asyncio.get_running_loop().time()

    async def _fetched(self, core: Core) -> dict[str, File]:
        return {file.name: file for file in await core.pool.everywhere().fetch(_file, _DATA)}


def _pair(name: str, digest: str) -> tuple[str, str]:
    return name, digest


def _file(name: str, url: str, data: str) -> File:
    return File(name=name, origin=url, data=zlib.decompress(base64.b64decode(data)))


def _stamps(path: str | None) -> Stamp:
    """Return what the folder has: names, times and sizes."""
    paths = [Path(path) / name for name in names()] if path else []
    found = ((path.name, path.stat()) for path in paths if path.is_file())
    return tuple((name, f"{stat.st_mtime_ns} {stat.st_size}") for name, stat in found)


def _read(fetched: dict[str, File], path: str | None) -> "tuple[Folder, Tables]":
    # In a thread, and in few services: what reads tables is a third of the kit.
    from energia_plugins.tariff_brazil.tables import tables_of

    folder = Folder({**fetched, **Folder.of(path).given})
    try:
        return folder, tables_of(folder)
    except Invalid as error:
        raise Invalid(f"as tabelas não servem: {error.detail}", error.faults) from error
