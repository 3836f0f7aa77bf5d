"""Runs of several slices, and what becomes of one that is cut short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import attrs
import pytest

from energia.billing.bills import SQL, Bills
from energia.billing.models import Run, RunOutcome
from energia.billing.run import BillRun, run
from energia.convert import dumps, parse
from energia.db.pool import Pool
from energia.db.tenant import Queries, Tenant
from energia.errors import DatabaseAway
from energia.jobs.kinds import Running
from energia.jobs.ranges import Ranges
from energia.jobs.store import JobStore
from energia.pricing.tariffs import tariff_converter
from energia.settings import Limits
from energia.time import SystemClock
from tests.core.billing.fakes import Heard, plugins
from tests.core.billing.setting import CHANNEL, CONTRACT, store_household, success
from tests.serving import Client, make_core

#: More than two slices of this size.
SLICE = 10
NUMBER = 25
MARCH_1 = Run(start=date(2025, 3, 1), end=date(2025, 3, 2), issue=True)
BILLS = "select contract_id, document ->> 'total' from bill where status = 'issued' order by 1"


class Failing(Tenant):
    """Loses its database at the second transaction."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, 1)
        self.begun = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        """Begin a transaction; the second one fails once it has done its work."""
        self.begun = number = self.begun + 1
        async with super().transaction() as queries:
            yield queries
            if number == 2:
                raise DatabaseAway


@pytest.fixture
async def many(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Give a client of a home with many meters of one day, number i with i kWh an hour."""
    monkeypatch.setattr("energia.billing.run.SLICE", SLICE)
    await store_household(client)
    await success(client, "DELETE", "/v1/contracts/c")
    for number in range(NUMBER):
        id_ = f"m{number:03}"
        await success(client, "PUT", f"/v1/meters/{id_}", {"site": "home", "channels": [CHANNEL]})
        await success(client, "PUT", f"/v1/contracts/{id_}", {**CONTRACT, "meter": id_})
    start = "2025-03-01T00:00:00Z"
    series = [
        {"meter": f"m{number:03}", "start": start, "interval": "PT1H", "values": [number] * 24}
        for number in range(NUMBER)
    ]
    await success(client, "POST", "/v1/readings", {"series": series})
    return client


def bills_of(tenant: Tenant, heard: Heard) -> Bills:
    """Return the bills of a database."""
    loaded = plugins(heard)
    converter = tariff_converter(loaded.charges())
    return Bills(tenant, converter, loaded, SystemClock(), Limits())


def outcome(found: RunOutcome) -> tuple[int, int, int, int, int]:
    """Return how many were created, updated, unchanged, issued, and failed."""
    values = attrs.astuple(found)
    return values[:5]


#: Each pays half a real for 24 times its number.
EXPECTED = [(f"m{number:03}", f"{12 * number}.00") for number in range(NUMBER)]


#: What each slice is of them.
SLICES = [EXPECTED[:10], EXPECTED[10:20], EXPECTED[20:]]


async def issued(tenant: Tenant) -> list[tuple[str, str]]:
    """Return the contract and the total of each issued bill."""
    return await tenant.fetch(lambda contract, total: (contract, total), BILLS)


async def test_a_run_goes_on_over_slices(many: Client, tenant: Tenant, heard: Heard) -> None:
    """All contracts get their bills, each is told once."""
    assert outcome(await run(bills_of(tenant, heard), MARCH_1)) == (NUMBER, 0, 0, NUMBER, 0)
    assert await issued(tenant) == EXPECTED
    assert sorted(event.contract for event in heard.events) == [id_ for id_, _ in EXPECTED]


async def test_a_run_within_a_transaction_is_part_of_it(
    many: Client, tenant: Tenant, heard: Heard
) -> None:
    """As of a request that is answered once: nothing is stored where it fails afterwards."""
    with pytest.raises(DatabaseAway):
        async with tenant.whole() as whole:
            found = await run(bills_of(whole, heard), MARCH_1)
            raise DatabaseAway
    assert outcome(found) == (NUMBER, 0, 0, NUMBER, 0)
    assert await issued(tenant) == []


async def test_named_contracts_are_billed_once(many: Client, tenant: Tenant, heard: Heard) -> None:
    """However often one is named, whatever the order."""
    names = [f"m{number:03}" for number in reversed(range(15))] * 2
    wanted = attrs.evolve(MARCH_1, contracts=tuple(names))

    assert outcome(await run(bills_of(tenant, heard), wanted)) == (15, 0, 0, 15, 0)
    assert await issued(tenant) == EXPECTED[:15]


async def test_a_run_that_fails_is_finished_by_another(
    many: Client, pool: Pool, tenant: Tenant, heard: Heard
) -> None:
    """The second slice is as if it never was, others stay; the next run does the rest."""
    with pytest.raises(DatabaseAway):
        await run(bills_of(Failing(pool), heard), MARCH_1)
    before = await issued(tenant)
    assert before in (SLICES[0], SLICES[0] + SLICES[2])
    assert sorted(event.contract for event in heard.events) == [id_ for id_, _ in before]

    again = outcome(await run(bills_of(tenant, heard), MARCH_1))

    left = NUMBER - len(before)
    assert again == (left, 0, len(before), left, 0)
    assert await issued(tenant) == EXPECTED
    assert len(heard.bills) == len(set(heard.bills)) == NUMBER


async def test_a_run_that_is_cancelled_is_finished_by_another(
    many: Client, tenant: Tenant, heard: Heard
) -> None:
    """Wherever it is cut, a slice is there as a whole or not at all."""
    running = asyncio.create_task(run(bills_of(tenant, heard), MARCH_1))
    while not heard.events:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_at_rest(tenant)
    before = await issued(tenant)
    there = [part for part in SLICES if part[0] in before]
    assert there
    assert before == [bill for part in there for bill in part]

    again = outcome(await run(bills_of(tenant, heard), MARCH_1))

    left = NUMBER - len(before)
    assert again == (left, 0, len(before), left, 0)
    assert await issued(tenant) == EXPECTED


async def until_at_rest(tenant: Tenant) -> None:
    """Wait until the server works for nobody else: it may still commit what was cut off."""
    busy = """select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"""
    async with asyncio.timeout(10):
        while await tenant.fetch(int, busy) != [0]:
            await asyncio.sleep(0.01)


async def test_failures_are_counted_beyond_those_that_are_listed(
    many: Client, tenant: Tenant, heard: Heard
) -> None:
    """A day without readings fails for all; the first are named."""
    few = attrs.evolve(bills_of(tenant, heard), limits=Limits(problems=15))
    empty = attrs.evolve(MARCH_1, start=date(2025, 3, 2), end=date(2025, 3, 3))

    found = await run(few, empty)

    assert (found.failures, len(found.failed)) == (NUMBER, 15)
    assert {failure.code for failure in found.failed} == {"incomplete_usage"}
    assert [failure.contract for failure in found.failed] == [id_ for id_, _ in EXPECTED[:15]]


async def job_of(pool: Pool, heard: Heard, wanted: Run) -> tuple[Running, BillRun]:
    """Return a run as a job that was begun."""
    core = make_core(plugins=plugins(heard), pool=pool)
    store = JobStore(pool.tenant(), core.jobs)
    id_ = await store.new(BillRun.name, wanted)
    await pool.tenant().execute("update job set status = 'running', tries = 1")
    request: Any = parse(dumps(wanted))
    return Running(core, pool.tenant(), id_, 1, request), BillRun()


async def test_workers_share_a_run(many: Client, pool: Pool, tenant: Tenant, heard: Heard) -> None:
    """The outcome is that of one worker, and each bill is told once."""
    job, kind = await job_of(pool, heard, MARCH_1)
    found, *_ = await asyncio.gather(kind.run(job), kind.help(job), kind.help(job))

    assert outcome(found) == (NUMBER, 0, 0, NUMBER, 0)
    assert await issued(tenant) == EXPECTED
    assert sorted(event.contract for event in heard.events) == [id_ for id_, _ in EXPECTED]


async def test_a_shared_run_names_who_failed_in_order(
    many: Client, pool: Pool, heard: Heard
) -> None:
    """Range by range, whoever billed them; first those of it that were named and are not there."""
    names = ("nobody", *(f"m{number:03}" for number in range(15)))
    empty = Run(start=date(2025, 3, 2), end=date(2025, 3, 3), contracts=names)
    job, kind = await job_of(pool, heard, empty)
    found, _ = await asyncio.gather(kind.run(job), kind.help(job))

    codes = {failure.contract: failure.code for failure in found.failed}
    assert list(codes) == [*names[1:11], "nobody", *names[11:]]
    assert codes["nobody"] == "not_found"
    assert codes["m000"] == "incomplete_usage"


async def test_a_contract_that_goes_during_a_run_is_passed_over(
    many: Client, pool: Pool, tenant: Tenant, heard: Heard
) -> None:
    """Nobody has named it: it is no failure."""
    job, kind = await job_of(pool, heard, MARCH_1)
    chosen = {"start": MARCH_1.start, "end": MARCH_1.end, "contracts": None, "size": SLICE}
    await Ranges(job).cut(SQL["contract_ranges"], chosen)
    await tenant.execute("delete from contract where id = 'm007'")

    assert outcome(await kind.run(job)) == (NUMBER - 1, 0, 0, NUMBER - 1, 0)
