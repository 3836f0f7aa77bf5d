"""Which issued bills would be different if they were made now, and by how much."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import attrs
import numpy as np

from energia.billing.bills import SQL, Bills, Filter, Office
from energia.billing.contracts import Placed, placed, priors
from energia.billing.market import repriced
from energia.billing.models import Bill, Impact, Trouble
from energia.billing.pricing import Asked, Priced, window_of
from energia.billing.rows import Place, Row
from energia.errors import EnergiaError, Invalid
from energia.metering import query, registry
from energia.metering.query import Span, StoredSeries
from energia.pricing.exact import difference
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff

Reason = Literal["readings", "prices", "tariff", "parameters", "prior_state"]
#: How many bills are looked at together.
_SCANNED: Final = 200
#: How many bills one request looks at.
_MOST: Final = 5000


@attrs.frozen(eq=False)
class _Case:
    """An issued bill, what would be asked for now, and what has changed."""

    row: Row
    asked: Asked
    reasons: tuple[Reason, ...]

    @property
    def may_be_filled(self) -> bool:
        """Whether readings were missing: filling them in leaves no revision."""
        return bool(self.row.document["coverage"]["missing"])


async def affected(
    bills: Bills, wanted: Filter, before: Place | None, limit: int, most: int = _MOST
) -> tuple[list[Bill], Place | None]:
    """Return at most *limit* issued bills whose inputs have changed, the newest first.

    No more than *most* bills are looked at, so that an answer comes soon: what is returned besides
    is where to go on, None at the end.
    """
    found: list[Bill] = []
    if wanted.status not in (None, "issued"):
        return found, None
    issued = attrs.evolve(wanted, status="issued")
    while most > 0:
        rows = await bills.page(issued, before, min(_SCANNED, most))
        if not rows:
            return found, None
        found += await _changed(bills.office, rows)
        if len(found) > limit:
            return found[:limit], Place.of(found[limit - 1])
        before, most = Place.of(rows[-1]), most - len(rows)
    return found, before


async def _changed(office: Office, rows: Sequence[Row]) -> list[Bill]:
    """Return those of *rows* whose inputs have changed, each with what it would be now."""
    cases = [case for case in await _cases(office, rows) if case.reasons or case.may_be_filled]
    priced = await office.price(office.tenant, [case.asked for case in cases])
    found = []
    for case, now in zip(cases, priced, strict=True):
        reasons = case.reasons
        if not reasons and not _differs(case.row, now, office):
            continue
        bill = office.bill(case.row)
        found.append(attrs.evolve(bill, impact=_impact(bill, now, reasons or ("readings",))))
    return found


async def _cases(office: Office, rows: Sequence[Row]) -> list[_Case]:
    queries = office.tenant
    at = {one.contract.id: one for one in await placed(queries, [row.contract for row in rows])}
    prior = await priors(queries, [(row.contract, row.start) for row in rows])
    tariffs = await Tariffs(queries, office.converter).each({row.tariff for row in rows})
    states = [
        prior[index].state if index in prior else row.prior_state for index, row in enumerate(rows)
    ]
    asked = [_asked(row, at[row.contract], state) for row, state in zip(rows, states, strict=True)]
    changed: dict[Reason, frozenset[str]] = {
        "readings": await _corrected(office, rows, asked),
        "prices": await repriced(queries, rows, asked),
    }
    return [
        _Case(row, one, tuple(_reasons(row, one, tariffs[row.tariff], office, changed)))
        for row, one in zip(rows, asked, strict=True)
    ]


def _asked(row: Row, at: Placed, state: Mapping[str, Mapping[str, object]]) -> Asked:
    return Asked(at.contract, at.timezone, row.start, row.end, state, row.missing)


def _reasons(
    row: Row,
    asked: Asked,
    tariff: Tariff | EnergiaError,
    office: Office,
    changed: Mapping[Reason, frozenset[str]],
) -> Iterator[Reason]:
    yield from (reason for reason, bills in changed.items() if row.id in bills)
    if not _in_force_still(row, asked, tariff):
        yield "tariff"
    now = office.read_back([asked.contract.parameters, asked.contract.channels])
    if now != [row.parameters, row.basis["channels"]]:
        yield "parameters"
    if asked.prior_state != row.prior_state:
        yield "prior_state"


def _in_force_still(row: Row, asked: Asked, tariff: Tariff | EnergiaError) -> bool:
    """Tell whether the versions are in force that were billed; they cannot have changed."""
    if isinstance(tariff, EnergiaError):
        return False
    try:
        spans = tariff.in_force(*window_of(asked))
    except Invalid:
        return False
    return tuple(span.version.valid_from for span in spans) == row.versions


async def _corrected(office: Office, rows: Sequence[Row], asked: Sequence[Asked]) -> frozenset[str]:
    """Return the bills with a charged slot that has another value or quality now."""
    queries = office.tenant
    touched = set(await queries.fetch(str, SQL["bill_touched"], [row.id for row in rows]))
    there = await registry.channels_of(queries, {row.meter for row in rows if row.id in touched})
    bills, spans, pins = list[str](), list[Span](), list[datetime | None]()
    for row, one in zip(rows, asked, strict=True):
        if row.id in touched:
            by_key = {channel.key: channel for channel in there[row.meter]}
            for key, pin in zip(row.channels, row.revisions, strict=True):
                if key not in by_key:
                    continue  # it had no readings, or it would be there
                bills.append(row.id)
                spans.append(Span(by_key[key], *window_of(one)))
                pins.append(pin)
    before, now = await query.read_as_billed(queries, spans, pins), await query.read(queries, spans)
    return frozenset(
        bill for bill, old, new in zip(bills, before, now, strict=True) if not _same(old, new)
    )


def _same(old: StoredSeries, new: StoredSeries) -> bool:
    return np.array_equal(old.series.values, new.series.values) and np.array_equal(
        old.series.quality, new.series.quality
    )


def _differs(row: Row, now: Priced | EnergiaError, office: Office) -> bool:
    return isinstance(now, EnergiaError) or not row.shows(office.document(now))


def _impact(bill: Bill, now: Priced | EnergiaError, reasons: tuple[Reason, ...]) -> Impact:
    if isinstance(now, EnergiaError):
        problem = Trouble(code=now.code, message=now.detail, errors=now.faults)
        return Impact(reasons=reasons, problem=problem)
    total = now.cost.total
    return Impact(reasons=reasons, total=total, difference=difference(total, bill.total))
