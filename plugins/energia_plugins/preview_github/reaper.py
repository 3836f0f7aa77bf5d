"""Drops the databases of previews that nobody misses, again and again."""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import attrs
import structlog

from energia import Core, EnergiaError
from energia.previews.cluster import Cluster
from energia.previews.databases import ReaperBusy
from energia.previews.removal import ReaperRun
from energia.settings import Preview as Rules

#: Seconds until a closed preview, whose sessions were still ending, is looked at again.
_SOON: Final = 15.0
#: For so many seconds at least a process tells what stands how.
_CURRENT: Final = 60.0

log = structlog.get_logger(__name__)


@attrs.define
class Counts:
    """What the reaper has seen and done.

    Attributes:
        standings: How many databases stand how; None before the first run.
        reaped: How many were dropped, by the reason.
        failures: How many could not be dropped.
        current_until: Until when what stands how is told, on the monotonic clock: another replica
            may have reaped since.

    """

    standings: Counter[str] | None = None
    reaped: Counter[str] = attrs.Factory(Counter)
    failures: int = 0
    current_until: float = 0.0

    @property
    def is_current(self) -> bool:
        """Whether it was this process that has reaped last, as far as it can know."""
        return time.monotonic() < self.current_until

    def add(self, run: ReaperRun, rules: Rules) -> None:
        """Count one run; a preview that is silent for `preview.ttl` has expired."""
        self.current_until = time.monotonic() + max(_CURRENT, 1.5 * rules.reap_period)
        gone = set()
        for fate in () if run.dry_run else run.fates:
            if fate.error is None:
                gone.add(fate.pr)
                self.reaped[fate.reason] += 1
            else:
                self.failures += 1
        left = (preview for preview in run.previews if preview.pr not in gone)
        self.standings = Counter(preview.standing(rules.ttl) for preview in left)


def is_active(core: Core) -> bool:
    """Return whether previews are ended here: in production, where it is said how."""
    return core.settings.profile == "production" and bool(core.settings.preview.admin_url)


class Reaper:
    """The task that reaps, at once."""

    name = "preview-reaper"

    def __init__(self, counts: Counts) -> None:
        """Count in *counts*."""
        self._counts = counts

    async def run(self, core: Core, _: Mapping[str, Any], /) -> None:
        """Reap, and again soon where sessions of a closed preview were still ending."""
        if not is_active(core):
            return
        rules = core.settings.preview
        await self._reap(Cluster.administered(core.settings), rules)
        standings = self._counts.standings or Counter()
        if standings["closed"] and not rules.reap_dry_run:
            pause = min(_SOON, rules.reap_period)
            due = core.clock.now() + timedelta(seconds=pause)
            await core.jobs.defer(Reaper.name, at=due, once=Reaper.name)

    async def _reap(self, cluster: Cluster, rules: Rules) -> None:
        try:
            run = await cluster.reap(dry_run=rules.reap_dry_run)
        except ReaperBusy:
            return  # another replica does it
        except EnergiaError as error:
            log.warning("preview_reaper", error=error.detail or error.title)
            return
        self._counts.add(run, rules)
        for fate in run.fates:
            write = log.error if fate.error else log.info
            outcome = fate.error or ("would be dropped" if run.dry_run else "dropped")
            write("preview_reaped", pr=fate.pr, reason=fate.reason, outcome=outcome)


class RegularReaper(Reaper):
    """The same, again and again: `preview.reap_period` is known once a service runs."""

    name = "preview-reaper-rounds"
    period = Rules().reap_period
