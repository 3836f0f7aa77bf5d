"""Asks the database now and then, with time limits of its own: a scrape only tells the answers."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from time import monotonic
from typing import Final

import attrs
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from energia import Core, EnergiaError, Tenant
from energia.db.migrate import CORE_MIGRATIONS, read
from energia.db.queries import load
from energia.time import length_text

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
    files = {
        (one.owner, one.number) for one in read({**CORE_MIGRATIONS, **core.plugins.migrations()})
    }
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


#: Seconds between two questions whether the database answers, and for the answer.
_PING_PERIOD: Final = 5.0
_PING_LIMIT: Final = 2.0
#: Seconds between two rounds of queries, and for one of them.
_ROUND_PERIOD: Final = 60.0
_ROUND_LIMIT: Final = 20.0
#: A round that takes long is followed by a pause of so many times that: it costs 2 % at most.
_PAUSE: Final = 50

log = structlog.get_logger(__name__)


class Background(Collector):
    """Tells what it heard last; what it could not learn anew stays as it was."""

    def __init__(self) -> None:
        self._up = 0.0
        self._figures: Figures | None = None
        self._core: Core | None = None

    async def ping(self, core: Core) -> None:
        """Ask whether the database answers, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_PING_LIMIT):
                    await core.pool.ping()
                self._up = 1.0
            except (EnergiaError, TimeoutError):
                self._up = 0.0
            await asyncio.sleep(_PING_PERIOD)

    async def ask(self, core: Core) -> None:
        """Ask for the figures, until cancelled."""
        self._core = core
        while True:
            started = monotonic()
            try:
                async with asyncio.timeout(_ROUND_LIMIT):
                    self._figures = await asked(core)
            except (EnergiaError, TimeoutError) as error:
                log.warning("metrics_not_refreshed", error=type(error).__name__)
            await asyncio.sleep(max(_ROUND_PERIOD, _PAUSE * (monotonic() - started)))

    def collect(self) -> Iterator[Metric]:
        """Yield what is known; before the first round only what there will be."""
        yield GaugeMetricFamily("db_up", "Whether the database answers.", self._up)
        pending, info, age, horizon, fetched, ahead = _families()
        if self._figures is not None and self._core is not None:
            now = self._core.clock.now()
            pending.add_metric([], self._figures.pending)
            for one in self._figures.migrations:
                info.add_metric([one.owner, f"{one.number:04d}_{one.name}"], 1)
            for newest in self._figures.newest:
                labels = [newest.quantity, newest.direction, length_text(newest.interval)]
                age.add_metric(labels, (now - newest.end).total_seconds())
            if self._figures.priced_until is not None:
                until = datetime.combine(self._figures.priced_until, time(), UTC)
                horizon.add_metric([], (until - now).total_seconds())
            for feed in self._figures.feeds:
                if feed.succeeded_at is not None:
                    fetched.add_metric([feed.name], (now - feed.succeeded_at).total_seconds())
                if feed.horizon is not None:
                    ahead.add_metric([feed.name], (feed.horizon - now).total_seconds())
        yield from (pending, info, age, horizon, fetched, ahead)


def _families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("db_migrations_pending", "Migrations that are not applied."),
        GaugeMetricFamily(
            "db_migration_info", "The newest applied migration.", labels=["owner", "version"]
        ),
        GaugeMetricFamily(
            "energia_newest_reading_age_seconds",
            "Since the end of the newest reading, by the class of its channel.",
            labels=["quantity", "direction", "interval"],
        ),
        GaugeMetricFamily(
            "energia_price_horizon_seconds",
            "Until a contract goes on and its tariff has no prices (days of UTC).",
        ),
        GaugeMetricFamily(
            "energia_price_feed_age_seconds",
            "Since a price feed last gave what it has.",
            labels=["feed"],
        ),
        GaugeMetricFamily(
            "energia_price_feed_horizon_seconds",
            "Until the last price ends that is known of the series that a feed fills.",
            labels=["feed"],
        ),
    )
