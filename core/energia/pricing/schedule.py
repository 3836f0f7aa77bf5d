"""Schedules: which period of a tariff a moment of local time falls into.

The rules are those of the tariff document: the first rule that matches wins and `default` takes
the rest. A rule's window may cross midnight; its day is the one on which the window begins. `mon`
to `sun` match holidays too, `weekday` is neither a holiday nor one of the weekend days, `weekend`
is one of the weekend days, holiday or not.
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated, ClassVar, Final, Literal, cast

import attrs
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from energia.convert.constraints import Check
from energia.convert.rules import Rules, enforce
from energia.convert.scalars import Unfit
from energia.errors import Fault
from energia.pricing.days import WEEKDAYS, Bools, Days
from energia.zones import Int64, Zone

#: Which rules match on which days: bool[days, rules].
Matches = npt.NDArray[np.bool_]

DayKind = Literal[
    "weekday", "weekend", "holiday", "all", "mon", "tue", "wed", "thu", "fri", "sat", "sun"
]
Period = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The name of a period, such as `peak`.",
        examples=["peak"],
    ),
]


def _in_a_year(month_day: str) -> None:
    try:
        date.fromisoformat(f"2000-{month_day}")
    except ValueError:
        raise Unfit("no_such_day", f"{month_day} is in no year") from None


_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
From = Annotated[str, Meta(pattern=f"^{_TIME}$", examples=["17:30"])]
To = Annotated[str, Meta(pattern=f"^({_TIME}|24:00)$", examples=["20:30"])]
MonthDay = Annotated[
    str,
    Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", examples=["06-01"]),
    Check(_in_a_year),
]
Clock = Annotated[
    str,
    Meta(
        pattern=r"^(local|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
        description="`local`, or a fixed offset from UTC that has no daylight saving.",
        examples=["local", "+00:00"],
    ),
]

MINUTES: Final = 24 * 60


@attrs.frozen(cache_hash=True)
class Season:
    """Part of every year, both ends included; it may run over the end of the year."""

    from_: MonthDay
    to: MonthDay

    def includes(self, month_day: Int64) -> Bools:
        """Return which days (100 * month + day) are in the season."""
        first, last = (int(text.replace("-", "")) for text in (self.from_, self.to))
        after, until = month_day >= first, month_day <= last
        return after & until if first <= last else after | until


def _lasts(from_: str, to: str) -> Iterator[Fault]:
    if from_ == to:
        message = "the window is empty; a whole day is 00:00 to 24:00"
        yield Fault("empty_window", message, "/to")


@attrs.frozen(cache_hash=True)
class Rule:
    """A window of time on some days that belongs to a period.

    Attributes:
        period: The name of the period.
        days: The kinds of days on which the window begins.
        from_: When the window begins, `HH:MM`.
        to: When it ends; up to 24:00, or before `from`: then it ends on the next day.
        season: In which part of the year; all of it without.

    """

    __rules__: ClassVar[Rules] = (_lasts,)

    period: Period
    days: Annotated[tuple[DayKind, ...], Meta(min_length=1, max_length=11)] = ("all",)
    from_: From = "00:00"
    to: To = "24:00"
    season: Season | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse an empty window."""
        enforce(self)

    @property
    def minutes(self) -> tuple[slice, slice]:
        """The minutes of the day on which the window begins, and of the next day."""
        first, last = minute(self.from_), minute(self.to)
        if first < last:
            return slice(first, last), slice(0, 0)
        return slice(first, MINUTES), slice(0, last)

    def matches(self, days: Days) -> Bools:
        """Return on which days the window begins."""
        found = np.zeros(len(days.weekday), bool)
        for kind in self.days:
            found |= _is_kind(days, kind)
        return found & self.season.includes(days.month_day) if self.season else found


@attrs.frozen(cache_hash=True)
class Schedule:
    """Which period each moment is in: the first rule that matches, else the default.

    Attributes:
        rules: The rules, first match first.
        default: The period of what no rule matches; without it the rules must cover every minute.
        clock: `local` time of the tariff, or a fixed offset (Economy 7 runs on GMT); days, seasons
            and holidays are read on the same clock.

    """

    rules: Annotated[tuple[Rule, ...], Meta(max_length=500)] = ()
    default: Period | None = None
    clock: Clock = "local"

    @property
    def periods(self) -> tuple[str, ...]:
        """The periods that the schedule can give, in the order of the rules."""
        named = [rule.period for rule in self.rules]
        return tuple(dict.fromkeys([*named, self.default] if self.default else named))

    def asks_for_holidays(self, *, any_listed: bool) -> bool:
        """Tell whether it matters which days are holidays.

        A schedule of working days alone may be one that knows no holidays: *any_listed* tells.
        """
        kinds = {kind for rule in self.rules for kind in rule.days}
        return "holiday" in kinds or (any_listed and "weekday" in kinds)

    def zone(self, local: Zone) -> Zone:
        """Return the zone of the schedule's clock, for a tariff in the zone *local*."""
        return local if self.clock == "local" else Zone.named(self.clock)

    def matches(self, days: Days) -> Matches:
        """Return bool[days, rules]: which rules' windows begin on which days."""
        found = np.empty((len(days.weekday), len(self.rules)), bool)
        for index, rule in enumerate(self.rules):
            found[:, index] = rule.matches(days)
        return found


def minute(text: str) -> int:
    """Return the minute of the day of `HH:MM`; 24:00 is 1440."""
    return int(text[:2]) * 60 + int(text[3:])


def faults_of_periods(schedule: Schedule, named: Collection[str]) -> list[Fault]:
    """Return what is wrong with a table of *named* periods; pointers are relative to the charge.

    Every period of the schedule needs an entry in `rates`, and every entry a period.
    """
    periods = schedule.periods
    known = ", ".join(periods) or "none"
    return [
        Fault("missing_rate", f"the period {period} has no rate", f"/rates/{period}")
        for period in periods
        if period not in named
    ] + [
        Fault(
            "unknown_period",
            f"no rule gives the period {period}; the schedule has: {known}",
            f"/rates/{period}",
        )
        for period in named
        if period not in periods
    ]


def _is_kind(days: Days, kind: DayKind) -> Bools:
    match kind:
        case "all":
            return np.ones(len(days.weekday), bool)
        case "weekend":
            return days.weekend
        case "holiday":
            return days.holiday
        case "weekday":
            return ~(days.weekend | days.holiday)
        case _:
            return cast("Bools", days.weekday == WEEKDAYS.index(kind))
