"""The JSON body of `POST /v1/readings`, read at the speed of C.

It has two forms, which mix freely: `readings`, each with its own instant, and `series`, the values
of consecutive slots. Both become runs of numbers (`validation.ReadingRuns`). What does not fit is a
problem of its item, with a JSON pointer; the other items are read all the same.

Each form is first decoded as a whole, into structs, by msgspec. Only if that fails, which it does
at the first fault, is it decoded item by item, to find all of them. Numbers are read as binary
floats, and again as they are written only where a float cannot decide how to round: making a
Decimal of each would take most of the time of an import.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, ClassVar, Final, TypeVar

import attrs
import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Raw

from energia import convert
from energia.convert.constraints import TextOf
from energia.convert.marks import has_escape, occurrences
from energia.convert.repeats import refuse_repeats
from energia.errors import Fault, Invalid, Malformed, TooLarge
from energia.metering.outcome import Problems
from energia.metering.series import ACTUAL, QUALITIES, Mask, Quality
from energia.metering.validation import Origin, ReadingRuns
from energia.time import BadDuration, Int64, instant_of, is_of_days, length_of
from energia.units import BadNumber, decimal_of

Floats = npt.NDArray[np.float64]
Number = float | Decimal | str | None

#: How many values the series of one body have at most, so that it fits in memory: 142 years of
#: quarter-hours.
MOST: Final = 5_000_000
#: How many single readings one body has at most: more than fit into 64 MiB if they say anything.
MOST_SINGLE: Final = 2_000_000
#: So many bytes of single readings are decoded at a time: other threads wait meanwhile.
_SLICE: Final = 1024 * 1024


# What a client sends.

#: What the JSON Schema of values says besides: a decimal may be text.
_VALUES: Final[dict[str, object]] = {"items": {"type": ["number", "string", "null"]}}


class BodyItem(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the items of both forms have.

    Attributes:
        meter: The id of the meter.
        start: When the slot starts, or the first of them: an instant with its offset.
        channel: The id of the channel; without it, the meter's only one.
        unit: The unit of the values; without it, that of the channel.
        quality: How the values were found.

    """

    meter: str
    start: datetime
    channel: str | None = None
    unit: str | None = None
    quality: Annotated[str, Meta(extra_json_schema={"enum": list(QUALITIES)})] = "actual"


class SingleItem(BodyItem, kw_only=True):
    """One reading.

    Attributes:
        value: The quantity, a number or its text; null where it is missing.

    """

    __public_name__: ClassVar[str] = "NewReading"

    value: float | str | None


class SeriesItem(BodyItem, kw_only=True):
    """Readings of consecutive slots.

    Attributes:
        interval: The length of a slot, an ISO 8601 duration.
        values: The quantity in each slot, numbers or their texts; null where one is missing.

    """

    __public_name__: ClassVar[str] = "NewReadingSeries"

    interval: str
    values: Annotated[list[float | None], Meta(extra_json_schema=_VALUES)]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """Readings in their two forms, which mix meters freely.

    Attributes:
        readings: Single readings, each with its own instant.
        series: Readings of consecutive slots: the fast form.

    """

    __public_name__: ClassVar[str] = "NewReadings"

    # Still as text, which is decoded form by form.
    readings: Annotated[Raw, TextOf(list[SingleItem])] = Raw(b"[]")
    series: Annotated[Raw, TextOf(list[SeriesItem])] = Raw(b"[]")


class SeriesText(BodyItem, kw_only=True):
    """Readings of consecutive slots, whose values are still text."""

    interval: str
    values: list[Raw]


class _Object(msgspec.Struct, gc=False):
    """Any object, of which nothing is kept."""


class _ValueOnly(msgspec.Struct):
    """The value of a single item, exactly."""

    value: Decimal


class _ValuesOnly(msgspec.Struct):
    """The values of a series, whatever else is wrong with it."""

    values: list[Raw]


_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])
_SINGLE: Final = msgspec.json.Decoder(list[SingleItem])
_SERIES: Final = msgspec.json.Decoder(SeriesItem)
_ALL_SERIES: Final = msgspec.json.Decoder(list[SeriesItem])
_OBJECTS: Final = msgspec.json.Decoder(list[_Object])
#: Finds where a value of JSON ends; what it makes of numbers is not looked at.
_SCANNER: Final = json.JSONDecoder(parse_int=str, parse_float=str)
_BLANK: Final = re.compile(r"[ \t\n\r]*")
#: From so many values on, a body is looked at once more before its items are told apart.
_MANY: Final = 500_000
_ANY: Final = msgspec.json.Decoder(float_hook=Decimal)
I = TypeVar("I", bound=BodyItem)  # noqa: E741


# What is made of it.


@attrs.frozen
class BodyReadings:
    """The readings of a body that can be read, and how many it has in all."""

    runs: tuple[ReadingRuns, ...]
    received: int


def decode(body: Body, problems: Problems) -> BodyReadings:
    """Read the two arrays and note in *problems* what does not fit.

    Raises:
        Malformed: It is not JSON.
        Invalid: `readings` or `series` is no array.
        TooLarge: There are more than `MOST` values in series, or `MOST_SINGLE` readings.

    """
    # Counted before anything is made of them: a body of nothing but brackets is small until then.
    commas = occurrences(bytes(body.series), b",")
    if commas > MOST:
        raise TooLarge(f"a body has at most {MOST} readings; send them in several")
    if occurrences(bytes(body.readings), b"{") > MOST_SINGLE:
        raise _too_many()
    single = _plain_runs(body.readings)
    received = 0 if single is None else len(single.origin)
    if single is None:
        items, received = _single_items(body.readings, problems)
        single = _single_runs(body.readings, items, problems)
    if commas > _MANY:
        _refuse_others(body.series)
    several = _plain_series(body.series)
    if several is None:
        series = _Series(_split(body.series, "series"), problems)
        received, several = received + series.received, series.runs()
    else:
        received += len(several.values)
    return BodyReadings(tuple(form for form in (single, several) if len(form.origin)), received)


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

    def value_fault(self, position: int | None, code: str = "", message: str = "") -> Fault:
        """Return a fault of a value of a series, by its position; None for all of the item."""
        if position is None:
            return self.fault(code, message)
        return Fault(code, message, f"{self.pointer}/values/{position}", position)


@attrs.define
class _RunLists:
    """The runs of one form, item by item, until they become arrays.

    The lists are the columns of `ReadingRuns`; `items` says which item of the array each came from.
    """

    origins: dict[Origin, int] = attrs.Factory(dict)
    origin: list[int] = attrs.Factory(list)
    starts: list[int] = attrs.Factory(list)
    intervals: list[int] = attrs.Factory(list)
    lengths: list[int] = attrs.Factory(list)
    quality: list[int] = attrs.Factory(list)
    items: list[int] = attrs.Factory(list)

    def add(self, index: int, item: BodyItem, slots: tuple[int, int, int]) -> None:
        """Add the run of an item, which has the *slots*: start, interval (or 0), how many."""
        origin = (item.meter, item.channel, item.unit)
        self.origin.append(self.origins.setdefault(origin, len(self.origins)))
        start, interval, length = slots
        self.starts.append(start)
        self.intervals.append(interval)
        self.lengths.append(length)
        self.quality.append(_quality_code(item.quality))
        self.items.append(index)

    def add_plain(self, items: Sequence[tuple[int, SingleItem]]) -> None:
        """Add readings in which nothing is wrong, each a run of one slot, column by column."""
        known = self.origins
        self.origin += [
            known.setdefault((item.meter, item.channel, item.unit), len(known)) for _, item in items
        ]
        self.starts += [instant_of(item.start) for _, item in items]
        self.intervals += [0] * len(items)
        self.lengths += [1] * len(items)
        self.quality += [_quality_code(item.quality) for _, item in items]
        self.items += [index for index, _ in items]

    def runs(
        self,
        values: Floats,
        exact: Callable[[int], Decimal],
        locate: Callable[[int, int | None], Fault],
        refused: Mask | None = None,
    ) -> ReadingRuns:
        """Return the arrays; *locate* is given an item and a position in its run."""
        items = self.items
        return ReadingRuns(
            tuple(self.origins),
            np.array(self.origin, np.int64),
            np.array(self.starts, np.int64),
            np.array(self.intervals, np.int64),
            np.array(self.lengths, np.int64),
            np.array(self.quality, np.int8),
            values,
            exact,
            lambda run, position: locate(items[run], position),
            refused,
        )


# The form `readings`: each item is a run of one slot.


class _Plain(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One reading, whose value is a number, and whose start is still text."""

    meter: str
    start: str
    value: float
    channel: str | None = None
    unit: str | None = None
    quality: str = "actual"


_PLAIN: Final = msgspec.json.Decoder(list[_Plain])
#: The quotes of a reading that says nothing but what it must: three names, and two texts.
_PLAIN_QUOTES: Final = 10


def _plain_runs(raw: Raw) -> ReadingRuns | None:
    """Return the runs of readings that are all numbers, and right, column by column.

    None where one of them is something else: then each is looked at (`_single_runs`), which takes
    four times as long.
    """
    text = bytes(raw)
    try:
        items = [item for part in slices(text) for item in _PLAIN.decode(part)]
        starts = [item.start for item in items]
        instants = {start: _instant(start) for start in set(starts)}
    except (ValueError, RecursionError):
        return None
    found = _plain_origins(items, occurrences(text, b'"'))
    if found is None or None in instants.values():
        return None
    count = len(items)

    @cache
    def texts() -> list[Raw]:
        return _split(raw, "readings")

    return ReadingRuns(
        found.origins,
        found.origin,
        np.fromiter(map(instants.__getitem__, starts), np.int64, count),
        np.zeros(count, np.int64),
        np.ones(count, np.int64),
        found.quality,
        np.fromiter([item.value for item in items], np.float64, count),
        lambda index: msgspec.json.decode(texts()[index], type=_ValueOnly).value,
        lambda run, _: Place("readings", run).fault("", ""),
    )


@attrs.frozen
class _PlainOrigins:
    """Of what readings are, and their qualities, column by column, as `ReadingRuns` has them."""

    origins: tuple[Origin, ...]
    origin: Int64
    quality: Quality


def _plain_origins(items: Sequence[_Plain], quotes: int) -> _PlainOrigins | None:
    """Return the origins of readings that have so many *quotes*; None where one is not right.

    A field that came twice, or that has its default, makes more quotes than these.
    """
    count = len(items)
    if quotes == _PLAIN_QUOTES * count:  # none says more than it must
        meters = [item.meter for item in items]
        found = {meter: number for number, meter in enumerate(dict.fromkeys(meters))}
        origin = np.fromiter(map(found.__getitem__, meters), np.int64, count)
        quality = np.full(count, ACTUAL, np.int8)
        return _PlainOrigins(tuple((meter, None, None) for meter in found), origin, quality)
    qualities = [item.quality for item in items]
    codes = {name: _quality_code(name) for name in set(qualities) if name in QUALITIES}
    names = [(item.meter, item.channel, item.unit) for item in items]
    stated = sum((name[1] is not None) + (name[2] is not None) for name in names)
    stated += count - qualities.count("actual")
    if len(codes) < len(set(qualities)) or quotes != _PLAIN_QUOTES * count + 4 * stated:
        return None
    origins = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return _PlainOrigins(
        tuple(origins),
        np.array([origins[name] for name in names], np.int64),
        np.array([codes[name] for name in qualities], np.int8),
    )


def _instant(text: str) -> int | None:
    """Return the instant of a text; None if it has no offset, or is not on a whole second."""
    moment = msgspec.convert(text, datetime)
    return None if moment.tzinfo is None or moment.microsecond else instant_of(moment)


def _single_items(raw: Raw, problems: Problems) -> tuple[list[tuple[int, SingleItem]], int]:
    """Return the readings that fit, with their indices, and how many there are in all."""
    try:
        items = [item for part in slices(bytes(raw)) for item in _SINGLE.decode(part)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        received, readable = 0, []
        for index, text in enumerate(_texts(raw, "readings")):
            item = _item(text, SingleItem, Place("readings", index), 1, problems)
            received += 1
            if received > MOST_SINGLE:
                raise _too_many() from None
            if item is not None:
                readable.append((index, item))
        return readable, received
    indexed = list(enumerate(items))
    if _may_repeat(raw, items):
        texts = _split(raw, "readings")
        refused = {i for i in range(len(texts)) if _repeats(texts[i], "readings", i, 1, problems)}
        indexed = [(index, item) for index, item in indexed if index not in refused]
    return indexed, len(items)


#: The end of an object and the beginning of the next one.
_BETWEEN: Final = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*(?=\{)")


def slices(text: bytes, size: int = _SLICE) -> Iterator[bytes]:
    """Yield arrays of a few items of an array of objects each, which together are the array.

    It is cut between `}` and `{`. A cut in a string, or in an object within an item, leaves a slice
    that is no JSON, so that what can be decoded is what was sent.
    """
    begin, opening = 0, b""
    while cut := _BETWEEN.search(text, begin + size, begin + 2 * size):
        yield opening + text[begin : cut.start() + 1] + b"]"
        begin, opening = cut.end(), b"["
    yield opening + text[begin:]


class _Stated(msgspec.Struct):
    """The fields of an item that have a default, and whether they were sent at all."""

    channel: object = msgspec.UNSET
    unit: object = msgspec.UNSET
    quality: object = msgspec.UNSET


_STATED: Final = msgspec.json.Decoder(list[_Stated])


def _may_repeat(raw: Raw, items: Sequence[SingleItem]) -> bool:
    """Whether one of the *items* may have a field twice: a quick count of their names.

    The count is exact, but for a meter that is called as a field is.
    """
    text = bytes(raw)
    if has_escape(text):
        return True
    if any(text.count(b'"%s"' % name) > len(items) for name in (b"meter", b"start", b"value")):
        return True
    doubtful = [
        name
        for name, default in (("channel", None), ("unit", None), ("quality", "actual"))
        if (sent := text.count(b'"%s"' % name.encode()))
        and sent != sum(getattr(item, name) != default for item in items)
    ]
    stated = _STATED.decode(text) if doubtful else ()  # what is the default may have been sent
    return any(
        text.count(b'"%s"' % name.encode())
        != sum(getattr(item, name) is not msgspec.UNSET for item in stated)
        for name in doubtful
    )


def _repeats(text: Raw, array: str, index: int, count: int, problems: Problems) -> bool:
    """Whether an item has a field twice, which refuses its *count* readings."""
    try:
        refuse_repeats(bytes(text), _MEMBERS.decode(text))
    except Invalid as error:
        (fault,) = error.faults
        placed = Place(array, index).fault(fault.code, fault.message, fault.pointer or "")
        problems.add(placed, count)
        return True
    return False


def _single_runs(
    raw: Raw, items: Sequence[tuple[int, SingleItem]], problems: Problems
) -> ReadingRuns:
    """Return the runs of the readings whose instants and values can be read."""
    lists, values, written = _RunLists(), list[float | None](), list[float | str | None]()
    plain = all(_is_plain(item) for _, item in items)
    if plain:
        lists.add_plain(items)
        written = [item.value for _, item in items]
        values = [item.value for _, item in items if not isinstance(item.value, str)]
    for index, item in () if plain else items:
        place = Place("readings", index)
        start = _start_of(item, place, 1, problems)
        try:
            value = _float(item.value)
        except BadNumber as error:
            # An item is refused once, however much is wrong with it.
            refused = 0 if start is None else 1
            problems.add(place.fault(error.code, str(error)), refused)
            continue
        if start is not None:
            lists.add(index, item, (start, 0, 1))
            values.append(value)
            written.append(item.value)

    @cache
    def texts() -> list[Raw]:
        return _split(raw, "readings")

    def exact(index: int) -> Decimal:
        text = written[index]
        if isinstance(text, str):
            return decimal_of(text)
        return msgspec.json.decode(texts()[lists.items[index]], type=_ValueOnly).value

    def locate(item: int, _: int | None) -> Fault:
        return Place("readings", item).fault("", "")

    return lists.runs(np.array(values, np.float64), exact, locate)


def _is_plain(item: SingleItem) -> bool:
    """Whether nothing is wrong with a reading by itself, and its value is a number or null."""
    start = item.start
    return (
        start.tzinfo is not None
        and not start.microsecond
        and not isinstance(item.value, str)
        and item.quality in QUALITIES
    )


# The form `series`: each item is a run.


def _plain_series(raw: Raw) -> ReadingRuns | None:
    """Return the runs of series of which nothing is wrong, all of them decoded at once.

    None where something is, or where they are so many that other threads would wait for long: then
    each series is looked at (`_Series`).
    """
    if len(memoryview(raw)) > _SLICE:
        return None
    try:
        items = _ALL_SERIES.decode(raw)
        intervals = {text: _slot_length(text) for text in {item.interval for item in items}}
    except (ValueError, RecursionError):
        return None
    if not all(map(_is_plain_series, items)):
        return None
    if occurrences(bytes(raw), b'"') != sum(map(_quotes, items)):
        return None
    lists = _RunLists()
    for index, item in enumerate(items):
        slots = instant_of(item.start), intervals[item.interval], len(item.values)
        lists.add(index, item, slots)

    @cache
    def split() -> list[Raw]:
        return _split(raw, "series")

    # Of the run that was last asked for: faults come run by run.
    @lru_cache(maxsize=1)
    def texts(run: int) -> list[Raw]:
        return _values_of(split()[run])

    def exact(index: int) -> Decimal:
        run = int(np.searchsorted(runs.bases, index, side="right")) - 1
        return msgspec.json.decode(texts(run)[index - int(runs.bases[run])], type=Decimal)

    values = items[0].values if len(items) == 1 else [one for item in items for one in item.values]
    runs = lists.runs(
        _floats(values), exact, lambda item, position: Place("series", item).value_fault(position)
    )
    return runs


def _is_plain_series(item: BodyItem) -> bool:
    """Whether an item's instant and quality can be read."""
    start = item.start
    return start.tzinfo is not None and not start.microsecond and item.quality in QUALITIES


#: The quotes of a series that says nothing but what it must: four names, and three texts.
_QUOTES: Final = 14


def _quotes(item: SeriesItem) -> int:
    """Return how many quotes a series has, if no field of it is twice, or as by default."""
    stated = (item.channel is not None, item.unit is not None, item.quality != "actual")
    return _QUOTES + 4 * sum(stated)


def _slot_length(text: str) -> int:
    """Return the length of a slot in seconds; raises `BadDuration`.

    No channel has slots of -1 s, so that days, and no time at all, are refused later as an interval
    that is not the channel's.
    """
    return -1 if is_of_days(text) else length_of(text) or -1


class _Series:
    """The runs of the series whose fields can be read; a value that cannot is refused alone."""

    def __init__(self, items: list[Raw], problems: Problems) -> None:
        self.received = 0
        self._items = items
        self._problems = problems
        self._lists = _RunLists()
        self._values: list[Floats] = []
        self._refused: list[Mask] = []
        # The texts of the run that was last asked for exactly; faults come run by run.
        self._texts_run = -1
        self._texts: list[Raw] = []
        for index in range(len(items)):
            self._add(index)

    def runs(self) -> ReadingRuns:
        """Return the runs."""
        refused = np.concatenate(self._refused or [np.zeros(0, bool)])
        runs = self._lists.runs(
            np.concatenate(self._values or [np.zeros(0)]),
            self._exact,
            lambda item, position: Place("series", item).value_fault(position),
            refused if refused.any() else None,
        )
        self._bases = runs.bases
        return runs

    def _add(self, index: int) -> None:
        place = Place("series", index)
        item, values, refused = self._read(index, place)
        self.received += len(values)
        if item is None:
            return
        count = len(values) - int(refused.sum())
        start = _start_of(item, place, count, self._problems)
        interval = self._interval(item.interval, place, 0 if start is None else count)
        if start is None or interval is None:
            return
        self._values.append(values)
        self._refused.append(refused)
        self._lists.add(index, item, (start, interval, len(values)))

    def _read(
        self, index: int, place: Place
    ) -> tuple[SeriesItem | SeriesText | None, Floats, Mask]:
        """Return a series, its values as floats, and which of them are no numbers."""
        raw = self._items[index]
        try:
            fast = _SERIES.decode(raw)
            values = _floats(fast.values)
            twice = occurrences(bytes(raw), b'"') != _quotes(fast) and _repeats(
                raw, "series", index, max(1, len(values)), self._problems
            )
            return None if twice else fast, values, np.zeros(len(values), bool)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        count = _count(raw)
        slow = _item(raw, SeriesText, place, count, self._problems)
        if slow is None:
            return None, np.zeros(count), np.zeros(count, bool)
        values, refused = np.zeros(len(slow.values)), np.zeros(len(slow.values), bool)
        for position, text in enumerate(slow.values):
            try:
                values[position] = _float(_written(text))
            except BadNumber as error:
                refused[position] = True
                if self._problems.full:
                    self._problems.count(error.code, 1)
                else:
                    self._problems.add(place.value_fault(position, error.code, str(error)))
        return slow, values, refused

    def _interval(self, text: str, place: Place, count: int) -> int | None:
        """Return the length of a slot in seconds; or None and note what is wrong with it."""
        try:
            return _slot_length(text)
        except BadDuration as error:
            self._problems.add(place.fault("wrong_interval", str(error), "/interval"), count)
        return None

    def _exact(self, index: int) -> Decimal:
        run = int(np.searchsorted(self._bases, index, side="right")) - 1
        if run != self._texts_run:
            self._texts_run = run
            self._texts = _values_of(self._items[self._lists.items[run]])
        return msgspec.json.decode(self._texts[index - int(self._bases[run])], type=Decimal)


def _floats(values: Sequence[float | None]) -> Floats:
    """Return an array, made in parts: other threads wait meanwhile."""
    if len(values) <= _MANY:
        return _array(values)
    parts = range(0, len(values), _MANY)
    return np.concatenate([_array(values[at : at + _MANY]) for at in parts])


def _array(values: Sequence[float | None]) -> Floats:
    try:
        return np.fromiter(values, np.float64, len(values))  # which looks at each value but once
    except TypeError:  # one of them is null
        return np.array(values, np.float64)


def _values_of(raw: Raw) -> list[Raw]:
    return msgspec.json.decode(raw, type=_ValuesOnly).values


def _count(raw: Raw) -> int:
    """Return how many readings a series has that may not fit otherwise; at least one."""
    try:
        return max(1, len(_values_of(raw)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 1


# What both forms need.


def _split(raw: Raw, array: str) -> list[Raw]:
    """Return the items of an array as text; raises `Malformed` or `Invalid`."""
    try:
        return msgspec.json.decode(raw, type=list[Raw])
    except msgspec.ValidationError:
        raise Invalid.of("wrong_type", "expected an array", f"/{array}") from None
    except msgspec.DecodeError as error:
        raise Malformed(f"not JSON: {error}") from None


def _texts(raw: Raw, array: str) -> Iterator[Raw]:
    """Yield the items of an array one by one; raises as `_split`.

    A body that does not fit may have tens of millions of them: they need not be there at once.
    """
    try:
        text = bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"not JSON: {error}") from None
    if not text.startswith("["):
        raise Invalid.of("wrong_type", "expected an array", f"/{array}")
    at = _BLANK.match(text, 1).end()  # type: ignore[union-attr]  # it matches nothing, too
    while text[at] != "]":
        try:
            _, end = _SCANNER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"not JSON: {error}") from None
        yield Raw(text[at:end].encode())
        at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
        if text[at] == ",":
            at = _BLANK.match(text, at + 1).end()  # type: ignore[union-attr]
        elif text[at] != "]":
            raise Malformed(f"not JSON: expected , or ] (character {at} of `{array}`)")


def _refuse_others(series: Raw) -> None:
    """Refuse items that are no objects before each is a text; raises `Invalid`."""
    try:
        _OBJECTS.decode(series)
    except msgspec.ValidationError:
        raise Invalid.of("wrong_type", "expected an array of objects", "/series") from None
    except msgspec.DecodeError as error:
        raise Malformed(f"not JSON: {error}") from None


def _too_many() -> TooLarge:
    return TooLarge(f"`readings` has at most {MOST_SINGLE} items; send them in several bodies")


def _item(raw: Raw, type_: type[I], place: Place, count: int, problems: Problems) -> I | None:
    """Return one item, or None and note its faults, which refuse *count* readings."""
    try:
        if not problems.full:
            return convert.decode(bytes(raw), type_)
        # Nobody sees more than the first problems: the others are only counted, which is faster.
        return msgspec.json.decode(raw, type=type_)
    except Invalid as error:
        for number, fault in enumerate(error.faults or (Fault(error.code, error.detail),)):
            placed = place.fault(fault.code, fault.message, fault.pointer or "")
            problems.add(placed, 0 if number else count)
    except msgspec.ValidationError:
        problems.count("invalid", count)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None
    return None


def _start_of(item: BodyItem, place: Place, count: int, problems: Problems) -> int | None:
    """Return when *item* starts, in seconds, UTC; or None and note what is wrong with it."""
    if item.quality not in QUALITIES:
        known = ", ".join(QUALITIES)
        message = f"there is no quality {item.quality[:40]!r}; known are {known}"
        fault = place.fault("unknown_quality", message)
    elif item.start.tzinfo is None:
        message = "the time has no offset from UTC; write -03:00 or Z after it"
        fault = place.fault("naive_time", message)
    elif item.start.microsecond:
        fault = place.fault("off_grid", "the time is not on a whole second")
    else:
        return instant_of(item.start)
    problems.add(fault, count)
    return None


@lru_cache(maxsize=32)
def _quality_code(name: str) -> int:
    return QUALITIES.index(name)


def _float(value: Number) -> float:
    """Return the nearest float, NaN for null; raises `BadNumber`."""
    if value is None:
        return math.nan
    return float(decimal_of(value) if isinstance(value, str) else value)


def _written(raw: Raw) -> Number:
    """Return what was written for one value; what is no value is returned as its text."""
    try:
        value: Number | int | bool | list[object] | dict[str, object] = _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None
    if isinstance(value, bool | list | dict):
        return bytes(raw)[:40].decode()
    if isinstance(value, int) and abs(value) > 2**1000:
        return math.inf  # float() would fail; all that matters is that it is out of range
    return value
