"""Health probes: what a plugin offers to have watched."""

from typing import Literal, Protocol

#: `critical`: without it the service is not ready; `degraded`: it works, with a warning.
Criticality = Literal["critical", "degraded"]


class Probe(Protocol):
    """Checks one thing that the service depends on.

    Example:
        @attrs.frozen
        class BrokerProbe:
            name: str = "broker"
            criticality: Criticality = "degraded"

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

    async def check(self) -> None:
        """Return if all is well; raise if not. It is cancelled after `health.timeout`.

        `Saturated` means that the thing works and has no room: a warning, not a failure.
        """
        ...


class Saturated(Exception):
    """It works, and is used to its limit."""
