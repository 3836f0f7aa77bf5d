"""The charge `brazil.scee`: what offsets what, what it pays, and what is kept."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import pytest

from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from tests.core.pricing.documents import document, faults, instant, line, read, series

DAY: Final = 86_400
#: Ponta from 18:00 to 21:00 on working days: kWh there are worth twice as much.
POSTOS: Final = {
    "default": "fora_ponta",
    "rules": [{"period": "ponta", "days": ["weekday"], "from": "18:00", "to": "21:00"}],
}
ENERGY: Final[Mapping[str, Any]] = {
    "kind": "energy.flat",
    "code": "consumo",
    "components": {"tusd": "0.40", "te": "0.30"},
}
BRANCA: Final = {
    "kind": "energy.time_of_use",
    "code": "consumo",
    "schedule": POSTOS,
    "rates": {"ponta": "1.00", "fora_ponta": "0.50"},
}
FIO_B: Final = {
    "name": "fio_b",
    "types": ["gd2"],
    "component": "tusd",
    "share": "0.60",
    "price": "0.20",
}
SCEE: Final[Mapping[str, Any]] = {
    "kind": "brazil.scee",
    "code": "scee",
    "of": "consumo",
    "type": "gd1",
}


def priced(
    charges: Sequence[Mapping[str, Any]],
    kwh: object,
    injected: object = 0,
    ledger: Sequence[Mapping[str, str]] = (),
    days: tuple[str, str] = ("2026-03-01", "2026-04-01"),
    month: str = "2026-02",
) -> Cost:
    """Price a bill whose energy all flows in the first hours, after a bill of *month*."""
    start, end = (instant(f"{day}T00:00:00-03:00") for day in days)
    usage = {"import": flow(start, end, kwh), "export": flow(start, end, injected)}
    state = {"scee": {"month": month, "ledger": list(ledger)}}
    tariff = read(document(charges, "America/Sao_Paulo", "BRL"))
    return price(tariff, usage, start, end, Terms(state=state))


def flow(start: int, end: int, kwh: object) -> Any:
    """Return hours with energy by the hour of the first day; a number is of midnight."""
    by_hour = kwh if isinstance(kwh, Mapping) else {0: kwh}
    values = [0] * ((end - start) // 3600)
    for hour, energy in by_hour.items():
        values[hour] = int(Fraction(str(energy)) * 10**6)
    return series(start, 3600, values)


def credit(month: str, kwh: object, **more: str) -> dict[str, str]:
    """Return a lot of the ledger."""
    return {"month": month, "kwh": str(kwh), **more}


def kept(cost: Cost) -> dict[str, str]:
    """Return the ledger after a bill, by month."""
    return {lot["month"]: lot["kwh"] for lot in cost.state["scee"]["ledger"]}


def quantities(cost: Cost) -> dict[str, str | None]:
    """Return the quantities of the charge's lines."""
    return {one.code: one.quantity for one in cost.lines if one.code.startswith("scee.")}


def test_gd1_pays_what_it_used_beyond_what_it_injected() -> None:
    """Art. 26: 100 kWh used and 60 injected are 40 at the whole price."""
    cost = priced([ENERGY, SCEE], 100, 60)

    assert cost.total == "28.00"
    assert kept(cost) == {}


def test_gd1_keeps_the_minimum_without_credit() -> None:
    """Art. 16: of 100 kWh a connection with two phases pays 50, whatever credit there is."""
    cost = priced([ENERGY, {**SCEE, "minimum": "50"}], 100, 200)

    assert cost.total == "35.00"
    assert kept(cost) == {"2026-03": "150"}


def test_nothing_is_offset_where_less_than_the_minimum_is_used() -> None:
    """The minimum is billed instead of 20 kWh, and all that is injected stays credit."""
    least = {
        "kind": "minimum",
        "quantity": "30",
        "of": {"charges": ["consumo"]},
        "form": "replace",
    }
    cost = priced([ENERGY, least, {**SCEE, "minimum": "30"}], 20, 15)

    assert cost.total == "21.00"
    assert kept(cost) == {"2026-03": "15"}


def test_gd2_pays_a_part_of_fio_b_on_each_offset_kwh() -> None:
    """Art. 27: 100 offset kWh pay 60 % of 0.20 each, more than 10 kWh at 0.70: no minimum."""
    charge = {**SCEE, "type": "gd2", "dues": [FIO_B], "minimum": "10"}
    cost = priced([ENERGY, charge], 100, 100)

    assert cost.total == "12.00"
    assert line(cost, "scee.2026-03.tusd").rate == "0.28"


def test_what_gd2_pays_counts_toward_the_minimum_in_money() -> None:
    """Art. 16: 50 kWh are 35.00, so 60 of 100 kWh are offset: 40 cost 28.00, and 60 pay 7.20."""
    charge = {**SCEE, "type": "gd2", "dues": [FIO_B], "minimum": "50"}
    cost = priced([ENERGY, charge], 100, 100)

    assert line(cost, "scee.2026-03.te").quantity == "-60"
    assert Fraction(cost.total) == Fraction("35.20")


def test_what_gd2_pays_may_be_a_line() -> None:
    """Energisa prints `Ajuste GDII`: the credit is whole, and Fio B is charged beside it."""
    charge = {
        **SCEE,
        "type": "gd2",
        "dues": [FIO_B],
        "due_as": "line",
        "untaxed_tags": ["sem_icms"],
    }
    cost = priced([ENERGY, charge], 100, 100)

    assert line(cost, "scee.2026-03.tusd").amount == "-40.00"
    assert line(cost, "scee.2026-03.fio_b").amount == "12.00"


def test_gd3_pays_more_of_the_grid() -> None:
    """Art. 27, par. 1: all of Fio B, 40 % of Fio A, all of the charges."""
    dues = [
        {**FIO_B, "types": ["gd3"], "share": "1"},
        {"name": "fio_a", "types": ["gd3"], "component": "tusd", "share": "0.40", "price": "0.05"},
        {"name": "p_d", "types": ["gd3"], "component": "te", "share": "1", "price": "0.01"},
    ]
    cost = priced([ENERGY, {**SCEE, "type": "gd3", "dues": dues}], 100, 100)

    assert cost.total == "23.00"  # 100 x (0.20 + 0.40 x 0.05 + 0.01)


def test_credit_that_pays_an_unknown_part_is_refused() -> None:
    """A lot of GD II under a tariff that does not know Fio B would be billed too low."""
    charges: list[Mapping[str, Any]] = [ENERGY, SCEE]

    assert faults(lambda: priced(charges, 100, 0, [credit("2026-01", 10, type="gd2")])) == {
        None: "unknown_dues"
    }


def test_the_oldest_credit_is_used_first() -> None:
    """Art. 13: after what is injected now, credit by its month."""
    ledger = [credit("2026-02", 40), credit("2025-11", 30)]
    cost = priced([ENERGY, SCEE], 100, 50, ledger)

    assert quantities(cost) == {
        "scee.2026-03.tusd": "-50",
        "scee.2026-03.te": "-50",
        "scee.2025-11.tusd": "-30",
        "scee.2025-11.te": "-30",
        "scee.2026-02.tusd": "-20",
        "scee.2026-02.te": "-20",
        "scee.saldo": "-50",
    }
    assert kept(cost) == {"2026-02": "20"}


def test_credit_is_valid_for_sixty_months() -> None:
    """In March 2026 that of February 2021 has expired, and that of March 2021 has not."""
    ledger = [credit("2021-02", 40), credit("2021-03", 30), credit("2026-01", 20)]
    cost = priced([ENERGY, SCEE], 100, 0, ledger)

    assert cost.total == "35.00"
    assert cost.state["scee"]["last"] == {
        "carried_in": "90",
        "earned": "0",
        "used": "50",
        "expired": "40",
        "given": "0",
        "carried_out": "0",
    }


def test_lines_are_called_as_bills_call_them() -> None:
    """The month of origin, the generation and whose it is; in Portuguese, where the tariff is."""
    body = document([ENERGY, SCEE], "America/Sao_Paulo", "BRL", language="pt-BR")
    start, end = (instant(f"2026-0{month}-01T00:00:00-03:00") for month in (3, 4))
    usage = {"import": flow(start, end, 10), "export": flow(start, end, 4)}
    state = {"scee": {"month": "2026-02", "ledger": [credit("2025-11", 3, **{"from": "usina"})]}}
    cost = price(read(body), usage, start, end, Terms(state=state))

    found = [one.description for one in cost.lines if one.component == "te"]
    assert found[1:] == [
        "Energia injetada TE MAR/26 GD I mUC",
        "Energia injetada TE NOV/25 GD I oUC usina",
    ]


def test_steps_name_the_months() -> None:
    """Who asks why a line is there reads of which month the energy is, and how long it lasts."""
    cost = priced([ENERGY, SCEE], 10, 0, [credit("2025-11", 30)])
    at = [one.code for one in cost.lines].index("scee.2025-11.te")

    assert [(step.description, step.value) for step in cost.details[at].steps] == [
        ("NOV/25 (GD I, until 2030-11)", Fraction(-10))
    ]


def test_an_injected_kwh_offsets_its_own_posto_first() -> None:
    """10 kWh of ponta offset the 4 of ponta, and 6 of them twice as many of the other posto."""
    charge = {
        **SCEE,
        "schedule": POSTOS,
        "weights": {"ponta": "0.60", "fora_ponta": "0.30"},
    }
    # 2 March 2026 is a Monday.
    cost = priced(
        [BRANCA, charge],
        {0: 30, 19: 4},
        {18: 10},
        days=("2026-03-02", "2026-04-01"),
    )

    assert quantities(cost) == {
        "scee.2026-03.ponta": "-4",
        "scee.2026-03.ponta.fora_ponta": "-12",
        "scee.saldo": "0",
    }
    assert cost.total == "9.00"  # 18 x 0.50
    assert cost.state["scee"]["last"]["used"] == "10"


def test_without_weights_postos_are_kept_apart() -> None:
    """Nobody said what a kWh of one posto is worth in another."""
    charge = {**SCEE, "schedule": POSTOS}
    cost = priced([BRANCA, charge], {0: 30}, {18: 10}, days=("2026-03-02", "2026-04-01"))

    assert cost.state["scee"]["ledger"] == [
        {
            "month": "2026-03",
            "kwh": "10",
            "type": "gd1",
            "posto": "ponta",
            "expires": "2031-03",
        }
    ]


def test_the_flag_is_on_what_is_not_offset() -> None:
    """Art. 19: 100 kWh used, 60 offset: 40 have the flag."""
    flag = {
        "kind": "adjustment.calendar",
        "code": "bandeira",
        "months": {"2026-03": "0.02"},
    }
    cost = priced([ENERGY, flag, {**SCEE, "flag": "bandeira"}], 100, 60)

    assert line(cost, "scee.bandeira.2026-03").amount == "-1.20"
    assert cost.total == "28.80"


def test_offset_energy_may_be_a_line_with_a_price_of_its_own() -> None:
    """Minas Gerais: consumption is split, and credits have the price of the SCEE."""
    charge = {
        **SCEE,
        "form": "split",
        "rate": "0.45",
        "consumed_tags": ["sem_icms"],
        "own_tags": {"total": ["sem_icms", "sem_pis_cofins"]},
    }
    tax = {
        "kind": "tax",
        "form": "inside_product",
        "taxes": [
            {"name": "icms", "rate": "0.20", "without_tags": ["sem_icms"]},
            {"name": "pis", "rate": "0.10", "without_tags": ["sem_pis_cofins"]},
        ],
    }
    cost = priced([{**ENERGY, "components": {"te": "0.72"}}, charge, tax], 100, 60)

    assert line(cost, "consumo.te").amount == "40.00"  # 40 x 0.72 / (0.8 x 0.9)
    assert line(cost, "scee.consumo").amount == "30.00"  # 60 x 0.45 / 0.9
    assert line(cost, "scee.2026-03").amount == "-27.00"  # 60 x 0.45


def test_credit_of_others_may_be_taxed_otherwise() -> None:
    """Paraná gives PIS and COFINS back on what the unit injects, and not on what others do."""
    tax = {
        "kind": "tax",
        "form": "inside_product",
        "taxes": [{"name": "pis", "rate": "0.10", "without_tags": ["sem_pis_cofins"]}],
    }
    charge = {
        **SCEE,
        "others_tags": {"te": ["sem_pis_cofins"]},
        "received": [{"month": "2026-03", "kwh": "10", "from": "usina"}],
    }
    cost = priced([{**ENERGY, "components": {"te": "0.90"}}, charge, tax], 100, 10)

    assert line(cost, "scee.2026-03.te").amount == "-10.00"
    assert line(cost, "scee.2026-03.usina.te").amount == "-9.00"


def test_what_others_inject_comes_once() -> None:
    """What a list has of months whose bills are paid is not taken again."""
    received = [
        {"month": "2026-02", "kwh": "7"},
        {"month": "2026-03", "kwh": "10"},
        {"month": "2026-04", "kwh": "20"},
    ]
    cost = priced([ENERGY, {**SCEE, "received": received}], 100)

    assert cost.state["scee"]["last"]["earned"] == "10"


def test_a_percentage_of_what_another_unit_injects_is_received() -> None:
    """Of 101 kWh by 40 and 60 per cent the unit has 40: the kWh that is left is the other's."""
    sharing = {
        "unit": "casa",
        "percents": {"casa": "40", "loja": "60"},
        "injected": {"2026-03": "101"},
        "from": "usina",
    }
    cost = priced([ENERGY, {**SCEE, "sharing": sharing, "injects": False}], 100)

    assert line(cost, "scee.2026-03.usina.te").quantity == "-40"


def test_what_is_not_kept_is_others() -> None:
    """A plant that keeps a quarter of what it does not use itself gives the rest away."""
    cost = priced([ENERGY, {**SCEE, "keeps": "0.25"}], 20, 100)

    assert cost.state["scee"]["last"] == {
        "carried_in": "0",
        "earned": "100",
        "used": "20",
        "expired": "0",
        "given": "60",
        "carried_out": "20",
    }


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"form": "split"}, "/rate", "rate_or_rates"),
        ({"rate": "0.5"}, "/rate", "unused_field"),
        ({"consumed_tags": ["x"]}, "/consumed_tags", "unused_field"),
        ({"weights": {"ponta": "1"}}, "/weights/ponta", "unknown_period"),
        ({"dues": [{**FIO_B, "prices": {"ponta": "1"}}]}, "/dues/0/price", "price_or_prices"),
        (
            {"sharing": {"unit": "a", "percents": {"a": "40"}, "injected": {}}},
            "/sharing/percents",
            "wrong_percents",
        ),
        (
            {"sharing": {"unit": "b", "percents": {"a": "100"}, "injected": {}}},
            "/sharing/unit",
            "unknown_unit",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    change: Mapping[str, Any], pointer: str, code: str
) -> None:
    """Before a tariff is saved, at the place that is wrong."""
    found = faults(lambda: read(document([ENERGY, {**SCEE, **change}], currency="BRL")))

    assert found == {f"/versions/0/charges/1{pointer}": code}


@pytest.mark.parametrize(
    "ledger",
    [
        [{"month": "2026-13", "kwh": "1"}],
        [{"month": "2026-01", "kwh": "-1"}],
        [{"month": "2026-01", "kwh": "1", "type": "gd4"}],
        [{"month": "2026-01", "money": "1"}],
    ],
)
def test_a_ledger_that_does_not_fit_is_refused(ledger: list[dict[str, str]]) -> None:
    """A person may send one with a first bill."""
    assert faults(lambda: priced([ENERGY, SCEE], 1, 0, ledger)) == {"/state": "bad_state"}


def test_a_charge_of_another_name_is_refused() -> None:
    """`of` names the charge of the energy."""
    charges = [ENERGY, {**SCEE, "of": "energia"}]

    assert faults(lambda: priced(charges, 1)) == {None: "no_energy_charge"}
