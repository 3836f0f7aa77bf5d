"""How many readings a second `POST /v1/readings` stores, through HTTP, with durable commits.

    python -m benchmarks.ingest [--meters 60] [--at-once 4]

Starts the service with an embedded PostgreSQL in a temporary folder, sends one year of 15-minute
readings for each meter (`series` form, one year a request) and prints readings/s from the first
byte sent to the last answer; then the same again (nothing is written) and with 1 % corrected.
Client, service and PostgreSQL share the machine.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

import aiohttp
import msgspec

from energia.db.connect import connected
from energia.db.pool import Pool
from energia.settings import Database
from tests.e2e.service import serving

SLOTS = 365 * 96
SITE = {"name": "Bench", "timezone": "UTC", "country": "BR", "currency": "BRL"}


def channel() -> dict[str, str]:
    """Return a channel of 15-minute active energy."""
    return {
        "id": "import",
        "quantity": "active_energy",
        "direction": "import",
        "unit": "kWh",
        "interval": "PT15M",
        "kind": "interval",
    }


def body(meter: int, changed: float = 0.0) -> bytes:
    """Return the request of one meter's year; a share *changed* differs from the first sending."""
    numbers = random.Random(meter)
    values = [numbers.randrange(3000) / 1000 for _ in range(SLOTS)]
    other = random.Random(meter + 1_000_000)
    for slot in other.sample(range(SLOTS), int(SLOTS * changed)):
        values[slot] += 5
    series = {
        "meter": f"meter-{meter}",
        "channel": "import",
        "start": "2025-01-01T00:00:00Z",
        "interval": "PT15M",
        "unit": "kWh",
        "values": values,
    }
    return msgspec.json.encode({"series": [series]})


async def send(api: aiohttp.ClientSession, bodies: list[bytes], at_once: int) -> float:
    """Post all *bodies*, *at_once* in flight, and return the seconds it took."""
    waiting = iter(bodies)
    started = time.perf_counter()

    async def work() -> None:
        for data in waiting:
            headers = {"Content-Type": "application/json"}
            async with api.post("/v1/readings", data=data, headers=headers) as answer:
                assert answer.status == 200, await answer.text()

    await asyncio.gather(*(work() for _ in range(at_once)))
    return time.perf_counter() - started


async def durability(dsn: str) -> str:
    """Return the settings of the server that make a commit durable."""
    pool = Pool(dsn, Database())
    shown = [
        f"{name} {(await pool.tenant().fetch(str, f'show {name}'))[0]}"
        for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    ]
    await pool.close()
    return ", ".join(shown)


async def run(meters: int, at_once: int) -> None:
    """Set up, send, print."""
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        # As root the server runs as another account, which must be let in.
        Path(folder).chmod(0o755)
        settings = Database(url=f"embedded:{folder}/db")
        async with connected(settings) as dsn, serving(dsn) as service:
            print(f"PostgreSQL: {await durability(dsn)}")
            async with aiohttp.ClientSession(service.url) as api:
                await api.put("/v1/sites/bench", json=SITE)
                for meter in range(meters):
                    new = {"site": "bench", "channels": [channel()]}
                    async with api.put(f"/v1/meters/meter-{meter}", json=new) as answer:
                        assert answer.status == 201, await answer.text()
                for name, changed in (("new", 0.0), ("again", 0.0), ("1 % corrected", 0.01)):
                    bodies = [body(meter, changed) for meter in range(meters)]
                    seconds = await send(api, bodies, at_once)
                    rate = meters * SLOTS / seconds
                    print(
                        f"{name:>14}: {meters * SLOTS:,} readings in {seconds:.2f} s, {rate:,.0f}/s"
                    )


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    asyncio.run(run(options.meters, options.at_once))


if __name__ == "__main__":
    main()
