"""The plugin `meter-octopus`: pages of consumption, through the public hooks."""

from decimal import Decimal
from pathlib import Path

import pytest

from energia.errors import Malformed
from energia.metering.decoders import Reading
from energia_plugins import meter_octopus
from tests.plugins.meter_files import decoded, problems, readings

DATA = Path(__file__).parents[1] / "data" / "meters"
RESULT = (
    '{"consumption":1,"interval_start":"2026-03-01T00:00:00Z",'
    '"interval_end":"2026-03-01T00:30:00Z"}'
)


def test_half_hours_around_a_change_of_the_clock() -> None:
    """Offsets decide; a half-hour may seem to end before it starts. A null is missing."""
    data = (DATA / "octopus_clock_change.json").read_bytes()

    found = decoded("octopus", data, {"meter": "m", "channel": "c", "unit": "kWh"})

    first = 1_792_886_400
    names = 1, "m", "c", "kWh"
    assert found == [
        Reading(1, Decimal("0.4"), first + 5400, first + 7200, *names),
        Reading(2, None, first + 3600, first + 5400, *names),
        Reading(3, Decimal("0.20000000000000000001"), first + 1800, first + 3600, *names),
        Reading(4, Decimal(0), first, first + 1800, *names),
    ]


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("1", "wrong_type"),
        (RESULT.replace('"consumption":1,', ""), "missing_field"),
        (RESULT.replace(":1,", ":true,"), "not_a_number"),
        (RESULT.replace(":1,", ':"1",'), "not_a_number"),
        (RESULT.replace("00:00Z", "00:00"), "naive_time"),
        (RESULT.replace("2026-03-01T00:30:00Z", "now"), "not_a_time"),
        (RESULT.replace("00:30:00Z", "00:30:00.5Z"), "off_grid"),
        (RESULT.replace("00:30", "00:00"), "wrong_interval"),
    ],
)
def test_a_bad_result_is_named(result: str, code: str) -> None:
    """Its number in the page is told, and the others are read."""
    found = decoded("octopus", f'{{"results":[{RESULT},{result},{RESULT}]}}')

    assert problems(found) == [(2, code)]
    assert len(readings(found)) == 2


def test_an_array_alone_is_a_page() -> None:
    """As programs store the results of several pages."""
    assert len(readings(decoded("octopus", f"\ufeff[{RESULT}]"))) == 1


@pytest.mark.parametrize(
    "data",
    ["", "{", "1", '{"results":1}', '{"results":[],"results":[]}', "[" * 5000, '"\udcff"'],
)
def test_what_is_no_page_is_malformed(data: str) -> None:
    """What is no JSON, or has no results, is refused."""
    with pytest.raises(Malformed):
        decoded("octopus", data.encode("utf-8", "surrogateescape"))


def test_a_page_that_never_ends_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(meter_octopus, "LONGEST", 100)

    with pytest.raises(Malformed, match="at most 100 bytes"):
        decoded("octopus", " " * 101)
