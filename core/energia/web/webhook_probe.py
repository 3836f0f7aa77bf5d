"""The probe of webhooks: whether what is told arrives."""

import attrs

from energia.core import Core
from energia.errors import DatabaseAway
from energia.health.probes import Criticality, Observed
from energia.webhooks.store import SQL


@attrs.frozen
class _State:
    """How all webhooks are doing, in the order of the columns of `webhook_state`."""

    waiting: int
    failing: int
    switched_off: int


@attrs.frozen
class WebhookProbe:
    """How many deliveries wait, of all organizations; in previews none is sent."""

    name: str = "webhooks"
    criticality: Criticality = "degraded"
    measurement: str = "waiting"
    period: float = 15.0

    def active(self, core: Core) -> bool:
        """Return whether anything is sent at all."""
        return core.settings.profile != "preview"

    async def check(self, core: Core) -> Observed | None:
        """Return how many deliveries wait, with a warning where receivers take nothing.

        A database that is away is told by its own check alone.
        """
        try:
            (state,) = await core.pool.everywhere().fetch(_State, SQL["webhook_state"])
        except DatabaseAway:
            return None
        parts = (
            [f"{state.failing} webhooks fail"] * bool(state.failing)
            + [f"{state.switched_off} were switched off"] * bool(state.switched_off)
        )  # fmt: skip
        return Observed(state.waiting, "deliveries", "; ".join(parts) or None)
