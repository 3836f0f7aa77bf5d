"""Arrays of PostgreSQL as numpy arrays: read in binary, written as literals."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from energia.metering.merge import Blocks
from energia.metering.series import ACTUAL, MISSING, NEVER_SENT, Micro, Quality

#: What `array_send` puts before the items: dimensions, flags, type, length, lower bound.
_HEAD = 20


def blocks(
    values: Sequence[memoryview], quality: Sequence[memoryview | None], width: int
) -> Blocks:
    """Return blocks from what `array_send` gives: int8[] and int2[], nulls replaced."""
    numbers: Micro = _items(values, ">i8", width).astype(np.int64)
    codes: Quality = np.where(numbers == MISSING, NEVER_SENT, ACTUAL).astype(np.int8)
    rows = [row for row, sent in enumerate(quality) if sent is not None]
    if rows:
        codes[rows] = _items([sent for sent in quality if sent is not None], ">i2", width)
    return Blocks(numbers, codes)


def _items(sent: Sequence[memoryview], kind: str, width: int) -> npt.NDArray[np.int64]:
    item = np.dtype([("size", ">i4"), ("value", kind)])
    block = np.dtype([("head", f"V{_HEAD}"), ("items", item, (width,))])
    found: npt.NDArray[np.int64] = np.frombuffer(b"".join(sent), block)["items"]["value"]
    return found


def literal(numbers: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | Quality) -> str:
    """Return a one-dimensional array of numbers or truth values as a literal."""
    return "{" + msgspec.json.encode(numbers.tolist()).decode()[1:-1] + "}"


def value_literals(values: Micro) -> str:
    """Return int64[n, width] as the literal of a text[] of n literals."""
    text = msgspec.json.encode(values.tolist()).decode()[2:-2]
    return '{"{' + text.replace(str(MISSING), "NULL").replace("],[", '}","{') + '}"}'


def quality_literals(quality: Quality) -> str:
    """Return int8[n, width] as the literal of a text[]: null where all that was sent is actual."""
    plain = ((quality == ACTUAL) | (quality == NEVER_SENT)).all(axis=1)
    if plain.all():
        return "{" + ",".join(["NULL"] * len(quality)) + "}"
    rows = (
        "NULL" if is_plain else f'"{literal(row).replace("-1", "NULL")}"'
        for is_plain, row in zip(plain.tolist(), quality, strict=True)
    )
    return "{" + ",".join(rows) + "}"
