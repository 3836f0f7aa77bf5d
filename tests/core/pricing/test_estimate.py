"""Missing readings that are filled in where that is asked for."""

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import IncompleteUsage
from energia.metering.series import MISSING, NEVER_SENT, Series
from energia.pricing.calendar import Grid
from energia.pricing.days import DayTypes
from energia.pricing.engine import Cost, price
from energia.pricing.estimate import estimated
from energia.pricing.terms import Missing, Terms
from energia.zones import Zone
from tests.core.pricing.documents import instant, series, tariff

X = MISSING
HOUR = 3600
LARGEST = 2**62
FRIDAY = "2026-03-06T00:00:00Z"


def filled(
    values: Sequence[int],
    start: str | int = FRIDAY,
    interval: int = 8 * HOUR,
    zone: str = "UTC",
    types: DayTypes = DayTypes(),  # noqa: B008
) -> list[int]:
    """Return the values with estimates in the place of what is missing."""
    at = instant(start) if isinstance(start, str) else start
    grid = Grid(at, interval, len(values))
    found: list[int] = estimated(np.array(values, np.int64), grid, Zone.named(zone), types).tolist()
    return found


def test_working_days_are_estimated_by_working_days() -> None:
    """The mean of Friday and Monday at the same time; the weekend between does not count."""
    friday, saturday, sunday, monday, tuesday = (
        [10, 1, 2],
        [700, 1, 2],
        [700, 1, 2],
        [20, 1, 2],
        [X, 1, 2],
    )

    found = filled([*friday, *saturday, *sunday, *monday, *tuesday])

    assert found[12:] == [15, 1, 2]


def test_a_holiday_is_estimated_by_weekends() -> None:
    """Monday is a holiday: it is like Saturday and Sunday, and not like Friday."""
    types = DayTypes(frozenset({date(2026, 3, 9)}))

    found = filled([1, 5, 5, 10, 5, 5, 30, 5, 5, X, 5, 5], types=types)

    assert found[9] == 20


def test_the_weekend_is_what_the_tariff_says() -> None:
    """Where Friday is its only day, Saturday is like Sunday."""
    types = DayTypes(weekend_days=frozenset({"fri"}))

    assert filled([1, 0, 0, X, 0, 0, 9, 0, 0], types=types)[3] == 9


def test_without_such_a_day_any_day_counts() -> None:
    """Nothing is known of a weekend at this time: the mean of Friday and Monday."""
    assert filled([10, 1, 1, X, 7, 7, X, 7, 7, 20, 1, 1])[3:9] == [15, 7, 7, 15, 7, 7]


def test_at_a_time_of_which_nothing_is_known_all_slots_count() -> None:
    """The mean of what is known; no estimate is made from estimates."""
    assert filled([X, 1, X, X, 2, 9]) == [4, 1, 9, 4, 2, 9]


@pytest.mark.parametrize(
    ("known", "mean"), [([1, 2], 2), ([2, 3], 2), ([-1, -2], -2), ([0, 0, 1], 0), ([0, 1, 1], 1)]
)
def test_means_are_rounded_half_to_even(known: list[int], mean: int) -> None:
    """To the micro-unit."""
    assert filled([*known, X], "2026-03-02T00:00:00Z", 24 * HOUR)[-1] == mean


def test_means_are_exact_beyond_64_bits() -> None:
    """The sum of the largest values is larger than any of them."""
    values = [LARGEST, LARGEST - 1, LARGEST, X]

    assert filled(values, "2026-03-02T00:00:00Z", 24 * HOUR)[3] == LARGEST
    assert (
        filled([-one for one in values[:3]] + [X], "2026-03-02T00:00:00Z", 24 * HOUR)[3] == -LARGEST
    )


def test_the_time_is_that_of_the_wall_clock() -> None:
    """After the change to summer time noon is an hour earlier in UTC, and noon all the same."""
    day_before = [0] * 12 + [500] + [0] * 11  # 24 h, noon is the 13th hour
    day_of_change = [0] * 11 + [X] + [0] * 11  # 23 h, noon is the 12th

    found = filled(
        [*day_before, *day_of_change], "2026-03-28T00:00:00+01:00", HOUR, "Europe/Berlin"
    )

    assert found[24 + 11] == 500


def test_an_hour_that_comes_twice_is_estimated_twice() -> None:
    """Two o'clock of the Saturday tells of both on the Sunday that has 25 hours."""
    saturday = [0, 0, 80, *[0] * 21]
    sunday = [0, 0, X, X, *[0] * 21]

    found = filled([*saturday, *sunday], "2026-10-24T00:00:00+02:00", HOUR, "Europe/Berlin")

    assert found[24:29] == [0, 0, 80, 80, 0]


def test_an_hour_that_comes_twice_counts_twice() -> None:
    """Both are known at that time: Saturday's is their mean."""
    saturday = [0, 0, X, *[0] * 21]
    sunday = [0, 0, 60, 30, *[0] * 21]

    found = filled([*saturday, *sunday], "2026-10-24T00:00:00+02:00", HOUR, "Europe/Berlin")

    assert found[2] == 45


def brute(
    values: Sequence[int], start: int, interval: int, zone: str, holidays: set[date]
) -> list[int]:
    """Fill in slot by slot, with zoneinfo and Fraction."""
    moments = [
        datetime.fromtimestamp(start + at * interval, ZoneInfo(zone)) for at in range(len(values))
    ]
    free = [one.weekday() >= 5 or one.date() in holidays for one in moments]
    known = [at for at, value in enumerate(values) if value != X]
    found = list(values)
    for hole in set(range(len(values))) - set(known):
        same_time = [at for at in known if moments[at].time() == moments[hole].time()]
        alike = [at for at in same_time if free[at] == free[hole]]
        group = alike or same_time or known
        found[hole] = round(Fraction(sum(values[at] for at in group), len(group)))
    return found


@given(
    values=st.lists(st.one_of(st.just(X), st.integers(-9, 10**12)), min_size=1, max_size=150),
    start=st.integers(instant("2018-10-15T00:00:00Z") // 60, instant("2018-11-15T00:00:00Z") // 60),
    interval=st.sampled_from([900, 3600, 7200]),
    zone=st.sampled_from(["UTC", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_estimates_are_those_of_a_slot_by_slot_loop(
    values: list[int], start: int, interval: int, zone: str
) -> None:
    """Known values stay, what is filled in lies between them, and every one is as by hand."""
    known = [value for value in values if value != X]
    if not known:
        return
    holidays = {date(2018, 11, 1), date(2018, 10, 16)}

    found = filled(values, start * 60, interval, zone, DayTypes(frozenset(holidays)))

    assert found == brute(values, start * 60, interval, zone, holidays)
    assert all(new == old for new, old in zip(found, values, strict=True) if old != X)
    assert all(min(known) <= one <= max(known) for one in found)
    if known == values:
        assert found == values


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
    return series(START, HOUR, [X if one is None else one * 1_000_000 for one in values])


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
