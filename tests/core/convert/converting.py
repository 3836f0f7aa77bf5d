"""Classes for tests of the converter, and what it says of values that do not fit them."""

import enum
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import attrs
import pytest
from msgspec import Meta

from energia import convert
from energia.convert import Converter, Id
from energia.errors import Invalid


class Fuel(enum.StrEnum):
    """A choice."""

    GAS = "gas"
    POWER = "power"


class Phases(enum.Enum):
    """A choice of numbers."""

    ONE = 1
    THREE = 3


@attrs.frozen
class Band:
    """A part of the day."""

    price: Decimal
    hours: Annotated[int, Meta(ge=1, le=24)] = 24
    from_: int = 0


@attrs.frozen
class Offer:
    """A document with one of everything."""

    id: Id
    bands: tuple[Band, ...]
    since: date
    labels: dict[str, int] = attrs.Factory(dict)
    note: str | None = None


def refused(value: object, type_: Any, converter: Converter = convert.JSON) -> dict[str, str]:
    """Return the code of each fault by its pointer."""
    with pytest.raises(Invalid) as raised:
        converter.structure(value, type_)
    return {str(fault.pointer): fault.code for fault in raised.value.faults}
