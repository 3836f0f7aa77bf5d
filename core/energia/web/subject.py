"""What a request asks the price of."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import ClassVar, Literal

import attrs

from energia.billing.contract import Ids, Parameters
from energia.convert import Id
from energia.convert.rules import Rules, enforce
from energia.errors import Fault
from energia.pricing.charges import Role
from energia.pricing.inline import InlineUsage
from energia.pricing.market.models import InlinePrices
from energia.pricing.terms import Missing

Moment = datetime | date


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
        channels: Which of the meter's channels are summed for a role, where it has several.
        known_at: The stored readings, and prices, as they were known at this instant.
        prices: Price series that charges need, by name, in the tariff's currency and for a kWh
            unless they say otherwise; others are those that are stored.
        missing: Whether missing readings are refused, or how they are filled in: `zero`, or
            `estimate`, the mean of slots that are alike.
        parameters: Values for the parameters that charges of the tariff ask for.
        group: Prices each day, month or year of the window as a bill period of its own.

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
    channels: dict[Role, Ids] | None = None
    known_at: datetime | None = None
    prices: dict[Id, InlinePrices] = attrs.field(factory=dict)
    missing: Missing = "refuse"
    parameters: Parameters = attrs.field(factory=dict)
    group: Literal["P1D", "P1M", "P1Y"] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)
