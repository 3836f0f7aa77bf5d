"""Bill runs: a month of many contracts, from what is stored to stored bills.

    python -m benchmarks.bill_runs [--contracts 10000]

Meters of 15-minute energy, one tariff of three periods in two seasons. A run is one request, which
the service works off itself; one by one is a request for each contract, one in flight, by a client
whose connection stays open. Both draft the same bills, in turns, and by workers is measured what a
bill takes of the processor where one of them works a run off, and where two do.
"""

import argparse
import asyncio
import time
from typing import Final

from benchmarks.figures import Figure, in_turns_async
from benchmarks.scene import Scene, scene
from energia.db.pool import Pool
from energia.settings import Database
from tests.e2e.test_bench_costs import TIME_OF_USE

#: How many contracts a run has here, and how many are billed one by one beside it.
CONTRACTS: Final = 2000
ONE_BY_ONE: Final = 120
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
  select k, array_agg((random() * 3000)::bigint * 1000) as "values"
  from generate_series(0, 99) k, generate_series(1, 96)
  group by k
)
insert into reading_day (organization_id, channel_id, day, "values", revision, import_id,
  recorded_at)
select 1, c.id, d.day, s."values", 1, 1, now()
from channel c
cross join (
  select day::date, extract(epoch from day)::bigint / 86400 as n
  from generate_series(date '2024-12-31', date '2025-01-01' + %(days)s, interval '1 day') day) d
join shape s on s.k = (c.id * 31 + d.n * 7) %% 100
"""


async def fill(dsn: str, contracts: int, months: int) -> None:
    """Store meters with readings and contracts, as the service would have."""
    pool = Pool(dsn, Database(statement_timeout=600))
    tenant = pool.tenant()
    await tenant.execute(_METERS, {"count": contracts})
    await tenant.execute(_READINGS, {"days": 31 * months})
    await tenant.execute("analyze")
    await pool.close()


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


async def runs(contracts: int) -> Figure:
    """Measure runs beside bills that are asked for one by one."""
    async with scene(ENERGIA_JOBS__CONTRACTS="1000000") as found:
        await tariff(found)
        await fill(found.dsn, contracts, ROUNDS + 1)
        alone = month(ROUNDS + 1)
        await asked(found, alone, contracts - 10, 10)
        months, firsts = iter(range(1, ROUNDS + 1)), iter(range(0, contracts, ONE_BY_ONE))
        ours, limit = await in_turns_async(
            lambda: ran(found, month(next(months)), contracts),
            lambda: asked(found, alone, next(firsts), ONE_BY_ONE),
            ROUNDS,
        )
    return Figure(
        name="bill run, a month of 15-minute readings",
        against="`POST /v1/bills` for each contract, one in flight",
        unit="bills/s",
        ours=ours,
        limit=limit,
        better="more",
        least=20,
        note=f"{contracts:,} contracts; {ONE_BY_ONE} of them one by one, three times.",
    )


def figures() -> list[Figure]:
    """Return the figures."""
    return [asyncio.run(runs(CONTRACTS))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--contracts", type=int, default=CONTRACTS)
    given = parser.parse_args()
    print(asyncio.run(runs(given.contracts)))
