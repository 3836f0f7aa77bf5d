"""Imports documents and prices usage, as the service does."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from energia import ImportOptions, convert
from energia.costing.groups import price_groups
from energia.metering.series import ACTUAL, Series
from energia.plugins import Plugins
from energia.pricing.engine import Cost
from energia.pricing.importing import imported
from energia.pricing.market.series import PriceSeries
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms

#: The year of most sources: it begins on a Monday and has 365 days.
YEAR = 2018
_PLUGINS = Plugins.installed()
CONVERTER = tariff_converter(_PLUGINS.charges())


def read(path: Path) -> Any:
    """Return a JSON file, decimals as Decimal."""
    return convert.parse(path.read_bytes())


def document(source: object, format_: str = "urdb", **options: Any) -> dict[str, Any]:
    """Return the tariff document that is made of *source*, in UTC unless told otherwise."""
    if "demand_interval" in options:
        options["demand_interval"] = timedelta(minutes=options["demand_interval"])
    asked = ImportOptions(**{"timezone": "UTC", **options})
    importer = _PLUGINS.tariff_importers()[format_]
    found: dict[str, Any] = CONVERTER.unstructure(
        imported(importer, source, asked, CONVERTER).tariff
    )
    return found


def tariff(body: Mapping[str, Any]) -> Tariff:
    """Return the tariff of a document."""
    return CONVERTER.structure(body, Tariff)


def undated(rate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rate that is in force at all times."""
    return {name: value for name, value in rate.items() if name not in ("startdate", "enddate")}


def instant(year: int, month: int = 1, day: int = 1) -> int:
    """Return a midnight in UTC."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def months(year: int = YEAR) -> list[int]:
    """Return the bounds of the months of a year."""
    return [*(instant(year, month) for month in range(1, 13)), instant(year + 1)]


def series(start: int, interval: int, micro: Sequence[int]) -> Series:
    """Return actual readings, in micro-kWh, of slots of *interval* seconds."""
    values = np.array(micro, np.int64)
    return Series(start, interval, values, np.full(len(values), ACTUAL, np.int8))


@cache
def watt_hours(path: Path) -> tuple[int, ...]:
    """Return whole Wh, as micro-kWh."""
    return tuple(int(line) * 1000 for line in path.read_text().split()[1:])


@cache
def kilowatts(path: Path, interval: int, scale: int = 1) -> tuple[int, ...]:
    """Return the energy of slots of *interval* minutes, times *scale*, rounded to micro-kWh."""
    micro = Fraction(interval * scale * 10**6, 60)
    return tuple(round(Fraction(line) * micro) for line in path.read_text().split()[1:])


def monthly(
    body: Mapping[str, Any],
    usage: Mapping[str, Series],
    year: int = YEAR,
    state: Mapping[str, Any] | None = None,
    prices: Mapping[str, PriceSeries] | None = None,
) -> list[Cost]:
    """Return the bills of the months of a year."""
    terms = Terms(state=dict(state or {}), prices=dict(prices or {}))
    return [group.cost for group in price_groups(tariff(body), usage, months(year), terms)]


def parts(costs: Sequence[Cost], *codes: str) -> list[Fraction]:
    """Return, for each bill, the sum of the lines of the charges with these codes."""
    return [sum(_amounts(cost, codes), Fraction(0)) for cost in costs]


def _amounts(cost: Cost, codes: Sequence[str]) -> Iterator[Fraction]:
    for line, detail in zip(cost.lines, cost.details, strict=True):
        if detail.charge in codes:
            yield Fraction(line.exact)


def totals(costs: Sequence[Cost]) -> list[Fraction]:
    """Return the total of each bill."""
    return [Fraction(cost.total) for cost in costs]
