"""The measure of demand, and the demand that is billed."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from energia.errors import Invalid
from energia.metering.series import Series
from energia.pricing.demand import BillingDemand, Demanded, Peak, Ratchet, Reset, Statistic
from energia.pricing.schedule import DayTypes, Rule, Schedule, Season
from energia.pricing.slots import Slots
from energia.pricing.usage import Days, cut
from energia.time import Zone
from tests.core.pricing.documents import faults, series

EVENING = Schedule((Rule("peak", ("weekday",), "18:00", "21:00"),), "off_peak")


def slots(usage: Series, zone: str = "UTC") -> Slots:
    """Return the whole of a series of `import`."""
    of, types = Zone.named(zone), DayTypes()
    found = cut({"import": usage}, ["import"], (usage.start, usage.end), Days(of, types))
    return Slots(usage.start, usage.end, of, types, found.portions, found.assumptions)


def peaks(usage: Series, zone: str = "UTC", **measure: Any) -> Mapping[str, int]:
    """Return what the measure gives."""
    return Peak(**measure).evaluate(slots(usage, zone))


def day(values: Mapping[int, int], interval: int = 900, start: str = "2026-03-02") -> Series:
    """Return a day (2026-03-02 is a Monday) of 1 Wh a slot, but for some slots."""
    found = [1000] * (86_400 // interval)
    for at, value in values.items():
        found[at] = value
    return series(f"{start}T00:00:00Z", interval, found)


def test_the_demand_of_an_interval_is_its_average_power() -> None:
    """2.5 kWh in the quarter from 12:15 are 10 kW."""
    found = peaks(day({49: 2_500_000}))

    assert found == {"total": 10_000_000, "total@2026-03-02T12:15:00Z": 10_000_000}


def test_slots_are_added_up_to_the_interval() -> None:
    """Quarters of 2, 0, 1 and 0.5 kWh in one hour are 3.5 kW; what the clock parts is not added."""
    usage = day({47: 3_000_000, 48: 2_000_000, 49: 0, 50: 1_000_000, 51: 500_000})

    assert peaks(usage, seconds=3600)["total"] == 3_500_000
    assert peaks(usage, seconds=1800) == {
        "total": 6_002_000,
        "total@2026-03-02T11:30:00Z": 6_002_000,
    }


def test_coarser_readings_are_refused() -> None:
    """Hours do not tell the highest quarter of an hour."""
    with pytest.raises(Invalid, match=r"read every PT1H, .* integrated over PT15M") as refused:
        peaks(day({}, 3600))

    assert [fault.code for fault in refused.value.faults] == ["coarse_readings"]


def test_coarser_readings_are_told_where_they_are_accepted() -> None:
    """Their slots are the intervals: 7 kWh in the hour from 12:00 are 7 kW, or more."""
    found = slots(day({12: 7_000_000}, 3600))

    assert Peak(coarse="accept").evaluate(found)["total"] == 7_000_000
    (told,) = found.assumptions
    assert (told.code, "as high, or higher" in told.message) == ("coarse_readings", True)


def test_finer_readings_are_integrated_where_coarser_are_accepted() -> None:
    """Accepting hours changes nothing for quarters of an hour."""
    usage = day({3: 9_000_000}, 300)

    assert peaks(usage, coarse="accept") == peaks(usage)


def test_slots_that_are_no_part_of_the_interval_are_refused() -> None:
    """Ten minutes do not add up to a quarter of an hour."""
    with pytest.raises(Invalid, match=r"every PT5M.*over PT12M"):
        peaks(day({}, 300), seconds=720)


def test_intervals_follow_the_wall_clock() -> None:
    """An hour of Kathmandu (+05:45) begins at a quarter past an hour of UTC: slots 49 to 52."""
    usage = day({48: 1_000_000, 49: 1_000_000, 52: 1_000_000})

    found = peaks(usage, "+05:45", seconds=3600)

    assert found["total@2026-03-02T18:00:00+05:45"] == 2_002_000


def test_an_interval_that_the_window_cuts_is_told() -> None:
    """Half an hour at either end of a day of UTC are parts of hours of India."""
    found = slots(day({}), "+05:30")

    Peak(seconds=3600).evaluate(found)

    (told,) = found.assumptions
    assert (told.code, told.slots) == ("partial_interval", 2)


def test_each_period_has_a_peak() -> None:
    """An interval is in the period at its start."""
    found = peaks(day({71: 4_000_000, 72: 2_000_000, 84: 3_000_000}), schedule=EVENING)

    assert found == {
        "peak": 8_000_000,
        "peak@2026-03-02T18:00:00Z": 8_000_000,
        "off_peak": 16_000_000,
        "off_peak@2026-03-02T17:45:00Z": 16_000_000,
    }


def test_a_season_that_changes_inside_the_bill_is_told() -> None:
    """A maximum of either season would be charged in full."""
    summer = Season("03-03", "09-30")
    rules = Schedule((Rule("summer", season=summer),), "winter")
    usage = series("2026-03-02T00:00:00Z", 3600, [1] * 48)
    told = []
    bills: list[tuple[Reset, int]] = [("bill", 48), ("month", 48), ("season", 48), ("bill", 24)]

    for reset, past in bills:
        found = slots(series(usage.start, 3600, usage.values[:past].tolist()))
        Peak(schedule=rules, seconds=3600, reset=reset).evaluate(found)
        told.append([one.code for one in found.assumptions])

    assert told == [["season_inside_bill"], [], [], []]


def test_the_highest_of_distinct_days_are_apart() -> None:
    """The second highest of all is on the day of the highest; equal ones are taken in order."""
    usage = series("2026-03-02T00:00:00Z", 43_200 // 12, [9, 8] + [1] * 22 + [7, 7] + [1] * 22)

    both = [list(peaks(usage, seconds=3600, top=2, distinct_days=apart))[1:] for apart in (0, 1)]

    assert both == [
        ["total@2026-03-02T00:00:00Z", "total@2026-03-02T01:00:00Z"],
        ["total@2026-03-02T00:00:00Z", "total@2026-03-03T00:00:00Z"],
    ]


def billed(measured: Mapping[str, int], state: Mapping[str, Any] = {}, **demand: Any) -> Demanded:
    """Return the one demand that is billed in March 2026."""
    found = BillingDemand(**demand).billed(
        {"demand": measured, "bill_month": {"2026-03": 1}}, state
    )
    assert found.highest is not None
    return found.highest


ONE = {"total": 100_000_000, "total@2026-03-02T18:00:00Z": 100_000_000}


#: 85 % of what was demanded from June to September, 60 % of the other months'.
SUMMER_85 = (Decimal(60),) * 5 + (Decimal(85),) * 4 + (Decimal(60),) * 3
SUMMER = Ratchet(Decimal(85), months=(6, 7, 8, 9))
WINTER = Ratchet(Decimal(60), months=(1, 2, 3, 4, 5, 10, 11, 12))
MEAN_OF_150 = Statistic(months=12, of_months="mean", minimum=Decimal(150))


@pytest.mark.parametrize(
    ("demand", "state", "value"),
    [
        ({}, {}, "100"),
        ({"minimum": Decimal("120")}, {}, "120"),
        ({"unit": "kVA", "power_factor": Decimal("0.8")}, {}, "125"),
        ({"ratchet": Ratchet(Decimal(75))}, {}, "100"),
        ({"ratchet": Ratchet(Decimal(75))}, {"2025-04": "200"}, "150"),
        ({"ratchet": Ratchet(Decimal(75))}, {"2025-03": "200"}, "100"),
        ({"ratchet": Ratchet(Decimal(75), back=2)}, {"2025-12": "200"}, "100"),
        ({"ratchet": Ratchet(Decimal(75), months=(1, 12))}, {"2026-02": "200"}, "100"),
        ({"ratchet": Ratchet(Decimal(75), months=(1, 12))}, {"2025-12": "200"}, "150"),
        ({"ratchet": Ratchet(Decimal(75), current_in_full=False)}, {}, "75"),
        ({"ratchet": Ratchet(Decimal(75), current_in_full=(True,) * 2 + (False,) * 10)}, {}, "75"),
        ({"ratchet": Ratchet(SUMMER_85)}, {"2025-08": "200", "2026-01": "200"}, "170"),
        ({"ratchet": Ratchet(SUMMER_85)}, {"2025-08": "100", "2026-01": "200"}, "120"),
        ({"ratchet": Ratchet(SUMMER_85, current_in_full=False)}, {}, "60"),
        ({"ratchet": Ratchet(SUMMER_85, percent_by="bill")}, {"2025-08": "200"}, "120"),
        ({"ratchet": (WINTER, SUMMER)}, {"2025-08": "200", "2026-01": "200"}, "170"),
        ({"ratchet": (WINTER, SUMMER)}, {"2025-08": "100", "2026-01": "200"}, "120"),
        ({"statistic": Statistic(months=12)}, {"2025-04": "200"}, "200"),
        ({"statistic": Statistic(months=12, of_months="mean")}, {"2025-04": "200"}, "150"),
        ({"statistic": MEAN_OF_150}, {"2025-04": "200", "2025-05": "90"}, "500/3"),
    ],
)
def test_the_billed_demand_looks_back(
    demand: dict[str, Any], state: dict[str, str], value: str
) -> None:
    """By hand, for 100 kW in March 2026: 75 % of 200 kW are 150 kW, of 100 kW 75 kW.

    A percentage is that of the month of the past peak: 85 % of 200 kW in August are 170 kW.
    """
    assert billed(ONE, {"peaks": state}, **demand).value == Fraction(value)


def test_missing_history_is_told() -> None:
    """Nothing is taken for granted without a word."""
    none = billed(ONE, ratchet=Ratchet(Decimal(60)))
    some = billed(ONE, {"peaks": {"2026-01": "150"}}, ratchet=Ratchet(Decimal(60)))

    assert none.expression == (
        "max(100 at 2026-03-02T18:00:00Z, 60 % of nothing: no peak of the months before is known)"
    )
    assert some.expression.endswith("60 % of 150 in 2026-01 (1 of 11 months known))")


def test_the_peak_is_remembered_and_old_ones_are_forgotten() -> None:
    """Eleven months before the next bill count, of which this one is the latest."""
    before = {"peaks": {"2025-03": "1", "2025-04": "2", "2026-01": "1/3"}}
    measured = {"demand": ONE, "bill_month": {"2026-03": 1}}

    found = BillingDemand(ratchet=Ratchet(Decimal(60))).billed(measured, before)

    assert found.state == {"peaks": {"2025-04": "2", "2026-01": "1/3", "2026-03": "100"}}


@pytest.mark.parametrize("peaks_", [[], {"March": "1"}, {"2026-03": "-1"}, {"2026-03": "1e9"}])
def test_a_state_that_was_not_given_is_refused(peaks_: object) -> None:
    """What is remembered may come from a client."""
    with pytest.raises(Invalid):
        billed(ONE, {"peaks": peaks_}, ratchet=Ratchet(Decimal(60)))


def test_a_unit_must_fit_the_channel() -> None:
    """Without a power factor kW do not tell kVA."""
    assert faults(lambda: BillingDemand(unit="kVA")) == {"/power_factor": "missing_power_factor"}
    assert faults(lambda: BillingDemand(unit="kvar")) == {"/unit": "wrong_unit"}
    assert BillingDemand(unit="kVA", channel="apparent_energy.import").unit == "kVA"
