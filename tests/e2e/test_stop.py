"""SIGTERM while the service starts: it ends soon with 0, and nothing is half done."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from tests.core.db.processes import scalar
from tests.e2e.service import Service, environment, free_port, ready, serving
from tests.serving import AWAY

PLUGIN = """
from pathlib import Path
from energia import hookimpl

@hookimpl
def register_migrations():
    return [Path(__file__).parent / "slow_tables"]
"""
INDEX = """-- no transaction
drop index concurrently if exists slow_reading;
create index concurrently slow_reading on site (name);
"""
SLOW = "create table first_half (id int);\nselect pg_sleep(30);\ncreate table second_half (id int);"
SLEEPING = "select count(*) from pg_stat_activity where query like %s and state = 'active'"


def installed(folder: Path, sql: str) -> str:
    """Install a plugin with one migration into *folder*, and return it for `PYTHONPATH`."""
    (folder / "slow_tables").mkdir(exist_ok=True)
    (folder / "slow_tables" / "0001_slow.sql").write_text(sql)
    (folder / "slow_plugin.py").write_text(PLUGIN)
    metadata = folder / "slow_plugin-1.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-plugin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[energia]\nslow = slow_plugin\n")
    return str(folder)


async def stopped(service: Service) -> float:
    """Stop a service by SIGTERM, and return how many seconds it took."""
    started = time.monotonic()
    code = await service.stop(signal.SIGTERM)

    assert code == 0, service.logged()
    assert service.tracebacks() == []
    return time.monotonic() - started


async def until_active(database: str, statement: str) -> None:
    """Wait until the server runs a statement that begins so."""
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        async with asyncio.timeout(60):
            while True:
                cursor.execute(SLEEPING, [f"%{statement}%"])
                if cursor.fetchone() == (2,):  # and the question itself
                    return
                await asyncio.sleep(0.05)


def noted(database: str) -> object:
    """Return how many migrations of the plugin are noted as applied."""
    return scalar(database, "select count(*) from schema_migration where owner = 'slow'")


async def test_in_a_slow_migration(database: str, tmp_path: Path) -> None:
    """The transaction is rolled back, and the next service does all of it."""
    async with serving(database, wait=False, PYTHONPATH=installed(tmp_path, SLOW)) as service:
        await until_active(database, "pg_sleep")
        took = await stopped(service)

    assert took < 5
    assert noted(database) == 0
    assert scalar(database, "select to_regclass('first_half')") is None

    path = installed(tmp_path, SLOW.replace("30", "0"))
    async with serving(database, PYTHONPATH=path) as service:
        assert noted(database) == 1
        assert scalar(database, "select count(*) from second_half") == 0
        await stopped_quickly(service)


async def stopped_quickly(service: Service) -> None:
    """Stop a service that is ready without its waits."""
    assert await service.stop(signal.SIGINT) == 0


@contextmanager
def writing(database: str) -> Iterator[None]:
    """Hold a transaction open that writes: an index is built concurrently only after it."""
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute("lock table site in row exclusive mode")
        yield


async def test_in_an_index_that_is_built_concurrently(database: str, tmp_path: Path) -> None:
    """An index that was begun is not noted; the next service builds a valid one."""
    path = installed(tmp_path, INDEX)
    with writing(database):
        async with serving(database, wait=False, PYTHONPATH=path) as service:
            await until_active(database, "create index concurrently")
            took = await stopped(service)

    assert took < 5
    assert noted(database) == 0
    async with serving(database, PYTHONPATH=path) as service:
        assert noted(database) == 1
        await stopped_quickly(service)
    valid = "select indisvalid from pg_index where indexrelid = 'slow_reading'::regclass"
    assert scalar(database, valid) is True


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Give a port where nothing is ever said, and what tells that a connection was taken."""
    taken = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set()
        await reader.read()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(listen, "127.0.0.1", port):
        yield port, taken


async def test_while_the_database_says_nothing() -> None:
    """A connection that is half made does not keep the service from ending."""
    async with silent() as (port, taken):
        url = f"postgresql://me@127.0.0.1:{port}/none?sslmode=disable"
        async with serving(url, wait=False) as service:
            async with asyncio.timeout(60):
                await taken.wait()
            with pytest.raises(TimeoutError):
                await ready(service, 1.5)

            assert await stopped(service) < 3


@pytest.mark.long
async def test_in_the_first_start_of_the_embedded_server(open_folder: Path) -> None:
    """The server that is being set up is finished or left out, and the next start works."""
    url = f"embedded:{open_folder / 'stopped'}"
    async with serving(url, wait=False) as service:
        await _until_there(open_folder / "stopped" / "supervisor.lock", service)
        assert await stopped(service) < 20
    async with serving(url) as service:
        await stopped_quickly(service)


async def _until_there(path: Path, service: Service) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            assert service.process.returncode is None, service.logged()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("milliseconds", [0, 10, 40, 160])
async def test_in_the_first_milliseconds(empty_database: str, milliseconds: int) -> None:
    """Before the interpreter runs our first line the signal ends it; after that it ends with 0.

    It says nothing then, and has not touched the database.
    """
    async with serving(empty_database, wait=False) as service:
        await asyncio.sleep(milliseconds / 1000)
        code = await service.stop(signal.SIGTERM)

        assert code in (0, -signal.SIGTERM)
        assert service.tracebacks() == []
        assert "listening" not in service.logged()
    assert scalar(empty_database, "select to_regclass('schema_migration')") is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_while_it_imports(empty_database: str) -> None:
    """From the first line on the signal is kept: the service ends with 0 before it has begun."""
    async with serving(empty_database, wait=False) as service:
        status = Path(f"/proc/{service.process.pid}/status")
        while not _catches(status.read_text(), signal.SIGTERM):
            await asyncio.sleep(0)
        os.kill(service.process.pid, signal.SIGTERM)

        assert await asyncio.wait_for(service.process.wait(), 60) == 0
        assert '"event": "stopped"' in service.logged()
        assert "listening" not in service.logged()
        assert service.tracebacks() == []


@pytest.mark.needs("pid-namespace")
async def test_as_process_one() -> None:
    """In a container, where the kernel drops a signal without a handler, it ends with 0 too."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--pid", "--fork", "--kill-child", sys.executable, "-m", "energia", "serve"),
        env=environment(DATABASE_URL=AWAY, HOST="127.0.0.1", PORT=str(free_port())),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        service = await _child(process.pid)
        status = Path(f"/proc/{service}/status")
        while not _catches(status.read_text(), signal.SIGTERM):
            await asyncio.sleep(0.001)
        os.kill(service, signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()

    assert process.returncode == 0
    assert b'"event": "stopped"' in said


async def _child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    async with asyncio.timeout(60):
        while not children.read_text().strip():
            await asyncio.sleep(0.001)
    return int(children.read_text())


def _catches(status: str, number: signal.Signals) -> bool:
    (line,) = [line for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(line.split()[1], 16) & 1 << (number - 1))
