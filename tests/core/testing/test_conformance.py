"""The checks see what is wrong with a kind of charge, and nothing where nothing is."""

import re
from collections.abc import Mapping
from typing import ClassVar

import pytest

from energia import Charge
from energia.plugins import Plugins
from energia.testing import Pricing, check_charge, outcomes
from energia.testing.checks import CHECKS
from energia.testing.outcome import Failed, Outcome
from tests.core.testing import broken, broken_measures
from tests.imports import ROOT

BUNDLED = Plugins.installed().charges()
PRICING = Pricing.of()


ALL = [check.__name__ for check in CHECKS]


def failures(class_: type[Charge], *checks: str) -> dict[str, str]:
    """Return which of *checks* a kind fails, and why; of all, where none is named."""
    without = [name for name in ALL if name not in checks] if checks else []
    results = outcomes(class_, without=without)
    return {result.check: result.detail for result in results if result.state == "failed"}


@pytest.mark.parametrize("kind", sorted(BUNDLED))
def test_bundled_kinds_conform(kind: str) -> None:
    """What is asked of others holds for what comes along."""
    found = list(outcomes(BUNDLED[kind], PRICING))

    assert [one for one in found if one.state == "failed"] == []
    assert len(found) == len(CHECKS) + 1


def test_a_kind_that_is_right_conforms() -> None:
    """A kind of nobody's plugin can be checked too."""
    found = list(outcomes(broken.Right))

    assert {one.check: one.detail for one in found if one.state != "passed"} == {
        "unit_prices": "it has no price of a unit, whatever is used",
        "year_of_bills": "it remembers nothing; twelve months can be priced",
    }


@pytest.mark.parametrize(
    ("class_", "check", "why"),
    [
        (broken.FloatAmount, "example", "is not an exact number"),
        (broken.FloatInside, "exact", "amount was a float once"),
        (broken.DoesNotAddUp, "example", "the steps of test.sum do not add up"),
        (broken.Unexplained, "explained", "no step tells why"),
        (broken.WrongArithmetic, "explained", "it says 2 x 2 = 3, which is 4"),
        (broken_measures.TellsWrong, "unit_prices", "unit_prices() makes "),
        (broken.WallClock, "no_clock", "datetime.now in WallClock.lines"),
        (broken.Seconds, "no_clock", "time.time_ns in Seconds.lines"),
        (broken.Seconds, "repeatable", "the second time it charges something else"),
        (broken.KeepsState, "repeatable", "the second time it charges something else"),
        (broken.ChangesState, "inputs_unchanged", "changes what was remembered in place"),
        (broken.RemembersFloat, "example", "numbers are remembered as strings"),
        (broken.Rootless, "example", "the charge has no `code`: derive Rootless from BaseCharge"),
        (broken.Mutable, "immutable", "make the class with @attrs.frozen"),
        (broken_measures.NaiveHours, "clock_changes", "at the same local times without a change"),
        (broken_measures.NaiveDays, "clock_changes", "at the same local times without a change"),
        (broken_measures.Slow, "speed", "times energy.flat"),
        (broken.InOrderOfHashes, "another_process", "in another process"),
        (broken_measures.Writes, "example", "read-only"),
        (broken.MissesMeasure, "example", "KeyError: 'enrgy' (broken.py, line "),
        (broken.Exits, "example", "it calls sys.exit(3) (broken.py, line "),
        (broken.Undocumented, "documented", "lacks rate"),
        (broken.Undocumented, "schema", "does not describe rate"),
        (broken_measures.Overflows, "huge_usage", "what may not fit 64 bits"),
        (broken_measures.Numpy, "example", "is not a Python int"),
        (broken_measures.Lacks, "example", "the measure 'energy' has no `series`: derive"),
        (broken_measures.Misspelt, "names", "`remeasure` is unknown (did you mean 'remeasures'?)"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_wrong_is_found(class_: type[Charge], check: str, why: str) -> None:
    """Each kind is wrong in one way, and a check says which."""
    assert why in failures(class_, check)[check]


@pytest.mark.parametrize("class_", [broken_measures.NaiveHours, broken_measures.NaiveDays])
def test_days_of_24_hours_are_the_only_fault(class_: type[Charge]) -> None:
    """On every other day they charge what they should: no other check sees it."""
    assert list(failures(class_)) == ["clock_changes"]


def test_no_line_of_other_libraries_is_told() -> None:
    """Where no line of the plugin is at fault none is told: it was one of hypothesis."""
    detail = failures(broken.GivesNumber)["example"]

    assert detail == "TypeError: `lines` gives several Line, Replace or State, not int"


def test_what_a_charge_prints_is_no_part_of_its_bill() -> None:
    """The other process answers on the same stream that it prints to."""
    assert failures(broken.Prints, "another_process") == {}


def test_the_assertion_names_every_failure() -> None:
    """`check_charge` is for a test of one's own."""
    with pytest.raises(
        Failed, match=r"test\.undocumented does not conform:\n  documented: "
    ) as one:
        check_charge(broken.Undocumented)

    assert "\n  schema: " in str(one.value)
    assert isinstance(one.value, AssertionError)


def test_checks_can_be_left_out() -> None:
    """Whoever knows better says so."""
    check_charge(broken.Undocumented, without=("documented", "schema"))


def test_a_kind_may_be_excused_of_a_check() -> None:
    """The reason is shown."""

    class Excused(broken_measures.NaiveDays):
        """Charge each day of 24 hours: the law says so."""

        excused: ClassVar[Mapping[str, str]] = {"clock_changes": "the law says so"}

    (found,) = (one for one in outcomes(Excused) if one.check == "clock_changes")

    assert found == Outcome(
        "test.naive_days", "clock_changes", "skipped", "excused: the law says so"
    )


def test_the_page_has_every_check() -> None:
    """`docs/how-to/testing-plugins.md` lists them in the order in which they run."""
    text = (ROOT / "docs/how-to/testing-plugins.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| ", text.partition("| check |")[2], re.MULTILINE)

    names = ["example", *(check.__name__ for check in CHECKS)]
    assert listed[: len(names)] == names
    assert all(f"`{name}`" in text for name in ("energia_price", "energia_clock_change"))
