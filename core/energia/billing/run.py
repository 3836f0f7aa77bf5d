"""Bills a period for many contracts: in slices, each of a few statements and one transaction.

A run that was cut short is finished by running it again: what is issued is not even priced.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Final

import attrs

from energia.billing.bills import SQL, Live, Office, is_still, live, same_period
from energia.billing.contracts import Placed, hold, priors
from energia.billing.models import Failure, Run, RunOutcome
from energia.billing.pricing import Asked, Priced
from energia.billing.rows import NewRow, Row
from energia.costing.timing import timed
from energia.db.tenant import Queries
from energia.errors import EnergiaError, NotFound
from energia.metering.imports import new_id

#: How many contracts one transaction bills.
_SLICE: Final = 100


@attrs.frozen
class _Todo:
    """A contract to bill.

    Attributes:
        at: The contract.
        period: The part of the run's period that it is in force.
        draft: The id of the draft that there is.

    """

    at: Placed
    period: tuple[date, date]
    draft: str | None


async def run(office: Office, wanted: Run) -> RunOutcome:
    """Bill the period; what is committed stays if this is cut short."""
    outcome = RunOutcome()
    with timed("run", office.plugins.pricing_finished):
        async for ids in _slices(office, wanted):
            async with office.tenant.transaction() as queries:
                part = _Slice(office, wanted, RunOutcome(), queries)
                issued = await part.bill(ids)
            _add(outcome, part.outcome, office.failures)
            office.tell(issued)
    return outcome


async def _slices(office: Office, wanted: Run) -> AsyncIterator[list[str]]:
    if wanted.contracts is not None:
        named = sorted(set(wanted.contracts))
        for at in range(0, len(named), _SLICE):
            yield named[at : at + _SLICE]
        return
    asked = {"start": wanted.start, "end": wanted.end, "limit": _SLICE, "after": ""}
    while ids := await office.tenant.fetch(str, SQL["contract_in_period"], asked):
        yield ids
        asked["after"] = ids[-1]


def _add(outcome: RunOutcome, part: RunOutcome, most: int) -> None:
    for name in ("created", "updated", "unchanged", "issued", "failures"):
        setattr(outcome, name, getattr(outcome, name) + getattr(part, name))
    outcome.failed += part.failed[: most - len(outcome.failed)]


@attrs.define
class _Slice:
    """Some contracts of a run, within their transaction."""

    office: Office
    run: Run
    outcome: RunOutcome
    queries: Queries

    async def bill(self, ids: list[str]) -> list[Row]:
        """Bill these contracts and return the bills that were issued."""
        todo = await self._todo(await self._held(ids))
        found = await self.office.rows(self.queries, [one.draft for one in todo if one.draft])
        drafts = {row.id: row for row in found}
        asked = await self._asked(todo, drafts)
        made = []
        for one, priced in zip(todo, await self.office.price(self.queries, asked), strict=True):
            if isinstance(priced, EnergiaError):
                self._failed(one.at.contract.id, priced)
            else:
                made.append(self._made(priced, drafts.get(one.draft or "")))
        await self.office.put(self.queries, made)
        return await self._issued([row.id for row in made]) if self.run.issue else []

    async def _held(self, ids: list[str]) -> list[Placed]:
        found = await hold(self.queries, ids)
        for id_ in sorted(set(ids) - {one.contract.id for one in found}):
            self._failed(id_, NotFound(f"there is no contract {id_!r}"))
        return found

    async def _todo(self, found: Sequence[Placed]) -> list[_Todo]:
        """Return what is to be priced; what is issued already is not."""
        periods = {one.contract.id: self._period(one) for one in found}
        there: dict[str, list[Live]] = {id_: [] for id_ in periods}
        for bill in await live(self.queries, [(id_, *days) for id_, days in periods.items()]):
            there[bill.contract].append(bill)
        todo = []
        for one in found:
            id_ = one.contract.id
            period = periods[id_]
            if any(_is_issued(bill, period) for bill in there[id_]):
                self.outcome.unchanged += 1
                continue
            try:
                draft = same_period(there[id_], *period)
            except EnergiaError as error:
                self._failed(id_, error)
            else:
                todo.append(_Todo(one, period, draft.id if draft else None))
        return todo

    async def _asked(self, todo: Sequence[_Todo], drafts: Mapping[str, Row]) -> list[Asked]:
        """Return what to price; a draft keeps the state and the choice that it was made with."""
        starts = [(one.at.contract.id, one.period[0]) for one in todo]
        prior = await priors(self.queries, starts)
        asked = []
        for index, one in enumerate(todo):
            draft = drafts.get(one.draft or "")
            state = draft.prior_state if draft else {}
            if index in prior:
                state = prior[index].state
            missing = draft.missing if draft else "refuse"
            contract, timezone = one.at.contract, one.at.timezone
            asked.append(Asked(contract, timezone, *one.period, state, missing))
        return asked

    def _made(self, priced: Priced, draft: Row | None) -> NewRow:
        if draft is None:
            self.outcome.created += 1
        elif is_still(draft, priced, self.office):
            self.outcome.unchanged += 1
        else:
            self.outcome.updated += 1
        return NewRow(id=draft.id if draft else new_id(), corrects=None, priced=priced)

    async def _issued(self, ids: list[str]) -> list[Row]:
        await self.office.issue(self.queries, ids)
        self.outcome.issued += len(ids)
        return await self.office.rows(self.queries, ids)

    def _period(self, one: Placed) -> tuple[date, date]:
        """Return the part of the period in which the contract is in force, or all of it if none."""
        start = max(self.run.start, one.contract.start)
        end = self.run.end if one.contract.end is None else min(self.run.end, one.contract.end)
        return (start, end) if start < end else (self.run.start, self.run.end)

    def _failed(self, contract: str, error: EnergiaError) -> None:
        failure = Failure(
            contract=contract, code=error.code, message=error.detail, errors=error.faults
        )
        self.outcome.failed.append(failure)
        self.outcome.failures += 1


def _is_issued(bill: Live, period: tuple[date, date]) -> bool:
    return bill.status == "issued" and (bill.start, bill.end) == period
