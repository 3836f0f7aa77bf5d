"""Sites, meters and channels, as the API takes and gives them.

A site says where meters are, and so what their local time is. A meter has channels: one quantity in
one direction each, on an even grid of time. What a JSON Schema can say of them is in their types;
the rules that it cannot say come first.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import convert
from energia.codes import Country, Currency, UnitName, ZoneName
from energia.convert import Id
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import Parts, Rules, enforce, fields_of
from energia.errors import Fault
from energia.metering.registers import RegisterRules
from energia.metering.series import ChannelGrid, QualityName, refuse_length
from energia.metering.stretches import ReadKind
from energia.time import (
    DAY,
    HOUR,
    BadDuration,
    Instant,
    Moment,
    Zone,
    is_of_days,
    length_of,
    length_text,
    seconds_in,
)
from energia.units import BOUND, MICRO, QUANTITIES, Unit, UnknownUnit, unit
from energia.units import unit as named

#: On slots of this length lies what has none of its own: midnights of all zones are on its grid.
BY_DAYS: Final = 15 * 60


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


def unit_fits(unit: str, quantity: str) -> Iterator[Fault]:
    """Yield a fault if the quantity is not measured in the unit."""
    try:
        fits = named(unit).fits(quantity)
    except UnknownUnit:
        return  # which is a fault of the unit alone
    if not fits:
        yield Fault("wrong_unit", f"{quantity} is not measured in {unit}", "/unit")


def interval_fits(kind: str, interval: str | None) -> Iterator[Fault]:
    """Yield a fault if the channel needs an interval, or cannot have one."""
    if kind == "interval" and interval is None:
        message = "a channel of kind interval needs one; kind=irregular is for days, months, bills"
        yield Fault("missing_field", message, "/interval")
    if kind == "irregular" and interval is not None:
        message = "the readings of an irregular channel have lengths of their own"
        yield Fault("wrong_interval", message, "/interval")


def register_fits(kind: str, multiplier: Decimal | None) -> Iterator[Fault]:
    """Yield a fault if a channel has a multiplier that is no register."""
    if kind != "register" and multiplier not in (None, 1):
        message = "only a register has a multiplier: send values that are multiplied already"
        yield Fault("wrong_multiplier", message, "/multiplier")


def offset_fits(offset: str | None, interval: str | None) -> Iterator[Fault]:
    """Yield a fault if the offset is not shorter than the interval."""
    if offset is not None and interval is None:
        yield Fault("wrong_offset", "an offset is that of an interval", "/offset")
        return
    if offset is None or interval is None:
        return
    try:
        too_long = length_of(offset) >= length_of(interval)
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
#: Slots of one length; reads of a register; or readings that each have a start and an end.
Kind = Literal["interval", "register", "irregular"]


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
    """A site that is stored.

    Attributes:
        id: The client's own id, or one that the server made.
        name: For people.
        timezone: An IANA time zone.
        country: ISO 3166, two letters.
        currency: ISO 4217, three letters.
        subdivision: ISO 3166-2 or the utility's own region.

    """

    id: Id
    name: Name
    timezone: str
    country: str
    currency: str
    subdivision: str | None = None


@attrs.frozen
class NewChannel:
    """One quantity in one direction.

    Attributes:
        id: The client's own id, unique in the meter.
        quantity: What is measured.
        direction: From the grid (`import`) or to it.
        unit: The unit that readings without one are in.
        interval: The length of a slot, an ISO 8601 duration that divides a day, at most an hour. A
            register that is read at the ends of all slots may have one; without it, what it
            counts is known from day to day.
        offset: How far the first slot of a day is shifted from midnight UTC; without one, the
            site's standard offset from UTC modulo the interval.
        kind: `interval` for a quantity per slot; `register` for reads of a counter; `irregular` for
            quantities that each have a start and an end: days, months, gas bills.
        digits: Of a register: digits before the decimal mark, after which it begins again with 0.
        multiplier: Of a register: what its differences are multiplied by, such as the ratio of a
            current transformer.
        max_power: In kW, kvar, kVA or m3/h, multiplied already: what is above is stored as
            questionable.

    Raises:
        Invalid: The unit does not measure the quantity, the interval or the multiplier does not go
            with the kind, or the offset is as long as the interval.

    """

    __rules__: ClassVar[Rules] = (unit_fits, interval_fits, register_fits, offset_fits)

    id: Id
    quantity: Quantity
    direction: Literal["import", "export"]
    unit: UnitName
    interval: Interval | None = None
    offset: Offset | None = None
    kind: Kind = "interval"
    digits: Annotated[int, Meta(ge=1, le=20)] | None = None
    multiplier: Positive | None = None
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
        by_days: Whether it has no slots of its own: what is known of it goes from day to day, and
            is laid on slots to be summed.
        deleted_before: The readings of slots that start before it were deleted, as a law asks: in
            seconds since 1970-01-01T00:00Z. None where none were.
        archived_before: Days of the grid before it may be in the archive: in days since 1970-01-01.
            None where none are.

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
    by_days: bool = False
    deleted_before: Instant | None = None
    archived_before: int | None = None

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
        return self.most(self.interval)

    def most(self, seconds: int) -> int:
        """Return the most that can be measured in so many seconds; see `bound`."""
        if self.max_power is None:
            return BOUND
        return min(BOUND, int(self.max_power * MICRO * seconds / HOUR))

    @property
    def register(self) -> RegisterRules:
        """What is known of the register of which reads are sent."""
        if self.max_power is None:
            return RegisterRules(self.digits)
        most = Fraction(self.max_power) / self.register_factor
        return RegisterRules(self.digits, Decimal(most.numerator) / Decimal(most.denominator))

    @property
    def register_factor(self) -> Fraction:
        """How much one unit of the register is, in the canonical unit."""
        return self.declared.factor * Fraction(self.multiplier or 1)

    def declaration(self) -> NewChannel:
        """Return the channel as the API takes and gives it."""
        lengths = (None, None) if self.by_days else (self.interval, self.offset)
        what = (self.id, self.quantity, self.direction, self.unit, *lengths)
        # By their digits: 1 and 1.0 are equal, and not the same answer.
        numbers = (_digits(self.multiplier), _digits(self.max_power))
        return declaration(*what, self.kind, self.digits, *numbers)


@lru_cache(maxsize=1024)
def declaration(*stated: Any) -> NewChannel:
    """Return a channel that is stored as the API takes and gives it.

    Channels are alike, and to check one against its rules takes longer than to read it.

    Args:
        stated: What a `NewChannel` has, in its order; lengths in seconds, numbers as texts.

    """
    id_, quantity, direction, unit, interval, offset, kind, digits, multiplier, most = stated
    return NewChannel(
        id_,
        quantity,
        direction,
        unit,
        None if interval is None else length_text(interval),
        None if offset is None else length_text(offset),
        kind,
        digits,
        None if multiplier is None else Decimal(multiplier),
        None if most is None else Decimal(most),
    )


def _digits(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


@attrs.frozen
class NewMeter:
    """A meter at a site, with its channels.

    Attributes:
        site: The site where it is.
        channels: What it measures, each by its id.
        name: For people.
        serial: The number that is on it.
        id: The client's own id; made by the server without one.

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
    """A meter that is stored.

    Attributes:
        id: The client's own id, or one that the server made.
        site: The site where it is.
        channels: What it measures, each by its id.
        name: For people.
        serial: The number that is on it.

    """

    id: Id
    site: Id
    channels: tuple[NewChannel, ...]
    name: str | None = None
    serial: str | None = None


# Reads of registers, and stretches.


@attrs.frozen(kw_only=True)
class NewRead:
    """What a register showed.

    Attributes:
        at: When: an instant, or a date for midnight in the zone of the site.
        value: What it showed, with all digits that it has.
        channel: The register; it need not be named where the meter has no other channel.
        unit: The unit, if it is not that of the channel: a power of ten of it.
        quality: How it was found.
        kind: `final` for the last read of a meter that is taken away, `initial` for the first of
            the next one; see `POST /v1/meters/{meter}/exchange`.
        equipment: The meter that shows it, such as its serial number: across two that differ
            nothing is counted.

    """

    __public_name__: ClassVar[str] = "NewRegisterRead"

    at: Moment
    value: Decimal
    channel: Id | None = None
    unit: UnitName | None = None
    quality: QualityName = "actual"
    kind: ReadKind = "read"
    equipment: Name | None = None


@attrs.frozen
class NewReads:
    """Reads of the registers of a meter.

    Attributes:
        reads: The reads, in any order.

    """

    __public_name__: ClassVar[str] = "NewRegisterReads"

    reads: Annotated[tuple[NewRead, ...], Meta(min_length=1, max_length=100_000)]


@attrs.frozen(kw_only=True)
class NewExchange:
    """The exchange of a meter: the last read of the one that goes, the first of the one that comes.

    Attributes:
        at: When: an instant, or a date for midnight in the zone of the site.
        final: What the old one showed.
        initial: What the new one shows.
        channel: The register; it need not be named where the meter has no other channel.
        old: The serial number of the old one.
        new: The serial number of the new one.

    """

    __public_name__: ClassVar[str] = "NewMeterExchange"

    at: Moment
    final: Decimal
    initial: Decimal
    channel: Id | None = None
    old: Name | None = None
    new: Name | None = None

    def reads(self) -> NewReads:
        """Return the two reads."""
        final = NewRead(
            at=self.at, value=self.final, channel=self.channel, kind="final", equipment=self.old
        )
        initial = NewRead(
            at=self.at, value=self.initial, channel=self.channel, kind="initial", equipment=self.new
        )
        return NewReads((final, initial))


def _ends_after_start(start: Moment, end: Moment) -> Iterator[Fault]:
    is_instant = isinstance(start, datetime), isinstance(end, datetime)
    if is_instant[0] != is_instant[1]:
        yield Fault("wrong_type", "give two instants, or two dates", "/end")
    elif end <= start:
        yield Fault("empty_window", "the end must be after the start", "/end")


@attrs.frozen(kw_only=True)
class NewStretch:
    """What was measured from one moment to another, in a channel of kind `irregular`.

    Attributes:
        start: An instant, or a date for midnight in the zone of the site.
        end: Likewise, and not part of it.
        value: How much; null where it is missing.
        channel: The channel; it need not be named where the meter has no other.
        unit: The unit, if it is not that of the channel.
        quality: How it was found.

    Raises:
        Invalid: The end is not after the start.

    """

    __rules__: ClassVar[Rules] = (_ends_after_start,)

    start: Moment
    end: Moment
    value: Decimal | None
    channel: Id | None = None
    unit: UnitName | None = None
    quality: QualityName = "actual"

    def __attrs_post_init__(self) -> None:
        """Refuse what ends before it starts."""
        enforce(self)


@attrs.frozen
class NewStretches:
    """What was measured by irregular channels of a meter.

    Attributes:
        stretches: The stretches, in any order; those of a channel do not overlap.

    """

    stretches: Annotated[tuple[NewStretch, ...], Meta(min_length=1, max_length=100_000)]
