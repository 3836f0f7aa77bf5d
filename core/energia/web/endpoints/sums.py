"""Usage and costs of several meters together: of those at a site, or of those that are named."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Literal

import attrs
import msgspec
from msgspec import Meta

from energia.billing.at_site import SiteCost, cost_at_site
from energia.billing.bills import Bills
from energia.convert import Converter
from energia.core import Core
from energia.costing.inputs import role_of
from energia.db.pool import Tenant
from energia.db.tenant import Queries
from energia.errors import (
    AmbiguousChannel,
    Conflict,
    Fault,
    IncompletePrices,
    IncompleteUsage,
    Invalid,
    NotFound,
    TooLarge,
)
from energia.metering import query, registry, usage
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.series import Series
from energia.metering.usage import Coverage, WindowUsage
from energia.pricing.charges import Role
from energia.pricing.slots import Assumption, boundary_inside, spread
from energia.pricing.usage import Missing
from energia.spending import hold_slots, spend
from energia.time import Instant, Int64, Zone, length_text
from energia.units import decimal_text
from energia.web.endpoints.usage import WINDOWS, Length, edges_of
from energia.web.resources import (
    BILLERS,
    READERS,
    ChannelId,
    End,
    KnownAt,
    SiteId,
    Start,
    window_of,
)
from energia.web.routes import Routes
from energia.work import checkpoint, off_loop

OfRole = Annotated[
    Role,
    Meta(description="What is added up: the channels of this role, one of each meter."),
]
OfChannel = Annotated[
    ChannelId,
    Meta(description="The id of the channel, for meters that have several channels of the role."),
]
ByMeter = Annotated[
    Literal["meter"], Meta(description="Show what each meter adds to each window, too.")
]
MeterIds = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:-]{1,64}(,[A-Za-z0-9._:-]{1,64})*$",
        extra={"words": "ids of meters with commas between them"},
        max_length=100_000,
        examples=["UC-123,UC-124"],
    ),
]
Meters = Annotated[
    list[MeterIds],
    Meta(
        min_length=1,
        max_length=1000,
        description="The meters: their ids with commas between them, or the parameter again.",
    ),
]
#: How many meters may be named.
_MOST = 1000

FirstDay = Annotated[
    date, Meta(description="The first day, by the site's zone.", examples=["2026-03-01"])
]
PastDay = Annotated[date, Meta(description="The day after the last one.", examples=["2026-04-01"])]
OfMissing = Annotated[
    Missing,
    Meta(description="Whether missing readings are refused, or filled in: see `POST /v1/costs`."),
]

routes = Routes(tag="Readings", reads=READERS)
cost_routes = Routes(tag="Costs", reads=BILLERS)


class MeterSum(msgspec.Struct):
    """What a meter adds to a window.

    Attributes:
        meter: The id of the meter.
        value: A decimal number.
        coverage: What it rests on.

    """

    meter: str
    value: str
    coverage: Coverage


class SumWindow(msgspec.Struct, omit_defaults=True):
    """The usage of one window, of all meters together.

    Attributes:
        start: With the offset of the site.
        end: With the offset of the site.
        value: The exact sum, a decimal number.
        coverage: What the sum rests on: the slots of all channels.
        meters: With `by=meter`: what each meter adds.

    """

    start: datetime
    end: datetime
    value: str
    coverage: Coverage
    meters: list[MeterSum] | None = None


@attrs.frozen
class SummedChannel:
    """A channel that is added up.

    Attributes:
        meter: The id of its meter.
        channel: Its own.

    """

    meter: str
    channel: str


@attrs.frozen
class Sum:
    """The usage of several meters together, window by window.

    Attributes:
        role: What is added up, such as `import`.
        unit: The canonical unit of the role: kWh, kvarh, kVAh or m3; null without any channel.
        timezone: The zone of the windows: the site's.
        channels: The channels that are added up.
        data: The windows.
        assumptions: What was assumed.

    """

    role: str
    unit: str | None
    timezone: str
    channels: list[SummedChannel]
    data: list[SumWindow]
    assumptions: list[Assumption]


@attrs.frozen
class _Question:
    """What is asked of some meters.

    Attributes:
        zone: Their zone.
        channels: The channels that are added up.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.

    """

    zone: Zone
    channels: Sequence[Channel]
    start: Instant
    end: Instant

    @property
    def slots(self) -> int:
        """How many slots are added up."""
        return sum((self.end - self.start) // channel.interval for channel in self.channels)


@routes.get(
    "/v1/sites/{site}/usage", errors=(NotFound, AmbiguousChannel, TooLarge), from_replica=True
)
async def get_site_usage(
    site: SiteId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    role: OfRole = "import",
    channel: OfChannel | None = None,
    window: Length = "P1D",
    known_at: KnownAt | None = None,
    by: ByMeter | None = None,
) -> Sum:
    """Return what all meters at a site used together, window by window.

    Meters without a channel of the role are not among `channels`: a site without any has sums of 0.
    Of a meter with several of them the `channel` must be named. The coverage of a sum is that of
    all its channels, each by its own slots.
    """
    async with tenant.snapshot() as queries:
        zone = Zone.named((await registry.site(queries, site)).timezone)
        ids = [id_ for id_, _ in await registry.zones_of(queries, site=site)]
        declared = await registry.channels_of(queries, ids)
        channels = _chosen(declared.values(), role, channel, "/query/channel")
        question = _Question(zone, channels, *window_of(zone, start, end))
        edges = await _edges(question, window, core.settings.limits.slots, by)
        readings = await _read(queries, question, known_at)
    return await off_loop(_sum, question, readings, edges, role, by)


@routes.get("/v1/usage", errors=(AmbiguousChannel, TooLarge), from_replica=True)
async def get_summed_usage(
    meters: Meters,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    role: OfRole = "import",
    channel: OfChannel | None = None,
    window: Length = "P1D",
    known_at: KnownAt | None = None,
    by: ByMeter | None = None,
) -> Sum:
    """Return what several meters used together, window by window.

    All of them must be there, in one time zone, and have a channel of the role.
    """
    named = list(dict.fromkeys(id_ for given in meters for id_ in given.split(",")))
    if len(named) > _MOST:
        raise Invalid.of("too_long", f"more than {_MOST} meters are named", "/query/meters")
    async with tenant.snapshot() as queries:
        zone = _one_zone(named, dict(await registry.zones_of(queries, meters=named)))
        declared = await registry.channels_of(queries, named)
        channels = _chosen(declared.values(), role, channel, "/query/channel")
        _refuse_without(named, channels, role, channel)
        question = _Question(zone, channels, *window_of(zone, start, end))
        edges = await _edges(question, window, core.settings.limits.slots, by)
        readings = await _read(queries, question, known_at)
    return await off_loop(_sum, question, readings, edges, role, by)


@cost_routes.get(
    "/v1/sites/{site}/costs", errors=(NotFound, Conflict, IncompleteUsage, IncompletePrices)
)
async def get_site_costs(
    site: SiteId,
    start: FirstDay,
    end: PastDay,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    missing: OfMissing = "refuse",
) -> SiteCost:
    """Return what the contracts at a site cost together in a window; nothing is stored.

    Each contract is priced for the days that it is in force, as a bill of these days would be.
    The sum is of all of them: where one cannot be priced, or they are in several currencies, there
    is none (422).
    """
    return await cost_at_site(Bills.of(core, tenant, converter), site, start, end, missing)


def _one_zone(named: Sequence[str], zones: dict[str, str]) -> Zone:
    """Return the zone of all meters; raises `Invalid` where some are not there, or differ in it."""
    unknown = [
        Fault("unknown_meter", f"there is no meter {id_!r}", "/query/meters")
        for id_ in named
        if id_ not in zones
    ]
    if unknown:
        raise Invalid.of_all(unknown)
    first = zones[named[0]]
    for id_ in named:
        if zones[id_] != first:
            message = f"the meter {named[0]!r} is in {first}, and {id_!r} in {zones[id_]}: "
            message += "their days are not the same; ask for them apart"
            raise Invalid.of("different_time_zones", message, "/query/meters")
    return Zone.named(first)


def _chosen(
    declared: Collection[Sequence[Channel]], role: str, wanted: str | None, pointer: str
) -> list[Channel]:
    """Return the channel of each meter that has one of the role; raises `AmbiguousChannel`."""
    chosen, faults = list[Channel](), list[Fault]()
    for channels in declared:
        found = [each for each in channels if role_of(each) == role]
        named = [each for each in found if len(found) == 1 or each.id == wanted]
        if found and not named:
            ids = ", ".join(each.id for each in found)
            message = f"the meter {found[0].meter!r} has several channels of {role}: {ids}"
            faults.append(Fault(AmbiguousChannel.code, message, pointer))
        chosen += named
    if faults:
        raise AmbiguousChannel.of_all(faults)
    return chosen


def _refuse_without(
    named: Sequence[str], channels: Sequence[Channel], role: str, wanted: str | None
) -> None:
    having = {channel.meter for channel in channels}
    of = role if wanted is None else f"{role} named {wanted!r}"
    faults = [
        Fault("unknown_channel", f"the meter {id_!r} has no channel of {of}", "/query/meters")
        for id_ in named
        if id_ not in having
    ]
    if faults:
        raise Invalid.of_all(faults)


async def _edges(question: _Question, window: str, limit: int, by: str | None) -> Int64:
    """Return where windows begin, and the end of the last; raises `Invalid` for too much."""
    if question.slots > limit:
        message = f"the meters have more slots in the window than limits.slots ({limit})"
        raise Invalid.of("too_many_slots", message, "/query/end")
    span = (question.start, question.end)
    longest = max((channel.interval for channel in question.channels), default=1)
    edges = await off_loop(edges_of, question.zone, span, window, longest)
    if by is not None and len(edges) * len(question.channels) > WINDOWS:
        message = f"there are more than {WINDOWS} windows of meters"
        raise Invalid.of("too_many_windows", message, "/query/window")
    return edges


async def _read(
    queries: Queries, question: _Question, known_at: datetime | None
) -> list[tuple[Channel, Series]]:
    spend(question.slots)
    hold_slots(question.slots)
    spans = [Span(channel, question.start, question.end) for channel in question.channels]
    stored = await query.read(queries, spans, known_at) if spans else []
    return [(span.channel, each.series) for span, each in zip(spans, stored, strict=True)]


def _sum(
    question: _Question,
    readings: Sequence[tuple[Channel, Series]],
    edges: Int64,
    role: str,
    by: str | None,
) -> Sum:
    moments = question.zone.datetimes(edges)
    by_channel = [usage.by_window(series, edges) for _, series in readings]
    data = []
    for index, (start, end) in enumerate(pairwise(moments)):
        checkpoint()
        parts = [windows[index] for windows in by_channel]
        data.append(
            SumWindow(
                start,
                end,
                decimal_text(sum(part.value for part in parts)),
                usage.together(part.coverage for part in parts),
                None if by is None else _by_meter(question.channels, parts),
            )
        )
    channels = question.channels
    return Sum(
        role=role,
        unit=channels[0].canonical if channels else None,
        timezone=question.zone.name,
        channels=[SummedChannel(channel.meter, channel.id) for channel in channels],
        data=data,
        assumptions=_assumptions(readings, edges),
    )


def _by_meter(channels: Sequence[Channel], parts: Sequence[WindowUsage]) -> list[MeterSum]:
    return [
        MeterSum(channel.meter, decimal_text(part.value), part.coverage)
        for channel, part in zip(channels, parts, strict=True)
    ]


def _assumptions(readings: Sequence[tuple[Channel, Series]], edges: Int64) -> list[Assumption]:
    assumptions = []
    if slots := sum(usage.split_slots(series, edges) for _, series in readings):
        rule = "is in the window that its start is in"
        assumptions.append(
            boundary_inside("a boundary between windows falls", slots, "slots", rule)
        )
    for channel, series in readings:
        if number := usage.split_stretches(series, edges):
            assumptions.append(spread(f"the channel {channel.id} of {channel.meter}", number))
    intervals = sorted({channel.interval for channel, _ in readings})
    if len(intervals) > 1:
        lengths = ", ".join(map(length_text, intervals))
        message = f"the coverage counts slots of different lengths: {lengths}"
        assumptions.append(Assumption("intervals_differ", message, len(intervals)))
    return assumptions
