"""Bodies: requests are inflated chunk by chunk, never beyond a limit; types are negotiated."""

import asyncio
import re
import zlib
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import IO, Any, Final, Literal, Protocol, Self

import attrs
from aiohttp import hdrs, web

from energia.errors import Malformed, NotAcceptable, TooLarge, TooSlow, UnsupportedMedia
from energia.settings import Limits
from energia.spending import ACCOUNT, BYTES, hold
from energia.work import temporary_file

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
#: The most that one step inflates, so that a bomb is noticed before it takes memory.
_STEP: Final = 256 * 1024
#: How much of a file `Upload.blocking` writes at a time.
_GATHERED: Final = 1024 * 1024
# zlib: a gzip header and trailer are expected, and its checksum is checked.
_GZIP: Final = 16 + zlib.MAX_WBITS
#: Small bodies may inflate as they like: a few constant readings are far above any ratio.
_RATIO_FROM: Final = 1024 * 1024
#: Media types of what is compressed without a Content-Encoding that says so.
_GZIPPED: Final = ("application/gzip", "application/x-gzip")
#: A weight of `Accept`, such as `q=0.5` (RFC 9110).
_WEIGHT: Final = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
_ABSENT: Final[list[str]] = []


# The bodies of requests.


@attrs.frozen
class Limit:
    """What is accepted of a body.

    Attributes:
        name: The setting that limits its bytes.
        bytes: How many it may have after inflation.
        inflation: How many bytes one compressed byte may inflate to.
        stall: For how many seconds its sender may pause.

    """

    name: str
    bytes: int
    inflation: int = 200
    stall: float = 30.0

    @classmethod
    def of(cls, limits: Limits, name: Literal["body_bytes", "import_bytes"]) -> Self:
        """Return the limit of JSON bodies, or of files."""
        size: int = getattr(limits, name)
        return cls(f"limits.{name}", size, limits.inflation, limits.stall)

    def check(self, size: int) -> None:
        """Refuse *size* bytes if they are too many; raises `TooLarge`."""
        if size > self.bytes:
            raise TooLarge(f"the body is over {self.name} ({self.bytes} bytes)")

    def check_inflation(self, compressed: int, size: int) -> None:
        """Refuse *size* bytes that *compressed* bytes have inflated to; raises `TooLarge`."""
        if size > _RATIO_FROM and size > compressed * self.inflation:
            raise TooLarge(f"the body inflates to more than limits.inflation ({self.inflation}) x")


class Source(Protocol):
    """What bytes come from: a request, or a form for its file."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What is said of them."""
        ...

    @property
    def content_type(self) -> str:
        """Their media type, without parameters."""
        ...

    @property
    def charset(self) -> str | None:
        """How their text is said to be encoded, if it is."""
        ...

    @property
    def content_length(self) -> int | None:
        """How many they are, if that is known."""
        ...

    @property
    def content(self) -> Any:
        """What `iter_any()` is asked for, an async iterator of them."""
        ...


class Digest(Protocol):
    """Takes bytes in, as the hashes of `hashlib` do."""

    def update(self, data: bytes | bytearray, /) -> None:
        """Take in more of them."""
        ...

    def digest(self) -> bytes:
        """Return what stands for all of them."""
        ...


class _Digested:
    """A source whose bytes are taken in by a digest as they come."""

    def __init__(self, source: Source, digest: Digest) -> None:
        self.headers, self.content_type = source.headers, source.content_type
        self.charset, self.content_length = source.charset, source.content_length
        self.content = self
        self._source, self._digest = source, digest

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come."""
        async for data in self._source.content.iter_any():
            self._digest.update(data)
            yield data


class Upload:
    """A file that a client sends: a handler's parameter of this type gets it.

    It is the body, or the file of a form (`multipart/form-data`).

    Iterate over it once, with `async for`, or in a worker thread over what `blocking` gives.

    Attributes:
        media_type: What the client says the file is, without parameters.
        charset: How it says the text is encoded, if it does.

    """

    def __init__(self, source: Source, limit: Limit, digest: Digest | None = None) -> None:
        """Read *source*; *digest* takes its bytes in as they come."""
        self.media_type = source.content_type
        self.charset = source.charset
        #: How many bytes are sent, if that is known.
        self.length = source.content_length
        self._source = source if digest is None else _Digested(source, digest)
        self._limit = limit

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the chunks of the file, inflated and within `limits.import_bytes`."""
        return chunks(self._source, self._limit)

    @asynccontextmanager
    async def blocking(self) -> AsyncIterator[Iterator[bytes]]:
        """Give the chunks of the file for a worker thread, once all of it has come.

        It waits in a temporary file, as it was sent: a slow client holds no thread and nothing
        else that others need. What is compressed is inflated twice: first to see that it is within
        the limits, so that nothing is made of a bomb; then for who asks. Raises what `chunks` does.
        """
        compressed = _Inflow(self._source, self._limit).compressed
        async with temporary_file() as file:
            async for gathered in self._gathered():
                await asyncio.to_thread(file.write, gathered)
            if compressed:
                await asyncio.to_thread(deque, self._inflated(file), maxlen=0)
            yield self._inflated(file)

    def _inflated(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a file as it was sent."""
        file.seek(0)
        return _inflated(_Inflow(self._source, self._limit), iter(lambda: file.read(_STEP), b""))

    async def _gathered(self) -> AsyncIterator[bytes]:
        gathered, size = bytearray(), 0
        async for data in _pieces(self._source, self._limit):
            gathered += data
            size += len(data)
            self._limit.check(size)
            if len(gathered) >= _GATHERED:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)


async def chunks(source: Source, limit: Limit) -> AsyncIterator[bytes]:
    """Yield the bytes of *source*, inflated.

    Raises:
        UnsupportedMedia: The encoding is neither gzip nor none.
        Malformed: The encoded body is truncated or corrupt.
        TooLarge: There are more bytes than *limit*.
        TooSlow: The sender paused for too long.

    """
    inflow = _Inflow(source, limit)
    async for data in _pieces(source, limit):
        for chunk in inflow.feed(data):
            yield chunk
    for chunk in inflow.finish():
        yield chunk


async def read(request: web.BaseRequest, limit: Limit) -> bytearray:
    """Return the whole body of *request*; raises as `chunks`, and `Busy` where others hold much."""
    body = bytearray()
    async for chunk in chunks(request, limit):
        hold(len(chunk))
        body += chunk
    return body


async def _pieces(source: Source, limit: Limit) -> AsyncIterator[bytes]:
    """Yield the bytes as they come; raises `TooSlow` when their sender pauses for too long."""
    pieces = source.content.iter_any()
    while True:
        async with in_time(limit):
            data = await anext(pieces, None)
        if data is None:
            return
        yield data


@asynccontextmanager
async def in_time(limit: Limit) -> AsyncIterator[None]:
    """Wait for a sender no longer than `limits.stall`; raises `TooSlow`."""
    try:
        async with asyncio.timeout(limit.stall):
            yield
    except TimeoutError:
        message = f"the body paused for longer than limits.stall ({limit.stall:g} s)"
        raise TooSlow(message) from None


class _Inflater:
    """Inflates gzip, of one or several members, in small steps."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data* adds; raises `Malformed`."""
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")  # `gzip` ignores zeros after a member, too
                if not data:
                    return
                self._member = zlib.decompressobj(_GZIP)
            try:
                yield self._member.decompress(data, _STEP)
            except zlib.error:
                raise Malformed("the gzip body is corrupt") from None
            # Unconsumed is what the step had no room for; unused is the next member.
            data = self._member.unconsumed_tail or self._member.unused_data

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


def _reader(source: Source) -> _Inflater | _Plain:
    encoding = source.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _Inflater() if source.content_type in _GZIPPED else _Plain()
    if encoding in ("gzip", "x-gzip"):
        return _Inflater()
    raise UnsupportedMedia(f"the encoding {encoding!r} is not supported; gzip is")


class _Inflow:
    """Inflates the bytes of one source and counts them."""

    def __init__(self, source: Source, limit: Limit) -> None:
        self._reader = _reader(source)
        self._limit = limit
        self._sent = 0
        self._size = 0
        # Here, as what comes may be inflated in a thread of its own.
        self._account = ACCOUNT.get()
        self.compressed = isinstance(self._reader, _Inflater)
        # The length of a compressed body says nothing about what it inflates to.
        if not self.compressed:
            limit.check(source.content_length or 0)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data* adds; raises `Malformed` or `TooLarge`."""
        self._sent += len(data)
        for chunk in self._reader.feed(data):
            yield self._counted(chunk)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest; raises `Malformed` or `TooLarge`."""
        for chunk in self._reader.finish():
            yield self._counted(chunk)

    def _counted(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        if self._account is not None:
            self._account.units += len(chunk) / BYTES
        self._limit.check(self._size)
        self._limit.check_inflation(self._sent, self._size)
        return chunk


def _inflated(inflow: _Inflow, parts: Iterator[bytes]) -> Iterator[bytes]:
    for data in parts:
        yield from inflow.feed(data)
    yield from inflow.finish()


# Media types and encodings: what a client sends, and what it accepts.


class Accepted(str):
    """The media type to answer with: a handler's parameter of this type gets it."""

    __slots__ = ()


def check_json(request: web.BaseRequest) -> None:
    """Refuse a body that does not say it is JSON in UTF-8; raises `UnsupportedMedia`."""
    media_type = request.content_type if "Content-Type" in request.headers else "no type"
    if media_type != JSON and not media_type.endswith("+json"):
        raise UnsupportedMedia(f"the body must be {JSON}, not {media_type}")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(f"the body must be UTF-8, not {request.charset}")


def check_patch(request: web.BaseRequest, media_type: str) -> None:
    """Refuse a patch that does not say it is of the *media_type*; raises `UnsupportedMedia`."""
    if request.content_type != media_type:
        error = UnsupportedMedia(f"a patch must be {media_type}, not {request.content_type}")
        error.accept_patch = media_type
        raise error
    check_json(request)


def accepted(request: web.BaseRequest, offered: Sequence[str] = (JSON,)) -> Accepted:
    """Return the type of *offered* that the client likes best, the first one if it likes several.

    A type that it names goes before one that only a range such as `*/*` takes in.

    Raises:
        NotAcceptable: It accepts none of them.

    """
    return _best(", ".join(request.headers.getall(hdrs.ACCEPT, _ABSENT)), tuple(offered))


# Clients say the same in every request: what it means is remembered.
@lru_cache(maxsize=128)
def _best(header: str, offered: tuple[str, ...]) -> Accepted:
    ranges = {name: weight for name, weight in map(_range, header.split(",")) if name}
    best = max(offered, key=lambda name: _liked(ranges, name))  # the first of equals
    if _liked(ranges, best)[0] <= 0:
        raise NotAcceptable(f"can answer with {', '.join(offered)}")
    return Accepted(best)


def _liked(ranges: Mapping[str, float], name: str) -> tuple[float, int]:
    """Return the weight of a type: the most specific range decides (RFC 9110); and its rank."""
    candidates = (name, name.partition("/")[0] + "/*", "*/*")
    for rank, candidate in enumerate(candidates):
        if candidate in ranges:
            return ranges[candidate], -rank
    return float(not ranges), 0  # without a header, everything is welcome


def check_encoding(request: web.BaseRequest) -> None:
    """Refuse a client that takes its answer neither compressed nor as it is.

    Raises:
        NotAcceptable: It accepts none of both.

    """
    gzip, plain = _encodings(request)
    if gzip <= 0 and plain == 0:
        raise NotAcceptable("can answer with the encoding gzip, or with none")


def accepts_gzip(request: web.BaseRequest, *, needed: bool = False) -> bool:
    """Return whether the client wants its answer compressed by gzip; or, *needed*, nothing else."""
    gzip, plain = _encodings(request)
    return gzip > 0 and (plain == 0 if needed else gzip >= (plain or 0))


def _encodings(request: web.BaseRequest) -> tuple[float, float | None]:
    """Return how much the client likes gzip and no encoding; None if it does not say."""
    return _weights(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, _ABSENT)))


@lru_cache(maxsize=128)
def _weights(header: str) -> tuple[float, float | None]:
    weights = dict(map(_range, header.split(",")))
    every = weights.get("*")
    return weights.get("gzip", every or 0.0), weights.get("identity", 0.0 if every == 0 else None)


def _range(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, float(value) if _WEIGHT.fullmatch(value.strip()) else 1.0
    return name, 1.0
