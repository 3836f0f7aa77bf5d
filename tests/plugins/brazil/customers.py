"""Customers of distributors, and what they pay for a register that is read once a bill."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from energia import Invalid, structure
from energia.metering.series import ACTUAL, ChannelGrid, Series
from energia.metering.stretches import Stretch, laid
from energia.pricing.engine import Cost, price
from energia.pricing.exact import rounded
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from energia.time import HOUR, Instant
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.request import BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.tables import tables
from tests.core.pricing.documents import read, series

DAY: Final = timedelta(days=1)
DATA: Final = Path(__file__).parents[2] / "data"
BILLS: Final = DATA / "brazil-bills"
ANEEL: Final = DATA / "brazil-aneel"


def made(**request: Any) -> BrazilianTariff:
    """Return what is answered to a request; `class` and `from` are written `class_` and `from_`."""
    said = {name.rstrip("_"): value for name, value in request.items()}
    return brazilian_tariff(structure(said, TariffRequest), tables())


def tariff(**request: Any) -> Tariff:
    """Return the tariff of a request."""
    return read(made(**request).tariff)


def flat(amount: str) -> dict[str, Any]:
    """Return what a municipality charges that is in no table, for `overrides.lighting`."""
    return {"kind": "fixed", "amount": amount, "per": "bill"}


def midnights(of: Tariff, first: date, last: date) -> tuple[Instant, Instant]:
    """Return when the first day begins, and when the last is over."""
    return of.zone.midnight(first), of.zone.midnight(last + DAY)


def once(kwh: object, start: Instant, end: Instant) -> Series:
    """Return what a register measured that was read at the start and at the end."""
    micro = int(Fraction(str(kwh)) * 1_000_000)
    return laid([Stretch(start, end, micro, ACTUAL)], ChannelGrid(HOUR), start, end)


def bill(
    of: Tariff,
    kwh: object,
    reading: tuple[str, str],
    state: Mapping[str, Any] | None = None,
    **parameters: object,
) -> Cost:
    """Price a bill of a register.

    Args:
        of: The tariff.
        kwh: What was used, or that of each role.
        reading: The day of the reading before, which is not in the bill, and that of the reading,
            which is.
        state: What charges remember of the bill before.
        parameters: What the contract says.

    """
    before, last = map(date.fromisoformat, reading)
    start, end = midnights(of, before + DAY, last)
    used = kwh if isinstance(kwh, Mapping) else {"import": kwh}
    usage = {role: once(each, start, end) for role, each in used.items()}
    return price(of.filled(parameters), usage, start, end, Terms(state=state or {}))


def amounts(cost: Cost) -> dict[str, Decimal]:
    """Return the amounts of lines by their codes: those of several versions together."""
    found: dict[str, Decimal] = {}
    for line in cost.lines:
        found[line.code] = found.get(line.code, Decimal(0)) + Decimal(line.amount)
    return found


def told(cost: Cost, name: str) -> Decimal:
    """Return what a tax is, of all lines, which its lines tell: to the centavo."""
    parts = [
        Fraction(line.quantity_exact or line.quantity or 0)
        for line in cost.lines
        if line.code == f"tributos.{name}"
    ]
    return Decimal(rounded(sum(parts, Fraction(0)), 2, "half_up")) / 100


def printed(name: str) -> dict[str, Any]:
    """Return the figures of a real bill."""
    found: dict[str, Any] = json.loads((BILLS / f"{name}.json").read_text())
    return found


def hourly(of: Tariff, kwh: Callable[[datetime], object], first: date, last: date) -> Cost:
    """Price days of which each hour's kWh are given for the local time at which it begins."""
    start, end = midnights(of, first, last)
    used = [
        int(Fraction(str(kwh(of.zone.datetime(at)))) * 1_000_000) for at in range(start, end, HOUR)
    ]
    return price(of, {"import": series(start, HOUR, used)}, start, end)


def refused(**request: Any) -> dict[str, str | None]:
    """Return what is refused of a request: its code, pointer and message."""
    with pytest.raises(Invalid) as error:
        made(**request)
    (fault,) = error.value.faults
    return {"code": fault.code, "pointer": fault.pointer, "message": fault.message}
