"""A running service, and what plugins offer that is handed one: probes of health, and seeds."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import attrs

from energia.background import Background

if TYPE_CHECKING:
    from energia.db.pool import Pool
    from energia.db.replica import Replica
    from energia.health.probes import Criticality, Observed
    from energia.health.state import State
    from energia.jobs.queue import Jobs
    from energia.metering.sources import SourceStatus
    from energia.outgoing.client import Outgoing
    from energia.plugins import Plugins
    from energia.settings import Settings
    from energia.time import Clock


@attrs.frozen(eq=False)
class Core:
    """One running service.

    Attributes:
        settings: The effective configuration.
        clock: Tells the time.
        pool: Connections to PostgreSQL.
        state: Whether the service starts, serves or drains.
        plugins: The loaded plugins, one typed method per hook.
        background: What goes on while it serves, and is begun again when it fails.
        sources: How its sources are doing, as far as this process knows, by their names.
        replica: A replica of the database, which answers what it may; None where there is none.

    """

    settings: "Settings"
    clock: "Clock"
    pool: "Pool"
    state: "State"
    plugins: "Plugins"
    background: Background = attrs.field(factory=Background)
    sources: "dict[str, SourceStatus]" = attrs.field(factory=dict)
    replica: "Replica | None" = None

    @property
    def outgoing(self) -> "Outgoing":
        """What asks others: every request leaves by it."""
        from energia.outgoing.client import Outgoing

        return Outgoing(self.settings.outgoing)

    @property
    def jobs(self) -> "Jobs":
        """What lets tasks be done beside requests."""
        from energia.jobs.queue import Jobs

        return Jobs(self.pool)


class Probe(Protocol):
    """Checks one thing that the service depends on: its database, a broker, room on a disk.

    The core checks probes in the background, between the start and the end of the plugins'
    lifespans, and hands them the service each time: a probe keeps nothing of it.

    A probe may also have any of these attributes:

    * `timeout` and `period`: seconds, instead of `health.timeout` and `health.period`.
    * `measurement`: what it measures, such as `utilization`; `responseTime` if it has none.
    * `component_type`: a `ComponentType`; `component` if it has none.

    and a method `active(core)` that returns whether there is anything to check in this service: if
    there is not, the probe is neither checked nor shown.

    Example:
        @attrs.frozen
        class BacklogProbe:
            name: str = "backlog"
            criticality: Criticality = "degraded"
            period: float = 30

            def active(self, core: Core) -> bool:
                return core.settings.profile == "production"

            async def check(self, core: Core) -> Observed:
                (jobs,) = await core.pool.tenant().fetch(int, "select count(*) from acme_job")
                return Observed(jobs, "jobs", "too many" if jobs > 1000 else None)

    """

    @property
    def name(self) -> str:
        """The name of what is checked, as `/health` shows it."""
        ...

    @property
    def criticality(self) -> "Criticality":
        """What its failure means for the service."""
        ...

    async def check(self, core: "Core", /) -> "Observed | None":
        """Return if all is well, perhaps with what was measured; raise if not.

        It is cancelled after its time-out, and never called again before it has ended.
        """
        ...


@runtime_checkable
class HasActive(Protocol):
    """A probe that has nothing to check in some services."""

    def active(self, core: "Core", /) -> bool:
        """Return whether there is anything to check; it is not shown while there is not."""
        ...


class Seed(Protocol):
    """Fills the new database of a preview, so that there is something to look at.

    With made-up or public data; never with production's.

    Example:
        class TwoSites:
            name = "two-sites"

            async def sow(self, core: Core) -> None:
                await core.pool.tenant().execute(...)

    """

    @property
    def name(self) -> str:
        """The name by which `preview.seed` asks for it."""
        ...

    async def sow(self, core: "Core") -> None:
        """Fill the database, before the service is ready.

        It may be repeated, and run by several replicas at once: what is there already stays.
        """
        ...
