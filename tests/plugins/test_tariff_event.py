"""The charge `event`, with just its plugin loaded."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia_plugins import tariff_event
from tests.core.pricing.documents import faults, instant, line, series
from tests.plugins.adjusting import Bills, exacts

BILLS = Bills(tariff_event)
DAY = ("2026-03-02", "2026-03-03")
#: Each hour of the day uses as much as its number, in kWh.
HOURS = list(range(24))


def event(*events: dict[str, Any], form: str = "energy", **fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": "event", "form": form, "rate": "2", "events": list(events), **fields}


def window(first: int, past: int, day: int = 2, **fields: Any) -> dict[str, Any]:
    """Return an event between two hours of a day of March, as instants."""
    start, end = (f"2026-03-{day:02}T{hour:02}:00:00-03:00" for hour in (first, past))
    return {"start": start, "end": end, **fields}


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_event=tariff_event).charges()) == ["event"]


@pytest.mark.parametrize(
    "when",
    [
        window(18, 21),
        {"date": "2026-03-02", "from": "18:00", "to": "21:00"},
        {"start": "2026-03-02T21:00:00Z", "end": "2026-03-03T00:00:00Z"},
    ],
)
def test_energy_in_a_window_costs_more(when: dict[str, Any]) -> None:
    """18 + 19 + 20 kWh, whether the window is of instants or of local times."""
    found = BILLS.over([event(when)], DAY, HOURS)

    only = line(found, "event")
    assert (only.quantity, only.unit, only.rate, only.exact) == ("57", "kWh", "2", "114")


def test_events_have_names_and_rates() -> None:
    """Windows of one name are one line, in the order of the events."""
    events = [
        window(18, 19, name="evening"),
        window(7, 8, name="morning", rate="3"),
        window(20, 21, name="evening"),
    ]
    found = BILLS.over([event(*events)], DAY, HOURS)

    assert exacts(found) == {"event.evening": 2 * (18 + 20), "event.morning": 3 * 7}


def test_windows_outside_the_bill_are_left_out() -> None:
    """Also a part of one; without any there is no line."""
    before = {"start": "2026-03-01T22:00:00-03:00", "end": "2026-03-02T02:00:00-03:00"}

    assert exacts(BILLS.over([event(before, window(0, 9, day=3))], DAY, HOURS)) == {"event": 2}
    assert exacts(BILLS.over([event(window(0, 9, day=3))], DAY, HOURS)) == {}


def test_a_window_of_local_times_may_cross_midnight() -> None:
    """From 23:00 on the first to 02:00 on the second."""
    night = {"date": "2026-03-01", "from": "23:00", "to": "02:00"}
    found = BILLS.over([event(night)], ("2026-03-01", "2026-03-03"), [0] * 23 + [5, 7, 11, 100])

    assert exacts(found) == {"event": 2 * 23}


def test_windows_of_one_event_count_a_slot_once() -> None:
    """Two announcements of the same evening."""
    found = BILLS.over([event(window(18, 20), window(19, 21))], DAY, HOURS)

    assert exacts(found) == {"event": 114}


def test_two_events_at_once_are_refused() -> None:
    """Energy would be charged twice."""
    events = [window(18, 20, name="a"), window(19, 21, name="b")]

    assert faults(lambda: BILLS.over([event(*events)], DAY, HOURS)) == {None: "events_overlap"}


def test_a_slot_that_a_window_cuts_is_of_its_start_and_told() -> None:
    """18:30 to 20:30 has the hours of 19 and 20."""
    when = {"date": "2026-03-02", "from": "18:30", "to": "20:30"}
    found = BILLS.over([event(when)], DAY, HOURS)

    assert exacts(found) == {"event": 2 * (19 + 20)}
    assert {one.code: one.slots for one in found.assumptions} == {"boundary_inside_interval": 2}


def test_events_may_be_a_parameter() -> None:
    """A contract lists those it was told of."""
    charge = event() | {"events": {"parameter": "events", "default": []}}
    found = BILLS.over([charge], DAY, HOURS, {"events": [window(18, 21)]})

    assert exacts(found) == {"event": 114}
    assert exacts(BILLS.over([charge], DAY, HOURS)) == {}


def quarters(charge: dict[str, Any], values: list[int]) -> Cost:
    """Price quarters of an hour, in kWh, from 18:00 on 2 March."""
    start = instant("2026-03-02T18:00:00-03:00")
    usage = series(start, 900, [value * 1_000_000 for value in values])
    return price(BILLS.tariff([charge]), {"import": usage}, start, start + 900 * len(values))


def test_demand_is_the_highest_power_of_a_slot() -> None:
    """9 kWh in a quarter of an hour are 36 kW; what is outside the window does not count."""
    found = quarters(event(window(18, 19), form="demand"), [1, 9, 2, 4, 50])

    only = line(found, "event")
    assert (only.quantity, only.unit, only.rate, only.exact) == ("36", "kW", "2", "72")


def test_demand_may_be_the_mean_power() -> None:
    """16 kWh in an hour."""
    found = quarters(event(window(18, 19), form="demand", statistic="mean"), [1, 9, 2, 4, 50])

    assert (line(found, "event").quantity, line(found, "event").exact) == ("16", "32")


def test_coincident_peaks_as_reopt_has_them() -> None:
    """8760 kWh, flat, 10 and 5 per kW in given hours of the year: 15.00 (REopt.jl, runtests.jl)."""
    steps = {"first": ([1, 2, 100], "10"), "second": ([6000, 7000], "5")}
    events = [
        {**hour_of_2017(step - 1), "name": name, "rate": rate}
        for name, (found, rate) in steps.items()
        for step in found
    ]
    tariff = Bills(tariff_event, "UTC").tariff([event(*events, form="demand")])
    usage = series("2017-01-01T00:00:00Z", 3600, [1_000_000] * 8760)
    found = price(tariff, {"import": usage}, usage.start, usage.end)

    assert exacts(found) == {"event.first": 10, "event.second": 5}
    assert Fraction(found.total) == 15


def hour_of_2017(number: int) -> dict[str, str]:
    """Return the window of an hour of the year 2017."""
    start = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}


def test_a_rebate_pays_for_what_was_not_used() -> None:
    """60 kWh were expected, 57 used."""
    found = BILLS.over([event(window(18, 21, baseline="60"), form="rebate")], DAY, HOURS)

    only = line(found, "event")
    assert (only.quantity, only.rate, only.exact) == ("3", "-2", "-6")
    assert [step.value for step in found.details[0].steps] == [60, -57]


def test_more_than_the_baseline_costs_nothing() -> None:
    """A rebate is never a charge; the steps tell."""
    found = BILLS.over([event(window(18, 21, baseline="50"), form="rebate")], DAY, HOURS)

    assert exacts(found) == {"event": 0}
    assert [step.value for step in found.details[0].steps] == [50, -57, 7]


def test_a_baseline_is_the_mean_of_the_weekdays_before() -> None:
    """Tuesday, 10 March: of Monday and Thursday, as Friday is a holiday."""
    usage = {2: 1, 3: 2, 4: 30, 5: 5, 6: 100, 7: 1000, 8: 1000, 9: 8, 10: 1}
    hours = [kwh if hour == 18 else 0 for kwh in usage.values() for hour in range(24)]
    charge = event(window(18, 19, day=10), form="rebate", baseline_days=2)
    found = BILLS.over([charge], ("2026-03-02", "2026-03-11"), hours, holidays=["2026-03-06"])

    assert exacts(found) == {"event": -2 * (Fraction(8 + 5, 2) - 1)}


def test_days_with_an_event_are_in_no_baseline() -> None:
    """Both events look at Monday: Tuesday had one."""
    hours = [kwh if hour == 18 else 0 for kwh in (10, 1, 2) for hour in range(24)]
    events = [window(18, 19, day=day, name=f"d{day}") for day in (3, 4)]
    charge = event(*events, form="rebate", baseline_days=1)
    found = BILLS.over([charge], ("2026-03-02", "2026-03-05"), hours)

    assert exacts(found) == {"event.d3": -18, "event.d4": -16}


def test_a_baseline_that_reaches_before_the_bill_is_refused() -> None:
    """Two weekdays are needed, and one is there."""
    charge = event(window(18, 19, day=3), form="rebate", baseline_days=2)

    found = faults(lambda: BILLS.over([charge], ("2026-03-02", "2026-03-04"), HOURS))
    assert found == {None: "no_baseline"}


def test_a_given_baseline_of_half_an_event_is_refused() -> None:
    """The other half is in another bill."""
    when = {"start": "2026-03-01T22:00:00-03:00", "end": "2026-03-02T02:00:00-03:00"}
    charge = event(when | {"baseline": "9"}, form="rebate")

    assert faults(lambda: BILLS.over([charge], DAY, HOURS)) == {None: "event_cut"}


@given(st.sets(st.integers(0, 23), min_size=1))
def test_windows_that_cover_a_day_are_all_of_it(cuts: set[int]) -> None:
    """However it is cut into events, their energy adds up."""
    edges = [*sorted({0, *cuts}), 24]
    events = [
        {
            "date": "2026-03-02",
            "from": f"{first:02}:00",
            "to": f"{past:02}:00",
            "name": f"from{first}",
        }
        for first, past in pairwise(edges)
    ]
    found = exacts(BILLS.over([event(*events)], DAY, HOURS))

    assert sum(found.values(), Fraction(0)) == 2 * sum(HOURS)
