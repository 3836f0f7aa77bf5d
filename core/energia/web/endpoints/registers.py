"""Registers that are read, exchanges of meters, and readings that have no slots."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

import attrs
from msgspec import Meta

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, Invalid, NotFound
from energia.metering.imports import Intake
from energia.metering.models import (
    NewExchange,
    NewRead,
    NewReads,
    NewStretch,
    NewStretches,
)
from energia.metering.outcome import Outcome
from energia.metering.query import Span, refuse_deleted
from energia.metering.reads import Asked, read_reads, read_stretches
from energia.metering.series import MISSING, QUALITIES, QualityName
from energia.metering.stretches import ReadKind, Reason, Stretch
from energia.time import Zone, instant_of
from energia.units import decimal_text
from energia.web.resources import (
    READERS,
    WRITERS,
    ChannelId,
    ChannelWindow,
    Cursor,
    End,
    KnownAt,
    Limit,
    MeterId,
    Page,
    Start,
    channel_window,
    examples,
    page,
    place_at,
)
from energia.web.routes import Routes

#: So many years of quarter-hours are no concern here: what is listed are reads.
_ANY: Final = 10**9

#: When a register was read.
At = Annotated[
    datetime | date,
    Meta(
        description="An instant with its offset, or a date: midnight in the site's zone.",
        examples=["2026-02-05"],
    ),
]
OfKind = Annotated[
    ReadKind,
    Meta(description="What the read is: `final` and `initial` are those of an exchange."),
]

routes = Routes(tag="Registers", reads=READERS, writes=WRITERS)


@routes.post(
    "/v1/meters/{meter}/registers",
    errors=(NotFound,),
    examples=examples("register_reads"),
    once="together",
)
async def post_register_reads(
    meter: MeterId, body: NewReads, core: Core, tenant: Tenant
) -> Outcome:
    """Store reads of registers: all of them, or none if something is wrong.

    What they counted is worked out when it is asked for. A register that went back is stored, with
    a warning: nothing is counted across, unless its digits and `max_power` show that it began again
    at 0. A read that comes again with another value is a correction.
    """
    return await _intake(core, tenant).reads(meter, body)


@routes.post(
    "/v1/meters/{meter}/exchange",
    errors=(NotFound,),
    examples=examples("exchanges"),
    once="together",
)
async def post_exchange(meter: MeterId, body: NewExchange, core: Core, tenant: Tenant) -> Outcome:
    """Store that a meter was exchanged: the final read of the old, the initial read of the new."""
    return await _intake(core, tenant).reads(meter, body.reads())


@routes.post(
    "/v1/meters/{meter}/stretches",
    errors=(NotFound,),
    examples=examples("stretches"),
    once="together",
)
async def post_stretches(meter: MeterId, body: NewStretches, core: Core, tenant: Tenant) -> Outcome:
    """Store readings that each have a start and an end: all, or none if something is wrong.

    They go to channels of kind `irregular`, such as bills of gas, and days. Two of a channel do not
    overlap; one that comes again with another value is a correction.
    """
    return await _intake(core, tenant).stretches(meter, body)


def _intake(core: Core, tenant: Tenant) -> Intake:
    return Intake.of(core.settings, core.clock, tenant, core.plugins)


@attrs.frozen
class RegisterRead:
    """What a register showed.

    Attributes:
        at: When, with the site's offset.
        value: What it showed, with the digits that were sent: a decimal.
        unit: The unit of the channel.
        quality: How it was found.
        kind: `final` and `initial` are those of an exchange.
        equipment: The meter that showed it, if that was said.
        recorded_at: When it was recorded.

    """

    at: datetime
    value: Decimal
    unit: str
    quality: QualityName
    kind: ReadKind
    equipment: str | None
    recorded_at: datetime


@routes.delete("/v1/meters/{meter}/registers", errors=(NotFound,))
async def delete_register_read(
    meter: MeterId,
    at: At,
    core: Core,
    tenant: Tenant,
    channel: ChannelId | None = None,
    kind: OfKind = "read",
) -> None:
    """Take a read back that was never so, such as one with a wrong date.

    What was known by it stays known (`known_at`), and bills that were issued by it are affected. A
    read whose value alone is wrong is corrected by sending it again.
    """
    wrong = NewRead(at=at, value=Decimal(0), channel=channel, kind=kind)
    await _intake(core, tenant).withdraw(meter, wrong)


@routes.delete("/v1/meters/{meter}/stretches", errors=(NotFound,))
async def delete_stretch(
    meter: MeterId, start: Start, core: Core, tenant: Tenant, channel: ChannelId | None = None
) -> None:
    """Take a stretch back that was never so, by when it starts; see reads of registers."""
    wrong = NewStretch(start=start, end=_later(start), value=None, channel=channel)
    await _intake(core, tenant).withdraw(meter, wrong)


def _later(start: datetime | date) -> datetime | date:
    """Return an end for a stretch of which only the start matters."""
    return start + (timedelta(seconds=1) if isinstance(start, datetime) else timedelta(days=1))


@routes.get("/v1/meters/{meter}/registers", errors=(NotFound, AmbiguousChannel), from_replica=True)
async def list_register_reads(
    meter: MeterId,
    start: Start,
    end: End,
    tenant: Tenant,
    channel: ChannelId | None = None,
    known_at: KnownAt | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[RegisterRead]:
    """List the reads of a register in a window, by time."""
    selection = await _selection(tenant, meter, channel, (start, end), "register")
    window, pins = _asked(selection, cursor, known_at)
    (reads,) = await read_reads(tenant, [window], pins)
    listed = [
        RegisterRead(
            selection.zone.datetime(read.instant),
            read.value,
            selection.channel.unit,
            QUALITIES[read.quality],  # type: ignore[arg-type]
            read.kind,
            read.equipment,
            read.recorded_at,
        )
        for read in reads
        if read.value is not None and window[1] <= read.instant < window[2]
    ]
    return _paged(listed, limit)


def _paged(listed: list[RegisterRead], limit: int) -> Page[RegisterRead]:
    """Return a page, which ends between two instants: two reads of one instant stay together."""
    size = limit
    while size < len(listed) and listed[size - 1].at == listed[size].at:
        size += 1
    return page(listed, size, lambda read: place_at(instant_of(read.at) + 1))


@attrs.frozen
class MeasuredStretch:
    """What a channel measured from one instant to another.

    Attributes:
        start: With the site's offset.
        end: With the site's offset.
        value: How much: a decimal; null where nobody can tell.
        unit: The canonical unit of the quantity: kWh, kvarh, kVAh or m3.
        quality: `derived` from reads of a register, unless these say something else.
        reason: What else there is to say: `register_went_back` and `equipment_changed` are why it
            is null; `rollover`, `dip` and `glitch` were seen through; `above_max_power` is stored
            as questionable.

    """

    start: datetime
    end: datetime
    value: str | None
    unit: str
    quality: str
    reason: Reason | None


@routes.get("/v1/meters/{meter}/stretches", errors=(NotFound, AmbiguousChannel), from_replica=True)
async def list_stretches(
    meter: MeterId,
    start: Start,
    end: End,
    tenant: Tenant,
    channel: ChannelId | None = None,
    known_at: KnownAt | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[MeasuredStretch]:
    """List what a register or an irregular channel measured, by when each stretch starts.

    Of a register, a stretch goes from one read to the next. Those that start in the window are
    listed.
    """
    selection = await _selection(tenant, meter, channel, (start, end), "register", "irregular")
    window, pins = _asked(selection, cursor, known_at)
    (known,) = await read_stretches(tenant, [window], pins)
    inside = [each for each in known.stretches if window[1] <= each.start < window[2]]
    listed = list(_shown(inside[: limit + 1], selection))
    return page(listed, limit, lambda each: place_at(instant_of(each.start) + 1))


def _shown(stretches: list[Stretch], selection: ChannelWindow) -> Iterator[MeasuredStretch]:
    moment: Zone = selection.zone
    for each in stretches:
        yield MeasuredStretch(
            moment.datetime(each.start),
            moment.datetime(each.end),
            None if each.value == MISSING else decimal_text(each.value),
            selection.channel.canonical,
            QUALITIES[each.quality],
            each.reason,
        )


async def _selection(
    tenant: Tenant,
    meter: str,
    channel: str | None,
    window: tuple[datetime | date, datetime | date],
    *kinds: str,
) -> ChannelWindow:
    """Return the channel and the window of a query; raises `Invalid` for other kinds."""
    selection = await channel_window(tenant, meter, channel, window, _ANY)
    kind = selection.channel.kind
    if kind not in kinds:
        message = f"the channel {selection.channel.id} is of kind {kind}: see its readings"
        raise Invalid.of("wrong_kind", message, "/query/channel")
    return selection


def _asked(
    selection: ChannelWindow, cursor: str, known_at: datetime | None
) -> tuple[Asked, list[datetime] | None]:
    """Return what is left of a window, and the instant whose knowledge is asked for, if one is.

    Raises `ReadingsDeleted` where what was known then was deleted.
    """
    window = (selection.channel, selection.from_(cursor), selection.end)
    if known_at is None:
        return window, None
    refuse_deleted([Span(*window)])
    return window, [known_at]
