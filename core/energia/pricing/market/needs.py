"""Which series the charges of a tariff need, and whether those at hand fit."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from energia.errors import Fault, Invalid
from energia.pricing.charges import Charge, measures_of
from energia.pricing.market.series import PriceSeries

if TYPE_CHECKING:
    from energia.pricing.tariffs import Version


def series_of(versions: Collection["Version"]) -> tuple[str, ...]:
    """Return the names of the series that the charges of *versions* need, in their order."""
    return tuple(dict.fromkeys(name for version in versions for name in version.series))


def named(charges: Iterable[Charge]) -> tuple[str, ...]:
    """Return the names of the series that *charges* need: `series` of their measures."""
    measures = (measure for charge in charges for measure in measures_of(charge).values())
    return tuple(dict.fromkeys(name for measure in measures for name in measure.series))


def refuse_unfit(names: Iterable[str], prices: Mapping[str, PriceSeries], currency: str) -> None:
    """Refuse series that are not there, or in another currency than the tariff; all of them.

    Raises:
        Invalid: With faults `unknown_price_series` and `wrong_currency`.

    """
    faults = list[Fault]()
    for name in names:
        if name not in prices:
            message = f"there is no price series {name!r}"
            faults.append(Fault("unknown_price_series", message))
        elif prices[name].currency != currency:
            message = f"{name!r} has prices in {prices[name].currency}, the tariff in {currency}"
            faults.append(Fault("wrong_currency", message))
    if faults:
        raise Invalid.of_all(faults)
