"""What an application and a request carry."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from energia.access.callers import Caller
from energia.convert import JSON, Converter
from energia.core import Core
from energia.db.undertaking import Undertaking
from energia.health.monitor import Monitor
from energia.web.bodies import Accepted, Digest
from energia.work import Workers


class InFlight:
    """Counts the requests of an application that were begun and are not answered."""

    def __init__(self) -> None:
        self.count = 0
        self._idle: asyncio.Event | None = None  # only once somebody waits for it

    def __enter__(self) -> None:
        """Count one request, until the block ends."""
        self.count += 1

    def __exit__(self, *_: object) -> None:
        """Count it no more."""
        self.count -= 1
        if self._idle is not None and not self.count:
            self._idle.set()

    async def finished(self, seconds: float) -> None:
        """Wait until none is left, at most so long."""
        if not self.count:
            return
        self._idle = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)


class Conversion:
    """What reads and writes bodies.

    Attributes:
        converter: That of JSON; one that knows the charges of the loaded plugins as soon as there
            are routes whose bodies may have some.

    """

    def __init__(self) -> None:
        self.converter: Converter = JSON


#: The service that an application belongs to.
CORE = web.AppKey("CORE", Core)
#: Whether it serves no API: a process that only works jobs off.
IS_WORKER = web.AppKey("IS_WORKER", bool)
#: What reads and writes the bodies.
CONVERSION = web.AppKey("CONVERSION", Conversion)
#: The id of a request, in its answer and its log lines.
REQUEST_ID = web.RequestKey("REQUEST_ID", str)
#: Who asks.
CALLER = web.RequestKey("CALLER", Caller)
#: The bearer token of a request that carries none itself: that of the session of a page.
BEARER = web.RequestKey("BEARER", str)
#: The path below which the client sees the service; absent where that is its root.
PREFIX = web.RequestKey("PREFIX", str)
#: The error that the answer stands for, where it is one.
ERROR = web.RequestKey("ERROR", Exception)
#: The media type that the route of a request chose.
ACCEPTED = web.RequestKey("ACCEPTED", Accepted)
#: Where an answer was read, as its header says it; absent where there is but one database.
READ_FROM = web.RequestKey("READ_FROM", str)
#: Watches the probes.
MONITOR = web.AppKey("MONITOR", Monitor)
#: What is done for the client, for as long as it waits.
UNDERTAKING = web.RequestKey("UNDERTAKING", Undertaking)
#: Returns the OpenAPI document, as JSON; making it, when it is first asked for, takes a while.
DOCUMENT: web.AppKey[Callable[[], bytes]] = web.AppKey("DOCUMENT")
#: Compute what takes longer than the event loop may be held up.
WORKERS = web.AppKey("WORKERS", Workers)
#: Answers that the process lives, before it is looked what else a request may be for.
LIVE: web.AppKey[Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = web.AppKey("LIVE")
#: Counts the requests that are being answered.
IN_FLIGHT = web.AppKey("IN_FLIGHT", InFlight)
#: Takes in what a request with an Idempotency-Key says, as it is read.
DIGEST = web.RequestKey("DIGEST", Digest)
