"""Charges that are worked out once for a window that crosses versions."""

from energia.pricing.engine import price
from energia.pricing.explain import Charged, explain
from energia.pricing.segments import segments
from energia.pricing.usage import Terms
from tests.core.pricing.documents import line
from tests.core.pricing.test_across_versions import FLAT, amounts, days, of_versions, two


def test_a_charge_may_be_worked_out_once() -> None:
    """`last`: by the version at the end, on all of the window, at its place in that version."""
    tariff = two([FLAT, {"kind": "once", "rate": "5"}], [FLAT, {"kind": "once", "rate": "7"}])

    cost = price(tariff, **days("2026-05-30", 5))

    assert amounts(cost) == [
        ("2026-01-01", "energy.flat", "48"),
        ("2026-06-01", "energy.flat", "72"),
        ("2026-06-01", "once.peak", "840"),
    ]
    assert line(cost, "once.peak").description == "5 of 5 days, after 1 lines"


ONCE = {"kind": "once", "rate": "5"}
#: The third of four versions lacks it.
LACKING = of_versions(
    {"valid_from": "2026-01-01", "charges": [ONCE]},
    {"valid_from": "2026-06-02", "charges": [ONCE]},
    {"valid_from": "2026-06-03", "charges": [FLAT]},
    {"valid_from": "2026-06-04", "charges": [ONCE]},
)


def test_a_charge_that_is_worked_out_once_is_not_lost() -> None:
    """Where no version after has it, the last that has it works it out, on the parts with it."""
    cost = price(LACKING, **days("2026-06-01", 3))

    assert [(str(one.version), one.quantity, one.description) for one in cost.lines] == [
        ("2026-06-02", "48", "2 of 3 days, after 0 lines"),
        ("2026-06-03", "24", "Energy"),
    ]


def test_a_version_between_that_lacks_it_does_not_charge_it_twice() -> None:
    """The last version works it out on the two days before that one, and the two after."""
    cost = price(LACKING, **days("2026-06-01", 5))

    assert [(str(one.version), one.quantity, one.description) for one in cost.lines] == [
        ("2026-06-03", "24", "Energy"),
        ("2026-06-04", "96", "4 of 5 days, after 0 lines"),
    ]


def test_the_slots_before_and_after_such_a_version_explain_the_line() -> None:
    """Both runs are listed, and what is measured again is the same."""
    asked = days("2026-06-01", 5)
    cut = segments(LACKING, asked["usage"], asked["start"], asked["end"], Terms())

    *_, told = explain(Charged.of(price(LACKING, **asked)), cut, "USD")

    assert told.reproduced
    assert told.calendar is not None
    assert [run.slots for run in told.calendar.runs] == [48, 48]
    assert [(use.slots, use.quantity) for use in told.calendar.rules] == [(96, "96")]


def test_weekends_before_such_a_version_are_those_of_the_last() -> None:
    """30 and 31 May 2026 are a Saturday and a Sunday; to the last version only Sundays are."""
    peak = {"default": "off", "rules": [{"period": "peak", "days": ["weekend"]}]}
    once = {**ONCE, "schedule": peak}
    tariff = of_versions(
        {"valid_from": "2026-01-01", "charges": [once]},
        {"valid_from": "2026-06-01", "charges": [FLAT]},
        {"valid_from": "2026-06-02", "charges": [once], "weekend_days": ["sun"]},
    )

    cost = price(tariff, **days("2026-05-30", 4))

    assert line(cost, "once.peak").quantity == "24"


def test_a_tariff_may_work_it_out_for_each_version() -> None:
    """`each` in the tariff: each part knows of how many days the bill is."""
    first, second = (
        {"kind": "once", "rate": rate, "across_versions": "each"} for rate in ("5", "7")
    )

    cost = price(two([first], [second]), **days("2026-05-30", 5))

    assert [(one.amount, one.description) for one in cost.lines] == [
        ("240", "2 of 5 days, after 0 lines"),
        ("504", "3 of 5 days, after 0 lines"),
    ]


def test_what_is_worked_out_once_knows_the_holidays_of_each_version() -> None:
    """A list of 2026 does not tell that Christmas of 2025 is one; that of 2025 does."""
    peak = {"default": "off", "rules": [{"period": "peak", "days": ["holiday"]}]}
    once = {"kind": "once", "rate": "1", "schedule": peak}
    tariff = of_versions(
        {"valid_from": "2025-01-01", "charges": [once], "holidays": ["2025-12-25", "2026-01-02"]},
        {"valid_from": "2026-01-01", "charges": [once], "holidays": ["2026-01-01", "2025-12-24"]},
    )

    cost = price(tariff, **days("2025-12-20", 20))

    assert line(cost, "once.peak").quantity == "48"
