"""Who gets how much of what a unit injects: the units of a holder, a consortium, a cooperative."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor

from energia import Invalid

__all__ = ["ALL", "percents_faults", "split"]

#: The percentages of all units together.
ALL = 100


def split(
    injected: Fraction, percents: Mapping[str, Decimal], *, whole: bool = True
) -> dict[str, Fraction]:
    """Return what each unit gets of what was injected, in kWh; all together it is *injected*.

    Args:
        injected: What was injected, in kWh.
        percents: What each unit gets of it, by its name; 100 together.
        whole: Whether shares are whole kWh: each is rounded down, and the kWh that are left go to
            the largest remainders, of equal ones to the unit that is named first. What *injected*
            has beyond whole kWh goes with the last of them. Else shares are exact.

    Raises:
        Invalid: The percentages are not 100 together.

    """
    if message := percents_faults(percents):
        raise Invalid.of("wrong_percents", message)
    exact = {unit: injected * Fraction(part) / ALL for unit, part in percents.items()}
    if not whole:
        return exact
    shares = {unit: Fraction(floor(part)) for unit, part in exact.items()}
    # Python sorts stably: of equal remainders the unit that is named first comes first.
    order = sorted(exact, key=lambda unit: shares[unit] - exact[unit])
    left = injected - sum(shares.values())
    for unit in order:
        more = min(left, Fraction(1))
        shares[unit] += more
        left -= more
    return shares


def percents_faults(percents: Mapping[str, Decimal]) -> str | None:
    """Return what is wrong with percentages: they are above zero, and 100 together."""
    total = sum(percents.values(), Decimal(0))
    if total != ALL or any(part < 0 for part in percents.values()):
        return f"the percentages are {total}: none is below zero, and together they are 100"
    return None
