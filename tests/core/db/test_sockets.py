"""A server that is not at its first address, or goes away with a statement on its way to it."""

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest
import uvloop

from energia.db.connection import Connection, connect
from energia.errors import DatabaseAway

#: Seconds until a statement without an answer is given up.
LIMIT = 10.0
READY = b"ZI"
FATAL = b"ESFATAL\0C57P01\0Mterminating connection\0\0"


def _message(text: bytes) -> bytes:
    """Return a message of PostgreSQL's protocol: its kind, its length, its content."""
    return text[:1] + struct.pack("!I", len(text) + 3) + text[1:]


def _accepted(listener: socket.socket) -> socket.socket:
    """Let a client in, as a server does that asks for no password."""
    peer, _ = listener.accept()
    peer.recv(4096)
    settings = {b"client_encoding": b"UTF8", b"DateStyle": b"ISO", b"server_version": b"18.0"}
    told = (b"S" + name + b"\0" + value + b"\0" for name, value in settings.items())
    peer.sendall(b"".join(map(_message, [b"R\0\0\0\0", *told, READY])))
    return peer


async def _connected(*hosts: str) -> tuple[Connection, socket.socket]:
    """Return a connection to the first of *hosts* that has a server, and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = asyncio.create_task(asyncio.to_thread(_accepted, listener))
        port = str(listener.getsockname()[1])
        plain = {"sslmode": "disable", "gssencmode": "disable", "user": "energia"}
        host = ",".join([*hosts, "127.0.0.1"])
        connection = await connect({"host": host, "port": port, **plain}, LIMIT)
        return connection, await accepting


LOOPS = pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, uvloop.new_event_loop])


@LOOPS
def test_a_server_at_its_last_address_is_found(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Others refuse, as one of the two of `localhost` does where a server is on the other."""

    async def found() -> None:
        connection, peer = await _connected("127.0.0.9", "127.0.0.8")
        assert not connection.closed
        connection.close()
        peer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(found())


@pytest.mark.parametrize("last_words", [b"", _message(FATAL)], ids=["silent", "told"])
@LOOPS
def test_a_reset_is_noticed_at_once(
    loop: Callable[[], asyncio.AbstractEventLoop], last_words: bytes
) -> None:
    """A server that ends without reading the statement is away, whatever the loop tells of it."""

    async def reset() -> None:
        connection, peer = await _connected()
        asked = asyncio.create_task(connection.run("select 1", None, LIMIT))
        await asyncio.sleep(0)
        # In one go: the loop hears of the words and of the reset at the same time.
        assert peer.recv(1, socket.MSG_PEEK) == b"Q"
        peer.sendall(last_words)
        peer.close()
        with pytest.raises(DatabaseAway) as caught:
            await asked
        assert type(caught.value) is DatabaseAway  # not that no answer came in time

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(reset())
