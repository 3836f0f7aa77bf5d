"""Which issued bills would be different if they were made now, and by how much."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import attrs
import numpy as np

from energia.billing.bills import SQL, Bills, Filter
from energia.billing.contracts import ZonedContract, prior_bills, zoned_contracts
from energia.billing.models import Bill, Impact, Trouble
from energia.billing.periods import BillCost, BillPeriod
from energia.billing.rows import ListPlace, Row
from energia.errors import EnergiaError, Invalid
from energia.metering import query, registry
from energia.metering.query import Span, StoredSeries
from energia.pricing.exact import difference
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.time import Zone

Reason = Literal["readings", "prices", "tariff", "parameters", "prior_state", "days"]
#: How many bills are looked at together.
_SCANNED: Final = 200
#: How many bills one request looks at.
_MOST: Final = 5000


@attrs.frozen(eq=False)
class _Case:
    """An issued bill, the period as it would be billed now, and what has changed."""

    row: Row
    period: BillPeriod
    reasons: tuple[Reason, ...]
    has_other_days: bool = False

    @property
    def suspicion(self) -> Reason | None:
        """Why the bill may be another one now, though nothing that it keeps says so.

        It counted days of another zone than the site's; or readings were missing, and filling
        them in leaves no revision.
        """
        if self.has_other_days:
            return "days"
        return "readings" if self.row.document["coverage"]["missing"] else None


async def affected(
    bills: Bills, wanted: Filter, before: ListPlace | None, limit: int, most: int = _MOST
) -> tuple[list[Bill], ListPlace | None]:
    """Return at most *limit* issued bills whose inputs have changed, the newest first.

    No more than *most* bills are looked at, so that an answer comes soon. The place to go on from
    is returned too; None at the end.
    """
    changed: list[Bill] = []
    if wanted.status not in (None, "issued"):
        return changed, None
    issued = attrs.evolve(wanted, status="issued")
    while most > 0:
        rows = await bills.page(issued, before, min(_SCANNED, most))
        if not rows:
            return changed, None
        changed += await _changed(bills, rows)
        if len(changed) > limit:
            return changed[:limit], ListPlace.of(changed[limit - 1])
        before, most = ListPlace.of(rows[-1]), most - len(rows)
    return changed, before


async def _changed(bills: Bills, rows: Sequence[Row]) -> list[Bill]:
    """Return those of *rows* whose inputs have changed, each with what it would be now."""
    cases = [case for case in await _cases(bills, rows) if case.reasons or case.suspicion]
    costs = await bills.price(bills.tenant, [case.period for case in cases])
    changed = []
    for case, now in zip(cases, costs, strict=True):
        reasons = case.reasons
        if not reasons and case.suspicion and _differs(case.row, now, bills):
            reasons = (case.suspicion,)
        if not reasons:
            continue
        bill = bills.bill(case.row)
        changed.append(attrs.evolve(bill, impact=_impact(bill, now, reasons)))
    return changed


async def _cases(bills: Bills, rows: Sequence[Row]) -> list[_Case]:
    queries = bills.tenant
    contracts = {
        zoned.contract.id: zoned
        for zoned in await zoned_contracts(queries, [row.contract for row in rows])
    }
    prior = await prior_bills(queries, [(row.contract, row.start) for row in rows])
    tariffs = await Tariffs(queries, bills.converter).each({row.tariff for row in rows})
    states = [
        prior[index].state if index in prior else row.prior_state for index, row in enumerate(rows)
    ]
    periods = [
        _period(bills, row, contracts[row.contract], state)
        for row, state in zip(rows, states, strict=True)
    ]
    changed: dict[Reason, frozenset[str]] = {
        "readings": await _corrected(bills, rows, periods),
        "prices": await _repriced(bills, rows, periods),
    }
    return [
        _Case(
            row,
            period,
            tuple(_reasons(row, period, tariffs[row.tariff], bills, changed)),
            _has_other_days(row, period, tariffs[row.tariff]),
        )
        for row, period in zip(rows, periods, strict=True)
    ]


def _period(
    bills: Bills, row: Row, zoned: ZonedContract, state: Mapping[str, Mapping[str, object]]
) -> BillPeriod:
    """Return the period as a correction of the bill would be priced."""
    period = BillPeriod(zoned.contract, zoned.timezone, row.start, row.end, state)
    return row.terms_of(period, bills.read_back(zoned.contract.channels))


def _reasons(
    row: Row,
    period: BillPeriod,
    tariff: Tariff | EnergiaError,
    bills: Bills,
    changed: Mapping[Reason, frozenset[str]],
) -> Iterator[Reason]:
    yield from (reason for reason, ids in changed.items() if row.id in ids)
    if not _in_force_still(row, period, tariff):
        yield "tariff"
    now = bills.read_back([period.contract.parameters, period.contract.channels])
    if now != [row.parameters, row.basis["channels"]]:
        yield "parameters"
    if period.prior_state != row.prior_state:
        yield "prior_state"


def _in_force_still(row: Row, period: BillPeriod, tariff: Tariff | EnergiaError) -> bool:
    """Tell whether the versions are in force that were billed; they cannot have changed."""
    if isinstance(tariff, EnergiaError):
        return False
    try:
        spans = tariff.at(row.days_in(tariff)).in_force(*period.window)
    except Invalid:
        return False
    return tuple(span.version.valid_from for span in spans) == row.versions


def _has_other_days(row: Row, period: BillPeriod, tariff: Tariff | EnergiaError) -> bool:
    """Tell whether the bill counts days of another zone than it would now."""
    return isinstance(tariff, Tariff) and row.days_in(tariff).name != period.timezone


async def _corrected(
    bills: Bills, rows: Sequence[Row], periods: Sequence[BillPeriod]
) -> frozenset[str]:
    """Return the bills with a charged slot that has another value or quality now."""
    queries = bills.tenant
    touched = set(await queries.fetch(str, SQL["bill_touched"], [row.id for row in rows]))
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
    return isinstance(now, EnergiaError) or not row.shows(bills.document(now))


def _impact(bill: Bill, now: BillCost | EnergiaError, reasons: tuple[Reason, ...]) -> Impact:
    if isinstance(now, EnergiaError):
        problem = Trouble(code=now.code, message=now.detail, errors=now.faults)
        return Impact(reasons=reasons, problem=problem)
    total = now.cost.total
    return Impact(reasons=reasons, total=total, difference=difference(total, bill.total))
