"""The JSON body of `POST /v1/readings`, read at the speed of C.

Numbers are read as binary floats, and again as they are written only where a float cannot decide
how to round. What does not fit is a problem of its item; the other items are read all the same.
"""

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, TypeVar

import attrs
import msgspec
from msgspec import Meta, Raw

from energia import convert
from energia.errors import Fault, Invalid, Malformed
from energia.metering.columns import whole_seconds
from energia.metering.problems import Problems
from energia.metering.series import QUALITIES

_ITEM: Final[dict[str, dict[str, object]]] = {
    "meter": {"type": "string"},
    "channel": {"type": ["string", "null"], "description": "Default: the meter's only one."},
    "start": {"type": "string", "format": "date-time"},
    "unit": {"type": ["string", "null"], "description": "Default: the channel's."},
    "quality": {"type": "string", "enum": list(QUALITIES), "default": "actual"},
}
_VALUE: Final = {"type": ["number", "string", "null"]}


def _array(description: str, **more: dict[str, object]) -> Meta:
    required = ["meter", "start", *more]
    item = {
        "type": "object",
        "properties": {**_ITEM, **more},
        "required": required,
        "additionalProperties": False,
    }
    schema = {"type": "array", "items": item}
    return Meta(description=description, extra_json_schema=schema)


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The two forms of readings, still as text; both mix meters freely."""

    readings: Annotated[Raw, _array("Single readings.", value=_VALUE)] = Raw(b"[]")
    series: Annotated[
        Raw,
        _array(
            "Readings of consecutive slots: the fast form.",
            interval={"type": "string", "examples": ["PT15M"]},
            values={"type": "array", "items": _VALUE},
        ),
    ] = Raw(b"[]")


class Item(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What both forms have."""

    meter: str
    start: datetime
    channel: str | None = None
    unit: str | None = None
    quality: str = "actual"


class Reading(Item, kw_only=True):
    """One reading: a number or its text, or null where it is missing."""

    value: float | str | None


class Run(Item, kw_only=True):
    """Readings of consecutive slots."""

    interval: str
    values: list[float | None]


class WrittenRun(Item, kw_only=True):
    """Readings of consecutive slots, whose values are still text."""

    interval: str
    values: list[Raw]


I = TypeVar("I", bound=Item)  # noqa: E741


@attrs.frozen
class Place:
    """An item of one of the arrays."""

    array: str
    index: int

    @property
    def pointer(self) -> str:
        """Its JSON pointer."""
        return f"/{self.array}/{self.index}"

    def fault(self, code: str, message: str, below: str = "") -> Fault:
        """Return a fault of the item, or of something in it."""
        return Fault(code, message, self.pointer + below, self.index)


def split(raw: Raw, array: str) -> list[Raw]:
    """Return the items of an array as text; raises `Malformed` or `Invalid`."""
    try:
        return msgspec.json.decode(raw, type=list[Raw])
    except msgspec.ValidationError:
        fault = Fault("wrong_type", "expected an array", f"/{array}")
        raise Invalid(fault.message, [fault]) from None
    except msgspec.DecodeError as error:
        raise Malformed(f"not JSON: {error}") from None


def readings(raw: Raw, problems: Problems) -> tuple[list[tuple[int, Reading]], int]:
    """Return the readings that fit, with their indices, and how many there are in all."""
    try:
        found = msgspec.json.decode(raw, type=list[Reading])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        items = split(raw, "readings")
        every = [
            (index, item(text, Reading, Place("readings", index), 1, problems))
            for index, text in enumerate(items)
        ]
        return [(index, one) for index, one in every if one is not None], len(items)
    return list(enumerate(found)), len(found)


def item(raw: Raw, type_: type[I], place: Place, count: int, problems: Problems) -> I | None:
    """Return one item, or None and note its faults, which refuse *count* readings."""
    try:
        if len(problems.kept) < problems.limit:
            return convert.decode(bytes(raw), type_)
        # Nobody sees more than the first problems: the others are found faster.
        return msgspec.json.decode(raw, type=type_)
    except Invalid as error:
        for number, fault in enumerate(error.faults or (Fault(error.code, error.detail),)):
            found = place.fault(fault.code, fault.message, fault.pointer or "")
            problems.add(found, 0 if number else count)
    except msgspec.ValidationError as error:
        problems.add(place.fault("invalid", str(error)), count)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None
    return None


def start_of(one: Item, place: Place, count: int, problems: Problems) -> int | None:
    """Return when *one* starts, in seconds, UTC; or None and note what is wrong with it."""
    if one.quality not in QUALITIES:
        fault = place.fault("unknown_quality", f"there is no quality {one.quality[:40]!r}")
    elif one.start.tzinfo is None:
        fault = place.fault("naive_time", "the time has no offset from UTC")
    elif (seconds := whole_seconds(one.start)) is None:
        fault = place.fault("off_grid", "the time is not on a whole second")
    else:
        return seconds
    problems.add(fault, count)
    return None


@lru_cache(maxsize=32)
def quality_code(name: str) -> int:
    """Return the code of a quality."""
    return QUALITIES.index(name)
