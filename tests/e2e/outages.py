"""A database server that is killed, and kept away for as long as a test wants."""

import asyncio
import os
import signal
import time
from contextlib import closing

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
        unready = "never" if self.unready is None else f"{self.unready - self.killed:.2f} s"
        return (
            f"away {self.back - self.killed:.2f} s; ready turned 503 after {unready}, "
            f"and 200 {self.ready - self.back:.2f} s after the server was let start"
        )


async def outage(server: Embedded, watch: Watch, seconds: float) -> Outage:
    """Kill the server (`kill -9` of the postmaster), and let it start again after some seconds."""
    supervisor = next(pid for pid in processes(server.folder) if is_supervisor(pid))
    os.kill(supervisor, signal.SIGSTOP)
    try:
        killed = time.monotonic()
        os.kill(postmaster(server), signal.SIGKILL)
        await asyncio.sleep(seconds)
    finally:
        os.kill(supervisor, signal.SIGCONT)
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
