"""Many numbers as text at once: their digits are worked out as arrays.

A number alone is written by `exact.shortest` or `exact.fixed`; of many these take most of the time
that bills take. Texts are the same.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from energia.time import Int64

#: Numbers may have so many digits before they are written one by one.
DIGITS: Final = 18
_ZERO, _POINT, _SPACE = b"0. "
#: So many digits are looked up at a time: the texts of all numbers of so many digits.
_AT_ONCE: Final = 4
_BASE: Final = 10**_AT_ONCE
_TEXTS: Final = np.array([f"{number:0{_AT_ONCE}}" for number in range(_BASE)], "S").view(np.uint32)


def shortest_texts(scaled: Int64, decimals: int) -> list[str]:
    """Return `shortest` of each of many numbers."""
    written = _written(scaled, decimals)
    if decimals:
        point = written.shape[1] - decimals - 2
        ending = np.logical_and.accumulate(written[:, :point:-1] <= _ZERO, axis=1)[:, ::-1]
        written[:, point + 1 :][ending] = _SPACE
        written[ending[:, 0], point] = _SPACE
    return _signed(written, scaled)


def fixed_texts(scaled: Int64, decimals: int) -> list[str]:
    """Return `fixed` of each of many numbers."""
    return _signed(_written(scaled, decimals), scaled)


def _written(scaled: Int64, decimals: int) -> npt.NDArray[np.uint8]:
    """Return the digits of each number, the point and a space, with spaces before them."""
    rest, size = np.abs(scaled), len(scaled)
    most = int(rest.max(initial=0))
    if most >= 10**DIGITS:
        raise OverflowError(f"{most} has too many digits to be written with others")
    words = -(-max(len(str(most)), decimals + 1) // _AT_ONCE)
    found = np.empty((size, words), np.uint32)
    for word in range(words - 1, -1, -1):
        above = rest // _BASE
        found[:, word] = _TEXTS[rest - above * _BASE]
        rest = above
    digits = found.view(np.uint8)
    before = digits.shape[1] - decimals  # of the point; one of them is there at least
    leading = np.logical_and.accumulate(digits[:, : before - 1] == _ZERO, axis=1)
    digits[:, : before - 1][leading] = _SPACE
    written = np.empty((size, digits.shape[1] + 2 if decimals else before + 1), np.uint8)
    written[:, :before] = digits[:, :before]
    if decimals:
        written[:, before] = _POINT
        written[:, before + 1 : -1] = digits[:, before:]
    written[:, -1] = _SPACE
    return written


def _signed(written: npt.NDArray[np.uint8], scaled: Int64) -> list[str]:
    texts = written.tobytes().decode("ascii").split()
    if len(scaled) and scaled.min() < 0:
        return [
            f"-{text}" if number < 0 else text
            for text, number in zip(texts, scaled.tolist(), strict=True)
        ]
    return texts
