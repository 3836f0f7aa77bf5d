"""The probe of what is done beside requests."""

from typing import Final

import attrs

from energia.core import Core
from energia.errors import DatabaseAway
from energia.health.probes import Criticality, Observed
from energia.jobs.store import SQL

#: A task that is due for so many seconds and not begun is late.
_LATE: Final = 300.0


@attrs.frozen
class _Due:
    """What is due, in the order of the columns of `job_late`."""

    count: int
    age: float


@attrs.frozen(eq=False)
class JobProbe:
    """Whether what is due is begun: by this service, or by workers beside it."""

    name: str = "jobs"
    criticality: Criticality = "degraded"
    measurement: str = "due"
    period: float = 15.0

    async def check(self, core: Core) -> Observed | None:
        """Return how many tasks are due; late ones are told.

        A database that is away is told by its own check alone.
        """
        try:
            (due,) = await core.pool.everywhere().fetch(_Due, SQL["job_late"])
        except DatabaseAway:
            return None
        late = (
            f"one is due since {due.age:.0f} s: does any worker run?" if due.age > _LATE else None
        )
        return Observed(due.count, "tasks", late)
