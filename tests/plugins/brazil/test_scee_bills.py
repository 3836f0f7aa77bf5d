"""Real bills with distributed generation, line by line, from the generator and the tables.

What tables lack is in `overrides`: prices of years that no table has, deduced from the bill.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import attrs
import pytest

from energia.pricing.engine import Cost
from tests.plugins.brazil.customers import amounts, bill, printed, tariff, told

Lots = Sequence[Mapping[str, str]]


def lot(month: str, kwh: object, type_: str = "gd1", **more: str) -> dict[str, str]:
    """Return credit as the state, or a contract's parameter, has it."""
    return {"month": month, "kwh": str(kwh), "type": type_, **more}


@attrs.frozen(kw_only=True, eq=False)
class Case:
    """A real bill, and which of our lines each of its lines is.

    Attributes:
        name: The name of its file.
        request: What the tariff is asked for with, but its first day.
        readings: The days of both readings.
        kwh: What was used.
        injected: What was injected.
        ledger: The credit of earlier bills.
        received: What comes of other units.
        lines: The codes of our lines, by the indexes of printed ones.

    """

    name: str
    request: Mapping[str, Any]
    readings: tuple[str, str]
    kwh: int
    injected: int = 0
    ledger: Lots = ()
    received: Lots = ()
    lines: Mapping[int, tuple[str, ...]]


#: A component of GD III's price is deduced from the credit of the TUSD itself, which prints no
#: price: that line is no proof. The kWh are those of the credit of the TE, which is.
GD3: Final = {
    "TUSD_FioA": "0.0457470",
    "TUSD_PeD": "0",
    "TUSD_TFSEE": "0",
    "TE_PeD": "0",
}
CPFL_2023: Final = {"rates": {"unico": {"te": "0.31884", "tusd": "0.37162"}}}
#: Escassez hídrica until 15 April; the table has half of it for all of the month.
RGE_2022: Final = {
    "rates": {"unico": {"te": "0.28456", "tusd": "0.35848"}},
    "flags": {"2022-04": "142"},
}
TUSD_TE: Final = (".tusd", ".te")


def both(code: str) -> tuple[str, ...]:
    """Return the codes of both components, which the bill prints as one."""
    return tuple(code + end for end in TUSD_TE)


CASES: Final = (
    Case(
        name="cpfl_2023-10_gd1_scee",
        request={"distributor": "cpfl-paulista", "phases": "bifasico", "overrides": CPFL_2023},
        readings=("2023-09-27", "2023-10-27"),
        kwh=2000,
        ledger=(lot("2023-06", "784.88"), lot("2023-07", 3000)),
        lines={
            0: ("consumo.tusd",),
            1: ("consumo.te",),
            2: ("scee.2023-07.tusd",),
            3: ("scee.2023-06.tusd",),
            4: ("scee.2023-07.te",),
            5: ("scee.2023-06.te",),
        },
    ),
    Case(
        name="cemig_2023-07_gd2",
        request={"distributor": "cemig", "phases": "bifasico", "generation": {"type": "gd2"}},
        readings=("2023-06-06", "2023-07-07"),
        kwh=199,
        ledger=(lot("2023-05", "390.63", "gd2"),),
        lines={
            0: ("consumo",),
            1: ("scee.consumo",),
            2: ("scee.2023-05",),
            3: ("scee.adicional",),
        },
    ),
    *(
        Case(
            name="cemig_2023_gd1",
            request={"distributor": "cemig", "phases": phases, "overrides": taxes},
            readings=("2023-10-06", "2023-11-06"),
            kwh=kwh,
            ledger=(lot("2023-05", 3000),),
            lines={
                first: ("consumo",),
                first + 1: ("scee.consumo",),
                first + 2: ("scee.2023-05",),
            },
        )
        for first, kwh, phases, taxes in (
            (0, 2400, "trifasico", {"pis": "0.0079", "cofins": "0.0360"}),
            (3, 675, "bifasico", {}),
            (6, 677, "bifasico", {"pis": "0.0073", "cofins": "0.0333"}),
        )
    ),
    Case(
        name="cemig_2026-05_gd1_gd2",
        request={"distributor": "cemig", "phases": "trifasico", "generation": {"type": "gd2"}},
        readings=("2026-04-29", "2026-05-27"),
        kwh=676,
        injected=108,
        ledger=(lot("2026-04", 231),),
        lines={
            0: ("consumo",),
            1: ("scee.consumo",),
            2: ("scee.2026-04.gd1",),
            3: ("scee.2026-05",),
        },
    ),
    # Across a readjustment: Cemig prints the mean price by days, and we two lines of each code.
    Case(
        name="cemig_2026-06_gd1",
        request={
            "distributor": "cemig",
            "phases": "bifasico",
            "overrides": {"offset_taxes": ["pis_cofins"]},
        },
        readings=("2026-05-07", "2026-06-08"),
        kwh=709,
        injected=548,
        lines={0: ("consumo",), 1: ("scee.consumo",), 2: ("scee.2026-06",)},
    ),
    Case(
        name="cemig_2026-09_gd1_gd2",
        request={"distributor": "cemig", "phases": "trifasico", "generation": {"type": "gd2"}},
        readings=("2026-08-07", "2026-09-08"),
        kwh=1212,
        injected=992,
        ledger=(lot("2026-07", 220), lot("2026-08", "457.85", "gd2")),
        lines={
            0: ("scee.custo_de_disponibilidade",),
            1: ("scee.consumo",),
            2: ("scee.2026-07.gd1",),
            3: ("scee.2026-09",),
            4: ("scee.ajuste",),
        },
    ),
    Case(
        name="copel_2026-05_gd1_gd2",
        request={"distributor": "copel", "phases": "trifasico"},
        readings=("2026-04-10", "2026-05-11"),
        kwh=2716,
        injected=682,
        received=(
            lot("2025-08", 168, "gd2", **{"from": "a", "arrives": "2026-05"}),
            lot("2026-05", 166, **{"from": "a"}),
            lot("2026-05", 1700, "gd2", **{"from": "a"}),
        ),
        lines={
            0: ("consumo.te",),
            1: ("consumo.tusd",),
            2: ("scee.2026-05.te",),
            3: ("scee.2026-05.tusd",),
            4: ("scee.2025-08.gd2.a.te",),
            5: ("scee.2025-08.gd2.a.tusd",),
            6: ("scee.2026-05.a.te",),
            7: ("scee.2026-05.a.tusd",),
            8: ("scee.2026-05.gd2.a.te",),
            9: ("scee.2026-05.gd2.a.tusd",),
            10: ("bandeira.amarela",),
            11: ("scee.bandeira.amarela",),
        },
    ),
    Case(
        name="rge_2022-04_gd1",
        request={"distributor": "rge", "phases": "bifasico", "overrides": RGE_2022},
        readings=("2022-03-15", "2022-04-13"),
        kwh=283,
        injected=351,
        lines={
            0: ("consumo.tusd",),
            1: ("consumo.te",),
            2: ("scee.2022-04.tusd",),
            3: ("scee.2022-04.te",),
            4: ("scee.custo_de_disponibilidade.tusd",),
            5: ("scee.custo_de_disponibilidade.te",),
            # What the source does not show is the flag on the 50 kWh of the minimum.
            6: ("bandeira.escassez_hidrica", "scee.bandeira.escassez_hidrica"),
        },
    ),
    Case(
        name="rge_2023-05_gd1",
        request={"distributor": "rge", "phases": "bifasico"},
        readings=("2023-04-14", "2023-05-16"),
        kwh=426,
        injected=278,
        ledger=(lot("2021-12", 98),),
        lines={
            0: ("consumo.tusd",),
            1: ("consumo.te",),
            2: ("scee.2023-05.tusd",),
            3: ("scee.2023-05.te",),
            4: ("scee.2021-12.tusd",),
            5: ("scee.2021-12.te",),
        },
    ),
    Case(
        name="celesc_2025-06_b3_scee",
        request={"distributor": "celesc", "subgroup": "B3", "phases": "trifasico"},
        readings=("2025-05-23", "2025-06-24"),
        kwh=5450,
        ledger=(lot("2025-04", "3086.011"), lot("2025-05", 3000)),
        lines={
            0: ("consumo.te",),
            1: ("consumo.tusd",),
            2: ("scee.2025-04.te",),
            3: ("scee.2025-05.te",),
            4: ("scee.2025-05.tusd",),
            5: ("scee.2025-04.tusd",),
            6: ("bandeira.amarela",),
            7: ("scee.bandeira.amarela",),
            8: ("bandeira.vermelha_P1",),
            9: ("scee.bandeira.vermelha_P1",),
        },
    ),
    Case(
        name="celesc_2026-06_b1_scee",
        request={"distributor": "celesc"},
        readings=("2026-05-07", "2026-06-05"),
        kwh=324,
        injected=246,
        lines={
            0: ("consumo.tier1.te",),
            1: ("consumo.tier2.te",),
            2: ("consumo.tier1.tusd",),
            3: ("consumo.tier2.tusd",),
            4: ("scee.2026-06.tier1.te",),
            5: ("scee.2026-06.tier2.te",),
            6: ("scee.2026-06.tier1.tusd", "scee.2026-06.tier2.tusd"),
            7: ("bandeira.amarela.consumo.tier1.te",),
            8: ("bandeira.amarela.consumo.tier2.te",),
            9: ("scee.bandeira.amarela.consumo.tier1.te",),
            10: ("scee.bandeira.amarela.consumo.tier2.te",),
        },
    ),
    Case(
        name="edp_es_2025-12_scee",
        request={"distributor": "edp-es", "phases": "trifasico"},
        readings=("2025-11-27", "2025-12-26"),
        kwh=1010,
        received=tuple(
            lot("2025-11", kwh, **{"from": unit, "arrives": "2025-12"})
            for unit, kwh in (("a", "439.8049"), ("b", "235.2049"), ("c", "300"))
        ),
        lines={
            0: ("consumo.tusd",),
            **{at: (f"scee.2025-11.{unit}.tusd",) for at, unit in enumerate("abc", 1)},
            4: ("consumo.te",),
            **{at: (f"scee.2025-11.{unit}.te",) for at, unit in enumerate("abc", 5)},
            8: ("bandeira.amarela",),
            9: ("bandeira.vermelha_P1",),
            10: ("scee.bandeira.amarela",),
            11: ("scee.bandeira.vermelha_P1",),
        },
    ),
    Case(
        name="edp_es_2026-04_gd3",
        request={
            "distributor": "edp-es",
            "subgroup": "B3",
            "phases": "trifasico",
            "generation": {"type": "gd3"},
            "overrides": {"components": GD3, "credit_taxes": [], "flags": {"2026-04": "0"}},
        },
        readings=("2026-03-31", "2026-04-30"),
        kwh=73_400,
        received=(lot("2026-03", 72_688, "gd3", **{"from": "usina", "arrives": "2026-04"}),),
        lines={
            0: ("consumo.tusd",),
            1: ("scee.2026-03.usina.tusd",),
            2: ("consumo.te",),
            3: ("scee.2026-03.usina.te",),
        },
    ),
    Case(
        name="energisa_pb_2026-08_b3_scee",
        request={"distributor": "energisa-pb", "subgroup": "B3", "phases": "trifasico"},
        readings=("2026-07-09", "2026-08-14"),
        kwh=10_168,
        ledger=(lot("2026-07", 2161),),
        received=(
            lot("2026-08", 1401, "gd2", **{"from": "a"}),
            lot("2026-08", 6606, **{"from": "a"}),
        ),
        lines={
            0: both("consumo"),
            1: both("scee.2026-07"),
            2: both("scee.2026-08.gd2.a"),
            3: both("scee.2026-08.a"),
            4: ("scee.2026-08.gd2.a.fiob",),
        },
    ),
    Case(
        name="energisa_to_2026-07_gd2",
        request={"distributor": "energisa-to", "generation": {"type": "gd2"}},
        readings=("2026-06-01", "2026-07-01"),
        kwh=380,
        injected=380,
        lines={0: both("consumo"), 1: both("scee.2026-07"), 2: ("scee.2026-07.fiob",)},
    ),
    Case(
        name="energisa_to_2026-08_gd1",
        request={"distributor": "energisa-to"},
        readings=("2026-07-08", "2026-08-08"),
        kwh=547,
        injected=499,
        lines={
            0: both("consumo"),
            1: both("scee.2026-08"),
            2: ("bandeira.amarela", "scee.bandeira.amarela"),
        },
    ),
    Case(
        name="equatorial_go_2026_gd2",
        request={"distributor": "equatorial-go", "generation": {"type": "gd2"}},
        readings=("2026-05-12", "2026-06-11"),
        kwh=278,
        injected=300,
        # The source does not show the credit, nor quantities of May and July.
        lines={1: ("scee.consumo",), 3: ("scee.2026-06.fiob",)},
    ),
)


def priced(case: Case) -> dict[str, Decimal]:
    """Return the amounts of our lines, those of several versions together."""
    return amounts(cost_of(case))


@cache
def cost_of(case: Case) -> Cost:
    """Return what the bill costs."""
    first = date.fromisoformat(case.readings[0]) + timedelta(1)
    own = {"subgroup": "B1", "generation": {"type": "gd1"}, **case.request}
    before = f"{first.replace(day=1) - timedelta(1):%Y-%m}"
    return bill(
        tariff(**own, from_=f"{first}"),
        {"import": case.kwh, "export": case.injected},
        case.readings,
        {"scee": {"month": before, "ledger": list(case.ledger)}},
        creditos_recebidos=list(case.received),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{min(case.lines)}")
def test_a_real_bill_comes_out(case: Case) -> None:
    """Each printed line of energy is ours, within what its bill says of its own arithmetic."""
    of_file = printed(case.name)
    within = Decimal(of_file.get("tolerance", "0.01"))
    ours = priced(case)
    lines = {at: of_file["lines"][at] for at in case.lines}

    found = {at: sum(ours[code] for code in codes) for at, codes in case.lines.items()}

    off = {
        line["what"]: (line["value"], str(float(found[at])))
        for at, line in lines.items()
        if abs(Decimal(line["value"]) - found[at]) > within
    }
    assert not off


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{min(case.lines)}")
def test_a_real_bill_has_no_other_lines(case: Case) -> None:
    """What we charge beside the printed lines comes to nothing."""
    ours = priced(case)
    named = {code for codes in case.lines.values() for code in codes}

    others = sum((amount for code, amount in ours.items() if code not in named), Decimal(0))

    shown = {"equatorial_go_2026_gd2": Decimal("-222.14")}
    assert others == shown.get(case.name, 0)


@pytest.mark.parametrize(
    ("name", "taxes"),
    [
        ("cpfl_2023-10_gd1_scee", {"icms": "174.39"}),
        ("copel_2026-05_gd1_gd2", {"icms": "446.94"}),
        ("celesc_2025-06_b3_scee", {"icms": "376.40"}),
        ("edp_es_2025-12_scee", {"icms": "17.46", "pis": "7.49", "cofins": "34.71"}),
        ("energisa_pb_2026-08_b3_scee", {"icms": "1174.59"}),
    ],
)
def test_the_taxes_of_a_real_bill_come_out(name: str, taxes: Mapping[str, str]) -> None:
    """What is due, and what credits give back of it: the printed totals, to two centavos."""
    (case,) = (one for one in CASES if one.name == name)

    found = {tax: told(cost_of(case), tax) for tax in taxes}

    assert all(abs(found[tax] - Decimal(value)) <= Decimal("0.02") for tax, value in taxes.items())
