"""Customers of Brazil's distributors, and their bills from the generator."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from energia.convert import structure
from energia.metering.series import Series
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.request import BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.tables import tables
from tests.core.pricing.documents import CONVERTER, instant, series

#: Real bills, by the names of their files.
BILLS: Final = Path(__file__).parents[2] / "data" / "brazil-bills"
DAY: Final = 86_400
MICRO: Final = 1_000_000


def printed(name: str) -> dict[str, Any]:
    """Return a real bill."""
    body: dict[str, Any] = json.loads((BILLS / f"{name}.json").read_text(encoding="utf-8"))
    return body


def made(**request: Any) -> BrazilianTariff:
    """Return the tariff of a request, of the bundled tables."""
    return brazilian_tariff(structure(request, TariffRequest), tables())


def read(tariff: BrazilianTariff, parameters: Mapping[str, object] | None = None) -> Tariff:
    """Return a tariff as the core reads it."""
    return CONVERTER.structure(tariff.tariff, Tariff).filled(parameters or {})


def midnight(day: str | date) -> int:
    """Return when a day begins in São Paulo, in the years without summer time."""
    return instant(f"{day}T00:00:00-03:00")


def bill(
    tariff: BrazilianTariff,
    readings: tuple[str, str],
    kwh: object,
    injected: object = 0,
    state: Mapping[str, Any] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> Cost:
    """Price energy between two readings: from the day after the first to the day of the second."""
    start, end = (midnight(date.fromisoformat(day) + timedelta(1)) for day in readings)
    usage = {"import": _month(start, end, kwh), "export": _month(start, end, injected)}
    return price(read(tariff, parameters), usage, start, end, Terms(state=state or {}))


def _month(start: int, end: int, kwh: object) -> Series:
    """Return a register that is read once, spread evenly over its days."""
    days, micro = (end - start) // DAY, int(Fraction(str(kwh)) * MICRO)
    return series(start, DAY, [micro * (n + 1) // days - micro * n // days for n in range(days)])


def amounts(cost: Cost) -> dict[str, Fraction]:
    """Return the amounts of the lines that have one, by code."""
    found = {line.code: Fraction(line.amount) for line in cost.lines if Fraction(line.amount)}
    assert len(found) == sum(1 for line in cost.lines if Fraction(line.amount))
    return found
