"""How readings come in: JSON bodies and files, each one import."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from energia.errors import Invalid, Malformed
from energia.metering import decode
from energia.metering.bodies import Body
from energia.metering.decoding import Decoder, Defaults
from energia.metering.events import ReadingsRejected, ReadingsStored
from energia.metering.ingest import Import, Rules
from energia.metering.outcome import Outcome
from energia.metering.problems import Problems
from energia.metering.spool import Spool, refuse_rows
from energia.metering.store import LostRace

if TYPE_CHECKING:
    from energia.clock import Clock
    from energia.core import Core
    from energia.db.tenant import Tenant

#: Bodies from this size are decoded in a thread, so that the service keeps answering.
_LARGE: Final = 128 * 1024
#: How often a body is stored again after a lost race.
_TRIES: Final = 3


@attrs.frozen(eq=False)
class Intake:
    """Takes readings in for one organization.

    Attributes:
        tenant: The database.
        clock: Tells whether a day is over.
        grace: For how many seconds after the end of a day fills of it are live.
        limit: How many problems are told.
        rows: How many readings one body or file may have.
        stored: Told of every import, after its commit.
        rejected: Told of what was refused, be anything stored or not.

    """

    tenant: "Tenant"
    clock: "Clock"
    grace: float = 7200.0
    limit: int = 1000
    rows: int = 20_000_000
    stored: Callable[[ReadingsStored], None] = lambda _: None
    rejected: Callable[[ReadingsRejected], None] = lambda _: None

    @classmethod
    def of(cls, core: "Core", tenant: "Tenant") -> Self:
        """Return the intake of a service, which tells the plugins."""
        settings = core.settings
        return cls(
            tenant,
            core.clock,
            settings.readings.live_grace,
            settings.limits.problems,
            settings.limits.rows,
            core.plugins.readings_stored,
            core.plugins.readings_rejected,
        )

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
        self.stored(started.event(outcome))
        if started.problems.counts:
            self.rejected(ReadingsRejected(started.format, dict(started.problems.counts)))
        return outcome

    @contextmanager
    def _refusals(self, format_: str) -> Iterator[None]:
        """Tell of readings that are refused within."""
        try:
            yield
        except (Invalid, Malformed) as error:
            reasons = dict(error.counts) or {error.code: 1}
            self.rejected(ReadingsRejected(format_, reasons))
            raise


def _hashed(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


async def _in_thread(body: Body, problems: Problems) -> tuple[decode.Decoded, str]:
    def work() -> tuple[decode.Decoded, str]:
        digest = hashlib.sha256(body.readings)
        digest.update(body.series)
        return decode.decode(body, problems), digest.hexdigest()

    if len(memoryview(body.readings)) + len(memoryview(body.series)) < _LARGE:
        return work()
    return await asyncio.to_thread(work)
