"""Long arrays of numbers in JSON, read at the speed of C and exact all the same.

The numbers become binary floats, and are read again as they are written only where a float cannot
decide how to round.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final, cast

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw

from energia.convert.members import items
from energia.convert.scalars import Unfit, decimal, written, wrong_type
from energia.units import to_micros

_FLOATS: Final = msgspec.json.Decoder(list[float | None])
_TEXTS: Final = msgspec.json.Decoder(list[Raw])
_FLOAT: Final = msgspec.json.Decoder(float | None)
_DECIMAL: Final = msgspec.json.Decoder(Decimal)
_ANY: Final = msgspec.json.Decoder(float_hook=written)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Numbers:
    """An array of numbers, of their texts, or of null where there is none.

    Attributes:
        floats: float64[n], the binary float nearest to each number; NaN for null.

    """

    def __init__(self, text: Raw, floats: Sequence[float | None]) -> None:
        """Keep the numbers as they are written in *text*, and the *floats* nearest to them."""
        self.floats: npt.NDArray[np.float64] = np.array(floats, np.float64)
        self._text = text

    def __len__(self) -> int:
        """Return how many items there are, null included."""
        return len(self.floats)

    def micros(self, factor: Fraction) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the numbers times *factor* in millionths, and which are out of range.

        They are rounded half to even, as `energia.units.to_micro` does; null gives 0.
        """
        return to_micros(self.floats, factor, lambda index: _DECIMAL.decode(self._texts[index]))

    @cached_property
    def _texts(self) -> list[Raw]:
        return _TEXTS.decode(self._text)


def read(value: object, _: object = Numbers) -> Numbers:
    """Read the text of a JSON array, or an array; raises the faults of all its items."""
    if isinstance(value, list):
        value = Raw(_ENCODER.encode(value))
    if not isinstance(value, Raw):
        raise wrong_type("an array")
    try:
        return Numbers(value, _FLOATS.decode(value))
    except msgspec.DecodeError:
        pass
    try:
        texts = _TEXTS.decode(value)
    except msgspec.DecodeError:
        raise wrong_type("an array") from None
    return Numbers(value, cast("list[float | None]", items(texts, Decimal, _float)))


def _float(text: Raw, _: object) -> float | None:
    """Read one item: what no float can be read from is the text of a number, or a fault."""
    try:
        found: float | None = _FLOAT.decode(text)
    except msgspec.DecodeError:
        pass
    else:
        return found
    try:
        return float(decimal(_ANY.decode(text)))
    except msgspec.ValidationError:  # a whole number of thousands of digits
        raise Unfit("out_of_range", "the number is out of range") from None
    except (msgspec.DecodeError, RecursionError):
        raise wrong_type("a decimal number, as a string or a number") from None
