"""Which version of a tariff is in force."""

import pytest

from energia.errors import Invalid
from energia.pricing.tariffs import Tariff
from tests.core.pricing.documents import instant, read
from tests.core.pricing.test_tariffs import of_versions

TWO = of_versions(
    {"valid_from": "2026-01-01", "valid_to": "2026-06-01"},
    {"valid_from": "2026-06-01", "valid_to": "2027-01-01"},
) | {"timezone": "America/Sao_Paulo"}


def in_force(start: str, end: str) -> list[tuple[str, int]]:
    """Return when the versions in force in a window became valid, and for how many seconds."""
    found: Tariff = read(TWO)
    spans = found.in_force(instant(start), instant(end))
    assert [span.start for span in spans] == [instant(start), *(span.end for span in spans[:-1])]
    return [(str(span.version.valid_from), span.end - span.start) for span in spans]


def test_versions_change_at_the_midnight_of_the_tariff() -> None:
    """A version is in force from its date's midnight in the tariff's zone."""
    before = in_force("2026-01-01T00:00:00-03:00", "2026-06-01T00:00:00-03:00")
    after = in_force("2026-06-01T00:00:00-03:00", "2026-06-01T01:00:00-03:00")

    assert before == [("2026-01-01", 151 * 86400)]
    assert after == [("2026-06-01", 3600)]


def test_a_window_across_versions_is_cut_at_the_midnight() -> None:
    """A quarter of an hour of May is of the first version, half an hour of June of the second."""
    found = in_force("2026-05-31T23:45:00-03:00", "2026-06-01T00:30:00-03:00")

    assert found == [("2026-01-01", 900), ("2026-06-01", 1800)]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-12-31T23:00:00-03:00", "2026-01-02T00:00:00-03:00"),
        ("2026-12-31T00:00:00-03:00", "2027-01-01T00:01:00-03:00"),
        ("2030-01-01T00:00:00-03:00", "2030-01-02T00:00:00-03:00"),
    ],
)
def test_a_window_without_a_version_is_refused(start: str, end: str) -> None:
    """Nothing is priced where no version is in force."""
    with pytest.raises(Invalid) as refused:
        in_force(start, end)

    assert [fault.code for fault in refused.value.faults] == ["no_version_in_force"]


def test_a_tariff_that_is_asked_for_many_windows_gives_each_its_versions() -> None:
    """It remembers a few of them, and answers for all."""
    found: Tariff = read(TWO)
    days = [instant(f"2026-05-{day:02}T00:00:00-03:00") for day in range(1, 31)]
    later = instant("2026-06-02T00:00:00-03:00")

    firsts = [[span.start for span in found.in_force(day, later)] for day in days * 2]

    assert firsts == [[day, later - 86_400] for day in days * 2]
