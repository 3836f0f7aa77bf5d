"""A large file is imported: the memory of the service, and how long its event loop stalls.

    python -m tests.rehearsals.large_file [--megabytes 1024]

Sends a CSV file of many meters, made while it is sent, and looks at the service along the way. Exit
code 1 if its memory is more than 64 MB above that at rest, or if the loop stalled for more than 50
ms. Time in which threads of the service wait for a processor that others have does not count: on a
machine that is busy it says nothing of the service, and on one that is not there is none.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs

from benchmarks.soak import resident
from energia.db.connect import connected
from energia.settings import Database
from tests.e2e.service import Service, serving

MEGABYTE: Final = 1024**2
#: What the service may take above what it takes at rest, in MB, and how long its loop may stall.
MEMORY: Final = 64.0
STALL: Final = 0.05
SITE: Final = {"name": "Town", "timezone": "UTC", "country": "DE", "currency": "EUR"}
CHANNEL: Final = {
    **{"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"},
    "interval": "PT15M",
}
#: Four years of quarter-hours of each meter.
SLOTS: Final = 4 * 365 * 96
HEAD: Final = b"meter,channel,start,value,unit,quality\n"
#: A row has fewer bytes.
_ROW: Final = 100
ROOT: Final = Path(__file__).parents[2]


@attrs.frozen
class Found:
    """What was measured while a file was imported.

    Attributes:
        readings: How many readings it had.
        bytes: How many bytes.
        seconds: How long it took.
        memory: The most that the service took above what it takes at rest, in MB.
        stalls: The longest stalls of its loop, as `stalls.Stall` has them.

    """

    readings: int
    bytes: int
    seconds: float
    memory: float
    stalls: Sequence[dict[str, Any]]

    @property
    def longest(self) -> float:
        """The longest stall, in seconds."""
        return max((one["seconds"] for one in self.stalls), default=0.0)

    @property
    def stall(self) -> float:
        """The longest stall without what was waited for a processor, in seconds."""
        return max((one["seconds"] - one["waited"] for one in self.stalls), default=0.0)

    @property
    def computed(self) -> float:
        """The longest time for which its loop computed without a break, in seconds."""
        return max((one["cpu"] for one in self.stalls), default=0.0)


def stamps() -> list[str]:
    """Return when the slots start."""
    first = datetime(2022, 1, 1, tzinfo=UTC)
    return [(first + timedelta(minutes=15 * slot)).isoformat() for slot in range(SLOTS)]


def rows(times: Sequence[str], meter: int) -> bytes:
    """Return the readings of a meter."""
    name = f"meter-{meter:04}"
    return "".join(
        f"{name},import,{start},{(slot * 7919 + meter) % 3000 / 1000},kWh,actual\n"
        for slot, start in enumerate(times)
    ).encode()


def pieces(size: int) -> Iterator[bytes]:
    """Yield a file of about *size* bytes, meter by meter."""
    times, sent, meter = stamps(), len(HEAD), 0
    yield HEAD
    while size - sent > _ROW:
        piece = rows(times, meter)
        if sent + len(piece) > size:  # ends with a whole row
            piece = piece[: piece.rindex(b"\n", 0, size - sent) + 1]
        yield piece
        sent, meter = sent + len(piece), meter + 1


async def imported(service: Service, api: aiohttp.ClientSession, size: int) -> Found:
    """Import a file of so many bytes into a service, and measure it."""
    await _set_up(api, size)
    await _import(api, 2 * MEGABYTE)  # what is made once is made now
    await asyncio.sleep(0.5)
    rest = resident(service.process.pid)
    await _json(api, "/stalls")
    _forget_peak(service.process.pid)
    begun = time.monotonic()
    readings, sent = await _import(api, size)
    seconds = time.monotonic() - begun
    stalls = (await _json(api, "/stalls"))["worst"]
    memory = _peak(service.process.pid) - rest
    return Found(readings, sent, seconds, memory, stalls)


async def _set_up(api: aiohttp.ClientSession, size: int) -> None:
    await api.put("/v1/sites/town", json=SITE)
    for meter in range(size // (SLOTS * 50) + 2):
        body = {"site": "town", "channels": [CHANNEL]}
        async with api.put(f"/v1/meters/meter-{meter:04}", json=body) as answer:
            assert answer.status in (200, 201), await answer.text()


async def _import(api: aiohttp.ClientSession, size: int) -> tuple[int, int]:
    """Import a file, and return how many readings and bytes it had."""
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        made = pieces(size)
        while (piece := await asyncio.to_thread(next, made, None)) is not None:
            sent += len(piece)
            for at in range(0, len(piece), 64 * 1024):
                yield piece[at : at + 64 * 1024]

    query = {"format": "csv", "mapping": "energia"}
    async with api.post("/v1/imports", params=query, data=body()) as answer:
        found = await answer.json()
        assert answer.status == 200, found
        return int(found["received"]), sent


async def _json(api: aiohttp.ClientSession, path: str) -> Any:
    async with api.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak(pid: int) -> float:
    """Return the most memory that a process had since, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the kernel tells no peak")


@asynccontextmanager
async def measured_service(database: str) -> AsyncIterator[Service]:
    """Serve a database by a process that measures its event loop."""
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder) / "stalls-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stalls\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[energia]\nstalls = tests.rehearsals.stalls\n")
        path = f"{folder}:{ROOT}"
        async with serving(database, PYTHONPATH=path) as service:
            yield service


def faults(found: Found) -> list[str]:
    """Return what is not as it must be."""
    told = []
    if found.memory > MEMORY:
        told.append(f"memory is {found.memory:.0f} MB above that at rest")
    if found.stall > STALL:
        told.append(f"the event loop stalled for {1000 * found.stall:.0f} ms")
    return told


async def main(megabytes: int, verbose: bool) -> list[str]:
    """Run, print the figures, and return what is not as it must be."""
    timeout = aiohttp.ClientTimeout(total=3600)
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        Path(folder).chmod(0o755)
        async with (
            connected(Database(url=f"embedded:{folder}/db")) as dsn,
            measured_service(dsn) as service,
            aiohttp.ClientSession(service.url, timeout=timeout) as api,
        ):
            found = await imported(service, api, megabytes * MEGABYTE)
    print(
        f"{found.readings:,} readings, {found.bytes / MEGABYTE:,.0f} MB in {found.seconds:.0f} s "
        f"({found.readings / found.seconds:,.0f}/s); memory {found.memory:+.1f} MB; the loop "
        f"computed for {1000 * found.computed:.0f} ms at most, stalled for "
        f"{1000 * found.stall:.0f} ms, with waiting for a processor {1000 * found.longest:.0f} ms"
    )
    if verbose:
        for one in found.stalls:
            parts = {
                name: f"{1000 * one[name]:.0f} ms"
                for name in ("seconds", "cpu", "waited", "collected")
            }
            print(parts, one["others"], one["stack"], sep="\n")
    return faults(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--verbose", action="store_true", help="show what the loop was in")
    given = parser.parse_args()
    sys.exit("; ".join(asyncio.run(main(given.megabytes, given.verbose))) or 0)
