"""How requests are sent: compressed where they are big, and again where that is safe."""

import gzip
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count

import attrs
import httpx

#: The statuses of a service that will answer later: it is busy, or its database is away.
LATER = (429, 503)
#: What may be sent twice: it changes nothing that the first one did not.
IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")


@attrs.frozen
class Retries:
    """When a request is sent again, and how often.

    Only what may be sent twice is: GET, PUT, DELETE, and any request with an `Idempotency-Key`.

    Attributes:
        most: How often at most.
        first: Seconds before the first time, where the service names no time; then twice as many
            each time, and each a bit uneven.
        longest: Seconds that are waited at most, whatever the service says.

    """

    most: int = 4
    first: float = 0.5
    longest: float = 30.0


@attrs.define
class Transport(httpx.BaseTransport):
    """Sends requests by another transport.

    Attributes:
        inner: Sends them.
        retries: When a request is sent again.
        gzip_from: Bodies from so many bytes are compressed, and files that tell no size.
        sleep: Waits.

    """

    inner: httpx.BaseTransport
    retries: Retries
    gzip_from: int
    sleep: Callable[[float], None] = time.sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until it is answered, or it was sent often enough."""
        repeatable = request.method in IDEMPOTENT or "Idempotency-Key" in request.headers
        if repeatable:
            request.read()  # a file can be read but once
        request = self._compressed(request)
        for attempt in count():
            last = not repeatable or attempt >= self.retries.most
            try:
                response = self.inner.handle_request(request)
            except httpx.TransportError:
                if last:
                    raise
                wait = None
            else:
                if last or response.status_code not in LATER:
                    return response
                response.close()
                wait = _stated(response.headers.get("Retry-After"))
            self.sleep(min(self._pause(attempt) if wait is None else wait, self.retries.longest))
        raise AssertionError  # `count` has no end

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()

    def _pause(self, attempt: int) -> float:
        return self.retries.first * 2.0**attempt * random.uniform(0.75, 1.25)

    def _compressed(self, request: httpx.Request) -> httpx.Request:
        """Return the request with its body compressed, if it is big and nobody did so before."""
        size = int(request.headers.get("Content-Length", self.gzip_from))
        has_body = "Content-Length" in request.headers or "Transfer-Encoding" in request.headers
        if not has_body or size < self.gzip_from or "Content-Encoding" in request.headers:
            return request
        headers = request.headers.copy()
        for name in ("Content-Length", "Transfer-Encoding"):
            headers.pop(name, None)
        headers["Content-Encoding"] = "gzip"
        content: bytes | Iterable[bytes]
        if isinstance(request.stream, httpx.ByteStream):
            content = gzip.compress(b"".join(request.stream), mtime=0)
        else:
            assert isinstance(request.stream, httpx.SyncByteStream)
            content = _gzipped(request.stream)
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=content,
            extensions=request.extensions,
        )


def _gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Compress a file while it is sent."""
    compressor = zlib.compressobj(wbits=31)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


def _stated(text: str | None) -> float | None:
    """Return the seconds that a `Retry-After` says (RFC 9110, 10.2.3); None without one."""
    if text is None:
        return None
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
