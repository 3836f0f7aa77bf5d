"""Demand, against a loop over slots that knows nothing of arrays."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.demand import BillingDemand, Peak, Statistic
from energia.pricing.schedule import Rule, Schedule
from energia.time import Zone
from tests.core.pricing.documents import series
from tests.core.pricing.test_demand import slots

#: Changes by half an hour on 2026-04-05T02:00; by an hour on 2026-03-29T01:00; never.
ZONES = st.sampled_from(["Australia/Lord_Howe", "Europe/London", "Asia/Kathmandu", "UTC"])
EVENING = Schedule((Rule("peak", ("weekday",), "18:00", "21:00"),), "rest")
MICRO = st.integers(-(10**15), 10**15)
#: Midnight, UTC, of the days before either change.
STARTS = st.sampled_from([1_775_260_800, 1_774_656_000])


def by_hand(
    values: list[int], start: int, length: int, seconds: int, zone: str
) -> dict[str, Fraction]:
    """Return the highest average power of intervals on the wall clock, by period."""
    tz, found = Zone.named(zone).tzinfo, dict[str, Fraction]()

    def interval(at: int) -> tuple[object, ...]:
        local = datetime.fromtimestamp(start + at * length, tz)
        second = local.hour * 3600 + local.minute * 60
        return local.date(), second // seconds, local.utcoffset()

    for _, group in groupby(range(len(values)), key=interval):
        some = list(group)
        first = datetime.fromtimestamp(start + some[0] * length, tz)
        peak = first.weekday() < 5 and 18 <= first.hour < 21
        power = Fraction(sum(values[at] for at in some) * 3600, seconds)
        name = "peak" if peak else "rest"
        found[name] = max(found.get(name, power), power)
    return found


@given(
    st.lists(MICRO, min_size=1, max_size=200),
    STARTS,
    st.sampled_from([300, 900, 1800]),
    st.sampled_from([1800, 3600]),
    ZONES,
    st.integers(0, 300),
)
def test_peaks_are_those_of_a_plain_loop(
    values: list[int], start: int, length: int, seconds: int, zone: str, skipped: int
) -> None:
    """Any values, zone and clock change: the same peaks, and each at a time that has it."""
    start += skipped * length
    usage = slots(series(start, length, values), zone)

    found = Peak(schedule=EVENING, seconds=seconds).evaluate(usage)

    plain = {label: value for label, value in found.items() if "@" not in label}
    assert plain == by_hand(values, start, length, seconds, zone)
    assert {label.partition("@")[0]: found[label] for label in found if "@" in label} == plain


@given(st.lists(MICRO, min_size=96 * 3, max_size=96 * 3), st.integers(1, 2))
def test_the_maximum_of_days_is_that_of_their_maxima(values: list[int], days: int) -> None:
    """A bill cut at a midnight has no other peak."""
    start = 1_772_409_600
    before, after = values[: 96 * days], values[96 * days :]

    def peak(begin: int, some: list[int]) -> int:
        return Peak().evaluate(slots(series(begin, 900, some)))["total"]

    parts = peak(start, before), peak(start + 86_400 * days, after)
    assert max(parts) == peak(start, values)


@given(
    st.dictionaries(
        st.integers(1, 12).map(lambda month: f"2025-{month:02}"), st.integers(0, 10**6).map(str)
    ),
    st.integers(0, 10**6),
    st.integers(1, 12),
)
def test_what_is_remembered_is_read_again(before: Mapping[str, str], kw: int, months: int) -> None:
    """The demand over months is the highest of those that count, however often it is stored."""
    demand = BillingDemand(statistic=Statistic(months=months))
    measured = {
        "demand": {"total": kw * 10**6, "total@2026-01-05T00:00:00Z": kw * 10**6},
        "bill_month": {"2026-01": 1},
    }
    counted = [f"2025-{month:02}" for month in range(14 - months, 13)]

    found = demand.billed(measured, {"peaks": before})
    again = demand.billed(measured, found.state)

    expected = max([kw, *(int(before[month]) for month in counted if month in before)])
    assert [one.highest.value for one in (found, again) if one.highest] == [expected, expected]
