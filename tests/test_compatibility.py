"""What plugins and stored tariffs rely on stays: it is compared with that of the last release."""

import json

import pytest

from tests.imports import ROOT
from tests.public_names import broken, stated

RELEASED = max((ROOT / "tests/data").glob("public-names-*.json"))
BEFORE = json.loads(RELEASED.read_text(encoding="utf-8"))
#: What has changed all the same, each with the words that tell of it in the changelog.
TOLD: dict[str, str] = {}


def test_nothing_public_is_lost() -> None:
    """A name, an argument or a member that is gone is told in the changelog, or is a mistake."""
    assert broken(BEFORE, stated()) == list(TOLD)


def test_the_changelog_tells_of_it() -> None:
    """So that authors know what to do, before they stumble."""
    unreleased = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## [")[1]

    assert [words for words in TOLD.values() if words not in unreleased] == []


CALL = [["a", "positional or keyword", True], ["b", "keyword-only", False]]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([["a", "positional or keyword", True]], ["f(b) is gone"]),
        ([["a", "positional-only", True], CALL[1]], ["f(a) is no keyword any more"]),
        ([CALL[0], ["b", "keyword-only", True]], ["f(b) must be given"]),
        ([*CALL, ["c", "keyword-only", True]], ["f(c) must be given"]),
        ([["c", "positional or keyword", False], *CALL], ["f(a) is at another place"]),
        ([*CALL, ["c", "keyword-only", False]], []),
        ([CALL[0], ["c", "positional or keyword", False], CALL[1]], []),
    ],
)
def test_a_call_that_is_broken(after: list[object], told: list[str]) -> None:
    """Arguments are lost, moved or asked for; one that is new and optional is none of it."""
    assert broken({"f": {"calls": {"": CALL}}}, {"f": {"calls": {"": after}}}) == told


def test_a_name_that_is_gone() -> None:
    """A name of a module, and a member of a class."""
    before = {"f": {}, "C": {"members": ["x", "y"], "calls": {}}}

    assert broken(before, {"C": {"members": ["y", "z"], "calls": {}}}) == [
        "f is gone",
        "C.x is gone",
    ]


def test_a_protocol_asks_for_no_more() -> None:
    """What plugins implement cannot grow: what they wrote before would lack it."""
    before = {"P": {"members": ["x"], "calls": {}, "protocol": True}}
    after = {"P": {"members": ["x", "z"], "calls": {}, "protocol": True}}

    assert broken(before, after) == ["P.z is asked of those that were written before"]


def test_a_field_that_is_stored_unasked() -> None:
    """The release before would not read a tariff that has it, while both serve."""
    before = {"tariff fixed": {"members": ["amount"], "written": ["amount"]}}
    after = {"tariff fixed": {"members": ["amount", "x", "y"], "written": ["amount", "x"]}}

    assert broken(before, after) == [
        "tariff fixed.x is stored unasked, and the release before does not read it"
    ]


def test_the_names_of_this_release_are_compatible_with_themselves() -> None:
    """There is a line for each public name and each hook."""
    now = json.loads(json.dumps(stated()))

    assert broken(now, now) == []
    assert {
        "energia.BaseCharge",
        "energia.pricing.demand.Peak",
        "hook lifespan",
        "tariff fixed",
    } <= now.keys()
