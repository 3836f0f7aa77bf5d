"""Telegrams in a file that comes in chunks: where each begins and ends, and its checksum.

A telegram is what is from a line that begins with `/` to one that begins with `!`, after which the
CRC stands: of all bytes from the one mark to the other, ends of lines counted (DSMR 5.0.2, section
6.2; the polynomial is x16 + x15 + x2 + 1, from the lowest bit on).
"""

import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import attrs

from energia import Malformed, Problem, file_lines

#: The longest telegram, in bytes: one with the longest texts that are allowed has about 5,000.
LONGEST: Final = 16 * 1024

_CRC: Final = re.compile(rb"!([0-9A-Fa-f]{1,4})\s*")


def _shifted(crc: int) -> int:
    """Return what eight bits of zero make of a checksum."""
    for _ in range(8):
        crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


_BYTES: Final = tuple(map(_shifted, range(256)))


@cache
def _pairs() -> tuple[int, ...]:
    """Return what sixteen bits of zero make of each checksum: two bytes a step are much faster."""
    once = [crc >> 8 ^ _BYTES[crc & 255] for crc in range(1 << 16)]
    return tuple(once[crc] for crc in once)


def crc16(data: bytes) -> int:
    """Return the CRC of the bytes of a telegram, from `/` to `!`."""
    pairs, crc = _pairs(), 0
    words = array("H", data[: len(data) & ~1])
    if sys.byteorder == "big":
        words.byteswap()
    for word in words:
        crc = pairs[crc ^ word]
    return crc >> 8 ^ _BYTES[(crc ^ data[-1]) & 255] if len(data) & 1 else crc


@attrs.frozen
class Telegram:
    """What a meter sent at once.

    Attributes:
        line: Where it begins.
        text: Its bytes, from `/` to `!`.
        end: Its last line, which begins with `!`.

    """

    line: int
    text: bytes
    end: bytes

    @property
    def crc(self) -> int | None:
        """The checksum that it states; None where it states none, or nonsense."""
        found = _CRC.fullmatch(self.end)
        return int(found[1], 16) if found else None

    @property
    def has_crc(self) -> bool:
        """Whether anything stands where the checksum does."""
        return bool(self.end[1:].strip())

    def line_of(self, place: int) -> int:
        """Return the line of a byte of its text."""
        return self.line + self.text.count(b"\n", 0, place)


def telegrams(chunks: Iterable[bytes]) -> Iterator[Telegram | Problem]:
    """Yield the telegrams of a file, and what is none; raises `Malformed` for a file of none."""
    file = _File()
    for number, line in file_lines(chunks, LONGEST):
        yield from file.take(number, line)
    yield from file.cut()
    if not file.begun:
        raise Malformed("no line begins with `/`, as telegrams do")


@attrs.define
class _File:
    """A file while it is read.

    Attributes:
        lines: Of the telegram that has begun.
        line: Where that is.
        size: Its length so far.
        begun: Whether any telegram has begun.
        is_told: Whether it was said of the lines before the next telegram that they are in none.

    """

    lines: list[bytes] = attrs.Factory(list)
    line: int = 0
    size: int = 0
    begun: bool = False
    is_told: bool = False

    def take(self, number: int, line: bytes) -> Iterator[Telegram | Problem]:
        """Take in a line, with its end."""
        if line[:1] == b"/":
            yield from self.cut()
            self.lines, self.line, self.size, self.begun = [line], number, len(line), True
        elif not self.lines:
            yield from self._pass(number, line)
        elif line[:1] == b"!":
            yield Telegram(self.line, b"".join((*self.lines, b"!")), line)
            self.lines, self.is_told = [], False
        else:
            self.lines.append(line)
            self.size += len(line)
            yield from self._bound()

    def cut(self) -> Iterator[Problem]:
        """Tell of a telegram that has no end."""
        if self.lines:
            yield Problem(self.line, "cut_off", "the telegram has no end (`!`)")
        self.lines, self.is_told = [], False

    def _pass(self, number: int, line: bytes) -> Iterator[Problem]:
        if line.strip() and not self.is_told:
            self.is_told = True
            yield Problem(number, "outside_telegram", "here are lines that no telegram has begun")

    def _bound(self) -> Iterator[Problem]:
        if self.size > LONGEST:
            self.lines, self.is_told = [], True
            message = f"the telegram is longer than {LONGEST} bytes, or has no end (`!`)"
            yield Problem(self.line, "too_long", message)
