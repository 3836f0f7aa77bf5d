"""What cannot be priced is refused, each fault with a pointer into the source."""

from decimal import Decimal
from typing import Any

import pytest

from tests.plugins.urdb.rates import ZEROS, rate, refused

FIRST = "/energyratestructure/0/0"
AT = "/energyweekdayschedule"


@pytest.mark.parametrize(
    ("periods", "pointer", "code"),
    [
        ([[]], "/energyratestructure/0", "empty_structure"),
        ([["0.1"]], FIRST, "wrong_type"),
        ([[{}]], FIRST, "no_rate"),
        ([[{"rate": "ten"}]], f"{FIRST}/rate", "wrong_type"),
        ([[{"rate": True}]], f"{FIRST}/rate", "wrong_type"),
        ([[{"rate": "NaN"}]], f"{FIRST}/rate", "not_a_number"),
        ([[{"rate": Decimal("1e40")}]], f"{FIRST}/rate", "out_of_range"),
        ([[{"rate": 1, "unit": "MWh"}]], f"{FIRST}/unit", "unknown_unit"),
        ([[{"rate": 1, "unit": 5}]], f"{FIRST}/unit", "wrong_type"),
        ([[{"rate": 1, "max": 0}]], f"{FIRST}/max", "bounds_not_increasing"),
        ([[{"rate": 1}, {"rate": 2}]], f"{FIRST}/max", "missing_bound"),
        (
            [[{"rate": 1, "max": 9}, {"rate": 2, "max": 9}, {"rate": 3}]],
            "/energyratestructure/0/1/max",
            "bounds_not_increasing",
        ),
    ],
)
def test_a_structure_without_sense_is_refused(periods: list[Any], pointer: str, code: str) -> None:
    """The pointer names the tier."""
    assert refused(rate(*periods)) == {pointer: code}


def _with(value: object, month: int = 0, hour: int = 0) -> list[list[object]]:
    table: list[list[object]] = [[*row] for row in ZEROS]
    table[month][hour] = value
    return table


@pytest.mark.parametrize(
    ("table", "pointer", "code"),
    [
        (ZEROS[:11], AT, "wrong_shape"),
        ("0", AT, "wrong_shape"),
        ([[0] * 23, *ZEROS[1:]], f"{AT}/0", "wrong_shape"),
        ([[0] * 48, *ZEROS[1:]], AT, "wrong_shape"),
        (_with(1, 2, 5), f"{AT}/2/5", "unknown_period"),
        (_with(-1), f"{AT}/0/0", "unknown_period"),
        (_with(None), f"{AT}/0/0", "unknown_period"),
        (_with("a"), f"{AT}/0/0", "wrong_type"),
        (_with(Decimal("0.5")), f"{AT}/0/0", "wrong_type"),
    ],
)
def test_a_schedule_of_another_shape_or_period_is_refused(
    table: object, pointer: str, code: str
) -> None:
    """Months are rows, hours or half hours columns, periods those of the structure."""
    assert refused(rate(energyweekdayschedule=table)) == {pointer: code}


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"energyratestructure": []}, "/energyratestructure", "empty_structure"),
        ({"startdate": "soon"}, "/startdate", "wrong_date"),
        ({"startdate": "2024-02-30"}, "/startdate", "wrong_date"),
        ({"startdate": 10**14}, "/startdate", "out_of_range"),
        ({"enddate": "2023-01-01"}, "/enddate", "empty_version"),
        (
            {"fixedchargefirstmeter": 1, "fixedchargeunits": "EUR"},
            "/fixedchargeunits",
            "unknown_unit",
        ),
        ({"mincharge": -1}, "/mincharge", "out_of_range"),
        ({"dgrules": "Barter"}, "/dgrules", "unknown_rule"),
        ({"fueladjustmentsmonthly": [0]}, "/fueladjustmentsmonthly", "wrong_shape"),
        ({"flatdemandstructure": [[{"rate": 1}]] * 2}, "/flatdemandmonths", "wrong_shape"),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 11 + [1]},
            "/flatdemandmonths/11",
            "unknown_period",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "demandwindow": 45},
            "/demandwindow",
            "wrong_window",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "flatdemandunit": "MW"},
            "/flatdemandunit",
            "unknown_unit",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "lookbackpercent": 120},
            "/lookbackpercent",
            "out_of_range",
        ),
        (
            {"demandratestructure": [[{"rate": 1}], [{"rate": 2}]]},
            "/demandweekdayschedule",
            "missing_schedule",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_refused(
    fields: dict[str, Any], pointer: str, code: str
) -> None:
    """By its name in the source."""
    assert refused(rate(**fields)) == {pointer: code}


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ("rate", "", "wrong_type"),
        ([], "", "no_rate_found"),
        ({"items": []}, "/items", "no_rate_found"),
        ([rate(), 5], "/1", "wrong_type"),
        ({"label": "x"}, "", "nothing_to_charge"),
    ],
)
def test_what_is_no_rate_is_refused(document: object, pointer: str, code: str) -> None:
    """And what is one charges something."""
    assert refused(document) == {pointer: code}


def test_all_faults_are_told_at_once() -> None:
    """Of all blocks of a list."""
    blocks = [rate([{"rate": "x"}]), rate(fixedchargefirstmeter="y", startdate="2025-01-01")]

    assert refused({"items": blocks}) == {
        "/items/0/energyratestructure/0/0/rate": "wrong_type",
        "/items/1/fixedchargefirstmeter": "wrong_type",
    }
