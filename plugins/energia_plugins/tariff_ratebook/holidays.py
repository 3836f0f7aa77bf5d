"""Holidays that are named, as dates."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

#: Weekdays, as `date.weekday` counts them.
_MON, _THU, _SAT, _SUN = 0, 3, 5, 6
_WEEK: Final = 7


def _nth(month: int, weekday: int, number: int) -> Callable[[int], date]:
    def of(year: int) -> date:
        first = date(year, month, 1)
        ahead = (weekday - first.weekday()) % _WEEK
        return first + timedelta(days=ahead + _WEEK * (number - 1))

    return of


def _memorial(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _easter(year: int) -> date:
    """Return Easter Sunday (the Gregorian computus of Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


_THANKSGIVING: Final = _nth(11, _THU, 4)
#: The federal holidays of the US and those that utilities name beside them.
RULES: Final[Mapping[str, Callable[[int], date]]] = {
    "new_years_day": _fixed(1, 1),
    "mlk_day": _nth(1, _MON, 3),
    "washingtons_birthday": _nth(2, _MON, 3),
    "presidents_day": _nth(2, _MON, 3),
    "cesar_chavez_day": _fixed(3, 31),
    "good_friday": lambda year: _easter(year) - timedelta(days=2),
    "memorial_day": _memorial,
    "juneteenth": _fixed(6, 19),
    "independence_day": _fixed(7, 4),
    "labor_day": _nth(9, _MON, 1),
    "columbus_day": _nth(10, _MON, 2),
    "veterans_day": _fixed(11, 11),
    "thanksgiving": _THANKSGIVING,
    "day_after_thanksgiving": lambda year: _THANKSGIVING(year) + timedelta(days=1),
    "christmas_eve": _fixed(12, 24),
    "christmas": _fixed(12, 25),
    "christmas_day": _fixed(12, 25),
    "new_years_eve": _fixed(12, 31),
}


def dates(names: Iterable[str], years: Iterable[int], observance: str) -> Iterator[date]:
    """Yield the dates of the holidays *names* in *years*.

    Observed holidays are on the Monday after a Sunday, and, with `nearest_weekday`, on the Friday
    before a Saturday.
    """
    named = list(names)
    for year in years:
        for name in named:
            yield _observed(RULES[name](year), observance)


def _observed(day: date, observance: str) -> date:
    if day.weekday() == _SUN and observance != "actual_day":
        return day + timedelta(days=1)
    if day.weekday() == _SAT and observance in ("nearest_weekday", "federal"):
        return day - timedelta(days=1)
    return day
