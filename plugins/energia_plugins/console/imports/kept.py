"""Files that wait between two pages, so that nobody chooses them again: preview, check, import.

They are kept where jobs keep theirs, in the database: whichever replica answers the next page has
them, nothing is sent twice, it works without scripts, and what is left behind goes within a day.
"""

import codecs
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Final, Self

import attrs
import msgspec
from aiohttp import web

from energia import Core, Invalid, NotFound, dumps
from energia.jobs.store import JobStore
from energia.web.bodies import Limit, Upload
from energia.web.forms import Form as SentForm
from energia.web.keys import CORE
from energia.web.tenant import tenant_of
from energia_plugins.console.imports.mappings import codec
from energia_plugins.console.page import ForeignForm, check_token
from energia_plugins.console.words import Words

#: The kind of a job that is never begun: it only has a file.
_KIND: Final = "console.file"
#: A part of a file has about so many bytes; the first one says what the file is.
PART: Final = 1024 * 1024


@attrs.frozen
class About:
    """What is known of a file that waits.

    Attributes:
        name: What it is called on the computer of the person who has sent it.
        size: How many bytes it has.
        caller: Who has sent it; it waits for nobody else.

    """

    name: str
    size: int
    caller: str

    def shown(self, words: Words) -> str:
        """Return its size for people."""
        if self.size < 100_000:
            return words.quantity(round(self.size / 1000, 1), "kB")
        return words.quantity(round(self.size / 1_000_000, 1), "MB")


@attrs.frozen
class Kept:
    """A file that waits.

    Attributes:
        id: Names it in the URL.
        about: What it is.

    """

    id: str
    about: About
    _core: Core
    _store: JobStore

    @classmethod
    async def find(cls, request: web.Request, id_: str) -> Self:
        """Return the file that waits for who asks; raises `NotFound`."""
        core, tenant = request.app[CORE], tenant_of(request)
        store = JobStore(tenant, core.jobs)
        first = await store.part(id_, 0)
        about = None if first is None else _about(first)
        if about is None or about.caller != tenant.caller:
            raise NotFound("the file is not kept any more: choose it once again")
        return cls(id_, about, core, store)

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the file."""
        number = 1
        while (part := await self._store.part(self.id, number)) is not None:
            yield part
            number += 1

    async def head(self) -> bytes:
        """Return its first megabyte."""
        return await self._store.part(self.id, 1) or b""

    def upload(self) -> Upload:
        """Return the file as an operation takes it."""
        limit = Limit.of(self._core.settings.limits, "import_bytes")
        return Upload(_Bytes(self.parts(), self.about.size), limit)

    async def beginning(self) -> Upload:
        """Return its first megabyte as an operation takes it."""
        head = await self.head()
        limit = Limit.of(self._core.settings.limits, "import_bytes")
        return Upload(_Bytes(_once(head), len(head)), limit)

    async def lines(self, numbers: Collection[int], encoding: str) -> Mapping[int, str]:
        """Return some lines of the file, by their numbers; it is read no further than needed."""
        last, found = max(numbers, default=0), dict[int, str]()
        number, line = 1, ""
        decoder = codecs.getincrementaldecoder(codec(encoding))(errors="replace")
        async for part in self.parts():
            *whole, line = (line + decoder.decode(part)).split("\n")
            for text in whole:
                if number in numbers:
                    found[number] = text.rstrip("\r")
                number += 1
            if number > last:
                return found
        if number in numbers:
            found[number] = line.rstrip("\r")
        return found

    async def forget(self) -> None:
        """Let the file go."""
        await self._store.forget(self.id)


def _about(first: bytes) -> About | None:
    """Return what the first part says; None where it is that of another kind of file."""
    try:
        return msgspec.json.decode(first, type=About)
    except msgspec.MsgspecError:
        return None


@attrs.frozen(eq=False)
class _Bytes:
    """What an `Upload` reads: bytes that are here already."""

    content: "_Bytes" = attrs.field(init=False)
    _parts: AsyncIterator[bytes]
    content_length: int | None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    content_type: str = "application/octet-stream"
    charset: str | None = None

    @content.default
    def _itself(self) -> "_Bytes":
        return self

    def iter_any(self) -> AsyncIterator[bytes]:
        """Return the bytes."""
        return self._parts


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def keep(request: web.Request) -> tuple[Mapping[str, str], Kept]:
    """Keep the file of a form; return its fields, and the file.

    Raises:
        Forbidden: The form is none of ours.
        Invalid: There is no file in it, or an empty one.

    """
    if request.content_type != "multipart/form-data":
        raise ForeignForm("the form of a file is of the type multipart/form-data")
    core, tenant = request.app[CORE], tenant_of(request)
    limit = Limit.of(core.settings.limits, "import_bytes")
    sent = await SentForm.opened(request, limit)
    fields = dict(sent.fields)
    check_token(request, fields.get("form_token"))
    store = JobStore(tenant, core.jobs)
    id_ = await store.new(_KIND, {})
    try:
        size = await _put(store, id_, Upload(sent, limit))
        if not size:
            raise Invalid.of("no_file", "no file was chosen, or it is empty", "/file")
        about = About(sent.filename or "", size, str(tenant.caller))
        await store.put_part(id_, 0, dumps(about))
    except BaseException:
        await store.forget(id_)
        raise
    return fields, Kept(id_, about, core, store)


async def _put(store: JobStore, id_: str, file: Upload) -> int:
    """Keep the parts of a file, inflated; return how many bytes there are."""
    number, size, part = 1, 0, bytearray()
    async for data in file:
        part += data
        size += len(data)
        if len(part) >= PART:
            await store.put_part(id_, number, bytes(part))
            number += 1
            part.clear()
    if part:
        await store.put_part(id_, number, bytes(part))
    return size
