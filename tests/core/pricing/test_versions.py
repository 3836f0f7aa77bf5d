"""Which version of a tariff is in force."""

import pytest

from energia.errors import Invalid, WindowCrossesVersions
from energia.pricing.tariffs import Tariff
from tests.core.pricing.documents import instant, read
from tests.core.pricing.test_tariffs import of_versions

TWO = of_versions(
    {"valid_from": "2026-01-01", "valid_to": "2026-06-01"},
    {"valid_from": "2026-06-01", "valid_to": "2027-01-01"},
) | {"timezone": "America/Sao_Paulo"}


def tariff_in_force(start: str, end: str) -> str:
    """Return when the version that is in force in a window became valid."""
    found: Tariff = read(TWO)
    return str(found.in_force(instant(start), instant(end)).valid_from)


def test_versions_change_at_the_midnight_of_the_tariff() -> None:
    """A version is in force from its date's midnight in the tariff's zone."""
    before = tariff_in_force("2026-01-01T00:00:00-03:00", "2026-06-01T00:00:00-03:00")
    after = tariff_in_force("2026-06-01T00:00:00-03:00", "2026-06-01T01:00:00-03:00")

    assert (before, after) == ("2026-01-01", "2026-06-01")


def test_a_window_across_versions_is_refused() -> None:
    """A window that crosses from one version to another is not priced."""
    with pytest.raises(WindowCrossesVersions, match="2026-01-01, 2026-06-01"):
        tariff_in_force("2026-05-31T23:45:00-03:00", "2026-06-01T00:15:00-03:00")


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
        tariff_in_force(start, end)

    assert [fault.code for fault in refused.value.faults] == ["no_version_in_force"]
