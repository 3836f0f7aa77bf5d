"""The process: it listens before the database is there, and drains before it ends."""

import asyncio
import ctypes
import errno
import gc
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import hdrs, web

from energia import signals
from energia.core import Core
from energia.db.connect import address, connected
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.replica import Replica
from energia.errors import ConfigurationError, DatabaseAway, DatabaseRefused
from energia.health import healthcheck
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.previews.own import OwnDatabase
from energia.settings import Server as ServerSettings
from energia.settings import Settings
from energia.time import SystemClock
from energia.web import problems
from energia.web.app import create_app, started
from energia.web.connections import Server
from energia.web.keys import CORE, IN_FLIGHT, LIVE, REQUEST_ID
from energia.web.middlewares import LIVE_PATH
from energia.web.proxies import Proxies
from energia.work import SWITCH

#: Seconds between two attempts to reach the database: doubled from the first up to the last.
_FIRST_PAUSE: Final = 0.2
_LAST_PAUSE: Final = 5.0
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
RequestFactory = Callable[..., web.BaseRequest]
log = structlog.get_logger(__name__)


def serve(settings: Settings, plugins: Plugins, *, is_worker: bool = False) -> None:
    """Serve until a signal asks to stop, and return when the service has drained.

    A worker serves no API: it works jobs off, and answers how it is.

    Raises:
        ConfigurationError: It cannot serve like this; the message says why.
        MigrationError: The database cannot be migrated.
        DatabaseRefused: The database does not let the service in, and never will like this.

    """
    sys.setswitchinterval(SWITCH)  # the loop waits for no thread that computes
    _give_memory_back()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(settings, plugins, is_worker))


#: Parameters of glibc's `mallopt`: blocks from so many bytes on are given back when they are freed
#: (without, the bound grows up to 32 MB by itself); so much of a heap is kept for what comes next
#: (else 128 KiB: each array of a year of readings would be asked for, and cleared, anew); and few
#: threads have a heap of their own.
_MALLOC: Final = {-3: 4 * 1024**2, -1: 8 * 1024**2, -8: 2}


def _give_memory_back() -> None:
    """Let the arrays of a large request leave with it: else the process keeps them for the next."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other libraries have no such thing
    if mallopt is not None:
        for parameter, value in _MALLOC.items():
            mallopt(parameter, value)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the fastest event loop of this installation."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(settings: Settings, plugins: Plugins, is_worker: bool) -> None:
    with _listening_to_signals() as stopping:
        if stopping.asked.is_set():
            log.info("stopped", before="it has started")
            return
        listener = _bound(settings.server)
        pool = Pool(address(settings.database), settings.database)
        replica = Replica(pool, settings.database) if settings.database.replica_url else None
        core = Core(settings, SystemClock(), pool, State(), plugins, replica=replica)
        app = create_app(core, is_worker=is_worker)
        # What is there now stays: looking through all of it, again and again, for what may go would
        # hold everybody up for 25 ms.
        gc.freeze()
        async with _working(app) as work, _listening(app, listener):
            signalled = asyncio.create_task(stopping.asked.wait())
            await asyncio.wait([signalled, work], return_when=asyncio.FIRST_COMPLETED)
            if not stopping.asked.is_set():
                signalled.cancel()
                await work  # it ends by itself only with an error
            await _drain(app[CORE], stopping)
    log.info("stopped")


def _bound(server: ServerSettings) -> socket.socket:
    """Return a socket of the port; raises `ConfigurationError`."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host, server.port), family=family, backlog=1024)
    except OSError as error:
        # Python adds the address to what the system says, in a form of its own.
        reason = (error.strerror or str(error)).partition(" (while attempting")[0]
        if error.errno == errno.EADDRINUSE:
            reason = "the port is in use"
        raise ConfigurationError(
            f"cannot listen on {server.host} port {server.port}: {reason}"
        ) from error


# What asks the process to stop, and how it drains.


class Stopping:
    """What the signals have asked for.

    Attributes:
        asked: Set by the first signal.
        hurried: Set by SIGINT, and by a second signal: nothing is waited for.

    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    def receive(self, number: signal.Signals) -> None:
        """Note a signal."""
        if self.asked.is_set() or number is signal.SIGINT:
            self.hurried.set()
        self.asked.set()

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is to hurry."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.hurried.wait(), seconds)


@contextmanager
def _listening_to_signals() -> Iterator[Stopping]:
    """Take the signals over from `energia.signals`, with those that it remembered."""
    loop, stopping = asyncio.get_running_loop(), Stopping()
    for number in signals.STOPPING:
        loop.add_signal_handler(number, stopping.receive, number)
    for number in signals.received():
        stopping.receive(number)
    try:
        yield stopping
    finally:
        for number in signals.STOPPING:
            loop.remove_signal_handler(number)
        signals.ignore()


async def _drain(core: Core, stopping: Stopping) -> None:
    """Serve on until the proxy has noticed that this service goes."""
    server, was_ready = core.settings.server, core.state.phase is Phase.READY
    log.info("draining", hurried=stopping.hurried.is_set())
    core.state.closing = True
    if was_ready:
        await stopping.pause(server.drain_ready)
    core.state.phase = Phase.DRAINING
    if was_ready:
        await stopping.pause(server.drain)


# What is brought up in the background while the server listens already.


@asynccontextmanager
async def _working(app: web.Application) -> AsyncIterator["asyncio.Task[None]"]:
    """Bring the database and the plugins up in the background, and down on leaving."""
    leaving = asyncio.Event()
    work = asyncio.create_task(_work(app, leaving))
    try:
        yield work
    finally:
        leaving.set()
        if not app[CORE].state.usable:
            work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def _work(app: web.Application, leaving: asyncio.Event) -> None:
    core = app[CORE]
    async with connected(core.settings.database) as dsn, _closing(core):
        own = OwnDatabase(core)
        await _migrated(core, dsn, own)
        async with own.lease(), started(app):
            log.info("ready", plugins=core.plugins.names)
            await leaving.wait()
    core.state.phase = Phase.STOPPED


async def _migrated(core: Core, dsn: str, own: OwnDatabase) -> None:
    """Reach the database, however long that takes, and migrate it; a preview makes its own.

    Raises:
        DatabaseRefused: It is there, and no waiting helps.

    """
    pause = _FIRST_PAUSE
    while True:
        try:
            if await own.ensure():
                log.info("preview_database_made", pr=core.settings.pull_request)
            await core.pool.ping()
            core.state.enter(Phase.MIGRATING)
            outcome = await migrate(dsn, {**CORE_MIGRATIONS, **core.plugins.migrations()})
            log.info("migrated", applied=outcome.applied, unknown=outcome.unknown)
            for note in core.pool.bearing.notes:
                log.info("database", note=note)
            if await own.sow():
                log.info("preview_seeded", seed=core.settings.preview.seed)
            return
        except DatabaseRefused:
            raise  # it would be waited for in vain
        except DatabaseAway as error:
            core.state.enter(Phase.STARTING)
            log.warning("database_away", detail=error.detail, retry_in=pause)
        # Uneven, so that the replicas of a service do not come back to their database at once.
        await asyncio.sleep(pause * random.uniform(0.75, 1.25))
        pause = min(2 * pause, _LAST_PAUSE)


@asynccontextmanager
async def _closing(core: Core) -> AsyncIterator[None]:
    """Close the connections of *core* on leaving."""
    try:
        yield
    finally:
        await core.pool.close()
        if core.replica is not None:
            await core.replica.close()


# The server: expectations are answered with problems too.


@asynccontextmanager
async def _listening(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Accept connections; on leaving, no more, and requests are finished within their time."""
    server = app[CORE].settings.server
    # It spends this twice, after we have waited for the requests once.
    async with running(app, shutdown_timeout=server.shutdown_timeout / 2) as runner:
        site = web.SockSite(runner, listener, backlog=1024)
        await site.start()
        port = listener.getsockname()[1]
        healthcheck.announce(port)
        log.info("listening", host=server.host, port=port, url=_url(server, port))
        yield
        await site.stop()
        # Before the clean-up, which drops what comes of the bodies that are still being sent.
        await app[IN_FLIGHT].finished(server.shutdown_timeout)


def _url(server: ServerSettings, port: int) -> str:
    """Return where this machine's browser finds the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@asynccontextmanager
async def running(
    app: web.Application, *, shutdown_timeout: float
) -> AsyncIterator[web.ServerRunner]:
    """Start *app* and give the runner for its sites; on leaving, end requests and connections."""
    # aiohttp's runner of applications makes connections of its own kind; so it only prepares the
    # application, and a runner of servers serves its handler with ours.
    of_app = web.AppRunner(app)
    await of_app.setup()
    assert of_app.server is not None
    server = Server(
        _expecting(of_app.server.request_handler, app[LIVE]),
        app[CORE].settings.limits,
        request_factory=_as_sent(of_app.server.request_factory, app[CORE].settings.server),
    )
    runner = web.ServerRunner(server, shutdown_timeout=shutdown_timeout)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()
        await of_app.cleanup()


def _as_sent(make: RequestFactory, server: ServerSettings) -> RequestFactory:
    """Return what makes requests as clients send them, whatever proxies are between."""
    if not (server.trusted_proxies or server.base_path):
        return make
    proxies = Proxies.of(server)

    def factory(*parts: Any) -> web.BaseRequest:
        return proxies.as_sent(make(*parts))

    return factory


def _expecting(handle: Handler, live: Handler) -> Handler:
    """Return *handle*, with a problem document for an `Expect` that cannot be met, and *live*."""

    def handler(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        # Hardly any has one: the others go without a coroutine around theirs.
        if hdrs.EXPECT in request.headers:
            return asking(request)
        if request.raw_path == LIVE_PATH and request.method == hdrs.METH_GET:
            return live(request)
        return handle(request)

    async def asking(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handle(request)
        except web.HTTPException as error:  # our middlewares answer all others
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            request[REQUEST_ID] = problems.new_request_id()
            return problems.of_http(error, request[REQUEST_ID])

    return handler
