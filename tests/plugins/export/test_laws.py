"""Laws of credit: nothing is made, nothing vanishes."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import Cost
from tests.plugins.export.sites import FLAT, TOU, bill, export

KWH = st.integers(0, 20)
MONTHS = [f"2026-{month:02}" for month in range(1, 13)]
#: Two hours, off peak and at peak, of import and of export, for each month.
YEARS = st.lists(st.tuples(KWH, KWH, KWH, KWH), min_size=12, max_size=12)
RATES = {"peak": "0.07", "off": "0.03"}
CHARGES: list[dict[str, Any]] = [
    export("net_metering"),
    export("net_metering", rollover="none"),
    export("net_metering", expires_after=2, uncompensated="3"),
    export("net_metering", across={"peak": "3", "off": "1"}, expires_after=4),
    export("net_metering", true_up={"month": 5, "rate": "0.04"}),
    export("net_metering", true_up={"month": 5, "rate": "0.04", "pay": "credit"}),
    export("net_metering", rollover="money", rates=RATES, true_up={"month": 5}),
    export("net_billing", rates=RATES),
    export("net_billing", rates=RATES, limit="energy"),
    export("net_billing", rates=RATES, rollover="money", expires_after=2),
    export("net_billing", rates=RATES, rollover="money", apply="next_bill"),
    export("net_billing", like_import=True, rollover="money", limit="bill"),
    export("buy_all_sell_all", rate="0.05", rollover="money"),
]
CHARGE = st.sampled_from(CHARGES)


def year(charge: dict[str, Any], flows: list[tuple[int, int, int, int]]) -> list[Cost]:
    """Return the bills of a year."""
    found, state = list[Cost](), None
    for month, (off, peak, off_out, peak_out) in zip(MONTHS, flows, strict=True):
        found.append(bill([TOU, charge], [off, peak], [off_out, peak_out], month, state))
        state = found[-1].state
    return found


def account(cost: Cost, unit: str) -> dict[str, Fraction]:
    """Return what became of one unit."""
    names = ("carried_in", "earned", "used", "expired", "lost", "paid", "carried_out")
    kept = cost.state["export"]["last"].get(unit, {})
    return {name: Fraction(kept.get(name, "0")) for name in names}


def kept(cost: Cost, unit: str) -> Fraction:
    """Return the sum of the ledger in one unit."""
    entries = cost.state["export"]["ledger"]
    return sum((Fraction(entry[unit]) for entry in entries if unit in entry), Fraction(0))


@given(CHARGE, YEARS)
def test_what_comes_in_is_what_goes_out(
    charge: dict[str, Any], flows: list[tuple[int, int, int, int]]
) -> None:
    """Of every bill, in each unit: in + earned = used + expired + lost + paid + out."""
    before = {"kwh": Fraction(0), "money": Fraction(0)}
    for cost in year(charge, flows):
        for unit, was in before.items():
            of = account(cost, unit)
            gone = of["used"] + of["expired"] + of["lost"] + of["paid"] + of["carried_out"]
            assert of["carried_in"] + of["earned"] == gone
            assert of["carried_in"] == was
            assert of["carried_out"] == kept(cost, unit)
            assert min(of.values()) >= 0
        before = {unit: kept(cost, unit) for unit in before}


@given(CHARGE, YEARS)
def test_without_exports_the_charge_costs_nothing(
    charge: dict[str, Any], flows: list[tuple[int, int, int, int]]
) -> None:
    """A year that only imports costs the same with the charge and without it."""
    none = [(off, peak, 0, 0) for off, peak, _, _ in flows]

    for cost, (off, peak, *_) in zip(year(charge, none), none, strict=True):
        assert cost.total == bill([TOU], [off, peak], [0, 0]).total


@given(CHARGE, YEARS)
def test_money_that_is_kept_is_on_no_bill(
    charge: dict[str, Any], flows: list[tuple[int, int, int, int]]
) -> None:
    """What the charge takes off the bills is what is used and paid, by the year."""
    for cost in year(charge, flows):
        energy = sum(Fraction(one.exact) for one in cost.lines if one.code.startswith("energy"))
        of, kwh = account(cost, "money"), account(cost, "kwh")
        credited = sum(
            (Fraction(one.exact) for one in cost.lines if one.code.startswith("export.energy")),
            Fraction(0),
        )
        paid = kwh["paid"] * Fraction("0.04") if charge.get("rollover") is None else 0
        if charge.get("true_up", {}).get("pay") == "credit" or charge["scheme"] != "net_metering":
            paid = 0
        assert Fraction(cost.total) == energy + credited - of["used"] - of["paid"] - paid


@given(st.lists(st.tuples(KWH, KWH), min_size=1, max_size=30))
def test_net_metering_of_one_rate_bills_the_net(flows: list[tuple[int, int]]) -> None:
    """One rate: max(0, imports - exports) x rate, and the rest is in the bank."""
    imported, exported = [list(values) for values in zip(*flows, strict=True)]
    found = bill([FLAT, export("net_metering")], imported, exported)

    net = sum(imported) - sum(exported)
    assert Fraction(found.total) == max(net, 0) * Fraction("0.3")
    assert kept(found, "kwh") == max(-net, 0)


@given(YEARS)
def test_a_bank_that_is_never_settled_bills_the_year(
    flows: list[tuple[int, int, int, int]],
) -> None:
    """Exports first, imports after: twelve bills of a bank come to one bill of all months."""
    ordered = [(0, 0, off, peak) for _, _, off, peak in flows[:6]]
    ordered += [(off, peak, 0, 0) for off, peak, _, _ in flows[6:]]
    whole = bill(
        [TOU, export("net_metering")],
        [sum(month[0] for month in ordered), sum(month[1] for month in ordered)],
        [sum(month[2] for month in ordered), sum(month[3] for month in ordered)],
    )

    months = year(export("net_metering"), ordered)

    assert sum(Fraction(cost.total) for cost in months) == Fraction(whole.total)
    assert kept(months[-1], "kwh") == kept(whole, "kwh")
