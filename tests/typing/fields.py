"""The part of the plugin for the type checker that has fields, rules and measures of its own."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar

import attrs

from energia import (
    ACTUAL,
    QUALITIES,
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Calendar,
    Check,
    Code,
    Components,
    Currency,
    DayTable,
    DayTypes,
    Fault,
    FromTime,
    Grid,
    Invalid,
    Line,
    LocalDays,
    Measure,
    Measured,
    Micro,
    Name,
    Portion,
    PriceUnit,
    Rate,
    RateParts,
    Role,
    Rule,
    Rules,
    Schedule,
    SlotLength,
    Slots,
    Tags,
    ToTime,
    Unfit,
    UnitName,
    ZoneOrOffset,
    enforce,
    faults_of_periods,
    parse,
    structure,
    unit_of,
)
from energia.convert.scalars import decimal
from energia.pricing.bands import Bound, band_of, blocks, faults_of_bands
from energia.pricing.dates import BillDates, Table, bill_of, window_of
from energia.pricing.demand import BaseDemand, Intervals, Part, components_of, unit_fits
from energia.pricing.exact import decimal_text, fraction, total
from energia.time import DAY, HOUR, Instant, Zone, instant_of, seconds_in
from energia.units import MICRO, POWER_UNITS


def _even(value: int) -> None:
    if value % 2:
        raise Unfit("odd", "the number must be even")


@attrs.frozen
class Window:
    """When something is, and of what.

    Attributes:
        from_: When it begins.
        to: When it ends.
        pairs: How often.

    """

    __rules__: ClassVar[Rules] = ()

    from_: FromTime
    to: ToTime
    pairs: Annotated[int, Check(_even)] = 2

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    @property
    def schedule(self) -> Schedule:
        """The window as a period of a schedule."""
        return Schedule((Rule("inside", from_=self.from_, to=self.to),), "else")


@attrs.frozen
class Settings:
    """Settings of many types."""

    currency: Currency = "EUR"
    unit: UnitName = "kWh"
    priced: PriceUnit = "kWh"
    zone: ZoneOrOffset = "UTC"
    interval: SlotLength | None = None


@attrs.frozen(cache_hash=True)
class Highest(BaseMeasure):
    """The highest slot inside of a window, and how long the bill is."""

    schedule: Schedule
    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is looked at."""
        return (self.channel,)

    @property
    def unit(self) -> str | None:
        """Millionths of a unit of power."""
        return POWER_UNITS.get(unit_of(self.channel))

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Look at the arrays themselves."""
        part: Portion = slots.portion(self.channel)
        grid: Grid = part.grid
        calendar: Calendar = Calendar.of(self.schedule, slots.types, slots.zone, grid)
        values: Micro = part.values
        days: LocalDays = slots.local_days()
        table = DayTable.of(self.schedule, DayTypes(), slots.start, slots.end - 1)
        hours = HOUR // grid.interval
        return {
            "highest": int(values.max()) * hours,
            "total": total(values, part.largest),
            "days": days.number,
            "runs": len(calendar.bounds) + len(table.keys_at(grid.starts)),
            "intervals": len(Intervals.of(slots, self.channel, 900).first),
        }


@attrs.frozen
class Band:
    """A band of a quantity."""

    up_to: Bound | None
    rate: Rate


def _bands_follow(bands: tuple[Band, ...], schedule: Schedule, rates: RateParts) -> Iterator[Fault]:
    yield from faults_of_bands(bands, "/bands")
    yield from faults_of_periods(schedule, rates)


@attrs.frozen
class Banded(BaseCharge):
    """A price by the band of what was charged before."""

    __rules__: ClassVar[Rules] = (_bands_follow,)
    kind: ClassVar[str] = "acme.banded"

    bands: tuple[Band, ...]
    schedule: Schedule
    rates: RateParts
    name: Name = "band"
    about: Code | None = None
    marks: Tags = ()

    def measures(self) -> dict[str, Measure]:
        """Ask for the dates, and for a peak."""
        return {"dates": BillDates(), "highest": Highest(self.schedule, self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge what the table says."""
        whole = sum((line.exact_amount for line in bill.lines), Fraction(0))
        table = Table.of_months({"2026-03": Decimal(2)})
        band = self.bands[band_of(self.bands, whole) or 0]
        share = Fraction(window_of(measured["dates"]).days, bill_of(measured["dates"]).days)
        rate = band.rate.components[self.name] if isinstance(band.rate, Components) else band.rate
        if not table.entries or not blocks(self.bands, whole):
            raise Invalid(f"nothing is known of {decimal_text(whole)}")
        yield self.line(share * fraction(rate) / MICRO, Decimal(1), "day")


@attrs.frozen(kw_only=True)
class Subscribed(BaseDemand):
    """A demand that is charged at one rate, whatever else is said."""

    __rules__: ClassVar[Rules] = (unit_fits,)
    kind: ClassVar[str] = "acme.subscribed"

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge it."""
        demands = self.billed(measured, bill.state)
        for period, parts in self.parts(demands, measured).items():
            part: Part = parts[0]
            for component, rate in components_of(self.base_rate):
                yield self.line(part.quantity, rate, period=period, component=component)


def read(content: bytes, zone: Zone) -> tuple[Decimal, Instant, str]:
    """Read an answer."""
    settings = structure(parse(content), Settings)
    length = seconds_in(settings.interval) if settings.interval else DAY
    return decimal("1.5"), instant_of(zone.datetime(length)), QUALITIES[ACTUAL]
