"""Real bills of group A come out of the generated tariffs, line by line."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest

from energia.pricing.engine import Cost
from tests.imports import ROOT
from tests.plugins.brazil.high_voltage import Meter, amounts, bill, made, once, readings, tariff_of

BILLS = ROOT / "tests/data/brazil-bills"
NO_ICMS = {"icms": [{"rate": "0"}]}
#: What is inside prices already, so that the tariff adds none.
NO_TAXES = {**NO_ICMS, "pis": "0", "cofins": "0"}
CPFL = {"distributor": "cpfl-paulista", "subgroup": "A4", "modality": "azul"}


def printed(name: str) -> dict[str, Any]:
    """Return the figures of a bill."""
    found: dict[str, Any] = json.loads((BILLS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def differing(
    cost: Cost, bill: dict[str, Any], lines: Mapping[str, tuple[int, ...]]
) -> dict[str, Any]:
    """Return the lines of a cost that are not what a bill's lines, by their numbers, are together.

    Each line of the bill may be off by its tolerance.
    """
    mine = amounts(cost)
    assert sorted(mine) == sorted(lines)
    wrong = {}
    for code, numbers in lines.items():
        theirs = sum(_value(bill["lines"][number]) for number in numbers)
        if abs(mine[code] - theirs) > Decimal(bill["tolerance"]) * len(numbers):
            wrong[code] = (mine[code], theirs)
    return wrong


def _value(line: dict[str, Any]) -> Decimal:
    if "value" in line:
        return Decimal(line["value"])
    product = Decimal(line["quantity"]) * Decimal(line["price"])
    return product.quantize(Decimal("0.01"))


@attrs.frozen
class Customer:
    """A customer of CPFL Paulista: what a bill of a month is made of.

    Attributes:
        name: The file.
        days: The days.
        contracted: By posto.
        postos: What was measured.
        lines: The bill's lines of each of ours.
        more: What else the request says.

    """

    name: str
    days: tuple[str, str]
    contracted: dict[str, str]
    postos: dict[str, Meter]
    lines: dict[str, tuple[int, ...]]
    more: dict[str, Any] = attrs.Factory(dict)

    def cost(self) -> Cost:
        """Price it."""
        answer = made(
            **CPFL,
            **{"from": self.days[0]},
            contracted=self.contracted,
            overrides={**NO_ICMS, **self.more},
        )
        return bill(tariff_of(answer), self.days, readings(self.days, self.postos))


ENERGY = {
    "consumo.ponta.tusd": (0,),
    "consumo.fora_ponta.tusd": (1,),
    "consumo.ponta.te": (2,),
    "consumo.fora_ponta.te": (3,),
}
FLAGS = {
    "bandeira.amarela.consumo.ponta.te": (4,),
    "bandeira.amarela.consumo.fora_ponta.te": (5,),
}
JULY = Customer(
    "cpfl_paulista_2026-07_a4_azul",
    ("2026-07-01", "2026-08-01"),
    {"ponta": "117", "fora_ponta": "182"},
    {
        "ponta": Meter(kwh="5475.4560", kw="95.3280", kvarh="244.3754"),
        "fora_ponta": Meter(kwh="56316.2384", kw="164.8800", kvarh="1501.3580"),
    },
    {
        **ENERGY,
        **FLAGS,
        "reativo.ponta.energy": (6,),
        "reativo.fora_ponta.energy": (7,),
        "demanda.ponta.unused": (8,),
        "demanda.ponta": (9,),
        "demanda.fora_ponta.unused": (10,),
        "demanda.fora_ponta": (11,),
    },
)
AUGUST = Customer(
    "cpfl_paulista_2026-08_a4_azul",
    ("2026-08-01", "2026-09-01"),
    {"ponta": "117", "fora_ponta": "182"},
    {
        "ponta": Meter(kwh="5286.5280", kw="104.4", kvarh="153.5869"),
        "fora_ponta": Meter(kwh="61667.5680", kw="186.48", kvarh="892.4948"),
    },
    {
        **ENERGY,
        **FLAGS,
        "reativo.ponta.energy": (6,),
        "reativo.fora_ponta.energy": (7,),
        "demanda.ponta.unused": (8,),
        "demanda.ponta": (9,),
        "demanda.fora_ponta": (10,),
    },
)
OVERRUN = Customer(
    "cpfl_paulista_2026-08_a4_azul_ultrapassagem",
    ("2026-08-01", "2026-09-01"),
    {"ponta": "120", "fora_ponta": "162"},
    {
        "ponta": Meter(kwh="6927.6", kw="133.68"),
        "fora_ponta": Meter(kwh="65514", kw="158.64", kvarh="13.0137"),
    },
    {
        **ENERGY,
        **FLAGS,
        "reativo.fora_ponta.energy": (6,),
        "demanda.ponta": (7,),
        "demanda.fora_ponta.unused": (8,),
        "demanda.fora_ponta": (9,),
        "demanda.ponta.overrun": (10,),
        "iluminacao_publica": (11,),
    },
    {"lighting": {"kind": "fixed", "amount": "31.29", "per": "bill"}},
)


@pytest.mark.parametrize("customer", [JULY, AUGUST, OVERRUN], ids=lambda customer: customer.name)
def test_azul_of_cpfl_paulista(customer: Customer) -> None:
    """Contract and overrun of each posto, reactive energy at the TE of B1, taxes of the month."""
    cost, said = customer.cost(), printed(customer.name)

    assert differing(cost, said, customer.lines) == {}
    assert abs(Decimal(cost.total) - Decimal(said["expected"]["total"])) <= Decimal("0.03")


def test_unused_demand_of_verde_has_no_icms() -> None:
    """4.13 kW of 30: the other 25.87 kW have PIS and COFINS alone; all by the sum of old bills."""
    case = printed("grupo_a_faturas")["cases"][0]
    lines = [dict(zip(("what", "quantity", "price"), line, strict=True)) for line in case["lines"]]
    days = ("2022-05-01", "2022-06-01")
    answer = made(
        distributor="light",
        subgroup="A4",
        modality="verde",
        contracted={"unico": "30"},
        **{"from": days[0]},
        overrides={
            "form": "inside_sum",
            "icms": [{"rate": "0.25"}],
            "pis": "0.00918",
            "cofins": "0.04228",
            "unit_price_decimals": 6,
            "energy": "together",
            "reactive": "0.280329",
            "rates": {
                "ponta": {"tusd": "1.03", "te": "0.363693"},
                "fora_ponta": {"tusd": "0.1", "te": "0.256061"},
                "unico": {"demand": "17.09646"},
            },
        },
    )
    postos = {
        "ponta": Meter(kwh=66, kw="4.13", kvarh=3),
        "fora_ponta": Meter(kwh=431, kw="4", kvarh=69),
    }
    cost = bill(tariff_of(answer), days, readings(days, postos, ponta=(17.5, 20.5)))

    said = {"lines": lines, "tolerance": "0.01"}
    expected = {
        "consumo.ponta": (0,),
        "consumo.fora_ponta": (1,),
        "reativo.ponta.energy": (2,),
        "reativo.fora_ponta.energy": (3,),
        "demanda": (4,),
        "demanda.unused": (5,),
    }
    assert differing(cost, said, expected) == {}
    assert abs(Decimal(cost.total) - Decimal(case["expected_total"])) <= Decimal("0.03")


@attrs.frozen
class Free:
    """A month of a customer in the free market, of whose energy a part is incentivised.

    Attributes:
        days: The days.
        lines: What the bill says, with taxes inside of all prices.
        discount: What was found for the month.

    """

    days: tuple[str, str]
    lines: list[dict[str, Any]]
    discount: Decimal


def free(name: str) -> Free:
    """Return a month; the discount is what demand costs less than half of its overrun."""
    if name == "2022-08":
        case = printed("grupo_a_faturas")["cases"][1]
        keys = ("what", "quantity", "price")
        lines = [dict(zip(keys, line, strict=True)) for line in case["lines"]]
        days = ("2022-08-01", "2022-09-01")
    else:
        lines, days = printed("acl_2022-09")["lines"], ("2022-09-01", "2022-10-01")
    demand, twice = Decimal(lines[5]["price"]), Decimal(lines[4]["price"])
    return Free(days, lines, (1 - 2 * demand / twice).quantize(Decimal("1e-12")))


@pytest.mark.parametrize("name", ["2022-08", "2022-09"])
def test_the_free_market_pays_tusd_alone(name: str) -> None:
    """Overrun costs twice the whole price, demand and a part of ponta the discounted one."""
    month = free(name)
    ponta, fora_ponta = (Decimal(month.lines[number]["price"]) for number in (0, 1))
    whole = fora_ponta + (ponta - fora_ponta) / (1 - month.discount)
    answer = made(
        distributor="cpfl-paulista",
        subgroup="A4",
        modality="verde",
        free_market=True,
        discount=f"{month.discount}",
        contracted={"unico": "890"},
        **{"from": month.days[0]},
        overrides={
            **NO_TAXES,
            "unit_price_decimals": 6,
            "reactive": month.lines[3]["price"],
            "rates": {
                "ponta": {"tusd": f"{whole}"},
                "fora_ponta": {"tusd": f"{fora_ponta}"},
                "unico": {"demand": f"{Decimal(month.lines[4]['price']) / 2}"},
            },
        },
    )
    quantities = [line.get("quantity") for line in month.lines]
    postos = {
        "ponta": Meter(kwh=quantities[0], kw="800", kvarh=quantities[2]),
        "fora_ponta": Meter(kwh=quantities[1], kw=quantities[5], kvarh=quantities[3]),
    }
    holidays = ("2022-09-07",)
    usage = readings(month.days, postos, holidays=holidays)
    cost = bill(tariff_of(answer), month.days, usage)

    expected = {
        "consumo.ponta.tusd": (0,),
        "consumo.fora_ponta.tusd": (1,),
        "reativo.ponta.energy": (2,),
        "reativo.fora_ponta.energy": (3,),
        "demanda.overrun": (4,),
        "demanda": (5,),
    }
    assert differing(cost, {"lines": month.lines, "tolerance": "0.02"}, expected) == {}


def test_registers_of_postos_are_enough() -> None:
    """The same bill by what its meter showed: energy, excess and highest demand of each posto."""
    answer = made(
        **CPFL,
        **{"from": JULY.days[0]},
        registers=True,
        contracted=JULY.contracted,
        overrides=NO_ICMS,
    )
    tariff = tariff_of(answer, measured_kw_ponta="95.328", measured_kw_fora_ponta="164.88")
    shown = {
        "import": "61791.6944",
        **{f"import.{posto}": meter.kwh for posto, meter in JULY.postos.items()},
        **{f"reactive_energy.import.{posto}": meter.kvarh for posto, meter in JULY.postos.items()},
    }
    cost = bill(tariff, JULY.days, {role: once(JULY.days, value) for role, value in shown.items()})

    lines = {code.removesuffix(".energy"): numbers for code, numbers in JULY.lines.items()}
    assert differing(cost, printed(JULY.name), lines) == {}
