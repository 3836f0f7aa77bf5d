"""The usage and the prices that a request is about: stored ones of a meter, or its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs
import numpy as np

from energia.convert.faults import Found, refusal, step
from energia.costing.subject import InlineUsage, Subject, boundary
from energia.db.tenant import Queries
from energia.errors import AmbiguousChannel, Fault, Invalid, NotFound, TooLarge
from energia.metering import query, registry, usage
from energia.metering.durations import Window as Duration
from energia.metering.models import Channel
from energia.metering.series import MISSING, Series
from energia.metering.usage import Coverage, bounds
from energia.pricing.market.intake import inline
from energia.pricing.market.needs import series_of
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff
from energia.zones import Zone

_NONE: Final = Coverage(0, 0, 0, 0, 0)


def chosen(
    declared: Sequence[Channel], roles: Collection[str], named: Mapping[str, Sequence[str]]
) -> dict[str, list[Channel]]:
    """Return the channels of each role: those that are named, or the only one.

    Raises:
        AmbiguousChannel: The meter has several channels of a role, and none is named.
        Invalid: A named channel does not exist, or is of another role.

    """
    by_id = {one.id: one for one in declared}
    faults = [
        Fault("unknown_channel", f"the meter has no channel {id_!r} of {role}", _at(role, index))
        for role, ids in named.items()
        for index, id_ in enumerate(ids)
        if id_ not in by_id or role_of(by_id[id_]) != role or id_ in ids[:index]
    ]
    if faults:
        raise Invalid(faults[0].message, faults)
    found = {}
    for role in roles:
        candidates = [one for one in declared if role_of(one) == role]
        if role in named:
            found[role] = [by_id[id_] for id_ in named[role]]
        elif len(candidates) > 1:
            ids = ", ".join(one.id for one in candidates)
            message = f"the meter has several channels of {role} ({ids}): name them in channels"
            raise AmbiguousChannel(message, [Fault(AmbiguousChannel.code, message, "/channels")])
        elif candidates:
            found[role] = candidates
    return found


def role_of(channel: Channel) -> str:
    """Return the role of a channel: `import` for active energy, `gas_volume.import`."""
    if channel.quantity == "active_energy":
        return channel.direction
    return f"{channel.quantity}.{channel.direction}"


def summed(role: str, series: Sequence[Series]) -> Series:
    """Return the sum of channels; a slot is missing where one of them is."""
    first, *others = series
    values, quality = first.values, first.quality
    for other in others:
        if (other.start, other.interval) != (first.start, first.interval):
            message = f"the channels of {role} have different slots"
            raise Invalid(message, [Fault("different_grids", message, f"/channels/{role}")])
        missing = (values == MISSING) | (other.values == MISSING)
        values = np.where(missing, MISSING, values + np.where(missing, 0, other.values))
        lowest, highest = np.minimum(quality, other.quality), np.maximum(quality, other.quality)
        quality = np.where(missing, lowest, highest)
    return Series(first.start, first.interval, values, quality)


def coverage(series: Sequence[Series], start: int, end: int) -> Coverage:
    """Return what the readings in [start, end) are, all roles together."""
    found = [attrs.astuple(usage.coverage(one, start, end)) for one in series]
    return Coverage(*(sum(column) for column in zip(*found, strict=True))) if found else _NONE


def _at(role: str, index: int) -> str:
    return f"/channels/{role}/{index}"


# The usage that a request prices: stored readings of a meter, or its own.

#: How many bill periods one request has at most: ten years of days.
_GROUPS: Final = 4000


@attrs.frozen(eq=False)
class Window:
    """When is priced, and the channels of the meter, or the readings that came along.

    Attributes:
        zone: The zone of the site, or of the usage.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        bounds: Where bill periods begin, and the end of the last.
        declared: The channels of the meter.
        inline: The readings of the request.

    """

    zone: Zone
    start: int
    end: int
    bounds: tuple[int, ...] = ()
    declared: Sequence[Channel] = ()
    inline: Mapping[str, Series] | None = None

    @property
    def pointers(self) -> dict[str, str]:
        """Where in the request the readings of each role are, or the meter that has them."""
        if self.inline is None:
            return {role_of(channel): "/meter" for channel in self.declared}
        return {role: f"/usage/channels/{role}/values" for role in self.inline}


@attrs.frozen(eq=False)
class Priced:
    """The readings by role.

    Attributes:
        series: The readings of each role.
        coverage: What they are, in the window.
        revision_at: When the newest revision of stored readings was recorded.

    """

    series: Mapping[str, Series]
    coverage: Coverage
    revision_at: datetime | None = None


async def window(subject: Subject, queries: Queries, limit: int) -> Window:
    """Return the window of *subject*; inline usage asks no database.

    Raises:
        Invalid: There is no such meter, or the window is empty.
        TooLarge: The usage has more than *limit* slots.

    """
    if subject.usage is not None:
        found = _of_usage(subject.usage, subject, limit)
    else:
        found = await _of_meter(str(subject.meter), subject, queries)
    if found.end <= found.start:
        message = "the window is empty"
        raise Invalid(message, [Fault("empty_window", message, "/end")])
    return attrs.evolve(found, bounds=_bounds(found, subject.group))


def _bounds(at: Window, group: str | None) -> tuple[int, ...]:
    """Return where the bill periods begin, and the end of the last: a group is such a period."""
    if group is None:
        return (at.start, at.end)
    found = bounds(at.zone, Duration(group, None), at.start, at.end)
    if len(found) > _GROUPS + 1:
        message = f"there are more than {_GROUPS} groups"
        raise Invalid(message, [Fault("too_many_groups", message, "/group")])
    return tuple(found.tolist())


async def priced(
    subject: Subject, at: Window, roles: Collection[str], queries: Queries, limit: int
) -> Priced:
    """Return the readings of *roles*, as far as there are any.

    Raises:
        AmbiguousChannel: The meter has several channels of a role, and none is named.
        Invalid: A named channel does not exist, or is of another role.
        TooLarge: The window has more than *limit* slots.

    """
    if at.inline is not None:
        return Priced(
            at.inline, coverage([at.inline[r] for r in roles if r in at.inline], at.start, at.end)
        )
    picked = chosen(at.declared, roles, subject.channels or {})
    slots = sum((at.end - at.start) // one.interval for some in picked.values() for one in some)
    _check_slots(slots, limit)
    series, revisions = {}, []
    for role, channels in picked.items():
        spans = [query.Span(channel, at.start, at.end) for channel in channels]
        found = await query.read(queries, spans, subject.known_at)
        series[role] = summed(role, [one.series for one in found])
        revisions += [one.revision_at for one in found if one.revision_at is not None]
    revision_at = max(revisions, default=None)
    return Priced(series, coverage(list(series.values()), at.start, at.end), revision_at)


def _of_usage(given: InlineUsage, subject: Subject, limit: int) -> Window:
    _check_slots(given.slots, limit)
    try:
        series = given.series()
    except Invalid as error:
        faults = [attrs.evolve(one, pointer=f"/usage{one.pointer}") for one in error.faults]
        raise Invalid(error.detail, faults) from error
    start = min(one.start for one in series.values())
    end = max(one.end for one in series.values())
    if subject.start is not None:
        start = boundary(subject.start, given.zone)
    if subject.end is not None:
        end = boundary(subject.end, given.zone)
    return Window(given.zone, start, end, inline=series)


async def _of_meter(id_: str, subject: Subject, queries: Queries) -> Window:
    try:
        meter = await registry.meter(queries, id_)
    except NotFound as error:
        raise Invalid(error.detail, [Fault("unknown_meter", error.detail, "/meter")]) from error
    zone = Zone.named((await registry.site(queries, meter.site)).timezone)
    assert subject.start is not None
    assert subject.end is not None
    start, end = boundary(subject.start, zone), boundary(subject.end, zone)
    return Window(zone, start, end, declared=await registry.channels(queries, id_))


def _check_slots(slots: int, limit: int) -> None:
    if slots > limit:
        raise TooLarge(f"{slots} slots are more than limits.slots, {limit}")


# The tariffs of a request with its parameters in their places, and the roles that they charge.


def filled(tariffs: Sequence[Tariff], parameters: Mapping[str, object], at: Window) -> list[Tariff]:
    """Return *tariffs* for the window, with *parameters* in their places.

    Raises:
        Invalid: One is missing, does not fit, or is asked for by none of the tariffs.

    """
    found, faults = list[Tariff](), dict[Fault, None]()
    for name in parameters:
        if not any(name in tariff.parameters for tariff in tariffs):
            message = f"no charge asks for the parameter {name!r}"
            faults[Fault("unknown_parameter", message, f"/parameters{step(name)}")] = None
    for tariff in tariffs:
        try:
            found.append(tariff.within(at.start, at.end).filled(parameters))
        except Invalid as error:
            faults |= dict.fromkeys(error.faults)
    if faults:
        told = Found()
        for fault in faults:
            told.one(fault)
        raise refusal(told)
    return found


def needed(tariffs: Sequence[Tariff], at: Window) -> tuple[str, ...]:
    """Return the roles that the tariffs charge in the window."""
    spans = [span for tariff in tariffs for span in tariff.spans(at.start, at.end)]
    return roles([span.version for span in spans])


# The price series that a request needs: those that came with it, else stored ones.


async def prices_of(
    subject: Subject, tariffs: Sequence[Tariff], at: Window, queries: Queries | None
) -> Mapping[str, PriceSeries]:
    """Return the price series that *tariffs* need in the window, by name.

    Args:
        subject: The request.
        tariffs: Its tariffs; prices that came along are in the currency of the first one.
        at: When is priced.
        queries: The database; None if there is none to ask.

    Raises:
        Invalid: Prices that came along contradict each other, or no charge needs them.

    """
    spans = [span for tariff in tariffs for span in tariff.spans(at.start, at.end)]
    names = series_of([span.version for span in spans])
    _refuse_unneeded(subject, names)
    found = inline(subject.prices, tariffs[0].currency)
    stored = [name for name in names if name not in found]
    if stored and queries is not None:
        asked = [PriceSpan(name, at.start, at.end, subject.known_at) for name in stored]
        read = await PriceStore(queries).read(asked)
        found |= {one.name: one for one in read if one is not None}
    return found


def _refuse_unneeded(subject: Subject, names: Sequence[str]) -> None:
    faults = [
        Fault(
            "unknown_price_series",
            f"no charge needs the price series {name!r}",
            f"/prices{step(name)}",
        )
        for name in subject.prices
        if name not in names
    ]
    if faults:
        raise Invalid(faults[0].message, faults)
