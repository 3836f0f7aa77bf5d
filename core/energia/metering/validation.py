"""What readings mean, and which cannot be: their channel and slots, exact quantity and quality.

Readings arrive as runs of consecutive slots, from a JSON body or from a file (`ReadingRuns`). Here

1. the meters that they name are looked up, and held if they get readings (`Directory`);
2. each run is assigned to a channel and to slots of its grid (`assign`);
3. each value becomes whole micro-units of the channel's unit, and each slot comes once (`_scaled`,
   `_folded`): the day blocks of `blocks.BlockReadings` are what is left.

What cannot be stored becomes a problem that says where it was sent; the rest goes on, so that an
answer has all faults at once, and so that `on_problem=skip` has something to store.

All of it works on arrays: a year of quarter-hours is 35,040 values, and a loop over them in Python
takes longer than everything else that an import does.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from itertools import islice, pairwise
from operator import itemgetter
from typing import Any, Final, TypeVar

import attrs
import numpy as np
import numpy.typing as npt

from energia.db.queries import load
from energia.db.tenant import Queries
from energia.errors import Fault, TooLarge
from energia.metering.blocks import BlockKeys, BlockReadings, contradiction
from energia.metering.models import Channel
from energia.metering.outcome import WARNING, Problems
from energia.metering.reads import DELETED, SentStretch
from energia.metering.registry import hold_on_nodes
from energia.metering.series import (
    MISSING,
    QUALITIES,
    Mask,
    Micro,
    Quality,
)
from energia.metering.stretches import Stretch
from energia.time import DAY, FIRST_YEAR, LAST_YEAR, Int64, instant_of, length_text
from energia.units import BOUND, MICRO, GasHeat, UnknownUnit, decimal_text, finer, to_micros, unit
from energia.work import off_loop

SQL: Final = load(__package__)
T = TypeVar("T")
Column = TypeVar("Column", Int64, Quality)

#: Readings lie in these years.
FIRST: Final = instant_of(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
LAST: Final = instant_of(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))

#: How many readings are worked on at a time: about two years of quarter-hours.
GROUP: Final = 70_000

#: The form of an id; what has another one is not looked up.
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: What is said of readings that are rounded; their number is filled in.
_ROUNDED: Final = (
    "{} finer than a millionth of the unit that is stored, and rounded to it; this is the first"
)
#: How many meters that do not exist are remembered and listed: a file of nothing but unknown meters
#: does not fill the memory.
_UNKNOWN: Final = 10_000
#: From how many values on those that only grow are taken for a register, if they grow by less than
#: one part of so many of what they were at first. The fewer they are, the less they may grow.
_GROWTH: Final = ((4, 10_000), (12, 1_000), (24, 100))
#: And from so many on whatever they grow by, over more than a day: what is used falls at night.
_DAYLONG: Final = 24
_COUNTER: Final = (
    "looks_like_register",
    "the values only grow, as those of a register do, and not what was used: say that they are "
    "reads, or give the channel a `max_power` that allows for them",
)
_QUESTIONABLE: Final = QUALITIES.index("questionable")


def refuse_rows(received: int, most: int) -> None:
    """Refuse more readings than *most*; raises `TooLarge`."""
    if received > most:
        raise TooLarge(f"there are more readings than limits.rows ({most})")


# Readings as they arrive.

#: The meter's id; the channel's, or None for the meter's only one; the unit, or None for the
#: channel's.
Origin = tuple[str, str | None, str | None]


@attrs.frozen(eq=False, slots=False)
class ReadingRuns:
    """Runs of readings, one entry of each column for a run; `values` holds all runs in a row.

    A run is a channel's readings of consecutive slots, of one quality; a single reading is a run of
    one slot.

    Attributes:
        origins: The meters, channels and units that there are.
        origin: int64, the index of each run's origin in `origins`.
        starts: int64, when the first slot starts, in seconds since 1970-01-01T00:00Z.
        intervals: int64, the length of a slot in seconds, or 0 for the channel's.
        lengths: int64, how many slots the run has.
        quality: int8, the quality code of all values of the run.
        values: float64[sum of lengths], the nearest binary floats; NaN for null.
        exact: Returns the value, as it was written, at an index of `values`.
        locate: Returns a fault, still without code and message, that says where a run was sent, or
            one of its values: given the run, and the position in it or None.
        refused: bool, which of `values` were refused already; None for none.
        end_stamped: bool, of which runs `starts` holds when the first slot ends; None for none.
        is_file: Whether they are of a file, which names its meters and channels again and again: of
            each that does not exist, only the first reading is listed.
        is_doubted: Whether values of a file that look like those of a register are refused; not so
            those of a source, which is set up to know what they are, and cannot send them again.

    """

    origins: Sequence[Origin]
    origin: Int64
    starts: Int64
    intervals: Int64
    lengths: Int64
    quality: Quality
    values: npt.NDArray[np.float64]
    exact: Callable[[int], Decimal]
    locate: Callable[[int, int | None], Fault]
    refused: Mask | None = None
    end_stamped: Mask | None = None
    is_file: bool = False
    is_doubted: bool = True

    @property
    def meters(self) -> list[str]:
        """The meters that they name."""
        return [meter for meter, _, _ in self.origins]

    @cached_property
    def bases(self) -> Int64:
        """Where in `values` each run begins."""
        bases: Int64 = np.cumsum(self.lengths) - self.lengths
        return bases

    def fault(self, code: str, message: str, run: int, position: int | None = None) -> Fault:
        """Return a fault of a run, or of one of its values."""
        return attrs.evolve(self.locate(run, position), code=code, message=message)

    def fault_at(self, code: str, message: str, index: int) -> Fault:
        """Return a fault of the value at *index* of `values`."""
        run = int(np.searchsorted(self.bases, index, side="right")) - 1
        return self.fault(code, message, run, index - int(self.bases[run]))

    def expand(self, runs: Int64) -> tuple[Int64, Int64]:
        """Return, for each value of *runs*, its position in its run and its index."""
        lengths = self.lengths[runs]
        total = int(lengths.sum())
        first = np.cumsum(lengths) - lengths
        position = np.arange(total) - np.repeat(first, lengths)
        return position, position + np.repeat(self.bases[runs], lengths)

    def spread(self, column: Column, runs: Int64) -> Column:
        """Return what *column* has of the run of each value of *runs*."""
        spread: Column = np.repeat(column[runs], self.lengths[runs])
        return spread

    def count(self, runs: Int64) -> int:
        """Return how many readings of some runs were not refused yet."""
        if self.refused is None:
            return int(self.lengths[runs].sum())
        before = np.concatenate([[0], np.cumsum(self.refused)])
        ends = self.bases[runs] + self.lengths[runs]
        return int((self.lengths[runs] - before[ends] + before[self.bases[runs]]).sum())


# The channels that readings may go to.


@attrs.frozen
class Refusal:
    """Why readings are refused."""

    code: str
    message: str


_TOO_LARGE: Final = Refusal(
    "out_of_range",
    f"the number is out of range: it is at most {BOUND // MICRO:,} of the unit that is stored",
)


@attrs.frozen
class Target:
    """A channel, by its index in `Directory.channels`, and the factor of the unit that was sent."""

    index: int
    factor: Fraction


def _none() -> Int64:
    return np.zeros(0, np.int64)


#: A channel as the database gives it: the fields of `Channel`, in their order, and perhaps more.
ChannelRow = tuple[Any, ...]
#: What its columns are called.
_FIELDS: Final = [field.name for field in attrs.fields(Channel)]


def _column(name: str) -> Callable[[ChannelRow], Any]:
    """Return what gets a field of the row of a channel."""
    return itemgetter(_FIELDS.index(name))


_key_of, _meter_of, _id_of = map(_column, ("key", "meter", "id"))
_archived_before = _column("archived_before")


@attrs.define(eq=False)
class Channels:
    """Channels as rows. A thousand meters send a reading each, and nobody asks what a channel is.

    Attributes:
        rows: The rows; a channel is made of one when it is asked for.

    """

    rows: list[ChannelRow] = attrs.Factory(list)
    _made: dict[int, Channel] = attrs.Factory(dict)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def __getitem__(self, index: int) -> Channel:
        """Return a channel."""
        if (made := self._made.get(index)) is None:
            made = self._made[index] = Channel(*self.rows[index][: len(_FIELDS)])
        return made


@attrs.define(eq=False)
class Directory:
    """Channels by meter; grows as meters are looked up.

    Attributes:
        channels: All of them.
        unknown: Ids of meters that do not exist, the first `_UNKNOWN`.
        intervals: The slot length of each channel, in seconds.
        offsets: The grid offset of each channel, in seconds.
        keys: The number of each channel in the database.
        bounds: The most that a slot of each channel can hold, in micro-units.
        irregular: bool, which channels have no slots.
        measured: How each channel is measured, by number: where that is the same, a unit means the
            same.
        deleted: Before when the readings of each channel were deleted: in seconds, UTC.
        gas: What makes kWh of cubic metres of gas, where an import says it.
        told: What a file names and cannot have, of which a problem is listed.
        archived_before: Days before it may be in the archive: in days since 1970-01-01, of the grid
            of each channel. None where none are.

    """

    channels: Channels = attrs.Factory(Channels)
    unknown: set[str] = attrs.Factory(set)
    intervals: Int64 = attrs.Factory(_none)
    offsets: Int64 = attrs.Factory(_none)
    keys: Int64 = attrs.Factory(_none)
    bounds: Int64 = attrs.Factory(_none)
    irregular: Mask = attrs.Factory(lambda: np.zeros(0, bool))
    measured: Int64 = attrs.Factory(_none)
    deleted: Int64 = attrs.Factory(_none)
    gas: GasHeat | None = None
    told: set[Origin] = attrs.Factory(set)
    archived_before: int | None = None
    _only: dict[str, int | None] = attrs.Factory(dict)
    _several: dict[str, dict[str, int]] = attrs.Factory(dict)
    _measures: dict[tuple[str, str, str], int] = attrs.Factory(dict)

    async def look_up(self, queries: Queries, meters: Collection[str], *, hold: bool) -> None:
        """Look up those of *meters* that are new to the import, in one statement.

        With *hold* their channels are locked until the transaction ends (`for no key update`, in
        the order of their keys): other writers of readings wait, but not those who only refer to a
        channel or read it. An import that is refused anyway holds nothing.
        """
        new = await off_loop_if_many(partial(self.new, meters), len(meters))
        if new:
            sql = SQL["channels_hold" if hold else "channels_of"]
            found = await queries.rows(sql, {"meters": id_literal(new)})
            if hold:
                await hold_on_nodes(queries, list(map(_key_of, found)))
            self.add(new, found)

    async def begin(self, queries: Queries, meters: Collection[str]) -> int:
        """Look *meters* up, with hold, and return the number of the import that names them."""
        new = await off_loop_if_many(partial(self.new, meters), len(meters))
        rows = await queries.rows(SQL["import_begin"], {"meters": id_literal(new)})
        number: int = rows[0][-1]
        found = rows if _key_of(rows[0]) is not None else []
        await hold_on_nodes(queries, list(map(_key_of, found)))
        self.add(new, found)
        return number

    def new(self, meters: Iterable[str]) -> list[str]:
        """Return those of *meters* that are still to be looked up."""
        unseen = set(meters) - self._only.keys() - self.unknown
        ids = list(filter(_ID.fullmatch, unseen))
        self._note_unknown(unseen.difference(ids))
        return ids

    def add(self, meters: Iterable[str], found: Sequence[ChannelRow]) -> None:
        """Take in the channels of the meters that were looked up, column by column."""
        if found:
            # One day for all, which only ever moves on: the last that was looked up knows best.
            self.archived_before = _archived_before(found[-1])
            self._take_in(found)
        self._note_unknown(set(meters) - self._only.keys())

    def _take_in(self, found: Sequence[ChannelRow]) -> None:
        first = len(self.channels)
        self.channels.rows += found
        column = dict(zip(_FIELDS, zip(*found, strict=True), strict=False))
        self._name(column["meter"], column["id"], first)
        self.intervals = _extended(self.intervals, column["interval"])
        self.offsets = _extended(self.offsets, column["offset"])
        self.keys = _extended(self.keys, column["key"])
        self.deleted = _extended(self.deleted, [each or FIRST for each in column["deleted_before"]])
        irregular = [kind == "irregular" for kind in column["kind"]]
        self.irregular = np.concatenate([self.irregular, np.array(irregular)])
        self.bounds = _extended(self.bounds, [BOUND] * len(found))
        for index, power in enumerate(column["max_power"], first):
            if power is not None:
                self.bounds[index] = self.channels[index].bound
        measures = zip(column["kind"], column["quantity"], column["unit"], strict=True)
        number = self._measures.setdefault
        measured = [number(each, len(self._measures)) for each in measures]
        self.measured = _extended(self.measured, measured)

    def _name(self, meters: Sequence[str], ids: Sequence[str], first: int) -> None:
        """Let channels be found, of which the *first* has that index: most meters have only one."""
        only = dict(zip(meters, range(first, first + len(meters)), strict=True))
        self._only |= only
        if len(only) < len(meters):
            several = {meter for meter, count in Counter(meters).items() if count > 1}
            self._only |= dict.fromkeys(several)
            for index, (meter, id_) in enumerate(zip(meters, ids, strict=True), first):
                if meter in several:
                    self._several.setdefault(meter, {})[id_] = index

    @property
    def meters(self) -> list[str]:
        """The meters that exist, of those that were looked up."""
        return list(self._only)

    def target(self, meter: str, channel: str | None, unit_name: str | None) -> Target | Refusal:
        """Return what readings of a meter, channel and unit go to, or why to none."""
        index = self.found(meter, channel)
        if isinstance(index, Refusal):
            return index
        declared = self.channels[index]
        if declared.kind == "register":
            message = f"{declared.id} is a register: send its reads, and not what was used"
            return Refusal("wrong_kind", message)
        return with_unit(index, declared, unit_name, self.gas)

    def found(self, meter: str, channel: str | None) -> int | Refusal:
        """Return the index of a channel, which need not be named if the meter has no other."""
        index = self._index(meter, channel)
        return self._unfound(meter, channel) if index is None else index

    def indexes(self, origins: Iterable[Origin]) -> Int64:
        """Return the index of the channel of each of *origins*; -1 where `found` refuses it."""
        only, named = self._only.get, self._index
        found = [
            only(meter) if channel is None else named(meter, channel)
            for meter, channel, _ in origins
        ]
        return np.array([-1 if index is None else index for index in found], np.int64)

    def _index(self, meter: str, channel: str | None) -> int | None:
        index = self._only.get(meter)
        if channel is None:
            return index
        if index is None:
            return self._several.get(meter, {}).get(channel)
        return index if channel == _id_of(self.channels.rows[index]) else None

    def _unfound(self, meter: str, channel: str | None) -> Refusal:
        if meter not in self._only:
            return Refusal("unknown_meter", f"there is no meter {meter[:64]!r}")
        if channel is None:
            names = ", ".join(sorted(self._several[meter]))
            return Refusal("unknown_channel", f"the meter has several channels: {names}")
        return Refusal("unknown_channel", f"the meter has no channel {channel[:64]!r}")

    def _note_unknown(self, meters: Iterable[str]) -> None:
        self.unknown.update(islice(meters, _UNKNOWN - len(self.unknown)))


def _extended(numbers: Int64, more: Sequence[int]) -> Int64:
    return np.concatenate([numbers, np.array(more, np.int64)])


def with_unit(
    index: int, channel: Channel, name: str | None, gas: GasHeat | None = None
) -> Target | Refusal:
    """Return a channel as the target of values in a unit, or why these are not for it."""
    if name is None:
        return Target(index, channel.declared.factor)
    try:
        named = unit(name)
    except UnknownUnit as error:
        return Refusal("wrong_unit", str(error))
    if named.fits(channel.quantity):
        return Target(index, named.factor)
    if named.canonical != "m3" or channel.canonical != "kWh":
        return Refusal("wrong_unit", f"{channel.quantity} is not measured in {name}")
    if gas is None:
        return Refusal("wrong_unit", _NO_HEAT.format(channel.quantity, name))
    return Target(index, named.factor * gas.factor)


def id_literal(ids: Sequence[str]) -> str:
    """Return ids as the literal of a text[]; a thousand parameters take the server far longer.

    An id has nothing that would have to be escaped (`_ID`).
    """
    return '{"' + '","'.join(ids) + '"}' if ids else "{}"


_DELETED: Final = Refusal(*DELETED)

#: What is said of a volume that would be energy.
_NO_HEAT: Final = (
    "{} is not measured in {}: gas becomes kWh by its `calorific_value` (MJ/m3) and "
    "`correction_factor`, which the import of a file says, both of them"
)

# From runs to day blocks.


async def validated(
    runs: ReadingRuns, directory: Directory, problems: Problems
) -> AsyncIterator["ValidReadings | ValidStretches"]:
    """Yield what can be stored of *runs*, about `GROUP` readings at a time; note what cannot.

    The channels of *runs* are in *directory*. A channel's readings of one call come together, so
    that a slot that comes twice is seen.
    """
    assignment = await off_loop_if_many(
        partial(assign, runs, directory, problems), len(runs.origins)
    )
    for group in assignment.groups(runs.lengths, directory.intervals):
        work = partial(_valid, runs, assignment, group, directory, problems)
        yield await off_loop_if_many(work, len(runs.values))
    if len(assignment.irregular):
        some = partial(_valid_stretches, runs, assignment, directory, problems)
        yield await off_loop_if_many(some, len(runs.values))


async def off_loop_if_many(work: Callable[[], T], size: int) -> T:
    """Do *work* on *size* things, beside the event loop if they are many."""
    return await off_loop(work) if size > 2 * GROUP else work()


@attrs.frozen(eq=False)
class ValidReadings:
    """What can be stored of a group of runs.

    Attributes:
        blocks: The readings, in day blocks.
        meters: The meters that they are of.
        repeated: How many equal repeats were folded into them.

    """

    blocks: BlockReadings
    meters: tuple[str, ...]
    repeated: int


@attrs.frozen(eq=False)
class ValidStretches:
    """What can be stored of the runs that are for channels without slots."""

    stretches: list[SentStretch]

    @property
    def meters(self) -> tuple[str, ...]:
        """The meters that they are of."""
        return tuple(each.channel.meter for each in self.stretches)


@attrs.frozen(eq=False)
class Assignment:
    """The channel and slots of each run.

    Attributes:
        runs: int64[n], the runs that can be stored in slots, in the order of channels.
        irregular: int64[m], the runs that can be stored in channels without slots.
        channel: int64 per run that was sent, an index of `Directory.channels`; -1 for refused ones.
        slot: int64 per run that was sent, the number of its first slot on the channel's grid; of
            `irregular` ones when it starts, in seconds since 1970-01-01T00:00Z.
        factor: Per run that was sent, the index of `factors` of its unit.
        factors: The factors of the units.

    """

    runs: Int64
    irregular: Int64
    channel: Int64
    slot: Int64
    factor: Int64
    factors: tuple[Fraction, ...]

    def groups(self, lengths: Int64, intervals: Int64) -> Iterator[Int64]:
        """Yield the runs of whole channels of one interval, about `GROUP` readings at a time."""
        if not len(self.runs):
            return
        channel = self.channel[self.runs]
        total = np.cumsum(lengths[self.runs])
        starts = np.flatnonzero(channel[1:] != channel[:-1]) + 1
        before = total[starts - 1].tolist()
        changes = (intervals[channel[starts]] != intervals[channel[starts - 1]]).tolist()
        begin, done = 0, 0
        for start, sum_, changed in zip(starts.tolist(), before, changes, strict=True):
            if changed or sum_ - done >= GROUP:
                yield self.runs[begin:start]
                begin, done = start, sum_
        yield self.runs[begin:]


def assign(runs: ReadingRuns, directory: Directory, problems: Problems) -> Assignment:
    """Assign every run to slots of its channel's grid, or note in *problems* why to none."""
    channel, factor, factors = _targets(runs, directory, problems)
    fits = channel >= 0
    # A refused run is computed with the first channel's grid, so that the arrays stay whole; what
    # comes out is not looked at.
    index = np.maximum(channel, 0)
    interval, offset, irregular = (
        (directory.intervals[index], directory.offsets[index], directory.irregular[index])
        if directory.channels
        else (np.ones_like(index), np.zeros_like(index), np.zeros(len(index), bool))
    )
    if irregular.any():
        interval = np.where(irregular, runs.intervals, interval)
    start = runs.starts
    if runs.end_stamped is not None:
        start = np.where(runs.end_stamped, start - interval, start)

    def refuse(wrong: Mask, code: str, message: str) -> None:
        def fault(run: int) -> Fault:
            lengths = (length_text(int(column[run])) for column in (interval, offset))
            return runs.fault(code, message.format(*lengths), run)

        refused = np.flatnonzero(fits & wrong)
        if len(refused):
            problems.add_each(code, refused.tolist(), fault, runs.count(refused))
            fits[refused] = False

    unknown = "the channel has no slots: each of its readings needs a start and an end"
    refuse(irregular & (interval <= 0), "wrong_interval", unknown)
    misfits = (runs.intervals != 0) & (runs.intervals != interval)
    refuse(misfits, "wrong_interval", "the channel's interval is {0}")
    end = start + interval * runs.lengths
    refuse((start < FIRST) | (end > LAST), "out_of_range", "the years are 1900 to 2199")
    message = "the channel's slots are {0} long and start {1} after midnight UTC"
    whole = np.maximum(interval, 1)
    refuse(~irregular & ((start - offset) % whole != 0), "off_grid", message)
    accepted = np.flatnonzero(fits & ~irregular)
    order = np.lexsort((channel[accepted], interval[accepted]))
    slot = np.where(irregular, start, (start - offset) // whole)
    others = np.flatnonzero(fits & irregular)
    channel = np.where(fits, channel, -1)
    return Assignment(accepted[order], others, channel, slot, factor, factors)


def _targets(
    runs: ReadingRuns, directory: Directory, problems: Problems
) -> tuple[Int64, Int64, tuple[Fraction, ...]]:
    """Return the channel (-1 for none) and the unit's factor of each run.

    A body of a hundred thousand readings has few origins as a rule, or as many where all of them
    are wrong: each origin is looked at once, and each code refuses all its runs at once.
    """
    channel = directory.indexes(runs.origins)
    factors: dict[Fraction, int] = {}
    factor = np.zeros_like(channel)
    for alike in _alike(runs.origins, channel, directory.measured):
        target = directory.target(*runs.origins[int(alike[0])])
        if isinstance(target, Refusal):
            channel[alike] = -1
        else:
            factor[alike] = factors.setdefault(target.factor, len(factors))
    refusals: dict[str, dict[int, Refusal]] = {}
    for number in np.flatnonzero(channel < 0).tolist():
        refusal = directory.target(*runs.origins[number])
        assert isinstance(refusal, Refusal)
        refusals.setdefault(refusal.code, {})[number] = refusal
    for code, reasons in refusals.items():
        _refuse_origins(runs, code, reasons, directory.told, problems)
    return channel[runs.origin], factor[runs.origin], tuple(factors)


def _alike(origins: Sequence[Origin], channel: Int64, measured: Int64) -> Iterator[Int64]:
    """Yield the numbers of those of *origins* whose unit means the same for their *channel*."""
    units: dict[str | None, int] = {}
    unit_of = [units.setdefault(name, len(units)) for _, _, name in origins]
    found = np.flatnonzero(channel >= 0)
    kind = measured[channel[found]] * len(units) + np.array(unit_of, np.int64)[found]
    order = np.argsort(kind, kind="stable")
    edges = np.flatnonzero(np.diff(kind[order])) + 1
    if len(found):
        yield from np.split(found[order], edges)


def _refuse_origins(
    runs: ReadingRuns,
    code: str,
    reasons: dict[int, Refusal],
    told: set[Origin],
    problems: Problems,
) -> None:
    """Refuse the runs of some origins, for the reason of each, which a file is told once."""

    def fault(run: int) -> Fault:
        return runs.fault(code, reasons[int(runs.origin[run])].message, run)

    wrong = np.zeros(len(runs.origins), bool)
    wrong[list(reasons)] = True
    refused = np.flatnonzero(wrong[runs.origin])
    listed = _untold(runs, refused, told, problems) if runs.is_file else refused.tolist()
    problems.add_each(code, listed, fault, runs.count(refused), len(refused))


def _untold(runs: ReadingRuns, refused: Int64, told: set[Origin], problems: Problems) -> list[int]:
    """Return the first run of each origin of a file that was not told of yet."""
    if problems.full:
        return []
    origins, first = np.unique(runs.origin[refused], return_index=True)
    firsts = zip(origins.tolist(), refused[first].tolist(), strict=True)
    listed = [run for origin, run in firsts if runs.origins[origin] not in told]
    told.update(runs.origins[int(runs.origin[run])] for run in listed[: problems.limit])
    return listed


@attrs.frozen(eq=False)
class _SlotReadings:
    """Readings one by one.

    Attributes:
        channel: int64[n], an index of `Directory.channels`.
        slot: int64[n], the number of the slot on the channel's grid.
        index: int64[n], an index of `ReadingRuns.values`.
        values: int64[n], micro-units or `MISSING`.
        quality: int8[n].

    """

    channel: Int64
    slot: Int64
    index: Int64
    values: Micro
    quality: Quality

    def take(self, rows: Mask | Int64) -> "_SlotReadings":
        return _SlotReadings(*(column[rows] for column in attrs.astuple(self, recurse=False)))


def _valid(
    runs: ReadingRuns,
    assignment: Assignment,
    group: Int64,
    directory: Directory,
    problems: Problems,
) -> ValidReadings:
    """Return what can be stored of the runs of a *group*, which have one interval."""
    readings = _scaled(runs, assignment, group, problems)
    readings = _checked(runs, readings, directory, problems)
    readings, repeated = _folded(runs, readings, problems)
    if runs.is_file and runs.is_doubted:
        readings = _without_counters(runs, readings, directory, problems)
    width = DAY // int(directory.intervals[assignment.channel[group[0]]])
    day = readings.slot // width
    slot = readings.slot - day * width  # a fraction of what `%` takes
    # Sorted by channel and slot, so a block begins where one of channel and day changes.
    first = np.ones(len(day), bool)
    first[1:] = (readings.channel[1:] != readings.channel[:-1]) | (day[1:] != day[:-1])
    channel = readings.channel[first]
    blocks = BlockReadings(
        BlockKeys(directory.keys[channel], day[first]),
        width,
        directory.offsets[channel],
        np.cumsum(first) - 1,
        slot,
        readings.index,
        readings.values,
        readings.quality,
        runs.fault_at,
    )
    rows = directory.channels.rows
    each = channel[np.flatnonzero(np.diff(channel, prepend=-1))].tolist()
    meters = tuple(_meter_of(rows[index]) for index in each)
    return ValidReadings(blocks, meters, repeated)


def _valid_stretches(
    runs: ReadingRuns, assignment: Assignment, directory: Directory, problems: Problems
) -> ValidStretches:
    """Return what can be stored of the runs for channels without slots."""
    readings = _scaled(runs, assignment, assignment.irregular, problems)
    readings = _without_contradictions(runs, readings, problems)
    run = np.searchsorted(runs.bases, readings.index, side="right") - 1
    length = runs.intervals[run]
    start = assignment.slot[run] + (readings.index - runs.bases[run]) * length
    columns = (readings.channel, start, length, readings.values, readings.quality, readings.index)
    sent = []
    for channel, begin, seconds, value, quality, index in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        declared, place = directory.channels[channel], runs.fault_at("", "", index)
        stretch = Stretch(begin, begin + seconds, value, quality)
        if value != MISSING and abs(value) > declared.most(seconds):
            _warn_above(value, place, problems)
            stretch = attrs.evolve(stretch, quality=_QUESTIONABLE)
        sent.append(SentStretch(declared, stretch, place))
    return ValidStretches(sent)


def _warn_above(value: int, place: Fault, problems: Problems) -> None:
    sent, code = decimal_text(value), "above_max_power"
    message = f"{sent} is above what max_power allows"
    problems.add(attrs.evolve(place, code=code, message=message, sent=sent, severity=WARNING), 0)


@attrs.frozen(eq=False)
class _Exact:
    """Values as they were written, by their position in a selection."""

    runs: ReadingRuns
    index: Int64

    def __call__(self, position: int) -> Decimal:
        return self.runs.exact(int(self.index[position]))


def _scaled(
    runs: ReadingRuns, assignment: Assignment, group: Int64, problems: Problems
) -> _SlotReadings:
    """Return the readings of a *group* in micro-units; numbers that are too large are refused.

    Values are scaled as binary floats, each unit at once, and again as they were written where a
    float is too near to a tie to decide the rounding (`units.to_micros`).
    """
    position, index = runs.expand(group)
    sent = runs.values[index]
    values = np.zeros(len(index), np.int64)
    outside, rounded = np.zeros((2, len(index)), bool)
    for factor, rows in _by_factor(runs, assignment, group):
        exact = _Exact(runs, index[rows])
        values[rows], outside[rows] = to_micros(sent[rows], factor, exact)
        rounded[rows] = finer(sent[rows], factor) & ~outside[rows]
    _tell_rounded(runs, index[rounded], problems)
    quality = runs.spread(runs.quality, group)
    null = np.isnan(sent)
    if null.any():
        values[null], quality[null] = MISSING, 0
    readings = _SlotReadings(
        runs.spread(assignment.channel, group),
        runs.spread(assignment.slot, group) + position,
        index,
        values,
        quality,
    )
    if runs.refused is not None:
        fits = ~runs.refused[index]
        readings, outside = readings.take(fits), outside[fits]
    return _without(runs, readings, outside, _TOO_LARGE, problems)


def _by_factor(
    runs: ReadingRuns, assignment: Assignment, group: Int64
) -> Iterator[tuple[Fraction, Int64 | slice]]:
    """Yield the factors of the units of a *group*, each with the readings that have it."""
    if len(assignment.factors) == 1:
        yield assignment.factors[0], slice(None)
        return
    factor = runs.spread(assignment.factor, group)
    for number in np.unique(factor).tolist():
        yield assignment.factors[number], np.flatnonzero(factor == number)


def _tell_rounded(runs: ReadingRuns, indexes: Int64, problems: Problems) -> None:
    """Note the readings at *indexes* as rounded, but for those that were refused already."""
    if runs.refused is not None:
        indexes = indexes[~runs.refused[indexes]]
    problems.add_rounded(
        len(indexes), lambda: runs.fault_at("rounded_readings", _ROUNDED, int(indexes.min()))
    )


def _checked(
    runs: ReadingRuns, readings: _SlotReadings, directory: Directory, problems: Problems
) -> _SlotReadings:
    """Refuse values that are said to be missing, or were deleted; mark what is too much.

    What is above the channel's power is stored all the same, as questionable: it may be the limit
    that is wrong, and nobody can send the reading again.
    """
    readings = _without_contradictions(runs, readings, problems)
    readings = _without(runs, readings, _deleted(readings, directory), _DELETED, problems)
    above = (readings.values != MISSING) & (
        np.abs(readings.values) > directory.bounds[readings.channel]
    )
    readings.quality[above] = _QUESTIONABLE
    for row in np.flatnonzero(above).tolist():
        if len(problems.faults) >= problems.limit:
            break
        place = runs.fault_at("", "", int(readings.index[row]))
        _warn_above(int(readings.values[row]), place, problems)
    return readings


def _without_contradictions(
    runs: ReadingRuns, readings: _SlotReadings, problems: Problems
) -> _SlotReadings:
    """Return *readings* without values that are said to be missing, which are noted."""
    contradictory = (readings.quality == 0) & (readings.values != MISSING)
    refusal = Refusal("missing_with_value", "a reading of quality missing has no value")
    return _without(runs, readings, contradictory, refusal, problems)


def _without_counters(
    runs: ReadingRuns, readings: _SlotReadings, directory: Directory, problems: Problems
) -> _SlotReadings:
    """Refuse what a register shows where a file is taken for what was used.

    A channel with a `max_power` that allows for the values is believed.
    """
    edges = np.flatnonzero(np.diff(readings.channel)) + 1
    kept = np.ones(len(readings.channel), bool)
    for first, past in pairwise([0, *edges.tolist(), len(kept)]):
        if past - first < _GROWTH[0][0]:
            continue
        channel = directory.channels[int(readings.channel[first])]
        valued = readings.values[first:past] != MISSING
        values, slots = readings.values[first:past][valued], readings.slot[first:past][valued]
        largest = int(np.abs(values).max(initial=0))
        is_limited = channel.max_power is not None and largest <= channel.bound
        if not is_limited and _is_counter(values, slots, channel.interval):
            kept[first:past] = False
            problems.add(runs.fault_at(*_COUNTER, int(readings.index[first])), past - first)
    return readings if kept.all() else readings.take(kept)


def _is_counter(values: Micro, slots: Int64, interval: int) -> bool:
    """Tell whether values look like those of a register, which only grow.

    What is used rises and falls within a day. Within less than a day it may only rise, as the sun
    does, but then not by a small part of what it was at the beginning.
    """
    steps, count = np.diff(values), len(values)
    growing = int(np.count_nonzero(steps))
    if count < _GROWTH[0][0] or (steps < 0).any() or growing < len(steps) / 4:
        return False
    if count < _GROWTH[1][0] and growing < len(steps):
        return False
    if count >= _DAYLONG and (int(slots[-1]) - int(slots[0])) * interval > DAY:
        return True
    first, growth = int(values[0]), int(values[-1] - values[0])
    return any(count >= few and first >= parts * growth for few, parts in _GROWTH)


def _deleted(readings: _SlotReadings, directory: Directory) -> Mask:
    """Return which readings are of slots that were deleted, as a law asks."""
    channel = readings.channel
    if (directory.deleted == FIRST).all():  # of no channel, as a rule: no reading is before that
        return np.zeros(len(channel), bool)
    starts = readings.slot * directory.intervals[channel] + directory.offsets[channel]
    deleted: Mask = starts < directory.deleted[channel]
    return deleted


def _without(
    runs: ReadingRuns, readings: _SlotReadings, wrong: Mask, refusal: Refusal, problems: Problems
) -> _SlotReadings:
    """Return *readings* without the *wrong* ones, which are noted."""
    if not wrong.any():
        return readings
    code, message = refusal.code, refusal.message
    refused = readings.index[wrong].tolist()
    problems.add_each(code, refused, lambda index: runs.fault_at(code, message, index))
    return readings.take(~wrong)


def _folded(
    runs: ReadingRuns, readings: _SlotReadings, problems: Problems
) -> tuple[_SlotReadings, int]:
    """Sort by channel and slot, each slot once; return how many equal repeats there were.

    The first value of a slot stands. Equal ones are folded into it, others are refused. A null
    beside a value says nothing, whichever comes first: it is folded too.
    """
    same = readings.channel[1:] == readings.channel[:-1]
    if not (same & (readings.slot[1:] <= readings.slot[:-1])).any() and _grouped(readings.channel):
        return readings, 0  # in order already, as almost all are: sorting would cost the most
    # lexsort is stable, so of equal slots the first value that was sent stays the first.
    null = readings.values == MISSING
    readings = readings.take(np.lexsort((null, readings.slot, readings.channel)))
    again = np.zeros(len(readings.slot), bool)
    again[1:] = (readings.channel[1:] == readings.channel[:-1]) & (
        readings.slot[1:] == readings.slot[:-1]
    )
    # The row of the first reading of each slot: row numbers grow, so the running maximum of the
    # firsts is the latest of them.
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    equal = (readings.values == readings.values[first]) & (
        readings.quality == readings.quality[first]
    )
    equal |= readings.values == MISSING
    problems.add_each(
        "duplicate_in_request",
        np.flatnonzero(again & ~equal).tolist(),
        lambda row: contradiction(
            runs.fault_at,
            int(readings.index[row]),
            readings.values[row],
            readings.values[first[row]],
        ),
    )
    return readings.take(~again), int((again & equal).sum())


def _grouped(channel: Int64) -> bool:
    """Whether the readings of each channel are together (they are if the runs were sorted)."""
    return bool((channel[1:] >= channel[:-1]).all())
