"""Imported tariffs cost what other engines say: the part of the comparison whose data are here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.accuracy import bench, pysam, ratebook, reopt, report
from tests.accuracy.outcomes import Outcome, Source, compared

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("source", "folder", "cases"),
    [
        (bench.source, "bench", 6),
        (pysam.source, "accuracy/pysam", 30),
        (ratebook.bills, "accuracy/ratebook", 12),
        (ratebook.vectors, "accuracy/ratebook", 13),
    ],
)
def test_all_cases_are_equal_but_for_the_known_ones(
    source: Callable[[Path], Source], folder: str, cases: int
) -> None:
    """What differs is known to, and why."""
    found = source(DATA / folder)

    assert found.failures() == []
    assert len(found.outcomes) >= cases


def test_lookbacks_and_coincident_peaks_are_those_of_reopt() -> None:
    """What needs no file of the data."""
    found = [reopt.percent(), *reopt.lookbacks(), reopt.coincident()]

    assert [one.kind for one in found] == ["exact"] * 4


@pytest.mark.parametrize(
    ("ours", "kind"),
    [("1.25", "exact"), ("1.2500001", "equal"), ("1.26", "differs")],
)
def test_a_value_is_exact_or_equal_or_differs(ours: str, kind: str) -> None:
    """Within a millionth it is equal."""
    assert compared("c", {"bill": [ours]}, {"bill": ["1.25"]}).kind == kind


def test_a_known_difference_that_is_gone_fails() -> None:
    """The list of what differs is no longer than it must be."""
    source = Source("s", "bills", [Outcome("a", "exact")], {"a": "a quirk"})

    assert [one.case for one in source.failures()] == ["a"]


def test_the_page_counts_and_explains() -> None:
    """A row for each source, and one for each case that differs."""
    outcomes = [Outcome("a", "exact"), Outcome("b", "differs", "bill: 1, not 2")]

    page = report.page([Source("engine", "bills", outcomes, {"b": "a quirk"})])

    assert "| engine | bills | 2 | 1 | 0 | 1 | 0 |" in page
    assert "| engine | b | a quirk |" in page
