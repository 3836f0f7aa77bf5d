"""An embedded server whose users, supervisor or files do not behave."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from energia.db.embedded import Embedded
from tests.core.db.processes import client, gone, is_supervisor, processes, scalar

Users = Callable[[], Embedded]


def test_a_killed_client_leaves_nothing(embedded: Users) -> None:
    """After `kill -9` of the only client the server stops by itself."""
    folder = embedded().folder
    with client(folder) as process:
        assert processes(folder)
        process.kill()

    assert gone(folder)


def test_a_killed_client_does_not_stop_the_others_server(embedded: Users) -> None:
    """`kill -9` of one client leaves the server to the other one."""
    server = embedded()
    dsn = server.start()
    with client(server.folder) as process:
        process.kill()
    time.sleep(0.2)

    assert scalar(dsn, "select 1") == 1


def test_ctrl_c_does_not_reach_it(embedded: Users) -> None:
    """A signal to the client's whole process group does not end the server."""
    folder = embedded().folder
    with client(folder) as process:
        session = os.getsid(process.pid)
        sessions = {os.getsid(pid) for pid in processes(folder) if pid != process.pid}
        process.kill()

    assert session not in sessions
    assert gone(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="needs the parent-death signal")
def test_a_killed_supervisor_leaves_nothing(embedded: Users) -> None:
    """After `kill -9` of the supervisor and the client the server stops as well."""
    folder = embedded().folder
    with client(folder) as process:
        supervisor = next(pid for pid in processes(folder) if is_supervisor(pid))
        os.kill(supervisor, signal.SIGKILL)
        process.kill()

    assert gone(folder)


@pytest.mark.parametrize("delay", [0.1, 0.5])
def test_a_first_start_that_is_killed_leaves_nothing_half_made(
    embedded: Users, delay: float
) -> None:
    """Whenever the first start is killed, with all it started, the next one works."""
    server = embedded()
    with client(server.folder, started=False) as process:
        time.sleep(delay)
        for pid in [process.pid, *processes(server.folder)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    dsn = server.start()

    assert scalar(dsn, "select current_user") == "energia"
    assert not list(server.folder.glob("cluster.new*"))


def test_first_starts_at_once(embedded: Users) -> None:
    """Six processes that start at the same time use one server, set up once."""
    folder = embedded().folder
    with ExitStack() as stack:
        clients = [stack.enter_context(client(folder, started=False)) for _ in range(6)]
        for process in clients:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
        servers = sum(is_supervisor(pid) for pid in processes(folder))
        log = (folder / "server.log").read_text()

    assert servers == 1
    assert log.count("Success. You can now start") == 1
    assert [process.returncode for process in clients] == [0] * 6
    assert gone(folder)


def test_a_stale_pid_is_not_believed(embedded: Users) -> None:
    """A pid file of a killed server whose pid now belongs to somebody else stops nothing."""
    server = embedded()
    server.start()
    server.stop()
    stale = f"{os.getpid()}\n{server.folder}/cluster\n0\n5432\n{server.folder}/run\n\n\nready\n"
    (server.folder / "cluster" / "postmaster.pid").write_text(stale)
    (server.folder / "run" / ".s.PGSQL.5432.lock").write_text(stale)

    assert scalar(server.start(), "select 1") == 1
