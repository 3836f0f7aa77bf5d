"""What a comparison is asked for: a meter, months and tariffs, as the query of a page has them."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Self

import attrs

from energia.pricing.dates import month_after
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View

#: What the API answers, parsed.
Json = Mapping[str, Any]
#: So many tariffs are told apart by their shapes.
MOST: Final = 5
#: So many months are compared at most.
_MONTHS: Final = 36
_YEAR: Final = 12
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def months_between(start: date, end: date) -> tuple[date, ...]:
    """Return the first days of the months from *start* up to before *end*."""
    months = []
    while start < end:
        months.append(start)
        start = month_after(start)
    return tuple(months)


@attrs.frozen
class Window:
    """Whole months.

    Attributes:
        start: The first day.
        end: The day after the last one.

    """

    start: date
    end: date

    @classmethod
    def year_before(cls, end: date) -> Self:
        """Return the twelve months before a day's month."""
        past = end.replace(day=1)
        return cls(month_after(past, -_YEAR), past)

    @property
    def months(self) -> tuple[date, ...]:
        """The first days of the months."""
        return months_between(self.start, self.end)

    @property
    def last(self) -> date:
        """The last month."""
        return month_after(self.end, -1)


@attrs.frozen
class Asked:
    """What the query of the page says, and what is wrong with it.

    Attributes:
        meter: The id of the meter, if one is named.
        window: The months, if they are named and right.
        tariffs: The ids of the tariffs that are named.
        form: The fields as they were typed, with what is wrong.

    """

    meter: str | None
    window: Window | None
    tariffs: tuple[str, ...]
    form: Form

    @classmethod
    def of(cls, view: View) -> Self:
        """Read the query of a page."""
        query = view.request.query
        values = {name: query[name] for name in ("meter", "first", "last") if query.get(name)}
        faults = dict[str, str]()
        window = _window(view, values, faults)
        tariffs = tuple(dict.fromkeys(filter(None, query.getall("tariff", []))))
        if len(tariffs) > MOST:
            faults["tariff"] = view.text("Choose %(most)s at most.", most=MOST)
        return cls(values.get("meter"), window, tariffs[:MOST], Form(values, faults))


def _window(view: View, values: Mapping[str, str], faults: dict[str, str]) -> Window | None:
    """Return the months that are named; notes what is wrong with them."""
    months = dict[str, date]()
    for name in ("first", "last"):
        if name in values:
            found = _MONTH.fullmatch(view.words.parsed_month(values[name]))
            if found:
                months[name] = date(int(found[1]), int(found[2]), 1)
            else:
                faults[name] = view.text("Say it as year and month: 2026-08.")
    if faults or not months:
        return None
    first = months.get("first", month_after(months.get("last", date.min), 1 - _YEAR))
    last = months.get("last", month_after(first, _YEAR - 1))
    if last < first:
        faults["last"] = view.text("This is before the first month.")
    elif len(months_between(first, last)) >= _MONTHS:
        faults["last"] = view.text("Compare %(most)s months at most.", most=_MONTHS)
    return None if faults else Window(first, month_after(last))


def with_readings(usage: Sequence[Json]) -> Window | None:
    """Return the last twelve months with readings, of the usage of months; None without any.

    A month that has just begun is not among them, unless it is the only one.
    """
    read = [date.fromisoformat(month["start"][:10]) for month in usage if _is_read(month)]
    if not read:
        return None
    newest = read[-1]
    whole = _is_whole(usage, newest) or len(read) == 1
    end = month_after(newest) if whole else newest
    start = max(read[0], month_after(end, -_YEAR))
    return Window(start, end)


def _is_read(month: Json) -> bool:
    coverage = month["coverage"]
    return bool(coverage["expected"] > coverage["missing"])


def _is_whole(usage: Sequence[Json], month: date) -> bool:
    """Tell whether nine tenths of a month are read: a gap does not make it half a month."""
    for each in usage:
        if each["start"][:10] == month.isoformat():
            coverage = each["coverage"]
            return bool(coverage["missing"] * 10 <= coverage["expected"])
    return False
