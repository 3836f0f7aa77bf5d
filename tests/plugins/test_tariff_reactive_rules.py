"""The charge `reactive`: what is refused, and what explains a line."""

from typing import Any

import pytest

from energia.errors import Invalid
from energia.pricing.engine import price
from energia.pricing.explain import Charged, explain
from energia.pricing.segments import segments
from energia.pricing.usage import Terms
from tests.core.pricing.documents import faults, series
from tests.plugins.test_tariff_reactive import NIGHT, POSTOS, read, usage


def test_channels_of_other_grids_are_refused() -> None:
    """Half an hour apart, hours do not make a power factor."""
    readings = usage({})
    readings["reactive_energy.import"] = series("2026-03-01T23:30:00-03:00", 3600, [0] * 26)
    start = readings["import"].start

    with pytest.raises(Invalid) as refused:
        price(read({"energy": "1"}), readings, start, start + 86_400)

    assert [fault.code for fault in refused.value.faults] == ["intervals_apart"]


def test_a_line_explains_itself() -> None:
    """The measures are in kvarh, and say what they are."""
    tariff, readings = read({"energy": "1"}), usage({9: (3, 4, 0)})
    start = readings["import"].start
    window = (start, start + 86_400)
    found = Charged.of(price(tariff, readings, *window))

    (told,) = explain(found, segments(tariff, readings, *window, Terms()), "BRL")

    assert [(one.label, one.quantity, one.unit) for one in told.measures] == [
        ("total", "1.6", "kvarh")
    ]
    assert told.arithmetic.steps[0].expression == (
        "sum of 0.92 x sqrt(P^2 + Q^2) - P of intervals below 0.92"
    )


@pytest.mark.parametrize(
    ("charge", "pointer", "code"),
    [
        ({}, "/energy", "one_form"),
        ({"energy": "1", "bands": [{"over_percent": "1", "rate": "1"}]}, "/energy", "one_form"),
        ({"demand": "1"}, "/billed", "missing_billed"),
        ({"demand": "1", "billed": {"charges": ["x"]}}, "/billed/charges/0", "unknown_charge"),
        ({"energy": "1", "capacitive": "export"}, "/capacitive_hours", "capacitive_and_hours"),
        (
            {"energy": "1", **NIGHT, "capacitive_hours": {"from": "01:00", "to": "01:00"}},
            "/capacitive_hours/to",
            "empty_window",
        ),
        ({"energy": {"ponta": "1"}}, "/energy/ponta", "unknown_period"),
        (
            {"energy": {"ponta": "1"}, "schedule": POSTOS},
            "/energy/fora_ponta",
            "missing_rate",
        ),
        (
            {"bands": [{"over_percent": "9", "rate": "1"}, {"over_percent": "9", "rate": "2"}]},
            "/bands/1/over_percent",
            "not_increasing",
        ),
        ({"energy": "1", "power_factor": "0"}, "/power_factor", "out_of_range"),
    ],
)
def test_what_contradicts_itself_is_refused(
    charge: dict[str, Any], pointer: str, code: str
) -> None:
    """Each refusal names the place."""
    assert faults(lambda: read(charge)).get(f"/versions/0/charges/0{pointer}") == code
