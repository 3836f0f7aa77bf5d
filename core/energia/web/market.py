"""The price series that a request needs: those that came with it, else stored ones."""

from collections.abc import Mapping, Sequence

from energia.convert.faults import step
from energia.db.tenant import Queries
from energia.errors import Fault, Invalid
from energia.pricing.market.intake import inline
from energia.pricing.market.needs import series_of
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.tariffs import Tariff
from energia.web.priced import Window
from energia.web.subject import Subject


async def prices_of(
    subject: Subject, tariffs: Sequence[Tariff], at: Window, queries: Queries | None
) -> Mapping[str, PriceSeries]:
    """Return the price series that *tariffs* need in the window, by name.

    Args:
        subject: The request.
        tariffs: Its tariffs; prices that came along are in the currency of the first one.
        at: When is priced.
        queries: The database; None if there is none to ask.

    Raises:
        Invalid: Prices that came along contradict each other, or no charge needs them.

    """
    spans = [span for tariff in tariffs for span in tariff.spans(at.start, at.end)]
    names = series_of([span.version for span in spans])
    _refuse_unneeded(subject, names)
    found = inline(subject.prices, tariffs[0].currency)
    stored = [name for name in names if name not in found]
    if stored and queries is not None:
        asked = [PriceSpan(name, at.start, at.end, subject.known_at) for name in stored]
        read = await PriceStore(queries).read(asked)
        found |= {one.name: one for one in read if one is not None}
    return found


def _refuse_unneeded(subject: Subject, names: Sequence[str]) -> None:
    faults = [
        Fault(
            "unknown_price_series",
            f"no charge needs the price series {name!r}",
            f"/prices{step(name)}",
        )
        for name in subject.prices
        if name not in names
    ]
    if faults:
        raise Invalid(faults[0].message, faults)
