"""The network between the service and its database, which a test can slow, silence and cut."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import attrs

_CHUNK: Final = 256 * 1024
#: Close with a reset, and forget what was not sent.
_RESET: Final = struct.pack("ii", 1, 0)


@attrs.define(eq=False)
class Cable:
    """A proxy from a port of the loopback to the socket of an embedded server.

    Attributes:
        target: The server's socket.
        port: Where it listens.
        delay: How many seconds a piece of a message waits.
        silent: Whether pieces are held back, as if every packet was lost.

    """

    target: Path
    port: int
    delay: float = 0.0
    silent: bool = False
    _ends: set[asyncio.StreamWriter] = attrs.field(factory=set, init=False)
    _pumps: set["asyncio.Task[None]"] = attrs.field(factory=set, init=False)

    @contextlib.asynccontextmanager
    async def plugged(self) -> AsyncIterator[None]:
        """Carry connections until the block is left."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        try:
            yield
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                made: socket.socket = end.get_extra_info("socket")
                if made.family != socket.AF_UNIX:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()
        self._ends.clear()
        for pump in self._pumps:
            pump.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.silent:
            await asyncio.sleep(0.05)
        try:
            theirs, to_them = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, to_them}
        pumps = [
            asyncio.create_task(self._carry(reader, to_them)),
            asyncio.create_task(self._carry(theirs, writer)),
        ]
        self._pumps.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        self._pumps.difference_update(pumps)
        for end in (writer, to_them):
            end.transport.abort()
            self._ends.discard(end)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self.silent:
                    await asyncio.sleep(0.02)
                writer.write(data)
                await writer.drain()
