"""Imports: the readings of a JSON body or of a file, stored whole or not at all.

A reading passes, in this order: `body` or `files` (what was sent, as runs of numbers), `validation`
(its channel, slot and exact quantity), `blocks` (the day that it belongs to, read from the
database) and `merge` (the new state of the day). Here is what holds that together: one transaction,
one answer, and observers that hear of it after the commit.
"""

import asyncio
import hashlib
import sys
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, suppress
from copy import deepcopy
from functools import partial
from typing import Any, Final, Self, TypeVar

import attrs
import msgspec

from energia.convert import dumps
from energia.convert.scalars import Unfit
from energia.db.queries import load
from energia.db.tenant import Columns, Queries, Tenant, persistent
from energia.errors import Fault, Invalid, Malformed, NotFound
from energia.ids import new_id
from energia.metering import packs, registry
from energia.metering.blocks import BlockStore
from energia.metering.body import Body, BodyReadings, decode
from energia.metering.counters import Counters
from energia.metering.decoders import Decoder, Defaults, HasMany, Item, MeterRead, reading_by
from energia.metering.files import FileBatch, Parts, Spool, runs_of
from energia.metering.irregular import sent_read, sent_stretch
from energia.metering.models import NewRead, NewReads, NewStretch, NewStretches
from energia.metering.outcome import (
    NOBODY,
    WARNING,
    Counts,
    ImportRow,
    Kept,
    Listed,
    Observers,
    Outcome,
    Problems,
    ReadingsRejected,
    ReadingsStored,
)
from energia.metering.reads import ReadStore, SentRead, SentStretch
from energia.metering.validation import (
    Directory,
    ReadingRuns,
    Refusal,
    ValidReadings,
    ValidStretches,
    id_literal,
    refuse_rows,
    validated,
)
from energia.settings import Settings
from energia.time import Clock, Zone, utc
from energia.units import GasHeat

SQL: Final = load(__package__)

S = TypeVar("S", NewRead, NewStretch)

#: Bodies from this size are decoded in a thread, so that the service keeps answering.
_LARGE: Final = 128 * 1024
#: About how many readings of a file `Intake.parts` stores at a time.
PART: Final = 1_000_000
#: How many meters a webhook is told at most.
_TOLD: Final = 100
#: How many imports one page looks at, for those of a meter.
LOOKED_AT: Final = 10_000
#: What is done beside an import, in its transaction.
Also = Callable[[Queries, Outcome], Awaitable[None]]


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

    tenant: Tenant
    clock: Clock
    grace: float
    limit: int
    rows: int
    observers: Observers

    @classmethod
    def of(
        cls, settings: Settings, clock: Clock, tenant: Tenant, observers: Observers = NOBODY
    ) -> Self:
        """Return the intake of an organization under *settings*.

        A service names its plugins as the *observers*; a command has none.
        """
        limits = settings.limits
        grace = settings.readings.live_grace
        return cls(tenant, clock, grace, limits.problems, limits.rows, observers)

    async def body(self, body: Body, *, skip: bool = False) -> Outcome:
        """Store a JSON body; with *skip* what is right of it, and the rest is reported.

        Raises:
            Malformed: It is not JSON.
            TooLarge: It has more readings than `limits.rows`.
            Invalid: Something is wrong, unless *skip*; it says all problems.
            Deadlock, LostRace: Others stood in the way, again and again.

        """
        async with self._refusals("json"):
            return await persistent(lambda: self._body(body, skip))

    async def _body(self, body: Body, skip: bool) -> Outcome:
        problems = Problems(self.limit)
        decoded, sha256 = await _decoded(body, problems)
        refuse_rows(decoded.received, self.rows)
        async with self.tenant.transaction() as queries:
            import_ = await Import.begin(
                queries,
                self._rules(skip),
                problems,
                "json",
                {meter for runs in decoded.runs for meter in runs.meters},
                one_batch=len(decoded.runs) == 1,
            )
            for runs in decoded.runs:
                await import_.add(runs)
            outcome = await import_.finish(decoded.received, sha256)
        return self._announced(import_, outcome)

    async def file(  # noqa: PLR0913 - what a file is, and what is done with it
        self,
        chunks: Iterable[bytes],
        decoder: Decoder,
        options: Any,
        defaults: Defaults = Defaults(),  # noqa: B008
        *,
        skip: bool = False,
        dry_run: bool = False,
        site: str | None = None,
        also: "Also | None" = None,
    ) -> Outcome:
        """Store a file; with *skip* what is right of it, and the rest is reported.

        With *dry_run* all of it is checked against what is stored, and then undone. With a *site*
        meters and channels that the file describes, and that do not exist, are made. What *also*
        does, given the outcome, it does in the same transaction.

        Raises what the decoder raises, `TooLarge` for more readings than `limits.rows`, `Invalid`
        with all problems, or `Deadlock` where others stood in the way, again and again.
        """
        problems, digest = Problems(self.limit), hashlib.sha256()
        sent_bytes = _hashed(chunks, digest.update)
        decode = decoder.decode_many if isinstance(decoder, HasMany) else decoder.decode
        items = decode(sent_bytes, options)
        async with self._refusals(decoder.name), Spool.opened(site) as spool:
            # First all of it is decoded, so that what is held while it is stored is held briefly.
            with reading_by(decoder.name):
                await asyncio.to_thread(spool.fill, items, defaults, problems, self.rows)
            sent = _Sent(decoder.name, digest.hexdigest(), defaults.gas)
            part = _Part(spool, problems, sent, skip, also=also)
            if dry_run:
                return await persistent(partial(self._undone, part))
            return (await persistent(partial(self._stored, part)))[0]

    async def parts(  # noqa: PLR0913 - the same
        self,
        chunks: Iterable[bytes],
        decoder: Decoder,
        options: Any,
        defaults: Defaults = Defaults(),  # noqa: B008
        *,
        skip: bool = False,
        first: int = 1,
        size: int = PART,
        site: str | None = None,
    ) -> AsyncGenerator["StoredPart", None]:
        """Store a file of any length part by part, each of about *size* readings as an import.

        What is before the line *first* is left out. A slot that comes twice in the file is one,
        whichever parts it comes in, and of what was published several times the last stands.

        Raises what `file` raises; what was yielded before is stored.
        """
        digest, before = hashlib.sha256(), None
        divided = Parts(decoder.decode(_hashed(chunks, digest.update), options), size, first)
        async with self._refusals(decoder.name), Spool.opened(site) as spool:
            while not divided.ended:
                problems = Problems(self.limit)
                spool.empty()
                with reading_by(decoder.name):
                    await asyncio.to_thread(
                        spool.fill, divided.part(), defaults, problems, sys.maxsize
                    )
                sent = _Sent(decoder.name, digest.hexdigest(), defaults.gas)
                part = _Part(spool, problems, sent, skip, before)
                outcome, before = await persistent(partial(self._stored, part))
                yield StoredPart(outcome, divided.line if divided.ordered else None)

    async def items(
        self,
        items: Iterable[Item],
        source: str,
        also: Also,
    ) -> Outcome:
        """Store what is right of the readings of a *source*; the rest is reported.

        What *also* does, given the outcome, it does in the same transaction. Raises what that
        raises, `TooLarge` for more readings than `limits.rows`, or `Deadlock` where others stood
        in the way, again and again.
        """
        problems, sent = Problems(self.limit), _Sent(source)
        async with Spool.opened() as spool:
            await asyncio.to_thread(spool.fill, items, Defaults(), problems, self.rows)
            part = _Part(spool, problems, sent, skip=True, also=also)
            return (await persistent(partial(self._stored, part)))[0]

    async def reads(self, meter: str, new: NewReads) -> Outcome:
        """Store reads of the registers of a meter: all of them, or none.

        Raises:
            NotFound: There is no such meter.
            Invalid: Something is wrong; it says all problems.
            Deadlock: Others stood in the way, again and again.

        """
        return await persistent(lambda: self._of_meter(meter, new, "/reads", new.reads, sent_read))

    async def stretches(self, meter: str, new: NewStretches) -> Outcome:
        """Store stretches of the irregular channels of a meter; see `reads`."""
        sent = new.stretches
        return await persistent(
            lambda: self._of_meter(meter, new, "/stretches", sent, sent_stretch)
        )

    async def withdraw(self, meter: str, new: NewRead | NewStretch) -> Outcome:
        """Take a read back, or a stretch, whatever its value; raises `NotFound`, or `Invalid`."""
        return await persistent(lambda: self._withdrawn(meter, new))

    async def _withdrawn(self, meter: str, new: NewRead | NewStretch) -> Outcome:
        place, problems = Fault("", ""), Problems(self.limit)
        async with self._refusals("json"), self.tenant.transaction() as queries:
            zone = Zone.named(await registry.zone_of(queries, meter))
            import_ = await Import.begin(
                queries, self._rules(skip=False), problems, "json", {meter}
            )
            try:
                gone = await import_.withdraw(meter, zone, new, place)
            except Unfit as error:
                raise Invalid.of(error.code, error.message, "/query/channel") from None
            if not gone:
                raise NotFound(f"the meter {meter!r} has nothing there")
            outcome = await import_.finish(1, hashlib.sha256(dumps(new)).hexdigest())
        return self._announced(import_, outcome)

    async def _of_meter(
        self,
        meter: str,
        new: NewReads | NewStretches,
        pointer: str,
        items: Sequence[S],
        made: Callable[[Directory, str, Zone, S, Fault], SentRead | SentStretch],
    ) -> Outcome:
        """Store what a body holds of a meter, an item a pointer."""
        problems = Problems(self.limit)
        digest = hashlib.sha256(dumps(new)).hexdigest()
        async with self._refusals("json"), self.tenant.transaction() as queries:
            zone = Zone.named(await registry.zone_of(queries, meter))
            import_ = await Import.begin(
                queries, self._rules(skip=False), problems, "json", {meter}
            )
            sent: list[SentRead | SentStretch] = []
            for index, item in enumerate(items):
                place = Fault("", "", f"{pointer}/{index}", index=index)
                try:
                    sent.append(made(import_.directory, meter, zone, item, place))
                except Unfit as error:
                    problems.add(attrs.evolve(place, code=error.code, message=error.message))
            await import_.put_reads([each for each in sent if isinstance(each, SentRead)])
            stretches = [each for each in sent if isinstance(each, SentStretch)]
            await import_.put_stretches(stretches)
            outcome = await import_.finish(len(items), digest)
        return self._announced(import_, outcome)

    async def _stored(self, part: "_Part") -> tuple[Outcome, "Import"]:
        """Store a part of a file; return the outcome, and the import."""
        async with self.tenant.transaction() as queries:
            import_ = await self._import(queries, part)
            outcome = await import_.finish(part.spool.received, part.sent.sha256)
            if part.also is not None:
                await part.also(queries, outcome)
        return self._announced(import_, outcome), import_

    async def _undone(self, part: "_Part") -> Outcome:
        """Store a file and undo it; return what its outcome would be."""
        with suppress(_Undo):
            async with self.tenant.transaction() as queries:
                import_ = await self._import(queries, part)
                outcome = await import_.finish(part.spool.received, part.sent.sha256)
                raise _Undo
        return attrs.evolve(outcome, id=None, import_=None)

    async def _import(self, queries: Queries, part: "_Part") -> "Import":
        """Store a part of a file within a transaction."""
        spool, problems = part.spool, part.problems.copy()
        spool.rewind()
        import_ = await Import.begin(queries, self._rules(part.skip), problems, part.sent.format)
        import_.directory.gas = part.sent.gas
        import_.counters.in_parts = not part.sent.is_file
        if part.before is not None:
            import_.follow(part.before)
        if spool.named is not None:
            import_.made = await spool.named.make(queries, self.clock.now(), import_.problems)
        await import_.meet(spool.meters)
        import_.counts.superseded = spool.superseded
        async with aclosing(_batches(spool)) as batches:
            async for batch in batches:
                if isinstance(batch, FileBatch):
                    outdated = await import_.outdated(batch)
                    runs = batch.runs(outdated)
                    await import_.add(attrs.evolve(runs, is_doubted=part.sent.is_file))
                else:
                    await import_.add_reads(batch)
        return import_

    def _rules(self, skip: bool) -> "ImportRules":
        return ImportRules(self.clock.now().timestamp(), self.grace, skip)

    def _announced(self, import_: "Import", outcome: Outcome) -> Outcome:
        """Let the observers hear of an import once it is stored, and return its outcome."""
        self.tenant.committed(partial(self._tell, import_, outcome))
        return outcome

    def _tell(self, import_: "Import", outcome: Outcome) -> None:
        self.observers.readings_stored(import_.event(outcome))
        if reasons := dict(import_.problems.counts):
            self.observers.readings_rejected(ReadingsRejected(import_.format, reasons))

    @asynccontextmanager
    async def _refusals(self, format_: str) -> AsyncIterator[None]:
        """Let the observers hear of readings that are refused within."""
        try:
            yield
        except (Invalid, Malformed) as error:
            reasons = dict(error.counts) or {error.code: 1}
            self.observers.readings_rejected(ReadingsRejected(format_, reasons))
            raise


async def _batches(spool: Spool) -> AsyncGenerator[FileBatch | list[MeterRead], None]:
    """Yield what a spool holds; a batch is taken while the one before it is stored."""
    taking = asyncio.create_task(asyncio.to_thread(spool.take))
    try:
        while (batch := await taking) is not None:
            taking = asyncio.create_task(asyncio.to_thread(spool.take))
            yield batch
    finally:
        # A thread goes on when nobody waits for it, and who tries again reads the same file.
        await asyncio.gather(taking, return_exceptions=True)


class _Undo(Exception):
    """Nothing of a transaction is to stay."""


@attrs.frozen
class _Sent:
    """What is known of readings besides themselves.

    Attributes:
        format: The format of their file, or the name of their source.
        sha256: The checksum of the file, or of what was read of it; none for a source.
        gas: What makes kWh of cubic metres.

    """

    format: str
    sha256: str = ""
    gas: GasHeat | None = None

    @property
    def is_file(self) -> bool:
        """Whether they are of a file; those of a source have no checksum.

        A source works out itself what registers counted, and cannot send again what is refused.
        """
        return bool(self.sha256)


@attrs.frozen(eq=False)
class _Part:
    """A file, or a part of one, that is decoded and to be stored.

    Attributes:
        spool: Its readings.
        problems: Those that were noted while they were decoded.
        sent: What is known of them.
        skip: Whether what is right is stored although something is wrong.
        before: The import of the part before it.
        also: What is done in the same transaction.

    """

    spool: Spool
    problems: Problems
    sent: _Sent
    skip: bool
    before: "Import | None" = None
    also: Also | None = None


@attrs.frozen
class StoredPart:
    """A part of a file that is stored.

    Attributes:
        outcome: The outcome of its import.
        line: The last line of it: what is up to there is stored; None where lines have no order.

    """

    outcome: Outcome
    line: int | None


async def _decoded(body: Body, problems: Problems) -> tuple[BodyReadings, str]:
    """Return the readings of a body and its checksum, in a thread if it is large."""

    def work() -> tuple[BodyReadings, str]:
        digest = hashlib.sha256(body.readings)
        digest.update(body.series)
        return decode(body, problems), digest.hexdigest()

    if len(memoryview(body.readings)) + len(memoryview(body.series)) < _LARGE:
        return work()
    return await asyncio.to_thread(work)


def _hashed(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


# One import, batch by batch.


@attrs.frozen
class ImportRules:
    """What holds for an import.

    Attributes:
        now: When it arrived, in seconds since 1970-01-01T00:00Z.
        grace: Seconds after the end of a day for which fills of it are live.
        skip: Whether to store what is right and to report the rest, instead of storing nothing.

    """

    now: float
    grace: float
    skip: bool = False


@attrs.define(eq=False)
class Import:
    """One import that is under way, inside a transaction.

    Attributes:
        queries: The transaction.
        number: Its number in the database.
        rules: What holds for it.
        problems: What is wrong.
        format: What it came as.
        counts: How many of its readings had each outcome.
        store: Where they go.
        directory: The channels of the meters that it names.
        has_met: Whether all meters that it names were met when it began.
        meters: Those that got values, in the order in which they were met: almost sorted.
        made: Channels that were made for it: `meter/channel`.
        counters: The registers of which it stores differences.

    """

    queries: Queries
    number: int
    rules: ImportRules
    problems: Problems
    format: str
    counts: Counts
    store: BlockStore
    directory: Directory = attrs.Factory(Directory)
    has_met: bool = False
    meters: dict[str, None] = attrs.Factory(dict)
    made: tuple[str, ...] = ()
    counters: Counters = attrs.Factory(Counters)
    _passed: int = 0

    @classmethod
    async def begin(  # noqa: PLR0913 - what an import is, and what it is known to be about
        cls,
        queries: Queries,
        rules: ImportRules,
        problems: Problems,
        format: str,
        meters: Collection[str] = (),
        *,
        one_batch: bool = False,
    ) -> Self:
        """Begin an import in a transaction; with *one_batch*, `add` is called once only.

        Where it is known which *meters* it names, all of them, they are met in the same message.
        """
        directory, counts = Directory(), Counts()
        has_met = bool(meters) and (rules.skip or not problems.counts)
        if has_met:
            number = await directory.begin(queries, meters)
        else:
            number = (await queries.fetch(int, SQL["import_number"]))[0]
        store = BlockStore(queries, number, rules.now, rules.grace, counts, problems, one_batch)
        return cls(queries, number, rules, problems, format, counts, store, directory, has_met)

    def follow(self, before: "Import") -> None:
        """Go on with a file of which the part *before* is stored.

        What that remembers is copied, as a transaction may be tried again.
        """
        touched = before.store.touched.items()
        self.store.touched = {width: each.following() for width, each in touched}
        self.counters = deepcopy(before.counters)

    async def meet(self, meters: Collection[str]) -> None:
        """Lock the channels of the meters of several batches, all at once and so in one order."""
        await self.directory.look_up(self.queries, meters, hold=not self.failed)

    async def add(self, runs: ReadingRuns) -> None:
        """Check and store readings; what is wrong is noted in `problems`; raises `LostRace`.

        Once the import has failed, the rest is only checked, so that the answer has all problems.
        """
        if not self.has_met:
            await self.directory.look_up(self.queries, runs.meters, hold=not self.failed)
        async for readings in validated(runs, self.directory, self.problems):
            self.meters |= dict.fromkeys(readings.meters)
            if self.failed:
                await asyncio.sleep(0)  # checking alone would keep everyone else waiting
            elif isinstance(readings, ValidStretches):
                await self._reads.put_stretches(readings.stretches)
            else:
                keys, before = readings.blocks.keys, self.directory.archived_before
                await packs.restore_before(self.queries, keys, before)
                await self.store.put(readings.blocks)
            if isinstance(readings, ValidReadings):
                self.counts.repeated += readings.repeated

    async def outdated(self, batch: FileBatch) -> list[tuple[int, int]]:
        """Return where values of a batch begin, and how many, that were published again since.

        Of a channel and a start, the run that was published last stands, whichever file it is in.
        """
        published = batch.published
        if not published or self.failed:
            return []
        await self.directory.look_up(
            self.queries, {origin[0] for origin, _ in published}, hold=True
        )
        found = [(self.directory.found(*origin[:2]), each) for origin, each in published]
        known = [(index, each) for index, each in found if not isinstance(index, Refusal)]
        columns: Columns = {
            "channels": [self.directory.channels[index].key for index, _ in known],
            "starts": [utc(each.start) for _, each in known],
            "published": [utc(each.published) for _, each in known],
        }
        later = await self.queries.fetch_by_channel(int, SQL["publications_put"], columns)
        stale = [known[number - 1][1] for number in later]
        self.counts.superseded += sum(each.count for each in stale)
        return [(each.first, each.count) for each in stale]

    async def add_reads(self, reads: Sequence[MeterRead]) -> None:
        """Check and store reads of registers; those for channels of slots become readings.

        A read that only says where the first slot begins is not counted as a reading.
        """
        meters = {read.meter or "" for read in reads}
        await self.directory.look_up(self.queries, meters, hold=not self.failed)
        result = self.counters.sorted(reads, self.directory, self.problems)
        self._passed += result.passed
        await self.put_reads(result.kept)
        if result.readings:
            await self.add(runs_of(result.readings))

    async def put_reads(self, sent: Sequence[SentRead]) -> None:
        """Store reads of registers, whose channels were looked up."""
        self.meters |= {each.channel.meter: None for each in sent}
        once = self._reads.once(sent)
        if once and not self.failed:
            await self._reads.put(once)

    async def withdraw(
        self, meter: str, zone: Zone, new: NewRead | NewStretch, place: Fault
    ) -> bool:
        """Take a read or a stretch back; tell whether there was one. Raises `Unfit`."""
        self.meters[meter] = None
        if isinstance(new, NewRead):
            return await self._reads.withdraw(sent_read(self.directory, meter, zone, new, place))
        stretch = sent_stretch(self.directory, meter, zone, new, place)
        return await self._reads.withdraw_stretch(stretch)

    async def put_stretches(self, sent: Sequence[SentStretch]) -> None:
        """Store stretches, whose channels were looked up."""
        self.meters |= {each.channel.meter: None for each in sent}
        if not self.failed:
            await self._reads.put_stretches(sent)

    @property
    def _reads(self) -> ReadStore:
        now, counts, problems = self.rules.now, self.counts, self.problems
        return ReadStore(self.queries, self.number, now, counts, problems)

    @property
    def failed(self) -> bool:
        """Whether nothing is to be stored, because something is wrong."""
        return bool(self.problems.counts) and not self.rules.skip

    async def finish(self, received: int, sha256: str) -> Outcome:
        """Keep the outcome of *received* readings; raises `Invalid` with all problems."""
        if self.failed:
            raise self.problems.error()
        self.counts.received = received - self._passed
        self.counts.rejected = self.problems.rejected
        if self.counts.corrected and self.format != "json":
            await self._warn_of_same(sha256)
        problems, unknown = self.problems.listed(), self.directory.unknown
        outcome = Outcome.of(f"imp_{new_id()}", self.counts, self.meters, unknown, problems)
        outcome = attrs.evolve(outcome, made=self.made)
        row = (
            self.number,
            outcome.id,
            self.format,
            sha256,
            msgspec.json.encode(self.counts).decode(),
            msgspec.json.encode(outcome.problems).decode(),
            # Problems quote values: whose they may be is kept, so that they can be forgotten.
            id_literal(self.directory.meters),
            self._told(outcome),
        )
        await self.queries.execute_last(SQL["import_add"], *row)
        return outcome

    def _told(self, outcome: Outcome) -> str | None:
        """Return what webhooks are told; None where nothing that is stored has changed."""
        if not self.counts.created + self.counts.corrected:
            return None
        about = {
            "id": outcome.import_,
            "format": self.format,
            "counts": self.counts,
            "meters": outcome.meters[:_TOLD],
            "meter_count": len(outcome.meters),
        }
        return msgspec.json.encode(about).decode()

    async def _warn_of_same(self, sha256: str) -> None:
        """Warn if this file was imported before, and now replaces readings.

        So it is where one column of it was imported, and now another one into the same channel:
        their sum may have been meant.
        """
        for before in await self.queries.fetch(str, SQL["import_same"], sha256):
            message = (
                f"the file was imported before ({before}); {self.counts.corrected} readings that "
                "are stored were replaced by it, and nothing was added up"
            )
            self.problems.add(Fault("same_file", message, severity=WARNING))

    def event(self, outcome: Outcome) -> ReadingsStored:
        """Return what observers hear after the commit."""
        number = str(outcome.id)
        return ReadingsStored(number, self.format, self.counts, outcome.meters)


# The imports of the past.


async def list_imports(queries: Queries, before: str | None, limit: int) -> Sequence[Listed]:
    """Return at most *limit* imports older than the id *before*, the newest first."""
    rows = await queries.fetch(ImportRow, SQL["import_list"], before, before, limit)
    return [Listed.of(row) for row in rows]


async def list_imports_of(
    queries: Queries, meter: str, before: str | None, limit: int, looked_at: int = LOOKED_AT
) -> tuple[list[Listed], str | None]:
    """Return at most *limit* imports that name a *meter*, and the id after which others may come.

    No more than so many imports are *looked_at*.
    """
    given = {"meter": meter, "before": before, "looked_at": looked_at, "limit": limit + 1}
    rows = await queries.fetch(ImportRow, SQL["import_list_of"], given)
    if len(rows) > limit:
        return [Listed.of(row) for row in rows[:limit]], rows[limit - 1].id
    last = await queries.fetch(str, SQL["import_after"], given)
    return [Listed.of(row) for row in rows], last[0] if last else None


async def get_import(queries: Queries, id_: str) -> Kept:
    """Return an import with its problems; raises `NotFound`."""
    rows = await queries.fetch(ImportRow, SQL["import_get"], id_)
    if not rows:
        raise NotFound(f"there is no import {id_!r}")
    return Kept.of(rows[0])
