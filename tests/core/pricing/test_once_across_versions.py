"""Charges that are worked out once for a window that crosses versions."""

from energia.pricing.engine import price
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


def test_a_charge_that_is_worked_out_once_is_not_lost() -> None:
    """Where no version after has it, the last that has it works it out, on the parts with it."""
    once = {"kind": "once", "rate": "5"}
    tariff = of_versions(
        {"valid_from": "2026-01-01", "charges": [once]},
        {"valid_from": "2026-06-02", "charges": [once]},
        {"valid_from": "2026-06-03", "charges": [FLAT]},
        {"valid_from": "2026-06-04", "charges": [once]},
    )

    cost = price(tariff, **days("2026-06-01", 5))

    assert [(str(one.version), one.quantity, one.description) for one in cost.lines] == [
        ("2026-06-02", "48", "2 of 5 days, after 0 lines"),
        ("2026-06-03", "24", "energy.flat"),
        ("2026-06-04", "48", "2 of 5 days, after 0 lines"),
    ]


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
