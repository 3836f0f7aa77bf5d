"""When the year of a minimum ends, and what was charged in it so far."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.exact import exact_text
from energia.pricing.slots import Slots

_NUMBER: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60}|/[1-9][0-9]{0,60})?")


@attrs.frozen
class YearEnds:
    """How many years end in the window; the label is `ends`.

    Attributes:
        last_month: The last month of a year, from 1.

    """

    last_month: int

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the midnights at which years end after the start, up to the end."""
        first, last = (slots.zone.datetime(one).year for one in (slots.start, slots.end))
        ends = (
            slots.zone.midnight(_day_after(year, self.last_month))
            for year in range(first - 1, last + 1)
        )
        return {"ends": sum(slots.start < end <= slots.end for end in ends)}


@attrs.frozen
class SoFar:
    """What the lines came to in the year so far.

    Attributes:
        charged: Their sum.
        months: In how many months.

    """

    charged: Fraction = Fraction(0)
    months: Fraction = Fraction(0)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "SoFar":
        """Read the state of the bill before; raises `Invalid`."""
        return cls(*(_number(state.get(name, "0")) for name in ("charged", "months")))

    @property
    def state(self) -> Mapping[str, Any]:
        """What is remembered: `{"charged": "812.50", "months": "7"}`."""
        return {"charged": exact_text(self.charged), "months": exact_text(self.months)}


def _day_after(year: int, month: int) -> date:
    return date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)


def _number(value: object) -> Fraction:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        message = f"{text[:40]!r} is no amount: a decimal number"
        raise Invalid(message, [Fault("bad_charged", message)])
    return Fraction(text)
