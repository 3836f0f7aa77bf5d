"""The JSON body of `POST /v1/readings`, read at the speed of C.

Numbers are read as binary floats, and again as they are written only where a float cannot decide
how to round. What does not fit is a problem of its item; the other items are read all the same.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Final, TypeVar

import attrs
import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Raw

from energia import convert
from energia.errors import Fault, Invalid, Malformed, TooLarge
from energia.metering.columns import Columns, Floats, Sent
from energia.metering.outcome import Problems
from energia.metering.series import QUALITIES
from energia.time import BadDuration, instant_of, is_of_days, length_of
from energia.units import BadNumber, decimal_of

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
    elif one.start.microsecond:
        fault = place.fault("off_grid", "the time is not on a whole second")
    else:
        return instant_of(one.start)
    problems.add(fault, count)
    return None


@lru_cache(maxsize=32)
def quality_code(name: str) -> int:
    """Return the code of a quality."""
    return QUALITIES.index(name)


# Turn the JSON body of `POST /v1/readings` into columns.

Number = float | Decimal | str | None

#: How many values the series of one body have at most, so that it fits in memory: 142 years of
#: quarter-hours.
MOST: Final = 5_000_000
#: How many single readings one body has at most: more than fit into 64 MiB if they say anything.
MOST_SINGLE: Final = 2_000_000

_RUN: Final = msgspec.json.Decoder(Run)
_ANY: Final = msgspec.json.Decoder(float_hook=Decimal)


@attrs.frozen
class Decoded:
    """The readings of a body that can be read, and how many it has in all."""

    sent: tuple[Sent, ...]
    received: int


def decode(top: Body, problems: Problems) -> Decoded:
    """Read the two arrays and note in *problems* what does not fit.

    Raises:
        Malformed: It is not JSON.
        Invalid: `readings` or `series` is no array.
        TooLarge: There are more than `MOST` values in series, or `MOST_SINGLE` readings.

    """
    if bytes(top.series).count(b",") > MOST:
        raise TooLarge(f"a body has at most {MOST} readings; send them in several")
    if bytes(top.readings).count(b"{") > MOST_SINGLE:
        raise TooLarge(f"`readings` has at most {MOST_SINGLE} items; send them in several bodies")
    fitting, received = readings(top.readings, problems)
    single = _single(top.readings, fitting, problems)
    runs = _Runs(split(top.series, "series"), problems)
    sent = tuple(found for found in (single, runs.sent()) if len(found.origin))
    return Decoded(sent, received + runs.received)


def _single(raw: Raw, fitting: Sequence[tuple[int, Reading]], problems: Problems) -> Sent:
    """Return the `readings` form: each is a run of one slot."""
    columns, values, written = Columns(), [], list[float | str | None]()
    for index, one in fitting:
        place = Place("readings", index)
        start = start_of(one, place, 1, problems)
        refused = 0 if start is None else 1
        value = _float(one.value, place.fault("", ""), refused, problems)
        if start is not None and value is not None:
            quality = quality_code(one.quality)
            columns.one((one.meter, one.channel, one.unit), start, quality, index)
            values.append(value)
            written.append(one.value)

    @cache
    def items() -> list[Raw]:
        return split(raw, "readings")

    def exact(index: int) -> Decimal:
        text = written[index]
        if isinstance(text, str):
            return decimal_of(text)
        return msgspec.json.decode(items()[columns.labels[index]], type=_Value).value

    def place_of(label: int, _: int | None) -> Fault:
        return Place("readings", label).fault("", "")

    return columns.sent(np.array(values, np.float64), exact, place_of)


class _Value(msgspec.Struct):
    value: Decimal


def _float(value: Number, place: Fault, refused: int, problems: Problems) -> float | None:
    """Return the nearest float, NaN for null; or None and note that it is no number."""
    if value is None:
        return math.nan
    try:
        return float(decimal_of(value) if isinstance(value, str) else value)
    except BadNumber as error:
        problems.add(attrs.evolve(place, code=error.code, message=str(error)), refused)
    return None


class _Runs:
    """The `series` form."""

    def __init__(self, items: list[Raw], problems: Problems) -> None:
        self.received = 0
        self._items = items
        self._problems = problems
        self._columns = Columns()
        self._values: list[Floats] = []
        self._refused: list[npt.NDArray[np.bool_]] = []
        self._texts_run = -1
        self._texts: list[Raw] = []
        for index in range(len(items)):
            self._add(index)

    def sent(self) -> Sent:
        """Return the columns."""
        empty = [np.zeros(0)]
        refused = np.concatenate(self._refused or [np.zeros(0, bool)])
        found = self._columns.sent(
            np.concatenate(self._values or empty),
            self._exact,
            _place_of_value,
            refused=refused if refused.any() else None,
        )
        self._bases = found.bases
        return found

    def _add(self, index: int) -> None:
        place = Place("series", index)
        one, values, refused = self._read(index, place)
        self.received += len(values)
        if one is None:
            return
        count = len(values) - int(refused.sum())
        start = start_of(one, place, count, self._problems)
        interval = self._interval(one.interval, place, 0 if start is None else count)
        if start is None or interval is None:
            return
        self._values.append(values)
        self._refused.append(refused)
        origin = (one.meter, one.channel, one.unit)
        quality = quality_code(one.quality)
        self._columns.run(origin, (start, interval, len(values)), quality, index)

    def _read(
        self, index: int, place: Place
    ) -> tuple[Run | WrittenRun | None, Floats, npt.NDArray[np.bool_]]:
        """Return a series, its values as floats, and which of them are no numbers."""
        raw = self._items[index]
        try:
            fast = _RUN.decode(raw)
            values = np.array(fast.values, np.float64)
            return fast, values, np.zeros(len(values), bool)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        count = _count(raw)
        slow = item(raw, WrittenRun, place, count, self._problems)
        if slow is None:
            return None, np.zeros(count), np.zeros(count, bool)
        found = [
            _float(_written(text), _place_of_value(index, position), 1, self._problems)
            for position, text in enumerate(slow.values)
        ]
        refused = np.array([value is None for value in found], bool)
        return slow, np.array(found, np.float64), refused

    def _interval(self, text: str, place: Place, count: int) -> int | None:
        try:
            # No channel has slots of -1 s.
            return -1 if is_of_days(text) else length_of(text) or -1
        except BadDuration as error:
            self._problems.add(place.fault("wrong_interval", str(error), "/interval"), count)
        return None

    def _exact(self, index: int) -> Decimal:
        run = int(np.searchsorted(self._bases, index, side="right")) - 1
        if run != self._texts_run:
            self._texts_run = run
            self._texts = _values_of(self._items[self._columns.labels[run]])
        return msgspec.json.decode(self._texts[index - int(self._bases[run])], type=Decimal)


def _place_of_value(label: int, position: int | None) -> Fault:
    place = Place("series", label)
    if position is None:
        return place.fault("", "")
    return Fault("", "", f"{place.pointer}/values/{position}", position)


class _Values(msgspec.Struct):
    values: list[Raw]


def _values_of(raw: Raw) -> list[Raw]:
    return msgspec.json.decode(raw, type=_Values).values


def _count(raw: Raw) -> int:
    """Return how many readings a series has that may not fit otherwise; at least one."""
    try:
        return max(1, len(_values_of(raw)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 1


def _written(raw: Raw) -> Number:
    """Return what was written for one value; what is no value is returned as its text."""
    try:
        value: Number | int | bool | list[object] | dict[str, object] = _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None
    if isinstance(value, bool | list | dict):
        return bytes(raw)[:40].decode()
    if isinstance(value, int) and abs(value) > 2**1000:
        return math.inf
    return value
