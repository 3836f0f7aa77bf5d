"""The part of the plugin for the type checker that fetches prices."""

from prometheus_client import Counter

from energia import (
    Delivery,
    FeedRequest,
    NewPriceSeries,
    PriceFeed,
    PricesFetched,
    PricingFinished,
    hookimpl,
)

seconds = Counter("acme_pricing_seconds", "Time spent on pricing.", ["operation"], registry=None)
fetched = Counter("acme_fetched", "Prices that were fetched.", registry=None)


class Exchange:
    """A feed that has nothing yet."""

    name = "acme-exchange"
    series = NewPriceSeries(id="acme", currency="EUR")

    async def fetch(self, asked: FeedRequest) -> Delivery:
        """Return no prices."""
        return Delivery(None, memo={"at": asked.now.isoformat()})


class Feeding:
    """Hooks about prices."""

    @hookimpl
    def register_price_feeds(self) -> list[PriceFeed]:
        """Offer a feed."""
        return [Exchange()]

    @hookimpl
    def prices_fetched(self, event: PricesFetched) -> None:
        """Look on."""
        fetched.inc(event.created)

    @hookimpl
    def pricing_finished(self, event: PricingFinished) -> None:
        """Measure how long it took."""
        seconds.labels(event.operation).inc(event.seconds)
