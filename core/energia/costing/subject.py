"""What a request asks the price of."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal

import attrs
import numpy as np
from msgspec import Meta

from energia.codes import UnitName, ZoneOrOffset
from energia.convert import Id
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import Numbers, Rules, enforce
from energia.errors import Fault, Invalid
from energia.metering.series import ACTUAL, MISSING, NEVER_SENT, Series, refuse_length
from energia.pricing.charges import Role, unit_of
from energia.pricing.market.models import InlinePrices
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Parameters
from energia.pricing.usage import Missing
from energia.time import Moment, Zone, instant_of, seconds_in
from energia.units import finer, unit


def _ends_later(start: date | None, end: date | None) -> Iterator[Fault]:
    if start is not None and end is not None and end <= start:
        yield Fault("empty_window", "the end must be after the start", "/end")


@attrs.frozen(kw_only=True)
class DatedChannel:
    """A channel that is summed for a role on some days only: of a meter that was exchanged.

    Attributes:
        channel: The id of the channel.
        start: The first day, of the site's zone; without it, it always was.
        end: The day after the last one; without it, it goes on.

    """

    __rules__: ClassVar[Rules] = (_ends_later,)

    channel: Id
    start: date | None = None
    end: date | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a channel that ends before it starts."""
        enforce(self)


#: The channels that are summed for a role: by their ids alone, or with dates.
ChannelIds = Annotated[tuple[Id | DatedChannel, ...], Meta(min_length=1, max_length=100)]


def _whole(instant: datetime) -> None:
    if instant.microsecond:
        raise Unfit("off_grid", "the time is not on a whole second")


def _divides_a_day(interval: timedelta) -> None:
    refuse_length(interval.total_seconds())


@attrs.frozen
class InlineChannel:
    """The readings of one role.

    Attributes:
        start: When the first slot starts.
        values: One for each slot; null where there is no reading.
        unit: Their unit.

    """

    start: Annotated[datetime, Check(_whole)]
    values: Annotated[Numbers, Meta(min_length=1)]
    unit: UnitName = "kWh"

    @property
    def rounded(self) -> int:
        """How many of the values are finer than a micro-unit."""
        return int(np.count_nonzero(finer(self.values.floats, unit(self.unit).factor)))


def _units_fit(channels: Mapping[str, InlineChannel]) -> Iterator[Fault]:
    for role, channel in channels.items():
        if unit(channel.unit).canonical != unit_of(role):
            message = f"{channel.unit} is no unit of {role}, which is in {unit_of(role)}"
            yield Fault("wrong_unit", message, f"/channels/{role}/unit")


@attrs.frozen
class InlineUsage:
    """Readings that come with the request.

    Attributes:
        timezone: The IANA zone of dates in the request, of the days that are counted and of times
            in the answer.
        interval: The length of a slot; divides a day, at most an hour.
        channels: The readings by role.

    """

    __rules__: ClassVar[Rules] = (_units_fit,)

    timezone: ZoneOrOffset
    interval: Annotated[timedelta, Meta(examples=["PT15M"]), Check(_divides_a_day)]
    channels: Annotated[dict[Role, InlineChannel], Meta(min_length=1)]

    def __attrs_post_init__(self) -> None:
        """Refuse units that do not fit."""
        enforce(self)

    @property
    def zone(self) -> Zone:
        """The zone of dates in the request."""
        return Zone.named(self.timezone)

    @property
    def slots(self) -> int:
        """How many values there are."""
        return sum(len(channel.values) for channel in self.channels.values())

    def series(self) -> Mapping[str, Series]:
        """Return the readings in micro-units; raises `Invalid` for numbers that are too large."""
        by_role = {role: self._series(role, channel) for role, channel in self.channels.items()}
        faults = [fault for _, faults in by_role.values() for fault in faults]
        if faults:
            raise Invalid.of_all(faults)
        return {role: series for role, (series, _) in by_role.items()}

    def assumptions(self) -> tuple[Assumption, ...]:
        """Return what is taken for granted of the readings: that those too fine are rounded."""
        return tuple(
            Assumption(
                "rounded_readings",
                f"{number} readings of {role} are finer than 0.000001 {unit_of(role)}: "
                "they are rounded to it",
                number,
            )
            for role, channel in self.channels.items()
            if (number := channel.rounded)
        )

    def _series(self, role: str, channel: InlineChannel) -> tuple[Series, list[Fault]]:
        micro, outside = channel.values.micros(unit(channel.unit).factor)
        missing = np.isnan(channel.values.floats)
        micro[missing] = MISSING
        quality = np.where(missing, NEVER_SENT, ACTUAL).astype(np.int8)
        faults = [
            Fault("out_of_range", "the number is out of range", f"/channels/{role}/values/{index}")
            for index in np.flatnonzero(outside)[:1000].tolist()
        ]
        seconds = seconds_in(self.interval)
        return Series(instant_of(channel.start), seconds, micro, quality), faults


def _meter_or_usage(meter: str | None, usage: InlineUsage | None) -> Iterator[Fault]:
    if (meter is None) == (usage is None):
        yield Fault("meter_or_usage", "give either meter or usage", "/meter")


def _needs_start(meter: str | None, start: Moment | None) -> Iterator[Fault]:
    if meter is not None and start is None:
        yield Fault("missing_field", "a stored meter needs a window", "/start")


def _needs_end(meter: str | None, end: Moment | None) -> Iterator[Fault]:
    if meter is not None and end is None:
        yield Fault("missing_field", "a stored meter needs a window", "/end")


def _whole_seconds(start: Moment | None, end: Moment | None) -> Iterator[Fault]:
    for name, moment in (("start", start), ("end", end)):
        if isinstance(moment, datetime) and moment.microsecond:
            yield Fault("out_of_range", "instants are whole seconds", f"/{name}")


def _needs_meter(
    meter: str | None, channels: Mapping[str, object] | None, known_at: datetime | None
) -> Iterator[Fault]:
    if meter is None and channels is not None:
        yield Fault("needs_meter", "channels are those of a meter", "/channels")
    if meter is None and known_at is not None:
        yield Fault("needs_meter", "only stored readings are known at a time", "/known_at")


@attrs.frozen(kw_only=True)
class Subject:
    """What is priced.

    Attributes:
        meter: A meter whose readings are stored; or
        usage: readings that come with the request.
        start: When the window starts: an instant, or the midnight of a date in the zone of the
            site (or of the usage); the default is the start of the usage.
        end: When it ends.
        channels: Which of the meter's channels are summed for a role, where it has several; each
            by its id, or with the days on which it counts.
        known_at: The stored readings, and prices, as they were known at this instant.
        prices: Price series that charges need, by name, in the tariff's currency and for a kWh
            unless they say otherwise; others are those that are stored.
        missing: Whether missing readings are refused, or how they are filled in: `zero`, or
            `estimate`, the mean of slots that are alike.
        parameters: Values for the parameters that charges of the tariff ask for.
        group: Prices each day, month or year of the window as a bill period of its own; `whole`:
            all of it as one. Without it a cost is one bill period; so is a comparison of up to 45
            days, and a longer one is by months.

    """

    __rules__: ClassVar[Rules] = (
        _meter_or_usage,
        _needs_start,
        _needs_end,
        _needs_meter,
        _whole_seconds,
    )

    meter: Id | None = None
    usage: InlineUsage | None = None
    start: Moment | None = None
    end: Moment | None = None
    channels: dict[Role, ChannelIds] | None = None
    known_at: datetime | None = None
    prices: dict[Id, InlinePrices] = attrs.field(factory=dict)
    missing: Missing = "refuse"
    parameters: Parameters = attrs.field(factory=dict)
    group: Literal["P1D", "P1M", "P1Y", "whole"] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)
