"""Price series for tests."""

from collections.abc import Sequence
from decimal import Decimal

from energia.pricing.market.series import Price, PriceSeries
from tests.core.pricing.documents import instant


def market(
    start: str,
    length: int,
    prices: Sequence[str | None],
    *,
    name: str = "spot",
    currency: str = "USD",
    unit: str = "kWh",
) -> PriceSeries:
    """Return a series of prices for a unit, each of so many seconds; None is a gap."""
    begin = instant(start)
    listed = [
        Price(begin + at * length, begin + (at + 1) * length, Decimal(price))
        for at, price in enumerate(prices)
        if price is not None
    ]
    return PriceSeries.of(name, currency, unit, listed)
