"""Errors say what is wrong, and where."""

import pytest

from energia.errors import EnergiaError, Fault, InUse, Invalid


@pytest.mark.parametrize("kind", [EnergiaError, Invalid, InUse])
def test_an_error_of_one_fault(kind: type[EnergiaError]) -> None:
    """An error of one fault is of its own class, and has the fault's message."""
    error = kind.of("empty_window", "the end must be after the start", "/query/end")

    assert type(error) is kind
    assert error.detail == str(error) == "the end must be after the start"
    assert error.faults == (Fault("empty_window", error.detail, "/query/end"),)
    assert error.counts == {"empty_window": 1}


def test_a_fault_without_a_place() -> None:
    """What is wrong with all of a request has no pointer."""
    assert Invalid.of("unknown_year", "no holidays are known of 2300").faults[0].pointer is None
