"""The service, its database, the network between them, their disk and their clock."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from energia.db.embedded import Embedded
from tests.core.db.processes import postmaster
from tests.databases import administer
from tests.e2e.service import Service, free_port, ready, serving
from tests.mounts import mounted
from tests.rehearsals.chaos.cable import Cable
from tests.rehearsals.chaos.writers import Writers

#: Short, so that what is away is noticed soon.
_SETTINGS: Final = {
    "ENERGIA_DATABASE__ACQUIRE_TIMEOUT": "2",
    "ENERGIA_DATABASE__CONNECT_TIMEOUT": "2",
    "ENERGIA_DATABASE__STATEMENT_TIMEOUT": "5",
}
#: The library that shows processes another time, where Debian's package puts it.
_FAKETIME: Final = "usr/lib/*/faketime/libfaketimeMT.so.1"
#: Keeps the log of the database small beside a disk that can be filled.
_LOG: Final = ("alter system set max_wal_size = '96MB'", "alter system set min_wal_size = '32MB'")
#: Seconds that a service gets to start, on a machine that is busy with all this.
_START: Final = 180.0
Start = Callable[[], Awaitable[Service]]


@attrs.define(eq=False)
class World:
    """Everything that can break.

    Attributes:
        server: The database.
        cable: The network.
        writers: Who writes.
        service: What serves at the moment.
        start: Starts another service in its place.
        disk: The disk of the database, if it is one that can be filled.
        clock: The file that tells the time of service and database, if that can be changed.
        kills: For each kill, how many requests were in flight.

    """

    server: Embedded
    cable: Cable
    writers: Writers
    service: Service
    start: Start
    disk: Path | None
    clock: Path | None
    kills: list[int] = attrs.field(factory=list, init=False)

    async def in_flight(self) -> None:
        """Wait until requests are in flight, and count what is killed among them."""
        async with asyncio.timeout(60):
            while not self.writers.in_flight:
                await asyncio.sleep(0.001)
        self.kills.append(self.writers.in_flight)

    async def served(self, readings: int) -> None:
        """Wait until so many more readings are acknowledged: it works again."""
        enough = self.writers.acknowledged + readings
        async with asyncio.timeout(180):
            while self.writers.acknowledged < enough:
                await asyncio.sleep(0.02)

    async def served_since(self, instant: float) -> None:
        """Wait until a request is acknowledged that was sent after an instant."""
        async with asyncio.timeout(180):
            while self.writers.served <= instant:
                await asyncio.sleep(0.01)

    async def database_killed(self) -> None:
        """Kill the database while requests are in flight; its supervisor starts it again."""
        pid = postmaster(self.server)
        await self.in_flight()
        os.kill(pid, signal.SIGKILL)

    async def service_killed(self) -> None:
        """Kill the service while requests are in flight, and start it again."""
        await self.in_flight()
        self.service.process.send_signal(signal.SIGKILL)
        await self.service.process.wait()
        self.service = await self.start()


@contextlib.asynccontextmanager
async def world(*, disk: bool, clock: bool, meters: int = 24) -> AsyncIterator[World]:
    """Make a world in good order; if wanted, with a disk that can be filled and a clock to set."""
    with tempfile.TemporaryDirectory(prefix="e") as name, contextlib.ExitStack() as left:
        folder = Path(name)
        folder.chmod(0o755)
        data, told = folder / "disk", folder / "clock"
        data.mkdir()
        if disk:
            left.enter_context(mounted(data))
        environ = _told_by(told) if clock else {}
        server = Embedded(data / "db")
        with _environment(environ):
            await asyncio.to_thread(server.start)
        left.callback(server.stop)
        administer(server, *_LOG, "select pg_reload_conf()")
        cable = Cable(server.folder / "run" / ".s.PGSQL.5432", free_port())
        async with cable.plugged(), contextlib.AsyncExitStack() as services:
            dsn = f"postgresql://energia@127.0.0.1:{cable.port}/energia"
            start = _starting(dsn, free_port(), environ, services)
            service = await start()
            writers = Writers(service.url, meters)
            await writers.set_up()
            yield World(
                server,
                cable,
                writers,
                service,
                start,
                disk=data if disk else None,
                clock=told if clock else None,
            )


def _starting(
    dsn: str, port: int, environ: dict[str, str], services: contextlib.AsyncExitStack
) -> Start:
    """Return what starts a service, always on the same port."""

    async def start() -> Service:
        running = serving(dsn, wait=False, port=port, **_SETTINGS, **environ)
        service = await services.enter_async_context(running)
        try:
            await ready(service, _START)
        except TimeoutError:
            raise AssertionError(f"it does not start: {service.logged()[-5000:]}") from None
        return service

    return start


# Clocks.


def faketime() -> str | None:
    """Return the library that changes the time of a process, if it is installed."""
    return next(iter(sorted(map(str, Path("/").glob(_FAKETIME)))), None)


def _told_by(file: Path) -> dict[str, str]:
    """Return the environment of processes whose time *file* tells, as seconds beside the real."""
    file.write_text("+0")
    file.chmod(0o644)
    return {
        "LD_PRELOAD": faketime() or "",
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        # Nobody can set the monotonic clock, in no world.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


@contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    """Give processes that are started meanwhile these variables too."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
