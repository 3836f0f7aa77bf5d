"""What the cells of a row say: numbers with declared marks, power as energy, words of quality.

The same texts come again and again: each is read once, and remembered within bounds.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Final

import attrs

from energia import ACTUAL, QUALITIES, Decimals
from energia_plugins.meter_csv import remedies
from energia_plugins.meter_csv.columns import Cells, Mask, decimals
from energia_plugins.meter_csv.words import plain

#: The longest number that is read.
_LONGEST: Final = 60
#: How many texts are remembered.
_KEPT: Final = 20_000
_EXACT: Final = Context(prec=100)
#: The blanks that separate groups of digits where one of them does.
_BLANKS: Final = " \u00a0\u202f"


class BadValue(ValueError):
    """It is not a number."""


@attrs.frozen
class Numbers:
    """Reads numbers with declared marks; nothing else passes."""

    _pattern: re.Pattern[str]
    _decimal: str
    _thousands: str | None

    @classmethod
    def marked(cls, decimal: str, thousands: str | None) -> "Numbers":
        """Return a reader of numbers with these marks.

        The first group of thousands has one to three digits and does not begin with 0, the others
        have three: `0.219` is no number of thousands, but one with another decimal mark.
        """
        whole = r"[0-9]+"
        if thousands is not None:
            mark = f"[{re.escape(_BLANKS if thousands in _BLANKS else thousands)}]"
            whole = rf"(?:[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|[0-9]+)"
        fraction = rf"{re.escape(decimal)}[0-9]*"
        number = rf"[+-]?(?:{whole}(?:{fraction})?|{re.escape(decimal)}[0-9]+)"
        return cls(re.compile(rf"{number}(?:[eE][+-]?[0-9]{{1,4}})?"), decimal, thousands)

    @property
    def point(self) -> str | None:
        """The decimal mark, where that is a byte of ASCII."""
        return self._decimal if self._decimal.isascii() else None

    def read(self, text: str) -> Decimal:
        """Return the number *text*; raises `BadValue`."""
        if len(text) > _LONGEST or not self._pattern.fullmatch(text):
            raise BadValue(self._refusal(text))
        if self._thousands is not None:
            for mark in _BLANKS if self._thousands in _BLANKS else self._thousands:
                text = text.replace(mark, "")
        return Decimal(text.replace(self._decimal, ".") if self._decimal != "." else text)

    def _refusal(self, text: str) -> str:
        marks = f"the decimal {self._decimal!r}"
        if self._thousands is not None:
            marks += f" and groups of three digits between {self._thousands!r}"
        help_ = remedies.of_number(text[:_LONGEST], self._decimal, self._thousands)
        return f"{text[:_LONGEST]!r} is not a number with {marks}{help_}"


@attrs.define
class Values:
    """Reads the cells of values, each text once.

    Attributes:
        numbers: Reads what is not missing.
        missing: The words for a value that is missing; a blank cell is one.
        multiplier: What each number is multiplied by,
        divisor: and divided by.
        unit: A unit that may stand behind a number.

    """

    numbers: Numbers
    missing: frozenset[str]
    multiplier: Decimal
    divisor: Decimal
    unit: str | None
    known: dict[str, Decimal | None] = attrs.field(factory=dict, init=False)

    def read(self, cell: str) -> Decimal | None:
        """Return the value of a cell, None where it is missing; raises `BadValue`."""
        try:
            return self.known[cell]
        except KeyError:
            pass
        if len(self.known) >= _KEPT:
            self.known.clear()
        value = self.known[cell] = self._first(cell)
        return value

    def each(self, cells: Sequence[str]) -> list[Decimal | None]:
        """Return the values of cells; raises `BadValue`."""
        known = self.known
        try:
            return [known[cell] for cell in cells]
        except KeyError:
            return [self.read(cell) for cell in cells]

    def column(self, cells: Cells) -> tuple[Decimals, Mask] | None:
        """Return the values of the cells of a column, and which are to be read as texts.

        None where all are: values are not as they are written, or numbers may mean none.
        """
        point = self.numbers.point
        is_written = self.multiplier == 1 and self.divisor == 1
        if point is None or not is_written or any(map(self._is_number, self.missing)):
            return None
        return decimals(cells, point)

    def _is_number(self, word: str) -> bool:
        try:
            self.numbers.read(word)
        except BadValue:
            return False
        return True

    def _first(self, cell: str) -> Decimal | None:
        text = plain(cell).replace("\u2212", "-")  # the minus of typesetters
        if not text or text in self.missing:
            return None
        value = self.numbers.read(self._without_unit(text))
        if self.multiplier != 1:
            value = _EXACT.multiply(value, self.multiplier)
        return value if self.divisor == 1 else _EXACT.divide(value, self.divisor)

    def _without_unit(self, text: str) -> str:
        if self.unit is not None and text.endswith(self.unit):
            return text[: -len(self.unit)].rstrip()
        return text


def added(values: list[Decimal]) -> Decimal:
    """Return the exact sum of values."""
    total = values[0]
    for value in values[1:]:
        total = _EXACT.add(total, value)
    return total


def multiplied(value: Decimal, factor: Decimal) -> Decimal:
    """Return the exact product of a value and its factor."""
    return _EXACT.multiply(value, factor)


class BadQuality(ValueError):
    """There is no such quality."""


@attrs.define
class Qualities:
    """Reads the cells of qualities: our names, or the words of a file.

    Attributes:
        words: What the words mean, in small letters; `*` stands for all others.

    """

    words: Mapping[str, int]

    def read(self, cell: str) -> int:
        """Return the code of a quality, actual for a blank cell; raises `BadQuality`."""
        word = plain(cell).casefold()
        found = self.words.get(word)
        if found is not None:
            return found
        if not word:
            return ACTUAL
        if word in QUALITIES:
            return QUALITIES.index(word)
        if "*" in self.words:
            return self.words["*"]
        raise BadQuality(_unknown(plain(cell)))


def _unknown(word: str) -> str:
    known = ", ".join(QUALITIES)
    return (
        f"there is no quality {word[:40]!r}; known are {known}; "
        f"`quality_words` says what a word means, such as {word[:40]}=estimated"
    )
