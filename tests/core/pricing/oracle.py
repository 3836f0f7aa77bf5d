"""The brute-force engine that tests compare with: datetime and Fraction, one slot at a time.

It shares no code with `energia.pricing`; it reads the same JSON documents.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def cost(
    document: Mapping[str, Any], starts: Sequence[int], values: Sequence[int], end: int
) -> Fraction:
    """Return what micro-units in slots cost under the only version of a tariff.

    The window starts with the first slot and ends at *end*.
    """
    (version,) = document["versions"]
    total = Fraction(0)
    for charge in version["charges"]:
        if charge["kind"] == "fixed":
            total += fixed(charge, document["timezone"], starts[0], end)
        else:
            for start, value in zip(starts, values, strict=True):
                rate = rate_at(charge, version, document["timezone"], start)
                total += Fraction(value, 10**6) * rate
    return total


def rate_at(
    charge: Mapping[str, Any], version: Mapping[str, Any], zone: str, start: int
) -> Fraction:
    """Return the rate of a charge in a slot."""
    if charge["kind"] == "energy.flat":
        return Fraction(charge["rate"])
    return Fraction(charge["rates"][period_at(charge["schedule"], version, zone, start)])


def period_at(
    schedule: Mapping[str, Any], version: Mapping[str, Any], zone: str, instant: int
) -> str:
    """Return the period of a schedule at an instant."""
    moment = datetime.fromtimestamp(instant, clock(schedule.get("clock", "local"), zone))
    for rule in schedule["rules"]:
        if in_window(rule, moment, version):
            return str(rule["period"])
    return str(schedule["default"])


def split_slots(
    schedule: Mapping[str, Any],
    version: Mapping[str, Any],
    zone: str,
    starts: Sequence[int],
    interval: int,
) -> int:
    """Count the slots in which the period is not the same in all minutes."""
    return sum(
        len({period_at(schedule, version, zone, at) for at in range(start, start + interval, 60)})
        > 1
        for start in starts
    )


def fixed(charge: Mapping[str, Any], zone: str, start: int, end: int) -> Fraction:
    """Return a fixed charge for the days of the window."""
    amount, days = Fraction(charge["amount"]), local_days(zone, start, end)
    if charge["per"] == "day":
        return amount * len(days)
    yearly = Fraction(1, 12) if charge["per"] == "year" else Fraction(1)
    months: dict[tuple[int, int], int] = defaultdict(int)
    for day in days:
        months[day.year, day.month] += 1
    match charge.get("proration", "month_days"):
        case "none":
            return amount * yearly * len(months)
        case "annual_days":
            return amount * yearly * Fraction(12, 365) * len(days)
        case _:
            parts = [Fraction(number, monthrange(*month)[1]) for month, number in months.items()]
            return amount * yearly * sum(parts)


def local_days(zone: str, start: int, end: int) -> set[date]:
    """Return the dates that the wall clock shows in a window."""
    there = ZoneInfo(zone)
    moments = [*range(start, end, 60), end - 1]
    return {datetime.fromtimestamp(moment, there).date() for moment in moments}


def clock(name: str, zone: str) -> tzinfo:
    """Return the clock of a schedule."""
    if name == "local":
        return ZoneInfo(zone)
    hours, minutes = name[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if name[0] == "-" else offset)


def in_window(rule: Mapping[str, Any], moment: datetime, version: Mapping[str, Any]) -> bool:
    """Return whether the wall-clock time is in the window of a rule."""
    now = f"{moment:%H:%M}"
    first, last = rule.get("from", "00:00"), rule.get("to", "24:00")
    today, eve = moment.date(), moment.date() - timedelta(days=1)
    if first < last:
        return bool(first <= now < last and begins_on(rule, today, version))
    return bool(
        (now >= first and begins_on(rule, today, version))
        or (now < last and begins_on(rule, eve, version))
    )


def begins_on(rule: Mapping[str, Any], day: date, version: Mapping[str, Any]) -> bool:
    """Return whether the window of a rule begins on a day."""
    return in_season(rule.get("season"), day) and any(
        kind in rule.get("days", ["all"]) for kind in kinds(day, version)
    )


def in_season(season: Mapping[str, str] | None, day: date) -> bool:
    """Return whether a day is in a season."""
    if season is None:
        return True
    first, last, this = season["from"], season["to"], f"{day:%m-%d}"
    return first <= this <= last if first <= last else this >= first or this <= last


def kinds(day: date, version: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names by which rules may call a day."""
    name = NAMES[day.weekday()]
    weekend = name in version.get("weekend_days", ("sat", "sun"))
    holiday = day.isoformat() in version.get("holidays", ())
    yield from ("all", name)
    if weekend:
        yield "weekend"
    if holiday:
        yield "holiday"
    if not weekend and not holiday:
        yield "weekday"


def utc(text: str) -> int:
    """Return a time of UTC, in seconds since 1970-01-01T00:00Z."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def midnight(zone: str, day: str) -> int:
    """Return the first instant of a local day, in seconds since 1970-01-01T00:00Z."""
    there, wanted = ZoneInfo(zone), date.fromisoformat(day)
    noon = int(datetime.combine(wanted, time(12), there).timestamp())
    return next(
        at
        for at in range(noon - 86_400, noon, 60)
        if datetime.fromtimestamp(at, there).date() == wanted
    )
