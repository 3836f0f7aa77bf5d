"""Columns of a plain table, by where their cells are in its bytes: what all of them say at once.

A text of each cell takes longer to make than everything else that is done with it. Here cells are
eight bytes at a time, those of a whole column in one array: whether they are those of the row
before, what number they write, which of a few texts they are. What is not as plain as that is not
read here; a column is then read text by text.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia import Decimals
from energia.time import Int64

#: Eight bytes of each cell, the first of them the lowest.
Words = npt.NDArray[np.uint64]

_WORD: Final = 8
#: What is around a text, so that words may begin before it and end after it.
_AROUND: Final = bytes(2 * _WORD)
#: The lowest bytes of a word, and the highest ones, by how many.
_LOWEST: Final = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
_HIGHEST: Final = ~_LOWEST[::-1]


def _each(byte: int) -> np.uint64:
    """Return a word of equal bytes."""
    return np.uint64(byte * 0x0101_0101_0101_0101)


@attrs.frozen(eq=False)
class Cells:
    """Cells one after the other, such as those of a column.

    Attributes:
        bytes: The text that they are in, with zeros around it.
        starts: Where in `bytes` each begins,
        ends: and where it ends.

    """

    bytes: npt.NDArray[np.uint8]
    starts: Int64
    ends: Int64

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def lengths(self) -> Int64:
        """How many bytes each has."""
        return self.ends - self.starts

    def text(self, at: int) -> str:
        """Return the text of one."""
        return self.bytes[self.starts[at] : self.ends[at]].tobytes().decode("ascii")

    def texts(self) -> list[str]:
        """Return the texts of all."""
        return list(map(self.text, range(len(self))))

    def part(self, begin: int, end: int | None = None) -> "Cells":
        """Return of each cell the bytes from *begin* on, up to *end*."""
        starts = np.minimum(self.starts + begin, self.ends)
        ends = self.ends if end is None else np.minimum(self.starts + end, self.ends)
        return Cells(self.bytes, starts, ends)

    def have(self, text: str) -> bool:
        """Tell whether each is the *text*, of eight bytes at most."""
        word = np.uint64(int.from_bytes(text.encode(), "little"))
        words = list(self.words())
        return len(words) == 1 and bool((words[0] == word).all())

    def words(self) -> Iterator[Words]:
        """Yield all bytes of the cells, eight at a time: no two texts have the same words."""
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        is_even = longest == lengths.min(initial=longest)
        for begin in range(0, max(1, longest), _WORD):
            words = self._loaded(self.starts + begin)
            if is_even:  # stamps and names are, as a rule: one mask is for all
                yield words & _LOWEST[min(longest - begin, _WORD)]
            else:
                yield words & _LOWEST.take(np.minimum(np.maximum(lengths - begin, 0), _WORD))

    def last_words(self, number: int, lengths: Int64) -> Words:
        """Return of the last bytes of the cells, so many of each, the *number*-th eight.

        They are at the end of the word: what is the last byte of a text is its highest.
        """
        return self._loaded(self.ends - (number + 1) * _WORD) & _HIGHEST.take(lengths)

    def _loaded(self, places: Int64) -> Words:
        count = len(self.bytes) - _WORD + 1
        words: Words = np.ndarray((count,), "<u8", self.bytes, strides=(1,))
        return words[np.minimum(places, count - 1)]


@attrs.frozen(eq=False)
class PlainTable:
    """Lines of ASCII without quotes that have the same number of cells each.

    Attributes:
        bytes: The text that they are in, with zeros around it.
        begin: Where in `bytes` the first line begins.
        marks: int64[lines, cells], where each cell ends.

    """

    bytes: npt.NDArray[np.uint8]
    begin: int
    marks: Int64

    @classmethod
    def of(cls, text: str, mark: str, width: int) -> "PlainTable | None":
        """Return the table of a *text* of ASCII whose lines all end; None where it is not plain."""
        found = np.frombuffer(_AROUND + text.encode("ascii") + _AROUND, np.uint8)
        is_end = found == ord("\n")
        marks = np.flatnonzero(is_end | (found == ord(mark)))
        lines = np.count_nonzero(is_end)
        # As many marks as there have to be, and each line ends where a plain one does.
        if len(marks) != lines * width or not is_end[marks[width - 1 :: width]].all():
            return None
        return cls(found, len(_AROUND), marks.reshape(lines, width))

    @property
    def text(self) -> str:
        """The lines."""
        return self.bytes[self.begin : self.marks[-1, -1] + 1].tobytes().decode("ascii")

    def part(self, first: int, past: int) -> "PlainTable":
        """Return some of the lines."""
        begin = int(self.marks[first - 1, -1]) + 1 if first else self.begin
        return PlainTable(self.bytes, begin, self.marks[first:past])

    def row(self, row: int) -> list[str]:
        """Return the cells of a row."""
        starts = [self.part(row, row + 1).begin, *(self.marks[row] + 1).tolist()]
        ends = self.marks[row].tolist()
        return [
            self.bytes[start:end].tobytes().decode("ascii")
            for start, end in zip(starts, ends, strict=False)
        ]

    def cells(self, at: int, past: int | None = None) -> Cells:
        """Return the cells of a column, or row by row those of the columns until before *past*."""
        past = at + 1 if past is None else past
        ends = self.marks[:, at:past]
        if at:
            starts = self.marks[:, at - 1 : past - 1] + 1
        else:
            starts = np.empty_like(ends)
            starts[0, 0] = self.begin
            starts[1:, 0] = self.marks[:-1, -1] + 1
            starts[:, 1:] = ends[:, :-1] + 1
        return Cells(self.bytes, starts.ravel(), ends.ravel())


def changes(columns: Sequence[Cells]) -> list[int]:
    """Return the rows in which a cell of *columns* is another one than in the row before."""
    changed: npt.NDArray[np.bool_] = reduce(
        np.logical_or,
        (words[1:] != words[:-1] for cells in columns for words in cells.words()),
    )
    found: list[int] = (np.flatnonzero(changed) + 1).tolist()
    return found


# Numbers.

_POINTS_AT: Final = _each(0x01), _each(0x80)
#: Digits as text, in the lower bytes of a word, by how many bytes are above these.
_ZEROS: Final = _LOWEST[::-1] & _each(ord("0"))
_TENS: Final = np.array([10**count for count in range(9)], np.int64)
#: Up to here a number has 15 digits, which a binary float tells apart.
_LARGEST: Final = 10**15


def decimals(cells: Cells, point: str) -> Decimals | None:
    """Return the numbers of *cells* if each has digits, a *point* at most, and perhaps a minus.

    None where one has something else, or too many digits, or is a zero with a minus.
    """
    minus = cells.bytes[cells.starts] == ord("-")
    lengths = cells.lengths - minus
    longest = int(lengths.max(initial=0))
    if longest > 2 * _WORD or not len(cells):
        return None
    found = _digits(cells.last_words(0, np.minimum(lengths, _WORD)), lengths, point)
    if found is None:
        return None
    units, count, places, has_point = found
    if longest > _WORD:
        before = np.maximum(lengths - _WORD, 0)
        above = _digits(cells.last_words(1, before), before, point)
        if above is None or (above[3] & has_point).any():
            return None
        units = above[0] * _TENS[count] + units
        places = np.where(above[3], above[2] + _WORD, places)
        count = count + above[1]
    if not count.all() or units.max() >= _LARGEST or (minus & (units == 0)).any():
        return None
    return Decimals(np.where(minus, -units, units), places.astype(np.int8))


def _digits(
    words: Words, lengths: Int64, point: str
) -> tuple[Int64, Int64, Int64, npt.NDArray[np.bool_]] | None:
    """Return of words the numbers that they write, and how many digits; None if one is none.

    And how many digits are behind the point, and whether there is one. Of each word the highest
    bytes are text, so many as *lengths*, or all.
    """
    low, high = _POINTS_AT
    # The lowest byte that is a point: what is borrowed only goes up from it.
    other = words ^ _each(ord(point))
    points = (other - low) & ~other & high
    points &= ~points + np.uint64(1)
    has_point = points != 0
    # The digits before the point move up to those behind it, which are above it.
    behind = ~((points << np.uint64(1)) - np.uint64(1))
    before = (points >> np.uint64(7)) - np.uint64(1)
    digits = (words & behind) | ((words & before) << (has_point * np.uint64(8)))
    count = np.minimum(lengths, _WORD) - has_point
    digits |= _ZEROS[count]
    upper, zeros = _each(0xF0), _each(0x30)
    if (((digits & upper) ^ zeros) | (((digits + _each(6)) & upper) ^ zeros)).any():
        return None
    # Two digits to a number, then four, then eight: the first of each pair counts more.
    digits &= _each(0x0F)
    digits = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF_00FF_00FF_00FF)
    digits = (digits * np.uint64(100) + (digits >> np.uint64(16))) & np.uint64(
        0x0000_FFFF_0000_FFFF
    )
    digits = (digits * np.uint64(10_000) + (digits >> np.uint64(32))) & np.uint64(0xFFFF_FFFF)
    places = np.bitwise_count(behind).astype(np.int64) // 8
    return digits.astype(np.int64), count, places, has_point


# A few texts again and again.


class Lexicon:
    """What cells mean of which a few come again and again: each text is read once.

    It is a table by a hash of a text, in which each place has the text that came last.
    """

    _PLACES: Final = 2**14
    #: Cells of more than so many bytes are not looked at.
    _LONGEST: Final = 2 * _WORD

    def __init__(self, width: int) -> None:
        """Begin with nothing that is known; each text means so many numbers."""
        # No text has such bytes, as they are not ASCII.
        self._texts = np.full((2, self._PLACES), _LOWEST[-1])
        self._meanings = np.zeros((self._PLACES, width), np.int64)

    def meanings(self, cells: Cells, read: Callable[[str], tuple[int, ...]]) -> Int64 | None:
        """Return int64[cells, width], what each means; None for long cells; raises as *read*."""
        words = list(cells.words())
        if len(words) > 2:
            return None
        first, second = words if len(words) == 2 else (words[0], np.zeros_like(words[0]))
        place = _hashed(first, second, self._PLACES)
        missed = self._missed(place, first, second)
        if len(missed):
            _, firsts = np.unique(place[missed], return_index=True)
            for at in missed[firsts].tolist():
                self._meanings[place[at]] = read(cells.text(at))
                self._texts[:, place[at]] = first[at], second[at]
            missed = self._missed(place, first, second)
        meanings = self._meanings.take(place, axis=0)
        for at in missed.tolist():  # another text is in its place
            meanings[at] = read(cells.text(at))
        return meanings

    def _missed(self, place: Int64, first: Words, second: Words) -> Int64:
        """Return the cells whose text is not in its place."""
        known = self._texts[0].take(place), self._texts[1].take(place)
        return np.flatnonzero((known[0] != first) | (known[1] != second))


def _hashed(first: Words, second: Words, places: int) -> Int64:
    """Return a place for each text of two words: by the highest bits of a product."""
    odd, other = np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(0xC2B2_AE3D_27D4_EB4F)
    mixed = (first ^ (second * other)) * odd
    mixed ^= mixed >> np.uint64(32)
    mixed *= other
    return (mixed >> np.uint64(65 - places.bit_length())).astype(np.int64)
