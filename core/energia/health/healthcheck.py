"""The health check: exit 0 if the service is ready. The image runs it, and `energia healthcheck`.

The image runs this file as a script, by an interpreter without site-packages: it starts in 20 ms
and needs no memory. So that no layer of the configuration is read a second time, the service calls
its process by the port that it listens on: `ps` shows `energia:8080`.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_REQUEST: Final = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_SECONDS: Final = 1.5
#: Docker keeps no more of what a check prints.
_LIMIT: Final = 4096
_PROC: Final = Path("/proc")
_NAME: Final = "energia:"
#: How the kernel writes that a socket waits for connections.
_LISTENS: Final = "0A"


def announce(port: int) -> None:
    """Call this process by the port that its service listens on, where the system lets us."""
    with suppress(OSError):
        Path(_PROC, "self/comm").write_text(f"{_NAME}{port}", encoding="ascii")


def announced() -> list[int]:
    """Return the ports of the services that run here: in a container, of the only one."""
    ports = []
    for file in _PROC.glob("[0-9]*/comm"):
        with suppress(OSError, ValueError):  # a process that has just ended, or has another name
            name = file.read_text(encoding="ascii").rstrip("\n")
            if name.startswith(_NAME):
                ports.append(int(name.removeprefix(_NAME)))
    return sorted(ports)


def chosen(found: Sequence[int], configured: Callable[[], int]) -> int:
    """Return the port of the one service that was found, else the one that is configured.

    Raises:
        LookupError: There are several, and none of them has that port.

    """
    if len(found) == 1:
        return found[0]
    port = configured()
    if found and port not in found:
        several = ", ".join(map(str, found))
        raise LookupError(f"several services run here, on the ports {several}: name one (--port)")
    return port


def check(port: int) -> tuple[bool, str]:
    """Return whether the service on *port* is ready, and what it says."""
    try:
        with socket.create_connection((host_of(port), port), timeout=_SECONDS) as connection:
            connection.sendall(_REQUEST)
            answer = _answer(connection)
    except OSError as error:
        return False, f"no answer on port {port}: {error}"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ")[1:2]
    return status == [b"200"], body.decode("ascii", "replace")


def _answer(connection: socket.socket) -> bytes:
    answer = b""
    while len(answer) < _LIMIT and (part := connection.recv(_LIMIT)):
        answer += part
    return answer[:_LIMIT]


def host_of(port: int) -> str:
    """Return by which address whoever listens on *port* is reached from here."""
    hosts = list(_listening(port))
    return "127.0.0.1" if "127.0.0.1" in hosts else next(iter(hosts), "127.0.0.1")


def _listening(port: int) -> Iterator[str]:
    """Yield the addresses on which somebody listens on *port*; the loopback's for all of them."""
    for table, family, size in (("tcp", socket.AF_INET, 8), ("tcp6", socket.AF_INET6, 32)):
        rows: list[str] = []
        with suppress(OSError):
            rows = Path(_PROC, "net", table).read_text(encoding="ascii").splitlines()[1:]
        for row in rows:
            _, local, _, state = row.split()[:4]
            address, _, number = local.partition(":")
            if state == _LISTENS and int(number, 16) == port and len(address) == size:
                yield _loopback_for(_written(address, family))


def _written(address: str, family: socket.AddressFamily) -> str:
    """Return an address as people write it; the kernel's has words in the order of the machine."""
    words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
    return socket.inet_ntop(family, b"".join(word.to_bytes(4, sys.byteorder) for word in words))


def _loopback_for(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - it is read


def told(configured: Callable[[], int], port: int | None = None) -> int:
    """Print what the service says; return 0 if it is ready and 1 if not, as container engines ask.

    Args:
        configured: Is asked for a port where none is found.
        port: The port, where it is known.

    """
    try:
        ready, output = check(chosen(announced(), configured) if port is None else port)
    except LookupError as error:
        ready, output = False, str(error)
    print(output)
    return 0 if ready else 1


def _of_environment() -> int:
    return int(os.environ.get("ENERGIA_SERVER__PORT") or os.environ.get("PORT") or 8080)


if __name__ == "__main__":
    sys.exit(told(_of_environment, *map(int, sys.argv[1:2])))
