"""What is left after netting, sold at the prices of a series."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from tests.core.pricing.documents import faults, instant, line, series, tariff
from tests.core.pricing.markets import market

QUARTER = 900
HOUR = 3600
START = "2026-05-11T10:00:00+02:00"
SPOT = {"kind": "energy.dynamic", "code": "e", "series": "s"}
SOLD = {
    "kind": "export",
    "code": "x",
    "scheme": "net_billing",
    "netting": "hour",
    "limit": "energy",
    "series": "x",
}
#: Quarters of two hours: in all 3 kWh in and 1 out, then 0.5 in and 1 out.
IMPORTED = (2, 1, 0, 0, 0, 0, 0, 0.5)
EXPORTED = (0, 0, 0.5, 0.5, 1, 0, 0, 0)


def bill(
    sold: Mapping[str, Any],
    imported: Sequence[float] = IMPORTED,
    exported: Sequence[float] = EXPORTED,
    *,
    buys: Sequence[str | None] = ("0.15", "0.10"),
    sells: Sequence[str | None] = ("0.07", "0.05"),
    length: int = HOUR,
    start: str = START,
) -> Cost:
    """Return the bill of quarters of an hour at prices for what is bought and sold."""
    usage = {
        role: series(start, QUARTER, [int(value * 10**6) for value in values])
        for role, values in (("import", imported), ("export", exported))
    }
    prices = {
        name: market(start, each, values, name=name)
        for name, values, each in (("s", buys, HOUR), ("x", sells, length))
    }
    first = instant(start)
    end = first + QUARTER * len(imported)
    return price(tariff([SPOT, sold], "Europe/Madrid"), usage, first, end, Terms(prices=prices))


def test_what_is_left_of_an_hour_has_the_price_of_the_hour() -> None:
    """Net 2 kWh bought at 0.15 and 0.5 sold at 0.05 are 0.275 (case c52b)."""
    found = bill(SOLD)

    assert found.total == "0.275"
    assert (line(found, "x").quantity, line(found, "x").amount) == ("-0.5", "-0.025")
    assert line(found, "x").rate is None


def test_the_formula_makes_the_price() -> None:
    """0.5 kWh at 0.05 x 2 - 0.02, and at most 0.03."""
    assert line(bill({**SOLD, "multiplier": "2", "adder": "-0.02"}), "x").amount == "-0.04"
    assert line(bill({**SOLD, "cap": "0.03"}), "x").amount == "-0.015"


def test_the_energy_term_is_not_below_nothing() -> None:
    """What is sold is worth 1 x 0.90, and what is bought costs 1 x 0.15: the rest is lost."""
    found = bill(SOLD, [1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], sells=("0", "0.90"))

    assert found.total == "0"
    assert line(found, "x.lost").amount == "0.75"
    free = bill(
        {**SOLD, "limit": "none"}, [1] + [0] * 7, [0] * 4 + [1, 0, 0, 0], sells=("0", "0.90")
    )
    assert free.total == "-0.75"


def test_negative_prices_cost_unless_there_is_a_floor() -> None:
    """An hour at -0.10 takes 0.05 for 0.5 kWh; a floor of 0 asks for nothing."""
    assert line(bill(SOLD, sells=("0", "-0.10")), "x").amount == "0.05"
    assert line(bill({**SOLD, "floor": "0"}, sells=("0", "-0.10")), "x").amount == "0"


def test_without_netting_of_hours_each_interval_has_its_price() -> None:
    """Quarters of 0.5, 0.5 and 1 kWh are sold at 0.07, 0.08 and 0.05."""
    sells = ("0", "0", "0.07", "0.08", "0.05", "1", "1", "1")
    found = bill({**SOLD, "netting": "interval"}, sells=sells, length=QUARTER)

    assert line(found, "x").amount == "-0.125"


def test_all_of_it_may_be_sold() -> None:
    """Buy all, sell all: 1 kWh at 0.07 and 1 at 0.05."""
    sold = {"kind": "export", "code": "x", "scheme": "buy_all_sell_all", "series": "x"}

    assert line(bill(sold), "x").amount == "-0.12"


def test_a_netted_hour_has_one_price() -> None:
    """Of an hour with several nobody can say which of them the net has."""
    sells = ("0.07", "0.08", *["0.05"] * 6)

    assert faults(lambda: bill(SOLD, sells=sells, length=QUARTER)) == {None: "prices_too_fine"}
    assert bill(SOLD, sells=["0.07"] * 4 + ["0.05"] * 4, length=QUARTER).total == "0.275"


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    """From 02:00 to 03:00 in October: 1 kWh out at 0.07, then 1 in at 0.10, each at its price."""
    start = "2026-10-25T02:00:00+02:00"
    exported, imported = [1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0]

    found = bill({**SOLD, "limit": "none"}, imported, exported, start=start)

    assert found.total == "0.03"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"rate": "0.05"}, {"/rate": "one_price"}),
        (
            {"scheme": "net_metering", "netting": None, "rollover": "money"},
            {"/series": "not_of_scheme"},
        ),
        ({"floor": "2", "cap": "1"}, {"/floor": "floor_above_cap"}),
        ({"series": None, "rate": "1", "adder": "1"}, {"/adder": "unused_field"}),
        ({"schedule": {"default": "a"}}, {"/rates": "missing_rates"}),
    ],
)
def test_a_series_is_one_price_of_what_is_sold(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """Two prices, and what is made of none, are refused when the tariff is saved."""
    charge = {name: value for name, value in {**SOLD, **fields}.items() if value is not None}

    found = faults(lambda: tariff([SPOT, charge]))

    assert found == {f"/versions/0/charges/1{pointer}": code for pointer, code in expected.items()}
