"""The event loop: how long it is held up, and what many writers cost in memory.

A stall is what a nap of 5 ms in the loop of the service takes longer, less what threads of the
service waited for a processor meanwhile, as on two cores the client and PostgreSQL want them, too;
but at least what the loop itself computed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from benchmarks.figures import Figure
from benchmarks.scene import JSON, SITE, Scene, database, year_body
from tests.attack import bodies
from tests.rehearsals.large_file import measured_service

#: Each load lasts so many seconds.
SECONDS: Final = 8.0
#: How much longer than of an idle loop a stall may be, in ms.
MORE: Final = 50.0
METERS: Final = 20
WRITERS: Final = 200
#: What requests may hold in memory together (`limits.memory_bytes`), in MB.
BOUND: Final = 320 * 1024**2 / 1e6
_READINGS: Final = (
    "/v1/meters/meter-{0}/readings?start=2025-01-01T00:00:00-03:00&end=2026-01-01T00:00:00-03:00"
)


def figures() -> list[Figure]:
    """Measure stalls under each load, and the memory that many writers take."""
    return asyncio.run(measured())


async def measured() -> list[Figure]:
    """Measure one service."""
    timeout = aiohttp.ClientTimeout(total=600)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        database() as dsn,
        measured_service(dsn) as service,
        aiohttp.ClientSession(service.url, timeout=timeout, connector=connector) as api,
    ):
        one = Scene(dsn, service, api)
        await one.put("/v1/sites/bench", SITE)
        one.make_meters(METERS)
        years = [year_body(meter) for meter in range(METERS)]
        await ingest(one, years, 4)  # what is made once is made now
        idle = await longest(one, lambda: asyncio.sleep(SECONDS))
        cost = bodies.document({"tariff": bodies.flats(30), "usage": bodies.usage(5 * 8760)})
        changed = [year_body(meter, 0.5) for meter in range(METERS)]
        loads: dict[str, Callable[[], Awaitable[object]]] = {
            "ingest of years, 4 in flight": lambda: ingest(one, changed, 4),
            "costs of 30 charges over 5 years of usage": lambda: repeat(
                lambda _: one.post("/v1/costs", cost)
            ),
            "answers with a year of readings, 4 in flight": lambda: repeat(
                lambda at: got(one, _READINGS.format(at % METERS)), 4
            ),
            "the OpenAPI document, made for the first time": lambda: got(one, "/openapi.json"),
        }
        stalls = {name: await longest(one, load) for name, load in loads.items()}
        memory = await of_writers(one, years)
    return [*(stall(name, found, idle) for name, found in stalls.items()), memory]


def stall(name: str, found: float, idle: float) -> Figure:
    """Return the figure of a load."""
    return Figure(
        name=f"longest stall: {name}",
        against=f"an idle loop ({idle:.0f} ms), and {MORE:.0f} ms",
        unit="ms",
        ours=found,
        limit=idle + MORE,
        better="less",
        most=1,
    )


async def longest(one: Scene, load: Callable[[], Awaitable[object]]) -> float:
    """Return the longest stall in ms while a load lasts."""
    await told(one)
    await load()
    found = await told(one)
    stalls = (max(each["cpu"], each["seconds"] - each["waited"]) for each in found)
    return 1000 * max(stalls, default=0.0)


async def told(one: Scene) -> list[dict[str, Any]]:
    """Return the stalls since it was asked last."""
    async with one.api.get("/stalls") as answer:
        worst: list[dict[str, Any]] = msgspec.json.decode(await answer.read())["worst"]
        return worst


async def ingest(one: Scene, years: list[bytes], at_once: int) -> None:
    """Send years, so many at once."""
    waiting = iter(years)

    async def client() -> None:
        for body in waiting:
            await one.post("/v1/readings", body)

    await asyncio.gather(*(client() for _ in range(at_once)))


async def repeat(ask: Callable[[int], Awaitable[object]], at_once: int = 1) -> None:
    """Ask for as long as a load lasts, so many at once."""
    until = time.monotonic() + SECONDS
    numbers = iter(range(1_000_000))

    async def client() -> None:
        while time.monotonic() < until:
            await ask(next(numbers))

    await asyncio.gather(*(client() for _ in range(at_once)))


async def got(one: Scene, path: str) -> bytes:
    """Return what is answered."""
    async with one.api.get(path) as answer:
        content = await answer.read()
        assert answer.status == 200, content
        return content


async def of_writers(one: Scene, years: list[bytes]) -> Figure:
    """Let many writers send years at once, each until it is taken; return what that takes."""
    pid = one.service.process.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    rest = kilobytes(pid, "VmRSS")
    later = 0

    async def write(body: bytes) -> None:
        nonlocal later
        while True:
            async with one.api.post("/v1/readings", data=body, headers=JSON) as answer:
                content = await answer.read()
                if answer.status == 200:
                    return
                assert answer.status == 503, content
                later += 1
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    await asyncio.gather(*(write(years[number % METERS]) for number in range(WRITERS)))
    return Figure(
        name=f"memory for {WRITERS} writers at once, a year each",
        against="`limits.memory_bytes`",
        unit="MB",
        ours=(kilobytes(pid, "VmHWM") - rest) * 1.024e-3,
        limit=BOUND,
        better="less",
        most=1.25,
        note=f"all of it is stored; {later} times a writer was told to come again.",
    )


def kilobytes(pid: int, field: str) -> int:
    """Return what the kernel says of the memory of a process, in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise AssertionError(f"the kernel does not tell {field}")
