"""Rules of sites, meters and channels that a JSON Schema cannot state."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from energia import convert
from energia.convert.rules import Parts, fields_of
from energia.convert.scalars import Unfit
from energia.errors import Fault
from energia.metering import durations
from energia.metering.series import refuse_length
from energia.units import UnknownUnit
from energia.units import unit as named
from energia.zones import DAY, Zone

T = TypeVar("T")

_NOT_SUPPORTED: Final = "not_supported"


def checked(new: T) -> T:
    """Refuse what was made in Python and the API would refuse; raises `Invalid`."""
    return convert.structure(convert.unstructure(new), type(new))


def standard_offset(zone: str, interval: int, now: datetime) -> int:
    """Return how far after midnight UTC slots start that start on the hour locally, in seconds.

    Summer time is left out. Where local time is 5:45 ahead, local hours start at :15 UTC.
    """
    local = now.astimezone(Zone.named(zone).tzinfo)
    offset = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    return -int(offset.total_seconds()) % interval


def refuse_interval(text: str) -> None:
    """Refuse what is no interval of a channel: it divides a day, and is at most an hour."""
    try:
        length = DAY if durations.is_calendar(text) else durations.seconds(text)
    except durations.BadDuration as error:
        raise Unfit("wrong_interval", str(error)) from None
    refuse_length(length)


def refuse_offset(text: str) -> None:
    """Refuse what is no duration of a fixed length."""
    try:
        durations.seconds(text)
    except durations.BadDuration as error:
        raise Unfit("wrong_offset", str(error)) from None


def refuse_registers(kind: str) -> None:
    """Refuse registers, which are to come."""
    if kind == "register":
        raise Unfit(_NOT_SUPPORTED, "register channels are not supported yet")


def refuse_multiplier(multiplier: Decimal) -> None:
    """Refuse multipliers, which are to come, unless they change nothing."""
    if multiplier != 1:
        message = "multipliers are not supported yet: send values that are multiplied already"
        raise Unfit(_NOT_SUPPORTED, message)


def unit_fits(unit: str, quantity: str) -> Iterator[Fault]:
    """Yield a fault if the quantity is not measured in the unit."""
    try:
        fits = named(unit).fits(quantity)
    except UnknownUnit:
        return  # which is a fault of the unit alone
    if not fits:
        yield Fault("wrong_unit", f"{quantity} is not measured in {unit}", "/unit")


def offset_fits(offset: str | None, interval: str) -> Iterator[Fault]:
    """Yield a fault if the offset is not shorter than the interval."""
    try:
        too_long = offset is not None and durations.seconds(offset) >= durations.seconds(interval)
    except durations.BadDuration:
        return  # which is a fault of one of them alone
    if too_long:
        yield Fault("wrong_offset", "the offset must be shorter than the interval", "/offset")


def ids_differ(channels: Parts) -> Iterator[Fault]:
    """Yield a fault for each channel that has the id of another one."""
    ids = [fields_of(channel).get("id") for channel in channels]
    number = Counter(ids)
    for index, id_ in enumerate(ids):
        if id_ is not None and number[id_] > 1:
            message = f"there are {number[id_]} channels {id_!r}"
            yield Fault("duplicate_id", message, f"/channels/{index}/id")
