"""The charge `event`: energy, demand or a rebate in dated windows of time.

Critical peaks cost more in hours that the supplier announces; a rebate pays for what is used less
in them than on the weekdays before.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    Fault,
    Line,
    Measure,
    Measured,
    Rules,
    Step,
    Texts,
    hookimpl,
    unit_of,
)
from energia.pricing.exact import decimal_text, fraction
from energia.units import MICRO, POWER_UNITS
from energia_plugins.tariff_event.measures import (
    Baselines,
    EventEnergy,
    EventPeak,
    EventSeconds,
    InBill,
)
from energia_plugins.tariff_event.windows import Event

Form = Literal["energy", "demand", "rebate"]


def _rates_are_known(events: tuple[Event, ...], rate: Decimal | None) -> Iterator[Fault]:
    """Refuse events without a rate, and windows of one event at several."""
    rates: dict[str | None, Decimal | None] = {}
    for index, event in enumerate(events):
        mine = rate if event.rate is None else event.rate
        if mine is None:
            message = "the event has no rate: give it one, or give one to the charge"
            yield Fault("missing_rate", message, f"/events/{index}/rate")
        if rates.setdefault(event.name, mine) != mine:
            message = f"windows of one event, {event.name or 'without a name'}, must have one rate"
            yield Fault("rates_differ", message, f"/events/{index}/rate")


def _baselines_are_known(
    events: tuple[Event, ...], form: Form, baseline_days: int | None
) -> Iterator[Fault]:
    """Refuse a rebate that is compared with nothing, and baselines of no rebate."""
    if form != "rebate" and baseline_days is not None:
        yield Fault("unused_field", "only a rebate may have a baseline", "/baseline_days")
    given = {event.name for event in events if event.baseline is not None}
    for index, event in enumerate(events):
        pointer = f"/events/{index}/baseline"
        if form != "rebate" and event.baseline is not None:
            yield Fault("unused_field", "only a rebate may have a baseline", pointer)
        elif form == "rebate" and event.baseline is None:
            if event.name in given:
                message = "other windows of the event have a baseline: give this one its own"
                yield Fault("missing_baseline", message, pointer)
            elif baseline_days is None:
                message = "give the event a baseline, or say baseline_days to compute one"
                yield Fault("missing_baseline", message, pointer)


def _statistic_is_of_demand(form: Form, statistic: str | None) -> Iterator[Fault]:
    if form != "demand" and statistic is not None:
        yield Fault("unused_field", "only demand may have a statistic", "/statistic")


def _has_power(form: Form, channel: str) -> Iterator[Fault]:
    if form == "demand" and unit_of(channel) not in POWER_UNITS:
        message = f"{channel} is in {unit_of(channel)}, which has no unit of power: no demand"
        yield Fault("wrong_unit", message, "/channel")


@attrs.frozen
class EventCharge(BaseCharge):
    """A charge on what flows in dated windows, or a rebate on what does not.

    Attributes:
        form: Whether it is on energy, on demand, or a rebate on energy below a baseline.
        events: The windows; those outside the bill do not count.
        rate: The price of one unit; of a rebate, what is paid for one that was not used.
        statistic: Of demand, whether it is the highest power of a slot in the event, as it is if
            nothing is said, or the mean power over the event.
        baseline_days: Of a rebate, the baseline is the mean of the same hours of so many weekdays
            before, without holidays and days with an event; all of them must be in the bill.

    """

    __rules__: ClassVar[Rules] = (
        _rates_are_known,
        _baselines_are_known,
        _statistic_is_of_demand,
        _has_power,
    )

    kind: ClassVar[str] = "event"
    titles: ClassVar[Texts] = {"en": "Events", "pt-BR": "Eventos"}
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {
            "kind": "event",
            "form": "energy",
            "rate": "0.75",
            "events": [{"date": "2026-03-02", "from": "17:00", "to": "20:00"}],
        },
        {
            "kind": "event",
            "form": "demand",
            "rate": "10",
            "events": [
                {
                    "name": "march",
                    "start": "2026-03-02T18:00:00Z",
                    "end": "2026-03-02T19:00:00Z",
                }
            ],
        },
    )

    form: Form
    events: Annotated[tuple[Event, ...], Meta(max_length=5000)]
    rate: Decimal | None = None
    statistic: Literal["max", "mean"] | None = None
    baseline_days: Annotated[int, Meta(ge=1, le=60)] | None = None

    @property
    def _given(self) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.baseline is not None)

    def measures(self) -> dict[str, Measure]:
        """Measure what is in the windows."""
        windows = tuple(event.window for event in self.events)
        if self.form == "demand" and self.statistic != "mean":
            return {"peak": EventPeak(windows, self.channel)}
        apart = self.form != "demand"
        measures: dict[str, Measure] = {"energy": EventEnergy(windows, self.channel, apart)}
        if self.form == "demand":
            measures["seconds"] = EventSeconds(windows, self.channel)
        if self.form == "rebate":
            measures["given"] = InBill(tuple(event.window for event in self._given))
            if self.baseline_days is not None:
                named = tuple(event.window for event in self.events if event.baseline is None)
                measures["baseline"] = Baselines(named, self.baseline_days, self.channel)
        return measures

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge each event that the bill has a part of, in the order of the events."""
        rates = {
            event.name or "": event.rate if event.rate is not None else self.rate or Decimal(0)
            for event in self.events
        }
        for name, rate in rates.items():
            if name in measured["peak" if "peak" in measured else "energy"]:
                match self.form:
                    case "energy":
                        energy = measured["energy"][name]
                        yield self.metered(energy, rate, period=name or None)
                    case "demand":
                        yield self._demand(measured, name, rate)
                    case "rebate":
                        yield self._rebate(measured, name, rate)

    def _demand(self, measured: Measured, name: str, rate: Decimal) -> Line:
        unit = POWER_UNITS[unit_of(self.channel)]
        if "peak" in measured:
            power = Fraction(measured["peak"][name], MICRO)
            return self.line(power, rate, unit, period=name or None)
        energy = Fraction(measured["energy"][name], MICRO)
        hours = Fraction(measured["seconds"][name], 3600)
        text = f"{decimal_text(energy)} {unit_of(self.channel)} / {decimal_text(hours)} h"
        step = Step("mean power", text, energy / hours)
        return self.line(energy / hours, rate, unit, period=name or None, steps=(step,))

    def _rebate(self, measured: Measured, name: str, rate: Decimal) -> Line:
        used = Fraction(measured["energy"][name], MICRO)
        baseline = self._baseline(measured, name)
        less = fraction(baseline.value) - used
        steps = [baseline, Step("used", decimal_text(-used), -used)]
        if less < 0:
            steps.append(Step("no rebate above the baseline", decimal_text(-less), -less))
        unit = unit_of(self.channel)
        return self.line(
            max(less, Fraction(0)), -rate, unit, period=name or None, steps=tuple(steps)
        )

    def _baseline(self, measured: Measured, name: str) -> Step:
        """Return what would have been used in an event."""
        given = [
            event.baseline or Decimal(0)
            for index, event in enumerate(self._given)
            if (event.name or "") == name and str(index) in measured["given"]
        ]
        if given:
            value = sum(map(fraction, given), Fraction(0))
            return Step("baseline", " + ".join(map(decimal_text, given)), value)
        before = Fraction(measured["baseline"][name], MICRO)
        text = f"{decimal_text(before)} / {self.baseline_days} days"
        return Step("baseline", text, before / (self.baseline_days or 1))


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [EventCharge]
