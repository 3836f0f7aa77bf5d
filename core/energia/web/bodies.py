"""Bodies of requests: inflated here, chunk by chunk, and never beyond a limit."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import Final

import attrs
from aiohttp import web

from energia.errors import Malformed, TooLarge, UnsupportedMedia

#: The most that one step inflates, so that a bomb is noticed before it takes memory.
_STEP: Final = 256 * 1024
#: How much of a file `Upload.blocking` writes at a time.
_GATHERED: Final = 1024 * 1024
# zlib: a gzip header and trailer are expected, and its checksum is checked.
_GZIP: Final = 16 + zlib.MAX_WBITS


@attrs.frozen
class Limit:
    """How many bytes a body may have after inflation, and the setting that says so."""

    name: str
    bytes: int

    def check(self, size: int) -> None:
        """Refuse *size* bytes if they are too many; raises `TooLarge`."""
        if size > self.bytes:
            raise TooLarge(f"the body is over {self.name} ({self.bytes} bytes)")


class _Inflater:
    """Inflates gzip, of one or several members, in small steps."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data* adds; raises `Malformed`."""
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                yield self._member.decompress(data, _STEP)
            except zlib.error:
                raise Malformed("the gzip body is corrupt") from None
            data = self._member.unconsumed_tail or self._member.unused_data
            self._ended = self._member.eof

    def finish(self) -> Iterator[bytes]:
        """Refuse a body that ends before its gzip does; raises `Malformed`."""
        while not self._member.eof:
            rest = self._member.decompress(b"", _STEP)
            if not rest:
                raise Malformed("the gzip body is truncated")
            yield rest


class _Plain:
    """Passes on what has no encoding."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield *data*."""
        yield data

    def finish(self) -> Iterator[bytes]:
        """Yield nothing."""
        yield from ()


class _Inflow:
    """Inflates the body of one request and counts it."""

    def __init__(self, request: web.BaseRequest, limit: Limit) -> None:
        self._reader = _reader(request)
        self._limit = limit
        self._size = 0
        if isinstance(self._reader, _Plain):
            limit.check(request.content_length or 0)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data* adds; raises `Malformed` or `TooLarge`."""
        for chunk in self._reader.feed(data):
            yield self._counted(chunk)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest; raises `Malformed` or `TooLarge`."""
        for chunk in self._reader.finish():
            yield self._counted(chunk)

    def _counted(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        self._limit.check(self._size)
        return chunk


async def chunks(request: web.BaseRequest, limit: Limit) -> AsyncIterator[bytes]:
    """Yield the body of *request*, inflated.

    Raises:
        UnsupportedMedia: The encoding is neither gzip nor none.
        Malformed: The encoded body is truncated or corrupt.
        TooLarge: There are more bytes than *limit*.

    """
    inflow = _Inflow(request, limit)
    async for data in request.content.iter_any():
        for chunk in inflow.feed(data):
            yield chunk
    for chunk in inflow.finish():
        yield chunk


async def read(request: web.BaseRequest, limit: Limit) -> bytearray:
    """Return the whole body of *request*; raises as `chunks`."""
    body = bytearray()
    async for chunk in chunks(request, limit):
        body += chunk
    return body


def _reader(request: web.BaseRequest) -> _Inflater | _Plain:
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip"):
        return _Inflater()
    raise UnsupportedMedia(f"the encoding {encoding!r} is not supported; gzip is")


class Upload:
    """A file that a client sends: a handler's parameter of this type gets it.

    Iterate over it once, with `async for`, or in a worker thread over what `blocking` gives.

    Attributes:
        media_type: What the client says the file is, without parameters.

    """

    def __init__(self, request: web.BaseRequest, limit: Limit) -> None:
        self.media_type = request.content_type
        self._request = request
        self._limit = limit

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the chunks of the file, inflated and within `limits.import_bytes`."""
        return chunks(self._request, self._limit)

    @asynccontextmanager
    async def blocking(self) -> AsyncIterator[Iterator[bytes]]:
        """Give the chunks of the file for a worker thread, once all of it has come.

        It waits in a temporary file, as it was sent: a slow client holds no thread and nothing
        else that others need. The chunks raise what `chunks` raises.
        """
        inflow = _Inflow(self._request, self._limit)
        with TemporaryFile() as file:
            async for gathered in self._gathered():
                await asyncio.to_thread(file.write, gathered)
            file.seek(0)
            yield _inflated(inflow, iter(lambda: file.read(_STEP), b""))

    async def _gathered(self) -> AsyncIterator[bytes]:
        gathered, size = bytearray(), 0
        async for data in self._request.content.iter_any():
            gathered += data
            size += len(data)
            self._limit.check(size)
            if len(gathered) >= _GATHERED:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)


def _inflated(inflow: _Inflow, parts: Iterator[bytes]) -> Iterator[bytes]:
    for data in parts:
        yield from inflow.feed(data)
    yield from inflow.finish()
