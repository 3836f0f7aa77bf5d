"""Gas that is metered as a volume and charged as energy: by declared factors, never guessed ones.

A bill says how much energy a volume is: the volume at standard conditions (the volume correction)
times what a unit of it gives when it burns (the calorific value), which changes from day to day.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
import numpy as np
from msgspec import Meta

from energia.convert.structures import Rules, enforce
from energia.errors import Fault, Invalid
from energia.metering.series import Micro
from energia.pricing.calendar import Calendar
from energia.pricing.charges import BaseMeasure, Measure, Role, Step, unit_of
from energia.pricing.dates import Entry, Table, range_ends_later
from energia.pricing.exact import decimal_text, sums
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Portion, Slots
from energia.time import DAY, Int64, day_number, day_of
from energia.units import MICRO, unit

__all__ = ["Conversion"]

#: The label of all energy, where no schedule divides it.
TOTAL: Final = "total"
_LIMIT: Final = 2**63 - 1

#: The unit of energy that is charged.
EnergyUnit = Literal["kWh", "MJ", "GJ", "therm", "MMBtu"]
#: How much energy a volume has: the units of both.
CalorificUnit = Literal["MJ/m3", "kWh/m3", "MJ/ft3", "Btu/ft3", "therm/ccf", "MMBtu/Mcf"]
Value = Annotated[Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0}, examples=["39.2"])]


@attrs.frozen(cache_hash=True)
class CalorificValue:
    """A calorific value, and when it holds.

    Attributes:
        value: How much energy a unit of volume has.
        from_: The first day.
        to: The day after the last one; without it, the value holds until the next one begins.

    """

    __rules__: ClassVar[Rules] = (range_ends_later,)

    value: Value
    from_: date
    to: date | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a value that ends before it begins."""
        enforce(self)


def _one_or_dated(
    calorific_value: Decimal | None, calorific_values: Sequence[CalorificValue] | None
) -> Iterator[Fault]:
    if (calorific_value is None) == (calorific_values is None):
        message = "give either calorific_value, or calorific_values by date"
        yield Fault("value_or_values", message, "/calorific_value")
    for index, (before, after) in enumerate(pairwise(calorific_values or ()), 1):
        if after.from_ < (before.to or before.from_) or after.from_ == before.from_:
            message = f"the value must not begin before the one of {before.from_} ends"
            yield Fault("ranges_overlap", message, f"/calorific_values/{index}/from")


@attrs.frozen(cache_hash=True)
class Conversion:
    """How a metered volume of gas becomes the energy that is charged.

    Energy is in whole micro-units: the running total of the volume is converted, so that nothing is
    lost or gained from slot to slot.

    Attributes:
        calorific_unit: The units of calorific values, such as `MJ/m3`.
        calorific_value: The calorific value, on all days; or
        calorific_values: those of days of the site's zone, in order.
        volume_correction: What volumes are multiplied by: temperature and pressure; 1 without.
        unit: The unit of the energy that is charged; kWh without.

    """

    __public_name__: ClassVar[str] = "GasConversion"

    __rules__: ClassVar[Rules] = (_one_or_dated,)

    calorific_unit: CalorificUnit
    calorific_value: Value | None = None
    calorific_values: (
        Annotated[tuple[CalorificValue, ...], Meta(min_length=1, max_length=10_000)] | None
    ) = None
    volume_correction: Value | None = None
    unit: EnergyUnit | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse two values of one day, and none."""
        enforce(self)

    @property
    def into(self) -> str:
        """The unit of the energy that is charged."""
        return self.unit or "kWh"

    def measure(self, of: Measure, *, tells: bool = False) -> "Converted":
        """Return what *of* measures, of the energy instead of the volume.

        With *tells* the arithmetic is an assumption of the cost: of charges whose lines have other
        steps.
        """
        return Converted(of, self, tells)

    def volumes(self, channel: Role, schedule: Schedule | None = None) -> "Volumes":
        """Return the measure of what is converted by each calorific value, in each period."""
        return Volumes(self, channel, schedule)

    def steps(self, volumes: Mapping[str, int], period: str = TOTAL) -> Iterator[Step]:
        """Yield how the energy of a period came about; they add up to it.

        Args:
            volumes: What `volumes` measured.
            period: The period of the schedule.

        """
        for label, energy in volumes.items():
            of, _, rest = label.partition("@")
            since, _, what = rest.partition(":")
            if of == period and what == "energy":
                volume = volumes[f"{of}@{since}:volume"]
                yield Step(
                    f"calorific value from {since}" if since else "calorific value",
                    self._text(volume, self._value(since)),
                    Fraction(energy, MICRO),
                )

    def _text(self, volume: int, value: Decimal) -> str:
        corrected = "" if self.volume_correction is None else f" x {self.volume_correction:f}"
        text = f"{decimal_text(Fraction(volume, MICRO))} m3{corrected} x {value:f}"
        return f"{text} {self.calorific_unit}{self._unit_text()}"

    def _unit_text(self) -> str:
        """Return what units are converted by: ` / 3.6` from MJ to kWh."""
        factor = self._of_units
        if factor == 1:
            return ""
        if factor.numerator == 1:
            return f" / {factor.denominator}"
        inverse = 1 / factor
        exact = decimal_text(inverse)
        return f" / {exact}" if Fraction(exact) == inverse else f" x {factor}"

    @cached_property
    def _of_units(self) -> Fraction:
        energy, _, volume = self.calorific_unit.partition("/")
        return unit(energy).factor / unit(volume).factor / unit(self.into).factor

    def _factor(self, value: Decimal) -> Fraction:
        """Return the energy of a cubic metre as it is metered."""
        return Fraction(value) * Fraction(self.volume_correction or 1) * self._of_units

    def _value(self, since: str) -> Decimal:
        return next(entry.value for entry in self._table.entries if entry.label == since)

    @cached_property
    def _table(self) -> Table:
        if self.calorific_value is not None:
            return Table((Entry("", date.min, None, self.calorific_value),))
        dated = self.calorific_values or ()
        following = [*(value.from_ for value in dated[1:]), None]
        return Table(
            tuple(
                Entry(value.from_.isoformat(), value.from_, value.to or end, value.value)
                for value, end in zip(dated, following, strict=True)
            )
        )

    def spans(self, slots: Slots, role: Role) -> list[tuple[Entry, slice]]:
        """Return the slots of *role* in each calorific value, in order of time.

        Raises:
            Invalid: A day has no calorific value (fault `missing_calorific_value`).

        """
        grid = slots.portion(role, ()).grid
        if not grid.count:
            return []
        # Where the clock goes back over midnight the new day has begun already.
        days: Int64 = np.maximum.accumulate(slots.zone.local(grid.starts) // DAY)
        spans, at = list[tuple[Entry, slice]](), 0
        while at < grid.count:
            day = day_of(int(days[at]))
            entry = self._table.at(day)
            if entry is None:
                message = f"there is no calorific value of {day}: nothing is taken for one"
                raise Invalid.of("missing_calorific_value", message)
            past = grid.count
            if entry.to is not None:
                past = int(np.searchsorted(days, day_number(entry.to)))
            spans.append((entry, slice(at, past)))
            at = past
        slots.portion(role, [grid.start + grid.interval * span.start for _, span in spans[1:]])
        return spans

    def energy(self, slots: Slots, role: Role) -> Portion:
        """Return the energy of each slot of *role*, in micro-units; raises as `spans`."""
        return self.convert(slots.portion(role, ()), self.spans(slots, role))

    def convert(self, part: Portion, spans: Sequence[tuple[Entry, slice]]) -> Portion:
        """Return the energy of each slot of a volume, by the calorific values of its *spans*."""
        parts = [
            _converted(part.values[span], part.largest, self._factor(entry.value))
            for entry, span in spans
        ]
        values: Micro = np.concatenate(parts) if parts else part.values
        largest = int(abs(values).max()) if len(values) else 0
        return attrs.evolve(part, values=values, largest=largest)


def _converted(values: Micro, largest: int, factor: Fraction) -> Micro:
    """Return *values* times *factor*: differences of the running total, each rounded half up."""
    above, below = factor.numerator, factor.denominator
    total: Any = np.cumsum(values)
    if largest * len(values) * 2 * above + below > _LIMIT:
        total = np.cumsum(values.astype(object))  # Python's integers never overflow
    rounded = (2 * above * total + below) // (2 * below)
    energy: Micro = np.diff(rounded, prepend=0).astype(np.int64)
    return energy


@attrs.frozen(cache_hash=True)
class Converted(BaseMeasure):
    """A measure of gas, of its energy instead of its volume.

    Attributes:
        of: The measure.
        conversion: How the volume becomes energy.
        tells: Whether the arithmetic is an assumption.

    """

    of: Measure
    conversion: Conversion
    tells: bool = False

    @property
    def roles(self) -> Sequence[str]:
        """The roles whose readings it takes."""
        return self.of.roles

    @property
    def series(self) -> Sequence[str]:
        """The price series whose prices it takes."""
        return self.of.series

    @property
    def seconds(self) -> int:
        """The length of the spans that it looks at as one."""
        return self.of.seconds

    @property
    def schedule(self) -> Schedule | None:
        """The schedule by which slots have periods."""
        return self.of.schedule

    @property
    def all_slots(self) -> bool:
        """Whether without a schedule every slot of the role counts."""
        return self.of.all_slots

    @property
    def unit(self) -> str | None:
        """The unit of the energy."""
        return self.conversion.into

    @property
    def is_amount(self) -> bool:
        """Whether the integers are money."""
        return self.of.is_amount

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the measure of the energy."""
        portions = {role: self.conversion.energy(slots, role) for role in self.of.roles}
        for role in self.of.roles if self.tells else ():
            for step in self.conversion.steps(self.conversion.volumes(role).evaluate(slots)):
                energy = f"{decimal_text(step.value)} {self.conversion.into}"
                message = f"{role}, {step.description}: {step.expression} = {energy}"
                slots.assume("converted", message)
        units = dict.fromkeys(self.of.roles, self.conversion.into)
        changed = attrs.evolve(slots, portions={**slots.portions, **portions}, units=units)
        return self.of.evaluate(changed)


@attrs.frozen(cache_hash=True)
class Volumes(BaseMeasure):
    """What is converted by each calorific value: `peak@2026-02-01:volume` and `...:energy`.

    Without a schedule the period is `total`; without dated values the date is left away.
    """

    conversion: Conversion
    channel: Role
    by: Schedule | None = None
    unit = "m3"
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is converted."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the sums of volumes and of energy."""
        volume = slots.portion(self.channel, ())
        spans = self.conversion.spans(slots, self.channel)
        energy = self.conversion.convert(volume, spans)
        result = dict[str, int]()
        for entry, span in spans:
            begin = volume.grid.start + span.start * volume.grid.interval
            end = volume.grid.start + span.stop * volume.grid.interval
            for what, part in (("volume", volume), ("energy", energy)):
                inside = part.between(begin, end)
                for period, micro in self._by_period(slots, inside).items():
                    result[f"{period}@{entry.label}:{what}"] = micro
        return result

    def _by_period(self, slots: Slots, part: Portion) -> Mapping[str, int]:
        if self.by is None:
            each = np.zeros(1, np.int64)
            return {TOTAL: sums(part.values, part.largest, each, each, each)[0]}
        calendar = Calendar.of(self.by, slots.types, slots.zone, part.grid)
        return calendar.sums(part.values, part.largest)


def converts_gas(conversion: Conversion | None, channel: str) -> Iterator[Fault]:
    """Refuse to convert what is no volume of gas: a rule of charges that have both fields."""
    if conversion is not None and not channel.startswith("gas_volume."):
        message = f"only gas_volume becomes energy by a calorific value, not {channel}"
        yield Fault("wrong_channel", message, "/conversion")


def unit_charged(channel: str, conversion: Conversion | None) -> str:
    """Return the unit in which a role is charged."""
    return unit_of(channel) if conversion is None else conversion.into
