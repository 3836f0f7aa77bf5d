"""Costs with missing readings filled in, where that is asked for."""

from fractions import Fraction

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import IncompleteUsage, Invalid
from energia.metering.series import MISSING, NEVER_SENT, Series
from energia.pricing.engine import Cost, price
from energia.pricing.usage import ChannelSeries, Missing, Terms, Usage
from tests.core.pricing.documents import instant, series, tariff

HOUR = 3600
FLAT = tariff([{"kind": "energy.flat", "rate": "1"}], "Europe/London")
START, END = "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z"


def cost(usage: Series, missing: Missing, start: str = START, end: str = END) -> Cost:
    """Price the usage at one per kWh."""
    terms = Terms(missing=missing)
    return price(FLAT, {"import": usage}, instant(start), instant(end), terms)


def told(found: Cost) -> list[tuple[str, int | None]]:
    """Return the assumptions, each with its slots."""
    return [(one.code, one.slots) for one in found.assumptions]


def kwh(*values: int | None) -> Series:
    """Return hours from the start of the window on, in kWh."""
    return series(START, HOUR, [MISSING if one is None else one * 1_000_000 for one in values])


def test_filled_slots_are_counted() -> None:
    """As an assumption: three of the six hours, the last two of which the series lacks."""
    usage = kwh(1, None, 2, 6)

    zero, estimate = cost(usage, "zero"), cost(usage, "estimate")

    assert (zero.total, told(zero)) == ("9", [("missing_as_zero", 3)])
    assert (estimate.total, told(estimate)) == ("18", [("missing_estimated", 3)])


def test_only_the_window_is_filled_in_and_known() -> None:
    """What lies outside of it is neither counted nor a reason for an estimate."""
    usage = kwh(None, 4, None, 8, None, 900, None)

    found = cost(usage, "estimate", "2026-03-02T01:00:00Z", "2026-03-02T05:00:00Z")

    assert (found.total, told(found)) == ("24", [("missing_estimated", 2)])


@pytest.mark.parametrize("missing", ["zero", "estimate", "refuse"])
def test_without_holes_nothing_is_assumed(missing: Missing) -> None:
    """Whatever becomes of missing readings, there are none."""
    found = cost(kwh(1, 2, 3, 4, 5, 6), missing)

    assert (found.total, found.assumptions) == ("21", ())


@pytest.mark.parametrize(
    "usage",
    [
        kwh(*[None] * 6),
        series("2020-01-01T00:00:00Z", HOUR, [1, 2]),
        series("2030-01-01T00:00:00Z", HOUR, [1, 2]),
        series(START, HOUR, []),
    ],
)
def test_where_nothing_is_known_nothing_is_estimated(usage: Series) -> None:
    """It is refused with its gap; zero can be assumed all the same."""
    with pytest.raises(IncompleteUsage, match=r"^6 slots") as refused:
        cost(usage, "estimate")

    assert len(refused.value.faults) == 1
    assert told(cost(usage, "zero")) == [("missing_as_zero", 6)]


def test_each_role_is_filled_in_by_itself() -> None:
    """One without holes is left alone; one of which nothing is known is refused by its name."""
    charges = [
        {"kind": "energy.flat", "code": role, "rate": "1", "channel": role}
        for role in ("import", "export")
    ]
    both = tariff(charges, "Europe/London")
    window = instant(START), instant(END)
    terms = Terms(missing="estimate")

    found = price(both, {"import": kwh(1, 2, 3, 4, 5, 6), "export": kwh(None, 7)}, *window, terms)

    assert found.total == str(21 + 6 * 7)
    assert [one.message[:26] for one in found.assumptions] == ["5 missing slots of export "]
    with pytest.raises(IncompleteUsage) as refused:
        price(both, {"import": kwh(*[None] * 6), "export": kwh(None, 7)}, *window, terms)
    assert [fault.message[:7] for fault in refused.value.faults] == ["import:"]


def test_the_readings_are_not_changed() -> None:
    """What is filled in is nobody else's reading."""
    usage = kwh(1, None, 3, 4, 5, 6)
    never = attrs.evolve(usage, quality=np.full(6, NEVER_SENT, np.int8))
    before = usage.values.copy()

    assert cost(usage, "estimate").total == cost(never, "estimate").total
    cost(usage, "zero")

    assert (usage.values == before).all()


def phases(l1: Series, l2: Series) -> Usage:
    """Return two channels that are summed for import."""
    return {"import": [ChannelSeries("L1", l1), ChannelSeries("L2", l2)]}


def cost_of_phases(l1: Series, l2: Series, missing: Missing, end: str) -> Cost:
    """Price both phases at one per kWh."""
    return price(FLAT, phases(l1, l2), instant(START), instant(end), Terms(missing=missing))


def test_a_gap_of_one_channel_drops_nothing_of_another() -> None:
    """L1 is 5, 5, 5, 5 and L2 1, 1, 1 and a gap: 23 kWh (case f02), not 18."""
    l1, l2 = kwh(5, 5, 5, 5), kwh(1, 1, 1, None)

    found = cost_of_phases(l1, l2, "zero", "2026-03-02T04:00:00Z")

    assert (found.total, told(found)) == ("23", [("missing_as_zero", 1)])
    assert found.assumptions[0].message == "1 missing slots of import (L2) count 0"


def test_each_channel_is_estimated_by_its_own_readings() -> None:
    """50 kWh of L1 in an hour without a reading of L2 stay: 95 + 2 x 47 + 2 + 2 (case f03)."""
    l1 = kwh(*[50 if hour == 8 else 1 for hour in range(48)])
    l2 = kwh(*[None if hour == 8 else 2 for hour in range(48)])

    found = cost_of_phases(l1, l2, "estimate", "2026-03-04T00:00:00Z")

    assert (found.total, told(found)) == ("193", [("missing_estimated", 1)])


def test_a_refusal_names_the_channel_of_each_gap() -> None:
    """Each with its own times; a slot that both lack counts twice."""
    with pytest.raises(IncompleteUsage) as refused:
        cost_of_phases(kwh(1, None, 1), kwh(1, None, None), "refuse", "2026-03-02T03:00:00Z")

    assert refused.value.detail == "3 slots of the window have no reading"
    assert [fault.message.partition(":")[0] for fault in refused.value.faults] == [
        "import (L1)",
        "import (L2)",
    ]


def test_channels_of_different_slots_are_not_summed() -> None:
    """Half-hours and hours that count at the same time are refused."""
    halves = series(START, HOUR // 2, [1_000_000] * 4)

    with pytest.raises(Invalid) as refused:
        cost_of_phases(kwh(1, 1), halves, "refuse", "2026-03-02T02:00:00Z")

    assert refused.value.faults[0].code == "different_grids"


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=6, max_size=6),
    st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=6, max_size=6),
    st.sampled_from(["zero", "estimate"]),
)
def test_channels_summed_cost_what_they_cost_apart(
    l1: list[int | None], l2: list[int | None], missing: Missing
) -> None:
    """At one rate, whatever is missing from either."""
    first, second = kwh(*l1), kwh(*l2)
    try:
        apart = [cost(each, missing) for each in (first, second)]
    except IncompleteUsage:
        return  # a channel without any reading cannot be estimated

    found = cost_of_phases(first, second, missing, END)

    assert Fraction(found.total) == sum(Fraction(each.total) for each in apart)
