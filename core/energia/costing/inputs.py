"""What tariffs take of readings and prices in a window, and reading it from the database.

A `Plan` says which tariffs are priced when, and which channels of a meter are summed for each role
that they charge. `read_inputs` reads the readings and prices of any number of plans, with one
statement for each kind; `read_pinned` reads them as an issued bill saw them. Requests, bills and
explanations all get what they price from here, and nowhere else.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Final

import attrs
import numpy as np

from energia.db.tenant import Queries
from energia.errors import AmbiguousChannel, Fault, Invalid, TooLarge, did_you_mean
from energia.metering import query, usage
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries
from energia.metering.series import MISSING, Series
from energia.metering.usage import Coverage
from energia.pricing.charges import DIRECTIONS
from energia.pricing.lines import Remembered
from energia.pricing.market.needs import series_of
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import ChannelSeries, Missing, Terms, Usage
from energia.units import QUANTITIES, quantity_of

_NO_COVERAGE: Final = Coverage(0, 0, 0, 0, 0)
_NO_PRICES: Final[Mapping[str, PriceSeries]] = MappingProxyType({})


@attrs.frozen(eq=False)
class Plan:
    """Tariffs to price in a window, and where their readings and prices come from.

    Attributes:
        tariffs: The tariffs, their parameters filled in; nearly always one.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        channels: The channels to read, each with the role that it is summed for.
        usage: The readings of each role, where they came with the request: nothing is read.
        prices: Price series that came with the request, by name: these are not read.

    """

    tariffs: tuple[Tariff, ...]
    start: int
    end: int
    channels: tuple[tuple[str, Channel], ...] = ()
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

    def of_meter(
        self, declared: Sequence[Channel], named: Mapping[str, Sequence[str]], limit: int | None
    ) -> "Plan":
        """Return the plan with the channels of a meter that it reads.

        Args:
            declared: All channels of the meter.
            named: The ids of those to sum for a role, where it has several.
            limit: How many slots may be read, all channels together; None for any number.

        Raises:
            AmbiguousChannel: The meter has several channels of a role, and none is named.
            Invalid: A named channel does not exist, or is of another role.
            TooLarge: There are more slots than *limit*.

        """
        by_role = channels_by_role(declared, roles(self.versions), named)
        channels = tuple(
            (role, channel) for role, of_role in by_role.items() for channel in of_role
        )
        plan = attrs.evolve(self, channels=channels)
        if limit is not None:
            refuse_large(plan.slots, limit)
        return plan

    @property
    def slots(self) -> int:
        """How many slots are read, all channels together."""
        return sum((self.end - self.start) // channel.interval for _, channel in self.channels)


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
        for (role, channel), reading in zip(self.plan.channels, self.readings, strict=True):
            by_role.setdefault(role, []).append(ChannelSeries(channel.id, reading.series))
        return {
            role: channels if len(channels) > 1 else channels[0].series
            for role, channels in by_role.items()
        }

    @property
    def coverage(self) -> Coverage:
        """What the readings in the window are, all charged roles together.

        Of channels that are summed, a slot is what the worst of them says of it.
        """
        plan = self.plan
        series = [
            readings if isinstance(readings, Series) else _worst(readings)
            for role in roles(plan.versions)
            if (readings := self.usage.get(role)) is not None
        ]
        columns = zip(
            *(attrs.astuple(usage.coverage(readings, plan.start, plan.end)) for readings in series),
            strict=True,
        )
        return Coverage(*map(sum, columns)) if series else _NO_COVERAGE

    @property
    def revision_at(self) -> datetime | None:
        """When the newest revision of stored readings was recorded."""
        revisions = (reading.revision_at for reading in self.readings)
        return max((revision for revision in revisions if revision is not None), default=None)

    def terms(
        self, state: Mapping[str, Remembered], missing: Missing, pointers: Mapping[str, str]
    ) -> Terms:
        """Return what the price rests on besides the tariff and the usage."""
        return Terms(state, missing, pointers, self.prices)


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
    spans = [Span(channel, plan.start, plan.end) for plan in plans for _, channel in plan.channels]
    readings = iter(await _readings(queries, spans, known_at))
    needs = [list(_price_spans(plan, known_at)) for plan in plans]
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
    spans = [Span(channel, plan.start, plan.end) for _, channel in plan.channels]
    readings = await query.read_as_billed(queries, spans, revisions)
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
    """Refuse more slots than a request or a bill may have; raises `TooLarge`."""
    if slots > limit:
        raise TooLarge(f"{slots} slots are more than limits.slots, {limit}")


def role_of(channel: Channel) -> str:
    """Return the role of a channel: `import` for active energy, `gas_volume.import`."""
    if channel.quantity == "active_energy":
        return channel.direction
    return f"{channel.quantity}.{channel.direction}"


def channels_by_role(
    declared: Sequence[Channel], roles: Collection[str], named: Mapping[str, Sequence[str]]
) -> dict[str, list[Channel]]:
    """Return the channels of each role: those that are named, or the only one.

    A channel that is named for one role is not taken for another one without a name.

    Raises:
        AmbiguousChannel: The meter has several channels of a role, and none is named.
        Invalid: A named channel does not exist, or is of another role; or no channel is named for
            a register with a name of its own.

    """
    by_id = {channel.id: channel for channel in declared}
    _refuse_unknown(by_id, named)
    _refuse_without_channel(declared, roles, named)
    taken = {id_ for ids in named.values() for id_ in ids}
    by_role = {}
    for role in roles:
        candidates = [
            channel for channel in declared if role_of(channel) == role and channel.id not in taken
        ]
        if role in named:
            by_role[role] = [by_id[id_] for id_ in named[role]]
        elif len(candidates) > 1:
            ids = ", ".join(channel.id for channel in candidates)
            message = f"the meter has several channels of {role} ({ids}): name them in channels"
            raise AmbiguousChannel.of(AmbiguousChannel.code, message, "/channels")
        elif candidates:
            by_role[role] = candidates
    return by_role


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
    declared: Sequence[Channel], roles: Collection[str], named: Mapping[str, Sequence[str]]
) -> None:
    """Refuse registers with a name of their own for which no channel is named."""
    there = ", ".join(f"{channel.id} ({role_of(channel)})" for channel in declared) or "none"
    faults = [
        Fault(
            "missing_channel",
            f"the tariff charges {role}: name its channels, of {there}{did_you_mean(role, named)}",
            "/channels",
        )
        for role in roles
        if _is_register(role) and role not in named
    ]
    if faults:
        raise Invalid.of_all(faults)


def _refuse_unknown(by_id: Mapping[str, Channel], named: Mapping[str, Sequence[str]]) -> None:
    """Refuse named channels that do not exist, are of another role, or are named twice."""
    faults = [
        Fault(
            "unknown_channel",
            f"the meter has no channel {id_!r} of {role}",
            f"/channels/{role}/{index}",
        )
        for role, ids in named.items()
        for index, id_ in enumerate(ids)
        if id_ not in by_id or not _fits(by_id[id_], role) or id_ in ids[:index]
    ]
    if faults:
        raise Invalid.of_all(faults)


def _worst(channels: Sequence[ChannelSeries]) -> Series:
    """Return channels of the same slots as one series of the worst quality of each slot.

    A slot is missing where one of them is; of the quantities nothing is said.
    """
    first, *others = [channel.series for channel in channels]
    values, quality = first.values, first.quality
    for other in others:
        missing = (values == MISSING) | (other.values == MISSING)
        values = np.where(missing, MISSING, values)
        lowest, highest = np.minimum(quality, other.quality), np.maximum(quality, other.quality)
        # Of two readings the worse quality counts; where one is missing, the code that says so.
        quality = np.where(missing, lowest, highest)
    return Series(first.start, first.interval, values, quality)
