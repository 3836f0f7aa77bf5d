"""The price of one unit with all that later charges make of it: taxes, discounts, surcharges.

Charges are taken in their order, as on a bill, and become steps: these are found once for all slots
of the same periods, and taken for each price of a series.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

import attrs

from energia.errors import Inexact, Invalid
from energia.pricing.calendar import Grid
from energia.pricing.charges import Charge, Components, PriceChanges, Rate, code_of
from energia.pricing.exact import RateRounding, decimal_text, exact_sum, fraction
from energia.pricing.lines import Line
from energia.pricing.rounding import ENDLESS
from energia.time import Zone


@attrs.frozen
class Era:
    """Slots in which later charges make the same of prices.

    Attributes:
        first: The first of them.
        changes: What each of these charges makes of a line, by its code.

    """

    first: int
    changes: Mapping[str, PriceChanges]


def eras(
    later: Sequence[Charge], grid: Grid, zone: Zone
) -> tuple[tuple[Era, ...], tuple[str, ...]]:
    """Return what charges make of prices, and the codes of those of which it is not always known.

    A charge whose rate is not known on some day of the slots is left out of all of them.

    Args:
        later: Charges without a price per unit of their own.
        grid: The slots, whose local days decide; there is one at least.
        zone: The zone of these days.

    """
    last = zone.datetime(grid.start + (grid.count - 1) * grid.interval).date()
    found, unknown = list[tuple[int, dict[str, PriceChanges]]](), dict[str, None]()
    day, first = zone.datetime(grid.start).date(), 0
    while True:
        changes, missing = _changes(later, day)
        unknown |= dict.fromkeys(missing)
        found.append((first, changes))
        until = min((each.until for each in changes.values() if each.until), default=None)
        if until is None or until > last:
            break
        day, first = until, grid.index_at(zone.midnight(until))
    kept = [
        Era(first, {code: each for code, each in changes.items() if code not in unknown})
        for first, changes in found
    ]
    return tuple(kept), tuple(unknown)


def _changes(later: Sequence[Charge], day: date) -> tuple[dict[str, PriceChanges], list[str]]:
    """Return what charges make of prices on a day, and the codes of those that do not know."""
    changes, missing = dict[str, PriceChanges](), list[str]()
    for charge in later:
        try:
            made = charge.price_changes(day)
        except Invalid:
            missing.append(code_of(charge))
        else:
            if made is not None:
                changes[code_of(charge)] = made
    return changes, missing


@attrs.frozen
class Stated:
    """A price of a charge: its exact rate, and the text of it; None is from a series."""

    name: str
    rate: tuple[Fraction, str] | None


@attrs.frozen
class Times:
    """Multiplies an earlier price."""

    price: int
    factor: Fraction


@attrs.frozen
class Plus:
    """Adds parts of earlier prices, by their indexes, as another price."""

    name: str
    parts: tuple[tuple[int, Fraction], ...]


StepOfPrice: TypeAlias = Stated | Times | Plus


@attrs.frozen
class AllIn:
    """How the price of one unit is made.

    Attributes:
        steps: The prices of charges, and what later charges make of them, in their order.
        rounding: How rates are rounded.

    """

    steps: tuple[StepOfPrice, ...]
    rounding: RateRounding

    def prices(
        self, given: Mapping[str, Fraction] = MappingProxyType({})
    ) -> tuple[str, dict[str, str]]:
        """Return the price and its components, with prices of series *given* by name."""
        made = list[_Made]()
        for step in self.steps:
            match step:
                case Stated(name, None):
                    made.append(_Made(name, given[name], given[name]))
                case Stated(name, (rate, text)):
                    made.append(_Made(name, rate, rate, text))
                case Plus(name, parts):
                    value = exact_sum(made[at].price * part for at, part in parts)
                    made.append(_Made(name, value, value))
                case Times(at, factor):
                    made[at] = self._times(made[at], factor)
        total = exact_sum(price.price for price in made)
        texts = {price.name: price.text or decimal_text(price.price, ENDLESS) for price in made}
        return decimal_text(total, ENDLESS), texts

    def _times(self, made: "_Made", factor: Fraction) -> "_Made":
        exact = made.exact * factor
        # What a bill multiplies is a rate that is rounded; other amounts are rounded as such.
        price = exact if made.text is None else self.rounding.rate(exact)[0]
        text = None if made.text is None else decimal_text(price, ENDLESS)
        return attrs.evolve(made, exact=exact, price=price, text=text)


@attrs.frozen
class _Made:
    """A price so far: exact, and as it is multiplied; only a rate has a text."""

    name: str
    exact: Fraction
    price: Fraction
    text: str | None = None


@attrs.define
class UnitBill:
    """The bill of one unit, made charge by charge.

    Attributes:
        rounding: How rates are rounded.
        lines: The lines so far: those of which the price is one.
        steps: The steps that lead to their amounts.

    """

    rounding: RateRounding
    lines: list[Line] = attrs.Factory(list)
    steps: list[StepOfPrice] = attrs.Factory(list)

    def state(self, charge: Charge, rate: Rate | None, period: str) -> None:
        """Add the price of a charge in a period; a rate that is None is from a series."""
        parts = rate.components if isinstance(rate, Components) else {"": rate}
        for component, part in parts.items():
            code = ".".join(filter(None, (code_of(charge), component)))
            try:
                stated = None if part is None else self.rounding.rate(part)
            except Inexact as error:
                place = f"charge {code_of(charge)}: unit_prices(): the rate of {code}"
                raise Inexact(f"{place}: {error.detail}") from None
            self.steps.append(Stated(code, stated))
            tags = tuple(getattr(charge, "tags", None) or ())
            line = Line(code, charge.description or code, period=period or None, tags=tags)
            self._append(line, charge, component or None)

    def change(self, charge: Charge, changes: PriceChanges) -> None:
        """Take what a later charge makes of the prices."""
        beside: dict[str, tuple[Line, list[tuple[int, Fraction]]]] = {}
        for index, line in enumerate(self.lines):
            change = changes.of(line)
            try:
                factor = fraction(change.factor)
            except Inexact as error:
                place = f"charge {code_of(charge)}: price_changes(): the factor of {line.code}"
                raise Inexact(f"{place}: {error.detail}") from None
            if factor != 1:
                self.steps.append(Times(index, factor))
            for more in change.more:
                beside.setdefault(more.code, (more, []))[1].append((index, more.exact_amount))
        for code, (line, parts) in beside.items():
            self.steps.append(Plus(code, tuple(parts)))
            self._append(line, charge, line.component)

    def _append(self, line: Line, charge: Charge, component: str | None) -> None:
        self.lines.append(
            attrs.evolve(line, charge=code_of(charge), component=component, amount=None)
        )

    def all_in(self) -> AllIn:
        """Return how the price is made."""
        return AllIn(tuple(self.steps), self.rounding)
