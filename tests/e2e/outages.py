"""A database server that is killed or frozen, for as long as a test wants."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import attrs
import psycopg2

from energia.db.embedded import Embedded
from tests.core.db.processes import is_supervisor, postmaster, processes
from tests.e2e.load import Watch


@attrs.frozen
class Outage:
    """One outage; instants are on the monotonic clock, None for what did not happen.

    Attributes:
        killed: When the server was killed.
        unready: When readiness was first answered with 503.
        back: When the server was allowed to start again.
        ready: When readiness was answered with 200 again.

    """

    killed: float
    unready: float | None
    back: float
    ready: float

    def text(self) -> str:
        """Return the figures in one line."""
        away, recovered = self.back - self.killed, self.ready - self.back
        if self.unready is None:
            return f"away {away:.2f} s: ready stayed 200"
        unready = self.unready - self.killed
        return (
            f"away {away:.2f} s: ready was 503 from {unready:.2f} s until {recovered:.2f} s after"
        )


async def outage(server: Embedded, watch: Watch, seconds: float | None = None) -> Outage:
    """Kill the server (`kill -9` of the postmaster), and let it start again after some seconds.

    Without *seconds* it stays away until readiness is answered with 503.
    """
    away = watch.until(503) if seconds is None else asyncio.sleep(seconds)
    killed = await kill(server, away)
    return await _over(server, watch, killed)


async def kill(server: Embedded, away: Awaitable[object]) -> float:
    """Kill the server, let it start again after *away*, and return when it was killed."""
    supervisor = next(pid for pid in processes(server.folder) if is_supervisor(pid))
    with _stopped(supervisor):
        killed = time.monotonic()
        os.kill(postmaster(server), signal.SIGKILL)
        await away
    return killed


async def freeze(server: Embedded, watch: Watch, seconds: float) -> Outage:
    """Let the server say nothing for some seconds: its connections stay, and no answer comes."""
    with ExitStack() as stopped:
        main = postmaster(server)
        stopped.enter_context(_stopped(main))
        killed = time.monotonic()
        for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split():
            stopped.enter_context(_stopped(int(pid)))
        await asyncio.sleep(seconds)
    return await _over(server, watch, killed)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """Stop a process from running, for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _over(server: Embedded, watch: Watch, killed: float) -> Outage:
    """Wait until all is well again after an outage that began at *killed*."""
    back = time.monotonic()
    await asyncio.to_thread(_wait_for, server)
    ready = await watch.until(200)
    unready = next((at for at, status in watch.ready if at >= killed and status == 503), None)
    return Outage(killed, unready, back, ready)


def _wait_for(server: Embedded) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with closing(psycopg2.connect(server.dsn())):
                return
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
