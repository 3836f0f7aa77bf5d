"""What usage costs: the lines of a bill as they are printed, and where each comes from."""

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Final, Protocol

import attrs

from energia.codes import minor_digits
from energia.errors import Inexact
from energia.pricing.charges import Measured
from energia.pricing.exact import (
    RateRounding,
    decimal_text,
    exact_sum,
    exact_text,
    factor_texts,
    fraction,
    padded,
)
from energia.pricing.lines import Line, Remembered, Step
from energia.pricing.slots import Assumption

#: A quantity without a rate that no decimal ends is shown with so many decimals.
_SHOWN: Final = 6


@attrs.frozen
class Item:
    """A line with its exact amount.

    Attributes:
        charge: The code of its charge.
        line: The line, as its charge, or the last that replaced it, states it.
        exact: Its amount before rounding.
        rate: The text of the rate that was multiplied, `n/d` where no decimal ends.
        replaced_by: The codes of the charges that replaced it, in their order.

    """

    charge: str
    line: Line
    exact: Fraction
    rate: str | None
    replaced_by: tuple[str, ...] = ()

    @property
    def so_far(self) -> Line:
        """The line as later charges see it."""
        return attrs.evolve(self.line, amount=self.exact, charge=self.charge)


def exact(code: str, line: Line, rounding: RateRounding) -> Item:
    """Return *line* with its exact amount, which its steps must explain.

    Raises:
        Inexact: A number of it is a float; the message names it.

    """
    try:
        return _item(code, line, rounding)
    except Inexact:
        _refuse_floats_of(line)
        raise


def _refuse_floats_of(line: Line) -> None:
    """Name the number of a line that is not exact; raises `Inexact`."""
    numbers = {"quantity": line.quantity, "rate": line.rate, "amount": line.amount}
    numbers |= {f"steps[{at}].value": step.value for at, step in enumerate(line.steps)}
    for name, number in numbers.items():
        try:
            _ = number is None or fraction(number)
        except Inexact as error:
            raise Inexact(f"line {line.code}: {name}: {error.detail}") from None


def _item(code: str, line: Line, rounding: RateRounding) -> Item:
    rate, text = (None, None) if line.rate is None else rounding.rate(line.rate)
    if line.amount is not None:
        explained, amount = line.amount, fraction(line.amount)
    elif line.quantity is not None and rate is not None:
        explained, amount = line.quantity, fraction(line.quantity) * rate
    else:
        raise TypeError(f"{code}: a line needs an amount, or a quantity and a rate")
    if line.steps and exact_sum(step.value for step in line.steps) != fraction(explained):
        raise TypeError(f"{code}: the steps of {line.code} do not add up")
    return Item(code, line, amount, text)


#: Makes an object without its attributes.
_NEW: Final = object.__new__


@attrs.frozen(kw_only=True)
class CostLine:
    """One line of a cost.

    Attributes:
        code: `<charge code>[.<period>][.<component>]`.
        description: For a person.
        quantity: How much, in `unit`; see `quantity_exact`.
        unit: The unit of the quantity.
        rate: The price of one unit that was multiplied; see `rate_exact`.
        amount: In the tariff's currency, rounded as the tariff says: a decimal.
        exact: The amount before rounding: a decimal, or n/d where none ends.
        period: The period of the schedule.
        component: The part of the rate.
        version: When the version of the tariff became valid that charges it, where several do.
        quantity_exact: The quantity n/d, where no decimal ends: `quantity` is rounded then, to six
            decimals or to as many as it takes for quantity x rate to be the amount.
        rate_exact: The rate n/d, where no decimal ends: `rate` is rounded likewise.

    """

    code: str
    description: str
    quantity: str | None = None
    unit: str | None = None
    rate: str | None = None
    amount: str
    exact: str
    period: str | None = None
    component: str | None = None
    version: date | None = None
    quantity_exact: str | None = None
    rate_exact: str | None = None

    @property
    def factors(self) -> tuple[Fraction, Fraction] | None:
        """The exact quantity and rate, if it has both."""
        if self.quantity is None or self.rate is None:
            return None
        quantity, rate = self.quantity_exact or self.quantity, self.rate_exact or self.rate
        return Fraction(quantity), Fraction(rate)

    def at(self, amount: str) -> "CostLine":
        """Return the line with another amount: as `attrs.evolve` would, in a third of the time."""
        return self.like(self.quantity, amount, self.exact)

    @property
    def like(self) -> "Callable[[str | None, str, str], CostLine]":
        """Returns the line with another quantity, amount and exact amount, all else being alike.

        A batch has millions of such lines. Each is written as a draft, which takes a fifth of the
        time of giving its attributes to a new line, and becomes a line then.
        """
        code, description, unit, rate = self.code, self.description, self.unit, self.rate
        period, component, version = self.period, self.component, self.version
        quantity_exact, rate_exact = self.quantity_exact, self.rate_exact

        def like(quantity: str | None, amount: str, exact: str) -> CostLine:
            line: Any = _NEW(_Draft)
            line.code = code
            line.description = description
            line.quantity = quantity
            line.unit = unit
            line.rate = rate
            line.amount = amount
            line.exact = exact
            line.period = period
            line.component = component
            line.version = version
            line.quantity_exact = quantity_exact
            line.rate_exact = rate_exact
            line.__class__ = CostLine
            written: CostLine = line
            return written

        return like

    @property
    def title(self) -> str:
        """The description, and which version charges it, where several do."""
        return f"{self.description} (from {self.version})" if self.version else self.description


class _Draft(CostLine):
    """A line that is being written, for what is frozen is slow to write."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


@attrs.frozen
class Detail:
    """Where a line comes from.

    Attributes:
        charge: The code of its charge; None for the line that rounds the total.
        steps: How its amount, or else its quantity, was worked out.
        replaced_by: The codes of later charges that put another line into its place.
        part: Which version charges it: an index into the parts of the cost.
        rate_steps: How its rate was worked out, where later charges changed it.
        rule: Which rule of the last version rounded its amount, counted from 0; None where the
            version itself did.

    """

    charge: str | None
    steps: tuple[Step, ...] = ()
    replaced_by: tuple[str, ...] = ()
    part: int = 0
    rate_steps: tuple[str, ...] = ()
    rule: int | None = None


@attrs.frozen
class CostPart:
    """What one version of the tariff was charged by.

    Attributes:
        version: When the version became valid.
        measured: What the measures of each of its charges gave, by its code.

    """

    version: date
    measured: Mapping[str, Measured]


class Origin(Protocol):
    """Where the lines of a cost come from, worked out when somebody asks."""

    @property
    def details(self) -> tuple[Detail, ...]:
        """Where each of the lines comes from."""
        ...

    @property
    def parts(self) -> tuple[CostPart, ...]:
        """The versions that were in force, in order, and what was measured for each."""
        ...

    @property
    def versions(self) -> tuple[date, ...]:
        """When the versions became valid, in order."""
        ...


def _details(given: "tuple[Detail, ...] | Origin") -> tuple[Detail, ...]:
    return given if isinstance(given, tuple) else given.details


def _parts(given: "tuple[CostPart, ...] | Origin") -> tuple[CostPart, ...]:
    return given if isinstance(given, tuple) else given.parts


@attrs.frozen
class Cost:
    """What usage costs.

    Attributes:
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        lines: What the charges charge, in their order.
        assumptions: What was taken for granted.
        state: What each charge remembers for the next bill, by its code.
        details: Where each of the lines comes from.
        parts: The versions that were in force, in order, and what was measured for each.

    """

    currency: str
    total: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    state: Mapping[str, Remembered]
    _details: tuple[Detail, ...] | Origin = attrs.field(eq=_details, repr=False)
    _parts: tuple[CostPart, ...] | Origin = attrs.field(eq=_parts, repr=False)

    @property
    def details(self) -> tuple[Detail, ...]:
        """Where each of the lines comes from; worked out when it is asked for first."""
        return _details(self._details)

    @property
    def parts(self) -> tuple[CostPart, ...]:
        """The versions that were in force, in order, and what was measured for each."""
        return _parts(self._parts)

    @property
    def versions(self) -> tuple[date, ...]:
        """When the versions of the tariff became valid that were in force, in order."""
        if isinstance(self._parts, tuple):
            return tuple(part.version for part in self._parts)
        return self._parts.versions


def as_money(cost: Cost) -> Cost:
    """Return *cost* as people are told it: amounts have at least the decimals of the currency.

    A tariff may round to whole units, or leave amounts exact; what is said of money is written as
    money all the same, `13.00` and not `13`.
    """
    decimals = minor_digits(cost.currency)
    total = padded(cost.total, decimals)
    amounts = [padded(line.amount, decimals) for line in cost.lines]
    pairs = zip(cost.lines, amounts, strict=True)
    lines = tuple([line if line.amount == text else line.at(text) for line, text in pairs])
    return Cost(
        cost.currency, total, lines, cost.assumptions, cost.state, cost._details, cost._parts
    )


def printed(item: Item, amount: str, version: date | None = None) -> CostLine:
    """Return a line as it is printed, given its amount, and the version where several charge."""
    line = item.line
    # The exact texts; `n/d` where no decimal ends.
    quantity = None if line.quantity is None else exact_text(fraction(line.quantity))
    rate, quantity_exact, rate_exact = item.rate, None, None
    if "/" in f"{quantity}{rate}":
        quantity_exact = quantity if "/" in (quantity or "") else None
        rate_exact = rate if "/" in (rate or "") else None
        quantity, rate = _shown(quantity, rate, amount)
    return CostLine(
        code=line.code,
        description=line.description,
        amount=amount,
        exact=exact_text(item.exact),
        quantity=quantity,
        unit=line.unit,
        rate=rate,
        period=line.period,
        component=line.component,
        version=version,
        quantity_exact=quantity_exact,
        rate_exact=rate_exact,
    )


def _shown(quantity: str | None, rate: str | None, amount: str) -> tuple[str | None, str | None]:
    """Return a quantity and a rate, of which one ends in no decimal, so that they multiply out."""
    if quantity is None or rate is None:
        return (
            None if quantity is None else decimal_text(Fraction(quantity), _SHOWN),
            None if rate is None else decimal_text(Fraction(rate), _SHOWN),
        )
    # Of an amount that is not rounded there may be many more: `exact` has those.
    decimals = min(max(2, len(amount.partition(".")[2])), _SHOWN)
    texts = factor_texts(Fraction(quantity), Fraction(rate), decimals)
    # A rate that ends is shown as the tariff states it: 0.1500.
    return texts[0], texts[1] if "/" in rate else rate
