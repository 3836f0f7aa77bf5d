"""Laws of tiers: the charge is what plain loops over slots give, whatever the usage."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.pricing.documents import exact_total, instant
from tests.plugins.tiered.loop import SCOPES, Slot, shared
from tests.plugins.tiered.pricing import HOUR, KWH, cost, quantities

START = "2026-03-30T00:00:00Z"
#: Three days, the last of which is in another month.
VALUES = st.lists(st.integers(-3 * KWH, 5 * KWH), min_size=1, max_size=72)
USED = st.lists(st.integers(0, 5 * KWH), min_size=1, max_size=72)
BOUNDS = st.lists(st.decimals("0.001", 90, places=3), min_size=1, max_size=3, unique=True).map(
    sorted
)
RESETS = st.sampled_from(["bill", "day", "month"])
SCHEDULE = {"default": "low", "rules": [{"period": "peak", "from": "07:00", "to": "19:00"}]}
RATES = {"low": ("0.10", "0.20", "0.35", "0.05"), "peak": ("0.30", "0.41", "0.55", "0.77")}


def charge(bounds: Sequence[object], **more: Any) -> dict[str, Any]:
    """Return a charge whose periods have the same bounds."""
    ends = [{"up_to": str(bound)} for bound in bounds]
    rates = {
        period: [{**end, "rate": rate} for end, rate in zip([*ends, {}], of_period, strict=False)]
        for period, of_period in RATES.items()
    }
    return {"schedule": SCHEDULE, "rates": rates, **more}


def slots(values: Sequence[int], reset: str) -> list[Slot]:
    """Return the slots for the loops."""
    moments = [
        datetime.fromtimestamp(instant(START) + HOUR * hour, UTC) for hour in range(len(values))
    ]
    windows = {"bill": "", "day": "%Y-%m-%d", "month": "%Y-%m"}
    return [
        (
            moment.strftime(windows[reset]),
            "peak" if 7 <= moment.hour < 19 else "low",
            Fraction(value, KWH),
        )
        for moment, value in zip(moments, values, strict=True)
    ]


def parts(found: Sequence[Slot], reset: str) -> Mapping[str, Fraction]:
    """Return what part of the allowance each window has: its days of March, or of April."""
    names = dict.fromkeys(name for name, _, _ in found)
    if reset != "month":
        return dict.fromkeys(names, Fraction(1))
    march = 2 if "2026-04" in names else (len(found) + 23) // 24
    return {"2026-03": Fraction(march, 31), "2026-04": Fraction(1, 30)}


def expected(scope: str, values: Sequence[int], bounds: Sequence[Any], reset: str) -> Fraction:
    """Return what the loops charge."""
    found = slots(values, reset)
    ends = {
        name: [*(Fraction(bound) * part for bound in bounds), None]
        for name, part in parts(found, reset).items()
    }
    return sum(
        (
            kwh * Fraction(RATES[period][tier])
            for (period, tier), kwh in shared(scope, found, ends).items()
        ),
        Fraction(0),
    )


@pytest.mark.parametrize("scope", SCOPES)
@given(values=VALUES, bounds=BOUNDS, reset=RESETS)
def test_the_charge_is_what_loops_over_slots_give(
    scope: str, values: list[int], bounds: list[Any], reset: str
) -> None:
    """Exactly, in every scope, also where net usage is negative."""
    found = cost(charge(bounds, scope=scope, reset=reset), values, START)

    assert exact_total(found) == expected(scope, values, bounds, reset)


@pytest.mark.parametrize("scope", SCOPES)
@given(values=VALUES, bounds=BOUNDS, reset=RESETS)
def test_no_energy_is_lost(scope: str, values: list[int], bounds: list[Any], reset: str) -> None:
    """With one rate for all, tiers charge all energy at it."""
    document = charge(bounds, scope=scope, reset=reset)
    for tiers in document["rates"].values():
        for tier in tiers:
            tier["rate"] = "1"

    assert exact_total(cost(document, values, START)) == Fraction(sum(values), KWH)


@pytest.mark.parametrize("scope", ["pooled_prorated", "per_period", "whole_band"])
@given(values=VALUES, bounds=BOUNDS, data=st.data())
def test_the_order_of_slots_of_a_period_changes_nothing(
    scope: str, values: list[int], bounds: list[Any], data: st.DataObject
) -> None:
    """Only the scope in time order looks at it."""
    names = [period for _, period, _ in slots(values, "bill")]
    moved = list(values)
    for period in RATES:
        mine = [at for at, name in enumerate(names) if name == period]
        for to, value in zip(mine, data.draw(st.permutations([values[at] for at in mine]))):  # noqa: B905
            moved[to] = value
    document = charge(bounds, scope=scope)

    assert cost(document, moved, START).lines == cost(document, values, START).lines


@given(values=USED, bounds=BOUNDS)
def test_in_time_order_more_usage_later_never_changes_what_was_charged(
    values: list[int], bounds: list[Any]
) -> None:
    """Each slot costs what it costs when it is used: bills of growing windows differ by it."""
    document = charge(bounds, scope="pooled_chronological")

    whole = exact_total(cost(document, values, START))
    without_last = exact_total(cost(document, [*values[:-1], 0], START))

    rates = [Fraction(rate) for of_period in RATES.values() for rate in of_period]
    lowest, highest = min(rates), max(rates)
    last = Fraction(values[-1], KWH)
    assert lowest * last <= whole - without_last <= highest * last


@pytest.mark.parametrize("scope", SCOPES)
@given(values=VALUES, cut=st.integers(0, 72))
def test_one_open_tier_adds_up_over_any_split(scope: str, values: list[int], cut: int) -> None:
    """Without bounds, two windows cost what the whole one costs."""
    cut = min(cut, len(values))
    document = charge([], scope=scope)
    middle = datetime.fromtimestamp(instant(START) + HOUR * cut, UTC).isoformat()

    halves = [
        exact_total(cost(document, half, start))
        for half, start in ((values[:cut], START), (values[cut:], middle))
        if half
    ]

    assert sum(halves, Fraction(0)) == exact_total(cost(document, values, START))


@pytest.mark.parametrize("scope", ["pooled_prorated", "per_period"])
@given(values=VALUES, bounds=BOUNDS, cut=st.integers(1, 71))
def test_a_window_that_is_remembered_adds_up_over_any_split(
    scope: str, values: list[int], bounds: list[Any], cut: int
) -> None:
    """A year that two bills share costs what one bill of it costs: the second goes on."""
    ends = [{"up_to": str(bound)} for bound in bounds]
    rates = RATES["peak"][: len(bounds) + 1]
    tiers = [{**end, "rate": rate} for end, rate in zip([*ends, {}], rates, strict=True)]
    document = {"tiers": tiers, "scope": scope, "reset": "year"}
    cut = min(cut, len(values))
    middle = datetime.fromtimestamp(instant(START) + HOUR * cut, UTC).isoformat()

    first = cost(document, values[:cut], START)
    parts = exact_total(first)
    if values[cut:]:
        state = first.state["energy.tiered"]
        parts += exact_total(cost(document, values[cut:], middle, state=state))

    assert parts == exact_total(cost(document, values, START))


@given(
    st.integers(1990, 2060),
    st.integers(1, 12),
    st.integers(1, 28),
    st.sampled_from([("month", 1), ("quarter", 3), ("year", 12)]),
)
def test_windows_of_a_contract_follow_each_other_on_its_day(
    year: int, month: int, day: int, reset: tuple[str, int]
) -> None:
    """A bill of one of them, whenever it begins, has all of the allowance, and a day more 1/n."""
    name, months = reset
    charge = {
        "reset": name,
        "year_begins": f"{month:02}-{day:02}",
        "proration": "days",
        "tiers": [{"up_to": "10", "rate": "0.10"}, {"rate": "0.20"}],
    }
    first, end, after = (
        date(year + (month - 1 + number) // 12, (month - 1 + number) % 12 + 1, day)
        for number in (0, months, 2 * months)
    )
    start, length = f"{first}T00:00:00Z", (end - first).days

    whole, more = (
        cost(charge, [KWH] * count, start, interval=24 * HOUR) for count in (length, length + 1)
    )

    assert quantities(whole)["tier1"] == "10"
    assert Fraction(more.lines[0].exact) == (10 + Fraction(10, (after - end).days)) / 10
