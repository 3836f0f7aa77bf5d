"""Imports: the readings of a JSON body or of a file, stored whole or not at all.

A reading passes, in this order: `body` or `files` (what was sent, as runs of numbers), `validation`
(its channel, slot and exact quantity), `blocks` (the day that it belongs to, read from the
database) and `merge` (the new state of the day). Here is what holds that together: one transaction,
one answer, and observers that hear of it after the commit.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

import attrs
import msgspec

from energia.db.queries import load
from energia.db.tenant import Queries, Tenant, persistent
from energia.errors import Fault, Invalid, Malformed, NotFound
from energia.ids import new_id
from energia.metering.blocks import BlockStore
from energia.metering.body import Body, BodyReadings, decode
from energia.metering.decoders import Decoder, Defaults
from energia.metering.files import Spool
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
from energia.metering.validation import Directory, ReadingRuns, refuse_rows, validated
from energia.settings import Settings
from energia.time import Clock

SQL: Final = load(__package__)

#: Bodies from this size are decoded in a thread, so that the service keeps answering.
_LARGE: Final = 128 * 1024


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
        with self._refusals("json"):
            return await persistent(lambda: self._body(body, skip))

    async def _body(self, body: Body, skip: bool) -> Outcome:
        problems = Problems(self.limit)
        decoded, sha256 = await _decoded(body, problems)
        refuse_rows(decoded.received, self.rows)
        async with self.tenant.transaction() as queries:
            import_ = await Import.begin(
                queries, self._rules(skip), problems, "json", one_batch=len(decoded.runs) == 1
            )
            if len(decoded.runs) > 1:
                await import_.meet({meter for runs in decoded.runs for meter in runs.meters})
            for runs in decoded.runs:
                await import_.add(runs)
            outcome = await import_.finish(decoded.received, sha256)
        return self._announced(import_, outcome)

    async def file(
        self,
        chunks: Iterable[bytes],
        decoder: Decoder,
        options: Any,
        defaults: Defaults = Defaults(),  # noqa: B008
        *,
        skip: bool = False,
    ) -> Outcome:
        """Store a file; with *skip* what is right of it, and the rest is reported.

        Raises what the decoder raises, `TooLarge` for more readings than `limits.rows`, `Invalid`
        with all problems, or `Deadlock` where others stood in the way, again and again.
        """
        problems, digest = Problems(self.limit), hashlib.sha256()
        items = decoder.decode(_hashed(chunks, digest.update), options)
        with self._refusals(decoder.name), Spool.opened() as spool:
            # First all of it is decoded, so that what is held while it is stored is held briefly.
            await asyncio.to_thread(spool.fill, items, defaults, problems, self.rows)
            store = partial(self._spooled, spool, problems, decoder.name, digest.hexdigest(), skip)
            return await persistent(store)

    async def _spooled(
        self, spool: Spool, problems: Problems, format_: str, sha256: str, skip: bool
    ) -> Outcome:
        """Store what is in *spool*, of which *problems* were noted while it was filled."""
        spool.rewind()
        async with self.tenant.transaction() as queries:
            import_ = await Import.begin(queries, self._rules(skip), problems.copy(), format_)
            await import_.meet(spool.meters)
            import_.counts.superseded = spool.superseded
            while (runs := await asyncio.to_thread(spool.take)) is not None:
                await import_.add(runs)
            outcome = await import_.finish(spool.received, sha256)
        return self._announced(import_, outcome)

    def _rules(self, skip: bool) -> "ImportRules":
        return ImportRules(self.clock.now().timestamp(), self.grace, skip)

    def _announced(self, import_: "Import", outcome: Outcome) -> Outcome:
        """Let the observers hear of an import, and return its outcome."""
        self.observers.readings_stored(import_.event(outcome))
        if reasons := dict(import_.problems.counts):
            self.observers.readings_rejected(ReadingsRejected(import_.format, reasons))
        return outcome

    @contextmanager
    def _refusals(self, format_: str) -> Iterator[None]:
        """Let the observers hear of readings that are refused within."""
        try:
            yield
        except (Invalid, Malformed) as error:
            reasons = dict(error.counts) or {error.code: 1}
            self.observers.readings_rejected(ReadingsRejected(format_, reasons))
            raise


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
        meters: Those that got values.

    """

    queries: Queries
    number: int
    rules: ImportRules
    problems: Problems
    format: str
    counts: Counts
    store: BlockStore
    directory: Directory = attrs.Factory(Directory)
    meters: set[str] = attrs.Factory(set)

    @classmethod
    async def begin(
        cls,
        queries: Queries,
        rules: ImportRules,
        problems: Problems,
        format: str,
        *,
        one_batch: bool = False,
    ) -> Self:
        """Begin an import in a transaction; with *one_batch*, `add` is called once only."""
        number = (await queries.fetch(int, SQL["import_number"]))[0]
        counts = Counts()
        store = BlockStore(queries, number, rules.now, rules.grace, counts, problems, one_batch)
        return cls(queries, number, rules, problems, format, counts, store)

    async def meet(self, meters: Collection[str]) -> None:
        """Lock the channels of the meters of several batches, all at once and so in one order."""
        await self.directory.look_up(self.queries, meters, hold=not self.failed)

    async def add(self, runs: ReadingRuns) -> None:
        """Check and store readings; what is wrong is noted in `problems`; raises `LostRace`.

        Once the import has failed, the rest is only checked, so that the answer has all problems.
        """
        await self.directory.look_up(self.queries, runs.meters, hold=not self.failed)
        async for readings in validated(runs, self.directory, self.problems):
            self.counts.repeated += readings.repeated
            self.meters |= readings.meters
            if self.failed:
                await asyncio.sleep(0)  # checking alone would keep everyone else waiting
            else:
                await self.store.put(readings.blocks)

    @property
    def failed(self) -> bool:
        """Whether nothing is to be stored, because something is wrong."""
        return bool(self.problems.counts) and not self.rules.skip

    async def finish(self, received: int, sha256: str) -> Outcome:
        """Keep the outcome of *received* readings; raises `Invalid` with all problems."""
        if self.failed:
            raise self.problems.error()
        self.counts.received = received
        self.counts.rejected = self.problems.rejected
        if self.counts.corrected and self.format != "json":
            await self._warn_of_same(sha256)
        problems, unknown = self.problems.listed(), self.directory.unknown
        outcome = Outcome.of(f"imp_{new_id()}", self.counts, self.meters, unknown, problems)
        row = (
            self.number,
            outcome.import_,
            self.format,
            sha256,
            msgspec.json.encode(self.counts).decode(),
            msgspec.json.encode(outcome.problems).decode(),
        )
        await self.queries.execute(SQL["import_add"], *row)
        return outcome

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
        return ReadingsStored(outcome.import_, self.format, self.counts, outcome.meters)


# The imports of the past.


async def list_imports(queries: Queries, before: str | None, limit: int) -> Sequence[Listed]:
    """Return at most *limit* imports older than the id *before*, the newest first."""
    rows = await queries.fetch(ImportRow, SQL["import_list"], before, before, limit)
    return [Listed.of(row) for row in rows]


async def get_import(queries: Queries, id_: str) -> Kept:
    """Return an import with its problems; raises `NotFound`."""
    rows = await queries.fetch(ImportRow, SQL["import_get"], id_)
    if not rows:
        raise NotFound(f"there is no import {id_!r}")
    return Kept.of(rows[0])
