"""Real bills of group B without generation, line by line, out of the tables alone.

What is on a bill and is no tariff (bonuses, fines, donations, credits) is left out here. What a
municipality charges for public lighting is said where the tables do not have it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.plugins.brazil.customers import amounts, bill, flat, printed, tariff, told

CENT = Decimal("0.01")


@attrs.frozen(kw_only=True)
class Printed:
    """A bill, and where its lines are.

    Attributes:
        file: Its figures.
        request: What its customer's tariff is asked for with.
        reading: The day of the reading before, and that of the reading.
        lines: The codes of our lines for each of its lines, in their order; none are of no tariff.

    """

    file: str
    request: Mapping[str, Any]
    reading: tuple[str, str]
    lines: tuple[tuple[str, ...], ...]


BILLS = (
    Printed(
        file="cemig_2023-10_b1",
        request={
            "distributor": "CEMIG-D",
            "from": "2023-09-01",
            "overrides": {"lighting": flat("61.79")},
        },
        reading=("2023-09-06", "2023-10-09"),
        lines=(("consumo",), ("iluminacao_publica",)),
    ),
    Printed(
        file="celesc_2026-04_b1",
        request={
            "distributor": "celesc",
            "from": "2026-03-01",
            "overrides": {"lighting": flat("85.13")},
        },
        reading=("2026-03-16", "2026-04-14"),
        lines=(
            ("consumo.tier1.te",),
            ("consumo.tier2.te",),
            ("consumo.tier1.tusd",),
            ("consumo.tier2.tusd",),
            ("iluminacao_publica",),
        ),
    ),
    Printed(
        file="copel_2025-08_b1",
        request={
            "distributor": "copel",
            "from": "2025-07-01",
            "overrides": {"lighting": flat("37.54")},
        },
        reading=("2025-07-04", "2025-08-07"),
        lines=(
            ("consumo.te",),
            ("consumo.tusd",),
            ("bandeira.vermelha_P1",),
            ("bandeira.vermelha_P2",),
            (),
            ("iluminacao_publica",),
        ),
    ),
    Printed(
        file="edp_es_2026-04_b1",
        request={
            "distributor": "edp-es",
            "phases": "trifasico",
            "from": "2026-03-01",
            "overrides": {"lighting": flat("29.51")},
        },
        reading=("2026-03-31", "2026-04-30"),
        lines=(("consumo.tusd",), ("consumo.te",), ("iluminacao_publica",)),
    ),
    Printed(
        file="enel_sp_2026-07_b1",
        request={
            "distributor": "enel-sp",
            "from": "2026-06-01",
            "overrides": {"lighting": flat("21.11")},
        },
        reading=("2026-06-26", "2026-07-29"),
        lines=(
            ("consumo.tusd",),
            ("consumo.te",),
            ("bandeira.amarela",),
            ("iluminacao_publica",),
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("of", BILLS, ids=lambda of: of.file)
def test_a_real_bill_comes_out_line_by_line(of: Printed) -> None:
    """Every line is within the bill's tolerance, and there are no others."""
    figures = printed(of.file)
    tolerance = Decimal(figures["tolerance"])

    cost = bill(tariff(subgroup="B1", **of.request), figures["reading"]["kwh"], of.reading)

    ours, told_of = amounts(cost), [code for codes in of.lines for code in codes]
    for line, codes in zip(figures["lines"], of.lines, strict=True):
        if codes:
            sums = sum(ours[code] for code in codes)
            assert abs(sums - Decimal(line["value"])) <= tolerance, line["what"]
    assert {code for code, amount in ours.items() if amount} == set(told_of)


@pytest.mark.parametrize("of", BILLS, ids=lambda of: of.file)
def test_a_real_bill_has_the_taxes_that_it_tells(of: Printed) -> None:
    """ICMS, PIS and COFINS that a bill prints are those of our lines, to its tolerance."""
    figures = printed(of.file)
    tolerance = Decimal(figures["tolerance"])

    cost = bill(tariff(subgroup="B1", **of.request), figures["reading"]["kwh"], of.reading)

    by_line = [line for line in figures["lines"] if "icms" in line]
    expected = {name: figures["expected"].get(name) for name in ("icms", "pis", "cofins")}
    if by_line:
        expected["icms"] = str(sum(Decimal(line["icms"]) for line in by_line))
    for name, value in expected.items():
        if value is not None:
            assert abs(told(cost, name) - Decimal(value)) <= tolerance, name
