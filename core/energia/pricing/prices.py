"""What one unit costs in each slot, by component, with taxes and what else is a part of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, repeat

import attrs
import numpy as np

from energia.errors import Invalid
from energia.pricing.all_in import AllIn, Era, UnitBill, eras
from energia.pricing.calendar import Calendar, Grid
from energia.pricing.charges import Charge, PriceChanges, UnitPrices, code_of
from energia.pricing.market.series import PriceSeries, SlotFormula, SlotPrices, refuse_unit
from energia.pricing.parts import Part, changes, parts
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Assumption, assumed_of, boundary_inside
from energia.pricing.tariffs import Tariff
from energia.time import Instant, Int64
from energia.work import checkpoint


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

    def slots(self) -> Iterator[dict[str, Fraction]]:
        """Yield the prices of each slot, by the codes of the charges."""
        columns = {code: prices.fractions() for code, prices in self.prices.items()}
        for exact in zip(*columns.values(), strict=True):
            yield dict(zip(columns, exact, strict=True))


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
    """The slots of one version, and its charges.

    Attributes:
        part: The slots and the version.
        charges: The charges with a price per unit of the role.
        order: All charges, in their order.
        others: The codes of charges that have no part in a price per unit.
        unknown: The codes of charges whose part is not known on some day of the slots.
        eras: What later charges make of the prices, from which slot on.

    """

    part: Part
    charges: tuple[tuple[Charge, UnitPrices], ...]
    order: tuple[Charge, ...]
    others: tuple[str, ...]
    unknown: tuple[str, ...]
    eras: tuple[Era, ...]

    @cached_property
    def unit_prices(self) -> dict[str, UnitPrices]:
        """The prices per unit, by the codes of the charges."""
        return {code_of(charge): prices for charge, prices in self.charges}

    @property
    def fixed(self) -> list[tuple[Charge, UnitPrices]]:
        """The charges with rates."""
        return [(charge, prices) for charge, prices in self.charges if prices.formula is None]

    @property
    def formulas(self) -> dict[str, SlotFormula]:
        """The formulas of the others, by the codes of the charges."""
        return {
            code_of(charge): prices.formula
            for charge, prices in self.charges
            if prices.formula is not None
        }

    @property
    def tiered(self) -> list[str]:
        """The codes of the charges whose rates depend on how much is used."""
        return [code_of(charge) for charge, prices in self.charges if prices.first_tier]

    @property
    def schedules(self) -> dict[Schedule, list[str]]:
        """The schedules, each with the codes of its charges."""
        schedules: dict[Schedule, list[str]] = {}
        for charge, prices in self.charges:
            if prices.schedule is not None:
                schedules.setdefault(prices.schedule, []).append(code_of(charge))
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
        yield from (run.priced for run in _runs(priced))
        return
    slots = Dynamic.of(market, priced.formulas, priced.part, role).slots()
    for run in _runs(priced):
        for slot, given in zip(range(run.first, run.past), slots, strict=False):
            checkpoint()
            price, components = run.all_in.prices(given)
            yield PriceRun(slot, slot + 1, price, components, run.period)


def _priced(part: Part, role: str, parameters: Mapping[str, object]) -> _Priced:
    order, charges, later = part.version.filled(parameters).charges, [], []
    for charge in order:
        prices = charge.unit_prices()
        if prices is None:
            later.append(charge)
        elif charge.channel == role:
            charges.append((charge, prices))
    of_days, unknown = eras(later, part.grid, part.tariff.zone)
    changing = {code for era in of_days for code in era.changes}.union(unknown)
    others = tuple(code for code in map(code_of, later) if code not in changing)
    return _Priced(part, tuple(charges), order, others, unknown, of_days)


@attrs.frozen
class _Run:
    """Slots [first, past) whose price is made in the same way."""

    first: int
    past: int
    all_in: AllIn
    period: str | None

    @cached_property
    def priced(self) -> PriceRun:
        """The prices, where none is from a series."""
        return PriceRun(self.first, self.past, *self.all_in.prices(), self.period)


def _runs(priced: _Priced) -> Iterator[_Run]:
    """Yield runs of slots of the same periods, on days of the same taxes."""
    part, schedules = priced.part, [prices.schedule for _, prices in priced.fixed]
    calendars = [None if schedule is None else part.calendar(schedule) for schedule in schedules]
    starts = [era.first for era in priced.eras]
    bounds = np.unique(np.concatenate([starts, *(c.bounds for c in calendars if c is not None)]))
    names = zip(*(_periods(calendar, bounds) for calendar in calendars), strict=True)
    of_bounds = (np.searchsorted(starts, bounds, side="right") - 1).tolist()
    known: dict[tuple[int, tuple[str, ...]], AllIn] = {}
    edges = pairwise([*bounds.tolist(), part.grid.count])
    runs = zip(edges, names if calendars else repeat(()), of_bounds, strict=False)
    for (first, past), periods, era in runs:
        checkpoint()
        if (era, periods) not in known:
            known[era, periods] = _all_in(priced, periods, priced.eras[era].changes)
        period = next(filter(None, periods)) if len(priced.schedules) == 1 else None
        yield _Run(part.first + first, part.first + past, known[era, periods], period)


def _periods(calendar: Calendar | None, slots: Int64) -> list[str]:
    """Return the period at each of *slots*; "" without a schedule."""
    if calendar is None:
        return [""] * len(slots)
    runs = np.searchsorted(calendar.bounds, slots, side="right") - 1
    return [calendar.periods[key] for key in calendar.keys[runs].tolist()]


def _all_in(priced: _Priced, periods: Sequence[str], changes: Mapping[str, PriceChanges]) -> AllIn:
    """Return how all charges together make the price in slots of *periods*."""
    of_fixed = dict(zip((code_of(charge) for charge, _ in priced.fixed), periods, strict=True))
    bill = UnitBill(priced.part.version.rounding)
    for charge in priced.order:
        code = code_of(charge)
        if code in changes:
            bill.change(charge, changes[code])
        elif code in priced.unit_prices:
            prices, period = priced.unit_prices[code], of_fixed.get(code, "")
            rate = prices.rates[period] if prices.formula is None else None
            bill.state(charge, rate, period)
    return bill.all_in()


def _assumptions(priced: Sequence[_Priced]) -> Iterator[Assumption]:
    others = list(dict.fromkeys(code for version in priced for code in version.others))
    if others:
        message = f"not in the price, as they have none per unit: {', '.join(others)}"
        yield Assumption("not_per_unit", message)
    unknown = list(dict.fromkeys(code for version in priced for code in version.unknown))
    if unknown:
        message = f"not in the price, as they have no rate on some day: {', '.join(unknown)}"
        yield Assumption("rate_unknown", message)
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
