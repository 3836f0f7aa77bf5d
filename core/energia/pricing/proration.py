"""How much of a month, of a year or of a bill a window is."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Final, Literal

import attrs
from msgspec import Meta

from energia.pricing.lines import Step
from energia.pricing.slots import Slots
from energia.zones import DAY

#: How a part of a month counts: as its days / the days of the month; as its days x 12/365; or in
#: full, each month that the bill touches.
Proration = Annotated[
    Literal["month_days", "annual_days", "none"],
    Meta(
        description="How a part of a month counts: its days / the days of the month; its days x "
        "12/365; or in full."
    ),
]


#: A bill of more days is told of.
_LONG_BILL: Final = 45


@attrs.frozen
class BillPart:
    """The days of the window (`days`) and of its bill (`bill`); of a whole bill 1 and 1."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the tariff's zone, where the window is only a part of its bill."""
        start, end = slots.bill or (slots.start, slots.end)
        if end - start > _LONG_BILL * DAY:
            message = "an amount for a bill is charged once: group=P1M makes each month a bill"
            slots.assume("long_bill", message)
        if slots.bill is None:
            return {"days": 1, "bill": 1}
        return {"days": slots.local_days().number, "bill": slots.bill_days().number}


def of_bill(part: Mapping[str, int]) -> Step:
    """Return how much of a bill a window is, given what `BillPart` gave."""
    days, bill = part["days"], part["bill"]
    text = "1" if days == bill else f"{days}/{bill}"
    return Step("bill", text, Fraction(days, bill))


def of_months(
    days: Mapping[str, int], of_bill: Mapping[str, int], proration: Proration
) -> Iterator[Step]:
    """Yield how much of each calendar month, such as `2026-03`, a window is.

    Args:
        days: The days of the window in each month.
        of_bill: Those of its bill: parts of a bill share what counts in full by their days.
        proration: How parts of months count.

    """
    for month, count in days.items():
        match proration:
            case "none":
                text = "1" if count == of_bill[month] else f"{count}/{of_bill[month]}"
                yield Step(month, text, Fraction(count, of_bill[month]))
            case "annual_days":
                yield Step(month, f"{count} x 12/365", Fraction(12 * count, 365))
            case "month_days":
                length = days_of(month)
                yield Step(month, f"{count}/{length}", Fraction(count, length))


def days_of(month: str) -> int:
    """Return how many days a calendar month such as `2026-03` has."""
    year, number = month.split("-")
    return monthrange(int(year), int(number))[1]
