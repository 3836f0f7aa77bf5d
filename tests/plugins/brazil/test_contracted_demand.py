"""Which demand to contract: the least cost over all whole kW, and what it follows from."""

from fractions import Fraction
from itertools import pairwise, product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia_plugins.tariff_brazil.questions.demand import (
    Bill,
    best,
    best_of_postos,
    cost,
    curve,
)

prices = st.integers(0, 480).map(lambda quarters: Fraction(quarters, 4))


def bills(most: int = 60) -> st.SearchStrategy[list[Bill]]:
    """Return bills of demand up to *most* kW, with prices of any proportion."""
    one = st.builds(
        Bill,
        st.just("2026-08"),
        measured=st.integers(0, most * 20).map(lambda parts: Fraction(parts, 20)),
        price=prices,
        unused=prices,
        excess=prices,
        tolerance=st.sampled_from([Fraction(5, 100), Fraction(1, 100), Fraction(0)]),
        above_tolerance=st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=6)


@given(bills(), st.integers(0, 40))
def test_the_best_contract_is_that_of_all_whole_kw(several: list[Bill], least: int) -> None:
    """Looking at the ends of straight pieces finds what trying every kW finds, the lowest."""
    found = best(several, least)

    tried = {kw: cost(several, kw) for kw in range(least, max(least, 61) + 1)}
    assert found.cost == min(tried.values())
    assert found.contract == min(kw for kw in tried if tried[kw] == found.cost)


@given(bills(15), bills(15), st.integers(0, 18))
def test_one_posto_has_the_least_at_least(ponta: list[Bill], fora: list[Bill], least: int) -> None:
    """Of two postos together no pair costs less, of those of which one is large enough."""
    found = best_of_postos({"ponta": ponta, "fora_ponta": fora}, least)

    costs = [[cost(each, kw) for kw in range(20)] for each in (ponta, fora)]
    tried = [
        costs[0][first] + costs[1][second]
        for first, second in product(range(20), repeat=2)
        if max(first, second) >= least
    ]
    assert max(one.contract for one in found.values()) >= least
    assert sum(one.cost for one in found.values()) == min(tried)


@given(bills())
def test_the_curve_is_straight_between_its_points(several: list[Bill]) -> None:
    """So it has the cost of every whole kW, with a few dozen points."""
    for (first, low), (last, high) in pairwise(curve(several)):
        for kw in range(first, last + 1):
            assert cost(several, kw) == low + (high - low) * Fraction(kw - first, last - first)


#: Ponta of CPFL Paulista in August 2026, with taxes: 48.90 / 0.9414.
PONTA: Final = Fraction("51.94391332")


def august(contract: int) -> Bill:
    """Return a bill of 133.68 kW; there is no ICMS, so what is not used costs the same."""
    return Bill("2026-08", Fraction("133.68"), PONTA, PONTA, 2 * PONTA)


def test_a_real_overrun() -> None:
    """133.68 kW of 120: 6943.86 for all of it, and 1421.18 for the 13.68 kW on top."""
    bill = august(120)

    assert bill.parts(120) == (Fraction("133.68"), Fraction(0), Fraction("13.68"))
    assert bill.printed(120) == Fraction("6943.86") + Fraction("1421.19")


def test_within_five_per_cent_nothing_costs_more() -> None:
    """128 kW take 133.68, which are 4.4 % more; 127 do not, and the excess is due from 127 on."""
    bill = august(128)

    assert bill.parts(128)[2] == 0
    assert bill.parts(127)[2] == Fraction("6.68")
    assert best([bill]).contract == 128


def test_the_month_that_sets_the_contract() -> None:
    """The highest month decides only as long as the others pay little for what they do not use."""
    months = [("2026-01", 100), ("2026-02", 100), ("2026-03", 160)]

    def contract(unused: int) -> tuple[int, tuple[str, ...]]:
        found = best(
            [
                Bill(month, Fraction(kw), Fraction(20), Fraction(unused), Fraction(40))
                for month, kw in months
            ]
        )
        return found.contract, found.drivers

    assert contract(1) == (153, ("2026-03",))
    assert contract(60) == (100, ("2026-01", "2026-02"))


def test_nothing_measured_is_the_least_contract() -> None:
    """A meter that is not used yet contracts 30 kW, and no month sets them."""
    idle = [Bill("2026-01", Fraction(0), Fraction(20), Fraction(15), Fraction(0))]

    found = best_of_postos({"ponta": idle, "fora_ponta": idle})

    assert sorted(one.contract for one in found.values()) == [0, 30]
    assert best(idle, 30).drivers == ()


@pytest.mark.parametrize("kw", ["42", "42.001", "41.999"])
def test_the_tolerance_ends_exactly(kw: str) -> None:
    """42 kW are 105 % of 40; a watt more exceeds the contract."""
    bill = Bill("2026-01", Fraction(kw), Fraction(1), Fraction(1), Fraction(2))

    assert bool(bill.parts(40)[2]) == (kw == "42.001")
