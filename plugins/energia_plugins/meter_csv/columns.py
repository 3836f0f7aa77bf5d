"""Columns of a plain table, by where their cells are in its bytes: what all of them say at once.

A text of each cell takes longer to make than everything else that is done with it. Here cells are
eight bytes at a time, those of a whole column in one array: whether they are those of the row
before, what number they write, which of a few texts they are. What is not as plain as that is told
to be odd; its row is then read by its texts.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia import Decimals
from energia.time import Int64

Mask = npt.NDArray[np.bool_]
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

    def have(self, text: str) -> Mask:
        """Tell which are the *text*, of eight bytes at most."""
        word = np.uint64(int.from_bytes(text.encode(), "little"))
        same: Mask = (next(self.words()) == word) & (self.lengths <= _WORD)
        return same

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
#: What digits are multiplied by, how far away the next ones are, and where the pairs are.
_PAIRS: Final = (
    (np.uint64(10), np.uint64(8), np.uint64(0x00FF_00FF_00FF_00FF)),
    (np.uint64(100), np.uint64(16), np.uint64(0x0000_FFFF_0000_FFFF)),
    (np.uint64(10_000), np.uint64(32), np.uint64(0x0000_0000_FFFF_FFFF)),
)
#: Up to here a number has 15 digits, which a binary float tells apart.
_LARGEST: Final = 10**15


def decimals(cells: Cells, point: str) -> tuple[Decimals, Mask]:
    """Return the numbers of *cells*, and which are no plain ones: these are to be read as texts.

    A plain number has 15 digits at most, perhaps a *point* among them and a minus before them, and
    is no zero with a minus. A blank cell is a number that is missing.
    """
    minus = cells.bytes[cells.starts] == ord("-")
    lengths = cells.lengths - minus
    last = _Digits.of(cells.last_words(0, np.minimum(lengths, _WORD)), lengths, point)
    units, places, count, odd = last.units, last.places, last.count, last.odd
    if int(lengths.max(initial=0)) > _WORD:
        before = np.clip(lengths - _WORD, 0, _WORD)
        first = _Digits.of(cells.last_words(1, before), before, point)
        units = first.units * _TENS[count] + units
        places = np.where(first.has_point, first.places + _WORD, places)
        odd |= first.odd | (first.has_point & last.has_point) | (lengths > 2 * _WORD)
        count = count + first.count
    blank = cells.starts == cells.ends
    odd |= ((count == 0) & ~blank) | (units >= _LARGEST) | (minus & (units == 0))
    behind = np.where(blank, -1, places).astype(np.int8)
    return Decimals(np.where(minus, -units, units), behind), odd


@attrs.frozen(eq=False)
class _Digits:
    """The digits of words as numbers.

    Attributes:
        units: The digits as whole numbers, whether there is a point among them or not.
        count: How many digits there are.
        places: How many of them are behind the point.
        has_point: Whether there is one.
        odd: Which have something else; their numbers mean nothing.

    """

    units: Int64
    count: Int64
    places: Int64
    has_point: Mask
    odd: Mask

    @classmethod
    def of(cls, words: Words, lengths: Int64, point: str) -> "_Digits":
        """Return the digits of words, of each the highest bytes, so many as *lengths*, or all."""
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
        digits |= _ZEROS.take(count)
        upper, zeros = _each(0xF0), _each(0x30)
        odd = (((digits & upper) ^ zeros) | (((digits + _each(6)) & upper) ^ zeros)) != 0
        # Two digits to a number, then four, then eight: the first of each pair counts more.
        digits &= _each(0x0F)
        for tens, bits, mask in _PAIRS:
            digits = (digits * tens + (digits >> bits)) & mask
        places = np.bitwise_count(behind).astype(np.int64) // 8
        return cls(digits.astype(np.int64), count, places, has_point, odd)


# A few texts again and again.


class Lexicon:
    """What cells mean of which a few come again and again: each text is read once.

    It is a table by a hash of a text, in which each place has the text that came last. Those of
    more than 16 bytes have none: they are read each time.
    """

    _PLACES: Final = 2**14

    def __init__(self, width: int) -> None:
        """Begin with nothing that is known; each text means so many numbers."""
        # No text has such bytes, as they are not ASCII.
        self._texts = np.full((2, self._PLACES), _LOWEST[-1])
        self._meanings = np.zeros((self._PLACES, width), np.int64)

    def meanings(self, cells: Cells, read: Callable[[str], tuple[int, ...]]) -> Int64:
        """Return int64[cells, width], what each means: the numbers that *read* gives of a text."""
        first, *others = cells.words()
        second = others[0] if others else np.zeros_like(first)
        place, is_long = _hashed(first, second, self._PLACES), cells.lengths > 2 * _WORD
        new = np.flatnonzero(self._misses(place, first, second) & ~is_long)
        if len(new):
            for at in new[np.unique(place[new], return_index=True)[1]].tolist():
                self._meanings[place[at]] = read(cells.text(at))
                self._texts[:, place[at]] = first[at], second[at]
        meanings = self._meanings.take(place, axis=0)
        if len(new) or len(others) > 1:
            # The place of some has another text, or none.
            missed = self._misses(place, first, second) | is_long
            for at in np.flatnonzero(missed).tolist():
                meanings[at] = read(cells.text(at))
        return meanings

    def _misses(self, place: Int64, first: Words, second: Words) -> Mask:
        """Tell which cells have a text that is not in its place."""
        known = self._texts[0].take(place), self._texts[1].take(place)
        missed: Mask = (known[0] != first) | (known[1] != second)
        return missed


def _hashed(first: Words, second: Words, places: int) -> Int64:
    """Return a place for each text of two words: by the highest bits of a product."""
    odd, other = np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(0xC2B2_AE3D_27D4_EB4F)
    mixed = (first ^ (second * other)) * odd
    mixed ^= mixed >> np.uint64(32)
    mixed *= other
    return (mixed >> np.uint64(65 - places.bit_length())).astype(np.int64)
