"""Turn the JSON body of `POST /v1/readings` into columns."""

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Final

import attrs
import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw

from energia.errors import Fault, Malformed, TooLarge
from energia.metering import bodies, durations
from energia.metering.bodies import Body, Place, Reading, Run, WrittenRun
from energia.metering.columns import Columns, Floats
from energia.metering.problems import Problems
from energia.metering.sent import Sent
from energia.units import BadNumber, decimal_of

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
    fitting, received = bodies.readings(top.readings, problems)
    single = _single(top.readings, fitting, problems)
    runs = _Runs(bodies.split(top.series, "series"), problems)
    sent = tuple(found for found in (single, runs.sent()) if len(found.origin))
    return Decoded(sent, received + runs.received)


def _single(raw: Raw, fitting: Sequence[tuple[int, Reading]], problems: Problems) -> Sent:
    """Return the `readings` form: each is a run of one slot."""
    columns, values, written = Columns(), [], list[float | str | None]()
    for index, one in fitting:
        place = Place("readings", index)
        start = bodies.start_of(one, place, 1, problems)
        refused = 0 if start is None else 1
        value = _float(one.value, place.fault("", ""), refused, problems)
        if start is not None and value is not None:
            quality = bodies.quality_code(one.quality)
            columns.one((one.meter, one.channel, one.unit), start, quality, index)
            values.append(value)
            written.append(one.value)

    @cache
    def items() -> list[Raw]:
        return bodies.split(raw, "readings")

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
        start = bodies.start_of(one, place, count, self._problems)
        interval = self._interval(one.interval, place, 0 if start is None else count)
        if start is None or interval is None:
            return
        self._values.append(values)
        self._refused.append(refused)
        origin = (one.meter, one.channel, one.unit)
        quality = bodies.quality_code(one.quality)
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
        slow = bodies.item(raw, WrittenRun, place, count, self._problems)
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
            return -1 if durations.is_calendar(text) else durations.seconds(text) or -1
        except durations.BadDuration as error:
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
