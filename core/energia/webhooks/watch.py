"""What nobody does, and is told all the same: looked for again and again.

What is found is kept, so that it is told once: a *subject*, such as a contract, and the *cause*, as
much of what is known of it as makes it worth telling again. What is not found any more is
forgotten. Only organizations of which a webhook wants to know it are looked at.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import attrs
import structlog

from energia.assembly import late
from energia.convert import dumps
from energia.db.tenant import Tenant
from energia.errors import EnergiaError
from energia.plugins import Plugins
from energia.webhooks.models import EventType
from energia.webhooks.store import SQL

if TYPE_CHECKING:
    from energia.core import Core
    from energia.webhooks.findings import Find

#: What is looked for.
LOOKED_FOR: Final[tuple[EventType, ...]] = (
    "gap.opened",
    "price.stale",
    "contract.ending",
    "bill.affected",
)
log = structlog.get_logger(__name__)


@attrs.frozen
class WebhookWatch:
    """Looks for one type of event, again and again."""

    type: EventType
    period: float

    @property
    def name(self) -> str:
        """The name of the task."""
        return f"webhook-{self.type}"

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Look at the organizations that want to know it, one after another."""
        wanted = await core.pool.everywhere().fetch(_wanted, SQL["webhook_wanted"], self.type)
        if not wanted:
            return
        find = (await late(_finders, core.plugins))[self.type]
        for organization, since in wanted:
            try:
                await self._look(core, core.pool.tenant(organization), since, find)
            except EnergiaError as error:  # of one; the others are looked at all the same
                log.warning("webhook_watch_failed", type=self.type, detail=error.detail)

    async def _look(self, core: "Core", tenant: Tenant, since: datetime, find: "Find") -> None:
        rows = await tenant.fetch(_pair, SQL["finding_list"], self.type)
        known = dict(rows)
        found = await find(core, tenant, known, since)
        changed = [one for one in found if known.get(one.subject) != one.cause]
        gone = sorted(known.keys() - {one.subject for one in found})
        if not changed and not gone:
            return
        async with tenant.transaction() as queries:
            row = {
                "type": self.type,
                "gone": gone,
                "subjects": [one.subject for one in changed],
                "causes": [one.cause for one in changed],
                "told": [dumps(data).decode() for one in changed for data in one.news],
            }
            await queries.execute(SQL["finding_put"], row)


def _finders(plugins: Plugins) -> "Mapping[EventType, Find]":
    """Import what finds events: few services have webhooks, and it takes all that bills do."""
    from energia.webhooks.findings import FINDERS

    plugins.charges()
    return FINDERS


def watches(core: "Core") -> list[WebhookWatch]:
    """Return what looks for all that nobody does."""
    period = core.settings.webhooks.period
    return [WebhookWatch(type_, period) for type_ in LOOKED_FOR]


@attrs.frozen
class WebhookExpiry:
    """Lets events go that are older than `webhooks.retention`."""

    name: str = "webhook-expiry"
    period: float = 3600.0

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Delete them, with their deliveries."""
        row = {"retention": core.settings.webhooks.retention}
        await core.pool.everywhere().execute(SQL["webhook_expire"], row)


def _wanted(organization: int, since: datetime) -> tuple[int, datetime]:
    return organization, since


def _pair(subject: str, cause: str) -> tuple[str, str]:
    return subject, cause
