"""What is looked for in the whole of a long text: single characters, and escapes."""

from typing import Final

import numpy as np

#: From so many bytes on numpy counts faster, which begins later than `bytes.count`.
_LONG: Final = 4096
#: What begins every escape of JSON.
_ESCAPE: Final = b"\\"


def occurrences(
    text: bytes | bytearray, mark: bytes, first: int = 0, past: int | None = None
) -> int:
    """Return how often a character of ASCII, the *mark*, is in a text, or in a part of it.

    Where there are many of them, as commas in a year of readings, this takes a fifth of what
    `bytes.count` does, which begins anew after each.
    """
    past = len(text) if past is None else min(past, len(text))
    if past - first < _LONG:
        return text.count(mark, first, past)
    part = np.frombuffer(text, np.uint8, past - first, first)
    return int(np.count_nonzero(part == ord(mark)))


def has_escape(text: bytes | bytearray, escape: bytes = b"\\u") -> bool:
    """Return whether an *escape* is in a text; most have no backslash, which is seen at once."""
    return _ESCAPE in text and escape in text
