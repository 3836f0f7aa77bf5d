"""Sources: what brings readings in by itself, for as long as the service runs.

This is what plugins implement that listen to a broker, poll a device or fetch from a web service
(`register_sources`); the names are public in `energia`. A source only reads: that it runs in one
replica at a time, is begun again when it fails and is shown by `/health`, and how its readings are
stored, is `keeper`'s, alike for every source.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import attrs

from energia.metering.decoders import Item
from energia.metering.outcome import OUTCOMES, Outcome
from energia.outgoing.client import Outgoing


class SourceFailed(Exception):
    """A source cannot go on: its device is away, or does not let it in.

    Attributes:
        reason: Why, for the log and for `/health`: without secrets.
        retry_after: For how many seconds the device wants to be left alone; the source is begun
            again no sooner.

    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        """State the reason."""
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


class Emit(Protocol):
    """What a running source is given: where its readings go, and what it left here last time."""

    @property
    def state(self) -> Mapping[str, Any]:
        """What the source has saved, by names of its own, as JSON has it; empty at first."""
        ...

    @property
    def outgoing(self) -> Outgoing:
        """What sends requests to others."""
        ...

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...

    def connected(self) -> None:
        """Note that the device answers: `/health` says so until `run` ends."""
        ...

    async def save(self, state: Mapping[str, Any], /) -> None:
        """Save where to go on after a restart; raises as a call does.

        Names that are not in *state* keep what was saved under them, those that have None are
        forgotten: a source of many devices saves those that changed.
        """
        ...

    async def __call__(
        self, items: Iterable[Item], /, state: Mapping[str, Any] | None = None
    ) -> Outcome | None:
        """Store readings, and return their outcome after the commit; None if there were none.

        What is wrong is left out and told, and the rest is stored. With *state*, that is saved in
        the same transaction: both are kept, or neither is. What was stored already changes
        nothing, so a source that does not know how far it came sends again.

        Raises:
            EnergiaError: Nothing was stored: the database is away, or another replica runs this
                source now. Let it pass: the source is begun again.

        """
        ...

    async def file(
        self,
        chunks: Iterable[bytes],
        format: str,
        options: Mapping[str, str],
        state: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Store a file in a format that the service knows, and return the outcome.

        It is as `POST /v1/imports` with `on_problem=skip`: *options* are those of the format, and
        `meter`, `channel` and `mapping`. The *chunks* are read in a thread.

        Raises:
            Invalid: There is no such format or mapping, or the options do not fit.
            Malformed: It is no file of the format.
            EnergiaError: As a call; nothing was stored either way.

        """
        ...


class Source(Protocol):
    """Brings readings in from elsewhere.

    A source may also state its `organization`: the key of the one that its meters are of, by
    default 1, the first one.

    Example:
        class Thermometer:
            name = "boiler"

            async def run(self, emit: Emit) -> None:
                async with connection("boiler.local") as device:
                    emit.connected()
                    async for value, end in device:
                        await emit([Reading(1, value, end=end, meter="boiler")])

    """

    @property
    def name(self) -> str:
        """The name of the source: of its state, its probe and its metrics."""
        ...

    async def run(self, emit: Emit, /) -> None:
        """Read until it is cancelled.

        It runs in one replica of the service at a time. Whatever it raises is logged, counted and
        told by `/health`; then it is begun again, after a pause that grows with each failure.

        Raises:
            SourceFailed: The device is away; any other error is logged with its traceback.

        """
        ...


@runtime_checkable
class HasOrganization(Protocol):
    """A source whose meters are not those of the first organization."""

    @property
    def organization(self) -> int:
        """The key of the organization."""
        ...


@attrs.define
class SourceStatus:
    """How a source is doing, as far as this process knows.

    Attributes:
        is_held: Whether this process runs it.
        is_connected: Whether its device answers.
        failures: How often it has failed here.
        readings: How many of its readings had each outcome.
        received_at: When readings of it were last stored.
        error: Why it does not run; None while it does.

    """

    is_held: bool = False
    is_connected: bool = False
    failures: int = 0
    readings: Counter[str] = attrs.field(factory=lambda: Counter(dict.fromkeys(OUTCOMES, 0)))
    received_at: datetime | None = None
    error: str | None = None
