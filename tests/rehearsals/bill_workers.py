"""A bill run whose workers are killed again and again: every contract is billed once, and right.

    python -m tests.rehearsals.bill_workers [--contracts 10000] [--kills 20]

A service leaves its jobs to two workers, of which one is killed (SIGKILL) each time that the run
has come a bit further, and replaced at once. What they were doing is done by others: at the end the
job has succeeded, each contract has one bill, issued, of the amount that its readings make, and the
outcome of the run counts each of them once. Exit code 1 if not.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aiohttp
import attrs

from energia.db.pool import Pool
from energia.settings import Database
from tests.core.billing.setting import SITE, tariff
from tests.e2e.service import OPEN, Service, serving
from tests.rehearsals.postgres import postgres

WORKERS: Final = 2
#: How long a run may take; it is waited for no longer.
_LIMIT: Final = 1800.0
#: The month that is billed, of 28 days of 24 hours.
PERIOD: Final = {"start": "2025-02-01", "end": "2025-03-01"}
_SLOTS: Final = 28 * 24
#: Dead after three heartbeats.
_QUICK: Final = {"ENERGIA_JOBS__HEARTBEAT": "0.3", "ENERGIA_JOBS__GRACE": "0.1", **OPEN}
#: The meter of the contract n has n Wh in every hour.
_CONTRACTS: Final = """
insert into meter (organization_id, id, site_id)
select 1, 'm' || n, 'home' from generate_series(1, %(count)s) n;
insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
  interval_seconds, offset_seconds, kind)
select 1, id, 'import', 0, 'active_energy', 'import', 'kWh', 3600, 0, 'interval' from meter;
insert into reading_day (organization_id, channel_id, day, narrow, revision, import_id, recorded_at)
select 1, c.id, day::date,
  energia_narrow(array_fill(substr(c.meter_id, 2)::bigint * 1000, '{24}')), 1, 1, now()
from channel c
cross join generate_series(date '2025-02-01', date '2025-02-28', interval '1 day') day;
insert into contract (organization_id, id, meter_id, tariff_id, start_day, parameters, channels)
select 1, 'c' || substr(id, 2), id, 'flat', '2025-01-01', '{}', '{}' from meter;
analyze
"""
_BILLS: Final = """
select contract_id, status, document ->> 'total'
from bill where start_day = '2025-02-01' and end_day = '2025-03-01'
"""
#: The last contract of the run.
_LAST: Final = "select id from contract order by id desc limit 1 for update"
_ISSUED: Final = "select count(*) from bill where status = 'issued'"


@attrs.frozen
class Verdict:
    """What became of a run.

    Attributes:
        job: The job, as the API shows it at the end.
        wrong: Contracts without exactly one bill, issued, of the right amount.

    """

    job: dict[str, Any]
    wrong: list[str]

    def is_good(self, contracts: int) -> bool:
        """Tell whether each of so many contracts was billed once, and counted once."""
        result = self.job["result"] or {}
        counted = {
            name: result.get(name) for name in ("created", "issued", "unchanged", "failures")
        }
        once = {"created": contracts, "issued": contracts, "unchanged": 0, "failures": 0}
        progress = {"done": contracts, "total": contracts}
        is_done = self.job["status"] == "succeeded" and self.job["progress"] == progress
        return is_done and counted == once and not self.wrong


def total(number: int) -> str:
    """Return what the contract n owes: half a real for each kWh, to the cent, halves up."""
    cents, rest = divmod(_SLOTS * number * 5, 100)
    cents += rest >= 50
    return f"{cents // 100}.{cents % 100:02}"


@attrs.define
class Crew:
    """Workers on a database, of which any may die."""

    dsn: str
    stack: AsyncExitStack
    workers: list[Service] = attrs.Factory(list)

    async def hire(self) -> None:
        """Start one more."""
        worker = serving(self.dsn, command="worker", wait=False, port=None, **_QUICK)
        self.workers.append(await self.stack.enter_async_context(worker))

    async def kill(self) -> None:
        """Kill one, and start another."""
        worker = self.workers.pop(random.randrange(len(self.workers)))
        worker.process.kill()
        await worker.process.wait()
        await self.hire()


@asynccontextmanager
async def scene(dsn: str, contracts: int) -> AsyncIterator[tuple[aiohttp.ClientSession, Pool]]:
    """Give a service that leaves its jobs to workers, with contracts, and their database."""
    pool = Pool(dsn, Database(pool_size=2, statement_timeout=300))
    async with (
        serving(dsn, wait=True, port=None, ENERGIA_JOBS__CONCURRENCY="0", **OPEN) as service,
        aiohttp.ClientSession(service.url) as api,
    ):
        for path, body in (("sites/home", SITE), ("tariffs/flat", tariff())):
            async with api.put(f"/v1/{path}", json=body) as answer:
                assert answer.status == 201, await answer.text()
        await pool.tenant().execute(_CONTRACTS, {"count": contracts})
        yield api, pool
    await pool.close()


async def rehearse(dsn: str, contracts: int, kills: int) -> Verdict:
    """Bill all contracts, and kill so many workers meanwhile."""
    async with scene(dsn, contracts) as (api, pool), AsyncExitStack() as stack:
        crew = Crew(dsn, stack)
        for _ in range(WORKERS):
            await crew.hire()
        # Until the last kill somebody else holds a contract: the run is in its middle for as long.
        async with pool.tenant().transaction() as queries:
            await queries.fetch(str, _LAST)
            id_ = await begun(api)
            for kill in range(kills):
                await reached(pool, contracts * (kill + 1) // (kills + 2))
                # Wherever in a slice it is then.
                await asyncio.sleep(random.uniform(0, 0.2))
                await crew.kill()
        job = await ended(api, id_)
        return Verdict(job, await wrong(pool, contracts))


async def begun(api: aiohttp.ClientSession) -> str:
    """Begin the run, and return the id of its job."""
    body, headers = {**PERIOD, "issue": True}, {"Prefer": "respond-async"}
    async with api.post("/v1/bills/run", json=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()
        return str((await answer.json())["id"])


async def ended(api: aiohttp.ClientSession, id_: str) -> dict[str, Any]:
    """Return a job once it has ended."""
    async with asyncio.timeout(_LIMIT):
        while True:
            async with api.get(f"/v1/jobs/{id_}") as answer:
                job: dict[str, Any] = await answer.json()
            if job["ended_at"] is not None:
                return job
            await asyncio.sleep(0.1)


async def reached(pool: Pool, bills: int) -> None:
    """Wait until so many bills are issued."""
    async with asyncio.timeout(_LIMIT):
        while (await pool.tenant().fetch(int, _ISSUED))[0] < bills:
            await asyncio.sleep(0.02)


async def wrong(pool: Pool, contracts: int) -> list[str]:
    """Return the contracts that have not exactly one bill, issued, of the right amount."""
    found: dict[str, list[tuple[str, str]]] = {f"c{n + 1}": [] for n in range(contracts)}
    for contract, status, amount in await pool.tenant().fetch(_row, _BILLS):
        found[contract].append((status, amount))
    return [id_ for id_, bills in found.items() if bills != [("issued", total(int(id_[1:])))]]


def _row(contract: str, status: str, amount: str) -> tuple[str, str, str]:
    return contract, status, amount


def main() -> None:
    """Rehearse, print what became of it, and end with 1 if that is not what should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--contracts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    begun = time.monotonic()
    with postgres() as dsn:
        verdict = asyncio.run(rehearse(dsn, given.contracts, given.kills))
    job = verdict.job
    print(
        f"{given.contracts} contracts, {given.kills} workers killed: {job['status']} after "
        f"{time.monotonic() - begun:.0f} s and {job['tries']} tries of the job, "
        f"{len(verdict.wrong)} contracts billed wrong; the run says {job['result']}"
    )
    sys.exit(not verdict.is_good(given.contracts))


if __name__ == "__main__":
    main()
