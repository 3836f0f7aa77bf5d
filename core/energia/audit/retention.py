"""Lets entries of the audit log go that are older than `audit.retention`: a task."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from energia import tracing
from energia.audit.entries import SQL
from energia.db.queries import one_message

if TYPE_CHECKING:
    from energia.core import Core

#: The advisory lock of who deletes, for releases that do so beside the engine; any free number.
LOCK: Final = 0x617564697400
#: How many entries one statement deletes, so that none holds anything for long.
BATCH: Final = 1000
log = structlog.get_logger(__name__)


class AuditRetention:
    """The task: once an hour."""

    name = "audit-retention"
    period = 3600.0

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Delete what is too old."""
        with tracing.span("audit.expire"):
            deleted = await expire(core)
        if deleted:
            log.info("audit_expired", entries=deleted)


async def expire(core: "Core") -> int:
    """Delete what is older than `audit.retention`, of all organizations; return how many it was.

    The database's clock tells how old an entry is: it has dated them.
    """
    arguments = {"retention": core.settings.audit.retention, "lock": LOCK, "most": BATCH}
    message = one_message(SQL["audit_expiry"], SQL["audit_expire"])
    deleted = 0
    while not core.state.closing:
        batch = await core.pool.everywhere().execute(message, arguments)
        deleted += batch
        if batch < BATCH:
            break
    return deleted
