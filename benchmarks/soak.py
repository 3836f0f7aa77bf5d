"""Whether memory stays flat: readings queried and bills made by the thousand, in one process.

    python -m benchmarks.soak [--queries 10000] [--bills 1000]

Starts the service with an embedded PostgreSQL in a temporary folder, stores a year of hourly
readings, and asks for them and bills them over and over. The memory of the service (RSS) is sampled
along the way; exit code 1 if it grows by more than `--growth` once it is warm, that is in the last
four fifths.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import aiohttp
import attrs

from energia.db.connect import connected
from energia.settings import Database
from tests.e2e.service import Service, serving

SITE = {"name": "Soak", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
CHANNEL = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
METER = {"site": "soak", "channels": [{**CHANNEL, "interval": "PT1H", "kind": "interval"}]}
PEAK = {"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}
CHARGE = {
    "kind": "energy.time_of_use",
    "schedule": {"default": "rest", "rules": [PEAK]},
    "rates": {"peak": "1.73992", "rest": "0.83447"},
}
TARIFF = {
    "name": "Soak",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [{"valid_from": "2020-01-01", "charges": [CHARGE]}],
}
YEAR = {
    "meter": "soak",
    "start": "2025-01-01T00:00:00-03:00",
    "interval": "PT1H",
    "values": [0.25] * 8760,
}
FIRST: Final = date(2025, 1, 1)
#: How often memory is looked at.
SAMPLES: Final = 50


@attrs.define
class Load:
    """Sends requests to one service.

    Attributes:
        api: The service.
        memory: Its resident memory in MB, sampled.

    """

    api: aiohttp.ClientSession
    service: Service
    memory: list[float] = attrs.Factory(list)

    async def set_up(self) -> None:
        """Store a meter's year, a tariff and a contract."""
        contract = {"meter": "soak", "tariff": "soak", "start": "2025-01-01"}
        for path, body in (
            ("/v1/sites/soak", SITE),
            ("/v1/meters/soak", METER),
            ("/v1/tariffs/soak", TARIFF),
            ("/v1/contracts/soak", contract),
        ):
            await self.send("PUT", path, body)
        await self.send("POST", "/v1/readings", {"series": [YEAR]})

    async def send(self, method: str, path: str, body: object = None) -> None:
        """Send a request, which must succeed, and read all of its answer."""
        async with self.api.request(method, path, json=body) as answer:
            text = await answer.read()
            assert answer.status < 300, text[:500]

    async def query(self, number: int) -> None:
        """Ask for a month of readings, in one of the forms."""
        start = FIRST + timedelta(days=number % 300)
        window = f"start={start}&end={start + timedelta(days=31)}"
        kinds = ("readings", "usage", "gaps", "usage?by=period&tariff=soak")
        path, _, more = kinds[number % len(kinds)].partition("?")
        await self.send("GET", f"/v1/meters/soak/{path}?{window}&{more}".rstrip("&"))

    async def bill(self, number: int) -> None:
        """Draft a day's bill, issue and explain it; a year further on, correct it."""
        day = FIRST + timedelta(days=number % 365)
        if number >= 365:
            previous = f"b{number - 365}"
            body: dict[str, object] = {"id": f"b{number}", "corrects": previous}
        else:
            end = (day + timedelta(days=1)).isoformat()
            body = {"id": f"b{number}", "contract": "soak", "start": day.isoformat(), "end": end}
        await self.send("POST", "/v1/bills", body)
        await self.send("POST", f"/v1/bills/b{number}/issue")
        await self.send("GET", f"/v1/bills/b{number}/explain")

    async def many(self, count: int, one: Callable[[int], Awaitable[None]]) -> None:
        """Do *one* so many times, four at once, and sample the memory."""
        every = max(count // SAMPLES, 4)
        for first in range(0, count, every):
            for at in range(first, min(first + every, count), 4):
                await asyncio.gather(*map(one, range(at, min(at + 4, first + every, count))))
            self.memory.append(resident(self.service.process.pid))


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def growth(memory: list[float]) -> float:
    """Return by how much memory grew once warm: the median of the last fifth less the second's."""
    fifth = max(len(memory) // 5, 1)
    return statistics.median(memory[-fifth:]) - statistics.median(memory[fifth : 2 * fifth])


async def soak(database: str, queries: int, bills: int) -> dict[str, list[float]]:
    """Return the memory along the way, for the queries and for the bills."""
    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        load = Load(api, service)
        await load.set_up()
        await load.many(queries, load.query)
        of_queries, load.memory = load.memory, []
        await load.many(bills, load.bill)
        return {"readings queries": of_queries, "bills": load.memory}


async def main(queries: int, bills: int, most: float) -> bool:
    """Run, print the figures, and tell whether memory stayed flat."""
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        Path(folder).chmod(0o755)
        async with connected(Database(url=f"embedded:{folder}/db")) as dsn:
            found = await soak(dsn, queries, bills)
    for (name, memory), count in zip(found.items(), (queries, bills), strict=True):
        print(
            f"{count} {name}: {memory[0]:.1f} MB after the first, {max(memory):.1f} at most, "
            f"{memory[-1]:.1f} at the end; grew by {growth(memory):+.1f} once warm"
        )
    return all(growth(memory) <= most for memory in found.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--bills", type=int, default=1000)
    parser.add_argument("--growth", type=float, default=8.0, help="MB")
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(main(given.queries, given.bills, given.growth)) else 1)
