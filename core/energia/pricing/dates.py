"""Dates of a bill: its days, the months they are in, and tables of values that change by date."""

import re
from calendar import isleap, monthrange
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

import attrs
from msgspec import Meta

from energia.errors import Fault
from energia.pricing.charges import BaseMeasure
from energia.pricing.lines import Step
from energia.pricing.slots import LONG_BILL, Slots
from energia.time import DAY, Instant

__all__ = [
    "Across",
    "BillDates",
    "BillPart",
    "Dates",
    "Entry",
    "Month",
    "Proration",
    "Table",
    "as_month",
    "bill_of",
    "days_of",
    "later_month",
    "month_after",
    "of_bill",
    "of_months",
    "range_ends_later",
    "share_of",
    "window_of",
]

_ONE_DAY: Final = timedelta(days=1)
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")

Month = Annotated[
    str,
    Meta(
        pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$",
        extra={"words": "a month such as 2026-08"},
        description="A calendar month of the site's zone.",
        examples=["2026-08"],
    ),
]
#: Which days of a bill decide on a value that changes by date: all of them, each counting as much
#: as any other, only the first, or only the last.
Across = Literal["days", "start", "end"]


@attrs.frozen
class Dates:
    """Consecutive days, from the first to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    def deciding(self, across: Across) -> Self:
        """Return the days that decide on a value."""
        match across:
            case "days":
                return self
            case "start":
                return attrs.evolve(self, last=self.first)
            case "end":
                return attrs.evolve(self, first=self.last)


@attrs.frozen
class BillDates(BaseMeasure):
    """The local dates of the window and of its bill, as numbers such as 20260331.

    The labels are `first` and `last` of the window, `bill_first` and `bill_last` of the bill.

    Attributes:
        prorates: Whether the charge counts only a part of its amounts and bands where the window
            is only a part of the bill; the assumption `prorated_by_days` says so.

    """

    prorates: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the dates in the site's zone."""
        slots.local_days()  # tells of days that are cut
        bill = slots.bill or (slots.start, slots.end)
        if self.prorates and bill != (slots.start, slots.end):
            message = (
                "another version is in force in a part of the bill: amounts and bands of a whole "
                "bill count by the days of each"
            )
            slots.assume("prorated_by_days", message)
        edges = dict(zip(("", "bill_"), ((slots.start, slots.end), bill), strict=True))
        return {
            f"{whose}{name}": _number(slots, instant)
            for whose, (start, end) in edges.items()
            for name, instant in (("first", start), ("last", end - 1))
        }


def window_of(measured: Mapping[str, int]) -> Dates:
    """Return the dates of the window that `BillDates` gave."""
    return Dates(_date(measured["first"]), _date(measured["last"]))


def bill_of(measured: Mapping[str, int]) -> Dates:
    """Return the dates of the bill that `BillDates` gave."""
    return Dates(_date(measured["bill_first"]), _date(measured["bill_last"]))


def share_of(measured: Mapping[str, int]) -> Fraction:
    """Return which part of the days of the bill the window has."""
    return Fraction(window_of(measured).days, bill_of(measured).days)


def range_ends_later(from_: date | None, to: date | None) -> Iterator[Fault]:
    """Refuse a range of days that ends before it begins: a rule of what holds `from` a day `to`."""
    if from_ is not None and to is not None and to <= from_:
        yield Fault("empty_range", "to must be after from", "/to")


@attrs.frozen(cache_hash=True)
class Entry:
    """A value from one date up to another, which is not included; None is no end."""

    label: str
    from_: date
    to: date | None
    value: Decimal

    def includes(self, day: date) -> bool:
        """Tell whether the value holds on a day."""
        return self.from_ <= day and (self.to is None or day < self.to)


@attrs.frozen(cache_hash=True)
class Table:
    """Values by date; no two entries share a day."""

    entries: tuple[Entry, ...]

    @classmethod
    def of_months(cls, months: Mapping[str, Decimal]) -> Self:
        """Return the table of values that each hold in one calendar month."""
        return cls(
            tuple(
                Entry(month, begin, month_after(begin), value)
                for month, value in sorted(months.items())
                for begin in [date.fromisoformat(f"{month}-01")]
            )
        )

    @cached_property
    def changes(self) -> tuple[date, ...]:
        """The dates on which another value, or none, begins to hold."""
        begins = {entry.from_ for entry in self.entries}
        return tuple(sorted(begins | {entry.to for entry in self.entries if entry.to is not None}))

    def at(self, day: date) -> Entry | None:
        """Return the entry that holds on a day."""
        return next((entry for entry in self.entries if entry.includes(day)), None)

    def cut(self, dates: Dates) -> Iterator[Dates]:
        """Yield *dates* in parts of one value each, in order."""
        inside = [day for day in self.changes if dates.first < day <= dates.last]
        begins = [dates.first, *inside, dates.last + _ONE_DAY]
        for begin, past in pairwise(begins):
            yield Dates(begin, past - _ONE_DAY)


def month_after(begin: date, count: int = 1) -> date:
    """Return the first day of the month that comes so many after the one that *begin* is in."""
    year, month = divmod(begin.year * 12 + begin.month - 1 + count, 12)
    return date(year, month + 1, 1)


def as_month(text: object) -> str:
    """Return the month that a state has, such as `2026-03`; raises `ValueError` for others."""
    if not isinstance(text, str) or not _MONTH.fullmatch(text):
        raise ValueError(f"{str(text)[:20]!r} is not a month")
    return text


def later_month(month: str, months: int) -> str:
    """Return the month that is some months later: 60 after `2026-03` it is `2031-03`."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + months, 12)
    return f"{year:04}-{number + 1:02}"


def _number(slots: Slots, instant: Instant) -> int:
    day = slots.zone.datetime(instant).date()
    return day.year * 10_000 + day.month * 100 + day.day


def _date(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


# How much of a month, of a year or of a bill a window is.

#: How a part of a month counts: as its days / the days of the month; as its days x 12/365, in
#: leap years too; as its days x 12 / the days of its year; or in full, each month that the bill
#: touches.
Proration = Annotated[
    Literal["month_days", "annual_days", "year_days", "none"],
    Meta(
        description="How a part of a month counts: its days / the days of the month; its days x "
        "12/365; its days x 12 / the 365 or 366 days of the year; or in full."
    ),
]


@attrs.frozen
class BillPart(BaseMeasure):
    """The days of the window (`days`) and of its bill (`bill`); of a whole bill 1 and 1."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the site's zone, where the window is only a part of its bill."""
        start, end = slots.bill or (slots.start, slots.end)
        if end - start > LONG_BILL * DAY:
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
        days: The days of the window in each month, which `Months` gives.
        of_bill: Those of its bill, which `BillMonths` gives: parts of a bill share what counts in
            full by their days.
        proration: How parts of months count.

    """
    for month, count in days.items():
        match proration:
            case "none":
                text = "1" if count == of_bill[month] else f"{count}/{of_bill[month]}"
                yield Step(month, text, Fraction(count, of_bill[month]))
            case "annual_days":
                yield Step(month, f"{count} x 12/365", Fraction(12 * count, 365))
            case "year_days":
                year = 366 if isleap(int(month[:4])) else 365
                yield Step(month, f"{count} x 12/{year}", Fraction(12 * count, year))
            case "month_days":
                length = days_of(month)
                yield Step(month, f"{count}/{length}", Fraction(count, length))


@lru_cache(maxsize=1200)
def days_of(month: str) -> int:
    """Return how many days a calendar month such as `2026-03` has."""
    year, number = month.split("-")
    return monthrange(int(year), int(number))[1]
