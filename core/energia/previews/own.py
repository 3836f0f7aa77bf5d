"""The database of the preview that this process is: made at the start, and never again."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from energia.core import Core, Seed
from energia.errors import ConfigurationError, EnergiaError, did_you_mean
from energia.plugins import Plugins
from energia.previews.cluster import Cluster, Creation, PreviewPlan
from energia.settings import Settings

#: Where a platform tells which commit this is.
COMMIT: Final = "SOURCE_COMMIT"
_NO_SEED: Final = "none"

log = structlog.get_logger(__name__)


def seed_of(settings: Settings, plugins: Plugins) -> Seed | None:
    """Return what the database of a preview is filled with, as `preview.seed` says.

    Raises:
        ConfigurationError: No plugin offers it.

    """
    name = settings.preview.seed
    if settings.profile != "preview" or name == _NO_SEED:
        return None
    seeds = plugins.seeds()
    if name not in seeds:
        hint = did_you_mean(name, [_NO_SEED, *seeds])
        raise ConfigurationError(f"preview.seed: no plugin offers {name!r}{hint}")
    return seeds[name]


class OwnDatabase:
    """The database of a service's preview; for any other service there is nothing to do."""

    def __init__(self, core: Core) -> None:
        """Prepare; nothing is connected yet.

        Raises:
            ConfigurationError: No plugin offers the seed.

        """
        self._core = core
        self._seed = seed_of(core.settings, core.plugins)
        self._cluster = _cluster(core.settings)
        self._creation: Creation | None = None

    async def ensure(self) -> bool:
        """Make the database if there is none; return whether it was made.

        It is done once: a database that is dropped later stays away.

        Raises:
            ConfigurationError, NotOurs: It can never be made; the message says why.
            DatabaseAway: It cannot be made now.

        """
        if self._cluster is None or self._creation is not None:
            return False
        self._creation = await self._cluster.make(plan_of(self._core.settings))
        return self._creation.created

    async def sow(self) -> bool:
        """Fill the database, unless an earlier start did; return whether it was filled."""
        if self._seed is None or (self._creation and self._creation.marker.seed == self._seed.name):
            return False
        await self._seed.sow(self._core)
        if self._cluster and self._creation:
            await self._cluster.note_seed(self._creation.marker.pr, self._seed.name)
        return True

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[None]:
        """Say again and again that the preview runs; the end says nothing, and drops nothing."""
        if self._cluster is None or self._creation is None:
            yield
            return
        task = asyncio.create_task(self._renew(self._cluster, self._creation.marker.pr))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _renew(self, cluster: Cluster, pr: int) -> None:
        there = True
        while True:
            await asyncio.sleep(self._core.settings.preview.lease)
            try:
                was, there = there, await cluster.renew(pr)
            except EnergiaError as error:
                log.warning("preview_lease", pr=pr, error=error.detail or error.title)
            else:
                if was and not there:
                    log.error("preview_dropped", pr=pr, hint="a new start makes it again")


def plan_of(settings: Settings, pr: int | None = None) -> PreviewPlan:
    """Return the database that a pull request is to have; by default that of *settings*.

    Raises:
        ConfigurationError: They have none of their own.

    """
    pr = settings.pull_request if pr is None else pr
    if pr is None:
        raise ConfigurationError("this is no preview: name the pull request")
    preview = settings.preview
    return PreviewPlan(pr, preview.template, preview.connections, os.environ.get(COMMIT, ""))


def _cluster(settings: Settings) -> Cluster | None:
    """Return the server that a preview's own database is on; None where there is none."""
    url = settings.database.url
    if settings.profile != "preview" or url.startswith("embedded:"):
        return None
    return Cluster(url, settings.preview)
