"""What is metered, the part of a bill that one version prices, and its lines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

import attrs

from tests.accuracy.by_hand import days

#: JSON objects.
Document = Mapping[str, Any]
#: What charges remember from bill to bill, by their codes.
Memory = dict[str, Any]


def rounded(value: Fraction, decimals: int | None, mode: str = "half_up") -> Fraction:
    """Return a number with so many decimals; None is all of them."""
    if decimals is None:
        return value
    scaled = abs(value) * 10**decimals
    whole = floor(scaled)
    rest = scaled - whole
    up = {
        "half_up": rest >= Fraction(1, 2),
        "half_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1),
        "down": False,
    }[mode]
    return Fraction(whole + up, 10**decimals) * (-1 if value < 0 else 1)


def kwh(micro: int) -> Fraction:
    """Return micro-kWh in kWh."""
    return Fraction(micro, 10**6)


@attrs.frozen
class Price:
    """A price from one instant to another."""

    start: int
    end: int
    price: Fraction


@attrs.frozen
class Site:
    """What is metered at one place.

    Attributes:
        zone: The zone of the tariff, whose days are meant.
        interval: The length of a slot in seconds.
        start: When the first slot starts.
        readings: Micro-units of the slots, by role.
        prices: The price series, by name.

    """

    zone: str
    interval: int
    start: int
    readings: Mapping[str, Sequence[int]]
    prices: Mapping[str, Sequence[Price]] = attrs.Factory(dict)

    def slots(self, role: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the slots that start in [start, end): when, and how many micro-kWh."""
        first, after = (-((self.start - at) // self.interval) for at in (start, end))
        for index, micro in enumerate(self.readings[role][first:after], first):
            yield self.start + index * self.interval, micro


@attrs.frozen
class Line:
    """A line of a bill: quantity x rate, or an amount."""

    code: str
    charge: str
    amount: Fraction
    quantity: Fraction | None = None
    rate: Fraction | None = None
    period: str | None = None
    component: str | None = None
    tags: Sequence[str] = ()


@attrs.define
class Part:
    """The part of a bill that one version prices.

    Attributes:
        site: What is metered.
        version: The version of the tariff.
        window: When the part starts and ends.
        bill: When the bill starts and ends.
        memory: What charges remember; it changes while the part is priced.
        lines: What was charged so far.
        together: Of a charge that is worked out once for several versions: their parts.

    """

    site: Site
    version: Document
    window: tuple[int, int]
    bill: tuple[int, int]
    memory: Memory
    lines: list[Line] = attrs.Factory(list)
    together: Sequence["Part"] = ()
    _periods: dict[tuple[int, int], str | None] = attrs.Factory(dict)

    @property
    def days(self) -> Sequence[date]:
        """The local days of the part."""
        return days.days(self.site.zone, *self.window)

    @property
    def bill_days(self) -> Sequence[date]:
        """The local days of the bill."""
        return days.days(self.site.zone, *self.bill)

    @property
    def share(self) -> Fraction:
        """The part's days, as a part of those of the bill."""
        return Fraction(len(self.days), len(self.bill_days))

    def unit_price(self, rate: Fraction) -> Fraction:
        """Return a rate as it is multiplied."""
        rules = self.version.get("rounding", {})
        return rounded(rate, rules.get("unit_price_decimals"), rules.get("mode", "half_up"))

    def multiplied(
        self,
        charge: Document,
        quantity: Fraction,
        rate: Fraction,
        **names: Any,
    ) -> Line:
        """Return the line of a quantity at a rate; *names* are period, component and suffix."""
        code = charge.get("code", charge["kind"])
        suffix = names.pop("suffix", None)
        parts = (code, names.get("period"), suffix, names.get("component"))
        return Line(
            code=".".join(part for part in parts if part),
            charge=code,
            amount=quantity * self.unit_price(rate),
            quantity=quantity,
            rate=rate,
            tags=charge.get("tags", ()),
            **names,
        )

    def period(self, schedule: Document | None, instant: int) -> str | None:
        """Return the period of a schedule at an instant."""
        key = id(schedule), instant
        if key not in self._periods:
            self._periods[key] = days.period_at(schedule, self.version, self.site.zone, instant)
        return self._periods[key]


def components(rate: Any) -> dict[str | None, Fraction]:
    """Return a rate by component; one without components has the name None."""
    if isinstance(rate, Mapping):
        return {name: Fraction(part) for name, part in rate["components"].items()}
    return {None: Fraction(rate)}


def stated(charge: Document) -> Any:
    """Return the one rate of a charge, as `components` reads it."""
    return charge["rate"] if "rate" in charge else {"components": charge["components"]}


def selection(of: Document | None) -> Callable[[Line], bool]:
    """Return whether a line is one of a selection; without one, all are."""

    def chosen(line: Line) -> bool:
        rules = of or {}
        return (
            line.charge in rules.get("charges", [line.charge])
            and line.period in rules.get("periods", [line.period])
            and line.component in rules.get("components", [line.component])
            and ("tags" not in rules or any(tag in rules["tags"] for tag in line.tags))
            and not any(tag in rules.get("without_tags", ()) for tag in line.tags)
        )

    return chosen
