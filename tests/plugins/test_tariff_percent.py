"""The charge `percent`, with its plugin and those of what it changes."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia_plugins import tariff_percent
from tests.core.pricing.documents import faults, line
from tests.plugins.adjusting import PEAK, Bills, exacts, rate_steps, steps

BILLS = Bills(tariff_percent)
FLAT = {"kind": "energy.flat", "rate": "0.50"}
PARTS = {"kind": "energy.flat", "components": {"te": "0.30", "tusd": "0.50"}}
FIXED = {"kind": "fixed", "amount": "10", "per": "month"}
#: Brazil's social tariff until July 2025: 65, 40 and 10 % on cumulative tiers to 30, 100, 220 kWh.
SOCIAL = [
    {"up_to": "30", "percent": "-65"},
    {"up_to": "100", "percent": "-40"},
    {"up_to": "220", "percent": "-10"},
    {"percent": "0"},
]
#: And since then: the first 80 kWh cost nothing.
FIRST_80 = [{"up_to": "80", "percent": "-100"}, {"percent": "0"}]


def percent(**fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": "percent", **fields}


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_percent=tariff_percent).charges()) == ["percent"]


def test_a_discount_is_a_line_with_a_step_for_each_line_it_is_on() -> None:
    """10 % of 50 and of 10; the steps tell."""
    found = BILLS.of([FLAT, FIXED, percent(percent="-10")])

    assert exacts(found) == {"energy.flat": 50, "fixed": 10, "percent": -6}
    assert steps(found, "percent") == [("50 x -10 %", -5), ("10 x -10 %", -1)]


def test_only_selected_lines_are_charged() -> None:
    """A surcharge on the TUSD alone."""
    found = BILLS.of([PARTS, FIXED, percent(percent="2.5", of={"components": ["tusd"]})])

    assert exacts(found)["percent"] == Fraction("1.25")


def test_there_may_be_a_line_for_each() -> None:
    """Their codes name the lines that they are on; together they are the one line."""
    found = BILLS.of([PARTS, percent(percent="-10", form="line_each", description="Social")])

    assert exacts(found) == {
        "energy.flat.te": 30,
        "energy.flat.tusd": 50,
        "percent.energy.flat.te": -3,
        "percent.energy.flat.tusd": -5,
    }
    each = line(found, "percent.energy.flat.te")
    assert (each.component, each.description) == ("te", "Social Energy, TE")


def test_a_discount_inside_changes_rates_and_amounts() -> None:
    """The core multiplies by the new rate; a line without a rate has another amount."""
    found = BILLS.of([FLAT, FIXED, percent(percent="-10", form="inside", description="Social")])

    assert exacts(found) == {"energy.flat": 45, "fixed": 9}
    assert (line(found, "energy.flat").quantity, line(found, "energy.flat").rate) == ("100", "0.45")
    assert rate_steps(found, "energy.flat") == ("Social: 0.5 x (1 + -10 %) = 0.45",)
    assert [one.replaced_by for one in found.details] == [("percent",), ("percent",)]


def test_a_rate_inside_is_rounded_before_it_is_multiplied() -> None:
    """0.50 x 0.6691 is 0.33455, at three decimals 0.335: it is rounded once."""
    rounding = {"unit_price_decimals": 3, "amount_decimals": None}
    found = BILLS.of([FLAT, percent(percent="-33.09", form="inside")], rounding=rounding)

    assert (line(found, "energy.flat").rate, line(found, "energy.flat").exact) == ("0.335", "33.5")


@pytest.mark.parametrize(
    ("kwh", "free"), [(0, 0), (50, 50), (80, 80), ("80.5", 80), (100, 80), (1000, 80)]
)
def test_the_first_80_kwh_are_free(kwh: object, free: int) -> None:
    """Brazil's social tariff since July 2025, on both components of the price."""
    found = BILLS.of([PARTS, percent(tiers=FIRST_80)], kwh)

    assert exacts(found)["percent"] == -free * Fraction("0.80")


@pytest.mark.parametrize(
    ("kwh", "less"),
    [(30, "19.5"), (100, "47.5"), (220, "59.5"), (250, "59.5"), (10, "6.5"), (60, "31.5")],
)
def test_cumulative_tiers_take_block_by_block(kwh: int, less: str) -> None:
    """At 60 kWh: 30 x 65 % + 30 x 40 % = 31.5 kWh less."""
    found = BILLS.of([FLAT, percent(tiers=SOCIAL)], kwh)

    assert exacts(found)["percent"] == -Fraction(less) / 2


def test_lines_of_periods_share_the_blocks() -> None:
    """Of 100 kWh 80 are free, so 80 % of what each period costs."""
    tou = {"kind": "energy.time_of_use", "schedule": PEAK, "rates": {"peak": "2", "off": "1"}}
    hours = [60] + [0] * 17 + [40]
    found = BILLS.over(
        [tou, percent(tiers=FIRST_80, form="inside")], ("2026-03-01", "2026-03-02"), hours
    )

    assert exacts(found) == {"energy.time_of_use.peak": 16, "energy.time_of_use.off": 12}


@pytest.mark.parametrize(("kwh", "share"), [(30, "0.65"), (31, "0.40"), (100, "0.40"), (221, "0")])
def test_a_whole_band_is_of_all(kwh: int, share: str) -> None:
    """The band that the energy is in holds for all of it."""
    found = BILLS.of([FLAT, percent(tiers=SOCIAL, scope="whole_band")], kwh)

    assert exacts(found)["percent"] == -kwh * Fraction(share) / 2


def test_bands_may_be_of_the_amount() -> None:
    """Nothing on the first 20, 10 % on the next 20, 20 % on what is above."""
    tiers = [
        {"up_to": "20", "percent": "0"},
        {"up_to": "40", "percent": "10"},
        {"percent": "20"},
    ]
    blocks = BILLS.of([FLAT, percent(tiers=tiers, by="amount")])
    whole = BILLS.of([FLAT, percent(tiers=tiers, by="amount", scope="whole_band")])

    assert exacts(blocks)["percent"] == 2 + 2
    assert exacts(whole)["percent"] == 10


@pytest.mark.parametrize("sign", [1, -1])
def test_a_cap_limits_the_money(sign: int) -> None:
    """5 at most, of a discount as of a surcharge, shared by the lines in proportion."""
    capped = percent(percent=str(20 * sign), cap="5", form="line_each")
    found = exacts(BILLS.of([PARTS, capped]))

    assert found["percent.energy.flat.te"] == sign * Fraction(15, 8)
    assert found["percent.energy.flat.tusd"] == sign * Fraction(25, 8)


def test_a_cap_that_is_not_reached_changes_nothing() -> None:
    """10 of 50 is below 10.01."""
    assert exacts(BILLS.of([FLAT, percent(percent="20", cap="10.01")]))["percent"] == 10


def test_the_percentage_may_be_a_parameter() -> None:
    """A contract has its own discount."""
    charges = [FLAT, percent(percent={"parameter": "discount", "default": "-1"})]
    days = ("2026-03-01", "2026-04-01")

    assert exacts(BILLS.over(charges, days, [100]))["percent"] == Fraction("-0.5")
    found = BILLS.over(charges, days, [100], {"discount": "-20"})
    assert exacts(found)["percent"] == -10


def test_nothing_selected_is_a_line_of_nothing() -> None:
    """A tag that no line has this month."""
    found = BILLS.of([FLAT, percent(percent="-10", of={"tags": ["green"]})])

    assert exacts(found)["percent"] == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"/percent": "percent_or_tiers"}),
        ({"percent": "1", "tiers": SOCIAL}, {"/percent": "percent_or_tiers"}),
        ({"percent": "-101"}, {"/percent": "out_of_range"}),
        ({"percent": "1", "cap": "-1"}, {"/cap": "out_of_range"}),
        ({"tiers": []}, {"/tiers": "too_short"}),
        ({"tiers": [{"up_to": "0", "percent": "1"}]}, {"/tiers/0/up_to": "out_of_range"}),
        ({"tiers": [{"up_to": "5", "percent": "1"}]}, {"/tiers/0/up_to": "closed_band"}),
        (
            {"tiers": [{"percent": "1"}, {"percent": "2"}]},
            {"/tiers/0/up_to": "missing_bound"},
        ),
        (
            {"tiers": [{"up_to": "9", "percent": "1"}, *SOCIAL[:1], *SOCIAL[:1], *SOCIAL[3:]]},
            {"/tiers/2/up_to": "bounds_not_increasing"},
        ),
        ({"percent": "1", "of": {"charges": ["later"]}}, {"/of/charges/0": "unknown_charge"}),
    ],
)
def test_what_contradicts_itself_is_refused(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """The place is told when the tariff is saved."""
    at = "/versions/0/charges/1"
    found = faults(lambda: BILLS.tariff([FLAT, percent(**fields)]))

    assert found == {f"{at}{pointer}": code for pointer, code in expected.items()}


ZERO = Fraction(0)
PERCENTS = st.decimals(-100, 200, places=2)


@given(PERCENTS, st.integers(0, 10**6), st.none() | st.decimals(0, 50, places=2))
def test_the_parts_are_the_whole(change: object, watts: int, cap: object) -> None:
    """A line for each, one line, and inside the prices cost the same."""
    fields = {"percent": str(change)} | ({} if cap is None else {"cap": str(cap)})
    charges: list[dict[str, Any]] = [PARTS, FIXED]
    line, each, inside = (
        sum(exacts(BILLS.of([*charges, percent(**fields, form=form)], watts / 1000)).values(), ZERO)
        for form in ("line", "line_each", "inside")
    )

    assert line == each == inside


@given(st.lists(st.integers(1, 300), max_size=5, unique=True), st.data())
def test_blocks_of_one_percentage_are_that_percentage(
    bounds: list[int], data: st.DataObject
) -> None:
    """However the tiers are cut."""
    change, kwh = data.draw(PERCENTS), data.draw(st.integers(0, 400))
    tiers = [{"up_to": str(bound), "percent": str(change)} for bound in sorted(bounds)]
    tiers = [*tiers, {"percent": str(change)}]

    assert exacts(BILLS.of([FLAT, percent(tiers=tiers)], kwh)) == exacts(
        BILLS.of([FLAT, percent(percent=str(change))], kwh)
    )


@pytest.mark.parametrize(
    ("percent", "caps", "amount"),
    [
        ("5", {"cap_per_unit": "0.03"}, "2.5"),  # 5 % of 50 is below 0.03 x 100 kWh
        ("5", {"cap_per_unit": "0.002"}, "0.2"),
        ("-5", {"cap_per_unit": "0.002"}, "-0.2"),
        ("5", {"cap_per_unit": "0.002", "cap": "0.1"}, "0.1"),
        ("5", {"cap_per_unit": "0.002", "cap": "1"}, "0.2"),
    ],
)
def test_a_cap_may_be_for_each_kilowatt_hour(
    percent: str, caps: dict[str, str], amount: str
) -> None:
    """Of 100 kWh that cost 50, at most so much for each; the lower of two caps holds."""
    found = BILLS.of([FLAT, {"kind": "percent", "percent": percent, **caps}])

    assert exacts(found)["percent"] == Fraction(amount)
