"""One probe under watch: its checks, one at a time, and what the last of them found."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

import attrs
import structlog

from energia.health.probes import ComponentType, Criticality, Observed, Probe
from energia.settings import Health

#: A result is too old to be believed after so many periods.
_STALE_PERIODS: Final = 3
#: A password in a URL, which an error may quote.
_PASSWORD: Final = re.compile(r"(://[^\s:/@]*:)[^\s@]*@")
#: How much of an error is told.
_LONGEST: Final = 500
_CRITICAL: Final[Criticality] = "critical"

log = structlog.get_logger(__name__)


@attrs.frozen
class Result:
    """What one check found.

    Attributes:
        at: When it ended, on the monotonic clock.
        seconds: How long it took.
        observed: What was found; None for a failure.
        error: What went wrong; None for a success.

    """

    at: float
    seconds: float
    observed: Observed | None = None
    error: str | None = None


class Watched:
    """A probe and its last results.

    Attributes:
        last: The result of the last check; None before the first one has ended.
        begun: Set as soon as there is something to tell.

    """

    def __init__(self, probe: Probe, settings: Health, now: Callable[[], float]) -> None:
        """Watch *probe*, which may state its own times; *now* gives monotonic seconds."""
        self.probe = probe
        self.measurement: str = getattr(probe, "measurement", "responseTime")
        self.component_type: ComponentType = getattr(probe, "component_type", "component")
        self.last: Result | None = None
        self.begun = asyncio.Event()
        self._period: float = getattr(probe, "period", settings.period)
        self._timeout: float = getattr(probe, "timeout", settings.timeout)
        self._grace = settings.database_grace
        self._now = now
        self._passed_at: float | None = None

    @property
    def active(self) -> bool:
        """Whether there is something to check."""
        return bool(getattr(self.probe, "active", True))

    @property
    def stale(self) -> bool:
        """Whether the last result is too old to be believed, or there is none."""
        limit = _STALE_PERIODS * self._period + self._timeout
        return self.last is None or self._now() - self.last.at > limit

    @property
    def tolerated(self) -> bool:
        """Whether a failure is only a warning: after a success, for the time of grace."""
        if self.probe.criticality != _CRITICAL:
            return True
        return self._passed_at is not None and self._now() - self._passed_at <= self._grace

    async def watch(self) -> None:
        """Check in every period, for ever."""
        while True:
            if self.active:
                await self._check()
            self.begun.set()
            await asyncio.sleep(self._period)

    async def _check(self) -> None:
        started = self._now()
        observed, error = await self._outcome()
        ended = self._now()
        if error is None and observed is None:
            observed = Observed(round(1000 * (ended - started), 3), "ms")
        self._log(observed, error)
        self.last = Result(ended, ended - started, observed, error)
        if observed is not None:
            self._passed_at = ended

    async def _outcome(self) -> tuple[Observed | None, str | None]:
        """Check once, and return what was found, or what went wrong."""
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await self.probe.check(), None
        except Exception as error:
            late = f"no answer within {self._timeout:g} s"
            return None, late if limit.expired() else _told(error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return None, "the check was cancelled"  # by a library that the probe uses

    def _log(self, observed: Observed | None, error: str | None) -> None:
        """Log what has changed: the first result, and each one that is unlike the last."""
        passed = observed is not None
        if self.last is not None and passed == (self.last.observed is not None):
            return
        if passed:
            log.info("probe", probe=self.probe.name, passed=True)
        else:
            log.warning("probe", probe=self.probe.name, passed=False, error=error)


def _told(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}".removesuffix(": ").strip()
    return _PASSWORD.sub(r"\1***@", text)[:_LONGEST]
