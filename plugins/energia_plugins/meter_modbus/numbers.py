"""Numbers in registers of 16 bits, exactly as a device counts."""

import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import numpy as np

NumberType = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
Table = Literal["holding", "input"]
WordOrder = Literal["big", "little"]

_FORMATS: Final[dict[NumberType, str]] = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "uint64": ">Q",
    "int64": ">q",
    "float32": ">f",
    "float64": ">d",
}


def width(type_: NumberType) -> int:
    """Return how many registers a number takes."""
    return struct.calcsize(_FORMATS[type_]) // 2


def modulus(type_: NumberType) -> int | None:
    """Return at which number a counter begins anew; None where it does not, or is no integer."""
    return 1 << (16 * width(type_)) if type_.startswith("uint") else None


def number_of(
    registers: Sequence[int], type_: NumberType, word_order: WordOrder = "big"
) -> Decimal | None:
    """Return the number in registers, of which each is big endian; None for what is no number.

    A binary float is the shortest decimal that means it: 0.1 is 0.1.
    """
    words = registers if word_order == "big" else list(reversed(registers))
    packed = struct.pack(f">{len(words)}H", *words)
    (value,) = struct.unpack(_FORMATS[type_], packed)
    if not type_.startswith("float"):
        return Decimal(value)
    number = Decimal(str(np.float32(value) if type_ == "float32" else value))
    return number if number.is_finite() else None


def hexadecimal(registers: Sequence[int]) -> str:
    """Return registers as hexadecimal digits, in the order in which they are sent."""
    return "".join(f"{register:04X}" for register in registers)
