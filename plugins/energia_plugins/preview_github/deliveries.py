"""The deliveries: each is remembered before it is answered, and done afterwards."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import attrs

from energia import Core, Tenant
from energia.db.previews.cluster import Cluster
from energia.db.queries import load
from energia_plugins.preview_github.webhook import Event

SQL: Final = load(__package__)
#: For how long one that was begun is left to who began it; then it is tried again.
_LEASE: Final = timedelta(seconds=30)
_BATCH: Final = 100


@attrs.frozen
class _Due:
    """Something to do, in the order of the columns of `claim`."""

    digest: str
    pr: int
    action: str
    happened_at: datetime


@attrs.frozen
class Deliveries:
    """What GitHub told, in the database of the service.

    Attributes:
        core: The service.
        keep: For how long a delivery is remembered; an older event is not accepted any more.

    """

    core: Core
    keep: timedelta

    def accepts(self, event: Event) -> bool:
        """Tell whether an event is young enough to be known if it came before."""
        return event.pull_request.updated_at > self.core.clock.now() - self.keep

    async def receive(self, tenant: Tenant, delivery: str, body: bytes, event: Event) -> bool:
        """Remember a delivery; tells whether it is a new one.

        The id is not signed, so that a copy may come with another one: the body is what counts.
        """
        values = {
            "digest": sha256(body).hexdigest(),
            "delivery": delivery,
            "pr": event.number,
            "action": event.action,
            "happened": event.pull_request.updated_at,
            "now": self.core.clock.now(),
        }
        return await tenant.execute(SQL["receive"], values) > 0

    async def work(self, cluster: Cluster) -> int:
        """Do what is to be done, in the order in which it happened; tells how much that was."""
        tenant, now = self.core.pool.tenant(), self.core.clock.now()
        asked = {"now": now, "until": now + _LEASE, "limit": _BATCH}
        due = await tenant.fetch(_Due, SQL["claim"], asked)
        for one in sorted(due, key=lambda one: one.happened_at):
            act = cluster.close if one.action == "closed" else cluster.reopen
            await act(one.pr, one.happened_at)
            await tenant.execute(SQL["done"], self.core.clock.now(), one.digest)
        await tenant.execute(SQL["forget"], now - self.keep)
        return len(due)
