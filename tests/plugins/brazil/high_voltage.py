"""Customers of group A, and readings every 15 minutes that give what their bills say."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from energia.convert import structure
from energia.metering.series import Series
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.request import BrazilianTariff, TariffRequest
from energia_plugins.tariff_brazil.tables import Tables, tables
from tests.core.pricing.documents import read, series

ZONE = ZoneInfo("America/Sao_Paulo")
QUARTER = 900
MICRO = 1_000_000


@attrs.frozen(kw_only=True)
class Meter:
    """What a posto measured in a bill.

    Attributes:
        kwh: Active energy.
        kw: The highest demand.
        kvarh: Reactive energy beyond the power factor.

    """

    kwh: object = 0
    kw: object = 0
    kvarh: object = 0


def made(tables_: Tables | None = None, /, **request: Any) -> BrazilianTariff:
    """Return the tariff of a request."""
    return brazilian_tariff(structure(request, TariffRequest), tables_ or tables())


def tariff_of(made: BrazilianTariff, **parameters: object) -> Tariff:
    """Return the tariff of an answer, with what a contract says."""
    return read(made.tariff).filled(parameters)


def midnight(day: str) -> int:
    """Return when a day begins in São Paulo."""
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE).timestamp())


def readings(
    days: tuple[str, str],
    postos: Mapping[str, Meter],
    ponta: tuple[float, float] = (18, 21),
    holidays: tuple[str, ...] = (),
) -> dict[str, Series]:
    """Return readings every 15 minutes of some days, the last not included.

    Args:
        days: The first day, and that after the last.
        postos: What each posto measured.
        ponta: When ponta begins and ends on working days, in hours.
        holidays: Days that are no working days.

    """
    start, end = (midnight(day) for day in days)
    quarters = [datetime.fromtimestamp(at, ZONE) for at in range(start, end, QUARTER)]
    active, reactive = [0] * len(quarters), [0] * len(quarters)
    for posto, meter in postos.items():
        own = [
            index
            for index, at in enumerate(quarters)
            if (posto == "ponta")
            == (
                at.weekday() < 5
                and f"{at.date()}" not in holidays
                and ponta[0] <= at.hour + at.minute / 60 < ponta[1]
            )
        ]
        _fill(active, reactive, own, quarters, meter)
    zero = [0] * len(quarters)
    return {
        "import": series(start, QUARTER, active),
        "reactive_energy.import": series(start, QUARTER, reactive),
        "reactive_energy.export": series(start, QUARTER, zero),
    }


def _fill(
    active: list[int],
    reactive: list[int],
    own: list[int],
    quarters: list[datetime],
    meter: Meter,
) -> None:
    """Put what a posto measured into its quarters: reactive energy into whole hours of the day."""
    hours: dict[datetime, list[int]] = {}
    for index in own:
        at = quarters[index]
        if at.hour >= 7:
            hours.setdefault(at.replace(minute=0), []).append(index)
    excess = Fraction(str(meter.kvarh)) / Fraction("0.92") * MICRO
    # So many hours that none of them has more than the demand.
    number = ceil(Fraction(str(meter.kvarh)) / Fraction(str(meter.kw)) * 2) if excess else 0
    apart = [several for several in hours.values() if len(several) == 4][:number]
    for several in apart:
        for index in several:
            reactive[index] = round(excess / len(apart) / 4)
    left = [index for index in own if not any(index in several for several in apart)]
    first, *others = left
    active[first] = int(Fraction(str(meter.kw)) / 4 * MICRO)
    each, rest = divmod(int(Fraction(str(meter.kwh)) * MICRO) - active[first], len(others))
    for number, index in enumerate(others):
        active[index] = each + (number < rest)
    assert each < active[first], "the mean is above the highest demand"


def once(days: tuple[str, str], value: object) -> Series:
    """Return what a register counted over some days, in its first hour."""
    start, end = (midnight(day) for day in days)
    micro = int(Fraction(str(value)) * MICRO)
    return series(start, 3600, [micro, *[0] * ((end - start) // 3600 - 1)])


def bill(tariff: Tariff, days: tuple[str, str], usage: Mapping[str, Series]) -> Cost:
    """Price the readings of some days, the last not included."""
    return price(tariff, usage, midnight(days[0]), midnight(days[1]))


def amounts(cost: Cost) -> dict[str, Decimal]:
    """Return the amount of each line that is not zero, by its code."""
    found = {line.code: Decimal(line.amount) for line in cost.lines}
    assert len(found) == len(cost.lines)
    return {code: amount for code, amount in found.items() if amount}
