"""Which issued bills would be different if they were made now, and by how much."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, Literal, Protocol, Self, cast

import attrs
import numpy as np

from energia.billing.bills import SQL, Bills, Filter
from energia.billing.contracts import ZonedContract, zoned_contracts
from energia.billing.models import Bill, Impact, Trouble
from energia.billing.periods import BillCost, BillPeriod
from energia.billing.rows import Row
from energia.billing.superseded import tariffs_then
from energia.costing.budget import units
from energia.db.tenant import Queries
from energia.errors import EnergiaError, Invalid, ReadingsDeleted
from energia.metering import query, registry
from energia.metering.query import Span, StoredSeries
from energia.metering.stored import Seen, revised
from energia.pricing.exact import difference
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import InForce, Tariff, Version
from energia.time import Zone, day_number

Reason = Literal["readings", "prices", "tariff", "contract", "parameters", "prior_state", "days"]
#: How many bills are looked at together.
_SCANNED: Final = 200
#: How many bills one request looks at.
_MOST: Final = 5000
#: What charges remember, by their codes.
_State = Mapping[str, Mapping[str, Any]]


@attrs.frozen
class AffectedPlace:
    """A place in the list of affected bills, which goes by contract, and there by time.

    Attributes:
        contract: The contract.
        end: The end of the bill.

    """

    contract: str
    end: date

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that *text* names; raises `Invalid`."""
        end, _, contract = text.partition("@")
        try:
            place = cls(contract, date.fromisoformat(end))
            if not contract or str(place) != text:
                raise ValueError
            return place
        except ValueError:
            message = "this is not the `next` of a page of affected bills"
            raise Invalid.of("wrong_cursor", message, "/query/cursor") from None

    def __str__(self) -> str:
        """Return its text."""
        return f"{self.end}@{self.contract}"

    def is_after(self, row: Row) -> bool:
        """Tell whether a bill comes before the place, or is at it, in the same contract."""
        return row.contract == self.contract and row.end <= self.end


@attrs.define(eq=False)
class _Case:
    """An issued bill, and the period as it would be billed now.

    Attributes:
        row: The bill.
        period: The period; its prior state is what the bills before would hand on now.
        reasons: What has changed of its own readings, prices, tariff and contract.
        has_other_days: Whether it counts days of another zone than it would now.
        now: What the period costs now; None before it is priced, and where nothing has changed.

    """

    row: Row
    period: BillPeriod
    reasons: tuple[Reason, ...]
    has_other_days: bool
    now: BillCost | EnergiaError | None = None

    @property
    def suspicion(self) -> Reason | None:
        """Why the bill may be another one now, though nothing that it keeps says so.

        It counted days of another zone than the site's; or readings were missing, and filling
        them in leaves no revision. Where readings were deleted, it cannot be told.
        """
        if self.row.readings_deleted:
            return None
        if self.has_other_days:
            return "days"
        return "readings" if self.row.document["coverage"]["missing"] else None

    @property
    def remembers(self) -> bool:
        """Whether the bill took anything over from the one before, or handed anything on."""
        return bool(self.row.prior_state or self.row.state)

    @property
    def is_due(self) -> bool:
        """Whether it is to be priced."""
        return self.now is None and bool(self.reasons or self.suspicion or self.takes_over_other)

    @property
    def takes_over_other(self) -> bool:
        """Whether the bills before would hand on something else than they did."""
        return self.period.prior_state != self.row.prior_state

    def take_over(self, state: _State) -> None:
        """Let the bills before hand on *state*; another one makes another price."""
        if state != self.period.prior_state:
            self.period, self.now = attrs.evolve(self.period, prior_state=state), None

    def state(self, bills: Bills) -> _State:
        """Return what it would hand on now; one that cannot be priced hands on what it did."""
        if isinstance(self.now, BillCost):
            return cast("_State", bills.read_back(self.now.cost.state))
        return self.row.state


async def affected(
    bills: Bills, wanted: Filter, place: AffectedPlace | None, limit: int, most: int = _MOST
) -> tuple[list[Bill], AffectedPlace | None]:
    """Return at most *limit* issued bills whose inputs have changed, in the order to correct them.

    They come by contract, the oldest first. What a bill hands on to the next is what it would hand
    on if it were corrected, so that each one has the difference that is left once those before it
    are. No more than *most* bills are looked at, and none after those that took the work of one
    price (`limits.pricing`), so that an answer comes soon. The place to go on from is returned too;
    None at the end.
    """
    changed: list[Bill] = []
    if wanted.status not in (None, "issued"):
        return changed, None
    before: _State | None = None
    # What the bills of a contract hand on is known from its first bill on.
    scanned = None if place is None else AffectedPlace(place.contract, date.min)
    left = bills.limits.pricing
    while most > 0:
        rows = await _page(bills, wanted, scanned, min(_SCANNED, most))
        if not rows:
            return changed, None
        resumed = before if scanned is not None and rows[0].contract == scanned.contract else None
        cases = await _cases(bills, rows)
        before = await _price(bills, _chains(cases), resumed)
        listed = [case for case in cases if _is_listed(case, wanted, place)]
        changed += _changed(bills, listed)
        if len(changed) > limit:
            last = changed[limit - 1]
            return changed[:limit], AffectedPlace(last.contract, last.end)
        scanned = AffectedPlace(rows[-1].contract, rows[-1].end)
        # Those of a page before are priced for what they hand on: each page gets further.
        new = [case for case in cases if place is None or not place.is_after(case.row)]
        most -= len(new)
        left -= sum(map(_units, new))
        if left < 0:
            break
    return changed, scanned


def _units(case: _Case) -> int:
    """Return what it took to price a bill, if it was priced."""
    if not isinstance(case.now, BillCost):
        return 0
    plan = case.now.inputs.plan
    return units(plan, (plan.start, plan.end))


async def _page(bills: Bills, wanted: Filter, after: AffectedPlace | None, limit: int) -> list[Row]:
    """Return the next issued bills to look at; those before the window hand on to it."""
    arguments = {
        "contract": wanted.contract,
        "meter": wanted.meter,
        "end": wanted.end,
        "after": "" if after is None else after.contract,
        "after_end": date.min if after is None else after.end,
        "limit": limit,
    }
    ids = await bills.tenant.fetch(str, SQL["bill_chains"], arguments)
    return await bills.rows(bills.tenant, ids)


def _is_listed(case: _Case, wanted: Filter, place: AffectedPlace | None) -> bool:
    """Tell whether a bill is of the window, and not of a page before."""
    row = case.row
    is_early = wanted.start is not None and row.start < wanted.start
    return not is_early and not (place is not None and place.is_after(row))


def _chains(cases: Sequence[_Case]) -> list[list[_Case]]:
    """Return the bills of each contract, which hand on one to the next."""
    return [list(chain) for _, chain in groupby(cases, lambda case: case.row.contract)]


async def _price(bills: Bills, chains: Sequence[Sequence[_Case]], resumed: _State | None) -> _State:
    """Price what is affected, and return what the last bill would hand on.

    Bills that wait for what those before hand on are priced one after another, contracts together.

    Args:
        bills: The bills of the organization.
        chains: The bills of each contract, in the order of time.
        resumed: What is handed on to the first; None where it is the first of its contract.

    """
    states: list[_State] = [chain[0].row.prior_state for chain in chains]
    if resumed is not None:
        states[0] = resumed
    while True:
        due = [
            case
            for chain, state in zip(chains, states, strict=True)
            for case in _due(bills, chain, state)
        ]
        if not due:
            return chains[-1][-1].state(bills)
        costs = await bills.price(bills.tenant, [case.period for case in due])
        for case, now in zip(due, costs, strict=True):
            case.now = now


def _due(bills: Bills, chain: Sequence[_Case], state: _State) -> Iterator[_Case]:
    """Yield what can be priced of a chain: the first, and all that remember nothing."""
    is_settled = True
    for case in chain:
        if is_settled or not case.remembers:
            case.take_over(state)
            if case.is_due and case.row.readings_deleted:
                case.now = _deleted(case.row)
            elif case.is_due:
                is_settled = False
                yield case
        state = case.state(bills)


def _deleted(row: Row) -> ReadingsDeleted:
    """Return why a bill cannot be made again, whatever has changed."""
    message = f"readings of the meter {row.meter!r} were deleted: the bill {row.id!r} stays"
    return ReadingsDeleted.of(ReadingsDeleted.code, message)


def _changed(bills: Bills, cases: Sequence[_Case]) -> Iterator[Bill]:
    """Yield those of some bills that would be other ones now, with what they would be."""
    for case in cases:
        if case.now is None:
            continue
        reasons = (*case.reasons, *(("prior_state",) if case.takes_over_other else ()))
        if not reasons and case.suspicion and _differs(case.row, case.now, bills):
            reasons = (case.suspicion,)
        if reasons:
            bill = bills.bill(case.row)
            yield attrs.evolve(bill, impact=_impact(bill, case.now, reasons))


async def _cases(bills: Bills, rows: Sequence[Row]) -> list[_Case]:
    queries = bills.tenant
    contracts = {
        zoned.contract.id: zoned
        for zoned in await zoned_contracts(queries, list({row.contract for row in rows}))
    }
    billed_by = await _tariffs(bills, rows, contracts)
    periods = [row.correction(contracts[row.contract]).in_force for row in rows]
    changed: dict[Reason, frozenset[str]] = {
        "readings": await _corrected(bills, rows, periods),
        "prices": await _repriced(bills, rows, periods),
    }
    return [
        _Case(
            row,
            period,
            tuple(_reasons(row, period, of_row, bills, changed)),
            _has_other_days(row, period, of_row),
        )
        for row, period, of_row in zip(rows, periods, billed_by, strict=True)
    ]


@attrs.frozen(eq=False)
class _BilledBy:
    """The tariff that a bill is by, and the one that its contract has now.

    Attributes:
        then: What the bill is by.
        now: What the contract has.
        is_same: Whether that is the tariff by which the bill was issued, never corrected since.

    """

    then: Tariff | EnergiaError
    now: Tariff | EnergiaError
    is_same: bool


async def _tariffs(
    bills: Bills, rows: Sequence[Row], contracts: Mapping[str, ZonedContract]
) -> list[_BilledBy]:
    """Return what each bill is by."""
    tariffs = Tariffs(bills.tenant, bills.converter)
    names = {contracts[row.contract].contract.tariff for row in rows}
    known = await tariffs.each({row.tariff for row in rows} | names)
    pinned = {(row.tariff, row.tariff_superseded) for row in rows if row.tariff_superseded}
    superseded = await tariffs_then(bills.tenant, tariffs, pinned)
    billed_by = []
    for row in rows:
        then: Tariff | EnergiaError = known[row.tariff]
        if row.tariff_superseded is not None:
            then = superseded[row.tariff, row.tariff_superseded]
        name = contracts[row.contract].contract.tariff
        is_same = row.tariff_superseded is None and name == row.tariff
        billed_by.append(_BilledBy(then, known[name], is_same))
    return billed_by


def _reasons(
    row: Row,
    period: BillPeriod,
    tariffs: _BilledBy,
    bills: Bills,
    changed: Mapping[Reason, frozenset[str]],
) -> Iterator[Reason]:
    if row.is_void and period.is_void:
        return  # it charges nothing, whatever has changed
    yield from (reason for reason, ids in changed.items() if row.id in ids)
    if not _in_force_still(row, period, tariffs):
        yield "tariff"
    days = (period.start, period.end)
    is_other_period = period.is_void or row.is_void or days != (row.start, row.end)
    if is_other_period or period.contract.meter != row.meter:
        yield "contract"
    now = bills.read_back([period.contract.parameters, period.contract.channels])
    if now != [row.parameters, row.basis["channels"]]:
        yield "parameters"


def _in_force_still(row: Row, period: BillPeriod, tariffs: _BilledBy) -> bool:
    """Tell whether what was billed is in force: versions change by corrections alone."""
    then, now = tariffs.then, tariffs.now
    if isinstance(then, EnergiaError) or isinstance(now, EnergiaError):
        return False
    try:
        days = row.days_in(then.timezone)
        spans = now.at(days).in_force(*period.window)
        if tariffs.is_same:
            return tuple(span.version.valid_from for span in spans) == row.versions
        billed = then.at(days).in_force(*period.window)
        return now.timezone == then.timezone and _same_charges(billed, spans)
    except Invalid:
        return False


def _same_charges(then: Sequence[InForce], now: Sequence[InForce]) -> bool:
    """Tell whether the versions in force are the same, but for where the last one ends."""
    return [(span.start, span.end, _open(span.version)) for span in then] == [
        (span.start, span.end, _open(span.version)) for span in now
    ]


def _open(version: Version) -> Version:
    return attrs.evolve(version, valid_to=None)


def _has_other_days(row: Row, period: BillPeriod, tariffs: _BilledBy) -> bool:
    """Tell whether the bill counts days of another zone than it would now."""
    then = tariffs.then
    return isinstance(then, Tariff) and row.days_in(then.timezone).name != period.timezone


class _Billed(Protocol):
    """A bill that has seen revisions of channels."""

    @property
    def id(self) -> str:
        """The bill."""
        ...

    @property
    def start(self) -> date:
        """Its first day."""
        ...

    @property
    def end(self) -> date:
        """The day after its last."""
        ...

    @property
    def channels(self) -> Sequence[int]:
        """The channels that it was made from."""
        ...

    @property
    def revisions(self) -> Sequence[datetime | None]:
        """The newest revision that it has seen of each; None where there was none."""
        ...


async def touched_bills(queries: Queries, bills: Iterable[_Billed]) -> frozenset[str]:
    """Return those *bills* whose channels have a newer revision of a day that may be of them."""
    ids, seen = list[str](), list[Seen]()
    for bill in bills:
        # Whatever the zone and the offset: a day more on either side.
        days = range(day_number(bill.start) - 1, day_number(bill.end) + 2)
        for channel, revision in zip(bill.channels, bill.revisions, strict=True):
            ids.append(bill.id)
            seen.append(Seen(channel, days, revision))
    return frozenset(ids[index] for index in await revised(queries, seen))


async def _corrected(
    bills: Bills, rows: Sequence[Row], periods: Sequence[BillPeriod]
) -> frozenset[str]:
    """Return the bills with a charged slot that has another value or quality now."""
    queries = bills.tenant
    touched = await touched_bills(queries, rows)
    there = await registry.channels_of(queries, {row.meter for row in rows if row.id in touched})
    ids, spans, pins = list[str](), list[Span](), list[datetime | None]()
    for row, period in zip(rows, periods, strict=True):
        if row.id in touched:
            by_key = {channel.key: channel for channel in there[row.meter]}
            roles = [reading["role"] for reading in row.document["inputs"]["readings"]]
            for role, key, pin in zip(roles, row.channels, row.revisions, strict=True):
                if key not in by_key:
                    continue  # it had no readings, or it would be there
                ids.append(row.id)
                counted = row.role_channel(role, by_key[key])
                days = counted.within(*period.window, Zone.named(period.timezone))
                spans.append(Span(by_key[key], *days))
                pins.append(pin)
    before, now = await query.read_as_billed(queries, spans, pins), await query.read(queries, spans)
    return frozenset(
        id_ for id_, old, new in zip(ids, before, now, strict=True) if not _same(old, new)
    )


def _same(old: StoredSeries, new: StoredSeries) -> bool:
    return np.array_equal(old.series.values, new.series.values) and np.array_equal(
        old.series.quality, new.series.quality
    )


async def _repriced(
    bills: Bills, rows: Sequence[Row], periods: Sequence[BillPeriod]
) -> frozenset[str]:
    """Return the bills with a slot that has another price now."""
    queries = bills.tenant
    touched = set(await queries.fetch(str, SQL["bill_repriced"], [row.id for row in rows]))
    ids, then = list[str](), list[PriceSpan]()
    for row, period in zip(rows, periods, strict=True):
        if row.id in touched:
            spans = row.price_spans(period.window)
            ids += [row.id] * len(spans)
            then += spans
    now = [PriceSpan(span.series, span.start, span.end) for span in then]
    store = PriceStore(queries)
    before, after = await store.read(then), await store.read(now)
    return frozenset(
        id_ for id_, old, new in zip(ids, before, after, strict=True) if not _same_prices(old, new)
    )


def _same_prices(old: PriceSeries | None, new: PriceSeries | None) -> bool:
    if old is None or new is None:
        return old is new
    return (
        np.array_equal(old.starts, new.starts)
        and np.array_equal(old.ends, new.ends)
        and [old.text(index) for index in range(len(old.starts))]
        == [new.text(index) for index in range(len(new.starts))]
    )


def _differs(row: Row, now: BillCost | EnergiaError, bills: Bills) -> bool:
    return isinstance(now, EnergiaError) or not bills.shows(row, now)


def _impact(bill: Bill, now: BillCost | EnergiaError, reasons: tuple[Reason, ...]) -> Impact:
    if isinstance(now, EnergiaError):
        problem = Trouble(code=now.code, message=now.detail, errors=now.faults)
        return Impact(reasons=reasons, problem=problem)
    total = now.cost.total
    return Impact(reasons=reasons, total=total, difference=difference(total, bill.total))
