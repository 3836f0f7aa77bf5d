"""What holds of `brazil.scee` whatever is used and injected."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from energia.pricing.dates import later_month
from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from tests.core.pricing.documents import document, exact_total, instant, read, series

DAY = 86_400
DUES = [{"name": "fio_b", "types": ["gd2", "gd3"], "share": "0.6", "price": "0.2"}]
ENERGY = {"kind": "energy.flat", "code": "consumo", "rate": "0.70"}
#: Months of bills that follow each other.
MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04")
MICRO = 10**6

kwh = st.integers(0, 800 * MICRO)
types = st.sampled_from(("gd1", "gd2", "gd3"))
lots = st.lists(
    st.builds(
        lambda age, energy, type_: {
            "month": later_month("2025-12", -age),
            "kwh": f"{energy}/{MICRO}",
            "type": type_,
        },
        st.integers(0, 70),
        kwh,
        types,
    ),
    max_size=6,
)
charges = st.fixed_dictionaries(
    {
        "kind": st.just("brazil.scee"),
        "code": st.just("scee"),
        "of": st.just("consumo"),
        "type": types,
        "dues": st.just(DUES),
        "due_as": st.sampled_from(("price", "line")),
        "minimum": st.sampled_from(("0", "30", "100")),
        "minimum_form": st.sampled_from(("money", "kept", "line", "on_top")),
        "keeps": st.sampled_from(("1", "0.3")),
    }
)
flows = st.lists(st.tuples(kwh, kwh), min_size=len(MONTHS), max_size=len(MONTHS))


def bills(
    charge: Mapping[str, Any],
    used: list[tuple[int, int]],
    ledger: list[dict[str, str]],
    changes: tuple[str, ...] = (),
) -> list[Cost]:
    """Price the bills of the months, one after the other, of versions that begin on some days."""
    body = document([ENERGY, charge], "America/Sao_Paulo", "BRL", rounding={"amount_decimals": 2})
    version = body["versions"][0]
    begins = [version["valid_from"], *changes]
    ends = [*changes, None]
    body["versions"] = [
        {**version, "valid_from": begin, **({"valid_to": end} if end else {})}
        for begin, end in zip(begins, ends, strict=True)
    ]
    tariff = read(body)
    state: Mapping[str, Any] = {"scee": {"month": "2025-12", "ledger": ledger}}
    found = []
    for month, (taken, injected) in zip(MONTHS, used, strict=True):
        start, end = (instant(f"{one}-01T00:00:00-03:00") for one in (month, later_month(month, 1)))
        usage = {"import": flow(start, end, taken), "export": flow(start, end, injected)}
        found.append(price(tariff, usage, start, end, Terms(state=state)))
        state = found[-1].state
    return found


def flow(start: int, end: int, micro: int) -> Any:
    """Return energy that flows evenly, day by day."""
    days = (end - start) // DAY
    return series(start, DAY, [micro * (n + 1) // days - micro * n // days for n in range(days)])


def account(cost: Cost) -> dict[str, Fraction]:
    """Return where energy of a bill came from and went."""
    return {name: Fraction(text) for name, text in cost.state["scee"]["last"].items()}


def ledger_of(cost: Cost) -> Fraction:
    """Return how much is kept."""
    return sum((Fraction(lot["kwh"]) for lot in cost.state["scee"]["ledger"]), Fraction(0))


@given(charge=charges, used=flows, ledger=lots)
@settings(max_examples=30, deadline=None)
def test_no_kwh_is_lost(
    charge: dict[str, Any], used: list[tuple[int, int]], ledger: list[dict[str, str]]
) -> None:
    """What came in, and was injected, was used, expired, was given away, or is kept."""
    before = sum((Fraction(lot["kwh"]) for lot in ledger), Fraction(0))
    for cost, (_, injected) in zip(bills(charge, used, ledger), used, strict=True):
        one = account(cost)
        assert one["carried_in"] == before
        assert one["earned"] == Fraction(injected, MICRO)
        gone = one["used"] + one["expired"] + one["given"]
        before = ledger_of(cost)
        assert one["carried_in"] + one["earned"] == gone + one["carried_out"]
        assert one["carried_out"] == before


@given(charge=charges, used=flows, ledger=lots)
@settings(max_examples=30, deadline=None)
def test_the_ledger_is_neither_negative_nor_old(
    charge: dict[str, Any], used: list[tuple[int, int]], ledger: list[dict[str, str]]
) -> None:
    """A lot has something left, is of the last 60 months, and is there once."""
    for month, cost in zip(MONTHS, bills(charge, used, ledger), strict=True):
        kept = cost.state["scee"]["ledger"]
        assert all(Fraction(lot["kwh"]) > 0 for lot in kept)
        assert all(lot["month"] >= later_month(month, -60) for lot in kept)
        assert len({(lot["month"], lot["type"]) for lot in kept}) == len(kept)


@given(charge=charges, used=flows, ledger=lots)
@settings(max_examples=30, deadline=None)
def test_no_more_is_offset_than_is_used(
    charge: dict[str, Any], used: list[tuple[int, int]], ledger: list[dict[str, str]]
) -> None:
    """Energy is credited up to what the unit used: nothing is sold, but for what is rounded."""
    for cost, (taken, _) in zip(bills(charge, used, ledger), used, strict=True):
        assert account(cost)["used"] <= Fraction(taken, MICRO)
        assert exact_total(cost) >= 0


@given(charge=charges, used=flows, ledger=lots)
@settings(max_examples=25, deadline=None)
def test_versions_of_a_bill_share_its_credit(
    charge: dict[str, Any], used: list[tuple[int, int]], ledger: list[dict[str, str]]
) -> None:
    """A bill that crosses versions loses no kWh, and has taken each once."""
    before = sum((Fraction(lot["kwh"]) for lot in ledger), Fraction(0))
    cut = bills(charge, used, ledger, ("2026-02-10", "2026-02-20", "2026-04-05"))
    for cost, (_, injected) in zip(cut, used, strict=True):
        one = account(cost)
        assert one["carried_in"] == before
        assert one["earned"] == Fraction(injected, MICRO)
        before = ledger_of(cost)
        assert one["carried_out"] == before


@given(used=flows, ledger=lots)
@settings(max_examples=25, deadline=None)
def test_a_change_of_version_offsets_as_much(
    used: list[tuple[int, int]], ledger: list[dict[str, str]]
) -> None:
    """Even use is offset as far as without the change, but for the last millionths of a kWh."""
    charge = {
        "kind": "brazil.scee",
        "code": "scee",
        "of": "consumo",
        "type": "gd1",
        "dues": DUES,
        "minimum": "30",
        "minimum_form": "kept",
    }
    ours = [{**lot, "type": "gd1"} for lot in ledger]
    whole, cut = bills(charge, used, ours), bills(charge, used, ours, ("2026-02-10",))

    for one, two in zip(whole, cut, strict=True):
        assert abs(account(one)["used"] - account(two)["used"]) < Fraction(1, 1000)
