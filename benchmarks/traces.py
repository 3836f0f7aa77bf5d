"""What traces cost: requests that are recorded and sent to a collector, and such that are not.

Run it with `python -m benchmarks.traces 2> /dev/null`. Three services in this process, over real
HTTP: without the plugin, with it and every trace recorded, with it and one trace of a hundred.
Rounds of them take turns, so that a busy machine slows all; the collector is a process of its own.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs
from aiohttp import web

from energia import log
from energia.core import Core
from energia.db.connect import connected
from energia.db.migrate import migrate
from energia.db.pool import Pool
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.settings import Database, PluginSelection, Settings
from energia.time import SystemClock
from energia.web.app import create_app, started
from energia.web.lifecycle import loop_factory, running

NAME: Final = "traces-opentelemetry"
#: A day of a household under a tariff that comes along: a few spans, and no database.
COST: Final = {
    "usage": {
        "timezone": "America/Sao_Paulo",
        "interval": "PT1H",
        "channels": {"import": {"start": "2026-03-02T00:00:00-03:00", "values": [1.5] * 24}},
    },
    "tariff": {
        "name": "Flat",
        "currency": "BRL",
        "timezone": "America/Sao_Paulo",
        "versions": [
            {"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "0.5"}]}
        ],
    },
}
#: What is asked, from nothing but the request to statements and pricing.
REQUESTS: Final[dict[str, tuple[str, str, Any]]] = {
    "no work at all": ("GET", "/v1/tariff-formats", None),
    "one statement": ("GET", "/v1/sites", None),
    "a day priced": ("POST", "/v1/costs", COST),
}
#: The services: the settings of the plugin, or None without it.
SERVICES: Final[dict[str, dict[str, Any] | None]] = {
    "without": None,
    "every trace": {},
    "1 of 100": {"ratio": 0.01},
}


class _Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _collect(ready: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    ready.send(server.server_port)
    server.serve_forever()


@contextmanager
def collector() -> Iterator[str]:
    """Run a collector beside this process, and give its URL."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_collect, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


@asynccontextmanager
async def serving(pool: Pool, traces: dict[str, Any] | None) -> AsyncIterator[str]:
    """Serve in this process, and give the URL."""
    off = {"disabled": (NAME,)} if traces is None else {"settings": {NAME: traces}}
    plugins = Plugins.installed(PluginSelection(**off))
    core = Core(Settings(), SystemClock(), pool, State(Phase.READY), plugins)
    app = create_app(core)
    async with started(app), running(app, shutdown_timeout=1) as runner:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"


@attrs.frozen
class Round:
    """Requests of one kind: the seconds of each, and those of the processor."""

    latencies: list[float]
    processor: float


async def asked(url: str, number: int, method: str, path: str, body: Any) -> Round:
    """Ask so often, one after another: what is measured is what a request takes."""
    latencies = []
    async with aiohttp.ClientSession(url) as api:
        used = time.process_time()
        for _ in range(number):
            begun = time.perf_counter()
            async with api.request(method, path, json=body) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
            latencies.append(time.perf_counter() - begun)
        used = (time.process_time() - used) / number
    return Round(latencies, used)


async def measure(rounds: int, number: int) -> None:
    """Measure, and print the figures."""
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(collector())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="energia-")))
        folder.chmod(0o755)
        database = Database(url=f"embedded:{folder}/server")
        dsn = await stack.enter_async_context(connected(database))
        await migrate(dsn)
        urls = {}
        for name, settings in SERVICES.items():
            pool = Pool(dsn, database)
            stack.push_async_callback(pool.close)
            traces = None if settings is None else {"endpoint": endpoint, **settings}
            urls[name] = await stack.enter_async_context(serving(pool, traces))
        for what, request in REQUESTS.items():
            found: dict[str, list[Round]] = {name: [] for name in urls}
            for _ in range(rounds + 1):
                for name, url in urls.items():
                    found[name].append(await asked(url, number, *request))
            _print(what, {name: of_one[1:] for name, of_one in found.items()})  # the first warms up


def _print(what: str, found: dict[str, list[Round]]) -> None:
    latency = {
        name: statistics.median(one for each in of_one for one in each.latencies)
        for name, of_one in found.items()
    }
    processor = {
        name: statistics.median(each.processor for each in of_one) for name, of_one in found.items()
    }
    for name in found:
        print(
            f"{what:<16}{name:<12} {latency[name] * 1e6:>6.0f} us a request "
            f"({latency[name] / latency['without']:.2f}), "
            f"{processor[name] * 1e6:>6.0f} us of the processor "
            f"({processor[name] / processor['without']:.2f})"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--requests", type=int, default=200, help="of each round")
    given = parser.parse_args()
    log.configure()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(measure(given.rounds, given.requests))
