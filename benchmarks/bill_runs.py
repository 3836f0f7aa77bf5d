"""Bill runs: a month of many contracts, from what is stored to stored bills.

    python -m benchmarks.bill_runs [--contracts 10000]

Meters of 15-minute energy, one tariff of three periods in two seasons. A run is one request, which
the service works off itself; one by one is a request for each contract, one in flight, by a client
whose connection stays open. Both draft the same bills, in turns. Then the run is a job, which one
worker works off, and two do: a bill is to take no more of the processor where they are more, so
that they are as many times as fast as processors and the database allow.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final

import attrs

from benchmarks.figures import Figure, in_turns_async, table
from benchmarks.ingest import used
from benchmarks.scene import Scene, scene
from energia.db.pool import Pool
from energia.settings import Database
from tests.e2e.service import OPEN, Service, serving
from tests.e2e.test_bench_costs import TIME_OF_USE

#: How many contracts a run has here, and how many are billed one by one beside it.
CONTRACTS: Final = 600
ONE_BY_ONE: Final = 50
ROUNDS: Final = 3
#: What a meter has in each of the months, in the form of the database.
_METERS: Final = """
insert into meter (organization_id, id, site_id)
select 1, 'm' || lpad(n::text, 8, '0'), 'bench' from generate_series(1, %(count)s) n;
insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
  interval_seconds, offset_seconds, kind)
select 1, id, 'import', 0, 'active_energy', 'import', 'kWh', 900, 10800, 'interval'
from meter;
insert into contract (organization_id, id, meter_id, tariff_id, start_day, parameters, channels)
select 1, 'c' || substr(id, 2), id, 'tou', '2025-01-01', '{}', '{}' from meter
"""
_READINGS: Final = """
with shape as materialized (
  select k, energia_narrow(array_agg((random() * 3000)::bigint * 1000)) as narrow
  from generate_series(0, 99) k, generate_series(1, 96)
  group by k
)
insert into reading_day (organization_id, channel_id, day, narrow, revision, import_id, recorded_at)
select 1, c.id, d.day, s.narrow, 1, 1, now()
from channel c
cross join (
  select day::date, extract(epoch from day)::bigint / 86400 as n
  from generate_series(date '2024-12-31', date '2025-01-01' + %(days)s, interval '1 day') day) d
join shape s on s.k = (c.id * 31 + d.n * 7) %% 100
"""


async def fill(pool: Pool, contracts: int, months: int) -> None:
    """Store meters with readings and contracts, as the service would have."""
    tenant = pool.tenant()
    await tenant.execute(_METERS, {"count": contracts})
    await tenant.execute(_READINGS, {"days": 31 * months})
    await tenant.execute("analyze")


def month(number: int) -> dict[str, str]:
    """Return a month of 2025 as a period."""
    return {"start": f"2025-{number:02}-01", "end": f"2025-{number + 1:02}-01"}


async def tariff(scene: Scene) -> None:
    """Store the tariff."""
    version = {"valid_from": "2025-01-01", "charges": TIME_OF_USE}
    document = {"name": "TOU", "currency": "BRL", "timezone": "America/Sao_Paulo"}
    await scene.put("/v1/tariffs/tou", {**document, "versions": [version]})


async def ran(scene: Scene, period: dict[str, str], contracts: int) -> float:
    """Bill a period in one request, and return the bills a second."""
    begun = time.perf_counter()
    async with scene.api.post("/v1/bills/run", json=period) as answer:
        outcome = await answer.json()
    assert outcome["created"] == contracts, outcome
    return contracts / (time.perf_counter() - begun)


async def asked(scene: Scene, period: dict[str, str], first: int, count: int) -> float:
    """Draft bills of a period one by one, and return the bills a second."""
    begun = time.perf_counter()
    for each in range(first, first + count):
        new = {"contract": f"c{each + 1:08}", **period}
        async with scene.api.post("/v1/bills", json=new) as answer:
            assert answer.status == 201, await answer.text()
            await answer.read()
    return count / (time.perf_counter() - begun)


@attrs.frozen
class Work:
    """What a run took.

    Attributes:
        seconds: From the request to the end of the job.
        processor: Of all workers, and nobody else, in ms for each bill.

    """

    seconds: float
    processor: float


async def worked_off(scene: Scene, workers: Sequence[Service], contracts: int) -> Work:
    """Let workers draft the bills of a month, as a job."""
    before, begun = used(workers), time.perf_counter()
    job = await posted(scene)
    while job["ended_at"] is None:
        await asyncio.sleep(0.05)
        async with scene.api.get(f"/v1/jobs/{job['id']}") as answer:
            job = await answer.json()
    seconds = time.perf_counter() - begun
    assert job["result"]["created"] == contracts, job
    return Work(seconds, (used(workers) - before) * 1000 / contracts)


async def posted(scene: Scene) -> dict[str, Any]:
    """Begin a run as a job."""
    headers = {"Prefer": "respond-async"}
    async with scene.api.post("/v1/bills/run", json=month(1), headers=headers) as answer:
        job: dict[str, Any] = await answer.json()
        return job


def worker_on(dsn: str) -> AbstractAsyncContextManager[Service]:
    """Run a worker."""
    return serving(dsn, command="worker", wait=True, port=None, **OPEN)


async def by_workers(scene: Scene, pool: Pool, contracts: int, count: int) -> Work:
    """Return what a run takes that so many workers work off, warm."""
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(worker_on(scene.dsn)) for _ in range(count)]
        found = []
        for _ in range(2):
            await pool.tenant().execute("delete from bill")
            found.append(await worked_off(scene, workers, contracts))
        return min(found, key=lambda one: one.processor)


async def measured(contracts: int) -> list[Figure]:
    """Measure runs beside bills that are asked for one by one, and workers beside one."""
    async with scene(contracts=1_000_000, concurrency=0) as found:
        pool = Pool(found.dsn, Database(statement_timeout=600))
        await tariff(found)
        await fill(pool, contracts, 2)
        await asked(found, month(2), contracts - 10, 10)
        firsts = iter(range(0, contracts, ONE_BY_ONE))

        async def anew() -> float:
            await pool.tenant().execute("delete from bill")
            return await ran(found, month(1), contracts)

        ours, limit = await in_turns_async(
            anew, lambda: asked(found, month(2), next(firsts), ONE_BY_ONE), ROUNDS
        )
        one = await by_workers(found, pool, contracts, 1)
        two = await by_workers(found, pool, contracts, 2)
        await pool.close()
    return [
        Figure(
            name="bill run, a month of 15-minute readings",
            against="`POST /v1/bills` for each contract, one in flight",
            unit="bills/s",
            ours=ours,
            limit=limit,
            better="more",
            least=20,
            note=f"{contracts:,} contracts; {ONE_BY_ONE} of them one by one, {ROUNDS} times.",
        ),
        Figure(
            name="bill run by two workers, processor a bill",
            against="by one worker",
            unit="ms",
            ours=two.processor,
            limit=one.processor,
            better="less",
            most=1.15,
            note=f"One took {one.seconds:.1f} s, two {two.seconds:.1f} s, with their database on "
            "the same machine.",
        ),
    ]


def figures() -> list[Figure]:
    """Return the figures."""
    return asyncio.run(measured(CONTRACTS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--contracts", type=int, default=CONTRACTS)
    given = parser.parse_args()
    print(table(asyncio.run(measured(given.contracts))))
