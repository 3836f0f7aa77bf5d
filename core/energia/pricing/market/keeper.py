"""Asks the feeds for prices: each is a task, done by one worker at a time."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia import tracing
from energia.contract import HasPeriod, HasTimeout
from energia.convert import dumps
from energia.db.organizations import keys
from energia.db.tenant import Tenant
from energia.errors import DatabaseError, EnergiaError
from energia.pricing.market.feeds import Delivery, FeedFailed, FeedRequest, PriceFeed, PricesFetched
from energia.pricing.market.models import StoredPrices
from energia.pricing.market.store import SQL, row_of, store
from energia.redact import redacted
from energia.work import staying

if TYPE_CHECKING:
    from energia.core import Core


#: Seconds for one fetch, and between two, unless the feed says otherwise.
_TIMEOUT: Final = 60.0
_PERIOD: Final = 900.0
#: No other replica takes a feed up until so many seconds after its time-out.
GRACE: Final = 30.0
#: So much of an error is kept.
_LONGEST: Final = 500


@attrs.frozen
class _Claimed:
    """A feed that is due, in the order of the columns of `price_feed_claim`."""

    tries: int
    memo: Mapping[str, Any]
    horizon: datetime | None


def keepers(core: "Core") -> list["Keeper"]:
    """Return the tasks of the feeds; in a preview, which copies settings, none is asked."""
    feeds = () if core.settings.profile == "preview" else core.plugins.price_feeds()
    return [Keeper(core, feed) for feed in feeds]


@attrs.define(eq=False)
class Keeper:
    """Asks one feed, for all organizations: again as soon as it is due for one of them."""

    core: "Core"
    feed: PriceFeed
    _begun: set[int] = attrs.Factory(set)
    _error: str | None = None

    @property
    def name(self) -> str:
        """The name of the task."""
        return f"price-feed-{self.feed.name}"

    @property
    def period(self) -> float:
        """After how many seconds to look again at the latest."""
        return self.core.settings.feeds.poll

    async def run(self, core: "Core", _: Mapping[str, Any], /) -> None:
        """Ask the feed if it is due, and wait for when it is."""
        try:
            pause = await self.round()
        except EnergiaError as error:
            self._say(f"database: {error.code}")
            return
        except Exception as error:  # a feed must not end for what nobody thought of
            self._say(f"{type(error).__name__}: {error}")
            return
        if pause < self.period:
            due = core.clock.now() + timedelta(seconds=max(pause, 0.0))
            await core.jobs.defer(self.name, at=due, once=self.name, lock=self.name)

    async def round(self) -> float:
        """Ask the feed for each organization, and return after how many seconds to look again."""
        organizations = await keys(self.core.pool)
        return min(
            [
                await self._round(self.core.pool.tenant(key, f"feed:{self.feed.name}"))
                for key in organizations
            ]
        )

    async def _round(self, tenant: Tenant) -> float:
        """Ask the feed if it is due, and return after how many seconds to look again."""
        now, name = self.core.clock.now(), self.feed.name
        if tenant.organization not in self._begun:
            head = row_of(str(self.feed.series.id), self.feed.series)
            await tenant.execute(SQL["price_feed_begin"], {**head, "name": name, "now": now})
            self._begun.add(tenant.organization)
        lease = now + timedelta(seconds=self._timeout + GRACE)
        arguments = {"name": name, "now": now, "until": lease}
        claimed = await tenant.fetch(_Claimed, SQL["price_feed_claim"], arguments)
        if claimed:
            with tracing.span("price_feed.fetch", {"energia.feed": name}) as fetching:
                await self._fetch(tenant, claimed[0], now, fetching)
        due = await tenant.fetch(_moment, SQL["price_feed_due"], name)
        if not due:
            # The series was deleted: it is made anew.
            self._begun.discard(tenant.organization)
            return self.core.settings.feeds.poll
        return (due[0] - self.core.clock.now()).total_seconds()

    async def _fetch(
        self, tenant: Tenant, claimed: _Claimed, now: datetime, fetching: tracing.Span
    ) -> None:
        """Fetch and store, and note when to ask again."""
        try:
            async with asyncio.timeout(self._timeout):
                request = FeedRequest(now, claimed.horizon, claimed.memo, self.core.outgoing)
                with staying():
                    delivery = await self.feed.fetch(request)
            stored = await self._store(tenant, delivery)
        except DatabaseError:
            raise
        except FeedFailed as error:
            reason, wanted = error.reason, error.retry_after
        except TimeoutError:
            reason, wanted = f"no answer within {self._timeout:g} s", 0.0
        except EnergiaError as error:
            reason, wanted = error.detail, 0.0
        except Exception as error:
            reason, wanted = f"{type(error).__name__}: {error}", 0.0
        else:
            return await self._fetched(tenant, delivery, stored)
        fetching.fail("FeedFailed")
        await self._failed(tenant, claimed, reason, wanted)

    async def _store(self, tenant: Tenant, delivery: Delivery) -> StoredPrices:
        if not delivery.prices:
            return StoredPrices(0, 0, 0, None)
        series = self.feed.series
        return await store(tenant, str(series.id), delivery.prices, series)

    async def _fetched(self, tenant: Tenant, delivery: Delivery, stored: StoredPrices) -> None:
        now = self.core.clock.now()
        after = now + timedelta(seconds=self._period)
        due = delivery.ask_at or delivery.next_update or after
        row = {
            "name": self.feed.name,
            "now": now,
            # A source whose next update is overdue is not asked again and again without a pause.
            "due": max(due, now + timedelta(seconds=1)),
            "next": delivery.next_update,
            "memo": dumps(dict(delivery.memo)).decode(),
        }
        await tenant.execute(SQL["price_feed_fetched"], row)
        self._say(None)
        changed = stored.created + stored.corrected > 0
        self._tell("stored" if changed else "unchanged", stored)

    async def _failed(self, tenant: Tenant, claimed: _Claimed, reason: str, wanted: float) -> None:
        due = self.core.clock.now() + timedelta(seconds=self._pause(claimed.tries, wanted))
        row = {"name": self.feed.name, "due": due, "error": redacted(reason)[:_LONGEST]}
        await tenant.execute(SQL["price_feed_failed"], row)
        self._say(reason)
        self._tell("failed", StoredPrices(0, 0, 0, None))

    def _pause(self, tries: int, wanted: float) -> float:
        """Return how long to wait: doubled with each try, jittered, or as the source wants."""
        settings = self.core.settings.feeds
        # The exponent is bounded: after a thousand tries the power would overflow a float.
        pause = min(settings.retry_first * 2.0 ** min(max(tries - 1, 0), 30), settings.retry_most)
        return max(pause * random.uniform(0.5, 1.0), min(wanted, settings.retry_after_most))

    def _tell(self, outcome: Any, stored: StoredPrices) -> None:
        self.core.plugins.prices_fetched(
            PricesFetched(
                feed=self.feed.name,
                series=str(self.feed.series.id),
                outcome=outcome,
                created=stored.created,
                corrected=stored.corrected,
            )
        )

    def _say(self, error: str | None) -> None:
        """Log when it begins to fail, in another way, and when it works again: no flood."""
        if error == self._error:
            return
        self._error = error
        import structlog  # costs 100 ms, and is needed here only

        log = structlog.get_logger(__name__)
        if error:
            log.warning("price_feed_fails", feed=self.feed.name, reason=error)
        else:
            log.info("price_feed_works", feed=self.feed.name)

    @property
    def _timeout(self) -> float:
        return self.feed.timeout if isinstance(self.feed, HasTimeout) else _TIMEOUT

    @property
    def _period(self) -> float:
        return self.feed.period if isinstance(self.feed, HasPeriod) else _PERIOD


def _moment(moment: datetime) -> datetime:
    return moment
