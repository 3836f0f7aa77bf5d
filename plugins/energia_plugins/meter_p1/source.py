"""The source: telegrams of a meter, kept until they make readings.

A telegram comes each second, or every ten. The first whole one of each slot is kept for two hours;
what is kept is handed over as a file of the format `dsmr`, which makes readings of it: so slots of
an hour, as those of gas, have both of their ends.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from energia import Emit, Invalid, Malformed, SourceFailed
from energia.time import HOUR, length_of
from energia_plugins.meter_dsmr.telegrams import LONGEST, crc16
from energia_plugins.meter_p1.settings import Meter

#: Telegrams of so many seconds are kept.
_KEPT: Final = 2 * HOUR
#: Where the state has them.
_TELEGRAMS: Final = "telegrams"
#: What cannot be read will be so in a minute, too.
_LEFT_ALONE: Final = 600.0
_TIME: Final = re.compile(rb"^0-0:1\.0\.0\((\d{6})(\d\d)(\d\d)\d\d([SW])\)", re.MULTILINE)


class P1Source:
    """The telegrams of one meter."""

    def __init__(self, name: str, meter: Meter, organization: int = 1) -> None:
        self.name = f"p1-{name}"
        self.organization = organization
        self._meter = meter

    async def run(self, emit: Emit) -> None:
        """Hand over what is kept with each telegram that begins a slot."""
        try:
            interval = length_of(self._meter.options.get("interval", "PT15M"))
        except ValueError as error:
            raise SourceFailed(f"the option `interval`: {error}", _LEFT_ALONE) from None
        kept: list[str] = list(emit.state.get(_TELEGRAMS, ()))
        async with self._connection() as reader:
            while True:
                telegram = await self._telegram(reader)
                slot = _slot(telegram, interval)
                if slot is None:
                    continue
                emit.connected()
                if kept and slot == _slot(kept[-1].encode("latin-1"), interval):
                    continue
                kept = [*kept[-_KEPT // interval :], telegram.decode("latin-1")]
                kept = await self._hand_over(emit, kept)

    async def _hand_over(self, emit: Emit, kept: list[str]) -> list[str]:
        """Store what *kept* telegrams tell, and return those to keep.

        Where something of them was refused, the last one alone: else it would be told again.
        """
        file, state = "".join(kept).encode("latin-1"), {_TELEGRAMS: kept}
        try:
            outcome = await emit.file([file], "dsmr", self._meter.options, state)
        except (Invalid, Malformed) as error:
            raise SourceFailed(f"telegrams cannot be read: {error.detail}", _LEFT_ALONE) from error
        return kept[-1:] if outcome.rejected else kept

    async def _telegram(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next telegram, from `/` to the end of its last line."""
        try:
            async with asyncio.timeout(self._meter.timeout):
                text = await reader.readuntil(b"!")
                end = await reader.readline()
        except TimeoutError:
            raise SourceFailed(f"no telegram within {self._meter.timeout:g} s") from None
        except asyncio.IncompleteReadError:
            raise SourceFailed("the bridge has ended the connection") from None
        except (asyncio.LimitOverrunError, ValueError):
            raise SourceFailed(f"there is no telegram in {LONGEST} bytes") from None
        except OSError as error:
            raise SourceFailed(f"the connection is lost: {error}") from error
        return text[max(text.rfind(b"/"), 0) :] + end

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncio.StreamReader]:
        meter = self._meter
        try:
            async with asyncio.timeout(meter.timeout):
                reader, writer = await asyncio.open_connection(
                    meter.host, meter.port, limit=LONGEST
                )
        except (OSError, TimeoutError) as error:
            raise SourceFailed(f"the bridge is away: {error}") from error
        try:
            yield reader
        finally:
            writer.close()


def _slot(telegram: bytes, interval: int) -> tuple[bytes, int, bytes] | None:
    """Return in which slot of the meter's clock a telegram is; None for one that is not whole.

    An hour that comes twice has another flag the second time.
    """
    text, _, stated = telegram.rpartition(b"!")
    time = _TIME.search(text)
    # Without a checksum, as old meters are, it is taken as it is: the format says what it thinks.
    is_damaged = stated.strip() and stated.strip().upper() != b"%04X" % crc16(text + b"!")
    if time is None or is_damaged:
        return None
    minutes = 60 * int(time[2]) + int(time[3])
    return time[1], 60 * minutes // interval, time[4]
