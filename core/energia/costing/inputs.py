"""What tariffs take of readings and prices in a window, and reading it from the database.

A `Plan` says which tariffs are priced when, and which channels of a meter are summed for each role
that they charge. `read_inputs` reads the readings and prices of any number of plans, with one
statement for each kind; `read_pinned` reads them as an issued bill saw them. Requests, bills and
explanations all get what they price from here, and nowhere else.
"""

import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

import attrs
import numpy as np

from energia import tracing
from energia.costing.subject import DatedChannel
from energia.db.tenant import Queries
from energia.errors import AmbiguousChannel, Fault, Invalid, TooLarge, did_you_mean
from energia.metering import query, usage
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries, refuse_deleted
from energia.metering.series import ACTUAL, MISSING, QUALITIES, Quality, Series
from energia.metering.usage import Coverage
from energia.pricing.allowance import Allowance
from energia.pricing.charges import DIRECTIONS
from energia.pricing.lines import Remembered
from energia.pricing.market.needs import series_of
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import ChannelSeries, Missing, Terms, Usage
from energia.settings import Limits
from energia.spending import spend
from energia.time import Instant, Zone
from energia.units import QUANTITIES, quantity_of

_NO_COVERAGE: Final = Coverage(0, 0, 0, 0, 0)
_NO_PRICES: Final[Mapping[str, PriceSeries]] = MappingProxyType({})
_DERIVED: Final = QUALITIES.index("derived")


#: The channels that are named for a role, by role: by their ids, or with dates.
Named: TypeAlias = Mapping[str, Sequence[str | DatedChannel]]


@attrs.frozen
class RoleChannel:
    """A channel that is summed for a role.

    Attributes:
        role: The role.
        channel: The channel.
        start: The first day on which it counts; None if it always did.
        end: The day after the last one; None if it goes on.

    """

    role: str
    channel: Channel
    start: date | None = None
    end: date | None = None

    @property
    def is_dated(self) -> bool:
        """Whether it counts on some days only."""
        return self.start is not None or self.end is not None

    def within(self, start: Instant, end: Instant, zone: Zone) -> tuple[Instant, Instant]:
        """Return the part of a window (seconds, UTC) in which it counts; empty if end <= start."""
        first = start if self.start is None else max(start, zone.midnight(self.start))
        past = end if self.end is None else min(end, zone.midnight(self.end))
        return first, past


@attrs.frozen(eq=False)
class Plan:
    """Tariffs to price in a window, and where their readings and prices come from.

    Attributes:
        tariffs: The tariffs, their parameters filled in; nearly always one.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        channels: The channels to read, each for a role and for the days on which it counts.
        usage: The readings of each role, where they came with the request: nothing is read.
        prices: Price series that came with the request, by name: these are not read.

    """

    tariffs: tuple[Tariff, ...]
    start: int
    end: int
    channels: tuple[RoleChannel, ...] = ()
    usage: Mapping[str, Series] | None = None
    prices: Mapping[str, PriceSeries] = _NO_PRICES

    @property
    def tariff(self) -> Tariff:
        """The tariff, or the first one of several."""
        return self.tariffs[0]

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """The versions that are in force in part of the window, tariff by tariff, in order."""
        spans = (span for tariff in self.tariffs for span in tariff.spans(self.start, self.end))
        return tuple(span.version for span in spans)

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the price series that the versions need."""
        return series_of(self.versions)

    def of_meter(self, declared: Sequence[Channel], named: Named, limit: int | None) -> "Plan":
        """Return the plan with the channels of a meter that it reads.

        Args:
            declared: All channels of the meter.
            named: Those to sum for a role, where it has several. One whose days are outside of
                the window is not read.
            limit: How many slots may be read, all channels together; None for any number.

        Raises:
            AmbiguousChannel: The meter has several channels of a role, and none is named.
            Invalid: A named channel does not exist, or is of another role.
            TooLarge: There are more slots than *limit*.
            ReadingsDeleted: Readings in the window were deleted; no price is made up for them.

        """
        by_role = channels_by_role(declared, roles(self.versions), named)
        channels = [channel for of_role in by_role.values() for channel in of_role]
        counted = [channel for channel in channels if operator.lt(*self.part_of(channel))]
        window = (self.start, self.end)
        plan = Plan(self.tariffs, *window, tuple(counted), self.usage, self.prices)
        refuse_deleted(plan.reading_spans)
        if limit is not None:
            refuse_large(plan.slots, limit)
        return plan

    @cached_property
    def slots(self) -> int:
        """How many slots are read, all channels together."""
        return sum((span.end - span.start) // span.channel.interval for span in self.reading_spans)

    def part_of(self, channel: RoleChannel) -> tuple[Instant, Instant]:
        """Return the part of the window in which a channel counts, by days of the bill's zone."""
        return channel.within(self.start, self.end, self.tariff.zone)

    @cached_property
    def reading_spans(self) -> tuple[Span, ...]:
        """What is read of each of its channels, in their order."""
        return tuple(Span(each.channel, *self.part_of(each)) for each in self.channels)


@attrs.frozen(eq=False)
class Inputs:
    """The readings and prices of a plan.

    Attributes:
        plan: The plan.
        readings: What was read of each of its channels, in their order.
        prices: The price series, by name: those that came with the request, and those read.

    """

    plan: Plan
    readings: tuple[StoredSeries, ...]
    prices: Mapping[str, PriceSeries]

    @cached_property
    def usage(self) -> Usage:
        """The readings of each role: of its channel, or of each of those that are summed."""
        if self.plan.usage is not None:
            return self.plan.usage
        by_role: dict[str, list[ChannelSeries]] = {}
        for each, reading in zip(self.plan.channels, self.readings, strict=True):
            days = self.plan.part_of(each) if each.is_dated else (None, None)
            part = ChannelSeries(each.channel.id, reading.series, *days)
            by_role.setdefault(each.role, []).append(part)
        dated = {each.role for each in self.plan.channels if each.is_dated}
        return {
            role: channels if len(channels) > 1 or role in dated else channels[0].series
            for role, channels in by_role.items()
        }

    @property
    def coverage(self) -> Coverage:
        """What the readings in the window are, all charged roles together.

        Of channels that are summed, a slot is what the worst of them says of it.
        """
        plan = self.plan
        coverages = [
            usage.coverage(series, start, end)
            for role in roles(plan.versions)
            if (readings := self.usage.get(role)) is not None
            for series, start, end in _stretches(readings, plan.start, plan.end)
        ]
        if len(coverages) == 1:
            return coverages[0]
        return usage.together(coverages) if coverages else _NO_COVERAGE

    @property
    def revision_at(self) -> datetime | None:
        """When the newest revision of stored readings was recorded."""
        revisions = (reading.revision_at for reading in self.readings)
        return max((revision for revision in revisions if revision is not None), default=None)

    def terms(
        self,
        state: Mapping[str, Remembered],
        missing: Missing,
        pointers: Mapping[str, str],
        limits: Limits | None = None,
    ) -> Terms:
        """Return what the price rests on besides the tariff and the usage, within *limits*."""
        terms = Terms(state, missing, pointers, self.prices)
        if limits is None:
            return terms
        allowance = Allowance(limits.lines, limits.pricing)
        return attrs.evolve(terms, allowance=allowance, estimate_share=limits.estimate_share)


async def read_inputs(
    queries: Queries | None, plans: Sequence[Plan], known_at: datetime | None = None
) -> list[Inputs]:
    """Return the inputs of each of *plans*.

    Args:
        queries: The database, or None without one: then no readings may be needed, and stored
            prices are missing.
        plans: The plans.
        known_at: The instant whose knowledge is asked for; None for what is known now.

    """
    spans = [span for plan in plans for span in plan.reading_spans]
    needs = [list(_price_spans(plan, known_at)) for plan in plans]
    with tracing.span("pricing.inputs", {"energia.plans": len(plans)}):
        readings = iter(await _readings(queries, spans, known_at))
        prices = await _prices(queries, [span for need in needs for span in need])
    return [
        Inputs(
            plan,
            tuple(next(readings) for _ in plan.channels),
            {
                **plan.prices,
                **{
                    span.series: series for span in need if (series := prices.get(span)) is not None
                },
            },
        )
        for plan, need in zip(plans, needs, strict=True)
    ]


async def read_pinned(
    queries: Queries,
    plan: Plan,
    revisions: Sequence[datetime | None],
    price_spans: Sequence[PriceSpan],
) -> Inputs:
    """Return the inputs of *plan* as an issued bill saw them.

    Args:
        queries: The database.
        plan: The plan.
        revisions: For each of its channels, the newest revision that the bill read.
        price_spans: The price series that the bill read, each as it was known then.

    """
    readings = await query.read_as_billed(queries, plan.reading_spans, revisions)
    prices = await _prices(queries, price_spans)
    by_name = {span.series: series for span, series in prices.items() if series is not None}
    return Inputs(plan, tuple(readings), by_name)


async def _readings(
    queries: Queries | None, spans: Sequence[Span], known_at: datetime | None
) -> list[StoredSeries]:
    if not spans:
        return []
    assert queries is not None  # only a stored meter has channels
    return await query.read(queries, spans, known_at)


def _price_spans(plan: Plan, known_at: datetime | None) -> Iterator[PriceSpan]:
    for name in plan.series:
        if name not in plan.prices:
            yield PriceSpan(name, plan.start, plan.end, known_at)


async def _prices(
    queries: Queries | None, spans: Sequence[PriceSpan]
) -> dict[PriceSpan, PriceSeries | None]:
    """Read prices: each part of a series once, all of them in one statement."""
    once = list(dict.fromkeys(spans))
    if not once or queries is None:
        return {}
    return dict(zip(once, await PriceStore(queries).read(once), strict=True))


def refuse_large(slots: int, limit: int) -> None:
    """Refuse more slots than a request or a bill may have; raises `TooLarge`.

    Those that it may have are what it costs (`energia.spending`).
    """
    if slots > limit:
        raise TooLarge(f"{slots} slots are more than limits.slots, {limit}")
    spend(slots)


def role_of(channel: Channel) -> str:
    """Return the role of a channel: `import` for active energy, `gas_volume.import`."""
    if channel.quantity == "active_energy":
        return channel.direction
    return f"{channel.quantity}.{channel.direction}"


def channels_by_role(
    declared: Sequence[Channel], roles: Collection[str], named: Named
) -> dict[str, list[RoleChannel]]:
    """Return the channels of each role: those that are named, or the only one.

    A channel that is named for one role is not taken for another one without a name.

    Raises:
        AmbiguousChannel: The meter has several channels of a role, and none is named.
        Invalid: A named channel does not exist, or is of another role; or no channel is named for
            a register with a name of its own.

    """
    by_id = {channel.id: channel for channel in declared}
    dated = {role: [_dated(entry) for entry in entries] for role, entries in named.items()}
    _refuse_unknown(by_id, dated)
    _refuse_without_channel(declared, roles, named)
    taken = {entry.channel for entries in dated.values() for entry in entries}
    by_role = dict[str, list[RoleChannel]]()
    for role in roles:
        candidates = [
            channel for channel in declared if role_of(channel) == role and channel.id not in taken
        ]
        if role in named:
            by_role[role] = [
                RoleChannel(role, by_id[entry.channel], entry.start, entry.end)
                for entry in dated[role]
            ]
        elif len(candidates) > 1:
            ids = ", ".join(channel.id for channel in candidates)
            message = f"the meter has several channels of {role} ({ids}): name them in channels"
            raise AmbiguousChannel.of(AmbiguousChannel.code, message, "/channels")
        elif candidates:
            by_role[role] = [RoleChannel(role, channel) for channel in candidates]
    return by_role


def _dated(entry: str | DatedChannel) -> DatedChannel:
    return DatedChannel(channel=entry) if isinstance(entry, str) else entry


def _is_register(role: str) -> bool:
    """Tell whether a role has a name of its own: no channel is of it without being named."""
    quantity, _, direction = role.rpartition(".")
    return direction not in DIRECTIONS or quantity not in ("", *QUANTITIES)


def _fits(channel: Channel, role: str) -> bool:
    """Tell whether a channel measures what a role charges."""
    if not _is_register(role):
        return role_of(channel) == role
    if quantity_of(role) != channel.quantity:
        return False
    directions = [part for part in role.split(".")[:2] if part in DIRECTIONS]
    return not directions or directions == [channel.direction]


def _refuse_without_channel(
    declared: Sequence[Channel], roles: Collection[str], named: Named
) -> None:
    """Refuse registers with a name of their own for which no channel is named."""
    missing = [role for role in roles if role not in named and _is_register(role)]
    if not missing:
        return
    there = ", ".join(f"{channel.id} ({role_of(channel)})" for channel in declared) or "none"
    faults = [
        Fault(
            "missing_channel",
            f"the tariff charges {role}: name its channels, of {there}{did_you_mean(role, named)}",
            "/channels",
        )
        for role in missing
    ]
    raise Invalid.of_all(faults)


def _refuse_unknown(
    by_id: Mapping[str, Channel], named: Mapping[str, Sequence[DatedChannel]]
) -> None:
    """Refuse named channels that do not exist, are of another role, or are named twice."""
    faults = [
        Fault(
            "unknown_channel",
            f"the meter has no channel {id_!r} of {role}",
            f"/channels/{role}/{index}",
        )
        for role, entries in named.items()
        for ids in ([entry.channel for entry in entries],)
        for index, id_ in enumerate(ids)
        if id_ not in by_id or not _fits(by_id[id_], role) or id_ in ids[:index]
    ]
    if faults:
        raise Invalid.of_all(faults)


def _stretches(
    readings: Series | Sequence[ChannelSeries], start: Instant, end: Instant
) -> Iterator[tuple[Series, Instant, Instant]]:
    """Yield the parts of a window in which the same channels count, each as one series."""
    if isinstance(readings, Series):
        yield readings, start, end
        return
    parts = [channel.within((start, end)) for channel in readings]
    edges = sorted({start, end, *(edge for part in parts for edge in part)})
    for first, past in pairwise(edges):
        there = [
            channel.series
            for channel, (begins, ends) in zip(readings, parts, strict=True)
            if begins <= first and past <= ends
        ]
        if there:
            yield _worst([_between(series, first, past) for series in there]), first, past


def _between(series: Series, start: Instant, end: Instant) -> Series:
    """Return the slots of *series* that start in [start, end), as far as it reaches."""
    first, past = (min(max(series.index_at(edge), 0), len(series.values)) for edge in (start, end))
    begin = series.start + first * series.interval
    return Series(begin, series.interval, series.values[first:past], series.quality[first:past])


def _worst(channels: Sequence[Series]) -> Series:
    """Return channels of the same slots as one series of the worst quality of each slot.

    A slot is missing where one of them is; of the quantities nothing is said.
    """
    first, *others = channels
    values, quality = first.values, _ranked(first.quality)
    for other in others:
        missing = (values == MISSING) | (other.values == MISSING)
        values = np.where(missing, MISSING, values)
        ranked = _ranked(other.quality)
        lowest, highest = np.minimum(quality, ranked), np.maximum(quality, ranked)
        # Of two readings the worse quality counts; where one is missing, the code that says so.
        quality = np.where(missing, lowest, highest)
    return Series(first.start, first.interval, values, quality)


def _ranked(quality: Quality) -> Quality:
    """Return codes that grow as readings become less certain: what is derived was measured."""
    return np.where(quality == _DERIVED, ACTUAL, quality)
