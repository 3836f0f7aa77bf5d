"""What a benchmark says: its ratios, what they are compared with, and where they are found."""

import importlib
import json
from typing import Any

import pytest

from benchmarks.__main__ import BENCHMARKS, EXPECTED, TOLERANCE, worse
from benchmarks.figures import Figure, in_turns, table


def figure(**given: Any) -> Figure:
    """Return a figure of ten where the limit is five."""
    common = {"name": "x", "against": "y", "unit": "ms", "ours": 10.0, "limit": 5.0}
    return Figure(**{**common, "better": "less", **given})


@pytest.mark.parametrize(
    ("given", "ratio", "reached"),
    [
        ({"better": "more", "least": 2}, 2.0, True),
        ({"better": "more", "least": 2.1}, 2.0, False),
        ({"better": "less", "least": 0.5}, 0.5, True),
        ({"better": "less", "least": 1}, 0.5, False),
        ({"better": "less", "most": 2}, 2.0, True),
        ({"better": "less", "most": 1.9}, 2.0, False),
        ({"better": "less"}, 0.5, True),
    ],
)
def test_a_ratio_says_how_many_times_better(
    given: dict[str, Any], ratio: float, reached: bool
) -> None:
    """More is better of rates, less of times; with `most` it is how many times the limit."""
    found = figure(**given)

    assert (found.ratio, found.reached) == (ratio, reached)


@pytest.mark.parametrize(
    ("given", "expected", "is_worse"),
    [
        ({"better": "more", "least": 1}, 2.5, False),
        ({"better": "more", "least": 1}, 3.0, True),
        ({"better": "less", "most": 9}, 1.8, False),
        ({"better": "less", "most": 9}, 1.5, True),
    ],
)
def test_a_ratio_may_be_somewhat_worse_than_expected(
    given: dict[str, Any], expected: float, is_worse: bool
) -> None:
    """Machines are shared: only what is worse by more than the tolerance counts."""
    assert figure(**given).worse(expected, TOLERANCE) is is_worse


def test_both_sides_are_measured_in_turns() -> None:
    """What changes on the machine changes both; what is odd, or first, does not count."""
    order: list[str] = []

    def side(name: str, values: list[float]) -> float:
        order.append(name)
        return values.pop()

    ours, theirs = [1.0, 100.0, 2.0, 900.0], [5.0, 4.0, 6.0, 0.0]

    assert in_turns(lambda: side("a", ours), lambda: side("b", theirs), 3) == (2.0, 5.0)
    assert order == ["a", "b"] * 4


def test_a_table_marks_what_is_missed() -> None:
    """A reader sees which aims are not reached."""
    found = table([figure(better="more", least=3, note="why"), figure(better="more", least=1)])

    assert found.count("**missed**") == 1
    assert "- x: why" in found


def test_every_benchmark_is_there() -> None:
    """Each name of the list is a module that gives figures."""
    for name in BENCHMARKS:
        assert callable(importlib.import_module(f"benchmarks.{name}").figures), name


def test_a_ratio_that_got_worse_is_named() -> None:
    """`make bench-check` says which, and what was expected."""
    name, expected = next(iter(json.loads(EXPECTED.read_text(encoding="utf-8")).items()))

    told = worse([figure(name=name, better="more", ours=expected / 10, limit=1.0)])

    assert told == [f"{name}: {expected / 10:.2f}, where {expected:.2f} is expected"]
