"""Health of the price feeds, whichever replica asks them."""

from datetime import datetime, timedelta

import attrs

from energia.core import Core
from energia.health.probes import Criticality, Observed
from energia.pricing.market.feeds import PriceFeed
from energia.pricing.market.keeper import GRACE
from energia.pricing.market.store import SQL, is_stale


@attrs.frozen
class _State:
    """How a feed is doing, in the order of the columns of `price_feed_get`."""

    series: str
    tries: int
    succeeded_at: datetime | None
    next_update: datetime | None
    error: str | None


@attrs.frozen(eq=False)
class FeedProbe:
    """Whether a feed works, whichever replica asks it."""

    feed: PriceFeed
    core: Core
    criticality: Criticality = "degraded"
    measurement: str = "age"

    @property
    def name(self) -> str:
        """The name of the feed."""
        return f"price-feed-{self.feed.name}"

    @property
    def active(self) -> bool:
        """Whether feeds are asked at all."""
        return self.core.settings.profile != "preview"

    async def check(self) -> Observed | None:
        """Return how old the last success is; with a warning where prices are late.

        Raises:
            RuntimeError: The last fetch failed.

        """
        found = await self.core.pool.tenant().fetch(_State, SQL["price_feed_get"], self.feed.name)
        if not found:
            return None
        (state,), now = found, self.core.clock.now()
        if state.error is not None:
            raise RuntimeError(state.error)
        late = is_stale(state.next_update, None, now - timedelta(seconds=GRACE))
        warning = f"more prices were expected at {state.next_update}" if late else None
        if state.succeeded_at is None:
            return None
        return Observed((now - state.succeeded_at).total_seconds(), "s", warning)


def probes_of(core: Core) -> list[FeedProbe]:
    """Return the probes of all feeds."""
    return [FeedProbe(feed, core) for feed in core.plugins.price_feeds()]
