"""Bills: drafted, issued, corrected, listed.

`Bills` is the one service for them. What is done with many bills, or with what stands behind one,
are functions that take it first: `run.run`, `explain.explained`, `affected.affected`,
`to_date.cost_to_date`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from energia.billing import rows
from energia.billing.contracts import (
    ZonedContract,
    hold_contracts,
    prior_bills,
    zoned_contracts,
)
from energia.billing.errors import (
    AlreadyBilled,
    AlreadyCorrected,
    DraftOutdated,
    IssuedAlready,
    NoDecimals,
    NotIssued,
    OverlapsDraft,
)
from energia.billing.models import Bill, BillIssued, NewBill, Status
from energia.billing.periods import BillCost, BillPeriod, price_periods
from energia.billing.rows import ListPlace, NewRow, Row
from energia.convert import Converter, parse
from energia.costing.timing import timed
from energia.db.queries import load, one_message
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, EnergiaError, Invalid, NotFound
from energia.ids import new_id
from energia.plugins import Plugins
from energia.pricing.store import Tariffs
from energia.settings import Limits
from energia.time import Clock
from energia.work import off_loop

if TYPE_CHECKING:
    from energia.core import Core

SQL: Final = load(__package__)


@attrs.frozen
class PeriodBill:
    """A draft or an issued bill in part of a period."""

    id: str
    contract: str
    start: date
    end: date
    status: Status
    corrects: str | None


@attrs.frozen
class Filter:
    """Which bills are listed; None is any."""

    contract: str | None = None
    meter: str | None = None
    status: Status | None = None
    start: date | None = None
    end: date | None = None


@attrs.frozen
class Bills:
    """The bills of an organization.

    Attributes:
        tenant: The database.
        converter: Knows the charges of the loaded plugins.
        plugins: Say who offers a charge, and hear of issued bills.
        clock: Dates bills.
        limits: What one bill may come to, and how many failures a run lists (`problems`).

    """

    tenant: Tenant
    converter: Converter
    plugins: Plugins
    clock: Clock
    limits: Limits

    @classmethod
    def of(cls, core: "Core", tenant: Tenant, converter: Converter) -> Self:
        """Return the bills of a service."""
        return cls(tenant, converter, core.plugins, core.clock, core.settings.limits)

    async def get(self, id_: str) -> Bill:
        """Return a bill; raises `NotFound`."""
        return self.bill(await self.row(self.tenant, id_))

    async def page(self, wanted: Filter, before: ListPlace | None, limit: int) -> list[Row]:
        """Return at most *limit* bills that come after *before*, the newest first."""
        created_at, id_ = (before.created_at, before.id) if before else (None, None)
        arguments = {**attrs.asdict(wanted), "at": created_at, "before": id_, "limit": limit}
        ids = await self.tenant.fetch(str, SQL["bill_list"], arguments)
        return await self.rows(self.tenant, ids)

    async def draft(self, new: NewBill) -> tuple[Bill, bool]:
        """Make a draft, or price it anew, and tell whether it was made.

        Raises:
            NotFound: The contract or the bill is unknown.
            AlreadyBilled: Part of the period is billed.
            OverlapsDraft: There is a draft of part of the period.
            NotIssued: The bill to correct is a draft.
            AlreadyCorrected: The bill to correct is corrected already.
            Invalid: The period cannot be priced.

        """
        async with self.tenant.transaction() as queries:
            if new.corrects is None:
                row, old = await self._of_contract(queries, new)
            else:
                row, old = await self._of_correction(queries, new.corrects, new)
            if row.id not in await self.put(queries, [row]):
                raise Conflict(f"there is a bill {row.id!r} already")
            return self.bill(await self.row(queries, row.id)), old is None

    async def issue(self, id_: str) -> Bill:
        """Issue a draft; one that is issued stays.

        Raises:
            NotFound: The bill is unknown.
            AlreadyCorrected: It was issued, and another one has taken its place.
            DraftOutdated: The draft is not what would be billed now.
            NoDecimals: The tariff does not round amounts.
            Invalid: The period cannot be priced any more.

        """
        async with self.tenant.transaction() as queries:
            row = await self._hold(queries, id_)
            if row.status == "corrected":
                raise _corrected(row)
            if row.status == "issued":
                return self.bill(row)
            now = await self.cost_now(queries, row)
            if not self.shows(row, now):
                raise outdated(row)
            refuse_exact(now)
            # Stored again: the revisions that it was priced by may be newer than the draft's.
            await self.put(queries, [NewRow(id=id_, corrects=row.corrects, priced=now)])
            (issued,) = await self.mark_issued(queries, [id_])
        self.tenant.committed(partial(self.tell, [issued]))
        return self.bill(issued)

    async def delete(self, id_: str) -> None:
        """Delete a draft; raises `NotFound`, or `IssuedAlready`."""
        async with self.tenant.transaction() as queries:
            row = await self._hold(queries, id_)
            if row.status != "draft":
                raise IssuedAlready(f"the bill {id_!r} is {row.status}: it stays")
            await queries.execute(SQL["bill_delete"], id_)

    async def cost_now(self, queries: Queries, row: Row) -> BillCost:
        """Return what a draft costs now; raises `Invalid` if it cannot be priced any more."""
        (zoned,) = await zoned_contracts(queries, [row.contract])
        if row.corrects is None:
            days = (row.start, row.end)
            period = BillPeriod(zoned.contract, zoned.timezone, *days, {}, row.missing)
        else:
            period = row.correction(zoned)
        return await self._cost(queries, await self._after(queries, period, row.prior_state))

    async def price(
        self, queries: Queries, periods: Sequence[BillPeriod]
    ) -> list[BillCost | EnergiaError]:
        """Return what each costs by what is stored now; their tariffs stay as they are."""
        with timed("bill", self.plugins.pricing_finished):
            tariffs = Tariffs(queries, self.converter)
            return await price_periods(queries, tariffs, periods, self.limits)

    async def put(self, queries: Queries, drafts: Sequence[NewRow]) -> list[str]:
        """Store drafts; return the ids of those that could be."""
        if not drafts:
            return []
        columns = await off_loop(rows.columns, drafts, self.plugins, self.converter)
        return await queries.fetch(str, SQL["bill_put"], columns | {"now": self.clock.now()})

    async def mark_issued(self, queries: Queries, ids: Sequence[str]) -> list[Row]:
        """Issue drafts in the place of the bills that they correct, and return them."""
        if not ids:
            return []
        arguments = {"ids": list(ids), "now": self.clock.now()}
        return await queries.fetch(Row, one_message(SQL["bill_issue"], SQL["bill_get"]), arguments)

    async def rows(self, queries: Queries, ids: Sequence[str]) -> list[Row]:
        """Return those of some bills that there are, in their order."""
        return await queries.fetch(Row, SQL["bill_get"], {"ids": list(ids)}) if ids else []

    async def row(self, queries: Queries, id_: str) -> Row:
        """Return a bill; raises `NotFound`."""
        bills = await self.rows(queries, [id_])
        if not bills:
            raise NotFound(f"there is no bill {id_!r}")
        return bills[0]

    def bill(self, row: Row) -> Bill:
        """Return a bill as the API shows it."""
        return rows.bill(row, self.converter)

    def document(self, priced: BillCost) -> Any:
        """Return what the API would show of a draft, as it would be read back."""
        return self.read_back(rows.document(priced, self.plugins))

    def shows(self, row: Row, now: BillCost) -> bool:
        """Tell whether a draft shows what it costs *now*, and hands on the same."""
        return row.shows(self.document(now)) and row.state == self.read_back(now.cost.state)

    def read_back(self, value: object) -> Any:
        """Return JSON as it is after it was stored."""
        return parse(self.converter.dumps(value))

    def tell(self, issued: Sequence[Row]) -> None:
        """Tell the plugins that bills were issued: after the commit."""
        for row in issued:
            assert row.issued_at is not None
            self.plugins.bill_issued(
                BillIssued(
                    bill=row.id,
                    contract=row.contract,
                    meter=row.meter,
                    tariff=row.tariff,
                    start=row.start,
                    end=row.end,
                    currency=row.document["currency"],
                    total=row.document["total"],
                    corrects=row.corrects,
                    issued_at=row.issued_at,
                )
            )

    async def _of_contract(
        self, queries: Queries, new: NewBill
    ) -> tuple[NewRow, PeriodBill | None]:
        assert new.contract is not None
        assert new.start is not None
        assert new.end is not None
        zoned = await _held_contract(queries, new.contract)
        bills = await bills_in(queries, [(new.contract, new.start, new.end)])
        old = draft_of(bills, new.start, new.end)
        if old is not None and new.id not in (None, old.id):
            raise OverlapsDraft(f"the draft of the period is {old.id!r}")
        remembered = {} if old is None else (await self.row(queries, old.id)).prior_state
        days, missing = (new.start, new.end), new.missing or "refuse"
        period = BillPeriod(zoned.contract, zoned.timezone, *days, {}, missing)
        cost = await self._cost(queries, await self._after(queries, period, remembered, new.state))
        id_ = old.id if old else new.id or new_id()
        return NewRow(id=id_, corrects=None, priced=cost), old

    async def _of_correction(
        self, queries: Queries, id_: str, new: NewBill
    ) -> tuple[NewRow, PeriodBill | None]:
        row = await self._hold(queries, id_)
        if row.status == "draft":
            raise NotIssued(f"the bill {id_!r} is a draft: make it again instead")
        if row.status == "corrected":
            raise _corrected(row)
        bills = await bills_in(queries, [(row.contract, row.start, row.end)])
        old = next((bill for bill in bills if bill.corrects == id_), None)
        if old is not None and new.id not in (None, old.id):
            raise OverlapsDraft(f"the draft of the correction is {old.id!r}")
        (zoned,) = await zoned_contracts(queries, [row.contract])
        own = row.correction(zoned).in_force
        period = attrs.evolve(own, missing=new.missing or own.missing)
        cost = await self._cost(queries, await self._after(queries, period, row.prior_state))
        if old is not None and (old.start, old.end) != (period.start, period.end):
            await queries.execute(SQL["bill_delete"], old.id)  # a draft of days is of those days
        return NewRow(id=old.id if old else new.id or new_id(), corrects=id_, priced=cost), old

    async def _after(
        self,
        queries: Queries,
        period: BillPeriod,
        remembered: Mapping[str, Any],
        given: Mapping[str, Any] | None = None,
    ) -> BillPeriod:
        """Return a period whose charges remember the bill before, else what was *given* once."""
        prior = (await prior_bills(queries, [(period.contract.id, period.start)])).get(0)
        if prior is not None and given is not None:
            message = f"the charges remember the bill {prior.bill!r}"
            raise Invalid.of("state_is_stored", message, "/state")
        state = prior.state if prior else remembered if given is None else given
        return attrs.evolve(period, prior_state=state, client_state=given is not None)

    async def _cost(self, queries: Queries, period: BillPeriod) -> BillCost:
        (cost,) = await self.price(queries, [period])
        if isinstance(cost, EnergiaError):
            raise cost
        return cost

    async def _hold(self, queries: Queries, id_: str) -> Row:
        """Return a bill, held with its contract until the transaction ends."""
        arguments = {"id": id_, "ids": [id_]}
        bills = await queries.fetch(Row, one_message(SQL["bill_hold"], SQL["bill_get"]), arguments)
        if not bills:
            raise NotFound(f"there is no bill {id_!r}")
        return bills[0]


async def bills_in(queries: Queries, periods: Sequence[tuple[str, date, date]]) -> list[PeriodBill]:
    """Return the drafts and issued bills in part of each period of a contract."""
    contracts, starts, ends = (list(column) for column in zip(*periods, strict=True))
    arguments = {"contracts": contracts, "starts": starts, "ends": ends}
    return await queries.fetch(PeriodBill, SQL["bills_in"], arguments)


def draft_of(bills: Sequence[PeriodBill], start: date, end: date) -> PeriodBill | None:
    """Return the draft of a period; raises `AlreadyBilled` or `OverlapsDraft`."""
    for bill in bills:
        if bill.status == "issued":
            message = f"the bill {bill.id!r} is issued for {bill.start} to {bill.end}"
            raise AlreadyBilled.of(AlreadyBilled.code, message, "/start")
    for bill in bills:
        if (bill.start, bill.end) != (start, end):
            message = f"there is the draft {bill.id!r} for {bill.start} to {bill.end}"
            raise OverlapsDraft.of(OverlapsDraft.code, message, "/start")
    return bills[0] if bills else None


async def _held_contract(queries: Queries, id_: str) -> ZonedContract:
    contracts = await hold_contracts(queries, [id_])
    if not contracts:
        message = f"there is no contract {id_!r}"
        raise Invalid.of("unknown_contract", message, "/contract")
    return contracts[0]


def _corrected(row: Row) -> AlreadyCorrected:
    return AlreadyCorrected(f"the bill {row.id!r} is corrected by {row.corrected_by!r}")


def refuse_exact(priced: BillCost) -> None:
    """Refuse to issue amounts without decimals; raises `NoDecimals`."""
    version = priced.versions[-1]
    if not version.rounding.can_bill:
        tariff = priced.period.contract.tariff
        message = f"the version of {version.valid_from} of the tariff {tariff!r} does not round "
        message += "amounts: a bill needs `amount_decimals` in its `rounding`"
        raise NoDecimals.of(NoDecimals.code, message)


def outdated(row: Row) -> DraftOutdated:
    """Return the refusal of a draft that is another bill by now."""
    message = f"the draft {row.id!r} is not what would be billed now: make it again"
    return DraftOutdated.of(DraftOutdated.code, message)
