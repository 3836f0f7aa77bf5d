"""Which days are versions of a Brazilian tariff: those between two changes of what it charges."""

from typing import Any

import pytest

from tests.plugins.brazil.customers import bill, made, tariff

FARM: dict[str, Any] = {"distributor": "rge", "subgroup": "B2", "phases": "bifasico"}
FACTORY: dict[str, Any] = {"distributor": "celesc", "subgroup": "A4", "modality": "azul"}


@pytest.mark.parametrize(
    ("customer", "first", "last"),
    [
        (FARM, "2025-06-19", "2026-06-19"),
        (FACTORY, "2025-08-22", "2026-08-22"),
        ({**FACTORY, "reactive": "none"}, "2025-08-22", "2026-08-22"),
    ],
)
def test_the_same_price_stated_anew_is_no_version(
    customer: dict[str, Any], first: str, last: str
) -> None:
    """ANEEL's rows end and begin at the turn of 2026, and nothing in them changes."""
    versions = made(**customer, from_=first).tariff["versions"]

    assert [(one["valid_from"], one["valid_to"]) for one in versions] == [(first, last)]


def test_another_price_is_a_version() -> None:
    """Light, 15 March and 4 July 2026."""
    versions = made(distributor="light", subgroup="B1", from_="2026-01-01").tariff["versions"]

    assert [one["valid_from"] for one in versions] == ["2026-01-01", "2026-03-15", "2026-07-04"]


def test_a_bill_across_the_turn_of_the_year_has_one_line() -> None:
    """As on paper: 31 days from 19 December, of which 13 have a bandeira."""
    cost = bill(tariff(**FARM, from_="2025-12-19"), 422, ("2025-12-18", "2026-01-18"))

    assert [line.quantity for line in cost.lines if line.code == "consumo.te"] == ["422"]
    (flag,) = [line for line in cost.lines if line.code == "bandeira.amarela"]
    assert f"{flag.quantity}".startswith("176.967")
