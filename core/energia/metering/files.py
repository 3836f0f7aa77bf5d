"""The readings of a meter file: on their way to the database, or as the usage of a request.

A decoder (`decoders`) yields the readings of a file one by one. To be stored, they wait in a
temporary file until all of it is decoded (`Spool`), and then come as runs of numbers, batch by
batch: so a file of any size takes bounded memory, and one that breaks off or is refused has held no
connection and no lock. To be priced, they become the `usage` of a request (`usage_of`).
"""

import pickle
import re
from array import array
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, chain, groupby, islice, pairwise
from typing import IO, ClassVar, Final, Protocol, Self, TypeGuard

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault, Invalid, TooLarge
from energia.metering.creation import NamedChannels
from energia.metering.decoders import (
    Decimals,
    Defaults,
    Item,
    MeterRead,
    Problem,
    Reading,
    Readings,
    Run,
)
from energia.metering.outcome import Problems
from energia.metering.series import ACTUAL, Mask, Quality
from energia.metering.validation import Origin, ReadingRuns, refuse_rows
from energia.time import BadDuration, Int64, length_of, length_text, utc_text
from energia.work import temporary_file

#: About how many readings of a file are objects at a time: they soon become a few arrays, as many
#: objects take memory, and all threads wait while garbage is looked for among them.
PIECE: Final = 8192
#: How many pieces are stored at a time; fewer where some have more readings.
PIECES: Final = 6
#: Readings of different sorts in a piece are put together sort by sort up to so many changes of it.
_GROUPS: Final = 64
#: Of so many meters of a file the channels are locked at once, in one order; of others batch by
#: batch.
MOST_HELD: Final = 100_000
#: The piece of what was in an earlier part of the file.
_BEFORE: Final = -1


class Spool:
    """Holds the readings of one file.

    Attributes:
        received: How many readings were put in, and problems.
        superseded: How many of them others of the file supersede (`Run.published`).
        meters: The meters that they name, or the first `MOST_HELD` of them.
        named: The channels that they name, where those that do not exist are to be made.

    """

    def __init__(self, file: IO[bytes], site: str | None = None) -> None:
        self.received = 0
        self.superseded = 0
        self.meters: set[str] = set()
        self.named = None if site is None else NamedChannels(site)
        self._pieces = 0
        self._taken = 0
        self._held: list[MeterRead] | None = None
        self._file = file
        self._published = _Published()
        self._outdated: Mapping[int, list[tuple[int, int]]] = {}
        self._numbers = _Numbers()

    @classmethod
    @asynccontextmanager
    async def opened(cls, site: str | None = None) -> AsyncIterator[Self]:
        """Give an empty one; at the end of the block what it holds is gone."""
        async with temporary_file() as file:
            yield cls(file, site)

    def fill(
        self,
        items: Iterable[Item | Readings],
        defaults: Defaults,
        problems: Problems,
        most: int,
    ) -> None:
        """Put all readings in, and note the problems.

        Raises what *items* raises, and `TooLarge` if there are more than *most*.
        """
        for piece, size in _pieces(items):
            self.received += size
            refuse_rows(self.received, most)
            found = _divided(piece, defaults)
            storable = [item for item in found if _is_storable(item, defaults, problems)]
            if storable and self.named is not None:
                self.named.note(_apart(storable), defaults)
            readings = [item for item in storable if not isinstance(item, MeterRead)]
            if columns := _Columnar.of(readings, defaults):
                self._dump(columns, (item.meter or defaults.meter or "" for item in columns.items))
            elif readings:
                self._put(_FileRows.of(readings, defaults, self._numbers), readings)
            reads = [item for item in storable if isinstance(item, MeterRead)]
            if reads:
                self._put_reads(reads, defaults)
        self._outdated, self.superseded = self._published.outdated()
        self.rewind()

    def _put(self, rows: "_FileRows", readings: "list[Reading | Run | Readings]") -> None:
        rows.published = self._published.note(self._pieces, readings)
        self._dump(rows, (meter for meter, _, _ in rows.origins))

    def _put_reads(self, reads: list[MeterRead], defaults: Defaults) -> None:
        for read in reads:
            read.meter, read.channel = (
                read.meter or defaults.meter,
                read.channel or defaults.channel,
            )
        self._dump(reads, (read.meter or "" for read in reads))

    def _dump(self, piece: object, meters: Iterable[str]) -> None:
        pickle.dump(piece, self._file, pickle.HIGHEST_PROTOCOL)
        self._pieces += 1
        names = (meter for meter in meters if meter not in self.meters)
        self.meters.update(islice(names, MOST_HELD - len(self.meters)))

    def empty(self) -> None:
        """Begin with the next part of the file; what was published is remembered."""
        self._file.seek(0)
        self._file.truncate()
        self.received, self.superseded, self._pieces, self._taken = 0, 0, 0, 0
        self.meters.clear()
        self.named = None if self.named is None else NamedChannels(self.named.site)
        self._outdated = {}
        self._published.pass_on()

    def rewind(self) -> None:
        """Begin again with the first readings."""
        self._file.seek(0)
        self._taken, self._held = 0, None

    def take(self) -> "FileBatch | list[MeterRead] | None":
        """Return the next readings, or reads of registers; None after the last."""
        if self._held is not None:
            held, self._held = self._held, None
            return held
        pieces: list[_FileRows] = []
        outdated: list[tuple[int, int]] = []
        before = 0
        while self._taken < self._pieces and len(pieces) < PIECES and before < PIECES * PIECE:
            piece: _Columnar | _FileRows | list[MeterRead]
            piece = pickle.load(self._file)  # noqa: S301 - what `_dump` has just written
            if isinstance(piece, _Columnar):
                piece = piece.rows()
            found = self._outdated.get(self._taken, [])
            self._taken += 1
            if isinstance(piece, list):
                if not pieces:
                    return piece
                self._held = piece
                break
            pieces.append(piece)
            outdated += [(before + first, count) for first, count in found]
            before += len(piece.lines)
        return FileBatch(_FileRows.joined(pieces), outdated) if pieces else None


class Parts:
    """The items of a file, part by part: a part ends between two lines.

    Attributes:
        line: The last line of the parts that were given.
        ordered: Whether the lines came in their order, so that `line` says what came so far.
        ended: Whether there is no further part.

    """

    def __init__(self, items: Iterable[Item], size: int, first: int = 1) -> None:
        """Divide a file.

        Args:
            items: What a decoder yields of it.
            size: About how many readings a part has.
            first: Items of lines before this one are left out.

        """
        self.line = 0
        self.ordered = True
        self.ended = False
        self._size = size
        self._first = first
        self._items = self._passed(items)
        self._next: Item | None = None

    def part(self) -> Iterator[Item]:
        """Yield the items of the next part; raises `Invalid` if lines have no order that is needed.

        The first part may be empty.
        """
        left = self._size
        while (item := self._taken()) is not None:
            if left <= 0 and item.line != self.line:
                self._next = item
                return
            left -= _count(item)
            self.ordered = self.ordered and item.line >= self.line
            self.line = item.line
            yield item
        self.ended = True

    def _taken(self) -> Item | None:
        item, self._next = self._next, None
        return item if item is not None else next(self._items, None)

    def _passed(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items from the first line on."""
        last = 0
        for item in items:
            if self._first > 1 and item.line < last:
                message = "the lines of the file come in no order: it cannot go on from one of them"
                raise Invalid.of("no_order", message)
            last = item.line
            if item.line >= self._first:
                yield item


def _count(item: Item | Readings) -> int:
    return len(item.values) if isinstance(item, Run | Readings) else 1


def _pieces(items: Iterable[Item | Readings]) -> Iterator[tuple[list[Item | Readings], int]]:
    """Yield the items of a file, about `PIECE` readings at a time, and how many these are."""
    piece: list[Item | Readings] = []
    size = 0
    for item in items:
        piece.append(item)
        size += _count(item)
        if size >= PIECE:
            yield piece, size
            piece, size = [], 0
    if piece:
        yield piece, size


@attrs.frozen
class Publication:
    """When a run of a batch was published.

    Attributes:
        start: When its first slot starts, in seconds since 1970-01-01T00:00Z.
        published: In seconds since 1970-01-01T00:00Z.
        first: Where in the batch its values begin,
        count: and how many there are.

    """

    start: int
    published: int
    first: int
    count: int


class _Published:
    """Which runs of a file were published when, to find those that later ones supersede.

    A run takes 48 bytes: what it is of is known by a hash, which is the same by accident in one
    of 10**8 files with half a million runs.
    """

    _COLUMNS: Final = 5

    def __init__(self) -> None:
        self._table = array("q")

    def note(self, piece: int, items: Iterable[Reading | Run | Readings]) -> list[Publication]:
        """Note the runs of a piece that say when they were published, and return them."""
        first, published = 0, list[Publication]()
        for item in items:
            count = _count(item)
            if isinstance(item, Run) and item.published is not None:
                key = hash((item.meter, item.channel, item.start))
                self._table.extend((key, item.published, piece, first, count))
                published.append(Publication(item.start, item.published, first, count))
            first += count
        return published

    def pass_on(self) -> None:
        """Begin with the next part of a file: what came so far is in no piece of it."""
        table = np.array(self._table, np.int64).reshape(-1, self._COLUMNS)
        table[:, 2] = _BEFORE
        self._table = array("q", table.tobytes())

    def outdated(self) -> tuple[Mapping[int, list[tuple[int, int]]], int]:
        """Return where in each piece superseded values begin, and how many there; and all."""
        table = np.array(self._table, np.int64).reshape(-1, self._COLUMNS)
        key, published = table[:, 0], table[:, 1]
        order = np.lexsort((np.arange(len(table)), published, key))
        later = np.append(key[order][1:] == key[order][:-1], False)[: len(order)]
        found: dict[int, list[tuple[int, int]]] = {}
        rows = table[order[later]]
        rows = rows[rows[:, 2] != _BEFORE]
        for _, _, piece, first, count in rows.tolist():
            found.setdefault(piece, []).append((first, count))
        return found, int(rows[:, 4].sum())


def _is_storable(
    item: Item | Readings, defaults: Defaults, problems: Problems
) -> TypeGuard[Reading | Run | Readings | MeterRead]:
    """Whether *item* is a reading, or several, that can be stored; if not, note why."""
    if isinstance(item, Readings):
        return True  # those of which one cannot be stored are divided
    if isinstance(item, Problem):
        fault = Fault(item.code, item.message, line=item.line)
    elif not (item.meter or defaults.meter):
        message = "no meter is named: neither in the file nor as `meter`"
        fault = Fault("unknown_meter", message, line=item.line)
    elif not _is_finite(item):
        fault = Fault("not_a_number", "not a number", line=item.line)
    else:
        return True
    problems.add(fault, _count(item))
    return False


def _divided(items: Iterable[Item | Readings], defaults: Defaults) -> Iterator[Item | Readings]:
    """Yield items; those that came together one by one where one of them cannot be stored."""
    for item in items:
        if isinstance(item, Readings) and not ((item.meter or defaults.meter) and _is_finite(item)):
            yield from item.readings()
        else:
            yield item


def _is_finite(item: Reading | Run | Readings | MeterRead) -> bool:
    if not isinstance(item, Run | Readings):
        return item.value is None or item.value.is_finite()
    if isinstance(item.values, Decimals):
        return True
    try:
        return all(map(Decimal.is_finite, item.values))  # type: ignore[arg-type]
    except TypeError:  # one of them is missing
        return all(value is None or value.is_finite() for value in item.values)


def _values(item: Reading | Run) -> Iterable[Decimal | None]:
    return (item.value,) if isinstance(item, Reading) else item.values


@attrs.define(eq=False, slots=False)
class _FileRows:
    """Readings in columns, so that a piece is pickled as a few arrays and not as its objects.

    Attributes:
        origins: The meters, channels and units that there are.
        origin: int64[n], an index of `origins`.
        instants: int64[n], when each slot starts or ends, in seconds since 1970-01-01T00:00Z.
        is_end: bool[n], whether that is its end.
        intervals: int64[n], how long the file says that it is, in seconds; 0 if it does not.
        quality: int8[n].
        lines: int64[n], the line of each in the file.
        values: float64[n], the nearest binary floats; NaN for null.
        written: The values as they were written.
        published: The runs among them that say when they were published.

    """

    origins: tuple[Origin, ...]
    origin: Int64
    instants: Int64
    is_end: Mask
    intervals: Int64
    quality: Quality
    lines: Int64
    values: npt.NDArray[np.float64]
    written: "_Written"
    published: list[Publication] = attrs.Factory(list)

    @classmethod
    def of(
        cls, items: list[Reading | Run | Readings], defaults: Defaults, numbers: "_Numbers"
    ) -> Self:
        """Return the columns of readings, and of the readings of runs, in their order."""
        groups = [[*group] for _, group in groupby(items, _sort_of)]
        if 1 < len(groups) <= _GROUPS:
            return cls.joined([cls.of(group, defaults, numbers) for group in groups])
        together = [item for item in items if isinstance(item, Readings)]
        # Most files have items of one sort alone: much is saved by looking at it.
        some: Sequence[Reading | Run | Readings | MeterRead]
        some = items if len(together) == len(items) else [*_apart(items)]
        meter, channel = defaults.meter, defaults.channel
        origins: dict[Origin, int] = {}
        names = [(item.meter or meter or "", item.channel or channel, item.unit) for item in some]
        origin = np.array([origins.setdefault(name, len(origins)) for name in names], np.int64)
        if some is items:
            counts = np.array([_count(item) for item in together], np.int64)
            found = _columns_together(together, counts, numbers)
            return cls(tuple(origins), np.repeat(origin, counts), *found)
        readings = [item for item in some if isinstance(item, Reading)]
        if len(readings) == len(some):
            return cls(tuple(origins), origin, *_columns(readings, numbers))
        runs = [item for item in some if isinstance(item, Reading | Run)]
        counts = np.array([_count(item) for item in runs], np.int64)
        found = _run_columns(runs, counts, numbers)
        return cls(tuple(origins), np.repeat(origin, counts), *found)

    @classmethod
    def joined(cls, pieces: "Sequence[_FileRows]") -> Self:
        """Return some pieces as one."""
        origins: dict[Origin, int] = {}
        columns: list[Int64] = []
        published: list[Publication] = []
        for each in pieces:
            before = sum(map(len, columns))
            number = [origins.setdefault(name, len(origins)) for name in each.origins]
            columns.append(np.array(number, np.int64)[each.origin])
            published += [attrs.evolve(one, first=before + one.first) for one in each.published]
        return cls(
            tuple(origins),
            np.concatenate(columns),
            np.concatenate([each.instants for each in pieces]),
            np.concatenate([each.is_end for each in pieces]),
            np.concatenate([each.intervals for each in pieces]),
            np.concatenate([each.quality for each in pieces]),
            np.concatenate([each.lines for each in pieces]),
            np.concatenate([each.values for each in pieces]),
            _Parts([each.written for each in pieces]),
            published,
        )

    def runs(self, outdated: Iterable[tuple[int, int]] = ()) -> ReadingRuns:
        """Return them as runs of one slot each, but for those that are *outdated*."""
        kept = np.ones(len(self.lines), bool)
        for first, count in outdated:
            kept[first : first + count] = False
        index = np.flatnonzero(kept)
        lines = self.lines[index]
        is_end = self.is_end[index]
        return ReadingRuns(
            self.origins,
            self.origin[index],
            self.instants[index],
            self.intervals[index],
            np.ones(len(index), np.int64),
            self.quality[index],
            self.values[index],
            lambda place: self._number(int(index[place])),
            lambda run, _: Fault("", "", line=int(lines[run])),
            end_stamped=is_end if is_end.any() else None,
            is_file=True,
        )

    def _number(self, place: int) -> Decimal:
        number = self.written[place]
        assert number is not None  # those that are missing are not rounded
        return number


@attrs.frozen(eq=False)
class _Columnar:
    """Readings of which no object was ever made; they take a third of the bytes of their rows.

    Attributes:
        items: The readings, with values in columns.
        defaults: What the import says of them.

    """

    items: Sequence[Readings]
    defaults: Defaults

    @classmethod
    def of(
        cls, items: Iterable[Reading | Run | Readings], defaults: Defaults
    ) -> "_Columnar | None":
        """Return readings if all of them have their values in columns; None for none."""
        found: list[Readings] = []
        for item in items:
            if not (isinstance(item, Readings) and isinstance(item.values, Decimals)):
                return None
            found.append(item)
        return cls(found, defaults) if found else None

    def rows(self) -> _FileRows:
        """Return them row by row."""
        return _FileRows.of([*self.items], self.defaults, _Numbers())


@attrs.frozen(eq=False)
class FileBatch:
    """Readings of a file, of which some may be superseded.

    Attributes:
        rows: The readings.
        outdated: Where those begin that others of the file supersede, and how many they are.

    """

    rows: _FileRows
    outdated: Sequence[tuple[int, int]]

    @property
    def published(self) -> list[tuple[Origin, Publication]]:
        """The runs that say when they were published, and that no other of the file supersedes."""
        gone = {first for first, _ in self.outdated}
        rows = self.rows
        return [
            (rows.origins[int(rows.origin[each.first])], each)
            for each in rows.published
            if each.first not in gone
        ]

    def runs(self, outdated: Iterable[tuple[int, int]] = ()) -> ReadingRuns:
        """Return the readings that nothing supersedes, neither in the file nor by *outdated*."""
        return self.rows.runs([*self.outdated, *outdated])


def runs_of(readings: list[Reading]) -> ReadingRuns:
    """Return readings of a file, which name their meters and channels, as runs of one slot."""
    return _FileRows.of([*readings], Defaults(), _Numbers()).runs()


class _Written(Protocol):
    """Numbers as they were written; few of them are ever asked for, and none that is missing."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int) -> Decimal | None: ...


@attrs.define(eq=False, slots=False)
class _Texts:
    """Numbers as texts, a line each, among which `None` is no number."""

    lines: str

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, place: int) -> Decimal:
        return Decimal(self._split[place])

    @cached_property
    def _split(self) -> list[str]:
        return self.lines.split("\n")


@attrs.define(eq=False, slots=False)
class _Parts:
    """The numbers of some parts, one part after the other."""

    parts: Sequence[_Written]

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, place: int) -> Decimal | None:
        part = bisect_right(self._ends, place)
        return self.parts[part][place - (self._ends[part - 1] if part else 0)]

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(map(len, self.parts)))


_Columns = tuple[Int64, Mask, Int64, Quality, Int64, npt.NDArray[np.float64], _Written]


@attrs.define(eq=False)
class _Numbers:
    """The nearest float and the text of numbers; most files have each number again and again.

    Numbers that are equal share a text, which is as exact for each of them. One that a decoder
    gives again as the same object is known by that: to hash a Decimal takes five times as long.
    """

    _MOST: ClassVar[int] = 100_000

    # By the number; and by the `id` of an object, which is held, as another may have it afterwards.
    _known: dict[Decimal | None, tuple[float, str]] = attrs.Factory(dict)
    _objects: dict[int, tuple[float, str, Decimal | None]] = attrs.Factory(dict)

    def columns(self, values: Iterable[Decimal | None]) -> tuple[npt.NDArray[np.float64], _Written]:
        """Return the floats of values, and what was written."""
        values = [*values]
        objects = self._objects
        try:
            found = [objects[key] for key in map(id, values)]
        except KeyError:
            if len(objects) > self._MOST:
                objects.clear()
            found = [self._of(value) for value in values]
        floats = np.fromiter([each[0] for each in found], np.float64, len(found))
        return floats, _Texts("\n".join([each[1] for each in found]))

    def _of(self, value: Decimal | None) -> tuple[float, str, Decimal | None]:
        found = self._objects.get(id(value))
        if found is None:
            pair = self._known.get(value)
            if pair is None:
                if len(self._known) >= self._MOST:
                    self._known.clear()
                text = str(value)
                pair = np.nan if value is None else float(text), text
                self._known[value] = pair
            found = self._objects[id(value)] = (*pair, value)
        return found


def _apart(
    items: Iterable[Reading | Run | Readings | MeterRead],
) -> Iterator[Reading | Run | MeterRead]:
    for item in items:
        if isinstance(item, Readings):
            yield from item.readings()
        else:
            yield item


def _sort_of(item: Reading | Run | Readings) -> tuple[bool, bool]:
    """Return what sort of readings an item is: such as come together, and those in columns."""
    if isinstance(item, Readings):
        return True, isinstance(item.values, Decimals)
    return False, False


def _columns_together(items: list[Readings], counts: Int64, numbers: _Numbers) -> _Columns:
    """Return the columns of readings that came together, from `instants` on."""
    return (
        np.concatenate([_int64(item.instants) for item in items]),
        np.repeat(np.array([item.ends for item in items], bool), counts),
        np.repeat(np.array([item.interval or 0 for item in items], np.int64), counts),
        np.full(int(counts.sum()), ACTUAL, np.int8),
        np.concatenate([_int64(item.lines) for item in items]),
        *_numbers_together([item.values for item in items], numbers),
    )


def _numbers_together(
    parts: Sequence[Sequence[Decimal | None]], numbers: _Numbers
) -> tuple[npt.NDArray[np.float64], _Written]:
    decimals = [part for part in parts if isinstance(part, Decimals)]
    if len(decimals) < len(parts):
        return numbers.columns(chain.from_iterable(parts))
    joined = Decimals.joined(decimals)
    return joined.floats, joined


def _int64(numbers: Sequence[int]) -> Int64:
    if isinstance(numbers, range):  # numpy would take the numbers one by one
        return np.arange(numbers.start, numbers.stop, numbers.step, dtype=np.int64)
    return np.asarray(numbers, dtype=np.int64)


def _columns(items: list[Reading], numbers: _Numbers) -> _Columns:
    """Return the columns of single readings, from `instants` on."""
    return (
        np.array([item.end if item.start is None else item.start for item in items], np.int64),
        np.array([item.start is None for item in items], bool),
        np.array([_length(item.start, item.end) for item in items], np.int64),
        np.array([item.quality for item in items], np.int8),
        np.array([item.line for item in items], np.int64),
        *numbers.columns([item.value for item in items]),
    )


def _length(start: int | None, end: int | None) -> int:
    return 0 if start is None or end is None else end - start


def _run_columns(items: list[Reading | Run], counts: Int64, numbers: _Numbers) -> _Columns:
    """Return the columns of runs, among which single readings may be; *counts* of each."""
    instants, is_end, intervals, lines = (
        np.repeat(np.array(column), counts) for column in zip(*map(_place, items), strict=True)
    )
    position = np.arange(len(instants)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (
        instants + position * intervals,
        is_end,
        intervals,
        np.array([code for item in items for code in _qualities(item)], np.int8),
        lines,
        *numbers.columns(value for item in items for value in _values(item)),
    )


def _place(item: Reading | Run) -> tuple[int, bool, int, int]:
    """Return when an item starts (or ends), whether it is the end, the slot's length, the line."""
    if isinstance(item, Run):
        return item.start, False, item.interval, item.line
    if item.start is None:
        assert item.end is not None
        return item.end, True, 0, item.line
    return item.start, False, _length(item.start, item.end), item.line


def _qualities(item: Reading | Run) -> Iterable[int]:
    if isinstance(item, Reading):
        return (item.quality,)
    return (item.quality,) * len(item.values) if isinstance(item.quality, int) else item.quality


# The readings of a file as the `usage` of a request: nothing is stored.

#: So many slots one channel has at most: 142 years of quarter-hours.
MOST: Final = 5_000_000
_ROLE: Final = re.compile(r"(\w+\.)?(import|export)")
#: How many lines that are no readings are listed.
_PROBLEMS: Final = 1000


def usage_of(items: Iterable[Item], zone: str, interval: str | None = None) -> Mapping[str, object]:
    """Return readings as JSON has the `usage` of `POST /v1/costs`.

    A channel that is called like a role has it; where there is only one channel, it is `import`.

    Args:
        items: What a decoder yields of a file.
        zone: The time zone of the usage.
        interval: The length of a slot; without it, what the file says, or the shortest distance of
            two readings.

    Raises:
        Invalid: The file has lines that are no readings, or readings that do not fit together.
        TooLarge: A channel has more than `MOST` slots.

    """
    file = _FileUsage()
    for item in items:
        for each in item.readings() if isinstance(item, Run) else (item,):
            file.take(each)
    file.refuse_unfit()
    channels = file.channels
    seconds = _seconds(interval, file.lengths, channels.values())
    if file.lengths - {seconds}:
        told = length_text(max(file.lengths - {seconds}))
        message = f"the file has slots of {told}, and the interval is {length_text(seconds)}"
        raise Invalid.of("wrong_interval", message)
    roles = {_role(name, len(channels)): channel for name, channel in channels.items()}
    series = {role: _series(role, each, seconds, file.ends) for role, each in roles.items()}
    return {"timezone": zone, "interval": length_text(seconds), "channels": series}


@attrs.define
class _ChannelUsage:
    """The readings of one channel, by when their slots start (or end)."""

    values: dict[int, str | None] = attrs.Factory(dict)
    units: set[str | None] = attrs.Factory(set)


@attrs.define
class _FileUsage:
    """The readings of a file.

    Attributes:
        channels: The readings by the channel that the file names.
        meters: The meters that it names.
        problems: Its lines that are no readings.
        lengths: How long slots are, in seconds, where it says so.
        ends: Whether it says when slots end, and not when they start.

    """

    channels: dict[str | None, _ChannelUsage] = attrs.Factory(dict)
    meters: set[str | None] = attrs.Factory(set)
    problems: list[Fault] = attrs.Factory(list)
    lengths: set[int] = attrs.Factory(set)
    ends: bool = False

    def take(self, item: Reading | MeterRead | Problem) -> None:
        """Take a reading, or note a line's problem; raises `Invalid` for a second reading."""
        if isinstance(item, MeterRead):
            message = "reads of a register are no usage: store them first"
            item = Problem(item.line, "wrong_kind", message)
        if isinstance(item, Problem):
            self.problems.append(Fault(item.code, item.message, line=item.line))
            return
        channel = self.channels.setdefault(item.channel, _ChannelUsage())
        self.ends = item.start is None
        instant = item.start if item.start is not None else item.end
        assert instant is not None
        text = None if item.value is None else str(item.value)
        # A null beside a value says nothing, whichever comes first.
        if instant in channel.values and None not in (text, channel.values[instant]):
            message = f"line {item.line}: a second reading of {utc_text(instant)}"
            raise Invalid(message, [Fault("repeated", message, line=item.line)])
        channel.values[instant] = channel.values.get(instant) if text is None else text
        channel.units.add(item.unit)
        self.meters.add(item.meter)
        if item.start is not None and item.end is not None:
            self.lengths.add(item.end - item.start)

    def refuse_unfit(self) -> None:
        """Refuse a file of which no usage can be made."""
        if self.problems:
            message = f"line {self.problems[0].line}: {self.problems[0].message}"
            raise Invalid(message, self.problems[:_PROBLEMS])
        if not self.channels:
            raise Invalid.of("no_reading", "the file has no reading")
        if len(self.meters) > 1:
            message = f"the file has {len(self.meters)} meters: give one of them"
            raise Invalid.of("several_meters", message)


def _series(role: str, channel: _ChannelUsage, interval: int, ends: bool) -> dict[str, object]:
    """Return a channel as JSON has it: every slot from its first reading to its last."""
    first, last = min(channel.values), max(channel.values)
    count = (last - first) // interval + 1
    if count > MOST:
        raise TooLarge(f"{role} has {count} slots; {MOST} are the most")
    if off := next((instant for instant in channel.values if (instant - first) % interval), None):
        message = f"{role}: {utc_text(off)} is not on the grid of {length_text(interval)}"
        raise Invalid.of("off_grid", message)
    if len(channel.units) > 1:
        raise Invalid.of("several_units", f"{role} has readings in several units")
    values = [channel.values.get(first + index * interval) for index in range(count)]
    series = {"start": utc_text(first - interval if ends else first), "values": values}
    (unit,) = channel.units
    return {**series, **({} if unit is None else {"unit": unit})}


def _seconds(interval: str | None, lengths: Set[int], channels: Iterable[_ChannelUsage]) -> int:
    """Return the length of a slot, as it was given, as the file says it, or as readings have it."""
    if interval is not None:
        try:
            return length_of(interval)
        except BadDuration as error:
            raise Invalid.of("wrong_interval", str(error)) from None
    if len(lengths) == 1:
        return min(lengths)
    distances = [
        later - earlier
        for channel in channels
        for earlier, later in pairwise(sorted(channel.values))
    ]
    if not distances:
        raise Invalid.of("unknown_interval", "one reading does not tell how long a slot is")
    return min(distances)


def _role(channel: str | None, channels: int) -> str:
    if channel is not None and _ROLE.fullmatch(channel):
        return channel
    if channels == 1:
        return "import"
    raise Invalid.of("unknown_role", f"the channel {channel!r} is no role, such as import")
