"""The charge `table`, with its plugin and those of what it looks at."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia_plugins import tariff_table
from tests.core.pricing.documents import faults, line
from tests.plugins.adjusting import Bills, exacts, steps

BILLS = Bills(tariff_table)
FLAT = {"kind": "energy.flat", "rate": "0.50"}
ROWS = [
    {"up_to": "50", "amount": "0"},
    {"up_to": "100", "amount": "3.50"},
    {"amount": "7"},
]
#: Street lighting in Rio de Janeiro, 2026: an amount, and a coefficient of the lighting tariff in
#: R$/MWh with the bandeira of the month before the reading; bands of the mean of twelve bills.
RIO = [
    {"up_to": up_to, "amount": amount, "coefficient": coefficient}
    for up_to, amount, coefficient in (
        ("120", "0", "0"),
        ("140", "2.75", "0.00572"),
        ("400", "20.61", "0.05117"),
        ("450", "23.54", "0.05839"),
        ("500", "26.49", "0.06568"),
    )
]
RIO_FLAGS = {"2026-07": "18.85", "2026-08": "18.85", "2026-09": "18.85", "2026-10": "0"}


def table(**fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": "table", **fields}


def rio(mean: object = "425", **fields: Any) -> dict[str, Any]:
    """Return Rio's street lighting for a customer."""
    base = {"base": "684.41", "base_months": RIO_FLAGS, "base_month": "before_end"}
    return table(rows=RIO, by="value", value=mean, cap="5195", **base, **fields)


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_table=tariff_table).charges()) == ["table"]


@pytest.mark.parametrize(
    ("kwh", "amount"), [(0, "0"), (50, "0"), ("50.1", "3.5"), (100, "3.5"), (101, "7")]
)
def test_an_amount_goes_by_the_band_of_the_energy(kwh: object, amount: str) -> None:
    """A bound is still in its band."""
    assert exacts(BILLS.of([table(rows=ROWS)], kwh)) == {"table": Fraction(amount)}


@pytest.mark.parametrize(
    ("days", "month"),
    [(("2026-07-04", "2026-08-06"), "July"), (("2026-09-04", "2026-10-07"), "September")],
)
def test_street_lighting_of_two_real_bills(days: tuple[str, str], month: str) -> None:
    """Light, August and October 2026: 23.54 + 0.05839 x (684.41 + 18.85) is 64.60."""
    found = BILLS.of([rio()], 304, days, rounding={})

    assert found.total == "64.60", month


def test_each_part_of_a_row_is_explained() -> None:
    """The amount, and the formula."""
    found = BILLS.of([rio()], 304, ("2026-07-04", "2026-08-06"))

    assert steps(found, "table") == [
        ("23.54", Fraction("23.54")),
        ("0.05839 x (684.41 + 18.85)", Fraction("0.05839") * Fraction("703.26")),
    ]


@pytest.mark.parametrize(("which", "base"), [("start", 3), ("end", 5), ("before_end", 4)])
def test_the_month_of_the_base(which: str, base: int) -> None:
    """A bill from March to May."""
    rows = [{"coefficient": "1"}]
    months = {"2026-03": "3", "2026-04": "4", "2026-05": "5"}
    charge = table(rows=rows, base_months=months, base_month=which)

    assert exacts(BILLS.of([charge], 1, ("2026-03-20", "2026-05-03"))) == {"table": base}


def test_a_month_without_a_base_is_refused() -> None:
    """It is named."""
    found = faults(lambda: BILLS.of([rio()], 1, ("2026-05-04", "2026-06-05")))

    assert found == {None: "missing_month"}


def test_above_the_last_band_is_refused() -> None:
    """A table whose last band has an end says nothing of more."""
    assert faults(lambda: BILLS.of([rio("501")], 1, ("2026-07-04", "2026-08-06"))) == {
        None: "outside_table"
    }


def test_a_value_may_be_a_parameter() -> None:
    """The mean of the twelve bills before, by contract."""
    charges = [rio({"parameter": "cosip_kwh"})]
    days = ("2026-07-04", "2026-08-06")
    found = BILLS.over(charges, days, [304], {"cosip_kwh": "130"}, rounding={})

    assert found.total == "6.77"  # 2.75 + 0.00572 x 703.26


def test_rows_may_be_for_classes() -> None:
    """The first row for the class whose band fits; rows without classes are for all."""
    rows = [
        {"up_to": "100", "classes": ["residential", "rural"], "amount": "1"},
        {"classes": ["rural"], "amount": "2"},
        {"classes": ["residential"], "amount": "3"},
        {"amount": "4"},
    ]

    def cost(kwh: int, **class_: str) -> Fraction:
        return exacts(BILLS.of([table(rows=rows, **class_)], kwh))["table"]

    assert [cost(50, **{"class": name}) for name in ("residential", "rural")] == [1, 1]
    assert [cost(500, **{"class": name}) for name in ("residential", "rural")] == [3, 2]
    assert [cost(50), cost(50, **{"class": "public"})] == [4, 4]


def test_a_rate_is_a_line_of_energy() -> None:
    """Quantity and rate, as any price of a unit."""
    rows = [{"up_to": "50", "rate": "0.01"}, {"rate": "0.02"}]
    found = line(BILLS.of([table(rows=rows)], 100), "table")

    assert (found.quantity, found.unit, found.rate, found.exact) == ("100", "kWh", "0.02", "2")


def test_the_parts_of_a_row_add_up() -> None:
    """1 + 100 x 0.02 + 10 % of 50."""
    rows = [{"amount": "1", "rate": "0.02", "percent": "10"}]
    found = BILLS.of([FLAT, table(rows=rows)])

    assert exacts(found)["table"] == 8
    assert [text for text, _ in steps(found, "table")] == ["1", "100 kWh x 0.02", "50 x 10 %"]


def test_bands_may_be_of_the_amount_of_lines() -> None:
    """5 % of a bill of up to 40, 10 % of one above."""
    rows = [{"up_to": "40", "percent": "5"}, {"percent": "10"}]
    charges = [FLAT, table(rows=rows, by="amount", of={"charges": ["energy.flat"]})]

    assert exacts(BILLS.of(charges, 80))["table"] == 2
    assert exacts(BILLS.of(charges, 81))["table"] == Fraction("4.05")


def test_a_cap_limits_the_money() -> None:
    """It is told as a step."""
    found = BILLS.of([table(rows=[{"rate": "1"}], cap="60")])

    assert exacts(found) == {"table": 60}
    assert steps(found, "table")[-1] == ("60 - 100", -40)


@pytest.mark.parametrize(
    ("at", "days", "amount"),
    [
        ("end", ("2026-02-15", "2026-03-15"), 2),
        ("start", ("2026-02-15", "2026-03-15"), 1),
        ("end", ("2026-02-01", "2026-03-01"), 1),
        ("start", ("2026-03-01", "2026-04-01"), 2),
    ],
)
def test_a_table_may_follow_another(at: str, days: tuple[str, str], amount: int) -> None:
    """The first or the last day of the bill decides."""
    tables = [
        {"from": "2026-01-01", "rows": [{"amount": "1"}]},
        {"from": "2026-03-01", "rows": [{"amount": "2"}]},
    ]

    assert exacts(BILLS.of([table(tables=tables, at=at)], 1, days)) == {"table": amount}


def test_a_bill_before_the_first_table_is_refused() -> None:
    """Nothing is made up."""
    charge = table(tables=[{"from": "2026-04-01", "rows": ROWS}])

    assert faults(lambda: BILLS.of([charge])) == {None: "no_table_in_force"}


@pytest.mark.parametrize(("rounding", "amount"), [("none", 7), ("down", "3.5"), ("half_up", 7)])
def test_bands_may_be_of_whole_kilowatt_hours(rounding: str, amount: object) -> None:
    """A bill counts what the register shows."""
    found = BILLS.of([table(rows=ROWS, energy_rounding=rounding)], "100.7")

    assert exacts(found) == {"table": Fraction(str(amount))}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"/rows": "rows_or_tables"}),
        ({"rows": []}, {"/rows": "too_short"}),
        ({"rows": [{}]}, {"/rows/0/amount": "empty_row"}),
        ({"rows": [ROWS[2], ROWS[0]]}, {"/rows/1": "never_reached"}),
        ({"rows": [ROWS[1], ROWS[0]]}, {"/rows/1": "never_reached"}),
        (
            {"tables": [{"from": f"2026-0{month}-01", "rows": ROWS} for month in (2, 1)]},
            {"/tables/1/from": "dates_not_increasing"},
        ),
        ({"rows": ROWS, "by": "value"}, {"/value": "value_by"}),
        ({"rows": ROWS, "value": "3"}, {"/value": "value_by"}),
        ({"rows": [{"coefficient": "1"}]}, {"/base": "missing_field"}),
        ({"rows": [{"classes": ["rural"], "amount": "1"}]}, {"/class": "unknown_class"}),
        (
            {"rows": [{"classes": ["rural"], "amount": "1"}], "class": "urban"},
            {"/class": "unknown_class"},
        ),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """The place is told when the tariff is saved."""
    found = faults(lambda: BILLS.tariff([FLAT, table(**fields)]))

    assert found == {f"/versions/0/charges/1{at}": code for at, code in expected.items()}


@given(st.integers(0, 600_000), st.integers(0, 600_000))
def test_more_energy_never_costs_less_where_amounts_rise(one: int, other: int) -> None:
    """Of two bills the one with more energy is in the same band, or a later one."""
    less, more = (
        exacts(BILLS.of([table(rows=ROWS)], watts / 1000))["table"]
        for watts in sorted((one, other))
    )

    assert less <= more
