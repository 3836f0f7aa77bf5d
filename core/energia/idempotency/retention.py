"""Lets idempotency keys go that are older than `idempotency.retention`, in the background."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from energia.errors import EnergiaError
from energia.idempotency.keys import SQL

if TYPE_CHECKING:
    from energia.core import Core

#: Seconds between two rounds.
_PERIOD: Final = 3600.0
#: How many keys one statement deletes, so that none holds anything for long.
BATCH: Final = 1000
log = structlog.get_logger(__name__)


@asynccontextmanager
async def expiring(core: "Core") -> AsyncIterator[None]:
    """Delete old keys while the service runs."""
    async with core.background.running({"idempotency-retention": partial(_work, core)}):
        yield


async def _work(core: "Core") -> None:
    while True:
        # Uneven, so that the replicas of a service do not all begin at once.
        await asyncio.sleep(_PERIOD * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            if deleted := await expire(core):
                log.info("idempotency_keys_expired", keys=deleted)
        except EnergiaError as error:
            log.warning("idempotency_keys_not_expired", code=error.code, detail=error.detail)


async def expire(core: "Core") -> int:
    """Delete the keys that are too old, of all organizations; return how many it was."""
    arguments = {"retention": core.settings.idempotency.retention, "most": BATCH}
    deleted = 0
    while not core.state.closing:
        batch = await core.pool.everywhere().execute(SQL["keys_expire"], arguments)
        deleted += batch
        if batch < BATCH:
            break
    return deleted
