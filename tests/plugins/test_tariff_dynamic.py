"""The charge `energy.dynamic`: a price for each slot."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from energia.errors import IncompletePrices
from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.market.series import Price, PriceSeries
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from energia_plugins import tariff_dynamic, tariff_flat, tariff_tax
from tests.core.pricing.documents import document, faults, instant, line, series
from tests.core.pricing.markets import market
from tests.imports import ROOT

CONVERTER = tariff_converter(
    Plugins.of(
        tariff_dynamic=tariff_dynamic,
        tariff_flat=tariff_flat,
        tariff_tax=tariff_tax,
    ).charges()
)
LOADS = ROOT / "tests/data/pysam/loads"
SPOT = {"kind": "energy.dynamic", "series": "spot"}
DAY = "2026-03-02T00:00:00+00:00"
HOUR = 3600
#: What PySAM charges for each month of c052, and of c053, whose series takes the place of rates.
C052 = (
    *(50.553469875, 48.063922108, 62.467343361, 72.86733798, 86.765805721, 96.559236533),
    *(100.354659297, 99.930595762, 90.737867643, 79.438724162, 60.541861647, 53.64589305),
)


def tariff(*charges: Mapping[str, Any], zone: str = "UTC", **version: Any) -> Tariff:
    """Return a tariff that does not round, unless told to."""
    version = {"rounding": {"amount_decimals": None}, **version}
    return CONVERTER.structure(document(charges, zone, **version), Tariff)


def cost(
    prices: PriceSeries,
    values: list[int],
    interval: int = HOUR,
    *,
    charge: Mapping[str, Any] = SPOT,
    start: str = DAY,
    zone: str = "UTC",
    **version: Any,
) -> Cost:
    """Price readings in micro-kWh from *start* on."""
    usage = series(start, interval, values)
    terms = Terms(prices={prices.name: prices})
    asked = tariff(charge, zone=zone, **version)
    return price(asked, {"import": usage}, usage.start, usage.end, terms)


def column(name: str) -> list[int]:
    """Return the numbers of a file with a header."""
    return [int(text) for text in (LOADS / name).read_text().split()[1:]]


def year() -> PriceSeries:
    """Return the prices of the pysam cases: one for each hour of 2018."""
    starts = instant("2018-01-01T00:00:00Z") + HOUR * np.arange(8760)
    prices = np.array(column("spot_micro_usd_per_kwh_h.csv"), np.int64)
    return PriceSeries("spot", "USD", "kWh", starts, starts + HOUR, prices, 6)


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_dynamic=tariff_dynamic).charges()) == ["energy.dynamic"]


def test_months_are_those_of_another_engine() -> None:
    """PySAM, c052: a year of hourly prices, some negative; the steps are the months."""
    values = [watt_hours * 1000 for watt_hours in column("res_h.csv")]

    found = cost(year(), values, start="2018-01-01T00:00:00Z")

    steps = found.details[0].steps
    assert [step.description for step in steps] == [f"2018-{n:02}" for n in range(1, 13)]
    assert [float(step.value) for step in steps] == pytest.approx(C052, rel=1e-9)
    assert sum(Fraction(step.value) for step in steps) == Fraction(found.lines[0].exact)


def test_an_hourly_price_holds_for_all_its_quarters() -> None:
    """PySAM, c055, as its README corrects it."""
    values = [watt_hours * 1000 for watt_hours in column("res_15.csv")]

    found = cost(year(), values, 900, start="2018-01-01T00:00:00Z")

    assert found.total == "899.227666765"


def test_finer_prices_are_averaged_by_time() -> None:
    """Quarters of 0.10, 0.20, 0.30 and 0.41: an hour at 0.2525; it is told."""
    quarters = market(DAY, 900, ["0.10", "0.20", "0.30", "0.41"])

    found = cost(quarters, [2_000_000])

    assert found.total == "0.505"
    assert [(one.code, one.slots) for one in found.assumptions] == [("prices_averaged", 1)]


def test_a_mean_that_does_not_end_is_exact() -> None:
    """Twenty minutes at 0.1 and forty at 0.2 are 1/6 for an hour."""
    begin = instant(DAY)
    uneven = PriceSeries.of(
        "spot",
        "USD",
        "kWh",
        [
            Price(begin, begin + 1200, Decimal("0.1")),
            Price(begin + 1200, begin + 3600, Decimal("0.2")),
        ],
    )

    assert cost(uneven, [1_000_000]).lines[0].exact == "1/6"


def test_averaging_can_be_refused() -> None:
    """The meter is too coarse for what is sold."""
    quarters = market(DAY, 900, ["0.10", "0.20", "0.30", "0.41"])
    charge = {**SPOT, "finer": "refuse"}

    assert faults(lambda: cost(quarters, [1], charge=charge)) == {None: "prices_too_fine"}
    assert cost(market(DAY, HOUR, ["0.1"]), [1_000_000], charge=charge).total == "0.1"


def test_missing_prices_are_refused_and_named() -> None:
    """No price is guessed: neither in a gap nor beyond the last one."""
    gaps = market(DAY, HOUR, ["0.1", None, None, "0.1"])

    with pytest.raises(IncompletePrices) as refused:
        cost(gaps, [1_000_000] * 6)

    assert [(one.code, one.message) for one in refused.value.faults] == [
        (
            "missing_price",
            "spot: no price from 2026-03-02T01:00:00Z to 2026-03-02T03:00:00Z (2 slots)",
        ),
        (
            "missing_price",
            "spot: no price from 2026-03-02T04:00:00Z to 2026-03-02T06:00:00Z (2 slots)",
        ),
    ]


def test_a_slot_that_prices_cover_in_part_has_none() -> None:
    """Half an hour of prices is no price of an hour."""
    with pytest.raises(IncompletePrices):
        cost(market(DAY, 1800, ["0.1"]), [1_000_000])


@pytest.mark.parametrize(
    ("spot", "expected"),
    [("0.10", "0.125"), ("-0.20", "0.01"), ("-0.02", "0.01"), ("0.90", "0.5"), ("0.2", "0.23")],
)
def test_the_multiplier_comes_first_then_the_adder_then_the_bounds(
    spot: str, expected: str
) -> None:
    """1.05 x spot + 0.02, at least 0.01, at most 0.50."""
    bounds = {"multiplier": "1.05", "adder": "0.02", "floor": "0.01", "cap": "0.50"}

    found = cost(market(DAY, HOUR, [spot]), [1_000_000], charge={**SPOT, **bounds})

    assert found.total == expected


def test_negative_prices_are_paid_out() -> None:
    """Who uses energy at -0.05 gets money."""
    assert cost(market(DAY, HOUR, ["-0.05"]), [2_000_000]).total == "-0.1"


def test_the_price_of_each_slot_is_rounded_before_it_is_multiplied() -> None:
    """0.12345 and 0.12355 at four decimals: 0.1235 + 0.1236, not twice the mean."""
    rounding = {"unit_price_decimals": 4, "amount_decimals": None}

    found = cost(market(DAY, HOUR, ["0.12345", "0.12355"]), [1_000_000] * 2, rounding=rounding)

    assert found.total == "0.2471"


def test_an_amount_beyond_64_bits_is_exact() -> None:
    """Prices of thirty decimals times the largest readings."""
    tiny = "0.123456789012345678901234567891"

    found = cost(market(DAY, HOUR, [tiny, tiny]), [10**15, 10**15])

    assert Fraction(found.lines[0].exact) == Fraction(tiny) * 2 * 10**9


def test_days_are_those_of_the_tariffs_zone() -> None:
    """The 25 hours of a day in Madrid are one step, which tells its mean price."""
    start = "2021-10-31T00:00:00+02:00"
    hours = market(start, HOUR, ["0.1"] * 13 + ["0.3"] * 12)

    found = cost(hours, [1_000_000] * 25, start=start, zone="Europe/Madrid")

    (step,) = found.details[0].steps
    assert step.description == "2021-10-31"
    assert step.expression == "25 kWh x 0.196, on average of 25 slots"
    assert Fraction(step.value) == Fraction("4.9")


def test_a_day_without_energy_costs_nothing_and_says_how() -> None:
    """There is no mean price of nothing."""
    found = cost(market(DAY, HOUR, ["0.1"]), [0], charge={**SPOT, "adder": "-0.02"})

    (step,) = found.details[0].steps
    assert (step.expression, found.total) == ("0 kWh in 1 slots at spot - 0.02", "0")


def test_a_grid_fee_and_a_tax_stack_on_it() -> None:
    """(0.05 + 0.10) for each of 10 kWh, and a fifth on top of both."""
    vat = {"name": "vat", "rate": "0.2"}
    charges: list[Mapping[str, Any]] = [
        {"kind": "energy.flat", "code": "grid", "rate": "0.05"},
        SPOT,
        {"kind": "tax", "taxes": [vat], "form": "add_on", "show": "lines"},
    ]
    usage = series(DAY, HOUR, [10_000_000])
    terms = Terms(prices={"spot": market(DAY, HOUR, ["0.10"])})

    found = price(tariff(*charges), {"import": usage}, usage.start, usage.end, terms)

    assert [line(found, code).amount for code in ("grid", "energy.dynamic")] == ["0.5", "1"]
    assert found.total == "1.8"


#: Norway's support: 90 % of what an hour costs above 0.75 (case c56).
SUPPORT = {**SPOT, "multiplier": "-0.9", "adder": "0.675", "cap": "0"}


def test_a_support_may_end_with_an_amount_of_energy() -> None:
    """2, 2, 2 and 2 kWh, of which 2 + 0 + 1 are within 5: 0.9 x (2 x 1.5299 + 1 x 0.15)."""
    prices = market(DAY, HOUR, ["2.2799", "0.70", "0.9", "-0.05"])
    values = [2_000_000] * 4

    whole = cost(prices, values, charge=SUPPORT)
    limited = cost(prices, values, charge={**SUPPORT, "up_to": "5"})

    assert whole.total == "-3.02382"
    assert limited.total == "-2.88882"
    assert line(limited, "energy.dynamic").quantity == "5"


@pytest.mark.parametrize(
    ("band", "quantity", "total"),
    [
        ({"up_to": "2.5", "cap": "0.4"}, "2.5", "0.8"),
        ({"above": "2.5"}, "1.5", "1.1"),
        ({"above": "1", "up_to": "2.5"}, "1.5", "0.7"),
        ({"up_to": "9"}, "4", "2"),
        ({"above": "9"}, "0", "0"),
    ],
)
def test_a_cap_may_be_of_a_part_of_the_energy(
    band: dict[str, str], quantity: str, total: str
) -> None:
    """A kWh each at 0.2, 0.4, 0.6 and 0.8; the third is cut in halves."""
    found = cost(market(DAY, HOUR, ["0.2", "0.4", "0.6", "0.8"]), [10**6] * 4, charge=SPOT | band)

    assert (line(found, "energy.dynamic").quantity, found.total) == (quantity, total)


def test_bands_of_a_month_begin_again_with_it() -> None:
    """Of 31 January and 1 February each has its day's part: 31 kWh / 31 and 28 kWh / 28 at most."""
    start = "2026-01-31T00:00:00+00:00"
    charge = SPOT | {"up_to": "28", "reset": "month"}

    found = cost(market(start, HOUR, ["1"] * 48), [10**6] * 48, charge=charge, start=start)

    (detail,) = found.details
    assert [(each.description, Fraction(each.value)) for each in detail.steps] == [
        ("2026-01-31", Fraction(903225, 10**6)),  # 28/31, in whole micro-units
        ("2026-02-01", Fraction(1)),
    ]
    assert [each.code for each in found.assumptions] == ["prorated_by_days"]


def test_bands_add_up_to_all_of_the_energy() -> None:
    """What is above and what is up to an amount cost together what all costs."""
    values = np.random.default_rng(11).integers(-(10**6), 3 * 10**6, 96).tolist()
    prices = market(DAY, HOUR, [str(Decimal(value) / 10**7) for value in values])

    parts = [
        Fraction(cost(prices, values, charge=SPOT | band).total)
        for band in ({"up_to": "17.3"}, {"above": "17.3", "up_to": "40"}, {"above": "40"})
    ]

    assert sum(parts) == Fraction(cost(prices, values).total)


@pytest.mark.parametrize(
    ("band", "pointer", "code"),
    [
        ({"above": "5", "up_to": "5"}, "/up_to", "empty_band"),
        ({"reset": "month"}, "/reset", "unused_field"),
        ({"above": "-1"}, "/above", "out_of_range"),
        ({"up_to": "0"}, "/up_to", "out_of_range"),
    ],
)
def test_bands_that_cannot_be_are_refused(band: dict[str, str], pointer: str, code: str) -> None:
    """Each fault has its place."""
    found = faults(lambda: tariff(SPOT | band))

    assert found == {f"/versions/0/charges/0{pointer}": code}
