"""What one unit costs in each slot, by component."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, repeat

import attrs
import numpy as np

from energia.errors import Invalid
from energia.pricing.calendar import Calendar, Grid
from energia.pricing.charges import Charge, Components, UnitPrices
from energia.pricing.exact import decimal_text
from energia.pricing.market.series import PriceSeries, SlotFormula, SlotPrices, refuse_unit
from energia.pricing.parts import Part, changes, parts
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Assumption, assumed_of, boundary_inside
from energia.pricing.tariffs import Tariff
from energia.time import Instant, Int64


@attrs.frozen(eq=False)
class Market:
    """The series of a tariff, in a window.

    Attributes:
        series: By name.
        horizons: When the last price ends that is known of each, whatever the window; None where
            there is none.

    """

    series: Mapping[str, PriceSeries] = attrs.field(factory=dict)
    horizons: Mapping[str, int | None] = attrs.field(factory=dict)

    def known(self, names: Sequence[str], grid: Grid) -> int:
        """Return how many of the first slots of *grid* end before the horizon of all series."""
        ends = [self.horizons.get(name) for name in names]
        spans = [-1 if end is None else (end - grid.start) // grid.interval for end in ends]
        return max(0, min([grid.count, *spans]))

    def native(self) -> int | None:
        """Return the length of the shortest slot with a price of its own, in seconds."""
        priced = [series for series in self.series.values() if len(series.ends)]
        return min((int((series.ends - series.starts).min()) for series in priced), default=None)


@attrs.frozen(eq=False)
class Dynamic:
    """The slots of one version under the formulas of its charges.

    Attributes:
        grid: The slots whose prices are known.
        formulas: By the code of the charge.
        prices: The prices of the slots, by the code of the charge.

    """

    grid: Grid
    formulas: Mapping[str, SlotFormula]
    prices: Mapping[str, SlotPrices]

    @classmethod
    def of(
        cls, market: Market, formulas: Mapping[str, SlotFormula], of: Part, role: str
    ) -> "Dynamic":
        """Price the slots of a part that the horizon leaves.

        Raises:
            IncompletePrices: A slot before the horizon has no price.
            Invalid: A series is of another unit.

        """
        grid, rounding = of.grid, of.version.rounding
        known = market.known([formula.series for formula in formulas.values()], grid)
        part = Grid(grid.start, grid.interval, known)
        prices = {}
        for code, formula in formulas.items():
            series = market.series[formula.series]
            refuse_unit(series, role)
            prices[code] = formula.complete(series, part, rounding, of.tariff.zone)
        return cls(part, formulas, prices)

    def slots(self) -> Iterator[tuple[dict[str, str], Fraction]]:
        """Yield the components of each slot, and their sum."""
        columns = {code: prices.fractions() for code, prices in self.prices.items()}
        for exact in zip(*columns.values(), strict=True):
            texts = (decimal_text(price, 12) for price in exact)
            yield dict(zip(columns, texts, strict=True)), sum(exact, Fraction(0))


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
    def fixed(self) -> list[tuple[Charge, UnitPrices]]:
        """The charges with rates."""
        return [(charge, prices) for charge, prices in self.charges if prices.formula is None]

    @property
    def formulas(self) -> dict[str, SlotFormula]:
        """The formulas of the others, by the codes of the charges."""
        return {
            charge.code or charge.kind: prices.formula
            for charge, prices in self.charges
            if prices.formula is not None
        }

    @property
    def tiered(self) -> list[str]:
        """The codes of the charges whose rates depend on how much is used."""
        return [charge.code or charge.kind for charge, prices in self.charges if prices.first_tier]

    @property
    def schedules(self) -> dict[Schedule, list[str]]:
        """The schedules, each with the codes of its charges."""
        schedules: dict[Schedule, list[str]] = {}
        for charge, prices in self.charges:
            if prices.schedule is not None:
                schedules.setdefault(prices.schedule, []).append(charge.code or charge.kind)
        return schedules


def series_of_prices(
    tariff: Tariff, role: str, window: tuple[Instant, Instant], parameters: Mapping[str, object]
) -> tuple[str, ...]:
    """Return the names of the price series that prices of *role* need; raises as `prices`."""
    versions = [span.version.filled(parameters) for span in tariff.spans(*window)]
    charges = [charge for version in versions for charge in version.charges]
    unit_prices = [charge.unit_prices() for charge in charges if charge.channel == role]
    names = [
        prices.formula.series
        for prices in unit_prices
        if prices is not None and prices.formula is not None
    ]
    return tuple(dict.fromkeys(names))


def prices(
    tariff: Tariff,
    role: str,
    grid: Grid,
    parameters: Mapping[str, object],
    market: Market = Market(),
) -> Prices:
    """Return what one unit of *role* costs in each slot; a slot has the price at its start.

    Where price series are not known so far ahead, the slots end at their horizon.

    Args:
        tariff: A version of it must be in force at the start of every slot.
        role: The role of the channel.
        grid: The slots.
        parameters: Values for the parameters that charges of these versions ask for.
        market: The price series that the charges need.

    Raises:
        IncompletePrices: A slot before the horizon has no price.
        Invalid: With faults `no_version_in_force` or `no_unit_price`; or below `/parameters`, as
            `Version.filled`.

    """
    priced = [_priced(part, role, parameters) for part in parts(tariff, grid)]
    if not any(version.charges for version in priced):
        raise Invalid.of("no_unit_price", f"no charge has a price per unit of {role}")
    all_runs = list[PriceRun]()
    for version in priced:
        runs = list(_all_runs(version, role, market))
        all_runs += runs
        if sum(run.past - run.first for run in runs) < version.part.grid.count:
            break
    shown = Grid(grid.start, grid.interval, all_runs[-1].past if all_runs else 0)
    ahead = _beyond(tariff, grid, shown, market)
    return Prices(shown, tuple(all_runs), (*_assumptions(priced), *ahead))


def _beyond(tariff: Tariff, grid: Grid, shown: Grid, market: Market) -> Iterator[Assumption]:
    """Tell of the slots that are beyond the horizon of a series."""
    beyond = grid.count - shown.count
    if beyond:
        until = tariff.zone.text(shown.start + shown.interval * shown.count)
        names = ", ".join(market.series)
        message = f"prices of {names} are known until {until}: {beyond} slots after are left out"
        yield Assumption("beyond_horizon", message, beyond)


def _all_runs(priced: _Priced, role: str, market: Market) -> Iterator[PriceRun]:
    """Yield the prices of slots, slot by slot where they are from a series."""
    if not priced.formulas:
        yield from _runs(priced)
        return
    slots = Dynamic.of(market, priced.formulas, priced.part, role).slots()
    for run in _runs(priced):
        fixed = Fraction(run.price)
        for slot, (components, price) in zip(range(run.first, run.past), slots, strict=False):
            total = decimal_text(fixed + price, 12)
            yield PriceRun(slot, slot + 1, total, {**run.components, **components}, run.period)


def _priced(part: Part, role: str, parameters: Mapping[str, object]) -> _Priced:
    charges, others = list[tuple[Charge, UnitPrices]](), list[str]()
    for charge in part.version.filled(parameters).charges:
        prices = charge.unit_prices()
        if prices is None:
            others.append(charge.code or charge.kind)
        elif charge.channel == role:
            charges.append((charge, prices))
    return _Priced(part, tuple(charges), tuple(others))


def _runs(priced: _Priced) -> Iterator[PriceRun]:
    """Yield the prices of slots, as runs of slots of the same periods."""
    part, schedules = priced.part, [prices.schedule for _, prices in priced.fixed]
    calendars = [None if schedule is None else part.calendar(schedule) for schedule in schedules]
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
    for (charge, prices), period in zip(priced.fixed, periods, strict=True):
        code, rate = charge.code or charge.kind, prices.rates[period]
        named = {"": rate} if not isinstance(rate, Components) else rate.components
        for component, part in named.items():
            exact, text = priced.part.version.rounding.rate(part)
            components[f"{code}.{component}" if component else code] = text
            total += exact
    shared = next(filter(None, periods)) if len(priced.schedules) == 1 else None
    return PriceRun(0, 0, decimal_text(total, 12), components, shared)


def _assumptions(priced: Sequence[_Priced]) -> Iterator[Assumption]:
    others = list(dict.fromkeys(code for version in priced for code in version.others))
    if others:
        message = f"not in the price, as they have none per unit: {', '.join(others)}"
        yield Assumption("not_per_unit", message)
    tiered = list(dict.fromkeys(code for version in priced for code in version.tiered))
    if tiered:
        message = f"more usage has other rates; the price is of the first tier: {', '.join(tiered)}"
        yield Assumption("first_tier", message)
    split = Counter[str]()
    for version in priced:
        for schedule, codes in version.schedules.items():
            split[", ".join(codes)] += version.part.calendar(schedule).split
    inside = {f"a boundary between periods of {codes}": slots for codes, slots in split.items()}
    inside["the beginning of a version"] = changes([version.part for version in priced])
    for what, slots in inside.items():
        if slots:
            yield boundary_inside(f"{what} falls", slots, "slots", "has the price at its start")
    calendars = [
        version.part.calendar(schedule) for version in priced for schedule in version.schedules
    ]
    yield from assumed_of(*calendars)
