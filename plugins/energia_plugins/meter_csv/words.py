"""Lists and maps that an option holds as text: columns, targets, words, conditions.

A list is a line of CSV: items with commas between them, an item that has a comma itself in double
quotes. A map is a list of `key=value`. A column is the name in its header, or `#3` for the third.
"""

import csv
import re
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from energia import QUALITIES, Unfit

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_POSITION: Final = re.compile(r"#([1-9][0-9]{0,3})")
_SPAN: Final = re.compile(r"(?P<first>.+?)\.\.(?P<last>.+?)(?:/(?P<step>[1-9][0-9]?))?", re.DOTALL)


def plain(cell: str) -> str:
    """Return what a cell says: without blanks around it, and `="123"` (a formula) as `123`."""
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1].strip()
    return text


def name(cell: str) -> str:
    """Return the name in a cell of a header: on one line, with single spaces."""
    return " ".join(plain(cell).split())


def position(column: str) -> int | None:
    """Return where the column `#3` is, counted from 0; None for the name of a column."""
    found = _POSITION.fullmatch(column.strip())
    return int(found[1]) - 1 if found else None


def items(text: str) -> list[str]:
    """Return the items of a list; raises `Unfit`."""
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise Unfit("bad_list", f"not a list with commas: {error}") from None
    return [item.strip() for row in rows for item in row]


# Where values go.


@attrs.frozen
class Target:
    """The meter and the channel of a value, each None where the row or the request names it.

    It is written `channel`, `meter/channel`, or `meter/` for the only channel of a meter.
    """

    meter: str | None = None
    channel: str | None = None

    @classmethod
    def of(cls, text: str) -> "Target":
        """Return the target that *text* names; raises `Unfit`."""
        meter, slash, channel = text.rpartition("/")
        for id_ in (meter, channel):
            if (id_ or (slash and not meter)) and not _ID.fullmatch(id_):
                raise Unfit("bad_target", f"{text[:80]!r} is no channel, and no meter/channel")
        return cls(meter or None, channel or None)


def values_of(text: str) -> dict[Target, list[str]]:
    """Return the columns of each target; several columns of one are summed; raises `Unfit`."""
    found: dict[Target, list[str]] = {}
    for item in items(text):
        target, equals, column = item.partition("=")
        if not equals:
            target, column = "", item
        if not column.strip():
            raise Unfit("bad_list", f"{item[:80]!r} names no column")
        found.setdefault(Target.of(target.strip()), []).append(column.strip())
    return found


def span_of(text: str) -> tuple[str, str, int]:
    """Return the first and the last column of `00:30..00:00`, and the step; raises `Unfit`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        message = "the columns of a day are first..last, such as 00:30..00:00 or #5..#52"
        raise Unfit("bad_span", message)
    return found["first"].strip(), found["last"].strip(), int(found["step"] or 1)


# Words of a file, and what they mean here.


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield word and meaning of `word=meaning, ...`: the last `=` is between them."""
    for item in items(text):
        word, equals, meaning = item.rpartition("=")
        if not equals:
            raise Unfit("bad_list", f"{item[:80]!r} is not word=meaning")
        yield word.strip(), meaning.strip()


def _once(found: dict[str, object], word: str) -> None:
    if word in found:
        raise Unfit("repeated_word", f"the word {word[:80]!r} comes twice")


def targets_of(text: str) -> dict[str, Target | None]:
    """Return the target of each word of a channel column; None leaves its rows out."""
    found: dict[str, Target | None] = {}
    for word, meaning in pairs(text):
        _once({**found}, word)
        found[word] = Target.of(meaning) if meaning else None
    return found


def meters_of(text: str) -> dict[str, str | None]:
    """Return the meter of each word of a meter column; None leaves its rows out."""
    found: dict[str, str | None] = {}
    for word, meaning in pairs(text):
        _once({**found}, word)
        if meaning and not _ID.fullmatch(meaning):
            raise Unfit("bad_target", f"{meaning[:80]!r} is no id of a meter")
        found[word] = meaning or None
    return found


def qualities_of(text: str) -> dict[str, int]:
    """Return the quality of each word, in small letters; `*` stands for all others."""
    found: dict[str, int] = {}
    for word, meaning in pairs(text):
        _once({**found}, word.casefold())
        if meaning not in QUALITIES:
            known = ", ".join(QUALITIES)
            raise Unfit("unknown_quality", f"there is no quality {meaning[:40]!r}; known: {known}")
        found[word.casefold()] = QUALITIES.index(meaning)
    return found


# Which rows are read.


@attrs.frozen
class Condition:
    """Which words of a column are wanted, and which are not; `Total*` is all that begins so.

    Attributes:
        column: The column.
        wanted: If there are any, one of them is needed.
        unwanted: None of them may be there.

    """

    column: str
    wanted: list[str] = attrs.field(factory=list)
    unwanted: list[str] = attrs.field(factory=list)

    def holds(self, cell: str) -> bool:
        """Tell whether a row with this cell is read."""
        if self.wanted and not any(_is(cell, word) for word in self.wanted):
            return False
        return not any(_is(cell, word) for word in self.unwanted)


def _is(cell: str, word: str) -> bool:
    return cell.startswith(word[:-1]) if word.endswith("*") else cell == word


def conditions_of(text: str) -> dict[str, Condition]:
    """Return the conditions of `Column=word, Column!=word, ...` by column; raises `Unfit`."""
    found: dict[str, Condition] = {}
    for item in items(text):
        column, equals, word = item.partition("=")
        if not equals or not column.strip(" !"):
            raise Unfit("bad_list", f"{item[:80]!r} is not Column=word or Column!=word")
        key = column.removesuffix("!").strip()
        condition = found.setdefault(key, Condition(key))
        (condition.unwanted if column.endswith("!") else condition.wanted).append(word.strip())
    return found


def checked(reader: Callable[[str], object]) -> Callable[[str], None]:
    """Return the check of an option that *reader* reads."""

    def check(text: str) -> None:
        reader(text)

    return check
