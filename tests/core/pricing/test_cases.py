"""Situations from public bug reports, priced through HTTP; what is right was worked out apart."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from energia.plugins import Plugins
from tests.core.pricing.asking import answer_of
from tests.imports import ROOT
from tests.serving import Serving, make_core

CASES = sorted((ROOT / "tests/data/cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_the_right_value_is_charged(path: Path, serving: Serving) -> None:
    """Total, lines and quantities are what the report's situation should have cost."""
    case = json.loads(path.read_text(encoding="utf-8"))
    expected = case["expected"]
    right = expected.pop("status", 200)

    async with serving(make_core(plugins=Plugins.installed())) as client:
        status, cost = await answer_of(client, "POST", "/v1/costs", case["request"])

    assert status == right, cost
    assert stated(cost, expected) == expected


def stated(cost: Any, expected: Any) -> dict[str, Any]:
    """Return what *cost* says of what is *expected*, each number as it is written there."""
    says: dict[str, Any] = {}
    if "total" in expected:
        says["total"] = like(cost["total"], expected["total"])
    if "exact" in expected:
        charged = [line for line in cost["lines"] if line["code"] != "rounding"]
        exact = sum((Fraction(line["exact"]) for line in charged), Fraction(0))
        says["exact"] = like(exact, expected["exact"])
    for field, name in (("lines", "amount"), ("quantities", "quantity")):
        if field in expected:
            says[field] = {
                code: like(sum_of(cost["lines"], code, name), value)
                for code, value in expected[field].items()
            }
    if "assumptions" in expected:
        codes = {assumption["code"] for assumption in cost["assumptions"]}
        says["assumptions"] = [code for code in expected["assumptions"] if code in codes]
    return says


def sum_of(lines: Any, code: str, name: str) -> Fraction:
    """Return the sum of the amounts, or the quantities, of the lines with a code."""
    return sum((Fraction(line[name]) for line in lines if line["code"] == code), Fraction(0))


def like(number: str | Fraction, expected: Any) -> Any:
    """Return *expected* where *number* is the same, however it is written; else *number*."""
    return expected if Fraction(number) == Fraction(str(expected)) else str(number)
