"""What is measured of requests: how long they take, how many there are, and what goes wrong.

Clients choose paths, methods and ids, so none of these is a label as it comes: a label has few
values, whatever is sent, or the series of a metric would grow without end.
"""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_async.aio import time, track_inprogress
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from energia import EnergiaError
from energia.web.keys import ERROR
from energia.web.middlewares import route_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

#: Where the metrics are; requests for them are not measured.
PATH: Final = "/metrics"
#: The buckets that OpenTelemetry recommends for the duration of a request, in seconds.
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: What a request is counted as whose client is gone before the answer; the number is nginx's.
CLIENT_CLOSED: Final = 499
#: The methods that are told apart; any other is `_OTHER`, as OpenTelemetry has it.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: What stands for values that are too many, or no names.
OTHER: Final = "other"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def method_of(name: str) -> str:
    """Return the label of an HTTP method."""
    return name if name in METHODS else "_OTHER"


class Few:
    """A label of names: the first *most* are told apart, those that come later are `other`."""

    def __init__(self, most: int = 60) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, name: str) -> str:
        """Return the label for *name*."""
        if name in self._known:
            return name
        if len(self._known) >= self._most or not _NAME.fullmatch(name):
            return OTHER
        self._known.add(name)
        return name


class Requests:
    """The metrics of every request but those for the metrics themselves."""

    def __init__(self) -> None:
        self._duration = Histogram(
            "http_request_duration_seconds",
            "How long requests took; 499 is a client that went away.",
            ["method", "route", "status"],
            buckets=REQUEST_BUCKETS,
            registry=None,
        )
        self._in_flight = Gauge(
            "http_requests_in_flight", "Requests that are being answered.", registry=None
        )
        self._exceptions = Counter(
            "http_exceptions",
            "Errors that requests ended with, by the class of the error.",
            ["route", "exception"],
            registry=None,
        )
        self._conflicts = Counter(
            "energia_conflicts", "Answers of 409, by the code of the problem.", ["code"],
            registry=None,
        )  # fmt: skip
        self._errors, self._codes = Few(), Few()
        for code in sorted(_conflicts(EnergiaError)):
            self._conflicts.labels(self._codes.of(code))
        self._observers = _Observers(self._duration)

    def collectors(self) -> list[Collector]:
        """Return what is measured."""
        return [self._duration, self._in_flight, self._exceptions, self._conflicts]

    def middleware(self, seen: Callable[[web.Application], None]) -> "Middleware":
        """Return what measures; *seen* is called with the application of each request."""

        @web.middleware
        async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
            seen(request.app)
            route = route_of(request)
            if route == PATH:
                return await handler(request)
            exchange = Exchange(self, request, route)
            return await track_inprogress(self._in_flight, time(exchange, exchange.answer(handler)))

        return measured

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note how long a request took, however it ended."""
        self._observers[method_of(method), route, status](seconds)

    def failed(self, route: str, error: Exception) -> None:
        """Count an error that a request ended with, those of clients too."""
        self._exceptions.labels(route, self._errors.of(type(error).__name__)).inc()
        if isinstance(error, EnergiaError) and error.status == HTTPStatus.CONFLICT:
            self._conflicts.labels(self._codes.of(error.code)).inc()


def _conflicts(error: type[EnergiaError]) -> set[str]:
    """Return the codes of all errors that are answered with 409."""
    own = {error.code} if error.status == HTTPStatus.CONFLICT else set()
    return own.union(*map(_conflicts, error.__subclasses__()))


class Exchange:
    """One request and its answer: what `prometheus_async.aio.time` observes the duration with.

    The status is a label of the duration, and known only when all is over.
    """

    def __init__(self, requests: Requests, request: web.Request, route: str) -> None:
        self._requests = requests
        self._request = request
        self._route = route
        self._status: int = CLIENT_CLOSED

    async def answer(self, handler: Handler) -> web.StreamResponse:
        """Let *handler* answer, and keep the status."""
        try:
            response = await handler(self._request)
        except web.HTTPException as redirection:
            self._status = redirection.status
            raise
        except Exception:
            self._status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        self._status = response.status
        return response

    def observe(self, seconds: float, /) -> None:
        """Note that it is over; a cancelled one has no status, as its client is gone."""
        status = CLIENT_CLOSED if self._request.transport is None else int(self._status)
        self._requests.ended(self._request.method, self._route, status, seconds)
        error = self._request.get(ERROR)
        if error is not None and status != CLIENT_CLOSED:
            self._requests.failed(self._route, error)


class _Observers(dict[tuple[str, str, int], Callable[[float], None]]):
    """What observes a duration, by method, route and status: cheaper than asking for labels."""

    def __init__(self, duration: Histogram) -> None:
        self._duration = duration

    def __missing__(self, labels: tuple[str, str, int]) -> Callable[[float], None]:
        method, route, status = labels
        self[labels] = observe = self._duration.labels(method, route, str(status)).observe
        return observe
