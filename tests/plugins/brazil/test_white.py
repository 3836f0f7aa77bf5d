"""The tarifa branca: postos of distributors, holidays, registers of postos, summer time."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energia.pricing.tariffs import Tariff
from energia_plugins.tariff_brazil.tables import tables
from tests.core.pricing.documents import line
from tests.plugins.brazil.customers import ANEEL, amounts, bill, hourly, made, tariff

POSTOS = json.loads((ANEEL / "tarifa_branca_postos.json").read_text())
PARTS = json.loads((ANEEL / "tarifa_branca_cases.json").read_text())["cpfl_piratininga_b1"]
LIGHT = {"distributor": "light", "subgroup": "B1", "modality": "branca", "from": "2026-08-01"}
#: A tariff of years that the tables do not have.
PAST: dict[str, Any] = {
    "distributor": "enel-sp",
    "subgroup": "B1",
    "modality": "branca",
    "overrides": {
        "rates": {
            "ponta": {"te": "0.40", "tusd": "0.60"},
            "intermediario": {"te": "0.25", "tusd": "0.40"},
            "fora_ponta": {"te": "0.25", "tusd": "0.15"},
        },
        "icms": [{"rate": "0.25"}],
        "form": "inside_sum",
        "pis": "0.0100",
        "cofins": "0.0460",
    },
}


def rules(distributor: str) -> set[tuple[str, str, str]]:
    """Return the windows of a distributor's tarifa branca of 2026: period, from, to."""
    request = {**LIGHT, "distributor": distributor, "from": "2026-07-01"}
    (first, *_) = made(**request, overrides=PAST["overrides"]).tariff["versions"]
    schedule = first["charges"][0].get("schedule")
    assert schedule["default"] == "fora_ponta"
    assert all(rule["days"] == ["weekday"] for rule in schedule["rules"])
    return {(rule["period"], rule["from"], rule["to"]) for rule in schedule["rules"]}


@pytest.mark.parametrize("known", POSTOS["distributors"], ids=lambda known: known["id"])
def test_postos_are_those_of_the_distributor(known: dict[str, Any]) -> None:
    """Windows are half-open, and may be on one side of the ponta alone, as Light's are."""
    found = rules(known["id"])

    expected = {("ponta", start, end) for start, end in known["ponta"]}
    if known["intermediario"] is not None:
        expected |= {("intermediario", start, end) for start, end in known["intermediario"]}
        assert found == expected
    assert expected <= found


@pytest.mark.parametrize("year", range(2015, 2031))
def test_holidays_are_the_national_ones(year: int) -> None:
    """Of ANEEL's list, Carnival's Tuesday and Corpus Christi among them, and no state's."""
    start = min(year, 2026)
    (first, *_) = made(**{**PAST, "from": f"{start}-01-01"}).tariff["versions"]

    found = [day for day in first["holidays"] if day.startswith(f"{year}")]
    assert found == POSTOS["holidays"][f"{year}"]


@pytest.mark.parametrize(
    ("hour", "posto"),
    [
        ("2026-08-05T17:00", "fora_ponta"),
        ("2026-08-05T18:00", "ponta"),
        ("2026-08-05T20:00", "ponta"),
        ("2026-08-05T21:00", "intermediario"),
        ("2026-08-05T23:00", "fora_ponta"),
        ("2026-08-08T18:00", "fora_ponta"),
        ("2026-09-07T18:00", "fora_ponta"),
    ],
)
def test_an_hour_is_in_its_posto(hour: str, posto: str) -> None:
    """Saturdays, Sundays and holidays are all fora ponta."""
    at = datetime.fromisoformat(hour)
    request = {**LIGHT, "overrides": {"minimum_kwh": "0"}}

    cost = hourly(
        tariff(**request),
        lambda each: 1 if each.replace(tzinfo=None) == at else 0,
        at.date(),
        at.date() + timedelta(1),
    )

    assert line(cost, f"consumo.{posto}").quantity == "1"


def test_a_bill_is_called_what_people_call_it() -> None:
    """In Portuguese, postos as words."""
    cost = hourly(tariff(**LIGHT), lambda at: 1, date(2026, 8, 5), date(2026, 8, 9))

    assert [line.description for line in cost.lines] == [
        "Consumo, ponta",
        "Consumo, intermediário",
        "Consumo, fora ponta",
        "ICMS 18%",
        "PIS 1,23%",
        "COFINS 5,67%",
    ]


def test_light_prices_are_those_of_its_table() -> None:
    """1.73992, 1.20499 and 0.83447 R$/kWh before taxes, of which ICMS of 18 % is inside."""
    request = {**LIGHT, "overrides": {"flags": {"2026-08": "0"}}}
    cost = hourly(tariff(**request), lambda at: 1, date(2026, 8, 5), date(2026, 8, 9))

    net = {"ponta": "1.73992", "intermediario": "1.20499", "fora_ponta": "0.83447"}
    for posto, price in net.items():
        gross = Decimal(price) / (Decimal("0.82") * (1 - Decimal("0.0690")))
        assert Decimal(line(cost, f"consumo.{posto}").rate or 0) == round(gross, 5)


def test_the_parts_of_a_price_are_lines_where_the_distributor_prints_them() -> None:
    """CPFL Piratininga's TE and TUSD of each posto, before taxes."""
    request = {**LIGHT, "distributor": "cpfl-piratininga", "from": "2026-04-01"}
    (first, *_) = made(**request).tariff["versions"]

    rates = first["charges"][0]["rates"]
    for posto, parts in PARTS["branca"].items():
        found = rates[posto]["components"]
        assert (Decimal(found["te"]), Decimal(found["tusd"])) == (
            Decimal(parts["TE"]),
            Decimal(parts["TUSD"]),
        )


def test_postos_may_be_said() -> None:
    """Those of a year or a distributor that the table lacks."""
    said = {"ponta": ["18:00", "21:00"], "intermediario": [["16:00", "18:00"]]}
    overrides = {**PAST["overrides"], "postos": said}
    found = made(**{**PAST, "from": "2018-01-01", "overrides": overrides})

    schedule = found.tariff["versions"][0]["charges"][0]["schedule"]
    assert [(rule["period"], rule["from"], rule["to"]) for rule in schedule["rules"]] == [
        ("ponta", "18:00", "21:00"),
        ("intermediario", "16:00", "18:00"),
    ]
    assert not any("postos" in one.what for one in found.assumptions)


# Registers.


def test_registers_of_postos_are_billed_as_intervals_are() -> None:
    """A meter that counts each posto by itself needs one read of each a bill."""
    days = (date(2026, 8, 6), date(2026, 9, 4))
    by_hour = hourly(tariff(**LIGHT), lambda at: 1, *days)
    kwh = {posto: Decimal(line(by_hour, f"consumo.{posto}").quantity or 0)
           for posto in ("ponta", "intermediario", "fora_ponta")}  # fmt: skip

    used = {f"import.{posto}": each for posto, each in kwh.items()}
    read = bill(
        tariff(**LIGHT, registers=True),
        {**used, "import": sum(kwh.values())},
        ("2026-08-05", "2026-09-04"),
    )

    assert amounts(read) == amounts(by_hour)
    assert read.total == by_hour.total


def test_registers_need_no_postos_of_the_distributor() -> None:
    """The meter knows them."""
    found = made(**{**LIGHT, "from": "2026-08-01"}, registers=True)

    assert "schedule" not in found.tariff["versions"][0]["charges"][0]
    assert not any("postos" in source.what for source in found.sources)


# The minimum.


def test_missing_energy_is_of_the_cheapest_posto() -> None:
    """6 kWh in ponta are billed as such, and the 24 that are missing up to 30 as fora ponta."""
    cost = hourly(
        tariff(**LIGHT),
        lambda at: 2 if at.date() == date(2026, 8, 6) and 18 <= at.hour < 21 else 0,
        date(2026, 8, 6),
        date(2026, 9, 4),
    )

    # 17:30 to 20:30: of the hours of 18, 19 and 20, the last begins in ponta too.
    assert {one.code: one.quantity for one in cost.lines if one.period and one.unit == "kWh"} == {
        "consumo.ponta": "6",
        "consumo.intermediario": "0",
        "consumo.fora_ponta": "24",
    }


# Summer time.


@pytest.mark.parametrize(
    ("first", "last", "hours", "working"),
    [
        (date(2018, 11, 1), date(2018, 11, 30), 719, 20),
        (date(2019, 2, 1), date(2019, 2, 28), 673, 20),
        (date(2018, 11, 4), date(2018, 11, 4), 23, 0),
        (date(2019, 2, 16), date(2019, 2, 16), 25, 0),
    ],
)
def test_days_of_23_and_25_hours_are_priced_hour_by_hour(
    first: date, last: date, hours: int, working: int
) -> None:
    """2018-11-04 has no midnight, 2019-02-16 has 23:00 twice; ponta is from 18:00 to 21:00."""
    request = {**PAST, "from": "2018-01-01"}
    request["overrides"] = {**PAST["overrides"], "minimum_kwh": "0"}

    cost = hourly(tariff(**request), lambda at: 1, first, last)

    found = {one.period: Fraction(one.quantity or 0) for one in cost.lines if one.unit == "kWh"}
    assert found.pop("amarela", hours) == hours
    assert found == {
        posto: each
        for posto, each in {
            "ponta": 3 * working,
            "intermediario": 2 * working,
            "fora_ponta": hours - 5 * working,
        }.items()
        if each
    }
    # 1.00 / (1 - 0.25 - 0.056) = 1.44092...
    if working:
        ponta = [one for one in cost.lines if one.period == "ponta"]
        assert [one.rate for one in ponta] == ["0.86455", "0.57637"]


# What it is for.


def test_fora_ponta_is_cheaper_than_convencional_in_all_tables() -> None:
    """Of every distributor and class, on every day that tables have both."""
    rows = [row for row in tables().tariffs if row.detail == "nao se aplica" and row.unit == "mwh"]
    key = "agent", "start", "subgroup", "class_", "subclass"
    plain = {
        tuple(getattr(row, name) for name in key): row.te + row.tusd
        for row in rows
        if row.modality == "convencional"
    }
    white = {
        tuple(getattr(row, name) for name in key): row.te + row.tusd
        for row in rows
        if row.modality == "branca" and row.posto == "fora ponta"
    }
    both = plain.keys() & white.keys()

    assert len(both) > 100
    assert [found for found in both if not white[found] < plain[found]] == []


@settings(max_examples=30, deadline=None)
@given(kwh=st.integers(101, 2000))
@pytest.mark.parametrize("distributor", ["celesc", "cemig", "copel", "cpfl-piratininga"])
def test_all_use_in_fora_ponta_costs_less(distributor: str, kwh: int) -> None:
    """What the tarifa branca is for: whoever uses nothing in the evening pays less."""
    plain, white = _both(distributor)
    reading = ("2026-02-05", "2026-03-06")
    registers = {"import": kwh, "import.fora_ponta": kwh}
    registers |= {"import.ponta": 0, "import.intermediario": 0}

    less, more = bill(white, registers, reading), bill(plain, kwh, reading)

    assert Decimal(less.total) < Decimal(more.total)


@cache
def _both(distributor: str) -> tuple[Tariff, Tariff]:
    """Return a distributor's tariffs, convencional and branca."""
    request: dict[str, Any] = {
        "distributor": distributor,
        "subgroup": "B1",
        "from": "2026-02-01",
        "overrides": {"icms": [{"rate": "0.18"}]},
    }
    return tariff(**request), tariff(**request, modality="branca", registers=True)
