"""Bodies of requests: inflated here, chunk by chunk, and never beyond a limit."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

import attrs
from aiohttp import web

from energia.errors import Malformed, TooLarge, UnsupportedMedia

#: The most that one step inflates, so that a bomb is noticed before it takes memory.
_STEP: Final = 256 * 1024
#: What `Upload.blocking` gathers before it hands a chunk to the worker thread.
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


async def chunks(request: web.BaseRequest, limit: Limit) -> AsyncIterator[bytes]:
    """Yield the body of *request*, inflated.

    Raises:
        UnsupportedMedia: The encoding is neither gzip nor none.
        Malformed: The encoded body is truncated or corrupt.
        TooLarge: There are more bytes than *limit*.

    """
    reader = _reader(request)
    if isinstance(reader, _Plain):
        limit.check(request.content_length or 0)
    size = 0
    async for data in request.content.iter_any():
        for chunk in reader.feed(data):
            size += len(chunk)
            limit.check(size)
            yield chunk
    for chunk in reader.finish():
        size += len(chunk)
        limit.check(size)
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
    """A file that a client sends, as a stream: a handler's parameter of this type gets it.

    Iterate over it once, with `async for`, or in a worker thread over `blocking()`.

    Attributes:
        media_type: What the client says the file is, without parameters.

    """

    def __init__(self, request: web.BaseRequest, limit: Limit) -> None:
        self.media_type = request.content_type
        self._chunks = chunks(request, limit)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the chunks of the file, inflated and within `limits.import_bytes`."""
        return self._chunks

    def blocking(self) -> Iterator[bytes]:
        """Return the chunks for a worker thread; call this in the event loop."""
        return self._blocking(asyncio.get_running_loop())

    def _blocking(self, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
        while gathered := asyncio.run_coroutine_threadsafe(self._gather(), loop).result():
            yield gathered

    async def _gather(self) -> bytes:
        gathered = bytearray()
        async for chunk in self._chunks:
            gathered += chunk
            if len(gathered) >= _GATHERED:
                break
        return bytes(gathered)
