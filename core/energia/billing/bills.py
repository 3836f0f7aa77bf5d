"""Bills, one at a time: drafted, issued, listed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from energia.billing import rows
from energia.billing.contracts import Placed, hold, placed, priors
from energia.billing.errors import (
    AlreadyBilled,
    AlreadyCorrected,
    DraftOutdated,
    IssuedAlready,
    NotIssued,
    OverlapsDraft,
)
from energia.billing.models import Bill, BillIssued, NewBill, Status
from energia.billing.pricing import Asked, Priced, price_all
from energia.billing.rows import NewRow, Place, Row
from energia.convert import Converter, parse
from energia.costing.timing import timed
from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, EnergiaError, Fault, Invalid, NotFound
from energia.metering.imports import new_id
from energia.plugins import Plugins
from energia.pricing.store import Tariffs
from energia.time import Clock

if TYPE_CHECKING:
    from energia.core import Core


SQL: Final = load(__package__)


@attrs.frozen
class Office:
    """What making bills needs of a service.

    Attributes:
        tenant: The database.
        converter: Knows the charges of the loaded plugins.
        plugins: Say who offers a charge, and hear of issued bills.
        clock: Dates bills.
        slots: How many slots one bill may have.
        failures: How many failures a run tells of.

    """

    tenant: Tenant
    converter: Converter
    plugins: Plugins
    clock: Clock
    slots: int
    failures: int

    @classmethod
    def of(cls, core: "Core", tenant: Tenant, converter: Converter) -> Self:
        """Return the office of a service."""
        limits = core.settings.limits
        return cls(tenant, converter, core.plugins, core.clock, limits.slots, limits.problems)

    async def price(self, queries: Queries, asked: Sequence[Asked]) -> list[Priced | EnergiaError]:
        """Return what each costs by what is stored now; their tariffs stay as they are."""
        tariffs = sorted({one.contract.tariff for one in asked})
        await queries.fetch(str, SQL["tariff_hold"], tariffs)
        with timed("bill", self.plugins.pricing_finished):
            return await price_all(queries, Tariffs(queries, self.converter), asked, self.slots)

    async def put(self, queries: Queries, made: Sequence[NewRow]) -> list[str]:
        """Store drafts; return the ids of those that could be."""
        if not made:
            return []
        columns = rows.columns(made, self.plugins, self.converter)
        return await queries.fetch(str, SQL["bill_put"], columns | {"now": self.clock.now()})

    async def issue(self, queries: Queries, ids: Sequence[str]) -> None:
        """Issue drafts in the place of the bills that they correct."""
        if not ids:
            return
        await queries.execute(SQL["bill_replace"], list(ids))
        await queries.execute(SQL["bill_issued"], {"ids": list(ids), "now": self.clock.now()})

    async def rows(self, queries: Queries, ids: Sequence[str]) -> list[Row]:
        """Return those of some bills that there are, in their order."""
        return await queries.fetch(Row, SQL["bill_get"], list(ids))

    async def row(self, queries: Queries, id_: str) -> Row:
        """Return a bill; raises `NotFound`."""
        found = await self.rows(queries, [id_])
        if not found:
            raise NotFound(f"there is no bill {id_!r}")
        return found[0]

    def bill(self, row: Row) -> Bill:
        """Return a bill as the API shows it."""
        return rows.bill(row, self.converter)

    def document(self, priced: Priced) -> Any:
        """Return what the API would show of a draft, as it would be read back."""
        return self.read_back(rows.document(priced, self.plugins, self.converter))

    def read_back(self, value: object) -> Any:
        """Return JSON as it is after it was stored."""
        return parse(self.converter.dumps(value))

    def tell(self, issued: Sequence[Row]) -> None:
        """Tell the plugins that bills were issued: after the commit."""
        for row in issued:
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
                    issued_at=_known(row.issued_at),
                )
            )


def _known(at: datetime | None) -> datetime:
    assert at is not None
    return at


@attrs.frozen
class Live:
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
    status: Status | None = None
    start: date | None = None
    end: date | None = None


@attrs.frozen
class Bills:
    """The bills of an organization."""

    office: Office

    async def get(self, id_: str) -> Bill:
        """Return a bill; raises `NotFound`."""
        return self.office.bill(await self.office.row(self.office.tenant, id_))

    async def page(self, wanted: Filter, before: Place | None, limit: int) -> list[Row]:
        """Return at most *limit* bills that come after *before*, the newest first."""
        at, id_ = (before.created_at, before.id) if before else (None, None)
        asked = {**attrs.asdict(wanted), "at": at, "before": id_, "limit": limit}
        ids = await self.office.tenant.fetch(str, SQL["bill_list"], asked)
        return await self.office.rows(self.office.tenant, ids)

    async def draft(self, new: NewBill) -> tuple[Bill, bool]:
        """Make a draft, or price it anew, and tell whether it was made.

        Raises:
            NotFound: There is no such contract or bill.
            AlreadyBilled: Part of the period is billed.
            OverlapsDraft: There is a draft of part of the period.
            NotIssued: The bill to correct is a draft.
            AlreadyCorrected: The bill to correct is corrected already.
            Invalid: The period cannot be priced.

        """
        async with self.office.tenant.transaction() as queries:
            if new.corrects is None:
                made, old = await self._of_contract(queries, new)
            else:
                made, old = await self._of_correction(queries, new.corrects, new)
            if made.id not in await self.office.put(queries, [made]):
                raise Conflict(f"there is a bill {made.id!r} already")
            return self.office.bill(await self.office.row(queries, made.id)), old is None

    async def issue(self, id_: str) -> Bill:
        """Issue a draft; one that is issued stays.

        Raises:
            NotFound: There is no such bill.
            AlreadyCorrected: It was issued, and another one has taken its place.
            DraftOutdated: The draft is not what would be billed now.
            Invalid: The period cannot be priced any more.

        """
        office = self.office
        async with office.tenant.transaction() as queries:
            row = await self._held(queries, id_)
            if row.status == "corrected":
                raise _corrected(row)
            if row.status == "issued":
                return office.bill(row)
            priced = await self.again(queries, row)
            if not is_still(row, priced, office):
                raise outdated(row)
            await office.put(queries, [NewRow(id=id_, corrects=row.corrects, priced=priced)])
            await office.issue(queries, [id_])
            issued = await office.row(queries, id_)
        office.tell([issued])
        return office.bill(issued)

    async def delete(self, id_: str) -> None:
        """Delete a draft; raises `NotFound`, or `IssuedAlready`."""
        async with self.office.tenant.transaction() as queries:
            row = await self._held(queries, id_)
            if row.status != "draft":
                raise IssuedAlready(f"the bill {id_!r} is {row.status}: it stays")
            await queries.execute(SQL["bill_delete"], id_)

    async def _of_contract(self, queries: Queries, new: NewBill) -> tuple[NewRow, Live | None]:
        assert new.contract is not None
        assert new.start is not None
        assert new.end is not None
        at = await _contract(queries, new.contract)
        found = await live(queries, [(new.contract, new.start, new.end)])
        old = same_period(found, new.start, new.end)
        if old is not None and new.id not in (None, old.id):
            raise OverlapsDraft(f"the draft of the period is {old.id!r}")
        kept = await self._kept(queries, old)
        asked = await self._asked(queries, at, (new.start, new.end), new.state, kept)
        made = await self._priced(queries, attrs.evolve(asked, missing=new.missing))
        id_ = old.id if old else new.id or new_id()
        return NewRow(id=id_, corrects=None, priced=made), old

    async def _of_correction(
        self, queries: Queries, id_: str, new: NewBill
    ) -> tuple[NewRow, Live | None]:
        row = await self._held(queries, id_)
        if row.status == "draft":
            raise NotIssued(f"the bill {id_!r} is a draft: make it again instead")
        if row.status == "corrected":
            raise _corrected(row)
        drafts = await live(queries, [(row.contract, row.start, row.end)])
        old = next((one for one in drafts if one.corrects == id_), None)
        if old is not None and new.id not in (None, old.id):
            raise OverlapsDraft(f"the draft of the correction is {old.id!r}")
        (at,) = await placed(queries, [row.contract])
        asked = await self._asked(queries, at, (row.start, row.end), None, row.prior_state)
        made = await self._priced(queries, attrs.evolve(asked, missing=new.missing))
        return NewRow(id=old.id if old else new.id or new_id(), corrects=id_, priced=made), old

    async def again(self, queries: Queries, row: Row) -> Priced:
        """Return what a draft costs now; raises `Invalid` if it cannot be priced any more."""
        (at,) = await placed(queries, [row.contract])
        asked = await self._asked(queries, at, (row.start, row.end), None, row.prior_state)
        return await self._priced(queries, attrs.evolve(asked, missing=row.missing))

    async def _asked(
        self,
        queries: Queries,
        at: Placed,
        period: tuple[date, date],
        given: Mapping[str, Any] | None,
        kept: Mapping[str, Any],
    ) -> Asked:
        """Return what to price: charges remember the bill before, else what was *given* once."""
        start, end = period
        prior = (await priors(queries, [(at.contract.id, start)])).get(0)
        if prior is not None and given is not None:
            message = f"the charges remember the bill {prior.bill!r}"
            raise Invalid(message, [Fault("state_is_stored", message, "/state")])
        state = prior.state if prior else kept if given is None else given
        return Asked(at.contract, at.timezone, start, end, state, stated=given is not None)

    async def _kept(self, queries: Queries, old: Live | None) -> Mapping[str, Any]:
        return {} if old is None else (await self.office.row(queries, old.id)).prior_state

    async def _priced(self, queries: Queries, asked: Asked) -> Priced:
        (priced,) = await self.office.price(queries, [asked])
        if isinstance(priced, EnergiaError):
            raise priced
        return priced

    async def _held(self, queries: Queries, id_: str) -> Row:
        """Return a bill, held until the transaction ends."""
        row = await self.office.row(queries, id_)
        await hold(queries, [row.contract])
        return await self.office.row(queries, id_)


async def live(queries: Queries, periods: Sequence[tuple[str, date, date]]) -> list[Live]:
    """Return the drafts and issued bills in part of each period of a contract."""
    contracts, starts, ends = (list(column) for column in zip(*periods, strict=True))
    asked = {"contracts": contracts, "starts": starts, "ends": ends}
    return await queries.fetch(Live, SQL["bill_live"], asked)


def same_period(found: Sequence[Live], start: date, end: date) -> Live | None:
    """Return the draft of a period; raises `AlreadyBilled` or `OverlapsDraft`."""
    for one in found:
        if one.status == "issued":
            message = f"the bill {one.id!r} is issued for {one.start} to {one.end}"
            raise AlreadyBilled(message, [Fault(AlreadyBilled.code, message, "/start")])
    for one in found:
        if (one.start, one.end) != (start, end):
            message = f"there is the draft {one.id!r} for {one.start} to {one.end}"
            raise OverlapsDraft(message, [Fault(OverlapsDraft.code, message, "/start")])
    return found[0] if found else None


async def _contract(queries: Queries, id_: str) -> Placed:
    found = await hold(queries, [id_])
    if not found:
        message = f"there is no contract {id_!r}"
        raise Invalid(message, [Fault("unknown_contract", message, "/contract")])
    return found[0]


def _corrected(row: Row) -> AlreadyCorrected:
    return AlreadyCorrected(f"the bill {row.id!r} is corrected by {row.corrected_by!r}")


def outdated(row: Row) -> DraftOutdated:
    """Return the refusal of a draft that is another bill by now."""
    message = f"the draft {row.id!r} is not what would be billed now: make it again"
    return DraftOutdated(message, [Fault(DraftOutdated.code, message)])


def is_still(row: Row, priced: Priced, office: Office) -> bool:
    """Tell whether a draft shows what it costs now, and hands on the same."""
    state = office.read_back(priced.cost.state)
    return row.shows(office.document(priced)) and row.state == state
