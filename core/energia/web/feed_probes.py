"""The probes of the price feeds: feeds are plugins, but the core keeps their outcomes."""

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
    """Whether a feed works, whichever replica asks it; in previews none does."""

    feed: PriceFeed
    criticality: Criticality = "degraded"
    measurement: str = "age"

    @property
    def name(self) -> str:
        """The name of the feed."""
        return f"price-feed-{self.feed.name}"

    def active(self, core: Core) -> bool:
        """Return whether feeds are asked at all."""
        return core.settings.profile != "preview"

    async def check(self, core: Core) -> Observed | None:
        """Return how old the last success is, in seconds; with a warning where prices are late.

        Raises:
            RuntimeError: The last fetch failed.

        """
        states = await core.pool.everywhere().fetch(_State, SQL["price_feed_get"], self.feed.name)
        if not states:
            return None
        (state,), now = states, core.clock.now()
        if state.error is not None:
            raise RuntimeError(state.error)
        if state.succeeded_at is None:
            return None
        late = is_stale(state.next_update, None, now - timedelta(seconds=GRACE))
        warning = f"more prices were expected at {state.next_update}" if late else None
        return Observed((now - state.succeeded_at).total_seconds(), "s", warning)
