"""Prices what was drawn by the engine and by hand, and tells where they differ."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np

from energia.costing.groups import price_groups
from energia.errors import EnergiaError
from energia.metering.series import ACTUAL, Series
from energia.plugins import Plugins
from energia.pricing.engine import Cost
from energia.pricing.market.series import Price, PriceSeries
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from tests.accuracy.by_hand.bill import Bill, bills
from tests.accuracy.by_hand.drawn import Drawn
from tests.accuracy.by_hand.model import Site
from tests.accuracy.by_hand.smaller import smaller

_CONVERTER = tariff_converter(Plugins.installed(hook="register_charges").charges())


def differences(drawn: Drawn) -> list[str]:
    """Return how the bills of the engine differ from those by hand: nothing, if all is well."""
    tariff = _CONVERTER.structure(drawn.tariff, Tariff)
    terms = Terms(prices=_prices(drawn.site, drawn.tariff["currency"]))
    groups = price_groups(tariff, _usage(drawn.site), drawn.bounds, terms)
    by_hand = bills(drawn.tariff, drawn.site, drawn.bounds)
    return [
        f"bill {index + 1}: {difference}"
        for index, (group, bill) in enumerate(zip(groups, by_hand, strict=True))
        for difference in compared(group.cost, bill)
    ]


def shown(drawn: Drawn) -> str:
    """Return a tariff that differs as small as it may be, its read days and its differences."""
    least = smaller(drawn, _differs)
    there = ZoneInfo(least.site.zone)
    read_days = [datetime.fromtimestamp(bound, there).isoformat() for bound in least.bounds]
    return "\n".join(
        [
            f"seed {drawn.seed}: python -m tests.accuracy.by_hand {drawn.seed}",
            f"smaller: {json.dumps(least.tariff)}",
            f"read days: {', '.join(read_days)}; slots of {least.site.interval} s",
            *differences(least),
        ]
    )


def _differs(drawn: Drawn) -> bool:
    try:
        return bool(differences(drawn))
    except (EnergiaError, LookupError):
        return False  # What is taken away was needed.


def _usage(site: Site) -> Mapping[str, Series]:
    return {
        role: Series(
            site.start,
            site.interval,
            np.array(values, np.int64),
            np.full(len(values), ACTUAL, np.int8),
        )
        for role, values in site.readings.items()
    }


def _prices(site: Site, currency: str) -> Mapping[str, PriceSeries]:
    return {
        name: PriceSeries.of(
            name,
            currency,
            "kWh",
            [Price(price.start, price.end, _decimal(price.price)) for price in prices],
        )
        for name, prices in site.prices.items()
    }


def _decimal(price: Fraction) -> Decimal:
    return Decimal(price.numerator) / Decimal(price.denominator)


def compared(cost: Cost, bill: Bill) -> Iterator[str]:
    """Yield what is not the same: exact and rounded amounts of lines, and the total."""
    first = next((version for _, version in bill.exact), "")
    exact: dict[tuple[str, str], Fraction] = {}
    amounts: dict[tuple[str, str], Fraction] = {}
    for line in cost.lines:
        if line.code != "rounding":
            key = line.code, line.version.isoformat() if line.version else first
            exact[key], amounts[key] = Fraction(line.exact), Fraction(line.amount)
    yield from _unlike("exact", exact, bill.exact)
    if bill.amounts is not None:
        yield from _unlike("amount", amounts, bill.amounts)
    if Fraction(cost.total) != bill.total:
        yield f"total: {cost.total}, by hand {_text(bill.total)}"


def _unlike(
    what: str,
    ours: Mapping[tuple[str, str], Fraction],
    by_hand: Mapping[tuple[str, str], Fraction],
) -> Iterator[str]:
    """Yield the lines that differ; one that is missing is one of no amount."""
    for key in dict.fromkeys([*ours, *by_hand]):
        here, there = ours.get(key, Fraction(0)), by_hand.get(key, Fraction(0))
        if here != there:
            yield f"{what} of {' from '.join(key)}: {_text(here)}, by hand {_text(there)}"


def _text(value: Fraction) -> str:
    return f"{value} ({float(value):.6f})"
