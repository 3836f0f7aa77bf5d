"""What a month will be, if the days that are left are like those that were.

Working days and others are told apart: what is not read yet, or missing, is the mean of the same
time of day on days of its kind so far. It is a premise, not a model: no band is claimed.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

from energia_plugins.console.overview.windows import Month, step

#: Of fewer days nothing is foretold.
LEAST_DAYS: Final = 3
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@attrs.frozen
class WorkingDays:
    """Which days are alike.

    Attributes:
        holidays: The days of the tariff that are no working days.
        weekend: The days of the week that are none, such as `sat`.

    """

    holidays: frozenset[date] = frozenset()
    weekend: frozenset[str] = frozenset({"sat", "sun"})

    @classmethod
    def of(cls, version: Mapping[str, Any] | None) -> "WorkingDays":
        """Return those of a version of a tariff."""
        if version is None:
            return cls()
        holidays = (one for one in version.get("holidays", ()) if isinstance(one, str))
        days = frozenset(day for one in holidays if (day := _day(one)) is not None)
        return cls(days, frozenset(version.get("weekend_days", ("sat", "sun"))))

    def __contains__(self, day: date) -> bool:
        return day not in self.holidays and _WEEKDAYS[day.weekday()] not in self.weekend


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def whole_month(
    readings: Mapping[str, Any], month: Month, zone: ZoneInfo, working: WorkingDays
) -> dict[str, Any] | None:
    """Return the slots of a whole month as the API takes them; None where too little is known.

    Args:
        readings: Those so far, as the API gives them, from the first slot of the month on.
        month: The month.
        zone: Of its days.
        working: Which days are alike.

    """
    length = step(readings)
    start = datetime.fromisoformat(readings["start"]).astimezone(UTC)
    past = datetime(month.past.year, month.past.month, month.past.day, tzinfo=zone)
    count = int((past.astimezone(UTC) - start) / length)
    if month.until.date() - month.first < timedelta(days=LEAST_DAYS):
        return None
    local = [(start + length * index).astimezone(zone) for index in range(count)]
    given: Sequence[float | None] = readings["values"][:count]
    values = filled([*given, *(None for _ in range(count - len(given)))], local, working)
    return {"start": readings["start"], "values": values, "unit": readings["unit"]}


def filled(
    values: Sequence[float | None], local: Sequence[datetime], working: WorkingDays
) -> list[float]:
    """Return values with means in the place of those that are missing."""
    alike = [(at.time(), at.date() in working) for at in local]
    found = list(values)
    for keys in (alike, [time for time, _ in alike], [None for _ in alike]):
        means = _means(zip(keys, values, strict=True))
        found = [
            means.get(key) if value is None else value
            for key, value in zip(keys, found, strict=True)
        ]
    return [0.0 if value is None else value for value in found]


def _means(pairs: Iterable[tuple[Hashable, float | None]]) -> dict[Hashable, float]:
    groups: defaultdict[Hashable, list[float]] = defaultdict(list)
    for key, value in pairs:
        if value is not None:
            groups[key].append(value)
    return {key: round(fmean(group), 6) for key, group in groups.items()}


def mean_days(days: Mapping[date, float], working: WorkingDays) -> dict[bool, float]:
    """Return the mean of whole days so far: of working days, by True, and of others."""
    kinds: Collection[tuple[bool, float]] = [(day in working, of) for day, of in days.items()]
    found = {kind: [of for is_, of in kinds if is_ is kind] for kind in (True, False)}
    every = [of for _, of in kinds]
    return {kind: fmean(of or every) for kind, of in found.items()} if every else {}
