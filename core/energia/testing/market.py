"""Made-up price series, for charges that are priced by one."""

from collections.abc import Iterator, Mapping

import numpy as np

from energia.pricing.charges import Charge, unit_of
from energia.pricing.market.series import PriceSeries
from energia.pricing.tariffs import Tariff
from energia.zones import DAY

_HOUR = 3600


def made_up(tariff: Tariff, start: int, end: int) -> Mapping[str, PriceSeries]:
    """Return hourly prices around a window, for every series that *tariff* needs.

    They are the same for an hour wherever the window begins, and sometimes below zero.
    """
    hours = np.arange((start - DAY) // _HOUR, (end + DAY) // _HOUR + 1, dtype=np.int64)
    prices = hours * 7919 % 4001 - 500
    return {
        name: PriceSeries(
            name, tariff.currency, unit, hours * _HOUR, (hours + 1) * _HOUR, prices, decimals=4
        )
        for version in tariff.versions
        for charge in version.charges
        for name, unit in _needs(charge)
    }


def _needs(charge: Charge) -> Iterator[tuple[str, str]]:
    """Yield the name of each series that a charge needs, and what is priced."""
    for measure in charge.measures().values():
        for name in getattr(measure, "series", ()):
            yield name, unit_of(measure.roles[0])
