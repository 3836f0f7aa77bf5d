"""The words of health probes: what a failure means, what is looked at, what was measured.

A probe is handed the running service, so its contract stands beside that: `energia.core.Probe`.
"""

from typing import Literal

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
