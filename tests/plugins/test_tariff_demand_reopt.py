"""The charge `demand`: what REopt charges, by its tests (NREL/REopt.jl, Apache-2.0)."""

from fractions import Fraction
from typing import Any

import pytest

from energia.metering.series import Series
from energia.pricing.engine import price
from tests.core.pricing.documents import instant, series, tariff
from tests.plugins.test_tariff_demand import FIRSTS, exact, months


def stepped(base: int, peaks: dict[int, int]) -> Series:
    """Return a year of *base* kW, but for an hour at noon of the fifth day of some months."""
    values = [base * 10**6] * 8760
    for month, peak in peaks.items():
        values[(FIRSTS[month - 1] - FIRSTS[0]) // 3600 + 4 * 24 + 12] = peak * 10**6
    return series("2018-01-01T00:00:00Z", 3600, values)


def test_a_lookback_of_35_percent_is_what_reopt_charges() -> None:
    """100 (10.5 + 0.35 x 10.5 x 5 + 0.35 x 11.5 x 6): a peak in January is billed all year."""
    charge = {
        "schedule": {
            "default": "cold",
            "rules": [{"period": "warm", "season": {"from": "05-01", "to": "10-31"}}],
        },
        "rates": {"cold": "10.5", "warm": "11.5"},
    }
    usage = stepped(1, {1: 100})
    flat = {"rate": "1", "ratchet": {"percent": "35"}}

    billed = exact(months(usage, flat))

    assert billed == [100] + [35] * 11
    rates = [Fraction("11.5" if 5 <= month <= 10 else "10.5") for month in range(1, 13)]
    expected = 100 * (Fraction("10.5") * (1 + Fraction("0.35") * 5) + Fraction("0.35") * 69)
    assert sum(rate * kw for rate, kw in zip(rates, billed, strict=True)) == expected
    assert [line.period for line in months(usage, charge)[5].lines] == ["warm"]


@pytest.mark.parametrize(
    ("ratchet", "billed"),
    [
        (
            {"months": [1, 4, 12]},
            [300, 300, 300, 400, 300, 500, 300, 300, 300, 300, 300, 300],
        ),
        ({"back": 6}, [225, 225, 225, 400, 300, 500, 375, 375, 375, 375, 375, 375]),
    ],
)
def test_lookback_months_and_ranges_are_what_reopt_bills(
    ratchet: dict[str, Any], billed: list[int]
) -> None:
    """75 % of the highest peak of January, April and December, or of six months before.

    The year before had the same peaks.
    """
    peaks = {1: 200, 4: 400, 6: 500, 12: 300}
    before = {f"2017-{month:02}": str(peaks.get(month, 100)) for month in range(1, 13)}
    charge = {"rate": "1", "ratchet": {"percent": "75", **ratchet}}

    assert exact(months(stepped(100, peaks), charge, {"peaks": before})) == billed


@pytest.mark.parametrize(("year", "weekday"), [(2023, False), (2024, True)])
def test_leap_days_move_the_days_of_the_week(year: int, weekday: bool) -> None:
    """The hour 31 x 24 + 29 x 24 + 3 x 24 + 16 is a Sunday in 2023 and a Monday in 2024."""
    values = [0] * (8784 if year == 2024 else 8760)
    values[31 * 24 + 29 * 24 + 3 * 24 + 15] = 100 * 10**6
    hours = {"days": ["weekday"], "from": "14:00", "to": "20:00"}
    charge = {
        "kind": "demand",
        "interval": "PT1H",
        "schedule": {"default": "rest", "rules": [{"period": "peak", **hours}]},
        "rates": {"peak": "10", "rest": "0"},
    }
    usage = series(f"{year}-01-01T00:00:00Z", 3600, values)
    march = instant(f"{year}-03-01T00:00:00Z"), instant(f"{year}-04-01T00:00:00Z")

    found = price(tariff([charge]), {"import": usage}, *march)

    assert Fraction(found.total) == (1000 if weekday else 0)


def test_a_leap_day_is_of_february() -> None:
    """A peak on the 60th day of 2024 is billed in February; in 2023 that day is in March."""
    values = [0] * 8784
    values[59 * 24 + 12] = 50 * 10**6

    for year, february in ((2023, 0), (2024, 50)):
        usage = series(f"{year}-01-01T00:00:00Z", 3600, values)
        found = price(
            tariff([{"kind": "demand", "interval": "PT1H", "rate": "1"}]),
            {"import": usage},
            instant(f"{year}-02-01T00:00:00Z"),
            instant(f"{year}-03-01T00:00:00Z"),
        )
        assert Fraction(found.total) == february


def test_a_tiered_flat_load_is_what_reopt_charges() -> None:
    """1,000,000 kWh a year are 1000000/8760 kW: 100 kW at 10, the rest at 5, each month."""
    micro = 10**12 // 8760
    usage = series("2018-01-01T00:00:00Z", 3600, [micro] * 8760)

    found = sum(exact(months(usage, {"tiers": [{"up_to": "100", "rate": "10"}, {"rate": "5"}]})))

    assert abs(found - 12 * (100 * 10 + (Fraction(10**6, 8760) - 100) * 5)) < Fraction(1, 1000)
