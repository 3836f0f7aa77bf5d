"""Lets readings go that are older than `readings.retention`: a task; bills are kept.

Every organization is done once a day, as itself: its meters by the hundred, a transaction each. The
cut is a midnight of UTC. That is where the days of all grids are cut too, as no grid begins its day
later than one slot after: whole blocks go, whatever the zones.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

import structlog

from energia import tracing
from energia.db import organizations
from energia.db.queries import load
from energia.db.tenant import Tenant
from energia.metering import registry
from energia.metering.deletion import (
    Asked,
    delete_slots,
    forget_problems,
    remember_retention,
    retained_since,
)
from energia.time import earlier, instant_of

if TYPE_CHECKING:
    from energia.core import Core

SQL: Final = load(__package__)
#: Of how many meters a transaction deletes, so that none holds anything for long.
_BATCH: Final = 100
log = structlog.get_logger(__name__)


class ReadingsRetention:
    """The task: once an hour, where `readings.retention` is set."""

    name = "readings-retention"
    period = 3600.0

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Delete what is too old."""
        with tracing.span("readings.expire"):
            await expire(core)


async def expire(core: "Core") -> int:
    """Delete the readings of all organizations that are too old; return how many it were."""
    retention = core.settings.readings.retention
    if retention is None:
        return 0
    first = earlier(core.clock.now().astimezone(UTC).date(), retention)
    deleted = 0
    for key in await organizations.keys(core.pool):
        tenant = core.pool.tenant(key, "system")
        before = await retained_since(tenant)
        if before is None or before.date() < first:
            deleted += await _expire(core, tenant, first, retention)
    return deleted


async def _expire(core: "Core", tenant: Tenant, first: date, retention: str) -> int:
    """Delete what an organization has before the day *first*, and remember that last of all.

    A service that ends meanwhile begins again: what is gone is not deleted twice.
    """
    before = instant_of(datetime.combine(first, time(), UTC))
    deleted, after = 0, ""
    await tenant.execute(SQL["retention_drafts"], {"first": first})
    await tenant.execute(SQL["retention_to_date"], {"first": first})
    await forget_problems(tenant, before)
    while meters := await registry.meters(tenant, after, _BATCH):
        if core.state.closing:
            return deleted
        after = meters[-1].id
        async with tenant.transaction() as queries:
            slots = await delete_slots(queries, [meter.id for meter in meters], before)
            deleted += slots.readings
    asked = Asked("system", f"readings.retention is {retention}")
    await remember_retention(tenant, before, asked, deleted)
    log.info("readings_expired", readings=deleted, before=first.isoformat())
    return deleted
