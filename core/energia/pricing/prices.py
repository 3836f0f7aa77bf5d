"""What one unit costs in each slot, by component."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

import attrs
import numpy as np

from energia.errors import Fault, Invalid
from energia.pricing.calendar import Calendar, Grid
from energia.pricing.charges import Charge, Components, UnitPrices
from energia.pricing.exact import decimal_text
from energia.pricing.parts import Part, parts
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff


@attrs.frozen
class SlotPrice:
    """What one unit costs in a slot.

    Attributes:
        start: When the slot starts, with the offset of the tariff's zone.
        end: When it ends.
        price: The sum of the components.
        components: The price of each charge, or of each component of one.
        period: The period, where just one charge has a schedule.

    """

    start: datetime
    end: datetime
    price: str
    components: dict[str, str]
    period: str | None = None


@attrs.frozen
class Prices:
    """The prices of consecutive slots, and what was taken for granted."""

    slots: tuple[SlotPrice, ...]
    assumptions: tuple[Assumption, ...]


@attrs.frozen
class _Combined:
    """What all charges together cost in slots of the same periods."""

    price: str
    components: dict[str, str]
    period: str | None


@attrs.frozen(eq=False)
class _Priced:
    """The slots of one version, its charges with a price per unit, and the codes of the others."""

    part: Part
    charges: tuple[tuple[Charge, UnitPrices], ...]
    others: tuple[str, ...]


def prices(tariff: Tariff, role: str, grid: Grid) -> Prices:
    """Return what one unit of *role* costs in each slot; a slot has the price at its start.

    Raises:
        Invalid: No version is in force at the start of a slot, or the tariff has no price per unit.

    """
    priced = [_priced(part, role) for part in parts(tariff, grid)]
    if not any(one.charges for one in priced):
        message = f"no charge has a price per unit of {role}"
        raise Invalid(message, [Fault("no_unit_price", message)])
    found, split = list[SlotPrice](), 0
    for one in priced:
        slots, inside = _prices(one)
        found += slots
        split += inside
    return Prices(tuple(found), tuple(_assumptions(priced, split)))


def _priced(part: Part, role: str) -> _Priced:
    charges, others = list[tuple[Charge, UnitPrices]](), list[str]()
    for charge in part.version.charges:
        asked = getattr(charge, "unit_prices", None)
        found = asked() if asked is not None else None
        if found is None:
            others.append(charge.code or charge.kind)
        elif charge.channel == role:
            charges.append((charge, found))
    return _Priced(part, tuple(charges), tuple(others))


def _prices(priced: _Priced) -> tuple[list[SlotPrice], int]:
    """Return the prices of slots, and how many slots have a boundary of periods inside."""
    part = priced.part
    calendars = [
        None if one.schedule is None else part.calendar(one.schedule) for _, one in priced.charges
    ]
    bounds = np.unique(np.concatenate([[0], *(c.bounds for c in calendars if c is not None)]))
    ends = [*bounds[1:].tolist(), part.grid.count]
    known: dict[tuple[str, ...], _Combined] = {}
    found = list[SlotPrice]()
    for first, past in zip(bounds.tolist(), ends, strict=True):
        periods = tuple(_period(calendar, first) for calendar in calendars)
        if periods not in known:
            known[periods] = _combined(priced, periods)
        found += _slots(part, range(first, past), known[periods])
    return found, sum(calendar.split for calendar in calendars if calendar is not None)


def _period(calendar: Calendar | None, slot: int) -> str:
    if calendar is None:
        return ""
    run = int(np.searchsorted(calendar.bounds, slot, side="right")) - 1
    return calendar.periods[int(calendar.keys[run])]


def _combined(priced: _Priced, periods: Sequence[str]) -> _Combined:
    components: dict[str, str] = {}
    total = Fraction(0)
    for (charge, prices), period in zip(priced.charges, periods, strict=True):
        code, rate = charge.code or charge.kind, prices.rates[period]
        named = {"": rate} if not isinstance(rate, Components) else rate.components
        for component, one in named.items():
            exact, text = priced.part.version.rounding.rate(one)
            components[f"{code}.{component}".rstrip(".")] = text
            total += exact
    scheduled = [period for period in periods if period]
    return _Combined(
        decimal_text(total, 12), components, scheduled[0] if len(scheduled) == 1 else None
    )


def _slots(part: Part, slots: range, found: _Combined) -> Iterator[SlotPrice]:
    zone, grid = part.tariff.zone, part.grid
    for start in (grid.start + slot * grid.interval for slot in slots):
        begin, end = zone.datetime(start), zone.datetime(start + grid.interval)
        yield SlotPrice(begin, end, found.price, found.components, found.period)


def _assumptions(priced: Sequence[_Priced], split: int) -> Iterator[Assumption]:
    others = list(dict.fromkeys(code for one in priced for code in one.others))
    if others:
        message = f"not in the price, as they have none per unit: {', '.join(others)}"
        yield Assumption("not_per_unit", message)
    if split:
        message = (
            f"a boundary between periods falls inside {split} slots: "
            "each has the price at its start"
        )
        yield Assumption("boundary_inside_interval", message, split)
