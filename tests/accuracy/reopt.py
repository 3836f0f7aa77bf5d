"""REopt (NREL): what its own tests expect, as the README of the data tells."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from energia.pricing.engine import price
from tests.accuracy import pricing
from tests.accuracy.outcomes import Outcome, Source, compared

_YEAR = 2022
_HOUR = 3600
#: The peaks of the tests of lookbacks, in kW; the other months have the base.
_BASE = 100
_PEAKS = {1: 200, 4: 400, 6: 500, 12: 300}
_RATES = (10, 10, 20, 50, 20, 10, 20, 20, 20, 20, 20, 5)
_OF_MONTHS = (300, 300, 300, 400, 300, 500, 300, 300, 300, 300, 300, 300)
_OF_RANGE = (225, 225, 225, 400, 300, 500, 375, 375, 375, 375, 375, 375)


def source(folder: Path) -> Source:
    """Price all tests."""
    outcomes = [
        percent(),
        *lookbacks(),
        _tiers(folder),
        coincident(),
        *(_leap(folder, year) for year in (2023, 2024)),
        _leap_day(folder),
    ]
    about = "lookbacks, tiers of demand, coincident peaks, leap years"
    return Source("REopt tests (reopt)", about, outcomes)


def _flags(*months: int) -> list[int]:
    return [int(month in months) for month in range(1, 13)]


def _flat(rates: Sequence[object]) -> dict[str, Any]:
    """Return a rate with a price of demand for each month."""
    distinct = list(dict.fromkeys(rates))
    return {
        "flatdemandstructure": [[{"rate": rate}] for rate in distinct],
        "flatdemandmonths": [distinct.index(rate) for rate in rates],
    }


def lookbacks() -> Iterator[Outcome]:
    """Compare what lookbacks bill: at months, and over a range of them."""
    yield _lookback("lookback months", {"lookbackmonths": _flags(1, 4, 12)}, _OF_MONTHS)
    yield _lookback("lookback range", {"lookbackrange": 6}, _OF_RANGE)


def percent() -> Outcome:
    """Compare a lookback of 35 per cent: a peak in January is billed all year."""
    cold, warm = Decimal("10.5"), Decimal("11.5")
    rate = _flat([warm if 5 <= month <= 10 else cold for month in range(1, 13)])
    rate |= {"lookbackpercent": Decimal("0.35"), "lookbackrange": 12}
    kilowatts = [1] * 8760
    kilowatts[7] = 100
    found = sum(_year(rate, kilowatts), Fraction(0))
    wanted = 100 * (cold + cold * 5 * Decimal("0.35") + warm * 6 * Decimal("0.35"))
    return compared("lookback 35 %", {"demand": [found]}, {"demand": [wanted]}, exact=True)


def _lookback(name: str, fields: Mapping[str, object], billed: Sequence[int]) -> Outcome:
    rate = _flat(_RATES) | {"lookbackpercent": 75} | dict(fields)
    before = {f"{_YEAR - 1}-{at:02}": str(_PEAKS.get(at, _BASE)) for at in range(1, 13)}
    kilowatts = [_BASE] * 8760
    for month, peak in _PEAKS.items():
        kilowatts[(pricing.instant(_YEAR, month, 10) - pricing.instant(_YEAR)) // _HOUR] = peak
    found = _year(rate, kilowatts, {"demand_flat": {"peaks": _by_period(rate, before)}})
    wanted = [kw * price_ for kw, price_ in zip(billed, _RATES, strict=True)]
    return compared(name, {"demand": found}, {"demand": wanted}, exact=True)


def _by_period(rate: Mapping[str, Any], peaks: Mapping[str, str]) -> dict[str, Any]:
    """Return the peaks of months whose demand is that of one period, by month."""
    return {
        month: {f"period_{rate['flatdemandmonths'][int(month[-2:]) - 1]}": peak}
        for month, peak in peaks.items()
    }


def _year(
    rate: Mapping[str, Any], kilowatts: Sequence[int], state: Mapping[str, Any] | None = None
) -> list[Fraction]:
    usage = _usage(_YEAR, kilowatts)
    body = pricing.document(rate, demand_interval=60)
    return pricing.totals(pricing.monthly(body, usage, _YEAR, state))


def _usage(year: int, kilowatts: Sequence[object]) -> dict[str, Any]:
    micro = [round(Fraction(str(value)) * 10**6) for value in kilowatts]
    return {"import": pricing.series(pricing.instant(year), _HOUR, micro)}


def _tiers(folder: Path) -> Outcome:
    given = pricing.read(folder / "tiered_energy_demand.json")["ElectricTariff"]["urdb_response"]
    first, second = given["demandratestructure"][0]
    power = Fraction(1_000_000, 8760)
    usage = {"import": pricing.series(pricing.instant(_YEAR), _HOUR, [round(power * 10**6)] * 8760)}
    costs = pricing.monthly(pricing.document(given, demand_interval=60), usage, _YEAR)
    found = sum(pricing.parts(costs, "demand_tou"), Fraction(0))
    low, high = (Fraction(str(one["rate"])) for one in (first, second))
    bound = Fraction(str(first["max"]))
    wanted = 12 * (bound * low + (power - bound) * high)
    return compared("tiers of demand", {"demand": [found]}, {"demand": [wanted]})


def coincident() -> Outcome:
    """Price a constant kilowatt at two peaks, of 10 and of 5 for a kilowatt: 15."""
    rate = {"coincidentratestructure": [[{"rate": 10}], [{"rate": 5}]], "fixedchargefirstmeter": 0}
    tariff = pricing.tariff(pricing.document(rate))
    events = {
        f"coincident_events_{index}": [
            {"start": _utc(month, 12), "end": _utc(month, 15), "name": "peak"}
        ]
        for index, month in enumerate((3, 7))
    }
    start, end = pricing.instant(_YEAR), pricing.instant(_YEAR + 1)
    cost = price(tariff.filled(events), _usage(_YEAR, [1] * 8760), start, end)
    return compared("coincident peaks", {"cost": [cost.total]}, {"cost": [15]}, exact=True)


def _utc(month: int, hour: int) -> str:
    return datetime(_YEAR, month, 5, hour, tzinfo=UTC).isoformat()


def _leap(folder: Path, year: int) -> Outcome:
    """Price one kWh on 3 March at 16:00, or the day after where the year has no 29 February."""
    rate = pricing.read(folder / "leap_year.json")["ElectricTariff"]["urdb_response"]
    hour = 31 * 24 + 29 * 24 + 3 * 24 + 15
    day = datetime.fromtimestamp(pricing.instant(year) + hour * _HOUR, UTC)
    table = "energyweekendschedule" if day.weekday() > 4 else "energyweekdayschedule"
    period = rate[table][day.month - 1][day.hour]
    kilowatts = [0] * (8784 if year % 4 == 0 else 8760)
    kilowatts[hour] = 1
    costs = pricing.monthly(
        pricing.document(rate, demand_interval=60), _usage(year, kilowatts), year
    )
    found = sum(pricing.parts(costs, "energy"), Fraction(0))
    wanted = rate["energyratestructure"][period][0]["rate"]
    return compared(f"leap year {year}", {"energy": [found]}, {"energy": [wanted]}, exact=True)


def _leap_day(folder: Path) -> Outcome:
    """Price a peak on hour 31 * 24 + 28 * 24: 29 February in 2024, 1 March in 2023."""
    rate = pricing.read(folder / "leap_year.json")["ElectricTariff"]["urdb_response"]
    found: list[Fraction] = []
    for year, hours in ((2024, 8784), (2023, 8760)):
        kilowatts = [0] * hours
        kilowatts[31 * 24 + 28 * 24] = 1
        body = pricing.document(rate, demand_interval=60)
        flat = pricing.parts(pricing.monthly(body, _usage(year, kilowatts), year), "demand_flat")
        found += flat[1:3]
    price_ = Decimal("18.05")
    wanted = [price_, 0, 0, price_]
    return compared("29 February", {"flat demand": found}, {"flat demand": wanted}, exact=True)
