"""Health probes: what a plugin offers to have watched."""

from typing import Literal, Protocol

import attrs

#: `critical`: without it the service is not ready; `degraded`: it works, with a warning.
Criticality = Literal["critical", "degraded"]
#: What a probe looks at, in the words of the health format.
ComponentType = Literal["component", "datastore", "system"]


@attrs.frozen
class Observed:
    """What a check found, where there is more to tell than that all is well.

    Attributes:
        value: What was measured.
        unit: The unit of the value, such as `ms` or `percent`.
        warning: Why it is not well, although it works; None if it is.

    """

    value: float
    unit: str
    warning: str | None = None


class Probe(Protocol):
    """Checks one thing that the service depends on.

    A probe may also have any of these attributes:

    * `timeout` and `period`: seconds, instead of `health.timeout` and `health.period`.
    * `measurement`: what it measures, such as `utilization`; `responseTime` if it has none.
    * `component_type`: a `ComponentType`; `component` if it has none.
    * `active`: False while there is nothing to check; the probe is then not shown at all.

    Example:
        @attrs.frozen
        class BrokerProbe:
            name: str = "broker"
            criticality: Criticality = "degraded"
            period: float = 30

            async def check(self) -> None:
                await broker.ping()

    """

    @property
    def name(self) -> str:
        """The name of what is checked, as `/health` shows it."""
        ...

    @property
    def criticality(self) -> Criticality:
        """What its failure means for the service."""
        ...

    async def check(self) -> Observed | None:
        """Return if all is well, perhaps with what was found; raise if not.

        It is cancelled after its time-out, and never called again before it has ended.
        """
        ...
