"""Lets entries of the audit log go that are older than `audit.retention`, in the background."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from energia import tracing
from energia.audit.entries import SQL
from energia.db.queries import one_message
from energia.errors import EnergiaError

if TYPE_CHECKING:
    from energia.core import Core

#: The advisory lock of the replica that deletes; any number that nobody else uses.
LOCK: Final = 0x617564697400
#: Seconds between two rounds.
_PERIOD: Final = 3600.0
#: How many entries one statement deletes, so that none holds anything for long.
BATCH: Final = 1000
log = structlog.get_logger(__name__)


@asynccontextmanager
async def expiring(core: "Core") -> AsyncIterator[None]:
    """Delete old entries while the service runs."""
    async with core.background.running({"audit-retention": partial(_work, core)}):
        yield


async def _work(core: "Core") -> None:
    while True:
        # Uneven, so that the replicas of a service do not all begin at once.
        await asyncio.sleep(_PERIOD * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            with tracing.span("audit.expire"):
                deleted = await expire(core)
            if deleted:
                log.info("audit_expired", entries=deleted)
        except EnergiaError as error:
            log.warning("audit_not_expired", code=error.code, detail=error.detail)


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
