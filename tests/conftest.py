"""What every test may use: a real PostgreSQL, and a database of its own."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg2
import pytest
from hypothesis import HealthCheck, settings

from energia.db.embedded import ADMIN, ROLE, Embedded
from energia.db.migrate import migrate
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.settings import Database
from tests.previews import PreviewServer, of
from tests.shared import SHARED

_TEMPLATE = "migrated"
_NUMBERS = count(1)

# How long an example takes on a machine that is shared says nothing of the law.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--all`: nothing may be skipped for want of a program."""
    parser.addoption("--all", action="store_true", help="fail where a test would be skipped")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line(
        "markers",
        "needs(program): skip the test where the program is not on the PATH; "
        "`root` is for tests that only root can run, `pid-namespace` for those that make one",
    )
    config.addinivalue_line(
        "markers", "shared_data: left out where the data of other engines are not beside us"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about data that are not in the repository, unless they are here."""
    if SHARED.is_dir():
        return
    left_out = [item for item in items if item.get_closest_marker("shared_data")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


_MISSING = pytest.StashKey[set[str]]()
_NO_PROGRAMS = {"root": "needs root", "pid-namespace": "needs leave to make a PID namespace"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what is missing."""
    for needed in (needed for mark in item.iter_markers("needs") for needed in mark.args):
        if not _has(needed):
            item.config.stash.setdefault(_MISSING, set()).add(needed)
            pytest.skip(_NO_PROGRAMS.get(needed, f"needs {needed}, not on the PATH"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With `--all`, fail every test that would be skipped, for whatever reason."""
    report = yield
    if report.skipped and item.config.getoption("--all"):
        report.outcome, report.longrepr = "failed", str(report.longrepr)
    return report


def _has(needed: str) -> bool:
    if needed == "root":
        return os.geteuid() == 0
    if needed == "pid-namespace":
        return _has("unshare") and _works("unshare", "--pid", "--fork", "true")
    return shutil.which(needed) is not None


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was missing."""
    if missing := config.stash.get(_MISSING, set()):
        terminalreporter.write_line(f"needed by tests and not here: {', '.join(sorted(missing))}")


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """Give a folder with a short path that every account of the machine may enter.

    `tmp_path` is neither; an embedded server needs both where root runs the tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="energia-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server(open_folder: Path) -> Iterator[Embedded]:
    """Give a running server, with one migrated database to clone."""
    embedded = Embedded(open_folder / "server")
    embedded.start()
    _administer(embedded, f"create database {_TEMPLATE} owner {ROLE}")
    with asyncio.Runner() as runner:
        runner.run(migrate(embedded.dsn(database=_TEMPLATE)))
    yield embedded
    embedded.stop()


@pytest.fixture
def empty_database(server: Embedded) -> Iterator[str]:
    """Give the URL of a fresh database without any table, which an ordinary role owns."""
    with _created(server, "template0") as dsn:
        yield dsn


@pytest.fixture
def database(server: Embedded) -> Iterator[str]:
    """Give the URL of a fresh, migrated database, which an ordinary role owns."""
    with _created(server, _TEMPLATE) as dsn:
        yield dsn


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """Give a pool of connections to a fresh database."""
    pool = Pool(database, Database(pool_size=5))
    yield pool
    await pool.close()


@pytest.fixture
def tenant(pool: Pool) -> Tenant:
    """Give a fresh database as the implicit organization sees it."""
    return pool.tenant()


@pytest.fixture
def previews(server: Embedded) -> Iterator[PreviewServer]:
    """Give a server for previews, without any."""
    found = of(server)
    yield found
    found.clear()


@contextmanager
def _created(server: Embedded, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    _administer(server, f"create database {name} template {template} owner {ROLE}")
    yield server.dsn(database=name)
    _administer(server, f"drop database {name} with (force)")


def _administer(server: Embedded, statement: str) -> None:
    with closing(psycopg2.connect(server.dsn(ADMIN, ADMIN))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
