"""The bonus, worked out by hand."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from energia import Invalid
from energia.testing import ClockChange, Pricing, check_charge, hourly
from hypothesis import given
from hypothesis import strategies as st

from energia_peak_shaving import PeakShavingBonus

PEAK = {"period": "peak", "days": ["weekday"], "from": "17:00", "to": "21:00"}
CHARGE: Mapping[str, Any] = {
    "kind": "peak_shaving.bonus",
    "schedule": {"default": "off_peak", "rules": [PEAK]},
    "rate": "4.00",
    "baseline_kw": "6",
}
QUARTERS = 96


def monday(**kwh: str) -> list[str]:
    """Return the quarters of a day: 0.1 kWh each, but for those named `h<hour>`."""
    values = ["0.1"] * QUARTERS
    for hour, value in kwh.items():
        values[int(hour[1:]) * 4] = value
    return values


def test_the_bonus_is_paid_below_the_agreed_baseline(energia_price: Pricing) -> None:
    """1.05 kWh in a quarter of an hour are 4.2 kW, 1.8 kW below 6 kW: 7.20 are paid."""
    cost = energia_price(CHARGE, monday(h18="1.05"), interval=900)

    (line,) = cost.lines
    assert (line.code, line.quantity, line.unit) == ("peak_shaving.bonus.peak", "1.8", "kW")
    assert (line.rate, line.amount) == ("-4.00", "-7.20")
    assert cost.state == {"peak_shaving.bonus": {"peaks": ["1050000"]}}


def test_peaks_at_other_times_do_not_count(energia_price: Pricing) -> None:
    """At 16:00 and 21:00 the period is another one: 0.1 kWh are 0.4 kW."""
    cost = energia_price(CHARGE, monday(h16="9", h21="9"), interval=900)

    assert cost.lines[0].quantity == "5.6"


def test_above_the_baseline_nothing_is_charged(energia_price: Pricing) -> None:
    """The line says so, and the higher peak is remembered."""
    cost = energia_price(CHARGE, monday(h17="2"), interval=900)

    assert (cost.lines[0].quantity, cost.total) == ("0", "0.00")
    assert cost.state["peak_shaving.bonus"] == {"peaks": ["2000000"]}


def test_the_baseline_is_the_mean_of_the_last_bills(energia_price: Pricing) -> None:
    """8, 6 and 4 kW are 6 kW on the mean; a peak of 3 kW is paid 12.00; the oldest is forgotten."""
    state = {"peak_shaving.bonus": {"peaks": ["2000000", "1500000", "1000000"]}}

    cost = energia_price(CHARGE, monday(h20="0.75"), interval=900, state=state)

    assert cost.total == "-12.00"
    assert cost.state == {"peak_shaving.bonus": {"peaks": ["1500000", "1000000", "750000"]}}
    assert [step.description for step in cost.details[0].steps] == [
        "mean of 3 bills",
        "peak of this bill",
    ]


def test_the_first_bill_may_have_no_baseline(energia_price: Pricing) -> None:
    """It only remembers."""
    charge = {name: value for name, value in CHARGE.items() if name != "baseline_kw"}

    cost = energia_price(charge, monday(), interval=900)

    assert cost.lines == ()
    assert cost.state == {"peak_shaving.bonus": {"peaks": ["100000"]}}


def test_the_bonus_has_a_limit(energia_price: Pricing) -> None:
    """5.6 kW x 4.00 are 22.40, of which 10.00 are paid."""
    cost = energia_price({**CHARGE, "most": "10.00"}, monday(), interval=900)

    assert cost.total == "-10.00"
    assert [str(step.value) for step in cost.details[0].steps] == ["-112/5", "62/5"]


def test_a_weekend_changes_nothing(energia_price: Pricing) -> None:
    """Saturday has no such period: what was remembered stays."""
    state = {"peak_shaving.bonus": {"peaks": ["5"]}}

    cost = energia_price(CHARGE, monday(), start="2026-03-07", interval=900, state=state)

    assert cost.lines == ()
    assert cost.state == state


def test_half_hours_are_averaged(energia_price: Pricing) -> None:
    """1 kWh and 0.1 kWh in two quarters are 2.2 kW in half an hour."""
    cost = energia_price({**CHARGE, "minutes": 30}, monday(h19="1"), interval=900)

    assert cost.lines[0].quantity == "3.8"


def test_coarse_readings_are_refused(energia_price: Pricing) -> None:
    """An hour does not tell the peak of its quarters."""
    with pytest.raises(Invalid, match="peaks of 15 minutes need readings at least as fine"):
        energia_price(CHARGE, [1] * 24)


def test_a_period_that_is_not_in_the_schedule_is_refused(energia_price: Pricing) -> None:
    """The tariff is refused when it is saved."""
    with pytest.raises(Invalid) as refused:
        energia_price.tariff({**CHARGE, "period": "night"})

    assert [fault.code for fault in refused.value.faults] == ["unknown_period"]


def test_the_evening_is_found_on_days_of_any_length(
    energia_price: Pricing, energia_clock_change: ClockChange
) -> None:
    """Two hours before the day ends it is 22:00, whatever happened to the clock that day."""
    change = energia_clock_change
    first, last = change.midnight(0), change.midnight(1)
    evening = {"period": "peak", "days": ["all"], "from": "22:00", "to": "22:15"}
    charge = {**CHARGE, "schedule": {"default": "off_peak", "rules": [evening]}}
    quarters = ["0.1"] * ((last - first) // 900)
    # Where the last hour comes twice, so does 22:00's distance from midnight grow by an hour.
    back = 12 if change.note == "the last hour comes twice" else 8
    quarters[-back] = "0.5"

    cost = energia_price(charge, quarters, start=str(change.day), interval=900, zone=change.zone)

    assert cost.lines[0].quantity == "4"


@given(st.lists(st.integers(0, 3000), min_size=QUARTERS, max_size=QUARTERS))
def test_the_bonus_is_that_of_a_plain_loop(energia_price: Pricing, watthours: list[int]) -> None:
    """Sixteen quarters from 17:00 on, one after the other."""
    peak = max(watthours[17 * 4 : 21 * 4]) * 4
    expected = max(6000 - peak, 0) * 4
    values = hourly("2026-03-02", [Decimal(value) / 1000 for value in watthours], 900)

    cost = energia_price(CHARGE, values, rounding={"amount_decimals": 3})

    assert Decimal(cost.total) == -Decimal(expected) / 1000


def test_it_conforms() -> None:
    """Days of 23 hours, leap days, negative usage, speed: all that `plugins check` looks at."""
    check_charge(PeakShavingBonus)
