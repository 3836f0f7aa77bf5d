"""What is measured of requests: how long they take, and the errors they end with."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from energia.errors import EnergiaError
from energia.web.errors import route_of
from energia.web.keys import ERROR
from energia_plugins.metrics_prometheus.labels import Few, method_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

#: The buckets that OpenTelemetry recommends for the duration of a request, in seconds.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
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
            buckets=BUCKETS,
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
