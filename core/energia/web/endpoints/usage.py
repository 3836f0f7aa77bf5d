"""Usage: sums of readings over windows of local time."""

from datetime import datetime
from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import Meta

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, Fault, Invalid, NotFound
from energia.metering import query, usage
from energia.metering.durations import BadDuration, Window
from energia.metering.series import Series
from energia.metering.usage import Coverage, Used
from energia.pricing.slots import Assumption
from energia.units import POWER_UNITS, decimal_text
from energia.web.ids import ChannelId, MeterId
from energia.web.routes import Routes
from energia.web.windows import Asked, End, Start, asked

Length = Annotated[str, Meta(description="PT1H and the like, P1D, P1M or P1Y.", max_length=20)]

#: How many windows one answer has at most.
_WINDOWS = 100_000

routes = Routes(tag="Readings")


class Peak(msgspec.Struct):
    """The largest average power of a slot.

    Attributes:
        value: A decimal number.
        unit: kW, kvar or kVA.
        start: When the slot starts.

    """

    value: str
    unit: str
    start: datetime


class UsageWindow(msgspec.Struct):
    """The usage of one window.

    Attributes:
        start: With the site's offset.
        end: With the site's offset.
        value: The exact sum, a decimal number.
        peak: Of energy only; null without a value.
        coverage: What the sum rests on.

    """

    start: datetime
    end: datetime
    value: str
    peak: Peak | None
    coverage: Coverage


class Usage(msgspec.Struct):
    """The usage of a channel, window by window.

    Attributes:
        unit: The canonical unit of the quantity: kWh, kvarh, kVAh or m3.
        timezone: The zone of the windows: the site's.
        data: The windows.
        assumptions: What was assumed.

    """

    meter: str
    channel: str
    unit: str
    timezone: str
    data: list[UsageWindow]
    assumptions: list[Assumption]


@routes.get("/v1/meters/{meter}/usage", errors=(NotFound, AmbiguousChannel))
async def get_usage(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    channel: ChannelId | None = None,
    window: Length = "P1D",
) -> Usage:
    """Return sums over windows that begin at local midnights of the site.

    A slot belongs wholly to the window in which it starts.
    """
    found = await asked(tenant, meter, channel, (start, end), core.settings.limits.slots)
    at = _bounds(found, window)
    series = await query.series(tenant, found.channel, found.start, found.end)
    used = usage.usage(series, at)
    data = [_shown(one, series, found) for one in used]
    return Usage(
        meter,
        found.channel.id,
        found.channel.canonical,
        found.zone.name,
        data,
        _assumptions(series, at),
    )


def _bounds(found: Asked, text: str) -> usage.Int64:
    try:
        window = Window.parse(text)
    except BadDuration as error:
        raise Invalid(str(error), [Fault("bad_window", str(error), "/query/window")]) from None
    if window.length is not None and window.length < found.channel.interval:
        message = "the window is shorter than the channel's interval"
        raise Invalid(message, [Fault("bad_window", message, "/query/window")])
    if window.length is not None and (found.end - found.start) // window.length > _WINDOWS:
        message = f"there are more than {_WINDOWS} windows"
        raise Invalid(message, [Fault("too_many_windows", message, "/query/window")])
    return usage.bounds(found.zone, window, found.start, found.end)


def _shown(used: Used, series: Series, found: Asked) -> UsageWindow:
    return UsageWindow(
        found.zone.datetime(used.start),
        found.zone.datetime(used.end),
        decimal_text(used.value),
        _peak(used.peak, series, found),
        used.coverage,
    )


def _peak(index: int | None, series: Series, found: Asked) -> Peak | None:
    unit = POWER_UNITS.get(found.channel.canonical)
    if index is None or unit is None:
        return None
    power = Fraction(int(series.values[index]) * 3600, series.interval)
    start = series.start + index * series.interval
    return Peak(decimal_text(power), unit, found.zone.datetime(start))


def _assumptions(series: Series, at: usage.Int64) -> list[Assumption]:
    slots = usage.split_slots(series, at)
    if not slots:
        return []
    message = "boundaries of windows lie inside slots, which belong to the window they start in"
    return [Assumption("boundary_inside_interval", message, slots)]
