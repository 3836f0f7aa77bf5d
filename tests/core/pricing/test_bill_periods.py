"""Bill periods that begin within a month, and cross from one version of a tariff to another."""

import json
import re
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.time import Zone
from tests.core.pricing.asking import answer_of
from tests.core.pricing.documents import CONVERTER, document, instant, read, series
from tests.core.pricing.test_across_versions import days, two
from tests.core.pricing.test_version_laws import cut_at
from tests.serving import Serving, make_core

DOCS = (Path(__file__).parents[3] / "docs/reference/tariffs.md").read_text(encoding="utf-8")
#: 400 kWh of thirty days at 0.10, more at 0.20; dearer from June on.
TIERS = [
    {"kind": "energy.tiered", "tiers": [{"up_to": "400", "rate": one}, {"rate": other}]}
    for one, other in (("0.10", "0.20"), ("0.12", "0.24"))
]


async def test_the_example_of_the_guide_is_true(serving: Serving) -> None:
    """`docs/reference/tariffs.md` is answered as it says."""
    request, expected = (
        json.loads(re.findall(rf"```json {name}\n(.*?)```", DOCS, re.DOTALL)[0])
        for name in ("request", "answer")
    )

    async with serving(make_core(plugins=Plugins.installed())) as client:
        status, found = await answer_of(client, "POST", "/v1/costs", request)

    assert status == 200
    names = expected["lines"][0].keys()
    assert [{name: line[name] for name in names} for line in found["lines"]] == expected["lines"]
    assert found["total"] == expected["total"]


def amounts(cost: Cost) -> list[tuple[str, Fraction]]:
    """Return the code and the exact amount of each line."""
    return [(line.code, Fraction(line.exact)) for line in cost.lines]


def test_what_tiers_allow_is_shared_by_days() -> None:
    """From 17 May, 15 of 30 days have 200 kWh at the lower rate, whatever the others use.

    150 kWh of May at 0.10; 450 of June, 200 at 0.12 and 250 at 0.24.
    """
    numbers = [10_000_000 // 24] * 24 * 15 + [30_000_000 // 24] * 24 * 15
    first, second = (Fraction(24 * 15 * part, 10**6) for part in (numbers[0], numbers[-1]))

    cost = price(two([TIERS[0]], [TIERS[1]]), **days("2026-05-17", 30, **{"import": numbers}))

    parts = [
        first * Fraction("0.10"),
        200 * Fraction("0.12"),
        (second - 200) * Fraction("0.24"),
    ]
    assert Fraction(cost.total) == sum(parts)
    assert sum(Fraction(line.quantity or 0) for line in cost.lines) == first + second


@pytest.mark.parametrize(
    ("per", "proration", "amount"),
    [
        ("month", "month_days", Fraction(12, 31) * 31 + Fraction(18, 30) * 62),
        ("month", "annual_days", Fraction(12 * 12, 365) * 31 + Fraction(18 * 12, 365) * 62),
        ("month", "none", Fraction(31 + 62)),
        ("bill", None, Fraction(12, 30) * 31 + Fraction(18, 30) * 62),
        ("day", None, Fraction(12 * 31 + 18 * 62)),
    ],
)
def test_fixed_amounts_of_both_versions(per: str, proration: str | None, amount: Fraction) -> None:
    """From 20 May to 18 June: 12 days of May at 31, 18 of June at 62."""
    first, second = (
        {"kind": "fixed", "amount": one, "per": per, "proration": proration} for one in ("31", "62")
    )

    cost = price(two([first], [second]), **days("2026-05-20", 30))

    assert sum(exact for _, exact in amounts(cost)) == amount


def test_a_month_that_changes_within_is_charged_once() -> None:
    """In full for each month: of the last 12 days of May, 4 are of another version."""
    fixed = [
        {"kind": "fixed", "amount": amount, "per": "month", "proration": "none"}
        for amount in ("12", "24")
    ]
    tariff = two([fixed[0]], [fixed[1]])
    body = CONVERTER.unstructure(tariff)
    body["versions"][0]["valid_to"] = body["versions"][1]["valid_from"] = "2026-05-28"

    cost = price(read(body), **days("2026-05-20", 30))

    # 8/12 x 12 + 4/12 x 24 of May, and 24 of June.
    assert [exact for _, exact in amounts(cost)] == [8, 8 + 24]


def test_a_minimum_is_shared_by_days() -> None:
    """15.00 a bill: 7.50 for each half; what is used in June is above, in May 6.90 is missing."""
    flat = {"kind": "energy.flat", "rate": "0.10"}
    minimum = {"kind": "minimum", "amount": "15.00", "per": "bill"}
    numbers = [0] * 24 * 15 + [1_000_000] * 24 * 15
    numbers[0] = 6_000_000

    cost = price(
        two([flat, minimum], [flat, minimum]), **days("2026-05-17", 30, **{"import": numbers})
    )

    assert Fraction(cost.total) == Fraction("7.5") + 36


def test_a_tax_of_each_version_is_on_its_part() -> None:
    """10 % of the 48 of May and 20 % of the 72 of June."""
    flat = {"kind": "energy.flat", "rate": "1"}
    taxes = [{"kind": "percent", "percent": percent} for percent in ("10", "20")]

    cost = price(two([flat, taxes[0]], [flat, taxes[1]]), **days("2026-05-30", 5))

    assert amounts(cost) == [
        ("energy.flat", 48),
        ("percent", Fraction("4.8")),
        ("energy.flat", 72),
        ("percent", Fraction("14.4")),
    ]


FIXED = [
    {"kind": "fixed", "code": f"{per}-{proration}", "amount": "7", "per": per}
    | ({"proration": proration} if proration else {})
    for per, proration in (
        ("day", None),
        ("month", "month_days"),
        ("month", "annual_days"),
        ("month", "none"),
        ("year", "none"),
        ("year", "month_days"),
        ("bill", None),
        ("meter", None),
    )
]
cuts = st.lists(st.integers(1, 79), min_size=1, max_size=4, unique=True).map(sorted)


@given(
    st.sampled_from(("UTC", "America/Sao_Paulo", "America/Havana", "Pacific/Apia")),
    st.dates(date(2010, 1, 1), date(2021, 1, 1)),
    st.integers(1, 80),
    cuts,
)
def test_cutting_a_version_changes_no_fixed_amount(
    zone: str, first: date, length: int, at: list[int]
) -> None:
    """Whatever the days of the bill, and those on which a version is followed by its like."""
    named = Zone.named(zone)
    start, end = named.midnight(first), named.midnight(first + timedelta(days=length))
    body: dict[str, Any] = document(FIXED, zone, rounding={"amount_decimals": None})

    whole, cut = (price(read(one), {}, start, end) for one in (body, cut_at(body, first, at)))

    for charge in FIXED:
        parts = [exact for code, exact in amounts(cut) if code == charge["code"]]
        assert sum(parts) == dict(amounts(whole))[charge["code"]], charge["code"]


def test_a_demand_is_of_the_whole_bill() -> None:
    """9 kW of May at the rate of June, which charges the maximum once."""
    demands = [{"kind": "demand", "interval": "PT1H", "rate": rate} for rate in ("4", "5")]
    numbers = [1_000_000] * 24 * 30
    numbers[5] = 9_000_000

    cost = price(two([demands[0]], [demands[1]]), **days("2026-05-17", 30, **{"import": numbers}))

    assert amounts(cost) == [("demand", Fraction(45))]


def test_a_day_of_23_hours_is_a_day() -> None:
    """A version that begins on the day on which clocks go forward, and one day after."""
    zone = "America/New_York"
    fixed = {"kind": "fixed", "amount": "1", "per": "day"}
    flat = {"kind": "energy.flat", "rate": "1"}
    body = cut_at(document([fixed, flat], zone), date(2026, 3, 8), [0, 1])
    start = instant("2026-03-07T00:00:00-05:00")
    usage = {"import": series(start, 3600, [1_000_000] * 71)}

    cost = price(read(body), usage, start, start + 71 * 3600)

    assert [line.quantity for line in cost.lines] == ["1", "24", "1", "23", "1", "24"]
