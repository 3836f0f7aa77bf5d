"""The custo de disponibilidade: what is billed of who uses little."""

from decimal import Decimal
from typing import Any

import pytest

from tests.core.pricing.documents import line
from tests.plugins.brazil.customers import amounts, bill, made, tariff

READING = ("2026-07-31", "2026-08-31")
#: 0.94793 R$/kWh, and a bandeira of 0.01885 inside the price.
LIGHT: dict[str, Any] = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}
#: 0.31085 and 0.45717 R$/kWh, and a line for the bandeira.
COPEL: dict[str, Any] = {"distributor": "copel", "subgroup": "B1", "from": "2026-08-01"}
UNTAXED = {"icms": [{"rate": "0"}], "pis": "0", "cofins": "0"}


@pytest.mark.parametrize(
    ("phases", "least"),
    [("monofasico", 30), ("bifasico_2_fios", 30), ("bifasico", 50), ("trifasico", 100)],
)
@pytest.mark.parametrize("distributor", ["light", "copel"])
def test_who_uses_less_is_billed_the_least(distributor: str, phases: str, least: int) -> None:
    """30, 50 or 100 kWh by the connection, in the place of what was metered (REN 1.000, art. 291).

    Whoever uses as much pays no more for it.
    """
    of = tariff(**{**LIGHT, "distributor": distributor}, phases=phases)
    codes = ["consumo"] if distributor == "light" else ["consumo.tusd", "consumo.te"]

    for kwh, billed in ((0, least), (least - 1, least), (least, least), (least + 1, least + 1)):
        cost = bill(of, kwh, READING)
        assert [line(cost, code).quantity for code in codes] == [f"{billed}"] * len(codes)


def test_the_price_is_that_of_the_energy() -> None:
    """It is printed, and rounded as the distributor rounds prices."""
    of = tariff(**LIGHT, overrides={"pis": "0.0123", "cofins": "0.0567"})

    least, much = bill(of, 12, READING), bill(of, 50, READING)

    assert line(least, "consumo").rate == line(much, "consumo").rate == "1.03843"
    assert line(least, "consumo").amount == "31.15"


@pytest.mark.parametrize(
    ("flag", "on", "expected"),
    [
        ("inside", None, {"consumo": "29.00"}),
        ("line", None, {"consumo": "28.44", "bandeira.amarela": "0.57"}),
        ("inside", "metered", {"consumo": "28.44", "bandeira.amarela": "0.38"}),
        ("line", "metered", {"consumo": "28.44", "bandeira.amarela": "0.38"}),
    ],
)
def test_the_flag_is_on_all_of_it_or_on_what_was_metered(
    flag: str, on: str | None, expected: dict[str, str]
) -> None:
    """20 kWh, billed as 30: ANEEL says the former, and the answer says that it was assumed."""
    said = {**UNTAXED, "flag": flag, **({} if on is None else {"minimum_flag": on})}
    found = made(**LIGHT, overrides=said)

    cost = bill(tariff(**LIGHT, overrides=said), 20, READING)

    told = {code: f"{amount}" for code, amount in amounts(cost).items() if amount}
    assert told == expected
    settings = [one.setting for one in found.assumptions]
    assert ("/overrides/minimum_flag" in settings) == (on is None)


def test_two_components_with_a_flag() -> None:
    """The bandeira is on the kWh once, not on those of TE and of TUSD."""
    cost = bill(tariff(**COPEL, overrides=UNTAXED, phases="trifasico"), 20, READING)

    assert {code: f"{amount}" for code, amount in amounts(cost).items() if amount} == {
        "consumo.tusd": "45.72",
        "consumo.te": "31.09",
        "bandeira.amarela": "1.89",
    }


@pytest.mark.parametrize("kwh", [0, 20, 99, 100, 150, 151, 400])
def test_bands_of_icms_on_their_own_energy_add_up(kwh: int) -> None:
    """Where Santa Catarina's bands are lines of their own, they are of all that is billed."""
    of = tariff(distributor="celesc", subgroup="B1", phases="trifasico", from_="2026-05-01")

    cost = bill(of, kwh, ("2026-05-31", "2026-06-30"))

    for component in ("te", "tusd"):
        lines = [one for one in cost.lines if one.code.startswith("consumo")]
        quantities = [Decimal(one.quantity or 0) for one in lines if one.component == component]
        assert sum(quantities) == max(kwh, 100)
    flags = [one for one in cost.lines if one.code.startswith("bandeira")]
    assert sum(Decimal(one.quantity or 0) for one in flags) == max(kwh, 100)


def test_it_may_be_said() -> None:
    """Of a connection of another kind, or none at all."""
    cost = bill(tariff(**LIGHT, overrides={"minimum_kwh": "0"}), 3, READING)

    assert line(cost, "consumo").quantity == "3"


def test_a_bill_across_a_readjustment_has_one_minimum() -> None:
    """Each version has its share of the days: 7 and 26 of 33."""
    request = {"distributor": "enel-sp", "subgroup": "B1", "from": "2026-06-01"}

    cost = bill(tariff(**request), 0, ("2026-06-26", "2026-07-29"))

    found = [one for one in cost.lines if one.code == "consumo.te"]
    assert sum(Decimal(one.quantity or 0) for one in found) == 30
