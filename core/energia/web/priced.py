"""The usage that a request prices: stored readings of a meter, or its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs

from energia.billing.readings import chosen, coverage, role_of, summed
from energia.db.tenant import Queries
from energia.errors import Fault, Invalid, NotFound, TooLarge
from energia.metering import query, registry
from energia.metering.durations import Window as Duration
from energia.metering.models import Channel
from energia.metering.series import Series
from energia.metering.usage import Coverage, bounds
from energia.pricing.inline import InlineUsage, boundary
from energia.web.subject import Subject
from energia.zones import Zone

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
        found = [
            await query.revised(queries, one, at.start, at.end, subject.known_at)
            for one in channels
        ]
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
