"""The charge `energy.dynamic`: a price for each slot, from a price series."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
import numpy as np
from msgspec import Meta

from energia import (
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Charge,
    Code,
    Conversion,
    Examples,
    Fault,
    Grid,
    Line,
    Measure,
    Measured,
    Micro,
    Portion,
    Role,
    Rules,
    SlotFormula,
    Slots,
    Step,
    Texts,
    UnitPrices,
    converts_gas,
    hookimpl,
    unit_charged,
)
from energia.pricing.cache import CACHE
from energia.pricing.dates import days_of
from energia.pricing.exact import decimal_text, exact_sum, sums
from energia.time import DAY, Int64, Zone
from energia.units import MICRO

#: The label of what amounts are divided by.
SCALE: Final = "scale"

#: A window of more days is divided by month.
_DAYS: Final = 45

#: More than that does not fit 64 bits.
_LIMIT: Final = 2**63 - 1

#: When the usage of a band is counted from nothing again.
Reset = Literal["bill", "month"]

SeriesName = Annotated[Code, Meta(description="The name of the price series.", examples=["spot"])]


def _floor_is_below_cap(floor: Decimal | None, cap: Decimal | None) -> Iterator[Fault]:
    if floor is not None and cap is not None and floor > cap:
        yield Fault(
            "floor_above_cap", f"the floor {floor} must not be above the cap {cap}", "/floor"
        )


def _band_rises(above: Decimal | None, up_to: Decimal | None) -> Iterator[Fault]:
    if above is not None and up_to is not None and above >= up_to:
        yield Fault("empty_band", f"nothing is above {above} and up to {up_to}", "/up_to")


def _band_is_counted(
    above: Decimal | None, up_to: Decimal | None, reset: Reset | None
) -> Iterator[Fault]:
    if reset is not None and above is None and up_to is None:
        message = "nothing is counted without above and up_to"
        yield Fault("unused_field", message, "/reset")


@attrs.frozen
class Dynamic(BaseCharge):
    """Energy at a price of its own for each slot: `series x multiplier + adder`.

    The price of a slot is the series' price times the multiplier, plus the adder; then it is not
    below the floor, then not above the cap; then it is rounded to the version's
    `unit_price_decimals`, if it has any. Prices may be negative. A price that lasts longer than
    a slot of the meter holds in all of it; a slot without a price is refused.

    Attributes:
        series: The name of the price series.
        multiplier: What its prices are multiplied by.
        adder: What is added for each unit.
        floor: The lowest price of a slot.
        cap: The highest price of a slot.
        finer: What to do with several prices in one slot of the meter: take their mean, weighted by
            time (`average`), or refuse.
        above: Only what is used beyond so much is charged, counted in order of time; and
        up_to: only what is used until so much is. A floor, a cap or a support may so be of a part
            of the energy.
        reset: When usage is counted from nothing again: each bill, which is the default, or each
            calendar month. A part of either has a part of `above` and `up_to`, by days.
        conversion: How a volume of gas becomes the energy that is priced.

    """

    __rules__: ClassVar[Rules] = (_floor_is_below_cap, _band_rises, _band_is_counted, converts_gas)

    kind: ClassVar[str] = "energy.dynamic"
    titles: ClassVar[Texts] = {
        "en": "Energy at market prices",
        "pt-BR": "Energia a preço de mercado",
    }
    examples: ClassVar[Examples] = (
        {"kind": "energy.dynamic", "series": "spot", "adder": "0.021"},
        {
            "kind": "energy.dynamic",
            "series": "spot",
            "multiplier": "1.05",
            "floor": "0",
            "cap": "0.40",
        },
        {
            "kind": "energy.dynamic",
            "series": "spot",
            "multiplier": "-0.9",
            "adder": "0.0675",
            "cap": "0",
            "up_to": "40",
            "reset": "month",
        },
    )

    series: SeriesName
    multiplier: Decimal = Decimal(1)
    adder: Decimal = Decimal(0)
    floor: Decimal | None = None
    cap: Decimal | None = None
    finer: Literal["average", "refuse"] = "average"
    above: Annotated[Decimal, Meta(ge=0)] | None = None
    up_to: Annotated[Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0})] | None = None
    reset: Reset | None = None
    conversion: Conversion | None = None

    def unit_prices(self) -> UnitPrices | None:
        """Return the formula, where it is that of the first unit: it differs from slot to slot."""
        if self.above or self.conversion is not None:
            return None
        return UnitPrices({}, formula=self._formula, first_tier=self.up_to is not None)

    @property
    def _band(self) -> "Band | None":
        if self.above is None and self.up_to is None:
            return None
        return Band(self.above, self.up_to, self.reset or "bill")

    @property
    def _formula(self) -> SlotFormula:
        return SlotFormula(
            self.series, self.multiplier, self.adder, self.floor, self.cap, self.finer
        )

    def measures(self) -> dict[str, Measure]:
        """Measure energy, slots and amounts by local day, or by month."""
        energy = EnergyByDay(self.channel, self._band)
        measures: dict[str, Measure] = {
            "energy": energy,
            "slots": SlotsByDay(self.channel, self._band),
            "amounts": AmountByDay(self._formula, self.channel, self._band),
        }
        if (gas := self.conversion) is None:
            return measures
        converted = {name: gas.measure(measure) for name, measure in measures.items()}
        return {**converted, "energy": gas.measure(energy, tells=True)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge what all slots cost; the days or months are its steps."""
        steps = tuple(self._steps(measured))
        total = Fraction(sum(measured["energy"].values()), MICRO)
        amount = exact_sum(step.value for step in steps)
        unit = unit_charged(self.channel, self.conversion)
        yield self.line(total, None, unit, amount=amount, steps=steps)

    def _steps(self, measured: Measured) -> Iterator[Step]:
        """Yield what each day or month costs: its energy at its average price."""
        unit = unit_charged(self.channel, self.conversion)
        scale = measured["amounts"][SCALE]
        for label, micro in measured["energy"].items():
            value, used = Fraction(measured["amounts"][label], scale), Fraction(micro, MICRO)
            slots = f"{measured['slots'][label]} slots"
            text = f"{decimal_text(used)} {unit} in {slots} at {self._formula.text()}"
            if micro:
                average = decimal_text(value / used, 8)
                text = f"{decimal_text(used)} {unit} x {average}, on average of {slots}"
            yield Step(label, text, value)


@attrs.frozen(cache_hash=True)
class Band:
    """What is used beyond an amount and until another one, counted in order of time.

    The slot that crosses a bound is split. Bounds are whole micro-units, the part of one that
    proration leaves is dropped. Usage below zero takes back what was counted.

    Attributes:
        above: What is not in it; None for nothing.
        up_to: Where it ends; None for nowhere.
        reset: When usage is counted from nothing again.

    """

    above: Decimal | None
    up_to: Decimal | None
    reset: Reset

    def of(self, slots: Slots, role: Role) -> Portion:
        """Return the usage of *role* that is in the band."""
        part = slots.portion(role)
        if not part.grid.count:
            return part
        shares = self._shares(slots)
        windows = self._windows(part.grid, slots.zone)
        names, first, window = np.unique(windows, return_index=True, return_inverse=True)
        values: Micro = part.values
        if part.largest * len(values) > _LIMIT:
            values = values.astype(object)  # Python's integers, as their sum may not fit
        total = np.cumsum(values)
        after = total - (total - values)[first][window]
        before = after - values
        for bound, bounded in ((self.above, np.maximum), (self.up_to, np.minimum)):
            if bound is not None:
                limits = _scaled(bound, [shares[name] for name in names.tolist()])[window]
                after, before = bounded(after, limits), bounded(before, limits)
        return Portion(part.grid, after - before, part.largest)

    def _windows(self, grid: Grid, zone: Zone) -> Int64:
        """Return the number of the window of each slot: the month since 1970-01, or 0."""
        if self.reset == "bill":
            return np.zeros(grid.count, np.int64)
        days = (zone.local(grid.starts) // DAY).astype("datetime64[D]")
        # Where the clock goes back over midnight the new month has begun already.
        return np.maximum.accumulate(days.astype("datetime64[M]").astype(np.int64))

    def _shares(self, slots: Slots) -> dict[int, Fraction]:
        """Return which part of each window is priced, by days."""
        days = slots.local_days()
        if self.reset == "bill":
            whole = slots.bill_days().number
            shares = {0: Fraction(days.number, whole)}
        else:
            counts = days.by_month.items()
            shares = {
                int(np.datetime64(month, "M").astype(np.int64)): Fraction(count, days_of(month))
                for month, count in counts
            }
        if any(share != 1 for share in shares.values()):
            message = f"above and up_to count by the days of the {self.reset} that are priced"
            slots.assume("prorated_by_days", message)
        return shares


def _scaled(bound: Decimal, shares: list[Fraction]) -> "np.typing.NDArray[Any]":
    """Return the parts of *bound* in whole micro-units; no sum of 64 bits is above the limit."""
    return np.array([min(floor(Fraction(bound) * MICRO * share), _LIMIT) for share in shares])


def _portion(slots: Slots, role: Role, band: Band | None) -> Portion:
    return slots.portion(role) if band is None else band.of(slots, role)


@attrs.frozen(cache_hash=True)
class EnergyByDay(BaseMeasure):
    """The sum of a channel in each local day, or month, in micro-units."""

    channel: Role = "import"
    band: Band | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums."""
        part = _portion(slots, self.channel, self.band)
        pieces = parts(part.grid, slots.zone)
        return _added(pieces, _sums(part.values, part.largest, pieces))


@attrs.frozen
class Part:
    """Consecutive slots of one local day or month."""

    label: str
    first: int
    past: int


@CACHE.memo
def parts(grid: Grid, zone: Zone) -> list[Part]:
    """Return the slots of each local day; of each month, where there are many days."""
    if not grid.count:
        return []
    days = zone.local(grid.starts) // DAY
    dates = days.astype("datetime64[D]")
    if len(np.unique(days)) > _DAYS:
        dates = dates.astype("datetime64[M]")
    bounds = np.flatnonzero(np.append(True, dates[1:] != dates[:-1]))
    ends = [*bounds[1:].tolist(), grid.count]
    labels = np.datetime_as_string(dates[bounds]).tolist()
    return [Part(*row) for row in zip(labels, bounds.tolist(), ends, strict=True)]


def _added(pieces: list[Part], values: list[int]) -> dict[str, int]:
    """Add the values up by label: a local day may come back for an hour."""
    by_label: dict[str, int] = {}
    for part, value in zip(pieces, values, strict=True):
        by_label[part.label] = by_label.get(part.label, 0) + value
    return by_label


def _sums(values: Micro, largest: int, pieces: list[Part]) -> list[int]:
    """Return the exact sum of *values* in each part."""
    if not pieces:
        return []
    bounds: Int64 = np.array([part.first for part in pieces], np.int64)
    if values.dtype == object:  # Python's integers, which never overflow
        return [int(number) for number in np.add.reduceat(values, bounds)]
    each = np.arange(len(bounds), dtype=np.int64)
    return sums(values, largest, bounds, each, each)


@attrs.frozen(cache_hash=True)
class SlotsByDay(BaseMeasure):
    """How many slots each local day, or month, has; with a band, how many have usage in it."""

    channel: Role = "import"
    band: Band | None = None
    is_amount = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The role whose slots they are."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count them."""
        portion = _portion(slots, self.channel, self.band)
        pieces = parts(portion.grid, slots.zone)
        if self.band is None:
            return _added(pieces, [part.past - part.first for part in pieces])
        return _added(pieces, _sums((portion.values != 0).astype(np.int64), 1, pieces))


@attrs.frozen(cache_hash=True)
class AmountByDay(BaseMeasure):
    """What the slots of each local day, or month, cost: amounts in `1/scale` of the currency."""

    formula: SlotFormula
    channel: Role = "import"
    band: Band | None = None
    is_amount = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is priced."""
        return (self.channel,)

    @property
    def series(self) -> tuple[str, ...]:
        """The series of the prices."""
        return (self.formula.series,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Multiply slot by slot, and add up; raises as `Slots.prices`."""
        part = _portion(slots, self.channel, self.band)
        prices = slots.prices(self.formula, self.channel)
        if len(prices.averaged):
            slots.assume(
                "prices_averaged",
                f"{len(prices.averaged)} slots of {self.channel} have several prices of "
                f"{self.formula.series}: each has their mean, weighted by time",
                len(prices.averaged),
            )
        pieces = parts(part.grid, slots.zone)
        values, largest = _products(part, prices.values)
        amounts = _added(pieces, _sums(values, largest, pieces))
        return {SCALE: prices.scale * MICRO, **amounts}


def _products(part: Portion, prices: Micro) -> tuple[Micro, int]:
    """Return what each slot costs, and a bound of it; in Python's numbers if 64 bits may not do."""
    largest = part.largest * (int(abs(prices).max()) if len(prices) else 0)
    if largest > _LIMIT:
        return part.values.astype(object) * prices, largest
    return part.values * prices, largest


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Dynamic]
