"""What the days are that schedules ask for: day of the week, weekend, holiday, date in the year."""

from datetime import date
from typing import Final, Literal, cast

import attrs
import numpy as np
import numpy.typing as npt

from energia.zones import Int64, day_number

Bools = npt.NDArray[np.bool_]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@attrs.frozen(eq=False)
class Days:
    """Days, as arrays: what the rules of a schedule ask of a day.

    Attributes:
        weekday: int64[n], Monday is 0.
        weekend: bool[n].
        holiday: bool[n].
        month_day: int64[n], 100 * month + day of the month.

    """

    weekday: Int64
    weekend: Bools
    holiday: Bools
    month_day: Int64


@attrs.frozen(cache_hash=True)
class DayTypes:
    """What a version of a tariff says of days.

    Attributes:
        holidays: The dates, in the tariff's zone.
        weekend_days: The days of the week that are the weekend.

    """

    holidays: frozenset[date] = frozenset()
    weekend_days: frozenset[Weekday] = frozenset({"sat", "sun"})

    def days(self, numbers: Int64) -> Days:
        """Return what the days *numbers* (since 1970-01-01) are."""
        weekday = (numbers + 3) % 7
        holidays = np.array([day_number(day) for day in self.holidays], np.int64)
        return Days(weekday, self.weekend(weekday), np.isin(numbers, holidays), _month_day(numbers))

    def without_holidays(self, numbers: Int64) -> tuple[int, ...]:
        """Return the years of the days *numbers* of which no holiday is listed."""
        years = {int(day) + 1970 for day in _year(numbers[[0, -1]])}
        listed = {day.year for day in self.holidays}
        return tuple(year for year in range(min(years), max(years) + 1) if year not in listed)

    def weekend(self, weekday: Int64) -> Bools:
        """Return which of the days of the week are the weekend."""
        is_weekend = np.array([name in self.weekend_days for name in WEEKDAYS])
        return cast("Bools", is_weekend[weekday])


def _year(numbers: Int64) -> Int64:
    """Return the years, since 1970."""
    return numbers.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)


def _month_day(numbers: Int64) -> Int64:
    day = numbers.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    of_month = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
    of_year = month.astype(np.int64) % 12 + 1
    return cast("Int64", of_year * 100 + of_month)
