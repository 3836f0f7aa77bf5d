"""Hours of use against figures that NREL publishes in the tests of its engine (SSC)."""

from fractions import Fraction

import pytest

from energia.pricing.engine import price
from energia.pricing.usage import Terms
from tests.core.pricing.documents import instant, series, tariff
from tests.plugins.tiered import urdb
from tests.shared import SHARED

NREL = SHARED / "nrel-ssc"
#: Period 1 of the test `Test_seasonal_per_kw_charge_w_no_demand_charge`, which is July's.
STRUCTURE = [
    {"max": 200, "unit": "kWh/kW", "rate": 0.031718},
    {"max": 3000, "unit": "kWh", "rate": 0.132655},
    {"max": 10000, "unit": "kWh", "rate": 0.120303},
    {"max": 200000, "unit": "kWh", "rate": 0.102607},
    {"unit": "kWh", "rate": 0.079109},
    {"max": 400, "unit": "kWh/kW", "rate": 0.013627},
    {"max": 600, "unit": "kWh/kW", "rate": 0.010275},
    {"unit": "kWh/kW", "rate": 0.00771},
]
#: What NREL expects of July: kWh of the tiers with any; the bill less its fixed 21 dollars.
TIERS = (3000.0, 7000.0, 131851.63, 141851.63, 100466.35)
JULY = 17755.29 - 21


@pytest.mark.shared_data
def test_hours_of_use_are_what_nrel_publishes() -> None:
    """The billing demand of 709.26 kW is 95 % of June's; kWh nest in its first 200 hours."""
    rows = (NREL / "data/load_commercial_large_first8760.csv").read_text().split()[1:]
    values = [round(Fraction(row) * 10**6) for row in rows]
    usage = {"import": series("2018-01-01T00:00:00Z", 3600, values)}
    charge = {
        "kind": "energy.tiered",
        "tiers": urdb.tiers(STRUCTURE),
        "demand": {"interval": "PT1H", "minimum": "100", "ratchet": {"percent": "95"}},
    }

    june, july, august = (instant(f"2018-{month:02}-01T00:00:00Z") for month in (6, 7, 8))

    before = price(tariff([charge]), usage, june, july)
    found = price(tariff([charge]), usage, july, august, Terms(state=before.state))

    quantities = [float(line.quantity or 0) for line in found.lines]
    assert quantities == pytest.approx(TIERS, abs=0.01)
    assert float(Fraction(found.total)) == pytest.approx(JULY, abs=0.01)
