"""The archive: days beyond an age go there, by `energia archive`, and once a day by a task.

Whole months of the calendar go, channel after channel, a transaction each: who is killed meanwhile
has moved what is moved, and goes on from there the next time. What the archive is made of, and how
it is read, is in `packs.py`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
import structlog

from energia import tracing
from energia.db import organizations
from energia.db.tenant import Tenant, persistent
from energia.metering import packs, registry
from energia.metering.blocks import BlockKeys
from energia.time import day_number, earlier

if TYPE_CHECKING:
    from energia.core import Core

#: The channels of so many meters are looked at together.
_METERS: Final = 100
_TWO_MONTHS: Final = timedelta(62)
log = structlog.get_logger(__name__)


@attrs.frozen
class Window:
    """Which days may go to the archive: days since 1970-01-01.

    Attributes:
        since: The first of them.
        before: The day after the last one.

    """

    since: int
    before: int

    @classmethod
    def of(cls, today: date, age: str, retention: str | None) -> "Window":
        """Return the days of whole months beyond an *age*.

        Days that `readings.retention` is about to delete stay as they are: a month that is cut day
        by day would come back from the archive each time.
        """
        before = earlier(today, age).replace(day=1)
        since = date.min
        if retention is not None:
            # From the first of a month, 62 days always reach into the second one after it.
            since = (earlier(today, retention).replace(day=1) + _TWO_MONTHS).replace(day=1)
        return cls(day_number(since), day_number(before))


class ReadingsArchive:
    """The task: once a day, where `readings.archive` is set."""

    name = "readings-archive"
    period = 86_400.0

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Move what is old enough, of one organization after another."""
        readings = core.settings.readings
        if readings.archive is None:
            return
        today = core.clock.now().astimezone(UTC).date()
        window = Window.of(today, readings.archive, readings.retention)
        with tracing.span("readings.archive"):
            for key in await organizations.keys(core.pool):
                tenant = core.pool.tenant(key, "system")
                moved = await archive(tenant, window, stop=lambda: core.state.closing)
                if moved:
                    log.info("readings_archived", days=moved, organization=key)


def _heard(_: int) -> None:
    """Hear of days that were moved, and do nothing."""


async def archive(
    tenant: Tenant,
    window: Window,
    meter: str | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[int], None] = _heard,
) -> int:
    """Move days of a *window* to the archive, and return how many were moved.

    Args:
        tenant: The organization.
        window: Which days.
        meter: The only meter of which; None for all of them.
        stop: Tells whether to end before all is moved.
        tell: Hears how many days were moved, of each transaction.

    """
    moved = 0
    await packs.extend(tenant, window.before)
    async for channels in _channels(tenant, meter):
        for due in await packs.due(tenant, channels, window.since, window.before):
            since: int | None = window.since
            while since is not None:
                if stop():
                    return moved
                days, since = await _pack(tenant, due.channel, since, window.before)
                moved += days
                tell(days)
    return moved


async def _pack(tenant: Tenant, channel: int, since: int, before: int) -> tuple[int, int | None]:
    async def work() -> tuple[int, int | None]:
        async with tenant.transaction() as queries:
            return await packs.pack(queries, channel, since, before)

    return await persistent(work)


async def count(tenant: Tenant, window: Window, meter: str | None = None) -> int:
    """Return how many days of a *window* would go to the archive; nothing is moved."""
    days = 0
    async for channels in _channels(tenant, meter):
        some = await packs.due(tenant, channels, window.since, window.before)
        days += await packs.days_of(tenant, some) if some else 0
    return days


async def restore(
    tenant: Tenant, meter: str | None = None, *, tell: Callable[[int], None] = _heard
) -> int:
    """Bring everything back from the archive, or what is of one *meter*; return how many days.

    Each month is a transaction; *tell* hears of it.
    """
    days = 0
    async for channels in _channels(tenant, meter):
        for keys in await packs.months(tenant, channels):
            restored = await persistent(partial(_restore, tenant, keys))
            days += restored
            tell(restored)
    return days


async def _restore(tenant: Tenant, keys: BlockKeys) -> int:
    async with tenant.transaction() as queries:
        await packs.hold(queries, keys.channels.tolist())
        return await packs.restore(queries, keys)


async def _channels(tenant: Tenant, meter: str | None) -> AsyncIterator[list[int]]:
    """Yield the channels of one meter, or of all of them, some meters at a time."""
    if meter is not None:
        yield await _keys(tenant, [(await registry.meter(tenant, meter)).id])
        return
    after = ""
    while some := await registry.meters(tenant, after, _METERS):
        after = some[-1].id
        yield await _keys(tenant, [each.id for each in some])


async def _keys(tenant: Tenant, meters: Sequence[str]) -> list[int]:
    declared = await registry.channels_of(tenant, meters)
    return [channel.key for several in declared.values() for channel in several]
