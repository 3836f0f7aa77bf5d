"""Drops the databases of previews that nobody misses, again and again."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Final

import attrs
import structlog

from energia import EnergiaError
from energia.previews.cluster import Cluster
from energia.previews.databases import ReaperBusy
from energia.previews.removal import ReaperRun
from energia.settings import Preview as Rules

#: Seconds until a closed preview, whose sessions were still ending, is looked at again.
_SOON: Final = 15.0

log = structlog.get_logger(__name__)


@attrs.define
class Counts:
    """What the reaper has seen and done.

    Attributes:
        standings: How many databases stand how; None before the first run.
        reaped: How many were dropped, by the reason.
        failures: How many could not be dropped.

    """

    standings: Counter[str] | None = None
    reaped: Counter[str] = attrs.Factory(Counter)
    failures: int = 0

    def add(self, run: ReaperRun, ttl: float) -> None:
        """Count one run; a preview that is silent for *ttl* seconds has expired."""
        gone = set()
        for fate in () if run.dry_run else run.fates:
            if fate.error is None:
                gone.add(fate.pr)
                self.reaped[fate.reason] += 1
            else:
                self.failures += 1
        left = (preview for preview in run.previews if preview.pr not in gone)
        self.standings = Counter(preview.standing(ttl) for preview in left)


class Reaper:
    """Runs at once, whenever it is woken, and after every period."""

    def __init__(self, counts: Counts) -> None:
        """Count in *counts*."""
        self._counts = counts
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Begin a run."""
        self._wake.set()

    async def run(self, cluster: Cluster, rules: Rules) -> None:
        """Reap until it is cancelled."""
        while True:
            self._wake.clear()
            await self._reap(cluster, rules)
            standings = self._counts.standings or Counter()
            soon = standings["closed"] and not rules.reap_dry_run
            with suppress(TimeoutError):
                pause = min(_SOON, rules.reap_period) if soon else rules.reap_period
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _reap(self, cluster: Cluster, rules: Rules) -> None:
        try:
            run = await cluster.reap(dry_run=rules.reap_dry_run)
        except ReaperBusy:
            return  # another replica does it
        except EnergiaError as error:
            log.warning("preview_reaper", error=error.detail or error.title)
            return
        self._counts.add(run, rules.ttl)
        for fate in run.fates:
            write = log.error if fate.error else log.info
            outcome = fate.error or ("would be dropped" if run.dry_run else "dropped")
            write("preview_reaped", pr=fate.pr, reason=fate.reason, outcome=outcome)
