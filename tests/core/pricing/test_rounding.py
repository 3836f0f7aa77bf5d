"""Amounts are decimals, rounded as a tariff says, and add up to the total."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import Cost, price
from tests.core.pricing.documents import document, faults, instant, read, series

#: Case c06: what a Korean home pays, but for the tax and the fund.
KEPCO: list[dict[str, Any]] = [
    {"kind": "fixed", "code": "base", "amount": "1600", "per": "bill"},
    {
        "kind": "energy.tiered",
        "code": "energy",
        "tiers": [
            {"up_to": "200", "rate": "120"},
            {"up_to": "400", "rate": "214.6"},
            {"rate": "1"},
        ],
    },
    {"kind": "energy.flat", "code": "climate", "rate": "9"},
    {"kind": "energy.flat", "code": "fuel", "rate": "5"},
]
FREEZE = {
    "kind": "energy.tiered",
    "code": "freeze",
    "tiers": [{"up_to": "313", "rate": "-8"}, {"rate": "0"}],
}
#: The tax half up to a won, the fund cut to ten won, other lines to a won, the total to ten.
WON = {
    "amount_decimals": 0,
    "mode": "down",
    "level": "total",
    "step": "10",
    "rules": [
        {"of": {"charges": ["vat"]}, "mode": "half_up"},
        {"of": {"charges": ["fund"]}, "step": "10"},
        {},
    ],
}


def kepco(*more: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the charges of a home, with a discount, a tax and a fund on all before."""
    charges = [*KEPCO, *more]
    of = {"charges": [charge["code"] for charge in charges]}
    family = {"kind": "percent", "code": "family", "percent": "-30", "cap": "16000", "of": of}
    of = {"charges": [*of["charges"], "family"]}
    tax = {"name": "vat", "rate": "0.10"}
    vat = {
        "kind": "tax",
        "code": "vat",
        "form": "add_on",
        "show": "lines",
        "taxes": [tax],
        "of": of,
    }
    fund = {"kind": "percent", "code": "fund", "percent": "3.2", "of": of}
    return [*charges, family, vat, fund]


def cost(
    charges: Sequence[Mapping[str, Any]],
    rounding: Mapping[str, Any],
    kwh: Sequence[int] = (1,),
    currency: str = "EUR",
) -> Cost:
    """Return what whole kilowatt-hours cost, one an hour from 1 May 2026."""
    start = instant("2026-05-01T00:00:00+00:00")
    usage = {"import": series(start, 3600, [10**6 * value for value in kwh])}
    tariff = read(document(charges, currency=currency, rounding=rounding))
    return price(tariff, usage, start, start + 3600 * len(kwh))


def amounts(cost: Cost) -> dict[str, str]:
    """Return what is printed, by code."""
    return {line.code: line.amount for line in cost.lines}


def test_lines_are_money_where_only_the_total_is_rounded() -> None:
    """Case o01: a bill of two months of Taipower, in whole dollars."""
    summer = {"period": "summer", "season": {"from": "06-01", "to": "09-30"}}
    rates = {"non_summer": ["1.68", "2.16", "3.03"], "summer": ["1.68", "2.45", "3.70"]}
    tiers = {
        period: [
            {"up_to": "240", "rate": first},
            {"up_to": "660", "rate": second},
            {"rate": third},
        ]
        for period, (first, second, third) in rates.items()
    }
    schedule = {"default": "non_summer", "rules": [summer]}
    charge = {"kind": "energy.tiered", "code": "e", "schedule": schedule, "rates": tiers}
    rounding = {"level": "total", "amount_decimals": 0}
    start = instant("2024-05-15T00:00:00+08:00")
    values = ([0] * 12 + [10**7] + [0] * 11) * 61
    tariff = read(document([charge], "Asia/Taipei", "TWD", rounding=rounding))

    bill = price(tariff, {"import": series(start, 3600, values)}, start, start + 61 * 86_400)

    assert [line.amount for line in bill.lines] == ["112.37", "222.73", "290.83", "653.87", "0.20"]
    assert (bill.total, bill.lines[-1].code, bill.lines[-1].exact) == ("1280", "rounding", "62/305")


@pytest.mark.parametrize(
    ("kwh", "more", "total", "vat", "fund"),
    [
        (300, (), "40610", "3588", "1140"),
        # Lines 1600 + 30652 + 2079 + 1155 - 1848 - 10091 + 2355 + 750 = 26652, which is cut.
        (231, (FREEZE,), "26650", "2355", "750"),
    ],
)
def test_each_charge_may_be_rounded_its_own_way(
    kwh: int, more: tuple[dict[str, Any], ...], total: str, vat: str, fund: str
) -> None:
    """Cases c06 and c06b: won and ten won, cut or half up, of one bill."""
    bill = cost(kepco(*more), WON, [kwh], "KRW")

    assert (bill.total, amounts(bill)["vat.vat"], amounts(bill)["fund"]) == (total, vat, fund)


def test_a_step_need_not_be_a_power_of_ten() -> None:
    """Swiss bills are paid in five centimes: 1.03 becomes 1.05, 1.02 becomes 1.00."""
    rounding = {"level": "total", "step": "0.05"}
    flat = {"kind": "energy.flat", "rate": "1.03"}

    assert amounts(cost([flat], rounding)) == {"energy.flat": "1.03", "rounding": "0.02"}
    assert cost([flat], rounding).total == "1.05"
    assert cost([{**flat, "rate": "1.02"}], rounding).total == "1.00"


def test_a_group_of_lines_is_rounded_as_one() -> None:
    """A printed line of two periods: 0.104 + 0.104 is 0.21, not 0.10 + 0.10."""
    schedule = {"default": "off", "rules": [{"period": "peak", "from": "00:00", "to": "01:00"}]}
    rates = {"peak": "0.104", "off": "0.104"}
    energy = {"kind": "energy.time_of_use", "code": "e", "schedule": schedule, "rates": rates}
    fee = {"kind": "fixed", "code": "fee", "amount": "1", "per": "bill"}
    rule = {"of": {"charges": ["e"]}, "level": "total", "code": "energy"}

    bill = cost([energy, fee], {"rules": [rule]}, [1, 1])

    assert [(line.code, line.amount) for line in bill.lines] == [
        ("e.peak", "0.10"),
        ("e.off", "0.10"),
        ("rounding.energy", "0.01"),
        ("fee", "1.00"),
    ]
    assert bill.total == "1.21"
    assert [detail.rule for detail in bill.details] == [0, 0, 0, None]


def test_a_rule_of_a_charge_that_is_not_there_is_refused() -> None:
    """A misspelt code would round nothing."""
    rules = [{"of": {"charges": ["vta"]}}]

    assert faults(lambda: cost(kepco(), {"rules": rules})) == {
        "/versions/0/rounding/rules/0/of/charges/0": "unknown_charge"
    }


def test_what_is_not_rounded_is_a_decimal_all_the_same() -> None:
    """A third of a euro is shown with twelve decimals, and the answer says so."""
    fixed = {"kind": "fixed", "code": "a", "amount": "20", "per": "month"}
    bill = cost([fixed, {**fixed, "code": "b"}], {"amount_decimals": None})

    # Each is 20/31 = 0.6451612903225..., and both together 40/31 = 1.29032258064516...
    assert [(line.code, line.amount, line.exact) for line in bill.lines] == [
        ("a", "0.645161290323", "20/31"),
        ("b", "0.645161290323", "20/31"),
        ("rounding", "-0.000000000001", "-1/6200000000000"),
    ]
    assert bill.total == "1.290322580645"
    assert ("amounts_shown_rounded", 2) in [(one.code, one.slots) for one in bill.assumptions]


def test_what_ends_is_exact_where_nothing_is_rounded() -> None:
    """No decimal is added or lost."""
    bill = cost([{"kind": "energy.flat", "rate": "0.1234567"}], {"amount_decimals": None}, [3])

    assert (amounts(bill), bill.total) == ({"energy.flat": "0.3703701"}, "0.3703701")
    assert bill.assumptions == ()


rules = st.fixed_dictionaries(
    {},
    optional={
        "of": st.sampled_from([{"charges": ["a"]}, {"charges": ["fee"]}, {"components": ["te"]}]),
        "level": st.sampled_from(["line", "total"]),
        "amount_decimals": st.integers(0, 4),
        "step": st.sampled_from(["0.05", "10", "0.3"]),
        "mode": st.sampled_from(["half_up", "half_even", "down"]),
    },
)
roundings = st.fixed_dictionaries(
    {},
    optional={
        "amount_decimals": st.one_of(st.none(), st.integers(0, 4)),
        "unit_price_decimals": st.integers(0, 6),
        "level": st.sampled_from(["line", "total"]),
        "step": st.sampled_from(["0.05", "10", "0.3"]),
        "mode": st.sampled_from(["half_up", "half_even", "down"]),
        "rules": st.lists(rules, max_size=3),
    },
)


@given(roundings, st.lists(st.integers(-(10**4), 10**6), min_size=1, max_size=3))
def test_what_is_printed_adds_up_and_multiplies_out(
    rounding: dict[str, Any], kwh: list[int]
) -> None:
    """However a tariff rounds: decimals, whose sum is the total, and rates that were multiplied."""
    charges: list[dict[str, Any]] = [
        {"kind": "energy.flat", "code": "a", "components": {"te": "0.123456", "tusd": "-0.0778"}},
        {"kind": "fixed", "code": "fee", "amount": "1", "per": "month"},
        {"kind": "tax", "form": "inside_product", "taxes": [{"name": "t", "rate": "0.18"}]},
    ]
    bill = cost(charges, rounding, kwh)

    printed = [line.amount for line in bill.lines]
    assert all("/" not in text for text in [*printed, bill.total])
    assert sum(map(Fraction, printed)) == Fraction(bill.total)
    for line in bill.lines:
        if line.factors is not None:
            assert line.factors[0] * line.factors[1] == Fraction(line.exact)


def test_a_rate_that_does_not_end_is_shown_so_that_it_multiplies_out() -> None:
    """A million kWh at 1.74 / 0.82 are 2,121,951.22: 2.121951 x 1,000,000 would be 2,121,951.00."""
    charges: list[dict[str, Any]] = [
        {"kind": "energy.flat", "rate": "1.74"},
        {"kind": "tax", "form": "inside_product", "taxes": [{"name": "t", "rate": "0.18"}]},
    ]

    (line,) = cost(charges, {}, [10**6]).lines
    (little,) = cost(charges, {}, [10]).lines

    assert (line.amount, line.rate, line.rate_exact) == ("2121951.22", "2.12195122", "87/41")
    assert (little.amount, little.rate, little.rate_exact) == ("21.22", "2.121951", "87/41")
