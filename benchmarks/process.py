"""A process: from its start to ready, and what it holds in memory.

The limit of a start is an interpreter that imports the three libraries without which there is no
such service; that of memory is a server of one handler, which asks the database.
"""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import attrs

from benchmarks.figures import Figure, in_turns
from benchmarks.scene import database
from energia.db.embedded import ADMIN
from tests.e2e.service import environment, free_port

ROUNDS: Final = 7
_LIBRARIES: Final = "import aiohttp, aiopg, numpy"
_BARE: Final = """
import sys
import aiohttp, aiopg, numpy
from aiohttp import web

async def answer(request):
    async with request.app["pool"].acquire() as one, one.cursor() as cursor:
        await cursor.execute("select 1")
        return web.json_response(await cursor.fetchone())

async def pooled(app):
    async with aiopg.create_pool(sys.argv[1], minsize=1, maxsize=10) as app["pool"]:
        yield

app = web.Application()
app.cleanup_ctx.append(pooled)
app.router.add_get("/health/ready", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=None)
"""


@attrs.frozen
class Process:
    """A server that is ready.

    Attributes:
        pid: Its number.
        port: Where it listens.
        seconds: How long it took to be ready.

    """

    pid: int
    port: int
    seconds: float

    @property
    def megabytes(self) -> float:
        """What it holds in memory once it has answered a few requests."""
        for path in ("/health", "/health/ready", "/metrics", "/v1/sites", "/v1/meters"):
            answers(self.port, path)
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def running(command: list[str], port: int, given: Mapping[str, str]) -> Iterator[Process]:
    """Run a server until the block ends; it is ready when the block begins."""
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment(**given), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            while not answers(port, "/health/ready"):
                if process.poll() is not None:
                    log.seek(0)
                    raise SystemExit(log.read().decode())
                time.sleep(0.002)
            yield Process(process.pid, port, time.perf_counter() - begun)
        finally:
            process.kill()
            process.wait()


def answers(port: int, path: str) -> bool:
    """Tell whether a server answers 200."""
    asked = HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.suppress(OSError), contextlib.closing(asked):
        asked.request("GET", path)
        return asked.getresponse().status == 200
    return False


def energia(url: str, **given: str) -> AbstractContextManager[Process]:
    """Run the service with all the plugins that are installed, as a platform starts it."""
    port = free_port()
    address = {"DATABASE_URL": url, "PORT": str(port), "HOST": "127.0.0.1"}
    return running([sys.executable, "-m", "energia", "serve"], port, {**address, **given})


def bare(url: str) -> AbstractContextManager[Process]:
    """Run the server of one handler."""
    port = free_port()
    return running([sys.executable, "-c", _BARE, url, str(port)], port, {})


def imports() -> float:
    """Return how many seconds an interpreter takes that imports the libraries and ends."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", _LIBRARIES], check=True)
    return time.perf_counter() - begun


def figures() -> list[Figure]:
    """Measure starts, previews and memory."""
    return asyncio.run(measured())


async def measured() -> list[Figure]:
    """Measure on a database that is migrated."""
    async with database() as dsn:
        starts = in_turns(lambda: took(energia(dsn)), imports, ROUNDS)
        numbers = itertools.count(1)
        # A role that may make databases.
        of_pull_request = dsn.replace("//energia@/energia?", f"//{ADMIN}@/app_pr_${{PR_NUMBER}}?")
        previews = in_turns(
            lambda: took(energia(of_pull_request, PR_NUMBER=str(next(numbers)))), imports, ROUNDS
        )
        memory = in_turns(lambda: held(energia(dsn)), lambda: held(bare(dsn)), 3)
    libraries, server = f"`python -c '{_LIBRARIES}'`", "aiohttp, aiopg, numpy and one handler"
    return [
        within("start, from the process to ready", libraries, "s", starts, 3),
        within("preview, from no database to ready", libraries, "s", previews, 8),
        within("memory at rest, all plugins", server, "MB", memory, 1.6),
    ]


def took(process: AbstractContextManager[Process]) -> float:
    """Run a server, and return how many seconds it took to be ready."""
    with process as found:
        return found.seconds


def held(process: AbstractContextManager[Process]) -> float:
    """Run a server, and return the MB that it holds in memory."""
    with process as found:
        return found.megabytes


def within(name: str, against: str, unit: str, values: tuple[float, float], most: float) -> Figure:
    """Return a figure that can only be so many times its limit."""
    ours, limit = values
    return Figure(
        name=name, against=against, unit=unit, ours=ours, limit=limit, better="less", most=most
    )
