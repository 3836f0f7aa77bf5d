"""Bills a period for many contracts: in slices, each of a few statements and one transaction.

A run that was cut short is finished by running it again: what is issued is not even priced. As a
job, its slices are ranges that any number of workers bill at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final

import attrs

from energia.billing.bills import SQL, Bills, PeriodBill, bills_in, draft_of, refuse_exact
from energia.billing.contracts import ZonedContract, hold_contracts, prior_bills
from energia.billing.models import Failure, Run, RunOutcome
from energia.billing.periods import BillCost, BillPeriod
from energia.billing.rows import NewRow, Row
from energia.convert import structure
from energia.costing.timing import timed
from energia.db.tenant import Queries, Tenant
from energia.errors import EnergiaError, NotFound
from energia.ids import new_id
from energia.jobs.kinds import Running
from energia.jobs.ranges import Do, Range, Ranges
from energia.pricing.tariffs import tariff_converter

#: How many contracts one transaction bills.
SLICE: Final = 100
#: How many slices of a request are billed at once: one is priced while the database reads or stores
#: another. A job has its ranges for that.
_AT_ONCE: Final = 3


@attrs.frozen
class _Due:
    """A contract to bill.

    Attributes:
        zoned: The contract, with the zone of its site.
        days: The part of the run's period that it is in force.
        draft: The id of the draft that there is.

    """

    zoned: ZonedContract
    days: tuple[date, date]
    draft: str | None


async def contracts_of(tenant: Tenant, wanted: Run) -> int:
    """Return how many contracts a run is about."""
    if wanted.contracts is not None:
        return len(set(wanted.contracts))
    window = {"start": wanted.start, "end": wanted.end}
    (count,) = await tenant.fetch(int, SQL["contract_in_period_count"], window)
    return count


async def run(bills: Bills, wanted: Run) -> RunOutcome:
    """Bill the period; what is committed stays if this is cut short."""
    outcome, most = RunOutcome(), bills.limits.problems
    at_once = 1 if bills.tenant.is_whole else _AT_ONCE
    begun = deque[asyncio.Task[RunOutcome]]()
    with timed("run", bills.plugins.pricing_finished):
        try:
            async for ids in _slices(bills, wanted):
                begun.append(asyncio.create_task(_billed(bills, wanted, ids)))
                if len(begun) == at_once:
                    _add(outcome, await begun.popleft(), most)
            while begun:
                _add(outcome, await begun.popleft(), most)
        finally:
            for task in begun:
                task.cancel()
            await asyncio.gather(*begun, return_exceptions=True)
    return outcome


async def _billed(bills: Bills, wanted: Run, ids: list[str]) -> RunOutcome:
    """Bill some contracts in a transaction of their own."""
    async with bills.tenant.transaction() as queries:
        part = _Slice(bills, wanted, RunOutcome(), queries)
        issued = await part.bill(ids)
    bills.tell(issued)
    return part.outcome


async def _slices(bills: Bills, wanted: Run) -> AsyncIterator[list[str]]:
    if wanted.contracts is not None:
        named = sorted(set(wanted.contracts))
        for first in range(0, len(named), SLICE):
            yield named[first : first + SLICE]
        return
    arguments = {"start": wanted.start, "end": wanted.end, "limit": SLICE, "after": ""}
    while ids := await bills.tenant.fetch(str, SQL["contract_in_period"], arguments):
        yield ids
        arguments["after"] = ids[-1]


def _add(outcome: RunOutcome, part: RunOutcome, most: int) -> None:
    for name in ("created", "updated", "unchanged", "issued", "failures"):
        setattr(outcome, name, getattr(outcome, name) + getattr(part, name))
    outcome.failed += part.failed[: most - len(outcome.failed)]


@attrs.define
class _Slice:
    """Some contracts of a run, within their transaction."""

    bills: Bills
    run: Run
    outcome: RunOutcome
    queries: Queries

    async def bill(self, ids: list[str]) -> list[Row]:
        """Bill these contracts and return the bills that were issued."""
        due = await self._due(await self._hold(ids))
        stored = await self.bills.rows(self.queries, [entry.draft for entry in due if entry.draft])
        drafts = {row.id: row for row in stored}
        periods = await self._periods(due, drafts)
        rows = []
        costs = await self.bills.price(self.queries, periods)
        for entry, priced in zip(due, map(self._issuable, costs), strict=True):
            if isinstance(priced, EnergiaError):
                self._failed(entry.zoned.contract.id, priced)
            else:
                rows.append(self._made(priced, drafts.get(entry.draft or "")))
        await self.bills.put(self.queries, rows)
        return await self._issue([row.id for row in rows]) if self.run.issue else []

    async def _hold(self, ids: list[str]) -> list[ZonedContract]:
        contracts = await hold_contracts(self.queries, ids)
        if self.run.contracts is not None:  # one that nobody named may be gone again
            for id_ in sorted(set(ids) - {zoned.contract.id for zoned in contracts}):
                self._failed(id_, NotFound(f"there is no contract {id_!r}"))
        return contracts

    async def _due(self, contracts: Sequence[ZonedContract]) -> list[_Due]:
        """Return what is to be priced; what is issued already is not."""
        days = {zoned.contract.id: self._days(zoned) for zoned in contracts}
        there: dict[str, list[PeriodBill]] = {id_: [] for id_ in days}
        if days:
            for bill in await bills_in(self.queries, [(id_, *d) for id_, d in days.items()]):
                there[bill.contract].append(bill)
        due = []
        for zoned in contracts:
            id_ = zoned.contract.id
            if any(_is_issued(bill, days[id_]) for bill in there[id_]):
                self.outcome.unchanged += 1
                continue
            try:
                draft = draft_of(there[id_], *days[id_])
            except EnergiaError as error:
                self._failed(id_, error)
            else:
                due.append(_Due(zoned, days[id_], draft.id if draft else None))
        return due

    async def _periods(self, due: Sequence[_Due], drafts: Mapping[str, Row]) -> list[BillPeriod]:
        """Return what to price; a draft keeps the state and the choice that it was made with."""
        starts = [(entry.zoned.contract.id, entry.days[0]) for entry in due]
        prior = await prior_bills(self.queries, starts)
        periods = []
        for index, entry in enumerate(due):
            draft = drafts.get(entry.draft or "")
            state = draft.prior_state if draft else {}
            if index in prior:
                state = prior[index].state
            missing = draft.missing if draft else "refuse"
            zoned = entry.zoned
            periods.append(BillPeriod(zoned.contract, zoned.timezone, *entry.days, state, missing))
        return periods

    def _issuable(self, priced: BillCost | EnergiaError) -> BillCost | EnergiaError:
        """Return a price, or why the run, if it issues, cannot make a bill of it."""
        if self.run.issue and isinstance(priced, BillCost):
            try:
                refuse_exact(priced)
            except EnergiaError as error:
                return error
        return priced

    def _made(self, priced: BillCost, draft: Row | None) -> NewRow:
        if draft is None:
            self.outcome.created += 1
        elif self.bills.shows(draft, priced):
            self.outcome.unchanged += 1
        else:
            self.outcome.updated += 1
        return NewRow(id=draft.id if draft else new_id(), corrects=None, priced=priced)

    async def _issue(self, ids: list[str]) -> list[Row]:
        self.outcome.issued += len(ids)
        return await self.bills.mark_issued(self.queries, ids)

    def _days(self, zoned: ZonedContract) -> tuple[date, date]:
        """Return the part of the period in which the contract is in force, or all of it if none."""
        start = max(self.run.start, zoned.contract.start)
        end = self.run.end if zoned.contract.end is None else min(self.run.end, zoned.contract.end)
        return (start, end) if start < end else (self.run.start, self.run.end)

    def _failed(self, contract: str, error: EnergiaError) -> None:
        failure = Failure(
            contract=contract, code=error.code, message=error.detail, errors=error.faults
        )
        self.outcome.failed.append(failure)
        self.outcome.failures += 1


def _is_issued(bill: PeriodBill, period: tuple[date, date]) -> bool:
    return bill.status == "issued" and (bill.start, bill.end) == period


class BillRun:
    """The kind of job that is a run: several workers do one at once, each some of its contracts."""

    name = "bills.run"

    async def run(self, job: Running) -> RunOutcome:
        """Bill the period: the contracts that there are now, those of a slice once.

        What is issued when it is begun anew stays as it is.
        """
        wanted, ranges = job.request(Run), Ranges(job)
        names = None if wanted.contracts is None else sorted(set(wanted.contracts))
        chosen = {"start": wanted.start, "end": wanted.end, "contracts": names, "size": SLICE}
        await ranges.cut(SQL["contract_ranges"], chosen)
        with timed("run", job.core.plugins.pricing_finished):
            await ranges.work(_slice_of(job, wanted))
        outcome, most = RunOutcome(), job.core.settings.limits.problems
        async for part in ranges.outcomes():
            _add(outcome, structure(part, RunOutcome), most)
        return outcome

    async def help(self, job: Running) -> None:
        """Bill some of the contracts."""
        await Ranges(job).help(_slice_of(job, job.request(Run)))


def _slice_of(job: Running, wanted: Run) -> Do:
    """Return what bills the contracts of a range of a run."""
    bills = Bills.of(job.core, job.tenant, tariff_converter(job.core.plugins.charges()))

    async def do(queries: Queries, part: Range) -> tuple[RunOutcome, Callable[[], None]]:
        of_range = _Slice(bills, wanted, RunOutcome(), queries)
        issued = await of_range.bill(part.ids)
        return of_range.outcome, partial(bills.tell, issued)

    return do
