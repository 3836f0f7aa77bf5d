"""The charge `reactive`: reactive energy and demand beyond a power factor, or beyond a share."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from energia import (
    AcrossVersions,
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Charge,
    Energy,
    EnergyByPeriod,
    Examples,
    Fault,
    FromTime,
    Invalid,
    Line,
    Measure,
    Measured,
    Micro,
    Period,
    Role,
    Rule,
    Rules,
    Schedule,
    Selection,
    Slots,
    Step,
    Texts,
    ToTime,
    enforce,
    faults_of_periods,
    hookimpl,
)
from energia.pricing.demand import AT, TOTAL, Interval, Intervals, PowerFactor
from energia.pricing.exact import RateRounding, decimal_text, exact_sum
from energia.pricing.wording import ENGLISH, in_language
from energia.time import Int64, seconds_in
from energia.units import MICRO

_OVERRUN: Final = "overrun"
#: What the two parts are called.
_COMPONENTS: Final[Mapping[str, Texts]] = {
    "energy": {"en": "energy", "pt-BR": "energia"},
    "demand": {"en": "demand", "pt-BR": "demanda"},
}

_UNIT: Final = "kW"

CAPACITIVE: Final = "capacitive"

#: Into so many parts a micro-unit is divided for square roots.
_PARTS: Final = 10**6

#: 4 x the square of that: the root of so much more is twice as many parts.
_SQUARE: Final = 4 * _PARTS**2

#: The squares of two numbers below this add up to less than 2^63.
_WITHIN_64_BITS: Final = 2**31

#: Far more than a few roundings of doubles, relatively.
_MARGIN: Final = 1e-12

_HOUR: Final = 3600

Floats = npt.NDArray[np.float64]

#: One price, or that of each period.
Prices: TypeAlias = Decimal | Annotated[dict[Period, Decimal], Meta(min_length=1)]


@attrs.frozen(cache_hash=True)
class Band:
    """Reactive energy beyond a share of the active, up to that of the next band.

    Attributes:
        over_percent: Of the active energy.
        rate: The price of a kvarh.

    """

    __public_name__: ClassVar[str] = "ReactiveBand"

    over_percent: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]
    rate: Decimal


NotNegative = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]

Bands: TypeAlias = Annotated[tuple[Band, ...], Meta(min_length=1, max_length=20)]


def bands_rise(bands: Bands | None) -> Iterator[Fault]:
    """Refuse bands that do not begin one above the other."""
    for index, band in enumerate(bands or ()):
        below = bands[index - 1].over_percent if index and bands else None
        if below is not None and band.over_percent <= below:
            message = f"each band begins above the one before: more than {below}"
            yield Fault("not_increasing", message, f"/bands/{index}/over_percent")


@attrs.frozen(cache_hash=True)
class Excess(BaseMeasure):
    """Reactive energy, in micro-kvarh, or demand, in micro-kvar, beyond a power factor.

    With P and Q, the active and the reactive energy of an interval, its power factor f is P / S,
    where S = sqrt(P^2 + Q^2). What ANEEL's REN 1000/2021 (art. 302 to 304) charges is

    * energy: the sum of P x (fR / f - 1) = fR x S - P, where f is below fR;
    * demand: the highest P x fR / f = fR x S.

    S is irrational, so it is calculated to 1e-12 kVAh, the nearest; all else is exact, and the
    result is rounded once, half to even, to 1e-6. The same readings give the same on every machine.

    Labels: each period of the schedule, or `total`; demand also says when its highest interval
    begins: `total@2026-03-02T18:00:00-03:00`.

    Attributes:
        active: The role of P.
        inductive: The role of Q.
        power_factor: fR.
        seconds: The length of the intervals.
        of: Whether energy is added up, or the highest demand is sought.
        schedule: The periods.
        capacitive: The role of Q in the window; without one, only inductive energy counts.
        window: A schedule; in its period `capacitive` only capacitive energy counts.

    """

    active: str
    inductive: str
    power_factor: Decimal
    seconds: int
    of: Literal["energy", "demand"]
    schedule: Schedule | None = None
    capacitive: str | None = None
    window: Schedule | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are measured."""
        return (self.active, self.inductive, *((self.capacitive,) if self.capacitive else ()))

    @property
    def unit(self) -> str:
        """The unit that the values are millionths of."""
        return "kvarh" if self.of == "energy" else "kvar"

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return what is beyond the power factor in each period.

        Raises:
            Invalid: The readings are coarser than the intervals, or those of the roles begin at
                different times.

        """
        active = Intervals.of(slots, self.active, self.seconds)
        powers = _Powers.of(active.power, self._reactive(slots, active))
        labels: dict[str, int] = {}
        for period, indexes in self._periods(slots, active):
            if not len(indexes):
                continue
            if self.of == "energy":
                labels[period] = self._energy(powers, indexes)
            else:
                index, root = powers.highest(indexes)
                time = slots.zone.text(int(active.starts[index]))
                value = round(Fraction(self.power_factor) * Fraction(root, _PARTS))
                labels |= {period: value, f"{period}{AT}{time}": value}
        return labels

    def _reactive(self, slots: Slots, active: Intervals) -> Micro:
        """Return the reactive energy of each interval that counts, as power."""
        inductive = self._like(slots, self.inductive, active)
        if self.capacitive is None or self.window is None:
            return inductive.power
        capacitive = self._like(slots, self.capacitive, active)
        names = self.window.periods
        keys = active.keys(slots, self.active, self.window)
        return np.where(keys == names.index(CAPACITIVE), capacitive.power, inductive.power)

    def _like(self, slots: Slots, role: str, active: Intervals) -> Intervals:
        intervals = Intervals.of(slots, role, self.seconds)
        if not np.array_equal(intervals.starts, active.starts):
            message = f"the intervals of {role} and of {self.active} do not begin together"
            raise Invalid.of("intervals_apart", message)
        return intervals

    def _periods(self, slots: Slots, active: Intervals) -> Iterator[tuple[str, Int64]]:
        if self.schedule is None:
            yield TOTAL, np.arange(len(active.first), dtype=np.int64)
            return
        keys = active.keys(slots, self.active, self.schedule)
        for key, name in enumerate(self.schedule.periods):
            yield name, np.flatnonzero(keys == key)

    def _energy(self, powers: "_Powers", indexes: Int64) -> int:
        """Return the sum of fR x S - P where that is positive."""
        of, parts = Fraction(self.power_factor).as_integer_ratio()
        below, near = powers.below(indexes, float(self.power_factor))
        # Terms are positive for sure below the factor; near it, the exact root decides.
        excess = of * sum(powers.roots(below)) - parts * _PARTS * sum(powers.active[below].tolist())
        excess += sum(
            max(of * root - parts * _PARTS * power, 0)
            for power, root in zip(powers.active[near].tolist(), powers.roots(near), strict=True)
        )
        return round(Fraction(excess * self.seconds, parts * _PARTS * _HOUR))


def _lasts(from_: str, to: str) -> Iterator[Fault]:
    if from_ == to:
        yield Fault("empty_window", "the hours must end after they begin", "/to")


@attrs.frozen(cache_hash=True)
class Hours:
    """A part of every day, on the wall clock.

    Attributes:
        from_: When it begins.
        to: When it ends; before `from`, it ends on the next day.

    """

    __public_name__: ClassVar[str] = "DailyHours"

    __rules__: ClassVar[Rules] = (_lasts,)

    from_: FromTime
    to: ToTime

    def __attrs_post_init__(self) -> None:
        """Refuse no hours at all."""
        enforce(self)


def _one_form(energy: object, demand: object, bands: object, billed: object) -> Iterator[Fault]:
    if (energy is None and demand is None) == (bands is None):
        message = "give energy, demand or both, beyond a power factor; or bands of a share"
        yield Fault("one_form", message, "/energy")
    if demand is not None and billed is None:
        message = "reactive demand is what exceeds the billed: say which lines bill that"
        yield Fault("missing_billed", message, "/billed")


def _window_and_channel(capacitive: object, capacitive_hours: object) -> Iterator[Fault]:
    if (capacitive is None) != (capacitive_hours is None):
        message = "the capacitive channel and the hours in which it counts go together"
        yield Fault("capacitive_and_hours", message, "/capacitive_hours")


def _periods_match(
    schedule: Schedule | None, energy: Prices | None, demand: Prices | None
) -> Iterator[Fault]:
    for name, prices in (("energy", energy), ("demand", demand)):
        for fault in (
            faults_of_periods(schedule or Schedule(), prices) if isinstance(prices, dict) else ()
        ):
            pointer = str(fault.pointer).replace("/rates", f"/{name}", 1)
            yield attrs.evolve(fault, pointer=pointer)


@attrs.frozen
class Reactive(BaseCharge):
    """Reactive energy beyond what a power factor, or a share of the active energy, allows.

    Attributes:
        power_factor: The reference: intervals with less are charged.
        energy: The price of a kvarh beyond it, or that of each period.
        demand: The price of a kvar of the highest demand corrected to the reference, beyond the
            active demand that is billed; or that of each period.
        billed: The lines that bill active demand; those with the tag `overrun` are left out.
        bands: Instead: what is beyond a share of the active energy of the bill.
        schedule: When each period is.
        interval: Power factors are those of intervals of this length, on the wall clock.
        inductive: The role of inductive energy.
        capacitive: The role of capacitive energy; without one, it is not charged.
        capacitive_hours: When capacitive energy is charged, and inductive is not.
        losses_percent: So many per cent of what is metered are added: the losses of a transformer
            that the meter is behind.

    """

    __rules__: ClassVar[Rules] = (_one_form, _window_and_channel, bands_rise, _periods_match)

    kind: ClassVar[str] = "reactive"
    titles: ClassVar[Texts] = {"en": "Reactive excess", "pt-BR": "Excedente reativo"}
    examples: ClassVar[Examples] = (
        {
            "kind": "reactive",
            "energy": "0.39",
            "demand": "18.42",
            "billed": {"charges": ["demand"]},
            "capacitive": "reactive_energy.export",
            "capacitive_hours": {"from": "00:00", "to": "06:00"},
        },
        {
            "kind": "reactive",
            "bands": [
                {"over_percent": "33", "rate": "0.04"},
                {"over_percent": "75", "rate": "0.06"},
            ],
        },
    )
    examples_after: ClassVar[Examples] = ({"kind": "demand", "rate": "18.42", "interval": "PT1H"},)

    power_factor: PowerFactor = Decimal("0.92")
    energy: Prices | None = None
    demand: Prices | None = None
    billed: Selection | None = None
    bands: Bands | None = None
    schedule: Schedule | None = None
    interval: Interval = timedelta(hours=1)
    inductive: Role = "reactive_energy.import"
    capacitive: Role | None = None
    capacitive_hours: Hours | None = None
    losses_percent: NotNegative = Decimal(0)

    @property
    def _times(self) -> Fraction:
        """By what is multiplied that was metered: both kinds of energy, so that all scales."""
        return 1 + Fraction(self.losses_percent) / 100

    def _with_losses(self, text: str) -> str:
        return f"({text}) x (1 + {self.losses_percent} %)" if self.losses_percent else text

    @property
    def across_versions(self) -> AcrossVersions:
        """Who charges a bill that crosses versions: with demand the last, as its billed demand."""
        return "each" if self.demand is None else "last"

    def measures(self) -> dict[str, Measure]:
        """Measure what is beyond the power factor, or the energy of both kinds."""
        if self.bands is not None:
            roles = {"active": self.channel, "reactive": self.inductive}
            if self.schedule is None:
                return {name: Energy(role) for name, role in roles.items()}
            return {name: EnergyByPeriod(self.schedule, role) for name, role in roles.items()}
        measures: dict[str, Measure] = {}
        if self.energy is not None:
            measures["energy"] = self._excess("energy", self.schedule)
        if self.demand is not None:
            by_period = isinstance(self.demand, dict)
            measures["demand"] = self._excess("demand", self.schedule if by_period else None)
        return measures

    def _excess(self, of: Literal["energy", "demand"], schedule: Schedule | None) -> Excess:
        hours = self.capacitive_hours
        window = None
        if hours is not None:
            rule = Rule(CAPACITIVE, from_=hours.from_, to=hours.to)
            window = Schedule((rule,), default="inductive")
        seconds = seconds_in(self.interval)
        return Excess(
            self.channel,
            self.inductive,
            self.power_factor,
            seconds,
            of,
            schedule,
            self.capacitive,
            window,
        )

    def text(
        self, period: str | None = None, component: str | None = None, language: str = ENGLISH
    ) -> str:
        """Return what a line is called, energy and demand by their words."""
        told = _COMPONENTS.get(component or "")
        return super().text(period, in_language(told, language) if told else component, language)

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge energy, then demand; or what is beyond the shares."""
        if self.bands is not None:
            yield from self._beyond_shares(self.bands, measured, bill.rates)
        if self.energy is not None:
            yield from self._energy(self.energy, measured["energy"])
        if self.demand is not None:
            yield from self._demand(self.demand, measured["demand"], bill)

    def _energy(self, prices: Prices, excess: Mapping[str, int]) -> Iterator[Line]:
        factor = self.power_factor
        text = f"sum of {factor} x sqrt(P^2 + Q^2) - P of intervals below {factor}"
        for label, micro in excess.items():
            quantity = Fraction(micro, MICRO) * self._times
            yield self.line(
                quantity,
                prices[label] if isinstance(prices, dict) else prices,
                "kvarh",
                period=label if self.schedule else None,
                component="energy",
                steps=(Step("energy", self._with_losses(text), quantity),),
            )

    def _demand(self, prices: Prices, peaks: Mapping[str, int], bill: BillSoFar) -> Iterator[Line]:
        for label, micro in peaks.items():
            name, separator, time = label.partition(AT)
            if not separator:
                continue
            period = name if isinstance(prices, dict) else None
            least = billed(self.billed or Selection(), bill, period)
            corrected = Fraction(micro, MICRO) * self._times
            quantity = max(corrected - least, Fraction(0))
            text = f"max({decimal_text(corrected)} at {time} - {decimal_text(least)}, 0)"
            yield self.line(
                quantity,
                prices[name] if isinstance(prices, dict) else prices,
                "kvar",
                period=period,
                component="demand",
                steps=(Step("demand", text, quantity),),
            )

    def _beyond_shares(
        self, bands: Bands, measured: Measured, rates: RateRounding
    ) -> Iterator[Line]:
        for period, micro in measured["reactive"].items():
            active = Fraction(measured["active"].get(period, 0), MICRO) * self._times
            reactive = Fraction(micro, MICRO) * self._times
            steps = tuple(banded(bands, rates, active, reactive))
            amount = exact_sum(step.value for step in steps)
            least = active * Fraction(bands[0].over_percent) / 100
            quantity = max(reactive - least, Fraction(0))
            name = period if self.schedule else None
            yield self.line(quantity, None, "kvarh", amount=amount, period=name, steps=steps)


def billed(selection: Selection, bill: BillSoFar, period: str | None) -> Fraction:
    """Return the active demand of a period, or the highest; of components each has all of it.

    What is charged on top of it, with the tag `overrun`, is left out.

    Raises:
        Invalid: No line bills it.

    """
    by_part: dict[tuple[str | None, str | None], Fraction] = {}
    for line in selection.lines(bill):
        if line.unit == _UNIT and line.quantity is not None and _OVERRUN not in line.tags:
            part = (line.period, line.component)
            by_part[part] = by_part.get(part, Fraction(0)) + Fraction(line.quantity)
    fitting = [
        value for (name, _), value in by_part.items() if None in (period, name) or period == name
    ]
    if not fitting:
        message = f"no line before bills active demand{f' of {period}' if period else ''} in kW"
        raise Invalid.of("no_billed_demand", message)
    return max(fitting)


def banded(
    bands: Sequence[Band], rates: RateRounding, active: Fraction, reactive: Fraction
) -> Iterator[Step]:
    """Yield what each band charges."""
    bounds = [active * Fraction(band.over_percent) / 100 for band in bands]
    for index, band in enumerate(bands):
        above = bounds[index + 1] if index + 1 < len(bands) else max(reactive, bounds[index])
        inside = max(min(reactive, above) - bounds[index], Fraction(0))
        share = f"{band.over_percent} % of {decimal_text(active)} kWh"
        what = f"above {share}, of {decimal_text(reactive)} kvarh"
        rate, rate_text = rates.rate(band.rate)
        yield Step(what, f"{decimal_text(inside)} x {rate_text}", inside * rate)


@attrs.frozen(eq=False)
class _Powers:
    """P, Q and about S of each interval, as power; none is below zero.

    Floats only select the intervals for which the exact root is needed: all it may decide about.
    """

    active: Micro
    reactive: Micro
    about: Floats

    @classmethod
    def of(cls, active: Micro, reactive: Micro) -> "_Powers":
        p, q = np.maximum(active, 0), np.maximum(reactive, 0)
        return cls(p, q, np.hypot(p.astype(np.float64), q.astype(np.float64)))

    def below(self, indexes: Int64, factor: float) -> tuple[Int64, Int64]:
        """Return which of the intervals are below a factor, and which are too near to say."""
        indexes = indexes[self.reactive[indexes] > 0]
        active, corrected = self.active[indexes].astype(np.float64), factor * self.about[indexes]
        below = corrected * (1 - _MARGIN) > active
        return indexes[below], indexes[~below & (corrected * (1 + _MARGIN) >= active)]

    def highest(self, indexes: Int64) -> tuple[int, int]:
        """Return which of the intervals has the highest S, and this, in parts."""
        about = self.about[indexes]
        which = indexes[about >= about.max() * (1 - _MARGIN)]
        roots = self.roots(which)
        root = max(roots)
        return int(which[roots.index(root)]), root

    def roots(self, which: Int64) -> list[int]:
        """Return S in parts, the nearest: no root of a whole number is half of an odd one."""
        p, q = self.active[which], self.reactive[which]
        if len(which) and max(p.max(), q.max()) < _WITHIN_64_BITS:
            roots: list[int] = _nearest_roots(p * p + q * q).tolist()
            return roots
        pairs = zip(p.tolist(), q.tolist(), strict=True)
        # `isqrt` gives twice the parts, rounded down: one more, halved, is the nearest.
        return [(isqrt((p * p + q * q) * _SQUARE) + 1) >> 1 for p, q in pairs]


def _nearest_roots(squares: Micro) -> Micro:
    """Return the roots of *squares*, in parts, the nearest.

    The root r of s is the nearest where (2r - 1)^2 < 4 x 10^12 x s < (2r + 1)^2. What floats give
    is at most one away. The sides need more than 64 bits, but their difference does not: it is
    right modulo 2^64, and so is what unsigned integers make of it.
    """
    roots = np.rint(np.sqrt(squares.astype(np.float64)) * _PARTS).astype(np.int64)
    scaled = squares.astype(np.uint64) * np.uint64(_SQUARE)
    odd = 2 * roots.astype(np.uint64)
    above = (scaled - (odd + 1) ** 2).view(np.int64) > 0
    # Of a root of 0 the odd number below is -1, whose square wraps round to 1.
    below = (scaled - (odd - 1) ** 2).view(np.int64) < 0
    nearest: Micro = roots + above - (below & (roots > 0))
    return nearest


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Reactive]
