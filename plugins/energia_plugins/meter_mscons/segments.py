"""The segments of an EDIFACT interchange (ISO 9735), whatever its separators are."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

import attrs

from energia import Malformed

#: The longest segment, in bytes.
LONGEST: Final = 64 * 1024

#: Stand for released marks: characters that Latin-1, in which files are read, does not have.
_HIDDEN: Final = ("\ue000", "\ue001", "\ue002", "\ue003")

#: A segment: its elements, each of its components.
Segment = list[list[str]]


@attrs.frozen
class Marks:
    """The separators of an interchange, as its UNA says, or those of the standard.

    Attributes:
        component: Between the components of an element.
        element: Between the elements of a segment.
        decimal: Of numbers.
        release: Takes the meaning from the mark after it.
        end: Of a segment.

    """

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    end: str = "'"

    @classmethod
    def of(cls, una: str) -> "Marks":
        """Return the marks of a UNA, without its tag; raises `Malformed`."""
        component, element, decimal, release, _, end = list(una)
        marks = component, element, release, end
        if any(mark.isalnum() for mark in marks) or decimal not in ".,":
            raise Malformed("segment 1: the UNA has a letter or a digit as a separator")
        if len({*marks, decimal} - {" "}) < 5 - (release == " "):
            raise Malformed("segment 1: the UNA has a separator twice")
        return cls(component, element, decimal, release, end)

    def hide(self, text: str) -> str:
        """Return a text in which each released mark is a character that no file has."""
        if self.release == " " or self.release not in text:
            return text
        for mark, hidden in zip(self._released, _HIDDEN, strict=True):
            text = text.replace(self.release + mark, hidden)
        return text.replace(self.release, "")

    def split(self, segment: str) -> Segment:
        """Return the elements of a segment of which the released marks are hidden."""
        elements = [element.split(self.component) for element in segment.split(self.element)]
        if segment.isascii():
            return elements
        return [
            [part if part.isascii() else part.translate(self._shown) for part in element]
            for element in elements
        ]

    @cached_property
    def _released(self) -> tuple[str, str, str, str]:
        # The release itself comes first, so that what it releases is not taken for another one.
        return self.release, self.element, self.component, self.end

    @cached_property
    def _shown(self) -> dict[int, str]:
        return str.maketrans(dict(zip(_HIDDEN, self._released, strict=True)))

    def cut(self, text: str) -> tuple[list[str], str]:
        """Return the segments that are whole, released marks hidden; and the rest, as it is."""
        place = text.rfind(self.end)
        while place >= 0 and self.release != " ":
            before = text[:place]
            if (place - len(before.rstrip(self.release))) % 2 == 0:
                break
            place = text.rfind(self.end, 0, place)
        if place < 0:
            return [], text
        return self.hide(text[:place]).split(self.end), text[place + 1 :]


def segments(chunks: Iterable[bytes]) -> Iterator[tuple[int, str, Marks]]:
    """Yield each segment, its released marks hidden, with its number: from 1, UNA counted.

    Raises `Malformed`.
    """
    marks, pending, number = None, "", 0
    for chunk in chunks:
        pending += chunk.decode("latin-1")
        if marks is None:
            pending = pending.removeprefix("\xef\xbb\xbf").lstrip()
            if len(pending) < 9:
                continue
            marks, number = _marks(pending)
            pending = pending[9 * number :]
        complete, pending = marks.cut(pending)
        for segment in complete:
            if text := _bounded(segment, number + 1).strip("\r\n \t"):
                number += 1
                yield number, text, marks
        _bounded(pending, number + 1)
    if pending.strip("\r\n \t\x1a"):
        raise Malformed(f"segment {number + 1}: the file ends within it: it is cut off")


def _marks(text: str) -> tuple[Marks, int]:
    """Return the marks of an interchange, and how many UNA it begins with."""
    if text.startswith("UNA"):
        return Marks.of(text[3:9]), 1
    if not text.startswith("UNB"):
        raise Malformed(f"no EDIFACT interchange begins with {text[:9]!r}")
    return Marks(), 0


def _bounded(segment: str, number: int) -> str:
    if len(segment) > LONGEST:
        raise Malformed(f"segment {number} is longer than {LONGEST} bytes")
    return segment
