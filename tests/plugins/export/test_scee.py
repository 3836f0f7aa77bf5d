"""A Brazilian bill with distributed generation (GD I), to the centavo.

CPFL, October 2023: 2000 kWh used, 50 of them never offset (custo de disponibilidade of two
phases), 1950 offset by credit of June and July 2023. The bill's own prices include taxes; ICMS of
18 % is not credited on TUSD. Figures without personal data from a published bill.
"""

from decimal import Decimal
from typing import Any

from energia.pricing.engine import price
from energia.pricing.terms import Terms
from tests.core.pricing.documents import instant, line, series
from tests.plugins.export.sites import export, ledger, read, steps

PRICES = {"tusd": "0.47425000", "te": "0.40689500"}
ENERGY = {"kind": "energy.flat", "code": "energia", "components": PRICES}
CREDIT = export("net_metering", code="injetada", expires_after=60, uncompensated="50",
                credited={"tusd": "0.82"})  # fmt: skip
#: July has more than the bill needs.
STATE: dict[str, Any] = {
    "injetada": {
        "month": "2023-09",
        "ledger": [
            {"month": "2023-06", "kwh": "784.88", "expires": "2028-06"},
            {"month": "2023-07", "kwh": "1500", "expires": "2028-07"},
        ],
    }
}
START, END = (instant(f"2023-{day}T00:00:00Z") for day in ("09-27", "10-27"))


def test_a_bill_of_gd_i_is_reproduced() -> None:
    """948.50 + 813.79 - (453.10 + 305.23) - (474.09 + 319.36) = 210.51."""
    slots = (END - START) // 3600
    usage = {
        "import": series(START, 3600, [2_000_000_000, *[0] * (slots - 1)]),
        "export": series(START, 3600, [0] * slots),
    }
    rounding = {"amount_decimals": 2}

    found = price(read([ENERGY, CREDIT], rounding=rounding), usage, START, END, Terms(state=STATE))

    assert {one.code: one.amount for one in found.lines if Decimal(one.amount)} == {
        "energia.tusd": "948.50",
        "energia.te": "813.79",
        "injetada.energia.tusd": "-758.33",
        "injetada.energia.te": "-793.45",
    }
    assert found.total == "210.51"
    assert line(found, "injetada.energia.te").quantity == "-1950"
    assert steps(found, "injetada.energia.te") == [
        ("exported in 2023-06", "-784.88 kWh"),
        ("exported in 2023-07", "-1165.12 kWh"),
    ]
    assert ledger(found, "injetada") == [
        {"month": "2023-07", "kwh": "334.88", "expires": "2028-07"}
    ]
