"""Bandeiras: what tables have, how a bill counts their days, how its lines are called."""

import csv
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from energia import Invalid
from energia_plugins.tariff_brazil.tables import tables
from tests.core.pricing.documents import line
from tests.plugins.brazil.customers import ANEEL, amounts, bill, made, refused, tariff

#: TE and TUSD apart, the bandeira on lines.
COPEL: dict[str, Any] = {"distributor": "copel", "subgroup": "B1", "from": "2025-07-01"}
#: Without taxes, to see the price of the bandeira itself.
UNTAXED = {"icms": [{"rate": "0"}], "pis": "0", "cofins": "0"}


def published() -> list[dict[str, str]]:
    """Return ANEEL's file, month by month."""
    text = (ANEEL / "bandeiras_2015_2026.csv").read_text()
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def test_months_are_those_of_aneel() -> None:
    """Name and price of every month from 2015 to October 2026."""
    theirs = {
        row["competencia"][:7]: (row["bandeira"], Decimal(row["adicional_brl_mwh"]))
        for row in published()
    }

    assert {row.month: (row.name, row.price) for row in tables().flags} == theirs


@pytest.mark.parametrize(
    ("reading", "days"),
    [
        (("2026-09-03", "2026-10-06"), {"amarela": (27, 33)}),
        (("2025-07-04", "2025-08-07"), {"vermelha_P1": (27, 34), "vermelha_P2": (7, 34)}),
        (("2025-11-27", "2025-12-26"), {"vermelha_P1": (3, 29), "amarela": (26, 29)}),
        (("2026-05-29", "2026-06-30"), {"amarela": (32, 32)}),
        (("2026-03-31", "2026-04-30"), {}),
    ],
)
def test_days_count_from_the_day_after_the_reading_before(
    reading: tuple[str, str], days: dict[str, tuple[int, int]]
) -> None:
    """To the day of the reading: 27 of 33, 27 + 7 of 34, 3 + 26 of 29 days on real bills.

    Months with the same bandeira are one line, and a green one is none.
    """
    request = {**COPEL, "distributor": "edp-es", "from": "2025-03-01"}
    rates = {"unico": {"te": "0.30", "tusd": "0.40"}}

    cost = bill(tariff(**request, overrides={**UNTAXED, "rates": rates}), 1000, reading)

    found = {
        one.period: Fraction(one.quantity_exact or one.quantity or 0)
        for one in cost.lines
        if one.period
    }
    assert found == {name: Fraction(1000 * part, of) for name, (part, of) in days.items()}


def test_a_price_that_changes_has_lines_of_its_own() -> None:
    """The yellow one was 15.00, and 13.43 from November 2019 on."""
    request = {**COPEL, "from": "2019-10-01"}
    flags = {"2019-10": "15.00", "2019-11": "13.43"}
    rates = {"unico": {"te": "0.30", "tusd": "0.40"}}

    cost = bill(
        tariff(**request, overrides={**UNTAXED, "rates": rates, "flags": flags}),
        300,
        ("2019-10-16", "2019-11-15"),
    )

    assert {code: f"{amount}" for code, amount in amounts(cost).items() if "bandeira" in code} == {
        "bandeira.amarela": "2.25",
        "bandeira.amarela.2019-11-01": "2.01",
    }


def test_a_bill_before_2015_has_none() -> None:
    """The bandeiras began in January 2015."""
    rates = {"unico": {"te": "0.20", "tusd": "0.20"}}
    request = {**COPEL, "from": "2014-01-01", "overrides": {**UNTAXED, "rates": rates}}

    cost = bill(tariff(**request), 100, ("2014-12-16", "2015-01-15"))

    # 15 of 30 days at 30.00 R$/MWh.
    assert amounts(cost)["bandeira.vermelha_P1"] == Decimal("1.50")


def test_the_price_may_be_what_days_have_a_share_of() -> None:
    """Celesc prints 5,450 kWh at 8/32 of the price, not 8/32 of them."""
    request = {**COPEL, "distributor": "celesc", "subgroup": "B3", "from": "2025-05-01"}
    request |= {"class": "industrial", "overrides": {"pis": "0.0081", "cofins": "0.0372"}}

    cost = bill(tariff(**request), 5450, ("2025-05-23", "2025-06-24"))

    expected = {"bandeira.amarela": "32.41", "bandeira.vermelha_P1": "230.23"}
    for code, printed in expected.items():
        assert line(cost, code).quantity == "5450"
        assert abs(amounts(cost)[code] - Decimal(printed)) <= Decimal("0.02")


def test_a_flag_inside_the_price_has_no_line() -> None:
    """Light: 0.94793 and 27 of 33 days at 0.01885 are 0.96335 R$/kWh."""
    request = {"distributor": "light", "subgroup": "B1", "from": "2026-09-01"}

    cost = bill(tariff(**request, overrides=UNTAXED), 354, ("2026-09-03", "2026-10-06"))

    assert line(cost, "consumo").rate == "0.96335"
    assert not [code for code in amounts(cost) if code.startswith("bandeira")]


def test_a_month_without_a_flag_is_refused_by_its_name() -> None:
    """A bill of November 2026 waits for ANEEL's bandeira, or for `overrides.flags`."""
    of = tariff(**{**COPEL, "from": "2026-10-01"})

    with pytest.raises(Invalid, match="bandeira não tem valor para 2026-11") as error:
        bill(of, 100, ("2026-10-15", "2026-11-14"))
    assert error.value.faults[0].code == "missing_month"


def test_a_tariff_of_a_month_without_a_flag_is_refused() -> None:
    """The answer says where to put it."""
    found = refused(**{**COPEL, "from": "2026-12-01"})

    assert (found["code"], found["pointer"]) == ("unknown_flag", "/overrides/flags")
    assert "bandeira de 2026-12" in f"{found['message']}"
    said = made(**{**COPEL, "from": "2026-12-01"}, overrides={"flags": {"2026-12": "0"}})
    assert said.tariff["versions"]


def test_a_flag_that_is_said_takes_the_place_of_the_table() -> None:
    """In R$/MWh, by its month; it is called by its price."""
    flags = {"2026-09": "44.63"}
    request = {**COPEL, "from": "2026-09-01", "overrides": {**UNTAXED, "flags": flags}}

    cost = bill(tariff(**request), 100, ("2026-08-31", "2026-09-30"))

    assert amounts(cost)["bandeira.vermelha_P1"] == Decimal("4.46")
