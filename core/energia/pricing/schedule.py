"""Schedules: which period of a tariff a moment of local time falls into.

The rules are those of the tariff document: the first rule that matches wins and `default` takes
the rest. A rule's window may cross midnight; its day is the one on which the window begins. `mon`
to `sun` match holidays too, `weekday` is neither a holiday nor one of the weekend days, `weekend`
is one of the weekend days, holiday or not.
"""

from calendar import isleap
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal, cast

import attrs
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import Rules, enforce
from energia.errors import Fault
from energia.time import Int64, Zone, day_number, day_of

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
        month_length: int64[n], how many days the month has.
        listed: bool[n] for each list of days of the version, by its name.

    """

    weekday: Int64
    weekend: Bools
    holiday: Bools
    month_day: Int64
    month_length: Int64
    listed: Mapping[str, Bools] = attrs.Factory(dict)


@attrs.frozen
class DayList:
    """Days that a version lists by their dates, such as the red days of the French Tempo.

    Attributes:
        name: What rules call it.
        dates: The days, in the tariff's zone.

    """

    name: str
    dates: frozenset[date]

    def lacks(self, first: int, last: int) -> bool:
        """Tell whether some of the days (since 1970-01-01) are before or after all of the list."""
        if not self.dates:
            return True
        return first < day_number(min(self.dates)) or day_number(max(self.dates)) < last


@attrs.frozen(cache_hash=True)
class DayTypes:
    """What a version of a tariff says of days.

    Attributes:
        holidays: The dates, in the tariff's zone.
        weekend_days: The days of the week that are the weekend.
        lists: Other kinds of day, each a list of dates.

    """

    holidays: frozenset[date] = frozenset()
    weekend_days: frozenset[Weekday] = frozenset({"sat", "sun"})
    lists: tuple[DayList, ...] = ()

    def days(self, numbers: Int64) -> Days:
        """Return what the days *numbers* (since 1970-01-01) are."""
        weekday = (numbers + 3) % 7
        listed = {each.name: _among(numbers, each.dates) for each in self.lists}
        return Days(
            weekday,
            self.weekend(weekday),
            _among(numbers, self.holidays),
            _month_day(numbers),
            _month_length(numbers),
            listed,
        )

    def without_holidays(self, numbers: Int64) -> tuple[int, ...]:
        """Return the years of the days *numbers* of which no holiday is listed."""
        years = {int(day) + 1970 for day in _year(numbers[[0, -1]])}
        listed = {day.year for day in self.holidays}
        return tuple(year for year in range(min(years), max(years) + 1) if year not in listed)

    def beyond(self, names: Collection[str], numbers: Int64) -> tuple[DayList, ...]:
        """Return the lists among *names* that do not reach all days from first to last *number*."""
        first, last = int(numbers[0]), int(numbers[-1])
        return tuple(each for each in self.lists if each.name in names and each.lacks(first, last))

    def weekend(self, weekday: Int64) -> Bools:
        """Return which of the days of the week are the weekend."""
        is_weekend = np.array([name in self.weekend_days for name in WEEKDAYS])
        return cast("Bools", is_weekend[weekday])


def _among(numbers: Int64, dates: Collection[date]) -> Bools:
    return np.isin(numbers, np.array([day_number(day) for day in dates], np.int64))


def _month_length(numbers: Int64) -> Int64:
    month = numbers.astype("datetime64[D]").astype("datetime64[M]")
    begins, ends = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    return cast("Int64", (ends - begins).astype(np.int64))


def _year(numbers: Int64) -> Int64:
    """Return the years, since 1970."""
    return numbers.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)


def _month_day(numbers: Int64) -> Int64:
    day = numbers.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    of_month = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
    of_year = month.astype(np.int64) % 12 + 1
    return cast("Int64", of_year * 100 + of_month)


#: Which rules match on which days: bool[days, rules].
Matches = npt.NDArray[np.bool_]

#: The kinds of day that every schedule knows; others are names of lists of the version.
DAY_KINDS: Final = ("weekday", "weekend", "holiday", "all", *WEEKDAYS)
DayKind = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        extra={"words": "1 to 64 of A-Z a-z 0-9 _ -"},
        description="`weekday`, `weekend`, `holiday`, `all`, `mon` to `sun`, or the name of one of "
        "the version's `day_types`.",
        examples=["weekday"],
    ),
]
Period = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        extra={"words": "1 to 64 of A-Z a-z 0-9 _ -"},
        description="The name of a period, such as `peak`.",
        examples=["peak"],
    ),
]


def _in_a_year(month_day: str) -> None:
    if not month_day[0].isdigit():
        return  # such as `last_sun_oct`, which is in every year
    try:
        date.fromisoformat(f"2000-{month_day}")
    except ValueError:
        raise Unfit("no_such_day", f"{month_day} is in no year") from None


_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
FromTime = Annotated[
    str,
    Meta(
        pattern=f"^{_TIME}$",
        extra={"words": "a time of day from 00:00 to 23:59"},
        examples=["17:30"],
    ),
]
ToTime = Annotated[
    str,
    Meta(
        pattern=f"^({_TIME}|24:00)$",
        extra={"words": "a time of day from 00:00 to 24:00"},
        examples=["20:30"],
    ),
]
_ORDINALS: Final = ("first", "second", "third", "fourth", "last")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
MonthDay = Annotated[
    str,
    Meta(
        pattern=r"^((0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
        rf"|({'|'.join(_ORDINALS)})_({'|'.join(WEEKDAYS)})_({'|'.join(_MONTHS)}))$",
        extra={"words": "a month and a day such as 06-01, or such as last_sun_oct"},
        description="A day of every year: `06-01`, or `last_sun_oct`: the last Sunday of October.",
        examples=["06-01", "last_sun_oct"],
    ),
    Check(_in_a_year),
]
Clock = Annotated[
    str,
    Meta(
        pattern=r"^(local|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
        extra={"words": "local, or an offset such as +01:00"},
        description="`local`, or a fixed offset from UTC that has no daylight saving.",
        examples=["local", "+00:00"],
    ),
]

MINUTES: Final = 24 * 60


def _to_or_until(from_: str, to: str | None, until: str | None) -> Iterator[Fault]:
    if (to is None) == (until is None):
        message = "give either `to`, the last day, or `until`, the day after it"
        yield Fault("to_or_until", message, "/to")
    elif until == from_:
        yield Fault("empty_season", "the season is empty: it ends where it begins", "/until")
    elif (end := to or until or "") != from_ and _may_change_places(from_, end):
        message = "which of the two days comes first differs from year to year"
        yield Fault("ambiguous_season", message, "/to" if to else "/until")


@attrs.frozen(cache_hash=True)
class Season:
    """Part of every year; it may run over the end of the year.

    Attributes:
        from_: The first day, `06-01` or `last_sun_mar`.
        to: The last day, included; `02-29` is the end of February in every year, `02-28` is not; or
        until: the day that is not included any more: `last_sun_oct`, `03-01`.

    """

    __rules__: ClassVar[Rules] = (_to_or_until,)

    from_: MonthDay
    to: MonthDay | None = None
    until: MonthDay | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse two ends, and none."""
        enforce(self)

    def includes(self, days: Days) -> Bools:
        """Return which days are in the season."""
        end = self.to or self.until or ""
        first, last = _in_the_year_of(self.from_, days), _in_the_year_of(end, days)
        after = days.month_day >= first
        before = days.month_day <= last if self.to else days.month_day < last
        runs_over = _orders(self.from_) > _orders(end)
        return after | before if runs_over else after & before

    @property
    def leaves_29_february(self) -> bool:
        """Whether it ends on 28 February, so that one day of leap years comes after it."""
        return self.to == "02-28"

    def text(self) -> str:
        """Return the season for a person: `10-01 to 03-31`."""
        return f"{self.from_} to {self.to}" if self.to else f"{self.from_} until {self.until}"


def _may_change_places(from_: str, end: str) -> bool:
    """Tell whether either of two days of one month may come first."""
    dates = from_[0].isdigit() and end[0].isdigit()
    return not dates and _orders(from_)[0] == _orders(end)[0]


def _orders(text: str) -> tuple[int, int]:
    """Return by what days of the year, or weeks of a month, come one after another."""
    if text[0].isdigit():
        return int(text[:2]), int(text[3:])
    ordinal, _, month = text.split("_")
    return _MONTHS.index(month) + 1, 7 * _ORDINALS.index(ordinal) + 1


def _in_the_year_of(text: str, days: Days) -> Int64 | int:
    """Return the day *text* as 100 * month + day.

    The last Sunday of October is a number for each of *days*: in October that of its year, which a
    day's own date and weekday tell; in other months any day of October, which is as good.
    """
    if text[0].isdigit():
        return int(text.replace("-", ""))
    ordinal, weekday, month = text.split("_")
    of_month = days.month_day % 100
    first = (of_month - 1 - (days.weekday - WEEKDAYS.index(cast("Weekday", weekday)))) % 7 + 1
    if ordinal == "last":
        day = first + (days.month_length - first) // 7 * 7
    else:
        day = first + 7 * _ORDINALS.index(ordinal)
    return cast("Int64", 100 * (_MONTHS.index(month) + 1) + day)


def _lasts(from_: str, to: str) -> Iterator[Fault]:
    if from_ == to:
        message = "the window is empty; a whole day is 00:00 to 24:00"
        yield Fault("empty_window", message, "/to")


@attrs.frozen(cache_hash=True)
class Rule:
    """A window of time on some days that belongs to a period.

    Attributes:
        period: The name of the period.
        days: The kinds of days on which the window begins; `day_types` of the version are some.
        from_: When the window begins, `HH:MM`.
        to: When it ends; up to 24:00, or before `from`: then it ends on the next day.
        season: In which part of the year; all of it without.

    """

    __public_name__: ClassVar[str] = "ScheduleRule"

    __rules__: ClassVar[Rules] = (_lasts,)

    period: Period
    days: Annotated[tuple[DayKind, ...], Meta(min_length=1, max_length=11)] = ("all",)
    from_: FromTime = "00:00"
    to: ToTime = "24:00"
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
        begins = np.zeros(len(days.weekday), bool)
        for kind in self.days:
            begins |= _is_kind(days, kind)
        return begins & self.season.includes(days) if self.season else begins


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

    @property
    def day_lists(self) -> tuple[str, ...]:
        """The names of the lists of days that rules ask for."""
        kinds = [kind for rule in self.rules for kind in rule.days]
        return tuple(dict.fromkeys(kind for kind in kinds if kind not in DAY_KINDS))

    def leap_days(self, numbers: Int64) -> tuple[int, ...]:
        """Return the years with a 29 February, from first to last *number*, that may be a slip.

        Tariffs print 28 February for the end of February: a season that ends there leaves out the
        29th. One that begins on it shows that this is meant.
        """
        seasons = [rule.season for rule in self.rules if rule.season]
        if not any(season.leaves_29_february for season in seasons):
            return ()
        if any(season.from_ == "02-29" for season in seasons):
            return ()
        first, last = (day_of(int(numbers[end])) for end in (0, -1))
        years = filter(isleap, range(first.year, last.year + 1))
        return tuple(year for year in years if first <= date(year, 2, 29) <= last)

    def zone(self, local: Zone) -> Zone:
        """Return the zone of the schedule's clock, for a bill with days of the zone *local*."""
        return local.clock if self.clock == "local" else Zone.named(self.clock)

    def matches(self, days: Days) -> Matches:
        """Return bool[days, rules]: which rules' windows begin on which days."""
        matches = np.empty((len(days.weekday), len(self.rules)), bool)
        for index, rule in enumerate(self.rules):
            matches[:, index] = rule.matches(days)
        return matches


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
        case _ if kind in WEEKDAYS:
            return cast("Bools", days.weekday == WEEKDAYS.index(kind))
        case _:  # a list of the version, which has it: `day_types_are_listed` refuses other names
            return days.listed.get(kind, np.zeros(len(days.weekday), bool))


# Finds the minutes for which a schedule without a default has no period.

#: So many gaps of one schedule are told.
_TOLD: Final = 10
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def gaps(schedule: Schedule, types: DayTypes) -> list[str]:
    """Say which times on which days have no period, for every kind of day that there can be.

    A kind of day is its day of the week, whether it is a holiday, its date in the year, and the
    same of the day before, whose windows may cross midnight. A day counts as a possible holiday
    whatever dates the version lists: lists of holidays grow.
    """
    if schedule.default is not None:
        return []
    today, before = _kinds(types)
    both = np.concatenate([schedule.matches(today), schedule.matches(before)], axis=1)
    _, examples = np.unique(both, axis=0, return_index=True)
    examples.sort()  # `unique` orders rows by value; by index they follow the year
    covered, edges = _covered(schedule, both[examples])
    by_span: dict[str, str] = {}
    for row, example in zip(covered, examples.tolist(), strict=True):
        for span in _spans(row, edges):
            by_span.setdefault(span, _describe(today, example))
        if len(by_span) >= _TOLD:
            break
    return [f"no period from {span} on {day}" for span, day in by_span.items()]


def _kinds(types: DayTypes) -> tuple[Days, Days]:
    """Return every kind of day, and the kind of the day before it.

    No day is on a list of the version: what lists add can only cover more.
    """
    leap = np.arange(np.datetime64("1999-12-31"), np.datetime64("2001-01-01"))
    # In a common year only February is another month, and the day after it another day.
    common = np.arange(np.datetime64("2001-01-31"), np.datetime64("2001-03-02"))
    spans = [DayTypes().days(days.astype(np.int64)) for days in (leap, common)]
    today, before = ([_dates(days, part) for days in spans] for part in (slice(1, None), slice(-1)))
    of_today, of_before = (np.concatenate(parts, axis=1) for parts in (today, before))
    index, weekday, holiday, held = np.indices((of_today.shape[1], 7, 2, 2)).reshape(4, -1)
    return (
        _days(types, weekday, holiday, of_today[:, index]),
        _days(types, (weekday - 1) % 7, held, of_before[:, index]),
    )


def _dates(days: Days, part: slice) -> Int64:
    """Return int64[2, n]: the dates of some days, and the lengths of their months."""
    return np.stack([days.month_day[part], days.month_length[part]])


def _days(types: DayTypes, weekday: Int64, holiday: Int64, dates: Int64) -> Days:
    month_day, month_length = dates
    return Days(weekday, types.weekend(weekday), holiday.astype(bool), month_day, month_length)


def _covered(schedule: Schedule, matches: Matches) -> tuple[Matches, list[int]]:
    """Return bool[kinds, spans]: which spans between the *edges* some rule covers."""
    windows = [rule.minutes for rule in schedule.rules]
    ends = {edge for pair in windows for part in pair for edge in (part.start, part.stop)}
    edges = sorted(ends | {0, MINUTES})
    starts = np.array(edges[:-1])
    parts = [window[0] for window in windows] + [window[1] for window in windows]
    # Counts of rules are exact in float32, and its product of matrices is fast.
    inside: npt.NDArray[np.float32] = np.array(
        [(starts >= part.start) & (starts < part.stop) for part in parts], np.float32
    ).reshape(len(parts), len(starts))
    return matches.astype(np.float32) @ inside > 0, edges


def _spans(covered: npt.NDArray[np.bool_], edges: list[int]) -> Iterator[str]:
    """Tell the spans that are not covered, neighbours as one."""
    bare = np.concatenate([[False], ~covered, [False]])
    changes = np.flatnonzero(bare[1:] != bare[:-1]).tolist()
    for first, last in list(pairwise(changes))[::2]:
        yield f"{_clock(edges[first])} to {_clock(edges[last])}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _describe(days: Days, index: int) -> str:
    month, day = divmod(int(days.month_day[index]), 100)
    holiday = " that is a holiday" if days.holiday[index] else ""
    return f"a {_NAMES[days.weekday[index]]}{holiday}, for example {month:02}-{day:02}"
