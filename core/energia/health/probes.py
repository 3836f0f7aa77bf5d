"""The words of health probes: what a failure means, what is looked at, what was measured.

A probe is handed the running service, so its contract stands beside that: `energia.core.Probe`.
"""

from typing import Literal, Protocol, runtime_checkable

import attrs

#: `critical`: without it the service is not ready; `degraded`: it works, with a warning.
Criticality = Literal["critical", "degraded"]
#: What a probe looks at, in the words of the health format.
ComponentType = Literal["component", "datastore", "system"]


@attrs.frozen
class Observed:
    """What a check found, where there is more to say than that all is well.

    Attributes:
        value: What was measured.
        unit: The unit of the value, such as `ms` or `percent`.
        warning: Why it is not well, although it works; None if it is.

    """

    value: float
    unit: str
    warning: str | None = None


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
