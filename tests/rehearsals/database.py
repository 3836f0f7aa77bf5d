"""Kill and freeze the database under load, and print what that costs: `make chaos`.

The service runs as in production: its usual times, all bundled plugins. Exits with 1 if a request
was answered in another way than with 200 or a proper 503, if liveness ever failed, if a reading
that was acknowledged is lost, or if the service had to be restarted.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from pathlib import Path

from energia.db.embedded import Embedded
from tests.e2e.load import Load, Watch
from tests.e2e.outages import Outage, freeze, outage
from tests.e2e.service import Service, serving, token

#: What happens, and for how many seconds.
Plan = Sequence[tuple[Callable[[Embedded, Watch, float], Coroutine[None, None, Outage]], float]]

_EXPECTED = {f"{method} {status}" for method in ("GET", "POST") for status in (200, 503)}


def main() -> None:
    """Rehearse as the options say."""
    parser = argparse.ArgumentParser(description="Kill the database under load.")
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--outages", type=float, nargs="*", default=[0.2, 3, 10, 40, 1])
    parser.add_argument("--freezes", type=float, nargs="*", default=[5])
    parser.add_argument("--calm", type=float, default=5, help="seconds between two outages")
    given = parser.parse_args()
    outages: Plan = [(outage, seconds) for seconds in given.outages]
    freezes: Plan = [(freeze, seconds) for seconds in given.freezes]
    sys.exit(not asyncio.run(_rehearse(given.rate, [*outages, *freezes], given.calm)))


async def _rehearse(rate: float, plan: Plan, calm: float) -> bool:
    with tempfile.TemporaryDirectory(prefix="energia-") as folder:
        Path(folder).chmod(0o755)
        server = Embedded(Path(folder) / "server")
        await asyncio.to_thread(server.start)
        try:
            async with serving(server.dsn(), "--profile", "production") as service:
                return await _under_load(server, service, rate, plan, calm)
        finally:
            await asyncio.to_thread(server.stop)


async def _under_load(
    server: Embedded, service: Service, rate: float, plan: Plan, calm: float
) -> bool:
    seconds = sum(away for _, away in plan) + (len(plan) + 1) * (calm + 10)
    meters = max(1, round(rate * seconds / 2 / 365) + 1)
    load = Load(service.url, rate, meters, headers=await token(server.dsn()))
    watch, begun = Watch(service.url), time.monotonic()
    await load.set_up()
    async with watch.running():
        async with load.running():
            for happen, away in plan:
                await asyncio.sleep(calm)
                found = await happen(server, watch, away)
                print(f"{happen.__name__}: {found.text()}", flush=True)
            await asyncio.sleep(calm)
        lost = await load.lost()
    _print(load, watch, time.monotonic() - begun)
    print(f"lost: {len(lost)} of {len(load.acknowledged)} acknowledged days of 24 readings")
    alive = {status for _, status in watch.live} == {200}
    running = service.process.returncode is None and not service.tracebacks()
    return alive and running and not lost and set(load.said()) <= _EXPECTED


def _print(load: Load, watch: Watch, seconds: float) -> None:
    print(f"{len(load.answered)} requests in {seconds:.0f} s: {dict(sorted(load.said().items()))}")
    for status in ("200", "503"):
        took = sorted(one.seconds for one in load.answered if one.said == status) or [0.0]
        middle, late = took[len(took) // 2], took[int(len(took) * 0.99)]
        print(f"answers {status}: median {1000 * middle:.1f} ms, p99 {1000 * late:.1f} ms")
    served = sorted(one.sent for one in load.answered if one.said == "200")
    gap = max((later - earlier for earlier, later in pairwise(served)), default=0.0)
    print(f"longest time without a request that was served: {gap:.2f} s")
    asked, failed = len(watch.live), sum(status != 200 for _, status in watch.live)
    print(f"/health/live: asked {asked} times, not 200 {failed} times")


if __name__ == "__main__":
    main()
