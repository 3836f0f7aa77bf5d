"""How readings come in: JSON bodies and files, each one import, stored whole or not at all."""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from uuid import UUID

import attrs
import msgspec
import numpy as np

from energia.db.queries import load
from energia.errors import Invalid, Malformed, NotFound
from energia.metering import batch, blocks, resolution
from energia.metering.batch import Batch, Repeats
from energia.metering.blocks import LostRace
from energia.metering.body import Body, Decoded, decode
from energia.metering.columns import Sent
from energia.metering.decoders import Decoder, Defaults
from energia.metering.files import Spool, refuse_rows
from energia.metering.merge import Blocks, Stored, merge
from energia.metering.models import Channel
from energia.metering.outcome import (
    NOBODY,
    Counts,
    Kept,
    KeptRow,
    Listed,
    Observers,
    Outcome,
    Problems,
    ReadingsRejected,
    ReadingsStored,
)
from energia.metering.resolution import GROUP, Known
from energia.metering.series import NEVER_SENT
from energia.settings import Settings
from energia.time import Int64

if TYPE_CHECKING:
    from energia.db.tenant import Queries, Tenant
    from energia.time import Clock


def new_id() -> str:
    """Return a UUID of version 7 (RFC 9562)."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=number & ~(0x3 << 62) | 0x2 << 62))


# An import: any number of batches of readings, stored in one transaction or not at all.

SQL: Final = load(__package__)

T = TypeVar("T")

#: Slots in one message of blocks: a year of quarter-hours of a channel.
BLOCK_SLOTS: Final = 365 * 96
#: Single slots in one message.
SLOTS: Final = 5000
#: From how many blocks with one new slot each these go by themselves.
_SINGLES: Final = 16


@attrs.frozen
class Rules:
    """What holds for an import.

    Attributes:
        now: When it arrived, in seconds since 1970-01-01T00:00Z.
        grace: Seconds after the end of a day for which fills of it are live.
        skip: Whether to store what is right and to report the rest, instead of storing nothing.

    """

    now: float
    grace: float = 7200.0
    skip: bool = False


@attrs.define(eq=False)
class Import:
    """One import that is under way, inside a transaction.

    Attributes:
        queries: The transaction.
        number: Its number in the database.
        rules: What holds for it.
        problems: What is wrong.
        counts: What became of the readings.
        format: What it came as.
        one_batch: Whether `add` is called once only.

    """

    queries: "Queries"
    number: int
    rules: Rules
    problems: Problems
    format: str
    one_batch: bool = False
    counts: Counts = attrs.Factory(Counts)
    known: Known = attrs.Factory(Known)
    meters: set[str] = attrs.Factory(set)
    _repeats: dict[int, Repeats] = attrs.Factory(dict)

    @classmethod
    async def begin(
        cls,
        queries: "Queries",
        rules: Rules,
        problems: Problems,
        format: str,
    ) -> Self:
        """Begin an import in a transaction; the attributes say what the arguments are."""
        number = await queries.fetch(int, SQL["import_number"])
        return cls(queries, number[0], rules, problems, format)

    async def add(self, sent: Sent) -> None:
        """Check and store readings; what is wrong is noted in `problems`.

        Raises:
            LostRace: Someone else wrote the same days, which locks exclude.

        """
        await self._look_up(sent)
        place = partial(resolution.place, sent, self.known, self.problems)
        placed = await _worked(place, len(sent.origins))
        for runs in placed.groups(sent.lengths, self.known.intervals):
            work = partial(batch.make, sent, placed, runs, self.known, self.problems)
            made = await _worked(work, len(sent.values))
            self.counts.repeated += made.repeated
            self.meters.update(self.known.channels[i].meter for i in made.targets.tolist())
            if self.failed:
                await asyncio.sleep(0)
            else:
                await self._store(made)

    @property
    def failed(self) -> bool:
        """Whether nothing is to be stored, because something is wrong."""
        return bool(self.problems.counts) and not self.rules.skip

    async def finish(self, received: int, sha256: str) -> Outcome:
        """Keep what became of *received* readings; raises `Invalid` with all problems."""
        if self.failed:
            raise self.problems.refuse()
        self.counts.received = received
        self.counts.rejected = self.problems.rejected
        outcome = Outcome.of(
            f"imp_{new_id()}", self.counts, self.meters, self.known.unknown, self.problems.told()
        )
        counts = msgspec.json.encode(self.counts).decode()
        problems = msgspec.json.encode(outcome.problems).decode()
        row = (self.number, outcome.import_, self.format, sha256, counts, problems)
        await self.queries.execute(SQL["import_add"], *row)
        return outcome

    def event(self, outcome: Outcome) -> ReadingsStored:
        """Return what observers are told after the commit."""
        return ReadingsStored(outcome.import_, self.format, self.counts, outcome.meters)

    async def _look_up(self, sent: Sent) -> None:
        """Find the channels of meters that are new to this import; hold them if they get values."""
        meters = (meter for meter, _, _ in sent.origins)
        asked = await _worked(partial(self.known.new, meters), len(sent.origins))
        if asked:
            sql = SQL["channels_of" if self.failed else "channels_lock_for_readings"]
            self.known.add(asked, await self.queries.fetch(Channel, sql, asked))

    async def _store(self, made: Batch) -> None:
        if self.one_batch:
            singles = made.singles()
            if singles.all() or singles.sum() >= _SINGLES:
                for part in made.some(singles).slices(SLOTS):
                    await self._store_slots(part)
                made = made.some(~singles)
        for part in made.slices(max(1, BLOCK_SLOTS // made.width)):
            await self._store_blocks(part)

    async def _store_slots(self, part: Batch) -> None:
        """Store batches of one actual value a block: no array travels."""
        live = part.live(self.rules.now, self.rules.grace)
        slots = blocks.Slots(part.keys, part.index, part.values, live)
        put = await blocks.write_slots(self.queries, slots, part.width, self.number)
        self.counts.created += put.created
        self.counts.unchanged += put.unchanged
        self.counts.corrected += put.corrected

    async def _store_blocks(self, part: Batch) -> None:
        if not len(part.keys):
            return
        found = await blocks.read(self.queries, part.keys, part.width)
        new, last = part.blocks(), found.blocks.last_filled
        own = np.zeros(len(part.keys), bool)
        rows, repeats = None, None
        if not self.one_batch:
            repeats = self._repeats.setdefault(part.width, Repeats(part.width))
            rows = repeats.rows(part.keys.channels, part.keys.days, last)
            self._fold_again(part, repeats, rows, new, found)
            own, last = repeats.own[rows], repeats.last[rows]
        exists = found.revisions > 0
        live = part.live(self.rules.now, self.rules.grace)
        merged = merge(new, Stored(found.blocks, exists, live, own, last))
        await blocks.write(self.queries, part.keys, merged, found, self.number)
        if repeats is not None and rows is not None:
            repeats.own[rows] |= merged.write & (merged.revise | ~exists)
        self.counts.created += merged.created
        self.counts.unchanged += merged.unchanged
        self.counts.corrected += merged.corrected
        self.counts.missing += merged.missing

    def _fold_again(
        self,
        part: Batch,
        repeats: Repeats,
        rows: Int64,
        new: Blocks,
        found: blocks.Found,
    ) -> None:
        """Take out what an earlier batch sent: equal is repeated, other is refused."""
        before = repeats.swap(rows[part.row], part.index, part.quality)
        again = before != NEVER_SENT
        if not again.any():
            return
        stored = found.blocks.values[part.row, part.index]
        equal = (before == part.quality) & ((before == 0) | (stored == part.values))
        self.counts.repeated += int((again & equal).sum())
        self.problems.add_each(
            "duplicate_in_request",
            np.flatnonzero(again & ~equal).tolist(),
            lambda i: batch.differing(part.sent, int(part.at[i]), part.values[i], stored[i]),
        )
        new.quality[part.row[again], part.index[again]] = NEVER_SENT


async def _worked(work: Callable[[], T], size: int) -> T:
    """Do *work* on *size* things, in a thread if they are many: the service keeps answering."""
    return await asyncio.to_thread(work) if size > 2 * GROUP else work()


# How readings come in: JSON bodies and files, each one import.

#: Bodies from this size are decoded in a thread, so that the service keeps answering.
_LARGE: Final = 128 * 1024
#: How often a body is stored again after a lost race.
_TRIES: Final = 3


@attrs.frozen(eq=False)
class Intake:
    """Takes readings in for one organization.

    Make one with `Intake.of`, so that no limit of the settings is left out.

    Attributes:
        tenant: The database.
        clock: Tells whether a day is over.
        grace: For how many seconds after the end of a day fills of it are live.
        limit: How many problems an answer lists.
        rows: How many readings one body or file may have.
        observers: Hear of every import after its commit, and of refusals.

    """

    tenant: "Tenant"
    clock: "Clock"
    grace: float
    limit: int
    rows: int
    observers: Observers

    @classmethod
    def of(
        cls,
        settings: Settings,
        clock: "Clock",
        tenant: "Tenant",
        observers: Observers = NOBODY,
    ) -> Self:
        """Return the intake of an organization under *settings*.

        A service names its plugins as the *observers*; a command has none.
        """
        limits = settings.limits
        grace = settings.readings.live_grace
        return cls(tenant, clock, grace, limits.problems, limits.rows, observers)

    async def body(self, body: Body, *, skip: bool = False) -> Outcome:
        """Store a JSON body; raises `Malformed`, `TooLarge`, or `Invalid` with all problems."""
        with self._refusals("json"):
            for last in range(1 - _TRIES, 1):
                try:
                    return await self._body(body, skip)
                except LostRace:
                    if not last:
                        raise
        raise AssertionError("unreachable")

    async def _body(self, body: Body, skip: bool) -> Outcome:
        problems = Problems(self.limit)
        decoded, sha256 = await _in_thread(body, problems)
        refuse_rows(decoded.received, self.rows)
        async with self.tenant.transaction() as queries:
            started = await Import.begin(queries, self._rules(skip), problems, "json")
            started.one_batch = len(decoded.sent) == 1
            for sent in decoded.sent:
                await started.add(sent)
            outcome = await started.finish(decoded.received, sha256)
        return self._tell(started, outcome)

    async def file(
        self,
        chunks: Iterable[bytes],
        decoder: Decoder,
        options: Any,
        defaults: Defaults = Defaults(),  # noqa: B008
        *,
        skip: bool = False,
    ) -> Outcome:
        """Store a file; raises what the decoder raises, or `Invalid` with all problems."""
        problems, digest, rules = Problems(self.limit), hashlib.sha256(), self._rules(skip)
        items = decoder.decode(_hashed(chunks, digest.update), options)
        with self._refusals(decoder.name), Spool.opened() as spool:
            # First all of it is decoded, so that what is held while it is stored is held briefly.
            await asyncio.to_thread(spool.fill, items, defaults, problems, self.rows)
            async with self.tenant.transaction() as queries:
                started = await Import.begin(queries, rules, problems, decoder.name)
                while (sent := await asyncio.to_thread(spool.take)) is not None:
                    await started.add(sent)
                outcome = await started.finish(spool.received, digest.hexdigest())
        return self._tell(started, outcome)

    def _rules(self, skip: bool) -> Rules:
        return Rules(self.clock.now().timestamp(), self.grace, skip)

    def _tell(self, started: Import, outcome: Outcome) -> Outcome:
        self.observers.readings_stored(started.event(outcome))
        if started.problems.counts:
            self.observers.readings_rejected(
                ReadingsRejected(started.format, dict(started.problems.counts))
            )
        return outcome

    @contextmanager
    def _refusals(self, format_: str) -> Iterator[None]:
        """Tell of readings that are refused within."""
        try:
            yield
        except (Invalid, Malformed) as error:
            reasons = dict(error.counts) or {error.code: 1}
            self.observers.readings_rejected(ReadingsRejected(format_, reasons))
            raise


def _hashed(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


async def _in_thread(body: Body, problems: Problems) -> tuple[Decoded, str]:
    def work() -> tuple[Decoded, str]:
        digest = hashlib.sha256(body.readings)
        digest.update(body.series)
        return decode(body, problems), digest.hexdigest()

    if len(memoryview(body.readings)) + len(memoryview(body.series)) < _LARGE:
        return work()
    return await asyncio.to_thread(work)


# What became of imports.


async def imports(queries: "Queries", before: str | None, limit: int) -> list[Listed]:
    """Return at most *limit* imports older than the id *before*, the newest first."""
    rows = await queries.fetch(KeptRow, SQL["import_list"], before, before, limit)
    return [Listed.of(row) for row in rows]


async def one(queries: "Queries", id_: str) -> Kept:
    """Return an import with its problems; raises `NotFound`."""
    rows = await queries.fetch(KeptRow, SQL["import_get"], id_)
    if not rows:
        raise NotFound(f"there is no import {id_!r}")
    return Kept.of(rows[0])
