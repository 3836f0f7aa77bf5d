"""Lets imports of sources go that are old and have left nothing: `readings.imports_retention`.

A source that stores a reading each minute makes half a million imports a year. Those of which any
reading is stored, in force or in history, stay: who asks where it came from finds them; so do all
imports of files and bodies, by whose checksum a file is known again.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from energia.db import organizations
from energia.db.queries import load
from energia.db.tenant import Tenant
from energia.metering import registry

if TYPE_CHECKING:
    from energia.core import Core

#: How many imports are looked at together, and the channels of how many meters.
_IMPORTS: Final = 20_000
_METERS: Final = 100
SQL: Final = load(__package__)
log = structlog.get_logger(__name__)


class ImportRetention:
    """The task: once a day."""

    name = "import-retention"
    period = 86_400.0

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Delete what is too old, of one organization after another."""
        for key in await organizations.keys(core.pool):
            if deleted := await expire(core, core.pool.tenant(key)):
                log.info("imports_expired", imports=deleted, organization=key)


async def expire(core: "Core", tenant: Tenant) -> int:
    """Delete the imports of an organization that are too old; return how many it were."""
    row = {"retention": core.settings.readings.imports_retention, "after": 0, "limit": _IMPORTS}
    deleted = 0
    while old := await tenant.fetch(int, SQL["imports_old"], row):
        row["after"] = old[-1]
        unused = sorted(set(old) - await _used(tenant, old[0], old[-1]))
        deleted += await tenant.execute(SQL["imports_delete"], unused) if unused else 0
        if core.state.closing:
            break
    return deleted


async def _used(tenant: Tenant, first: int, last: int) -> set[int]:
    """Return the imports between two numbers that have brought something that is stored.

    A correction moves what an import brought into the history of its channel, all at once: so the
    tables of a channel are read together.
    """
    used, after = set[int](), ""
    while meters := await registry.meters(tenant, after, _METERS):
        after = meters[-1].id
        channels = await registry.channels_of(tenant, [meter.id for meter in meters])
        keys = [channel.key for several in channels.values() for channel in several]
        columns, numbers = {"channels": keys}, {"first": first, "last": last}
        found = await tenant.fetch_by_channel(int, SQL["imports_used"], columns, numbers)
        used.update(found)
    return used
