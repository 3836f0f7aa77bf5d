"""National lists of holidays that tariffs use, as rules: no library has just these days."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

import attrs


@attrs.frozen
class Rule:
    """The holidays of a country for tariffs.

    Attributes:
        id: What the list is called, unless told otherwise.
        name: For people.
        source: Who says so.
        dates: Yields those of a year, in order.

    """

    id: str
    name: str
    source: str
    dates: Callable[[int], Iterator[date]]


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar.

    Source: J. Meeus, Astronomical Algorithms, 2nd edition, chapter 8.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7  # noqa: E741 - the letters are those of the source
    m = (a + 11 * h + 19 * l) // 433
    month = (h + l - 7 * m + 90) // 25
    return date(year, month, (h + l - 7 * m + 33 * month + 19) % 32)


def _fixed(year: int, *month_days: str) -> Iterator[date]:
    for month_day in month_days:
        yield date.fromisoformat(f"{year}-{month_day}")


def _brazil(year: int) -> Iterator[date]:
    """Yield the days on which there is no peak period, Sundays or not."""
    fixed = ["01-01", "04-21", "05-01", "09-07", "10-12", "11-02", "11-15", "12-25"]
    if year >= 2024:
        fixed.append("11-20")
    # Tuesday of Carnival, Good Friday, Corpus Christi.
    movable = (easter(year) + timedelta(days=days) for days in (-47, -2, 60))
    yield from sorted([*_fixed(year, *fixed), *movable])


def _spain(year: int) -> Iterator[date]:
    days = ["01-01", "01-06", "05-01", "08-15", "10-12", "11-01", "12-06", "12-08", "12-25"]
    return _fixed(year, *days)


#: By country, ISO 3166.
RULES: Final[Mapping[str, Rule]] = {
    "BR": Rule(
        "br-national",
        "Brazil, national",
        "ANEEL REN 1000/2021 (days without a peak period); Lei 14.759/2023 (20 November)",
        _brazil,
    ),
    "ES": Rule(
        "es-national",
        "Spain, national with a fixed date",
        "CNMC Circular 3/2020 (national, neither movable nor replaceable; 6 January)",
        _spain,
    ),
}
