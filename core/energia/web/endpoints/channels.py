"""Channels: what is stored of them, and what imports have corrected."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import attrs
from msgspec import Meta

from energia.convert import Id
from energia.core import Core
from energia.costing.inputs import role_of
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, Invalid, NotFound, TooLarge
from energia.metering import corrections, registry, stored
from energia.metering.corrections import Correction, SlotsState
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.stored import Extent
from energia.metering.usage import Coverage
from energia.spending import hold_slots, spend
from energia.time import DAY, Zone, instant_of
from energia.units import decimal_text
from energia.web.endpoints.sums import Meters
from energia.web.resources import (
    READERS,
    WRITERS,
    ChannelId,
    Cursor,
    End,
    Limit,
    MeterId,
    Page,
    Start,
    channel_window,
    cursor_of,
    number_of,
)
from energia.web.routes import Routes

#: How many meters may be named.
_MOST = 1000

routes = Routes(tag="Readings", reads=READERS, writes=WRITERS)

Days = Annotated[
    int,
    Meta(ge=1, le=366, description="Tell the coverage of so many days before now, to the hour."),
]


@attrs.frozen
class ChannelState:
    """A channel, and what is stored of it.

    Attributes:
        meter: The id of its meter.
        channel: Its own.
        role: What a tariff sums it to: `import`, `export` and the like.
        unit: The unit of its readings: kWh, kvarh, kVAh or m3.
        kind: `interval`, `register` or `irregular`.
        first: When the first reading begins, with the offset of the site; null without any.
        last: When the newest reading ends: where a meter is silent, since when it is.
        coverage: With `days`: how many of its slots have a reading.

    """

    meter: Id
    channel: Id
    role: str
    unit: str
    kind: str
    first: datetime | None
    last: datetime | None
    coverage: Coverage | None


@attrs.frozen
class ChannelStates:
    """The channels of some meters.

    Attributes:
        channels: By the ids of their meters, in the order in which they were declared.

    """

    channels: list[ChannelState]


@routes.get("/v1/channels", errors=(TooLarge,), from_replica=True)
async def list_channels(
    meters: Meters, core: Core, tenant: Tenant, days: Days | None = None
) -> ChannelStates:
    """List the channels of some meters, with what is stored of each: since when, until when.

    With `days`, how many of their slots of these days have a reading, until the last full hour.
    Meters that there are not have no channels.
    """
    named = list(dict.fromkeys(id_ for given in meters for id_ in given.split(",")))
    if len(named) > _MOST:
        raise Invalid.of("too_long", f"more than {_MOST} meters are named", "/query/meters")
    async with tenant.snapshot() as queries:
        declared = await registry.channels_of(queries, named)
        channels = [channel for id_ in sorted(declared) for channel in declared[id_]]
        zones = dict(await registry.zones_of(queries, meters=named))
        extents = await stored.extents(queries, channels)
        coverages: Sequence[Coverage | None] = [None] * len(channels)
        if days is not None:
            end = instant_of(core.clock.now().replace(minute=0, second=0, microsecond=0))
            _refuse_more(channels, days * DAY, core.settings.limits.slots)
            coverages = await stored.coverages(queries, channels, end - days * DAY, end)
    return ChannelStates(
        [
            _state(channel, extents.get(channel.key), coverage, Zone.named(zones[channel.meter]))
            for channel, coverage in zip(channels, coverages, strict=True)
        ]
    )


def _refuse_more(channels: Sequence[Channel], seconds: int, limit: int) -> None:
    """Refuse to count more slots than one answer may rest on; what is counted is paid for."""
    slots = sum(seconds // channel.interval for channel in channels)
    if slots > limit:
        message = f"the channels have more slots in these days than limits.slots ({limit})"
        raise Invalid.of("too_many_slots", message, "/query/days")
    spend(slots)
    hold_slots(slots)


def _state(
    channel: Channel, extent: Extent | None, coverage: Coverage | None, zone: Zone
) -> ChannelState:
    first, last = (None, None) if extent is None else (extent.first, extent.last)
    return ChannelState(
        meter=channel.meter,
        channel=channel.id,
        role=role_of(channel),
        unit=channel.canonical,
        kind=channel.kind,
        first=first and first.astimezone(zone.tzinfo),
        last=last and last.astimezone(zone.tzinfo),
        coverage=coverage,
    )


# What imports have corrected.


@attrs.frozen
class CorrectedSlots:
    """What some slots were at a time.

    Attributes:
        value: The sum, a decimal number in the channel's unit.
        qualities: How many had each quality.

    """

    value: str
    qualities: dict[str, int]


@attrs.frozen
class ReadingCorrection:
    """What one import has changed of readings that were stored.

    Attributes:
        import_id: The id of the import; null if it is gone.
        format: What it came as, such as `json` or `csv`; null if it is gone.
        caller: Who sent it, as the audit log has it; null where that is not known.
        caller_name: What they are called.
        recorded_at: When it was stored.
        start: When the first slot starts that it has changed, with the offset of the site.
        end: When the last one ends.
        slots: How many it has changed: another value, another quality, or both.
        before: What these were.
        after: What they are since then.

    """

    import_id: Id | None
    format: str | None
    caller: str | None
    caller_name: str | None
    recorded_at: datetime
    start: datetime
    end: datetime
    slots: int
    before: CorrectedSlots
    after: CorrectedSlots


@routes.get(
    "/v1/meters/{meter}/corrections", errors=(NotFound, AmbiguousChannel), from_replica=True
)
async def list_reading_corrections(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    channel: ChannelId | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[ReadingCorrection]:
    """List what imports have changed of readings in a window that were stored before.

    The newest import comes first. A slot that had no reading is none of it. A page looks at the
    changes of `limit` imports at most: it may have fewer items, or none, and a `next` all the same.
    """
    selection = await channel_window(
        tenant, meter, channel, (start, end), core.settings.limits.slots
    )
    if selection.channel.kind != "interval":
        message = f"the channel {selection.channel.id} has no slots of its own"
        raise Invalid.of("wrong_kind", message, "/query/channel")
    span = Span(selection.channel, selection.start, selection.end)
    found, after = await corrections.corrections(tenant, span, number_of(cursor), limit)
    items = tuple(_shown(each, selection.zone) for each in found)
    return Page(items, None if after is None else cursor_of(str(after)))


def _shown(correction: Correction, zone: Zone) -> ReadingCorrection:
    return ReadingCorrection(
        import_id=correction.import_id,
        format=correction.format,
        caller=correction.caller,
        caller_name=correction.caller_name,
        recorded_at=correction.recorded_at,
        start=zone.datetime(correction.start),
        end=zone.datetime(correction.end),
        slots=correction.slots,
        before=_slots(correction.before),
        after=_slots(correction.after),
    )


def _slots(state: SlotsState) -> CorrectedSlots:
    return CorrectedSlots(decimal_text(state.value), state.qualities)
