"""Dated rates as versions of one tariff."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import attrs

from energia import Unfit
from energia.convert.scalars import day
from energia.time import DAY, FIRST_YEAR, LAST_YEAR, Zone
from energia_plugins.tariff_urdb.record import Notes, Record

#: The first day of a rate that does not say when it begins.
_EVER: Final = date(1900, 1, 1)
_OVERLAP: Final = timedelta(days=1)
#: The source states no rounding: amounts stay exact.
_ROUNDING: Final[Mapping[str, Any]] = {"amount_decimals": None}


@attrs.frozen
class Block:
    """A rate, its first day and the day after its last."""

    rate: Record
    starts: date | None
    ends: date | None


def chain_of(
    notes: Notes, blocks: Sequence[Block], charges: Sequence[list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return the versions in the order of time; refuse rates that are in force at once."""
    for block in blocks:
        _check(notes, block)
    order = sorted(range(len(blocks)), key=lambda index: blocks[index].starts or _EVER)
    if not blocks:
        notes.refuse("", "no_rate_found", "none of the rates is ever in force")
    ends = dict(_ends(notes, [blocks[index] for index in order]))
    versions = []
    for index in order:
        block, until = blocks[index], ends[id(blocks[index])]
        version: dict[str, Any] = {"valid_from": str(block.starts or _EVER)}
        version |= {"valid_to": str(until)} if until else {}
        versions.append(version | {"rounding": dict(_ROUNDING), "charges": charges[index]})
    return versions


def in_force(notes: Notes, rates: Sequence[Record]) -> Iterator[Record]:
    """Yield the rates of a list, without those that end the moment they begin."""
    for rate in rates:
        starts, ends = rate.get("startdate"), rate.get("enddate")
        if len(rates) > 1 and starts not in (None, "") and starts == ends:
            message = "the rate ends the moment it begins: it is never in force"
            notes.warn(rate.at, "never_in_force", message)
        else:
            yield rate


def _check(notes: Notes, block: Block) -> None:
    rate = block.rate
    if block.starts is None:
        message = "the rate does not say when it begins: it is in force from 1900 on"
        notes.warn(rate.pointer("startdate"), "no_start", message)
    if block.ends and block.ends <= (block.starts or _EVER):
        message = "the rate ends before it begins"
        notes.refuse(rate.pointer("enddate"), "empty_version", message)


def _ends(notes: Notes, blocks: Sequence[Block]) -> Iterator[tuple[int, date | None]]:
    """Yield the day after the last one of each block; one that has no end lasts until the next."""
    for block, following in pairwise(blocks):
        begins, pointer = following.starts or _EVER, following.rate.pointer("startdate")
        if begins == (block.starts or _EVER):
            message = (
                "two rates begin on the same day: a list is of one rate that changes with time; "
                "import different rates one by one"
            )
            notes.refuse(pointer, "versions_overlap", message)
        if block.ends and block.ends - begins > _OVERLAP:
            message = f"the rate before ends on {block.ends}: it is taken to end on {begins}"
            notes.warn(pointer, "end_moved", message)
        yield id(block), min(block.ends or begins, begins)
    if blocks:
        yield id(blocks[-1]), blocks[-1].ends


# From when to when a rate is in force: dates of the tariff's zone.

_TEXT: Final = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<time>\d\d:\d\d)(?::[\d.]+)?.*)?")
_UNIX: Final = re.compile(r"-?\d{1,15}")
#: Seconds above this are milliseconds: the year 5138.
_MILLISECONDS: Final = 10**11
_ONE: Final = timedelta(days=1)
_HALF: Final = timedelta(hours=12)


@attrs.frozen
class Moment:
    """A date of the source.

    Attributes:
        day: The date.
        late: Whether it is the end of the day that is meant, such as 23:59:59.

    """

    day: date
    late: bool


def first_day(rate: Record, zone: Zone) -> date | None:
    """Return the first day that the rate is in force; None if it does not say."""
    moment = _moment(rate, "startdate", zone)
    if moment is None:
        return None
    return moment.day + _ONE if moment.late else moment.day


def day_after(rate: Record, zone: Zone) -> date | None:
    """Return the day after the last one; None if it does not say. The stated date is included."""
    moment = _moment(rate, "enddate", zone)
    return None if moment is None else moment.day + _ONE


def _moment(rate: Record, name: str, zone: Zone) -> Moment | None:
    value, pointer, notes = rate.get(name), rate.pointer(name), rate.notes
    if isinstance(value, dict):  # as the bulk file has it
        value = value.get("$date", value)
    if isinstance(value, dict):
        value = value.get("$numberLong", value)
    if value in (None, ""):
        return None
    if isinstance(value, str) and (match := _TEXT.fullmatch(value.strip())):
        return _of_text(notes, match["day"], match["time"], pointer)
    text = str(value).strip()
    if isinstance(value, bool) or not _UNIX.fullmatch(text):
        message = "a date is in seconds since 1970, or a text such as 2026-03-01"
        notes.refuse(pointer, "wrong_date", message)
        return None
    return _of_seconds(notes, int(text), zone, pointer)


def _of_text(notes: Notes, text: str, time: str | None, pointer: str) -> Moment | None:
    """Return the date as it is written, or the next one from noon on.

    The offset of such times says nothing about the place: 17:00 is midnight elsewhere.
    """
    try:
        local_day = day(text)
    except Unfit as error:
        notes.refuse(pointer, "wrong_date", f"{text}: {error.message}")
        return None
    is_end = time == "23:59"
    return Moment(local_day if is_end or (time or "") < "12:00" else local_day + _ONE, is_end)


def _of_seconds(notes: Notes, seconds: int, zone: Zone, pointer: str) -> Moment | None:
    """Return the date whose midnight is nearest: some write that of another zone, or 23:59:59."""
    if abs(seconds) >= _MILLISECONDS:
        seconds //= 1000
    year = 1970 + seconds / (DAY * 365.25)
    if not FIRST_YEAR < year < LAST_YEAR:
        notes.refuse(pointer, "out_of_range", f"the year is not in {FIRST_YEAR} to {LAST_YEAR}")
        return None
    local = zone.datetime(seconds).replace(tzinfo=None)
    nearest_day = (local + _HALF).date()
    is_end = seconds % 60 == 59
    return Moment(nearest_day - _ONE, True) if is_end else Moment(nearest_day, False)
