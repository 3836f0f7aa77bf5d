"""What is asked of the database in the background, for gauges."""

from datetime import date, datetime
from typing import Final

import attrs

from energia.core import Core
from energia.db.queries import load
from energia.db.schema import CORE, read
from energia.db.tenant import Tenant

SQL: Final = load(__package__)


@attrs.frozen
class Newest:
    """When the newest reading of a class of channels ended."""

    quantity: str
    direction: str
    interval: int
    end: datetime


@attrs.frozen
class Migration:
    """A migration that was applied."""

    owner: str
    number: int
    name: str


@attrs.frozen
class Feed:
    """How a price feed is doing."""

    name: str
    succeeded_at: datetime | None
    horizon: datetime | None


@attrs.frozen
class Figures:
    """What one round of queries found.

    Attributes:
        newest: The newest readings of each class of channels.
        priced_until: The first day on which a contract goes on and its tariff has no prices.
        migrations: The newest that is applied, of each owner.
        pending: How many files of the code are not applied.
        feeds: The price feeds of this service.

    """

    newest: list[Newest]
    priced_until: date | None
    migrations: list[Migration]
    pending: int
    feeds: list[Feed] = attrs.Factory(list)


async def asked(core: Core) -> Figures:
    """Ask; raises errors of the database."""
    tenant = core.pool.tenant()
    applied = await tenant.fetch(Migration, SQL["applied"])
    files = {(one.owner, one.number) for one in read({**CORE, **core.plugins.migrations()})}
    (until,) = await tenant.fetch(_day, SQL["priced_until"])
    return Figures(
        newest=await tenant.fetch(Newest, SQL["newest"]),
        priced_until=until,
        migrations=list({one.owner: one for one in applied}.values()),
        feeds=await _feeds(core, tenant),
        pending=len(files - {(one.owner, one.number) for one in applied}),
    )


async def _feeds(core: Core, tenant: Tenant) -> list[Feed]:
    names = [feed.name for feed in core.plugins.price_feeds()]
    return await tenant.fetch(Feed, SQL["feeds"], names) if names else []


def _day(day: date | None) -> date | None:
    return day
