"""The price of a unit with taxes, discounts and surcharges that are a part of it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.calendar import Grid
from energia.pricing.engine import price
from energia.pricing.market.series import Price, PriceSeries
from energia.pricing.prices import Market, Prices, prices
from energia.pricing.usage import Terms
from energia.time import DAY, HOUR
from tests.core.pricing.documents import exact_total, instant, series, tariff

FLAT: dict[str, Any] = {"kind": "energy.flat", "code": "e", "rate": "0.20"}
GRID_FEE: dict[str, Any] = {"kind": "energy.flat", "code": "grid", "rate": "0.01"}
FIXED: dict[str, Any] = {"kind": "fixed", "code": "f", "amount": "10", "per": "month"}
START = instant("2026-03-02T00:00:00+00:00")


def vat(rate: str = "0.20", **fields: Any) -> dict[str, Any]:
    """Return a tax on top of the price."""
    taxes = [{"name": "vat", "rate": rate}]
    return {"kind": "tax", "code": "v", "form": "add_on", "taxes": taxes, **fields}


def shown(*charges: dict[str, Any], hours: int = 1, **version: Any) -> Prices:
    """Return the prices of some hours of Monday, 2 March 2026."""
    return prices(tariff(charges, **version), "import", Grid(START, HOUR, hours), {})


def told(found: Prices) -> dict[str, str]:
    """Return what is assumed, by code."""
    return {one.code: one.message.rpartition(": ")[2] for one in found.assumptions}


def test_taxes_on_top_are_in_the_price() -> None:
    """Case n09: 0.20 + 0.01, and 20 % of both, are 0.252; a monthly fee is not in it."""
    found = shown(FLAT, GRID_FEE, FIXED, vat())

    (run,) = found.runs
    assert (run.price, run.components) == ("0.252", {"e": "0.20", "grid": "0.01", "v.vat": "0.042"})
    assert told(found) == {"not_per_unit": "f"}


def test_taxes_inside_change_the_price_of_each_charge() -> None:
    """0.94793 / (0.76 x 0.9401) is 1.32675 at five decimals: what a bill multiplies."""
    light = {"kind": "energy.flat", "code": "e", "rate": "0.94793"}
    taxes = [{"name": "icms", "rate": "0.24"}, {"name": "pis", "rate": "0.0599"}]
    tax = {"kind": "tax", "form": "inside_product", "taxes": taxes}

    (run,) = shown(light, tax, rounding={"unit_price_decimals": 5}).runs

    assert (run.price, run.components) == ("1.32675", {"e": "1.32675"})


def test_a_selection_tells_what_is_taxed() -> None:
    """A charge after the tax, and one that is not of it, are not taxed."""
    (run,) = shown(FLAT, GRID_FEE, vat(of={"charges": ["e"]}), GRID_FEE | {"code": "late"}).runs

    assert run.components == {"e": "0.20", "grid": "0.01", "v.vat": "0.04", "late": "0.01"}
    assert run.price == "0.26"


@pytest.mark.parametrize(
    ("form", "components"),
    [
        ("line", {"e": "0.20", "grid": "0.01", "p": "-0.021"}),
        ("line_each", {"e": "0.20", "grid": "0.01", "p.e": "-0.02", "p.grid": "-0.001"}),
        ("inside", {"e": "0.18", "grid": "0.009"}),
    ],
)
def test_percentages_are_in_the_price(form: str, components: dict[str, str]) -> None:
    """A discount of 10 %, in each of its forms, is taxed where the tax comes after it."""
    discount = {"kind": "percent", "code": "p", "percent": "-10", "form": form}

    (run,) = shown(FLAT, GRID_FEE, discount, vat()).runs

    assert run.price == "0.2268"
    assert run.components == {**components, "v.vat": "0.0378"}


@pytest.mark.parametrize(
    "charge",
    [
        {"kind": "percent", "code": "c", "percent": "10", "cap": "5"},
        {
            "kind": "percent",
            "code": "c",
            "tiers": [{"up_to": "80", "percent": "-5"}, {"percent": "0"}],
        },
        {
            "kind": "tax",
            "code": "c",
            "form": "add_on",
            "taxes": [{"name": "t", "bands": [{"up_to": "50", "rate": "0"}, {"rate": "0.1"}]}],
        },
    ],
)
def test_what_depends_on_the_bill_is_not_in_the_price(charge: dict[str, Any]) -> None:
    """Caps, tiers and bands are of a whole bill: the answer names them."""
    found = shown(FLAT, charge)

    assert [run.price for run in found.runs] == ["0.2"]
    assert told(found) == {"not_per_unit": "c"}


def test_a_tax_changes_at_midnight() -> None:
    """Of four hours around the end of 2 March, the last two have the next rate."""
    taxes = [
        {"name": "vat", "rate": "0.10", "to": "2026-03-03"},
        {"name": "vat", "rate": "0.20", "from": "2026-03-03"},
    ]
    tax = {"kind": "tax", "code": "v", "form": "add_on", "taxes": taxes}
    found = prices(tariff([FLAT, tax]), "import", Grid(START + 22 * HOUR, HOUR, 4), {})

    assert [(run.first, run.past, run.price) for run in found.runs] == [
        (0, 2, "0.22"),
        (2, 4, "0.24"),
    ]


def test_a_tax_without_a_rate_for_a_month_is_left_out() -> None:
    """What is not known on some day is not in the price on any, and the answer says so."""
    tax = {
        "kind": "tax",
        "code": "v",
        "form": "add_on",
        "taxes": [{"name": "vat", "rates": {"2026-03": "0.20"}}],
    }
    march = shown(FLAT, tax)
    both = prices(tariff([FLAT, tax]), "import", Grid(START, HOUR, 24 * 40), {})

    assert [run.price for run in march.runs] == ["0.24"]
    assert {run.price for run in both.runs} == {"0.2"}
    assert told(both) == {"rate_unknown": "v"}


def test_prices_of_a_series_are_taxed() -> None:
    """Each slot has its own price, and its own tax: (0.10, 0.30) + 0.01, and 20 %."""
    dynamic = {"kind": "energy.dynamic", "code": "spot", "series": "spot"}
    prices_of_hours = zip((START, START + HOUR), (Decimal("0.10"), Decimal("0.30")), strict=True)
    hours = [Price(at, at + HOUR, price) for at, price in prices_of_hours]
    spot = PriceSeries.of("spot", "USD", "kWh", hours)
    market = Market({"spot": spot}, {"spot": START + 2 * HOUR})

    found = prices(tariff([GRID_FEE, dynamic, vat()]), "import", Grid(START, HOUR, 2), {}, market)

    assert [run.price for run in found.runs] == ["0.132", "0.372"]
    assert found.runs[1].components == {"grid": "0.01", "spot": "0.3", "v.vat": "0.062"}


changes = st.one_of(
    st.builds(
        lambda percent, form: {"kind": "percent", "percent": str(percent), "form": form},
        st.integers(-100, 300),
        st.sampled_from(["line", "line_each", "inside"]),
    ),
    st.builds(
        lambda rate, form, show: {
            "kind": "tax",
            "form": form,
            "taxes": [
                {"name": "a", "rate": f"0.{rate:02}", "without_tags": ["free"]},
                {"name": "b", "rate": "0.05"},
            ],
            "show": "lines" if show else "price",
        },
        st.integers(0, 90),
        st.sampled_from(["add_on", "add_on_compound", "inside_product", "inside_sum"]),
        st.booleans(),
    ),
)


@given(st.lists(changes, min_size=1, max_size=4), st.one_of(st.none(), st.integers(2, 6)))
def test_a_unit_costs_its_price(later: list[dict[str, Any]], decimals: int | None) -> None:
    """Whatever is charged after it: a bill of one unit is the price of the unit."""
    energy = [FLAT, {**GRID_FEE, "tags": ["free"]}]
    charges = [*energy, *({**one, "code": f"c{at}"} for at, one in enumerate(later))]
    rounding = {"amount_decimals": None, "unit_price_decimals": decimals}
    of_unit = tariff(charges, rounding=rounding)
    usage = {"import": series(START, HOUR, [10**6] + [0] * 23)}

    bill = price(of_unit, usage, START, START + DAY, Terms())
    (run, *_) = prices(of_unit, "import", Grid(START, HOUR, 24), {}).runs

    assert abs(Fraction(run.price) - exact_total(bill)) < Fraction(1, 10**11)
