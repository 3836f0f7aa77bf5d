"""The lines of a bill, exact, and what a charge hands to its next bill."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import attrs

from energia.pricing.exact import Exact, fraction
from energia.pricing.slots import Slots

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

    """

    lines: Sequence[Line]
    state: Remembered = NOTHING
    measured: Mapping[str, Mapping[str, Mapping[str, int]]] = attrs.Factory(dict)
    again: Again = _none_before
    channels: Mapping[str, str] = attrs.Factory(dict)
    kinds: Mapping[str, str] = attrs.Factory(dict)
    remeasured: Remeasured = _none_measured
    exactly: Exactly = _unrounded
