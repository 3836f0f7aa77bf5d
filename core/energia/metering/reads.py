"""Reads of registers, and stretches, in the database: rows that are few, each kept when corrected.

A row that is current has no `superseded_at`; what was known at an instant are the rows that were
recorded by then and superseded later, or never. Whoever writes holds the channels, so that the
revisions of a channel come one after another.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Final

import attrs

from energia.db.queries import load
from energia.db.tenant import Columns, Queries
from energia.errors import Fault
from energia.metering.models import Channel
from energia.metering.outcome import WARNING, Counts, Problems
from energia.metering.registers import EXACT
from energia.metering.series import MISSING, NEVER_SENT
from energia.metering.stretches import KINDS, Read, ReadKind, Stretch, between
from energia.time import HOUR, Instant, utc, utc_text
from energia.units import decimal_text
from energia.work import off_loop

SQL: Final = load(__package__)
#: From so many on, reads and stretches are worked on beside the event loop.
MANY: Final = 1_000
#: A read is at most so many seconds ahead of our clock: clocks of readers go wrong.
AHEAD: Final = HOUR
#: Why nothing is stored of a time whose readings were deleted.
DELETED: Final = (
    "deleted_by_law",
    "the readings of that time were deleted for good: none is stored again",
)
#: What begins on one day belongs together: so far around a window lies all of its first and last.
_MARGIN: Final = timedelta(days=2)
#: Findings that are told when a read is stored; the read is stored all the same.
_TOLD: Final = ("register_went_back", "above_max_power")


@attrs.frozen
class SentRead:
    """A read as it was sent.

    Attributes:
        channel: The register.
        read: The read, in the unit of the channel.
        place: A fault, still without code and message, that says where it was sent.

    """

    channel: Channel
    read: Read
    place: Fault

    @property
    def key(self) -> tuple[int, Instant, ReadKind]:
        """What there is one read of."""
        return self.channel.key, self.read.instant, self.read.kind


@attrs.frozen
class SentStretch:
    """A stretch as it was sent; see `SentRead`."""

    channel: Channel
    stretch: Stretch
    place: Fault


def in_register_unit(value: Decimal, sent: Fraction, own: Fraction) -> Decimal | None:
    """Return a value in the register's unit with all its digits; None if no decimal has it.

    Args:
        value: The value.
        sent: How much one of the unit that was sent is, in the canonical unit.
        own: How much one of the register's unit is.

    """
    ratio = sent / own
    shift = len(str(max(ratio.numerator, ratio.denominator))) - 1
    shift = shift if ratio >= 1 else -shift
    return EXACT.scaleb(value, shift) if Fraction(10) ** shift == ratio else None


@attrs.frozen(eq=False)
class ReadStore:
    """Stores the reads and stretches of one import, inside its transaction.

    Attributes:
        queries: The transaction, which holds the channels.
        number: The import's number in the database.
        now: When the import arrived, in seconds since 1970-01-01T00:00Z.
        counts: Grow by what happens to each.
        problems: Where contradictions and warnings are noted.

    """

    queries: Queries
    number: int
    now: float
    counts: Counts
    problems: Problems

    def once(self, sent: Iterable[SentRead]) -> list[SentRead]:
        """Return each read once; equal ones are folded, others and such of the future refused.

        Of equal ones the first stands: files tell a read once as the current one of a row, and once
        as the previous one of the next, perhaps with another quality.
        """
        first: dict[object, SentRead] = {}
        for each in sent:
            before = first.setdefault(each.key, each)
            if wrong := self._wrong_time(each):
                first.pop(each.key)
                self._refuse(each.place, *wrong)
            elif before is not each:
                self._note_again(each, before.read.value)
        return list(first.values())

    def _note_again(self, sent: SentRead, before: Decimal) -> None:
        """Note a read that was sent twice: one of another value is refused."""
        if before == sent.read.value:
            self.counts.repeated += 1
        else:
            message = f"the read was sent before, with {before}"
            self._refuse(sent.place, "duplicate_in_request", message, sent=sent.read.value)

    def _wrong_time(self, sent: SentRead) -> tuple[str, str] | None:
        """Return why nothing can be stored of the time of a read."""
        instant, deleted = sent.read.instant, sent.channel.deleted_before
        if instant > self.now + AHEAD:
            return "in_future", f"{utc_text(instant)} is to come"
        return DELETED if deleted is not None and instant < deleted else None

    def _refuse(self, place: Fault, code: str, message: str, sent: Decimal | None = None) -> None:
        text = None if sent is None else f"{sent:f}"
        self.problems.add(attrs.evolve(place, code=code, message=message, sent=text))

    async def put(self, sent: Sequence[SentRead]) -> None:
        """Store reads, each once; tell of those after which a register makes no sense."""
        rows = await self.queries.fetch_by_channel(_ReadThen, SQL["reads_at"], _keys(sent))
        moment = rows[0].now
        stored = {row.position - 1: row for row in rows if row.position is not None}
        new = [each for index, each in enumerate(sent) if self._is_new(each, stored.get(index))]
        if new:
            keys, change = _keys(new), {"now": moment, "import": self.number}
            await self.queries.execute_by_channel(SQL["reads_supersede"], keys, change)
            columns = {**keys, **_values(new)}
            await self.queries.execute_by_channel(SQL["reads_insert"], columns, change)
            await self._warn(new)

    def _is_new(self, sent: SentRead, stored: "_ReadThen | None") -> bool:
        """Count a read; tell whether it is to be stored."""
        if stored is None or stored.value is None:
            self.counts.created += 1
        elif stored.import_ == self.number:  # of a batch before: the first stands, as in `once`
            self._note_again(sent, stored.value)
            return False
        elif _is_same(sent, stored):
            self.counts.unchanged += 1
            return False
        else:
            self.counts.corrected += 1
        return True

    async def withdraw(self, sent: SentRead) -> bool:
        """Take a read back; tell whether there was one. What was known by it stays known."""
        (row,) = await self.queries.fetch_by_channel(_ReadThen, SQL["reads_at"], _keys([sent]))
        if row.position is None or row.value is None:
            return False
        keys, change = _keys([sent]), {"now": row.now, "import": self.number}
        await self.queries.execute_by_channel(SQL["reads_supersede"], keys, change)
        gone: Columns = {"values": [None], "quality": [0], "equipment": [row.equipment]}
        await self.queries.execute_by_channel(SQL["reads_insert"], {**keys, **gone}, change)
        self.counts.corrected += 1
        return True

    async def withdraw_stretch(self, sent: SentStretch) -> bool:
        """Take a stretch back; tell whether there was one."""
        (row,) = await self.queries.fetch_by_channel(
            _StretchThen, SQL["stretches_at"], _spans([sent])
        )
        if row.position is None or row.start != sent.stretch.start:
            return False
        gone = Stretch(row.start, row.end, MISSING, NEVER_SENT)
        whole = attrs.evolve(sent, stretch=gone)
        await self._replace([whole], row.now)
        self.counts.corrected += 1
        return True

    async def _warn(self, sent: Sequence[SentRead]) -> None:
        """Tell of reads that went back or are above what the meter can have measured."""
        by_channel: defaultdict[int, list[SentRead]] = defaultdict(list)
        for each in sent:
            by_channel[each.channel.key].append(each)
        for group in by_channel.values():
            channel = group[0].channel
            instants = [each.read.instant for each in group]
            asked = [(channel, min(instants), max(instants) + 1)]
            (known,) = await read_stretches(self.queries, asked, None)
            at = {each.read.instant: each for each in group}
            for stretch in known.stretches:
                # A read that comes late may be what the next one falls from.
                told = at.get(stretch.end) or at.get(stretch.start)
                if told is not None and stretch.reason in _TOLD:
                    self.problems.add(_warning(told, stretch), 0)

    async def put_stretches(self, sent: Sequence[SentStretch]) -> None:
        """Store stretches, each once: one that overlaps another one is refused."""
        asked = self._apart(sent)
        if not asked:
            return
        rows = await self.queries.fetch_by_channel(_StretchThen, SQL["stretches_at"], _spans(asked))
        moment = rows[0].now
        stored = {row.position - 1: row for row in rows if row.position is not None}
        changed = [
            each for index, each in enumerate(asked) if self._is_changed(each, stored.get(index))
        ]
        if changed:
            await self._replace(changed, moment)

    async def _replace(self, sent: Sequence[SentStretch], now: datetime) -> None:
        """Put stretches in the place of those that begin when they do."""
        spans, change = _spans(sent), {"now": now, "import": self.number}
        await self.queries.execute_by_channel(SQL["stretches_supersede"], spans, change)
        columns = {**spans, **_quantities(sent)}
        await self.queries.execute_by_channel(SQL["stretches_insert"], columns, change)

    def _is_changed(self, sent: SentStretch, row: "_StretchThen | None") -> bool:
        """Count a stretch; tell whether it is to be stored."""
        value = sent.stretch.value
        if row is None:
            self.counts.created += value != MISSING
            self.counts.missing += value == MISSING
            return True
        if (row.start, row.end) != (sent.stretch.start, sent.stretch.end):
            message = f"{utc_text(row.start)} to {utc_text(row.end)} is stored already"
            self._refuse(sent.place, "overlap", message)
        elif value == MISSING:
            self.counts.missing += 1  # a null never erases a value
        elif (row.value, row.quality) == (value, sent.stretch.quality):
            self.counts.unchanged += 1
        elif row.value is not None and row.import_ == self.number:  # of a batch before
            self._refuse(sent.place, "duplicate_in_request", _again(sent))
        else:
            self.counts.corrected += row.value is not None
            self.counts.created += row.value is None
            return True
        return False

    def _apart(self, sent: Sequence[SentStretch]) -> list[SentStretch]:
        """Return stretches that do not overlap; equal ones are folded, others refused."""
        kept: list[SentStretch] = []
        ordered = sorted(sent, key=lambda each: (each.channel.key, each.stretch.start))
        for each in ordered:
            last, deleted = kept[-1] if kept else None, each.channel.deleted_before
            if deleted is not None and each.stretch.start < deleted:
                self._refuse(each.place, *DELETED)
            elif last is None or last.channel.key != each.channel.key:
                kept.append(each)
            elif each.stretch == last.stretch:
                self.counts.repeated += 1
            elif each.stretch.start < last.stretch.end:
                is_same = last.stretch.start == each.stretch.start
                code = "duplicate_in_request" if is_same else "overlap"
                self._refuse(each.place, code, _again(last))
            else:
                kept.append(each)
        return kept


def _again(sent: SentStretch) -> str:
    start, end = utc_text(sent.stretch.start), utc_text(sent.stretch.end)
    return f"{start} to {end} was sent before"


def _warning(sent: SentRead, stretch: Stretch) -> Fault:
    since = utc_text(stretch.start)
    if stretch.reason == "register_went_back":
        message = f"the register went back since its read of {since}: nothing is counted across"
    else:
        message = f"{decimal_text(stretch.value)} since {since} is above what max_power allows"
    code, value = stretch.reason or "", f"{sent.read.value:f}"
    return attrs.evolve(sent.place, code=code, message=message, sent=value, severity=WARNING)


@attrs.frozen
class _ReadThen:
    """A row of `reads_at`: the time alone, where no read exists."""

    now: datetime
    position: int | None
    value: Decimal | None
    quality: int
    equipment: str | None
    import_: int


def _is_same(sent: SentRead, stored: _ReadThen) -> bool:
    read = sent.read
    told = (read.value, read.quality, read.equipment or stored.equipment)
    return told == (stored.value, stored.quality, stored.equipment)


@attrs.frozen
class _StretchThen:
    """A row of `stretches_at`: the time alone, where nothing overlaps."""

    now: datetime
    position: int | None
    start: int
    end: int
    value: int | None
    quality: int
    import_: int


def _keys(sent: Sequence[SentRead]) -> Columns:
    return {
        "channels": [each.channel.key for each in sent],
        "instants": [utc(each.read.instant) for each in sent],
        "kinds": [each.read.kind for each in sent],
    }


def _values(sent: Sequence[SentRead]) -> Columns:
    return {
        "values": [each.read.value for each in sent],
        "quality": [each.read.quality for each in sent],
        "equipment": [each.read.equipment for each in sent],
    }


def _spans(sent: Sequence[SentStretch]) -> Columns:
    return {
        "channels": [each.channel.key for each in sent],
        "starts": [utc(each.stretch.start) for each in sent],
        "ends": [utc(each.stretch.end) for each in sent],
    }


def _quantities(sent: Sequence[SentStretch]) -> Columns:
    values = [each.stretch.value for each in sent]
    return {
        "values": [None if value == MISSING else value for value in values],
        "quality": [each.stretch.quality for each in sent],
    }


# What is stored.


@attrs.frozen(eq=False)
class KnownStretches:
    """What a channel measured in a window, and somewhat beyond it.

    Attributes:
        stretches: In the order of time.
        revision_at: When the newest row among those that they rest on was recorded.

    """

    stretches: list[Stretch]
    revision_at: datetime | None


@attrs.frozen
class StoredRead:
    """A read, and when it was recorded; `span` is the number of the window, from 1.

    It has no value where it was withdrawn.
    """

    span: int
    instant: int
    value: Decimal | None
    quality: int
    kind: ReadKind
    equipment: str | None
    recorded_at: datetime

    @property
    def read(self) -> Read:
        """The read."""
        assert self.value is not None
        return Read(self.instant, self.value, self.quality, self.kind, self.equipment)


@attrs.frozen
class _StretchRow:
    """A stretch; see `StoredRead`."""

    span: int
    start: int
    end: int
    value: int | None
    quality: int
    recorded_at: datetime

    @property
    def stretch(self) -> Stretch:
        value = MISSING if self.value is None else self.value
        return Stretch(self.start, self.end, value, self.quality)


#: A channel, and a window of it in seconds since 1970-01-01T00:00Z.
Asked = tuple[Channel, Instant, Instant]


async def read_reads(
    queries: Queries, asked: Sequence[Asked], pins: Sequence[datetime | None] | None
) -> list[list[StoredRead]]:
    """Return the reads in each window, some before it, and the next one after it.

    Args:
        queries: The database.
        asked: The windows.
        pins: The instant whose knowledge is asked for, for each window; None for what is known now.

    """
    rows: list[list[StoredRead]] = [[] for _ in asked]
    if asked:
        windows, now = _windows(asked, pins), {"now": pins is None}
        for row in await queries.fetch_by_channel(StoredRead, SQL["reads_of"], windows, now):
            rows[row.span - 1].append(row)
    order = {kind: index for index, kind in enumerate(KINDS)}
    return [sorted(of, key=lambda row: (row.instant, order[row.kind])) for of in rows]


async def read_stretches(
    queries: Queries, asked: Sequence[Asked], pins: Sequence[datetime | None] | None
) -> list[KnownStretches]:
    """Return what registers and irregular channels measured in each window; see `read_reads`."""
    is_register = [channel.kind == "register" for channel, _, _ in asked]
    answers: dict[int, KnownStretches] = {}
    wanted = [index for index, is_one in enumerate(is_register) if is_one]
    reads = await read_reads(queries, [asked[index] for index in wanted], _of(pins, wanted))
    for index, of_channel in zip(wanted, reads, strict=True):
        channel = asked[index][0]
        known = [row.read for row in of_channel if row.value is not None]
        work = partial(between, known, channel.register, channel.register_factor)
        found = await off_loop(work) if len(known) > MANY else work()
        answers[index] = KnownStretches(found, _newest(of_channel))
    others = [index for index, is_one in enumerate(is_register) if not is_one]
    if others:
        sent = [asked[index] for index in others]
        rows: list[list[_StretchRow]] = [[] for _ in others]
        windows, now = _windows(sent, _of(pins, others)), {"now": pins is None}
        for row in await queries.fetch_by_channel(_StretchRow, SQL["stretches_of"], windows, now):
            rows[row.span - 1].append(row)
        for index, of_stretches in zip(others, rows, strict=True):
            stretches = [row.stretch for row in of_stretches if row.quality != NEVER_SENT]
            answers[index] = KnownStretches(stretches, _newest(of_stretches))
    return [answers[index] for index in range(len(asked))]


def _of(
    pins: Sequence[datetime | None] | None, indexes: Sequence[int]
) -> list[datetime | None] | None:
    return None if pins is None else [pins[index] for index in indexes]


def _newest(rows: Sequence[StoredRead] | Sequence[_StretchRow]) -> datetime | None:
    return max((row.recorded_at for row in rows), default=None)


def _windows(asked: Sequence[Asked], pins: Sequence[datetime | None] | None) -> Columns:
    return {
        "channels": [channel.key for channel, _, _ in asked],
        "starts": [utc(start) for _, start, _ in asked],
        "ends": [utc(end) for _, _, end in asked],
        "margins": [_MARGIN if channel.by_days else timedelta() for channel, _, _ in asked],
        "pins": list(pins) if pins is not None else [None] * len(asked),
    }
