"""The one place that sends requests to others: webhooks, price feeds, keys of token issuers.

Every request names Energia, follows no redirect, reaches allowed addresses only, ends in time, and
reads so many bytes of the answer and no more. Each address is judged when it is connected to, not
before: a name that means something else a moment later (DNS rebinding) gains nothing by it.
"""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import attrs

import energia
from energia import tracing
from energia.outgoing.addresses import Allowed
from energia.outgoing.headers import Headers
from energia.settings import Outgoing as Rules

if TYPE_CHECKING:
    import aiohttp

_CHUNK: Final = 64 * 1024
_SCHEMES: Final = ("http", "https")


class NoAnswer(Exception):
    """There is no answer: the other is away, too slow, or must not be asked.

    Attributes:
        reason: Why, for the log and for `/health`: without the URL, which may have a token.

    """

    def __init__(self, reason: str) -> None:
        """State the reason."""
        self.reason = reason
        super().__init__(reason)


@attrs.frozen
class Answer:
    """What was answered, whatever the status.

    Attributes:
        status: The status; a redirect is one like any other.
        headers: What the headers say.
        body: The body, inflated, as far as it was read.
        is_whole: Whether that is all of it.

    """

    status: int
    headers: Headers
    body: bytes = attrs.field(repr=False)
    is_whole: bool = True

    @property
    def utf8(self) -> bytes:
        """The body of a text as UTF-8, whatever charset it came in; bytes that fit none stay."""
        if self.headers.charset in ("utf-8", "ascii"):
            return self.body
        try:
            return self.body.decode(self.headers.charset).encode()
        except UnicodeError:
            return self.body


@attrs.frozen
class Outgoing:
    """What may be asked, and how; `core.outgoing` in a plugin, `asked.outgoing` in a price feed.

    Example:
        async with core.outgoing.session(seconds=5) as session:
            answer = await session.get("https://prices.example/today")

    """

    rules: Rules = attrs.field(factory=Rules)
    _allowed: Allowed = attrs.field(init=False)

    @_allowed.default
    def _of_rules(self) -> Allowed:
        return Allowed.of(self.rules.allow)

    def refusal(self, url: str) -> str | None:
        """Return why the address that *url* itself names is never reached; None if it may be.

        Where a name leads is known when it is asked, and may be elsewhere the next time: but for
        `localhost`, nothing is said of names.
        """
        try:
            host = _host(url)
        except NoAnswer as error:
            return str(error)
        if host.rpartition(".")[2].lower() == "localhost":
            return self._allowed.refusal(host, "127.0.0.1")
        return self._allowed.refusal(host, host) if _is_address(host) else None

    @asynccontextmanager
    async def session(self, seconds: float | None = None) -> AsyncIterator["Session"]:
        """Give what sends requests; connections are kept until the context is left.

        Each request may take *seconds*, `outgoing.timeout` without, body included.
        """
        import aiohttp  # takes 100 ms, and few commands ask anybody

        seconds = self.rules.timeout if seconds is None else seconds
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(use_dns_cache=False, socket_factory=_socket),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"Energia/{energia.__version__}"},
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as client:
            yield Session(client, self._allowed, seconds, self.rules.answer_bytes)


@attrs.frozen
class Session:
    """Sends requests."""

    _client: "aiohttp.ClientSession"
    _allowed: Allowed
    _seconds: float
    _bytes: int

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, limit: int | None = None
    ) -> Answer:
        """Ask for *url*, and read *limit* bytes at most; raises `NoAnswer`."""
        return await self._request("GET", url, limit, headers=headers)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Send *body* to *url*, and read *limit* bytes of the answer at most; raises `NoAnswer`."""
        return await self._request("POST", url, limit, headers=headers, data=body)

    async def _request(
        self,
        method: str,
        url: str,
        limit: int | None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        host = _host(url)
        # Not the URL, which may have a token.
        said = {"http.request.method": method, "server.address": host}
        with tracing.span(method, said, kind="client") as recorded:
            more["headers"] = {**(headers or {}), **tracing.headers()}
            answer = await self._answer(method, url, host, limit, **more)
            recorded.note({"http.response.status_code": answer.status})
            if answer.status >= HTTPStatus.BAD_REQUEST:
                recorded.fail(str(answer.status))
            return answer

    async def _answer(
        self, method: str, url: str, host: str, limit: int | None, **more: Any
    ) -> Answer:
        attempt = _Attempt(host, self._allowed)
        token = _ATTEMPT.set(attempt)
        try:
            async with self._client.request(method, url, allow_redirects=False, **more) as answer:
                body, is_whole = await _read(answer.content, limit or self._bytes)
                return Answer(answer.status, Headers(answer.headers), body, is_whole)
        except TimeoutError:
            raise NoAnswer(f"no answer within {self._seconds:g} s") from None
        except Exception as error:
            # Of every class, for whatever an answer does; only its class is told, as the message
            # may have the URL, and that a token.
            reason = next(iter(attempt.refused), f"cannot be asked: {type(error).__name__}")
            raise NoAnswer(reason) from None
        finally:
            _ATTEMPT.reset(token)


def _host(url: str) -> str:
    """Return the host of a URL; raises `NoAnswer` for what is none, or is of another scheme."""
    from yarl import URL

    try:
        parsed = URL(url)
        host = parsed.raw_host
    except ValueError:
        raise NoAnswer("the URL is not one") from None
    if parsed.scheme not in _SCHEMES or not host:
        raise NoAnswer("only URLs of http and https are asked")
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _read(content: "aiohttp.StreamReader", limit: int) -> tuple[bytes, bool]:
    """Return the body up to *limit* bytes, and whether that is all of it."""
    body = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), False
    return bytes(body), True


# Connections: the last moment at which an address is known, and the only one that cannot be
# deceived. The library asks for a socket for each address that it is about to connect to.


@attrs.frozen
class _Attempt:
    """A request that is being sent, and why addresses of its host were refused."""

    host: str
    allowed: Allowed
    refused: list[str] = attrs.Factory(list)


_ATTEMPT: ContextVar[_Attempt] = ContextVar("energia_outgoing_attempt")


def _socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket to connect to *address*, as `getaddrinfo` has it; raises `OSError`."""
    family, kind, protocol, _, where = address
    attempt = _ATTEMPT.get()
    if refusal := attempt.allowed.refusal(attempt.host, where[0]):
        attempt.refused.append(refusal)
        raise PermissionError(refusal)
    return socket.socket(family, kind, protocol)
