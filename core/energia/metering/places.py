"""Checks of sites and channels that a JSON Schema cannot state."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from energia.currencies import CODES
from energia.errors import Fault, Invalid, NotSupported
from energia.metering import durations
from energia.metering.models import LONGEST, NewChannel, NewMeter, NewSite
from energia.units import UnknownUnit, unit
from energia.zones import DAY, UnknownZone, Zone

_NOT_SUPPORTED: Final = "not_supported"


def check_site(site: NewSite) -> None:
    """Refuse a site whose zone, country or currency does not exist; raises `Invalid`."""
    faults = []
    if not _is_zone(site.timezone):
        message = f"there is no time zone {site.timezone!r}"
        faults.append(Fault("unknown_timezone", message, "/timezone"))
    if site.country not in _countries():
        message = f"ISO 3166 has no country {site.country!r}"
        faults.append(Fault("unknown_country", message, "/country"))
    if site.currency not in CODES:
        message = f"there is no currency {site.currency}"
        faults.append(Fault("unknown_currency", message, "/currency"))
    _refuse(faults)


def check_meter(meter: NewMeter) -> None:
    """Refuse channels that cannot be; raises `Invalid`, `NotSupported` if that is all."""
    names = Counter(channel.id for channel in meter.channels)
    faults = []
    for index, channel in enumerate(meter.channels):
        pointer = f"/channels/{index}"
        if names[channel.id] > 1:
            message = f"there are {names[channel.id]} channels {channel.id!r}"
            faults.append(Fault("duplicate_id", message, f"{pointer}/id"))
        faults.extend(_channel_faults(channel, pointer))
    _refuse(faults)


def standard_offset(zone: str, interval: int, now: datetime) -> int:
    """Return how far after midnight UTC slots start that start on the hour locally, in seconds.

    Summer time is left out. Where local time is 5:45 ahead, local hours start at :15 UTC.
    """
    local = now.astimezone(Zone.named(zone).tzinfo)
    offset = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    return -int(offset.total_seconds()) % interval


def _channel_faults(channel: NewChannel, pointer: str) -> Iterable[Fault]:
    try:
        if not unit(channel.unit).fits(channel.quantity):
            message = f"{channel.quantity} is not measured in {channel.unit}"
            yield Fault("wrong_unit", message, f"{pointer}/unit")
    except UnknownUnit as error:
        yield Fault("wrong_unit", str(error), f"{pointer}/unit")
    if channel.kind == "register":
        message = "register channels are not supported yet"
        yield Fault(_NOT_SUPPORTED, message, f"{pointer}/kind")
    if channel.multiplier is not None:
        message = "multipliers are not supported yet: send values that are multiplied already"
        yield Fault(_NOT_SUPPORTED, message, f"{pointer}/multiplier")
    yield from _grid_faults(channel, pointer)


def _grid_faults(channel: NewChannel, pointer: str) -> Iterable[Fault]:
    where = f"{pointer}/interval"
    try:
        if durations.is_calendar(channel.interval):
            length = DAY
        else:
            length = durations.seconds(channel.interval)
    except durations.BadDuration as error:
        yield Fault("wrong_interval", str(error), where)
        return
    if length > LONGEST:
        yield Fault(_NOT_SUPPORTED, "intervals over PT1H are not supported yet", where)
    elif not length or DAY % length:
        yield Fault("wrong_interval", "the interval does not divide a day", where)
    else:
        yield from _offset_faults(channel, length, f"{pointer}/offset")


def _offset_faults(channel: NewChannel, interval: int, pointer: str) -> Iterable[Fault]:
    if channel.offset is None:
        return
    try:
        if durations.seconds(channel.offset) >= interval:
            message = "the offset must be shorter than the interval"
            yield Fault("wrong_offset", message, pointer)
    except durations.BadDuration as error:
        yield Fault("wrong_offset", str(error), pointer)


def _refuse(faults: list[Fault]) -> None:
    if not faults:
        return
    detail = faults[0].message if len(faults) == 1 else f"{len(faults)} faults"
    unsupported = all(fault.code == _NOT_SUPPORTED for fault in faults)
    raise (NotSupported if unsupported else Invalid)(detail, faults)


def _is_zone(name: str) -> bool:
    try:
        return name[:1] not in ("+", "-") and bool(Zone.named(name))
    except UnknownZone:
        return False


@cache
def _countries() -> frozenset[str]:
    """Return the two-letter codes of ISO 3166 that the time zone database lists."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if not line.startswith("#"))
