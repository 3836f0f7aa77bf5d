"""Webhooks in the database, and what was sent to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import attrs

from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import NotFound
from energia.ids import new_id
from energia.jobs.queue import Jobs
from energia.webhooks.models import Delivery, NewWebhook, Status, Webhook
from energia.webhooks.signing import new_secret

SQL: Final = load(__package__)
#: The task that delivers.
DELIVER: Final = "webhook-delivery"
#: Receivers may be slow: all else goes before.
PRIORITY: Final = -1


@attrs.frozen
class DeliveryKey:
    """Which delivery is to be tried, as the arguments of its task.

    Attributes:
        organization: The key of the organization.
        webhook: The webhook.
        event: The event.
        tries: How often it was tried before: what was tried meanwhile is not this one.

    """

    organization: int
    webhook: str
    event: str
    tries: int

    async def defer(self, jobs: Jobs, queries: Queries, at: datetime | None = None) -> None:
        """Let it be tried, with what else a transaction does."""
        arguments = attrs.asdict(self)
        await jobs.defer(DELIVER, arguments, queries=queries, at=at, priority=PRIORITY)


@attrs.frozen
class Webhooks:
    """The webhooks of an organization.

    Attributes:
        tenant: The database.
        jobs: What lets deliveries be done.

    """

    tenant: Tenant
    jobs: Jobs

    async def get(self, id_: str) -> Webhook:
        """Return a webhook; raises `NotFound`."""
        for webhook in await self._listed(id_, "", 1):
            return webhook
        raise _missing(id_)

    async def page(self, after: str, limit: int) -> list[Webhook]:
        """Return at most *limit* webhooks that come after *after*, by id."""
        return await self._listed(None, after, limit)

    async def add(self, new: NewWebhook) -> tuple[Webhook, str]:
        """Make a webhook; return it with its secret."""
        id_, secret = f"whk_{new_id()}", new_secret()
        await self.tenant.execute(SQL["webhook_add"], {**_row(id_, new), "secret": secret})
        return await self.get(id_), secret

    async def put(self, id_: str, new: NewWebhook) -> Webhook:
        """Replace what is said of a webhook; raises `NotFound`."""
        await self._must(id_, "webhook_put", _row(id_, new))
        return await self.get(id_)

    async def delete(self, id_: str) -> None:
        """Delete a webhook with its deliveries; raises `NotFound`."""
        if not await self.tenant.execute(SQL["webhook_delete"], id_):
            raise _missing(id_)

    async def rotate(self, id_: str, grace: float) -> tuple[Webhook, str]:
        """Give a webhook another secret; the one before signs for *grace* seconds longer.

        Raises:
            NotFound: There is no such webhook.

        """
        secret = new_secret()
        await self._must(id_, "webhook_rotate", {"id": id_, "secret": secret, "grace": grace})
        return await self.get(id_), secret

    async def test(self, id_: str) -> Delivery:
        """Send a webhook the event `webhook.test`, active or not; raises `NotFound`."""
        (event,) = await self.tenant.fetch(_text, SQL["webhook_test"], {"id": id_})
        if event is None:
            raise _missing(id_)
        return await self.delivery(id_, event)

    async def deliveries(
        self, id_: str, status: Status | None, before: str | None, limit: int
    ) -> list[Delivery]:
        """Return at most *limit* deliveries older than *before*; raises `NotFound`."""
        found = await self._deliveries(id_, {"status": status, "before": before, "limit": limit})
        if not found:
            await self.get(id_)
        return found

    async def delivery(self, id_: str, event: str) -> Delivery:
        """Return a delivery; raises `NotFound`."""
        for delivery in await self._deliveries(id_, {"id": event}):
            return delivery
        raise NotFound(f"the webhook {id_!r} has no delivery {event!r}")

    async def resend(self, id_: str, event: str) -> Delivery:
        """Send something again, whatever became of it; raises `NotFound`."""
        async with self.tenant.transaction() as queries:
            row = {"webhook": id_, "id": event}
            for tries in await queries.fetch(int, SQL["delivery_resend"], row):
                key = DeliveryKey(self.tenant.organization, id_, event, tries)
                await key.defer(self.jobs, queries)
        return await self.delivery(id_, event)

    async def _listed(self, id_: str | None, after: str, limit: int) -> list[Webhook]:
        row = {"id": id_, "after": after, "limit": limit}
        return await self.tenant.fetch(Webhook, SQL["webhook_list"], row)

    async def _deliveries(self, id_: str, wanted: Mapping[str, object]) -> list[Delivery]:
        row = {"webhook": id_, "id": None, "status": None, "before": None, "limit": 1, **wanted}
        return await self.tenant.fetch(Delivery, SQL["delivery_list"], row)

    async def _must(self, id_: str, statement: str, row: Mapping[str, object]) -> None:
        if not await self.tenant.execute(SQL[statement], row):
            raise _missing(id_)


def _row(id_: str, new: NewWebhook) -> dict[str, object]:
    return {**attrs.asdict(new), "id": id_, "events": list(dict.fromkeys(new.events))}


def _missing(id_: str) -> NotFound:
    return NotFound(f"there is no webhook {id_!r}")


def _text(text: str | None) -> str | None:
    return text
