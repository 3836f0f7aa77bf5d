"""What is measured of the database: the statements as they are sent, and what queries return.

Queries run in the background, with time limits of their own: a scrape asks the database nothing.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from time import monotonic
from typing import Final

import attrs
import structlog
from prometheus_async import aio
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from energia import Core, EnergiaError, Tenant
from energia.db.connection import Result
from energia.db.migrate import CORE_MIGRATIONS, read
from energia.db.pool import PoolStats
from energia.db.queries import load
from energia.db.tenant import verb_of
from energia.time import length_text
from energia_plugins.metrics_prometheus.exemplars import Exemplified
from energia_plugins.metrics_prometheus.requests import OTHER

SQL: Final = load(__package__)
#: What statements begin with that are told apart; any other is `other`.
OPERATIONS: Final = frozenset(
    {"select", "insert", "update", "delete", "with", "begin", "commit", "rollback", "set"}
)
#: In seconds; the last is the time limit of a statement.
STATEMENT_BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
#: Seconds between two questions whether the database answers, and for the answer.
_PING_PERIOD: Final = 5.0
_PING_LIMIT: Final = 2.0
#: Seconds between two rounds of queries, and for one of them.
_ROUND_PERIOD: Final = 60.0
_ROUND_LIMIT: Final = 20.0
#: The newest readings of so many channels are looked for at once.
_CHANNELS: Final = 10_000
#: A round that takes long is followed by a pause of so many times that: it costs 2 % at most.
_PAUSE: Final = 50

log = structlog.get_logger(__name__)


class Statements:
    """Times statements by the word that they begin with, and the waits for a connection."""

    def __init__(self) -> None:
        self._duration = Histogram(
            "db_query_duration_seconds",
            "How long statements took, by their first word.",
            ["operation"],
            buckets=STATEMENT_BUCKETS,
            registry=None,
        )
        # Asked for once: to look labels up takes longer than to observe.
        self._observers = {
            word: Exemplified(self._duration.labels(word)) for word in (*sorted(OPERATIONS), OTHER)
        }
        self._wait = Histogram(
            "db_pool_wait_seconds", "Waits for a database connection.",
            buckets=(0.0001, *STATEMENT_BUCKETS), registry=None,
        )  # fmt: skip

    def collectors(self) -> list[Collector]:
        """Return what is measured."""
        return [self._duration, self._wait]

    @contextmanager
    def timing(self, stats: PoolStats) -> Iterator[None]:
        """Time what a pool waits for, and what is sent through it, until the context is left."""
        stats.wait_timers.append(self._timed_wait)
        stats.statement_timers.append(self._timed_statement)
        yield
        stats.wait_timers.remove(self._timed_wait)
        stats.statement_timers.remove(self._timed_statement)

    def _timed_wait(self, wait: Awaitable[None]) -> Awaitable[None]:
        return aio.time(self._wait, wait)

    def _timed_statement(self, message: str, answer: Awaitable[Result]) -> Awaitable[Result]:
        return aio.time(self._observers[operation(message)], answer)


def operation(message: str) -> str:
    """Return the first word of the statement in *message*, or `other`."""
    word = verb_of(message).lower()
    return word if word in OPERATIONS else OTHER


@attrs.frozen
class Newest:
    """The newest reading of a class of channels.

    Attributes:
        quantity: What the channels measure, such as `active_energy`.
        direction: Which way it flows.
        interval: How long a slot is, in seconds.
        end: When the slot of the reading ended.

    """

    quantity: str
    direction: str
    interval: int
    end: datetime


@attrs.frozen
class Migration:
    """A migration that was applied, in the order of the columns of `applied`."""

    owner: str
    number: int
    name: str


@attrs.frozen
class Feed:
    """How a price feed is doing, in the order of the columns of `feeds`."""

    name: str
    succeeded_at: datetime | None
    horizon: datetime | None


@attrs.frozen
class Webhooks:
    """How webhooks are doing, in the order of the columns of `webhooks`."""

    waiting: int
    failing: int


@attrs.frozen
class Tasks:
    """How many tasks there are of a kind that stand alike, in the order of the columns of `tasks`.

    Attributes:
        name: What they do.
        status: `todo`, `doing`, or how they have ended: what succeeded is not kept.
        count: How many.
        due_since: Since when the oldest of those that wait is due.

    """

    name: str
    status: str
    count: int
    due_since: datetime | None


@attrs.frozen
class Figures:
    """What one round of queries found.

    Attributes:
        newest: The newest readings of each class of channels.
        priced_until: The first day on which a contract goes on and its tariff has no prices.
        migrations: The newest that is applied, of each owner.
        pending: How many files of the code are not applied.
        webhooks: How the webhooks of all organizations are doing.
        feeds: The price feeds of this service.
        tasks: What is done beside requests.

    """

    newest: list[Newest]
    priced_until: date | None
    migrations: list[Migration]
    pending: int
    webhooks: Webhooks
    feeds: list[Feed] = attrs.Factory(list)
    tasks: list[Tasks] = attrs.Factory(list)


async def figures(core: Core) -> Figures:
    """Ask for all figures; raises errors of the database."""
    # What is measured of all organizations names none of them, nor what is theirs.
    tenant, everywhere = core.pool.tenant(), core.pool.everywhere()
    applied = await tenant.fetch(Migration, SQL["applied"])
    files = read({**CORE_MIGRATIONS, **core.plugins.migrations()})
    missing = {(file.owner, file.number) for file in files}
    missing -= {(migration.owner, migration.number) for migration in applied}
    (until,) = await everywhere.fetch(_day, SQL["priced_until"])
    (webhooks,) = await everywhere.fetch(Webhooks, SQL["webhooks"])
    return Figures(
        newest=await newest(everywhere),
        priced_until=until,
        # They come in the order of their numbers: the last of each owner stays.
        migrations=list({migration.owner: migration for migration in applied}.values()),
        pending=len(missing),
        webhooks=webhooks,
        feeds=await _feeds(core, tenant),
        tasks=await everywhere.fetch(Tasks, SQL["tasks"]),
    )


@attrs.frozen
class _Channel:
    """A channel, in the order of the columns of `channels`."""

    key: int
    quantity: str
    direction: str
    interval: int
    offset: int


async def newest(everywhere: Tenant) -> list[Newest]:
    """Return the newest reading of each class of channels, of all organizations."""
    ends: dict[tuple[str, str, int], datetime] = {}
    page = {"after": 0, "limit": _CHANNELS}
    while channels := await everywhere.fetch(_Channel, SQL["channels"], page):
        page["after"] = channels[-1].key
        of = [(each.quantity, each.direction, each.interval) for each in channels]
        classes = list(dict.fromkeys(of))
        numbers = {each: number for number, each in enumerate(classes)}
        columns = {
            "channels": [each.key for each in channels],
            "classes": [numbers[each] for each in of],
            "intervals": [each.interval for each in channels],
            "offsets": [each.offset for each in channels],
        }
        for number, end in await everywhere.fetch_by_channel(_end, SQL["newest"], columns):
            each = classes[number]
            ends[each] = max(end, ends.get(each, end))
    return [Newest(*each, end) for each, end in sorted(ends.items())]


def _end(number: int, end: datetime) -> tuple[int, datetime]:
    return number, end


async def _feeds(core: Core, tenant: Tenant) -> list[Feed]:
    names = [feed.name for feed in core.plugins.price_feeds()]
    return await tenant.fetch(Feed, SQL["feeds"], names) if names else []


def _day(day: date | None) -> date | None:
    return day


class Background(Collector):
    """Asks the database now and then, and gives the last answer.

    What it could not learn anew stays as it was: ages and horizons are reckoned from now at each
    scrape, so that a figure which is not refreshed still grows old.
    """

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
                    self._figures = await figures(core)
            except (EnergiaError, TimeoutError) as error:
                log.warning("metrics_not_refreshed", error=type(error).__name__)
            await asyncio.sleep(max(_ROUND_PERIOD, _PAUSE * (monotonic() - started)))

    def collect(self) -> Iterator[Metric]:
        """Yield what is known; before the first round only what there will be."""
        yield GaugeMetricFamily("db_up", "Whether the database answers.", self._up)
        families = _Families()
        if self._figures is not None and self._core is not None:
            families.add(self._figures, self._core.clock.now())
        yield from families.all()


class _Families:
    """The metrics of the figures."""

    def __init__(self) -> None:
        self._pending = GaugeMetricFamily(
            "db_migrations_pending", "Migrations that are not applied."
        )
        self._migration = GaugeMetricFamily(
            "db_migration_info", "The newest applied migration.", labels=["owner", "version"]
        )
        self._reading_age = GaugeMetricFamily(
            "energia_newest_reading_age_seconds",
            "Since the end of the newest reading, by the class of its channel.",
            labels=["quantity", "direction", "interval"],
        )
        self._horizon = GaugeMetricFamily(
            "energia_price_horizon_seconds",
            "Until a contract goes on and its tariff has no prices (days of UTC).",
        )
        self._feed_age = GaugeMetricFamily(
            "energia_price_feed_age_seconds",
            "Since a price feed last gave what it has.",
            labels=["feed"],
        )
        self._feed_horizon = GaugeMetricFamily(
            "energia_price_feed_horizon_seconds",
            "Until the last price ends that is known of the series that a feed fills.",
            labels=["feed"],
        )
        self._waiting = GaugeMetricFamily(
            "energia_webhook_deliveries_waiting", "Events that their receivers have not taken."
        )
        self._failing = GaugeMetricFamily(
            "energia_webhooks_failing", "Webhooks whose receivers took nothing last."
        )

        self._tasks = GaugeMetricFamily(
            "energia_tasks",
            "Tasks beside requests, by what they do and how they stand.",
            labels=["task", "status"],
        )
        self._due_age = GaugeMetricFamily(
            "energia_task_due_age_seconds",
            "Since the oldest task is due that no worker has begun; 0 where none is.",
        )

    def add(self, figures: Figures, now: datetime) -> None:
        """Add the figures as they are *now*."""
        self._pending.add_metric([], figures.pending)
        for migration in figures.migrations:
            version = f"{migration.number:04d}_{migration.name}"
            self._migration.add_metric([migration.owner, version], 1)
        for newest in figures.newest:
            labels = [newest.quantity, newest.direction, length_text(newest.interval)]
            self._reading_age.add_metric(labels, (now - newest.end).total_seconds())
        if figures.priced_until is not None:
            until = datetime.combine(figures.priced_until, time(), UTC)
            self._horizon.add_metric([], (until - now).total_seconds())
        self._waiting.add_metric([], figures.webhooks.waiting)
        self._failing.add_metric([], figures.webhooks.failing)
        for feed in figures.feeds:
            self._add_feed(feed, now)

        self._add_tasks(figures.tasks, now)

    def _add_tasks(self, tasks: list[Tasks], now: datetime) -> None:
        for each in tasks:
            self._tasks.add_metric([each.name, each.status], each.count)
        since = [each.due_since for each in tasks if each.due_since is not None]
        age = (now - min(since)).total_seconds() if since else 0.0
        self._due_age.add_metric([], max(age, 0.0))

    def _add_feed(self, feed: Feed, now: datetime) -> None:
        if feed.succeeded_at is not None:
            self._feed_age.add_metric([feed.name], (now - feed.succeeded_at).total_seconds())
        if feed.horizon is not None:
            self._feed_horizon.add_metric([feed.name], (feed.horizon - now).total_seconds())

    def all(self) -> tuple[Metric, ...]:
        """Return them in the order of the page."""
        return (
            *(self._pending, self._migration, self._reading_age),
            *(self._horizon, self._feed_age, self._feed_horizon),
            *(self._waiting, self._failing),
            *(self._tasks, self._due_age),
        )
