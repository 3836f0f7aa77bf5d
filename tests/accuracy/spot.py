"""Cases of PySAM with an hourly price series, which takes the place of the rate's energy."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from energia.pricing.market.series import Price, PriceSeries
from tests.accuracy import pricing
from tests.accuracy.outcomes import Outcome, compared

_HOUR = 3600
#: What the year of c055 costs: SAM takes the price of the next hour for three of four quarters.
CORRECT = {"c055": "899.227666765"}


def body(imported: dict[str, Any]) -> dict[str, Any]:
    """Return the tariff with the series in the place of its price of energy."""
    (version,) = imported["versions"]
    rest = [one for one in version["charges"] if one["code"] != "energy"]
    energy = {"kind": "energy.dynamic", "code": "energy", "series": "spot"}
    return {**imported, "versions": [{**version, "charges": [energy, *rest]}]}


def prices(inputs: Mapping[str, Any]) -> dict[str, PriceSeries]:
    """Return the series of a case."""
    start = pricing.instant(pricing.YEAR)
    listed = [
        Price(start + hour * _HOUR, start + (hour + 1) * _HOUR, Decimal(price))
        for hour, price in enumerate(inputs["ur_ts_buy_rate"])
    ]
    return {"spot": PriceSeries.of("spot", "USD", "kWh", listed)}


def corrected(name: str, energy: list[Fraction]) -> Outcome:
    """Compare the year of a case with what the README of the data tells."""
    found = {"energy of the year": [sum(energy, Fraction(0))]}
    return compared(name, found, {"energy of the year": [CORRECT[name]]})
