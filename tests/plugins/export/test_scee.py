"""A Brazilian bill with distributed generation (GD I), to the centavo.

CPFL, October 2023: 2000 kWh used, 50 of them never offset (custo de disponibilidade of two
phases), 1950 offset by credit of June and July 2023. The bill's own prices include taxes; ICMS of
18 % is not credited on TUSD. Figures without personal data from a published bill.
"""

from decimal import Decimal
from typing import Any

from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
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


def october(*charges: dict[str, Any]) -> Cost:
    """Return the bill, of 2000 kWh in its first hour."""
    slots = (END - START) // 3600
    usage = {
        "import": series(START, 3600, [2_000_000_000, *[0] * (slots - 1)]),
        "export": series(START, 3600, [0] * slots),
    }
    tariff = read(charges, rounding={"amount_decimals": 2})
    return price(tariff, usage, START, END, Terms(state=STATE))


def tax(name: str, rate: str, **of: Any) -> dict[str, Any]:
    """Return a tax inside the prices of some lines."""
    taxes = [{"name": name, "rate": rate}]
    code = f"{name}-{len(of)}"
    return {"kind": "tax", "code": code, "taxes": taxes, "form": "inside_product", "of": of}


def test_taxes_tell_the_credit_of_components_apart() -> None:
    """PIS and COFINS are in every line, ICMS in all but the credit of TUSD: 210.51 to a centavo.

    The bill does not print PIS and COFINS; 4.4397 % is what its prices imply.
    """
    energy = {**ENERGY, "components": {"tusd": "0.37162000", "te": "0.31884000"}}
    credit = {name: value for name, value in CREDIT.items() if name != "credited"}
    found = october(
        energy,
        credit,
        tax("federal", "0.044397"),
        tax("icms", "0.18", charges=["energia"]),
        tax("icms", "0.18", charges=["injetada"], components=["te"]),
    )

    assert abs(Decimal(found.total) - Decimal("210.51")) <= Decimal("0.01")
    assert found.details[2].replaced_by == ("federal-0",)


def test_a_bill_of_gd_i_is_reproduced() -> None:
    """948.50 + 813.79 - (453.10 + 305.23) - (474.09 + 319.36) = 210.51."""
    found = october(ENERGY, CREDIT)

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
