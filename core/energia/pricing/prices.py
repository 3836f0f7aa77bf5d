"""What one unit costs in each slot, by component."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, repeat

import attrs
import numpy as np

from energia.errors import Fault, Invalid
from energia.pricing.calendar import Calendar, Grid
from energia.pricing.charges import Charge, Components, UnitPrices
from energia.pricing.exact import decimal_text
from energia.pricing.parts import Part, changes, parts
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Assumption, holidays_unknown
from energia.pricing.tariffs import Tariff
from energia.pricing.templates import unit_prices
from energia.zones import Int64


@attrs.frozen
class PriceRun:
    """What one unit costs in consecutive slots.

    Attributes:
        first: Which slot of all the first one is.
        past: The slot past the last one.
        price: The sum of the components.
        components: The price of each charge, or of each component of one.
        period: The period, where the charges that have a schedule have the same one.

    """

    first: int
    past: int
    price: str
    components: Mapping[str, str]
    period: str | None = None


@attrs.frozen
class Prices:
    """The prices of all slots, in order, and what was taken for granted."""

    grid: Grid
    runs: tuple[PriceRun, ...]
    assumptions: tuple[Assumption, ...]


@attrs.frozen(eq=False)
class _Priced:
    """The slots of one version, its charges with a price per unit, and the codes of the others."""

    part: Part
    charges: tuple[tuple[Charge, UnitPrices], ...]
    others: tuple[str, ...]

    @property
    def tiered(self) -> list[str]:
        """The codes of the charges whose rates depend on how much is used."""
        return [one.code or one.kind for one, prices in self.charges if prices.first_tier]

    @property
    def schedules(self) -> dict[Schedule, list[str]]:
        """The schedules, each with the codes of its charges."""
        found: dict[Schedule, list[str]] = {}
        for charge, prices in self.charges:
            if prices.schedule is not None:
                found.setdefault(prices.schedule, []).append(charge.code or charge.kind)
        return found


def prices(tariff: Tariff, role: str, grid: Grid, parameters: Mapping[str, object]) -> Prices:
    """Return what one unit of *role* costs in each slot; a slot has the price at its start.

    Args:
        tariff: A version of it must be in force at the start of every slot.
        role: The role of the channel.
        grid: The slots.
        parameters: Values for the parameters that charges of these versions ask for.

    Raises:
        Invalid: With faults `no_version_in_force` or `no_unit_price`; or below `/parameters`, as
            `Version.filled`.

    """
    priced = [_priced(part, role, parameters) for part in parts(tariff, grid)]
    if not any(one.charges for one in priced):
        message = f"no charge has a price per unit of {role}"
        raise Invalid(message, [Fault("no_unit_price", message)])
    found = tuple(run for one in priced for run in _runs(one))
    return Prices(grid, found, tuple(_assumptions(priced)))


def _priced(part: Part, role: str, parameters: Mapping[str, object]) -> _Priced:
    charges, others = list[tuple[Charge, UnitPrices]](), list[str]()
    for charge in part.version.filled(parameters).charges:
        found = unit_prices(charge)
        if found is None:
            others.append(charge.code or charge.kind)
        elif charge.channel == role:
            charges.append((charge, found))
    return _Priced(part, tuple(charges), tuple(others))


def _runs(priced: _Priced) -> Iterator[PriceRun]:
    """Yield the prices of slots, as runs of slots of the same periods."""
    part, schedules = priced.part, [prices.schedule for _, prices in priced.charges]
    calendars = [None if one is None else part.calendar(one) for one in schedules]
    bounds = np.unique(np.concatenate([[0], *(c.bounds for c in calendars if c is not None)]))
    names = zip(*(_periods(calendar, bounds) for calendar in calendars), strict=True)
    known: dict[tuple[str, ...], PriceRun] = {}
    edges = pairwise([*bounds.tolist(), part.grid.count])
    for (first, past), periods in zip(edges, names if calendars else repeat(()), strict=False):
        if periods not in known:
            known[periods] = _combined(priced, periods)
        yield attrs.evolve(known[periods], first=part.first + first, past=part.first + past)


def _periods(calendar: Calendar | None, slots: Int64) -> list[str]:
    """Return the period at each of *slots*; "" without a schedule."""
    if calendar is None:
        return [""] * len(slots)
    runs = np.searchsorted(calendar.bounds, slots, side="right") - 1
    return [calendar.periods[key] for key in calendar.keys[runs].tolist()]


def _combined(priced: _Priced, periods: Sequence[str]) -> PriceRun:
    """Return what all charges together cost in slots of *periods*."""
    components: dict[str, str] = {}
    total = Fraction(0)
    for (charge, prices), period in zip(priced.charges, periods, strict=True):
        code, rate = charge.code or charge.kind, prices.rates[period]
        named = {"": rate} if not isinstance(rate, Components) else rate.components
        for component, one in named.items():
            exact, text = priced.part.version.rounding.rate(one)
            components[f"{code}.{component}" if component else code] = text
            total += exact
    shared = next(filter(None, periods)) if len(priced.schedules) == 1 else None
    return PriceRun(0, 0, decimal_text(total, 12), components, shared)


def _assumptions(priced: Sequence[_Priced]) -> Iterator[Assumption]:
    others = list(dict.fromkeys(code for one in priced for code in one.others))
    if others:
        message = f"not in the price, as they have none per unit: {', '.join(others)}"
        yield Assumption("not_per_unit", message)
    tiered = list(dict.fromkeys(code for one in priced for code in one.tiered))
    if tiered:
        message = f"more usage has other rates; the price is of the first tier: {', '.join(tiered)}"
        yield Assumption("first_tier", message)
    split = Counter[str]()
    for one in priced:
        for schedule, codes in one.schedules.items():
            split[", ".join(codes)] += one.part.calendar(schedule).split
    inside = {f"a boundary between periods of {codes}": slots for codes, slots in split.items()}
    inside["the beginning of a version"] = changes([one.part for one in priced])
    for what, slots in inside.items():
        if slots:
            message = f"{what} falls inside {slots} slots: each has the price at its start"
            yield Assumption("boundary_inside_interval", message, slots)
    calendars = [one.part.calendar(schedule) for one in priced for schedule in one.schedules]
    if years := sorted({year for calendar in calendars for year in calendar.unlisted}):
        yield holidays_unknown(years)
