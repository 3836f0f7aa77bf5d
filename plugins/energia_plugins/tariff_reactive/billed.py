"""The active demand that earlier charges bill."""

from fractions import Fraction
from typing import Final

from energia import BillSoFar, Fault, Invalid, Selection

_OVERRUN: Final = "overrun"
_UNIT: Final = "kW"


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
        raise Invalid(message, [Fault("no_billed_demand", message)])
    return max(fitting)
