"""What an import has done, or would do, in words: counts, meters, and problems with their lines."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import attrs

from energia_plugins.console.faults import Meaning
from energia_plugins.console.page import marked
from energia_plugins.console.words import Words

#: So many problems are shown.
SHOWN: Final = 20
_LONGEST: Final = 160


@attrs.frozen
class Trouble:
    """A problem of a file.

    Attributes:
        line: Where it is; None where it is of the file as a whole.
        text: The line as it is, if it is known.
        title: What kind of problem it is, in the language of the page.
        told: What is wrong.
        is_warning: Whether it is stored all the same.

    """

    line: int | None
    text: str
    title: str
    told: Meaning
    is_warning: bool


#: What kinds of problem there are, for people.
_KINDS: Final = {
    "unknown_meter": marked("No such meter"),
    "unknown_channel": marked("No such channel"),
    "several_meters": marked("More than one meter"),
    "several_channels": marked("The channel is not said"),
    "several_units": marked("More than one unit"),
    "off_grid": marked("Not at the start of an interval"),
    "wrong_interval": marked("Another length of interval"),
    "wrong_unit": marked("A unit that does not fit"),
    "wrong_kind": marked("A channel of another kind"),
    "out_of_range": marked("Too large, or below 0"),
    "above_max_power": marked("More than the meter can measure"),
    "looks_like_register": marked("The values look like those of a counter"),
    "not_a_number": marked("Not a number"),
    "bad_time": marked("Not a date or time"),
    "not_a_time": marked("Not a date or time"),
    "naive_time": marked("The time zone is not said"),
    "ambiguous_time": marked("A time that comes twice"),
    "impossible_time": marked("A time that clocks skip"),
    "duplicate_in_request": marked("Twice, with different values"),
    "missing_value": marked("No value"),
    "missing_column": marked("A column is missing"),
    "surplus_column": marked("A column too many"),
    "unknown_column": marked("No such column"),
    "unknown_quality": marked("No such quality"),
    "rounded_readings": marked("Rounded"),
    "deleted_by_law": marked("Deleted by law, and not stored again"),
    "no_reading": marked("No reading"),
}


def troubles(
    words: Words, faults: Sequence[Mapping[str, Any]], lines: Mapping[int, str]
) -> list[Trouble]:
    """Return the first problems as they are shown."""
    found = []
    for fault in faults[:SHOWN]:
        kind = _KINDS.get(str(fault["code"]))
        line = fault.get("line")
        title = words.text(kind) if kind else ""
        text = lines.get(line, "")[:_LONGEST] if line else ""
        is_warning = fault.get("severity") == "warning"
        found.append(Trouble(line, text, title, Meaning.of(words, fault), is_warning))
    return found


def wanted(faults: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the lines that the first problems are at."""
    return {int(fault["line"]) for fault in faults[:SHOWN] if fault.get("line")}


@attrs.frozen
class Told:
    """The outcome of an import.

    Attributes:
        answer: What came of it, in one sentence.
        counts: Pairs of a number of readings and what became of them; none is 0.
        stores: Whether it stores anything.

    """

    answer: str
    counts: tuple[tuple[str, str], ...]
    stores: bool

    @classmethod
    def of(cls, words: Words, outcome: Mapping[str, Any], *, dry: bool = False) -> Self:
        """Return what an outcome of the API says."""
        return cls(
            _answer(words, outcome, dry=dry),
            tuple(
                (words.number(outcome[name]), words.text(text))
                for name, text in _COUNTS
                if outcome[name]
            ),
            bool(outcome["created"] or outcome["corrected"]),
        )


_COUNTS: Final = (
    ("received", marked("in the file")),
    ("created", marked("new")),
    ("unchanged", marked("stored already, the same")),
    ("corrected", marked("stored with another value: the old one is kept as history")),
    ("repeated", marked("twice in the file, with the same value")),
    ("superseded", marked("older than others of the same file")),
    ("missing", marked("without a value")),
    ("rejected", marked("refused")),
)


def _answer(words: Words, outcome: Mapping[str, Any], *, dry: bool) -> str:
    """Return what was stored, or would be."""
    new, changed = outcome["created"], outcome["corrected"]
    if not new and not changed:
        if outcome["rejected"]:
            return words.text(
                "Nothing can be stored: %(refused)s of %(received)s readings are refused.",
                refused=words.number(outcome["rejected"]),
                received=words.number(outcome["received"]),
            )
        if dry:
            return words.text("Nothing would change: what the file says is stored already.")
        return words.text("Nothing has changed: what the file says was stored already.")
    parts = []
    if new:
        parts.append(words.count("%(num)s new reading", "%(num)s new readings", new))
    if changed:
        corrected = words.count("%(num)s corrected reading", "%(num)s corrected readings", changed)
        parts.append(corrected)
    what = words.text(" and ").join(parts)
    if dry:
        return words.text("%(what)s would be stored. Nothing is stored yet.", what=what)
    return words.text("Stored: %(what)s.", what=what)
