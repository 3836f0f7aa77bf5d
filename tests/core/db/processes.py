"""Other processes that use an embedded server, and what is left of them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from energia.db.embedded import Embedded

CLIENT = """
import sys, time, pathlib
from energia.db.embedded import Embedded
server = Embedded(pathlib.Path(sys.argv[1]))
server.start()
print("started", flush=True)
sys.stdin.read()
server.stop()
"""


def scalar(dsn: str, sql: str) -> object:
    """Run one statement and return its value."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


@contextmanager
def client(folder: Path, *, started: bool = True) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that uses the server, until its standard input ends."""
    command = [sys.executable, "-W", "error", "-c", CLIENT, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        if started:
            assert process.stdout.readline() == "started\n"
        yield process


def processes(folder: Path) -> list[int]:
    """Return every process that holds a lock of the folder, or runs on its files."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if os.fsencode(folder) in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def gone(folder: Path, seconds: float = 10.0) -> bool:
    """Tell whether nothing runs for a folder within some seconds."""
    until = time.monotonic() + seconds
    while processes(folder) and time.monotonic() < until:
        time.sleep(0.02)
    return not processes(folder)


def postmaster(server: Embedded) -> int:
    """Return the server's process."""
    return int((server.folder / "cluster" / "postmaster.pid").read_text().split()[0])


def is_supervisor(pid: int) -> bool:
    """Tell whether a process is a supervisor."""
    return b"supervisor.py" in Path("/proc", str(pid), "cmdline").read_bytes()
