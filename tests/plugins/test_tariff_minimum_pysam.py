"""Minimums against PySAM 8: what is added to the bills of a year."""

import json
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from energia.pricing.engine import price
from energia.pricing.lines import Remembered
from energia.pricing.usage import Terms
from tests.core.pricing.documents import instant, tariff
from tests.plugins.tiered import urdb
from tests.plugins.tiered.test_pysam import load
from tests.shared import SHARED

PYSAM = SHARED / "pysam"
#: Without generation; c049 sells what it generates.
CASES = ("c004", "c100", "c101", "c109", "c139")
BOUNDS = [*(f"2018-{month:02}-01" for month in range(1, 13)), "2019-01-01"]


def charges(rates: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the charges of a tariff of the US rate database."""
    hours = (rates["energyweekdayschedule"], rates["energyweekendschedule"])
    energy = urdb.energy(rates["energyratestructure"], *hours)
    fixed = {"kind": "fixed", "amount": rates.get("fixedchargefirstmeter", 0), "per": "month"}
    per = rates["minchargeunits"].removeprefix("$/")
    minimum = {"kind": "minimum", "amount": rates["mincharge"], "per": per}
    charges = [energy, fixed, minimum]
    return [{**one, "amount": str(one["amount"])} if "amount" in one else one for one in charges]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CASES)
def test_what_is_added_is_what_pysam_adds(name: str) -> None:
    """By the month, by the day, and by the year in December."""
    case = json.loads((PYSAM / f"cases/{name}.json").read_text())
    document = tariff(charges(case["urdb"]))
    usage = {"import": load(PYSAM / case["load"], case["interval_minutes"])}
    state: dict[str, Remembered] = {}
    found = []
    for start, end in pairwise(instant(f"{day}T00:00:00Z") for day in BOUNDS):
        cost = price(document, usage, start, end, Terms(state=state))
        state = dict(cost.state)
        added = [line.exact for line in cost.lines if line.code == "minimum"]
        found.append(float(sum(map(Fraction, added), Fraction(0))))

    assert found == pytest.approx(case["expected"]["monthly_minimum_topup"], rel=1e-6)
