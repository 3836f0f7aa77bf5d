"""The lines of a bill, exact, and what a charge hands to its next bill."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Annotated, Any, Final, Self, TypeAlias

import attrs
from msgspec import Meta

from energia.errors import Inexact
from energia.pricing.exact import (
    Exact,
    RateRounding,
    decimal_text,
    decimals_of,
    exact_sum,
    fraction,
)
from energia.pricing.slots import Slots
from energia.pricing.wording import ENGLISH

#: Charges as JSON has them.
Examples: TypeAlias = tuple[Mapping[str, Any], ...]
#: What a charge remembers from bill to bill: a JSON object, numbers as strings.
Remembered: TypeAlias = Mapping[str, Any]
NOTHING: Final[Remembered] = MappingProxyType({})


@attrs.frozen
class Step:
    """A part of an amount, and how it was worked out.

    Attributes:
        description: What it is, for a person.
        expression: The arithmetic, such as `15.50 x 1/31`.
        value: What it gives; the steps of a line add up to its amount.

    """

    description: str
    expression: str
    value: Exact


@attrs.frozen
class Line:
    """One line of a bill, exact.

    Attributes:
        code: `<charge code>[.<period>][.<component>]`.
        description: For a person.
        quantity: How much, in `unit`.
        unit: The unit of the quantity, such as kWh or day.
        rate: The price of one unit, as the tariff states it.
        amount: In the tariff's currency; without it the core takes quantity x rate, the rate
            rounded to `unit_price_decimals` where the tariff says so.
        period: The period of the schedule.
        component: The part of the rate.
        tags: Marks that later charges look for.
        steps: How the amount was worked out; they add up to it. None are needed for
            quantity x rate.
        charge: The code of its charge; the core states it.
        rate_steps: How the rate was worked out from the one that the tariff states, a line of
            arithmetic for each charge that changed it.

    """

    code: str
    description: str
    quantity: Exact | None = None
    unit: str | None = None
    rate: Exact | None = None
    amount: Exact | None = None
    period: str | None = None
    component: str | None = None
    tags: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    charge: str | None = None
    rate_steps: tuple[str, ...] = ()

    @property
    def is_multiplied(self) -> bool:
        """Whether the amount is quantity x rate.

        The steps of such a line add up to its quantity; those of others to their amount.
        """
        if self.quantity is None or self.rate is None:
            return False
        steps = exact_sum(step.value for step in self.steps)
        return not self.steps or steps == fraction(self.quantity)

    @property
    def exact_amount(self) -> Fraction:
        """The amount of a line that is on the bill so far; another line raises `TypeError`."""
        if self.amount is None:
            raise TypeError(f"{self.code} is not on the bill: it has no amount")
        return fraction(self.amount)

    def times(self, factor: Fraction, how: str, name: str) -> Self:
        """Return the line at *factor* times its price: a tax inside the price, a discount in it.

        Where it is quantity x rate its rate is changed, so that the core rounds the new rate to
        `unit_price_decimals` and multiplies it as if the tariff had stated it. Any other line gets
        another amount.

        Args:
            factor: What its price is multiplied by.
            how: The arithmetic that follows the price, such as `/ (1 - 0.18)`.
            name: What is done, for a person.

        """
        factor = self._exact(factor, "factor of `times`")
        if self.is_multiplied:
            old = fraction(self.rate or 0)
            return self._at(old * factor, f"{decimal_text(old)} {how}", name)
        old = self.exact_amount
        text, changed = decimal_text(old), old * factor
        before = self.steps or (Step(self.description, text, old),)
        added = Step(name, f"{text} {how} - {text}", changed - old)
        return attrs.evolve(self, rate=None, amount=changed, steps=(*before, added))

    def plus(self, rate: Exact, name: str) -> Self:
        """Return the line at a rate that is *rate* higher; raises `TypeError` if it has none.

        Args:
            rate: What is added to the price of one unit.
            name: What is done, for a person.

        """
        if not self.is_multiplied:
            raise TypeError(f"{self.code} has no rate that anything could be added to")
        old, more = fraction(self.rate or 0), self._exact(rate, "rate of `plus`")
        return self._at(old + more, f"{decimal_text(old)} + {decimal_text(more)}", name)

    def _exact(self, number: Exact, what: str) -> Fraction:
        try:
            return fraction(number)
        except Inexact as error:
            raise Inexact(f"line {self.code}: {what}: {error.detail}") from None

    def _at(self, rate: Fraction, expression: str, name: str) -> Self:
        about = "" if decimals_of(rate) is not None else f", about {decimal_text(rate, 6)}"
        step = f"{name}: {expression} = {decimal_text(rate)}{about}"
        return attrs.evolve(self, rate=rate, amount=None, rate_steps=(*self.rate_steps, step))


@attrs.frozen
class Replace:
    """Another line in the place of one of an earlier charge: a gross-up, a discount inside.

    Attributes:
        old: A line of the bill so far, as it is there.
        new: What stands there from now on; it stays a line of its own charge. Where its amount is
            not quantity x rate, its steps tell how the amount was worked out.

    """

    old: Line
    new: Line


@attrs.frozen
class State:
    """What a charge remembers for its next bill: yielded beside its lines, at most once.

    Attributes:
        values: A JSON object; exact numbers as strings.

    """

    values: Remembered


#: What a charge would charge, given what its measures might have given.
Again: TypeAlias = Callable[[str, Mapping[str, Mapping[str, int]]], tuple[Line, ...]]


def _none_before(code: str, measured: Mapping[str, Mapping[str, int]]) -> tuple[Line, ...]:
    raise LookupError(f"no charge before has the code {code!r}")


#: What the measures of an earlier charge give for usage that is changed.
Remeasured: TypeAlias = Callable[[str, Callable[[Slots], Slots]], Mapping[str, Mapping[str, int]]]


def _none_measured(code: str, change: Callable[[Slots], Slots]) -> Mapping[str, Mapping[str, int]]:
    raise LookupError(f"no charge before has the code {code!r}")


#: What the core makes of a line that is not on the bill yet.
Exactly: TypeAlias = Callable[[Line], Fraction]


def _unrounded(line: Line) -> Fraction:
    if line.amount is not None:
        return fraction(line.amount)
    return fraction(line.quantity or 0) * fraction(line.rate or 0)


@attrs.frozen
class BillSoFar:
    """What the charges before this one have charged, and what this one remembers.

    Attributes:
        lines: Their lines, each with its exact amount and the code of its charge.
        state: The `State` that this charge gave with the bill before; empty for the first.
        measured: What the measures of the charges before gave, by their codes.
        again: Returns the exact lines that the charge with a code would charge for other
            quantities: `again("energy", {"energy": {"peak": 0}})`. What energy costs less is the
            value of what was generated.
        channels: The roles that the charges before charge, by their codes.
        kinds: Their kinds.
        remeasured: Returns what the measures of the charge with a code would give for other
            usage: `remeasured("energy", net)`, where `net` makes slots of slots.
        exactly: Returns the exact amount that a line of this charge will have: its rate is rounded
            first where the tariff says so.
        rates: How rates are rounded: a charge that multiplies one itself, for a line of another
            amount than quantity x rate, multiplies what `rates.rate(rate)` gives.
        language: In which lines are named, `en` or `pt-BR`, where the tariff has no words for them.

    """

    lines: Sequence[Line]
    state: Remembered = NOTHING
    measured: Mapping[str, Mapping[str, Mapping[str, int]]] = attrs.Factory(dict)
    again: Again = _none_before
    channels: Mapping[str, str] = attrs.Factory(dict)
    kinds: Mapping[str, str] = attrs.Factory(dict)
    remeasured: Remeasured = _none_measured
    exactly: Exactly = _unrounded
    rates: RateRounding = attrs.Factory(RateRounding)
    language: str = ENGLISH


# Which lines of a bill a later charge is about: the base of a tax, of a discount, of a minimum.

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}$", examples=["supply"])]
Tag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="A mark that later charges look for.",
        examples=["untaxed"],
    ),
]
Codes: TypeAlias = Annotated[tuple[Code, ...], Meta(min_length=1, max_length=200)]
Tags: TypeAlias = Annotated[tuple[Tag, ...], Meta(max_length=50)]


@attrs.frozen(cache_hash=True)
class Selection:
    """Lines of the charges before: all of them, if nothing is said.

    Attributes:
        charges: Only those of the charges with these codes; they come before in the version.
        periods: Only those of these periods.
        components: Only those of these parts of a rate.
        tags: Only those with one of these tags.
        without_tags: None of those with one of these tags.

    """

    charges: Codes | None = None
    periods: Tags | None = None
    components: Tags | None = None
    tags: Tags | None = None
    without_tags: Tags = ()

    def matches(self, line: Line) -> bool:
        """Tell whether *line*, which is on the bill so far, is selected."""
        return (
            (self.charges is None or line.charge in self.charges)
            and (self.periods is None or line.period in self.periods)
            and (self.components is None or line.component in self.components)
            and (self.tags is None or _any(self.tags, line.tags))
            and not _any(self.without_tags, line.tags)
        )

    def lines(self, bill: BillSoFar) -> Iterator[Line]:
        """Yield the selected lines of *bill*, in their order."""
        return (line for line in bill.lines if self.matches(line))


def _any(wanted: Sequence[str], there: Sequence[str]) -> bool:
    return not set(wanted).isdisjoint(there)
