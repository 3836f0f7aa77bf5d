"""The service under attack, a process of its own, and what an attack costs it."""

import asyncio
import http.client
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import attrs

from tests.e2e.service import Service

_TICK: Final = os.sysconf("SC_CLK_TCK")
_MEGABYTE: Final = 1024**2
#: Seconds between two questions about health, and between two looks at the memory.
_EVERY: Final = 0.02
#: The same when all is answered: questions cost something too, and nobody knows how long it takes
#: until a busy machine lets the service come to rest.
_EVERY_AFTER: Final = 0.5
#: A process that wants a processor less often than this has nothing to do any more.
_IDLE: Final = 0.2
_LOOKS: Final = 25


@attrs.frozen
class Ceiling:
    """When an attack is broken off, so that the machine survives it.

    Attributes:
        seconds: How long it may take.
        memory: How much memory the service may hold, in MB; it is killed then.

    """

    seconds: float = 40.0
    memory: float = 1500.0


@attrs.define
class Cost:
    """What an attack cost; memory is in MB above what the service held before.

    Attributes:
        seconds: Until the last answer.
        cpu: Processor seconds, those after the last answer too.
        peak: The most memory.
        kept: The memory that was still held when the service was idle again.
        live: The longest that `/health/live` took, in seconds.
        ready: The longest that `/health/ready` took.
        broken_off: Why the attack was ended, if it was.

    """

    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    kept: float = 0.0
    live: float = 0.0
    ready: float = 0.0
    broken_off: str | None = None


@asynccontextmanager
async def measured(service: Service, ceiling: Ceiling) -> AsyncIterator[Cost]:
    """Measure what happens to *service* in the block, which is cancelled at the ceiling.

    Raises:
        asyncio.CancelledError: Never: a block that was cancelled at the ceiling is left.

    """
    cost, pid = Cost(), service.process.pid
    base, used = _memory(pid, "VmRSS"), _cpu(pid)
    _reset_peak(pid)
    task = asyncio.current_task()
    assert task is not None
    guard = asyncio.create_task(_guard(service, ceiling, cost, task))
    begun = time.monotonic()
    with _health(service.url, cost) as answered:
        try:
            yield cost
        except asyncio.CancelledError:
            if cost.broken_off is None:
                raise
            task.uncancel()
        finally:
            cost.seconds = time.monotonic() - begun
            answered.set()
            guard.cancel()
            await asyncio.gather(guard, return_exceptions=True)
        with suppress(OSError):
            await _idle(pid, ceiling.seconds - cost.seconds)
            cost.cpu = max(cost.cpu, _cpu(pid) - used)
            cost.kept = _memory(pid, "VmRSS") - base
            cost.peak = max(cost.peak, _memory(pid, "VmHWM") - base)


async def _guard(
    service: Service, ceiling: Ceiling, cost: Cost, task: "asyncio.Task[object]"
) -> None:
    """Break *task* off at the ceiling; a service that holds too much memory is killed."""
    pid, begun = service.process.pid, time.monotonic()
    base, used = _memory(pid, "VmRSS"), _cpu(pid)
    while cost.broken_off is None:
        await asyncio.sleep(_EVERY)
        with suppress(OSError):
            cost.peak, cost.cpu = _memory(pid, "VmHWM") - base, _cpu(pid) - used
            if _memory(pid, "VmRSS") > ceiling.memory:
                service.process.kill()
                cost.broken_off = f"killed at {ceiling.memory:.0f} MB"
        if service.process.returncode is not None and cost.broken_off is None:
            cost.broken_off = f"the service ended with {service.process.returncode}"
        if time.monotonic() - begun > ceiling.seconds and cost.broken_off is None:
            cost.broken_off = f"no end after {ceiling.seconds:.0f} s"
    task.cancel()


async def _idle(pid: int, seconds: float) -> None:
    """Wait until the service has nothing to do, for so long at most.

    Looks at whether its threads want a processor: on a busy machine they may want one in vain.
    """
    until = time.monotonic() + max(seconds, 1.0)
    while time.monotonic() < until:
        wanted = 0
        for _ in range(_LOOKS):
            wanted += _wants_processor(pid)
            await asyncio.sleep(_EVERY)
        if wanted < _IDLE * _LOOKS:
            return


# Health, asked from threads of their own: what we do meanwhile must not count.


@contextmanager
def _health(url: str, cost: Cost) -> Iterator[threading.Event]:
    """Ask in the block, less often when the event that it gives is set."""
    answered, over = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(url, name, cost, answered, over), daemon=True)
        for name in ("live", "ready")
    ]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


def _ask(url: str, name: str, cost: Cost, answered: threading.Event, over: threading.Event) -> None:
    """Ask again and again, and note the longest that an answer took, or would take."""
    host = urlsplit(url).netloc
    connection = http.client.HTTPConnection(host, timeout=60)
    while not over.wait(_EVERY_AFTER if answered.is_set() else _EVERY):
        begun = time.monotonic()
        try:
            connection.request("GET", f"/health/{name}")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()
        setattr(cost, name, max(getattr(cost, name), time.monotonic() - begun))
    connection.close()


# How fast the machine is.

#: What a processor of the machine of docs/explanation/hostile.md takes for it, in seconds.
_RECKONED: Final = 0.03


def pace() -> float:
    """Return how many times longer than there a calculation takes here, now; at least once."""
    begun = time.perf_counter()
    sum(number * number for number in range(1_000_000))
    return max(1.0, (time.perf_counter() - begun) / _RECKONED)


# What the kernel says of a process and its children.


def _tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _cpu(pid: int) -> float:
    """Return the processor seconds of a process and its children, those that ended too."""
    total = 0
    for one in _tree(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICK


def _wants_processor(pid: int) -> bool:
    """Tell whether any thread of a process or its children runs, or waits for its turn."""
    for one in _tree(pid):
        for task in Path(f"/proc/{one}/task").iterdir():
            with suppress(OSError):
                if (task / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                    return True
    return False


def _memory(pid: int, field: str) -> float:
    """Return `VmRSS` or `VmHWM` of a process and its children, in MB."""
    total = 0
    for one in _tree(pid):
        for line in Path(f"/proc/{one}/status").read_text().splitlines():
            if line.startswith(field):
                total += int(line.split()[1]) * 1024
    return total / _MEGABYTE


def _reset_peak(pid: int) -> None:
    """Let `VmHWM` begin anew."""
    for one in _tree(pid):
        with suppress(OSError):
            Path(f"/proc/{one}/clear_refs").write_text("5")
