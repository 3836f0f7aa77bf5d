"""Health probes: what a plugin offers to have watched."""

from typing import Literal, Protocol, runtime_checkable

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


# What a probe may state besides: the core asks with `isinstance`.


@runtime_checkable
class HasMeasurement(Protocol):
    """A probe that measures something else than how long its check takes."""

    @property
    def measurement(self) -> str:
        """What it measures, such as `utilization`."""
        ...


@runtime_checkable
class HasComponentType(Protocol):
    """A probe that states what it looks at."""

    @property
    def component_type(self) -> ComponentType:
        """What it looks at, in the words of the health format."""
        ...


@runtime_checkable
class HasActive(Protocol):
    """A probe that at times has nothing to check."""

    @property
    def active(self) -> bool:
        """Whether there is something to check; it is not shown while there is not."""
        ...
