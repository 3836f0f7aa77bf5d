"""Runs a source without a service: what it emits is kept, and nothing is stored."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from energia.convert import dumps
from energia.metering.decoders import Item
from energia.metering.outcome import Counts, Outcome
from energia.metering.sources import Source
from energia.outgoing.client import Outgoing
from energia.settings import Outgoing as Rules
from energia.time import Clock, SystemClock

#: What a source of a test asks is on this machine.
_LOOPBACK: Final = Outgoing(Rules(allow=("127.0.0.0/8", "::1", "localhost")))


@attrs.define
class Gathered:
    """Stands for the service: an `Emit` that keeps what a source gives it.

    Attributes:
        state: What was saved, as it comes back from JSON.
        items: What was emitted.
        files: The files that were: their bytes, their formats and their options.
        is_connected: Whether the device has answered.
        clock: Tells the time.
        outgoing: Asks public addresses and those of this machine.

    """

    state: dict[str, Any] = attrs.field(factory=dict)
    items: list[Item] = attrs.field(factory=list)
    files: list[tuple[bytes, str, Mapping[str, str]]] = attrs.field(factory=list)
    is_connected: bool = False
    clock: Clock = attrs.field(factory=SystemClock)
    outgoing: Outgoing = _LOOPBACK
    _more: asyncio.Event = attrs.field(factory=asyncio.Event)

    def now(self) -> datetime:
        """Return the present moment."""
        return self.clock.now()

    def connected(self) -> None:
        """Note that the device answers."""
        self.is_connected = True

    @property
    def count(self) -> int:
        """How many items and files there are."""
        return len(self.items) + len(self.files)

    async def save(self, state: Mapping[str, Any], /) -> None:
        """Keep a state, as JSON has it, beside what was saved before."""
        self.state |= json.loads(dumps(dict(state)), parse_float=Decimal)
        self.state = {name: value for name, value in self.state.items() if value is not None}

    async def __call__(
        self, items: Iterable[Item], /, state: Mapping[str, Any] | None = None
    ) -> None:
        """Keep items, and the state with them."""
        self.items += items
        if state is not None:
            await self.save(state)
        self._more.set()

    async def file(
        self,
        chunks: Iterable[bytes],
        format: str,
        options: Mapping[str, str],
        state: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Keep a file, and the state with it; its readings are of no number."""
        self.files.append((b"".join(chunks), format, options))
        if state is not None:
            await self.save(state)
        self._more.set()
        return Outcome.of("", Counts(), (), (), ())

    async def until(self, count: int) -> None:
        """Wait until there are so many items and files."""
        while self.count < count:
            self._more.clear()
            await self._more.wait()


async def gathered(
    source: Source,
    count: int = 1,
    state: Mapping[str, Any] | None = None,
    seconds: float = 10,
    clock: Clock | None = None,
) -> Gathered:
    """Run a source until it has emitted so many items, and return what it gave.

    Args:
        source: The source.
        count: How many readings, problems and files are waited for.
        state: What it saved before.
        seconds: For how long to wait.
        clock: Tells the time; without one, the machine's does.

    Raises what the source raises, and `TimeoutError`.

    """
    emit = Gathered(dict(state or {}), clock=clock or SystemClock())
    running, enough = asyncio.create_task(source.run(emit)), asyncio.create_task(emit.until(count))
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait({running, enough}, return_when=asyncio.FIRST_COMPLETED)
        if running.done() and emit.count < count:
            await running
        return emit
    finally:
        running.cancel()
        enough.cancel()
        await asyncio.gather(running, enough, return_exceptions=True)
