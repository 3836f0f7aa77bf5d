"""The readings of a file as the usage of a request: no slot is taken for one of another length."""

from decimal import Decimal

import pytest

from energia.errors import Invalid
from energia.metering.decoders import Reading, Run
from energia.metering.files import usage_of
from tests.core.metering.setting import START


def test_runs_are_usage() -> None:
    """As single readings are, slot by slot."""
    run = Run(1, START, 900, [Decimal(1), None, Decimal("2.5")], unit="kWh")

    found = usage_of([run], "UTC")

    assert found["interval"] == "PT15M"
    assert found["channels"] == {
        "import": {"start": "2026-03-01T00:00:00Z", "values": ["1", None, "2.5"], "unit": "kWh"}
    }


def test_slots_of_another_length_are_refused() -> None:
    """An hour is no quarter of one."""
    hour = Reading(1, Decimal(1), START, START + 3600)

    with pytest.raises(Invalid, match="slots of PT1H, and the interval is PT15M"):
        usage_of([hour], "UTC", "PT15M")


def test_a_file_says_how_long_its_slots_are() -> None:
    """Quarter-hours an hour apart are quarter-hours, and so is one alone."""
    sparse = [Reading(2, Decimal(1), 0, 900), Reading(3, Decimal(2), 3600, 4500)]

    assert usage_of(sparse, "UTC")["interval"] == "PT15M"
    assert usage_of(sparse[:1], "UTC")["interval"] == "PT15M"
