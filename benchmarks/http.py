"""What it costs to know who asks: requests with and without tokens, in the same run.

Run it with `python -m benchmarks.http`. One service in this process, over real HTTP; rounds with
and without a token take turns, so that a busy machine slows both, and what is compared is the time
on the processor, client included. Then the same without HTTP: a token that is remembered.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import attrs
from aiohttp import web

from energia.access import tokens
from energia.access.authentication import Authentication
from energia.access.tokens import NewToken
from energia.core import Core
from energia.db.connect import connected
from energia.db.migrate import migrate
from energia.db.pool import Pool
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.settings import Auth, Database, Settings
from energia.time import SystemClock
from energia.web.app import create_app, started
from energia.web.lifecycle import loop_factory, running

#: An answer that costs nothing but the request: what is measured is what comes around it.
PATH = "/v1/tariff-formats"


@asynccontextmanager
async def serving(pool: Pool, auth: Auth) -> AsyncIterator[str]:
    """Serve in this process, and give the URL."""
    settings = attrs.evolve(Settings(), auth=auth)
    core = Core(settings, SystemClock(), pool, State(Phase.READY), Plugins.installed())
    app = create_app(core)
    async with started(app), running(app, shutdown_timeout=1) as runner:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"


@attrs.frozen
class Round:
    """What was answered: requests a second, and microseconds of the processor for each."""

    rate: float
    cost: float


async def asked(url: str, headers: dict[str, str], seconds: float, clients: int = 8) -> Round:
    """Ask for some time."""
    until, count = time.perf_counter() + seconds, 0

    async def client(api: aiohttp.ClientSession) -> None:
        nonlocal count
        while time.perf_counter() < until:
            async with api.get(PATH) as answer:
                assert answer.status == 200, await answer.text()
                count += 1

    async with aiohttp.ClientSession(url, headers=headers) as api:
        begun, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(client(api) for _ in range(clients)))
        took, used = time.perf_counter() - begun, time.process_time() - used
    return Round(count / took, used / count * 1e6)


async def recognising(authentication: Authentication, bearer: str, times: int = 50_000) -> float:
    """Return how many microseconds it takes to recognise a token that is remembered."""
    await authentication.caller(bearer)
    begun = time.process_time()
    for _ in range(times):
        await authentication.caller(bearer)
    return (time.process_time() - begun) / times * 1e6


async def measure(seconds: float, rounds: int) -> None:
    """Measure, and print the figures."""
    with tempfile.TemporaryDirectory(prefix="energia-") as folder:
        Path(folder).chmod(0o755)
        database = Database(url=f"embedded:{folder}/server")
        async with connected(database) as dsn:
            await migrate(dsn)
            pool = Pool(dsn, database)
            new = NewToken("benchmark", ("readings:read",))
            secret = await tokens.create(pool.tenant(), new, datetime.now(UTC))
            headers = {"Authorization": f"Bearer {secret.text}"}
            open_, closed = [], []
            async with serving(pool, Auth()) as anybody, serving(pool, Auth(required=True)) as url:
                for _ in range(rounds):
                    open_.append(await asked(anybody, {}, seconds))
                    closed.append(await asked(url, headers, seconds))
            settings = attrs.evolve(Settings(), auth=Auth(required=True, cache=60))
            core = Core(settings, SystemClock(), pool, State(Phase.READY), Plugins.of())
            alone = await recognising(Authentication(core), secret.text)
            await pool.close()
    for what, found in (("without tokens", open_), ("with tokens", closed)):
        rate = statistics.median(each.rate for each in found)
        cost = statistics.median(each.cost for each in found)
        print(f"{what:<14} {rate:>8,.0f} requests/s, {cost:.0f} us of the processor each")
    print(f"a remembered token is recognised in {alone:.1f} us")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(measure(given.seconds, given.rounds))
