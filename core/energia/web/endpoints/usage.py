"""Usage: sums of readings over windows of local time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from functools import partial
from itertools import repeat
from typing import Annotated, ClassVar, Final, Literal

import attrs
import msgspec
from msgspec import Meta

from energia.convert import Converter, Id
from energia.core import Core
from energia.costing.budget import refuse_costly_slots
from energia.costing.inputs import role_of
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, Conflict, Invalid, NotFound, TooLarge
from energia.metering import usage
from energia.metering.series import ChannelGrid, Micro, Series
from energia.metering.usage import Coverage, Windows
from energia.pricing.cache import CACHE
from energia.pricing.periods import ByPeriod, by_period
from energia.pricing.slots import Assumption, boundary_inside, spread
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.spending import hold_slots
from energia.time import (
    HOUR,
    BadDuration,
    Granularity,
    Instant,
    Int64,
    Zone,
    length_text,
    rfc3339,
)
from energia.units import POWER_UNITS, decimal_text
from energia.web.resources import (
    READERS,
    WRITERS,
    ChannelId,
    ChannelWindow,
    End,
    KnownAt,
    MeterId,
    Start,
    channel_to_read,
    channel_window,
)
from energia.web.routes import Routes
from energia.web.streams import FILES, JSON, Accepted, Cell, Rows, decimals
from energia.work import off_loop

_COLUMNS: Final = ("start", "end", "value", "unit", "peak_value", "peak_unit", "peak_start")
_COVERAGE: Final = tuple(field.name for field in attrs.fields(Coverage))


class Peak(msgspec.Struct, gc=False):
    """The largest average power of a slot.

    Attributes:
        value: A decimal number.
        unit: kW, kvar or kVA.
        start: When the slot starts.

    """

    __public_name__: ClassVar[str] = "PowerPeak"

    value: str
    unit: str
    start: datetime


class UsageWindow(msgspec.Struct, omit_defaults=True, gc=False):
    """The usage of one window.

    Attributes:
        start: With the site's offset.
        end: With the site's offset.
        value: The exact sum, a decimal number.
        peak: Of energy only; null without a value.
        coverage: What the sum rests on.
        periods: With `by=period`: the sum of each of the tariff's periods that has a slot in it.

    """

    start: datetime
    end: datetime
    value: str
    peak: Peak | None
    coverage: Coverage
    periods: dict[str, str] | None = None


class Usage(msgspec.Struct):
    """The usage of a channel, window by window.

    Attributes:
        meter: The id of the meter.
        channel: The id of the channel.
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


@attrs.frozen(eq=False)
class Frame:
    """The windows of a span.

    Attributes:
        edges: Where each begins, and the last one ends.
        moments: The same on the local clock.
        windows: Which slots of the span they have.

    """

    edges: Int64
    moments: list[datetime]
    windows: Windows


def usage_rows(data: Sequence[UsageWindow], unit: str) -> Rows:
    """Return a row for each window."""
    periods = list(dict.fromkeys(name for row in data for name in row.periods or ()))
    columns = (*_COLUMNS, *_COVERAGE, *(f"period.{name}" for name in periods))
    return Rows.listed(columns, (_row(window, unit, periods) for window in data))


def _row(window: UsageWindow, unit: str, periods: Sequence[str]) -> tuple[Cell, ...]:
    peak: tuple[Cell, ...] = (None, None, None)
    if window.peak is not None:
        peak = (window.peak.value, window.peak.unit, rfc3339(window.peak.start))
    parts = window.periods or {}
    return (
        rfc3339(window.start),
        rfc3339(window.end),
        window.value,
        unit,
        *peak,
        *attrs.astuple(window.coverage),
        *(parts.get(name) for name in periods),
    )


By = Annotated[
    Literal["period"],
    Meta(description="What else the sums are split by: `period` is that of a `tariff`."),
]
OfTariff = Annotated[Id, Meta(description="With `by=period`: the tariff whose periods these are.")]
OfCharge = Annotated[
    str,
    Meta(max_length=64, description="The charge whose schedule it is, where charges differ in it."),
]
Length = Annotated[
    str,
    Meta(
        description="PT1H and the like, P1D, P1M or P1Y; or `hour`, `day`, `month`, `year`.",
        max_length=20,
    ),
]

#: How many windows one answer has at most.
WINDOWS: Final = 100_000
#: Where windows of so many slots begin, and what their sums are, is found within a millisecond or
#: two, if there are so many windows at most.
_FEW: Final = 50_000
_FEW_WINDOWS: Final = 500

routes = Routes(tag="Readings", reads=READERS, writes=WRITERS)


@routes.get(
    "/v1/meters/{meter}/usage",
    errors=(NotFound, AmbiguousChannel, Conflict, TooLarge),
    produces=FILES,
    from_replica=True,
)
async def get_usage(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    accepted: Accepted,
    converter: Converter,
    channel: ChannelId | None = None,
    window: Length = "P1D",
    known_at: KnownAt | None = None,
    by: By | None = None,
    tariff: OfTariff | None = None,
    charge: OfCharge | None = None,
) -> Usage | Rows:
    """Return sums over windows that begin at local midnights of the site.

    A slot belongs wholly to the window in which it starts. With `by=period` each sum is split by
    the periods of a tariff, on the tariff's clock.

    As a file a row is `start,end,value,unit,peak_value,peak_unit,peak_start`, then the coverage,
    then a column `period.<name>` for each period.
    """
    limits = core.settings.limits
    find_channel = channel_to_read if known_at is None else channel_window
    selection = await find_channel(tenant, meter, channel, (start, end), limits.slots)
    span, grid = (selection.start, selection.end), selection.channel.grid
    find = partial(frame_of, selection.zone, span, window, grid)
    few = selection.slots <= _FEW
    frame = find() if few else await off_loop(find)
    _refuse_parts(by, tariff, charge)
    if by is not None and selection.channel.by_days:
        message = "what the channel measured is known from day to day only, not by period"
        raise Invalid.of("needs_finer_readings", message, "/query/by")
    split = None if tariff is None else await _tariff(tenant, converter, tariff)
    if split is not None:
        refuse_costly_slots(split, span, selection.slots, limits.pricing)
    hold_slots(selection.slots)
    series = (await selection.read(tenant, known_at)).series
    sum_up = partial(_usage, meter, selection, series, frame)
    answer = sum_up() if few and len(frame.moments) <= _FEW_WINDOWS else await off_loop(sum_up)
    if split is not None:
        cuts = frame.windows.cuts
        await off_loop(_add_periods, answer, series, cuts, split, selection, charge)
    return answer if accepted == JSON else usage_rows(answer.data, answer.unit)


def _usage(meter: str, selection: ChannelWindow, series: Series, frame: Frame) -> Usage:
    """Return the usage of each window of a frame."""
    moments = frame.moments
    sums = usage.window_sums(series, frame.windows)
    columns = (
        decimals(sums.values),
        _peaks(sums.peaks, series, selection),
        sums.coverage,
    )
    data = list(map(UsageWindow, moments, moments[1:], *columns))
    channel, assumptions = selection.channel, _assumptions(series, frame)
    return Usage(meter, channel.id, channel.canonical, selection.zone.name, data, assumptions)


def _add_periods(
    answer: Usage,
    series: Series,
    cuts: Int64,
    tariff: Tariff,
    selection: ChannelWindow,
    charge: str | None,
) -> None:
    """Split the usage of each window by the periods of a tariff."""
    parts = _split(series, cuts, tariff, selection, charge)
    for row, periods in zip(answer.data, parts.windows, strict=True):
        row.periods = {name: decimal_text(value) for name, value in periods.items()}
    answer.assumptions += parts.assumptions


def _refuse_parts(by: str | None, tariff: str | None, charge: str | None) -> None:
    """Refuse a part of what `by=period` takes."""
    if (by is None) != (tariff is None):
        message = "by=period and tariff go together"
        name = "tariff" if tariff is None else "by"
        raise Invalid.of("missing_field", message, f"/query/{name}")
    if charge is not None and by is None:
        raise Invalid.of("missing_field", "a charge goes with by=period", "/query/by")


async def _tariff(tenant: Tenant, converter: Converter, id_: str) -> Tariff:
    """Return the tariff whose periods are asked for."""
    stored = (await Tariffs(tenant, converter).known([id_])).get(id_)
    if stored is None:
        raise Invalid.of("unknown_tariff", f"there is no tariff {id_!r}", "/query/tariff")
    return stored


def _split(
    series: Series, cuts: Int64, tariff: Tariff, selection: ChannelWindow, charge: str | None
) -> ByPeriod:
    try:
        local = tariff.at(selection.zone)
        return by_period(series, cuts, local, role_of(selection.channel), charge)
    except Invalid as error:
        where = "/query/tariff" if charge is None else "/query/charge"
        faults = [
            attrs.evolve(fault, pointer=f"/query{fault.pointer}" if fault.pointer else where)
            for fault in error.faults
        ]
        raise Invalid(error.detail, faults) from error


def frame_of(zone: Zone, span: tuple[Instant, Instant], text: str, grid: ChannelGrid) -> Frame:
    """Return the windows of a *span*, as `edges_of`; those that are asked for again are at hand."""
    return _frame_again(zone, span, text, grid) or _frame(zone, span, text, grid)


def _frame(zone: Zone, span: tuple[Instant, Instant], text: str, grid: ChannelGrid) -> Frame:
    edges, slots = edges_of(zone, span, text, grid.interval), grid.slots(*span)
    edges.flags.writeable = False
    windows = Windows.of(edges, grid.start(slots.start), grid.interval, len(slots))
    return Frame(edges, zone.datetimes(edges), windows)


_frame_again: Final = CACHE.memo_again(_frame)


def edges_of(zone: Zone, span: tuple[Instant, Instant], text: str, interval: int) -> Int64:
    """Return where the windows of a *span* begin whose length is asked for, and the last end.

    Raises `Invalid` for what is no length, shorter than the *interval* of slots, or far too short.
    """
    start, end = span
    try:
        granularity = Granularity.parse(text)
    except BadDuration as error:
        raise Invalid.of("bad_window", str(error), "/query/window") from None
    length = granularity.length
    if length is not None and length < interval:
        message = f"the window is shorter than the channel's interval, {length_text(interval)}"
        raise Invalid.of("bad_window", message, "/query/window")
    if length is not None and (end - start) // length > WINDOWS:
        raise Invalid.of(
            "too_many_windows", f"there are more than {WINDOWS} windows", "/query/window"
        )
    return usage.bounds(zone, granularity, start, end)


def _peaks(indexes: Int64, series: Series, selection: ChannelWindow) -> Iterator[Peak | None]:
    """Return the peak of each window, in which it is the slot with an index; None where that is -1.

    Of sums that were spread over slots nobody knows a power.
    """
    unit = POWER_UNITS.get(selection.channel.canonical)
    if unit is None or series.edges is not None:
        return repeat(None, len(indexes))
    has_each = int(indexes.min()) >= 0
    known = indexes if has_each else indexes[indexes >= 0]
    moments = selection.zone.datetimes(series.start + known * series.interval)
    powers = _powers(series.values[known], series.interval)
    found = map(Peak, powers, repeat(unit), moments)
    if has_each:
        return found
    return (next(found) if index >= 0 else None for index in indexes.tolist())


def _powers(values: Micro, interval: int) -> Iterable[str]:
    """Return the average power in slots as text: of most, an hour has a whole number."""
    if HOUR % interval:
        return (decimal_text(Fraction(value * HOUR, interval)) for value in values.tolist())
    return decimals(values * (HOUR // interval))  # within 64 bits, as a value is below 2**50


def _assumptions(series: Series, frame: Frame) -> list[Assumption]:
    assumptions = []
    if slots := frame.windows.split:
        rule = "is in the window that its start is in"
        assumptions.append(
            boundary_inside("a boundary between windows falls", slots, "slots", rule)
        )
    if number := usage.split_stretches(series, frame.edges):
        assumptions.append(spread("the channel", number))
    return assumptions
