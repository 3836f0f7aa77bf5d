"""What is measured of requests and of the statements that they send to the database."""

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from energia import EnergiaError
from energia.db.tenant import statement_of
from energia.web.keys import ERROR
from energia.web.middlewares import route_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware


#: The methods that are told apart; any other is `_OTHER`, as OpenTelemetry has it.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: What stands for values that are too many, or no names.
OTHER: Final = "other"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


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


# What is measured of requests: how long they take, and the errors they end with.

#: The buckets that OpenTelemetry recommends for the duration of a request, in seconds.
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
PATH: Final = "/metrics"
#: What a request is counted as whose client is gone before the answer.
CLIENT_CLOSED: Final = 499

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Observers(dict[tuple[str, str, int], Callable[[float], None]]):
    """What observes a duration, by method, route and status: cheaper than asking for labels."""

    def __init__(self, duration: Histogram) -> None:
        self._duration = duration

    def __missing__(self, labels: tuple[str, str, int]) -> Callable[[float], None]:
        method, route, status = labels
        self[labels] = observe = self._duration.labels(method, route, str(status)).observe
        return observe


class Requests:
    """Measures every request but those for the metrics themselves."""

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
            return await (
                handler(request) if route == PATH else self._measured(request, handler, route)
            )

        return measured

    async def _measured(
        self, request: web.Request, handler: Handler, route: str
    ) -> web.StreamResponse:
        status = CLIENT_CLOSED
        started = perf_counter()
        self._in_flight.inc()
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:  # a redirection
            status = error.status
            raise
        except Exception:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            self._in_flight.dec()
            if request.transport is None:
                status = CLIENT_CLOSED
            labelled = (method_of(request.method), route, int(status))
            self._observers[labelled](perf_counter() - started)
            if status != CLIENT_CLOSED:
                self._count(route, request.get(ERROR))

    def _count(self, route: str, error: Exception | None) -> None:
        if error is None:
            return
        self._exceptions.labels(route, self._errors.of(type(error).__name__)).inc()
        if isinstance(error, EnergiaError) and error.status == HTTPStatus.CONFLICT:
            self._conflicts.labels(self._codes.of(error.code)).inc()


# What is measured of the statements that are sent to the database.

#: What statements begin with that are told apart; any other is `other`.
OPERATIONS: Final = frozenset(
    {"select", "insert", "update", "delete", "with", "begin", "commit", "rollback", "set"}
)
_WORD: Final = re.compile(r"[a-z]*", re.IGNORECASE)
#: In seconds; the last is the time limit of a statement.
STATEMENT_BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class Statements:
    """Times statements by the word that they begin with."""

    def __init__(self) -> None:
        self._duration = Histogram(
            "db_query_duration_seconds",
            "How long statements took, by their first word.",
            ["operation"],
            buckets=STATEMENT_BUCKETS,
            registry=None,
        )
        self._wait = Histogram(
            "db_pool_wait_seconds", "Waits for a database connection.",
            buckets=(0.0001, *STATEMENT_BUCKETS), registry=None,
        )  # fmt: skip

    def collectors(self) -> list[Collector]:
        """Return what is measured."""
        return [self._duration, self._wait]

    @property
    def waited(self) -> Callable[[float], None]:
        """What observes a wait for a connection."""
        return self._wait.observe

    def sent(self, message: str, seconds: float) -> None:
        """Observe a message."""
        self._duration.labels(operation(message)).observe(seconds)


@lru_cache(maxsize=512)
def operation(message: str) -> str:
    """Return the first word of the statement in *message*, or `other`."""
    word = _WORD.match(statement_of(message).lstrip())
    assert word is not None
    return word[0].lower() if word[0].lower() in OPERATIONS else "other"
