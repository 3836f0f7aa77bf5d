"""What holds for `adjustment.calendar` whatever its table, and whatever the dates of the bill."""

from datetime import date
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import price
from tests.plugins.adjusting import exacts
from tests.plugins.test_tariff_adjustment_calendar import BILLS, FLAT, adjustment

DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 30))


@given(st.sets(DAYS, min_size=2, max_size=2), st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_the_forms_cost_the_same(days: set[date], rates: list[int]) -> None:
    """A line for each month, one at the mean, or inside: the sum is the same."""
    first, past = (day.isoformat() for day in sorted(days))
    months = {f"2026-{at:02}": str(rate) for at, rate in enumerate(rates, 1)}
    totals = {
        sum(exacts(BILLS.of([FLAT, adjustment(months=months, **form)], 10, (first, past))).values())
        for form in ({}, {"form": "line"}, {"form": "inside", "of": {}})
    }

    assert len(totals) == 1


@given(st.sets(DAYS, min_size=2, max_size=2), st.sampled_from(["days", "metered"]))
def test_one_rate_in_all_months_is_that_rate(days: set[date], proration: str) -> None:
    """However the window is cut, its parts add up to all energy."""
    first, past = (day.isoformat() for day in sorted(days))
    months = {f"2026-{at:02}": "3" for at in range(1, 13)}
    found = exacts(BILLS.of([adjustment(months=months, proration=proration)], 7, (first, past)))

    assert sum(found.values()) == 21


@given(st.sets(DAYS, min_size=3, max_size=6))
def test_metered_parts_of_a_window_add_up(days: set[date]) -> None:
    """Splitting a window at any day changes nothing."""
    months = {f"2026-{at:02}": str(at) for at in range(1, 13)}
    tariff = BILLS.tariff([adjustment(months=months, proration="metered")])
    cuts = [BILLS.midnight(day.isoformat()) for day in sorted(days)]
    usage = BILLS.usage(cuts[0], cuts[-1], range((cuts[-1] - cuts[0]) // 3600))

    def cost(start: int, end: int) -> Fraction:
        return sum(exacts(price(tariff, {"import": usage}, start, end)).values(), Fraction(0))

    assert sum(cost(*part) for part in pairwise(cuts)) == cost(cuts[0], cuts[-1])
