"""Price feeds: what fetches the prices of a series from elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import attrs

from energia.outgoing.client import Outgoing
from energia.pricing.market.models import NewPriceSeries, PriceBatch, PricePoint


class FeedFailed(Exception):
    """A feed could not fetch: it is asked again after a while.

    Attributes:
        reason: Why, for the log and for `/health`; without secrets.
        retry_after: For how many seconds the source wants to be left alone.

    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        """State the reason."""
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


@attrs.frozen
class FeedRequest:
    """What is known when a feed is asked.

    Attributes:
        now: The present instant.
        horizon: When the last price ends that is stored; None before the first.
        memo: What the feed left for itself with its last delivery.
        outgoing: What asks a source over HTTP: by the rules of `outgoing` in the settings.

    """

    now: datetime
    horizon: datetime | None
    memo: Mapping[str, Any]
    outgoing: Outgoing = attrs.field(factory=Outgoing)


@attrs.frozen
class Delivery:
    """What a feed has fetched.

    Attributes:
        prices: The prices: all that the source tells, new or not; None if nothing has changed.
        next_update: When more are expected, or were; None if the source does not say.
        ask_at: When to ask again: without, at `next_update`, or after the feed's period.
        memo: What the feed wants to know when it is asked again, such as an ETag.

    """

    prices: PriceBatch | tuple[PricePoint, ...] | None
    next_update: datetime | None = None
    ask_at: datetime | None = None
    memo: Mapping[str, Any] = attrs.field(factory=dict)


class PriceFeed(Protocol):
    """Fetches the prices of one series; the core stores them, and asks again when it is time.

    A feed may also have a `timeout`, for one fetch, and a `period`, after which it is asked again
    if it does not say when more prices are expected: seconds.

    Example:
        @attrs.frozen
        class Exchange:
            name: str = "exchange"
            series: NewPriceSeries = NewPriceSeries(id="spot", currency="EUR")

            async def fetch(self, asked: FeedRequest) -> Delivery:
                return Delivery(await self._prices(since=asked.horizon))

    """

    @property
    def name(self) -> str:
        """What the feed is called in the log, in `/health` and in metrics."""
        ...

    @property
    def series(self) -> NewPriceSeries:
        """The series that it fills, with its id: made if there is none."""
        ...

    async def fetch(self, asked: FeedRequest) -> Delivery:
        """Return the prices; raises `FeedFailed`, and is cancelled after its time-out."""
        ...


#: What comes of asking a feed.
Fetched = Literal["stored", "unchanged", "failed"]


@attrs.frozen(kw_only=True)
class PricesFetched:
    """A feed was asked.

    Attributes:
        feed: The name of the feed.
        series: The series that it fills.
        outcome: Whether prices were stored, nothing was new, or it failed.
        created: Slots that had no price before.
        corrected: Slots that have another price now.

    """

    feed: str
    series: str
    outcome: Fetched
    created: int = 0
    corrected: int = 0
