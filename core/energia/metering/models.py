"""Sites, meters and channels, as the API takes and gives them.

A site says where meters are, and so what their local time is. A meter has channels: one quantity in
one direction each, on an even grid of time. What a JSON Schema can say of them is in their types;
the rules that it cannot say come first.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import convert
from energia.codes import Country, Currency, UnitName, ZoneName
from energia.convert import Id
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import Parts, Rules, enforce, fields_of
from energia.errors import Fault
from energia.metering.series import ChannelGrid, refuse_length
from energia.time import (
    DAY,
    HOUR,
    BadDuration,
    Instant,
    Zone,
    is_of_days,
    length_of,
    length_text,
    seconds_in,
)
from energia.units import BOUND, MICRO, QUANTITIES, Unit, UnknownUnit, unit
from energia.units import unit as named

_NOT_SUPPORTED: Final = "not_supported"


def refuse_unfit(new: object) -> None:
    """Refuse what was made in Python and the API would refuse; raises `Invalid`."""
    convert.structure(convert.unstructure(new), type(new))


def standard_offset(zone: str, interval: int, now: datetime) -> int:
    """Return how far after midnight UTC slots start that start on the hour locally, in seconds.

    In Kathmandu, 5:45 ahead of UTC, local hours start at :15 UTC, so hourly slots have an offset of
    900 s and quarter-hours have none. Summer time is left out: it moves all clocks by whole slots,
    and the grid stays as it is.
    """
    local = now.astimezone(Zone.named(zone).tzinfo)
    offset = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    return -seconds_in(offset) % interval


def refuse_interval(text: str) -> None:
    """Refuse intervals that a channel cannot have: they divide a day, and last an hour at most."""
    try:
        length = DAY if is_of_days(text) else length_of(text)
    except BadDuration as error:
        raise Unfit("wrong_interval", str(error)) from None
    refuse_length(length)


def refuse_offset(text: str) -> None:
    """Refuse durations without a fixed length, such as P1D: a local day may have 23 hours."""
    try:
        length_of(text)
    except BadDuration as error:
        raise Unfit("wrong_offset", str(error)) from None


def refuse_registers(kind: str) -> None:
    """Refuse register channels, which are not supported yet."""
    if kind == "register":
        raise Unfit(_NOT_SUPPORTED, "register channels are not supported yet")


def refuse_multiplier(multiplier: Decimal) -> None:
    """Refuse multipliers, which are not supported yet, unless they change nothing."""
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
        too_long = offset is not None and length_of(offset) >= length_of(interval)
    except BadDuration:
        return  # which is a fault of one of them alone
    if too_long:
        yield Fault("wrong_offset", "the offset must be shorter than the interval", "/offset")


def ids_differ(channels: Parts) -> Iterator[Fault]:
    """Yield a fault for each channel that has the id of another one."""
    ids = [fields_of(channel).get("id") for channel in channels]
    counts = Counter(ids)
    for index, id_ in enumerate(ids):
        if id_ is not None and counts[id_] > 1:
            message = f"there are {counts[id_]} channels {id_!r}"
            yield Fault("duplicate_id", message, f"/channels/{index}/id")


Name = Annotated[str, Meta(min_length=1, max_length=200)]
Quantity = Literal[
    "active_energy", "reactive_energy", "apparent_energy", "gas_volume", "water_volume", "heat"
]
Positive = Annotated[Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0})]
Interval = Annotated[str, Meta(max_length=30, examples=["PT15M"]), Check(refuse_interval)]
Offset = Annotated[str, Meta(max_length=30, examples=["PT30M"]), Check(refuse_offset)]
Kind = Annotated[Literal["interval", "register"], Check(refuse_registers)]


@attrs.frozen
class NewSite:
    """Where meters are: what decides the local time of days and months.

    Attributes:
        id: The client's own id; made by the server without one.
        name: For people.
        timezone: An IANA time zone.
        country: ISO 3166, two letters.
        currency: ISO 4217, three letters.
        subdivision: ISO 3166-2 or the utility's own region.

    """

    name: Name
    timezone: ZoneName
    country: Country
    currency: Currency
    subdivision: Annotated[str, Meta(max_length=20)] | None = None
    id: Id | None = None


@attrs.frozen
class Site:
    """A site that is stored."""

    id: Id
    name: Name
    timezone: str
    country: str
    currency: str
    subdivision: str | None = None


@attrs.frozen
class NewChannel:
    """One quantity in one direction, on an even grid of time.

    Attributes:
        id: The client's own id, unique in the meter.
        quantity: What is measured.
        direction: From the grid (`import`) or to it.
        unit: The unit that readings without one are in.
        interval: The length of a slot, an ISO 8601 duration that divides a day, at most an hour.
        offset: How far the first slot of a day is shifted from midnight UTC; without one, the
            site's standard offset from UTC modulo the interval.
        kind: `interval` for a quantity per slot; registers are not supported yet.
        digits: Digits of the meter's display.
        multiplier: Only 1 is supported yet: send values that are multiplied already.
        max_power: In kW, kvar, kVA or m3/h: what is above is stored as questionable.

    Raises:
        Invalid: The unit does not measure the quantity, or the offset is as long as the interval.

    """

    __rules__: ClassVar[Rules] = (unit_fits, offset_fits)

    id: Id
    quantity: Quantity
    direction: Literal["import", "export"]
    unit: UnitName
    interval: Interval
    offset: Offset | None = None
    kind: Kind = "interval"
    digits: Annotated[int, Meta(ge=1, le=20)] | None = None
    multiplier: Annotated[Positive, Check(refuse_multiplier)] | None = None
    max_power: Positive | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)


@attrs.frozen
class Channel:
    """A channel that is stored.

    Attributes:
        key: Its number in the database.
        meter: The meter's id.
        id: The client's own id.
        interval: The length of a slot in seconds.
        offset: Seconds from midnight UTC to the first slot of a day.
        deleted_before: The readings of slots that start before it were deleted, as a law asks: in
            seconds since 1970-01-01T00:00Z. None where none were.

    """

    key: int
    meter: str
    id: str
    quantity: str
    direction: str
    unit: str
    interval: int
    offset: int
    kind: str = "interval"
    digits: int | None = None
    multiplier: Decimal | None = None
    max_power: Decimal | None = None
    deleted_before: Instant | None = None

    @property
    def grid(self) -> ChannelGrid:
        """The slots of the channel."""
        return ChannelGrid(self.interval, self.offset)

    @property
    def canonical(self) -> str:
        """The unit in which values are stored and given: kWh, kvarh, kVAh or m3."""
        return QUANTITIES[self.quantity]

    @property
    def declared(self) -> Unit:
        """The unit that readings without one are in."""
        return unit(self.unit)

    @property
    def bound(self) -> int:
        """The most that a slot can hold, in micro-units.

        What `max_power` gives in a slot's time, and never more than `BOUND`, up to which numbers
        are exact in JSON.
        """
        if self.max_power is None:
            return BOUND
        return min(BOUND, int(self.max_power * MICRO * self.interval / HOUR))

    def declaration(self) -> NewChannel:
        """Return the channel as the API takes and gives it."""
        return NewChannel(
            self.id,
            self.quantity,  # type: ignore[arg-type]
            self.direction,  # type: ignore[arg-type]
            self.unit,
            length_text(self.interval),
            length_text(self.offset),
            self.kind,  # type: ignore[arg-type]
            self.digits,
            self.multiplier,
            self.max_power,
        )


@attrs.frozen
class NewMeter:
    """A meter at a site, with its channels.

    Raises:
        Invalid: Two channels have the same id.

    """

    __rules__: ClassVar[Rules] = (ids_differ,)

    site: Id
    channels: Annotated[tuple[NewChannel, ...], Meta(min_length=1, max_length=100)]
    name: Name | None = None
    serial: Annotated[str, Meta(max_length=100)] | None = None
    id: Id | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)


@attrs.frozen
class Meter:
    """A meter that is stored."""

    id: Id
    site: Id
    channels: tuple[NewChannel, ...]
    name: str | None = None
    serial: str | None = None
