"""What every test may use: a real PostgreSQL, and a database of its own."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_aiohttp import AiohttpClient, AiohttpServer

from energia.db.embedded import ROLE, Embedded
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.plugins import Plugins
from energia.settings import Database
from tests.databases import Databases, administer, make_volatile
from tests.mounts import can_mount
from tests.previews import PreviewServer, of
from tests.serving import Serving
from tests.shared import SHARED

_TEMPLATE = "migrated"

# How long an example takes on a machine that is shared says nothing of the law.
settings.register_profile(
    "shared", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("shared"), max_examples=100)
settings.load_profile("shared")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--all`: nothing may be skipped for want of a program; and `--fuzz`."""
    parser.addoption("--all", action="store_true", help="fail where a test would be skipped")
    parser.addoption("--fuzz", type=int, help="make up so many requests for each operation")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line(
        "markers",
        "needs(program): skip the test where the program is not on the PATH; "
        "`root` is for tests that only root can run, `pid-namespace` for those that make one, "
        "`tmpfs` for those that mount a small disk",
    )
    config.addinivalue_line(
        "markers", "long: a short rehearsal that takes over ten seconds; left out without `--all`"
    )
    if config.getoption("--all"):
        settings.load_profile("thorough")
    config.addinivalue_line(
        "markers", "shared_data: left out where the data of other engines are not beside us"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is long, and what is about data that are not here."""
    absent = () if SHARED.is_dir() else ("shared_data",)
    unwanted = absent if config.getoption("--all") else (*absent, "long")
    left_out = [item for item in items if any(map(item.get_closest_marker, unwanted))]
    if not left_out:
        return
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


#: A property of the reports of tests that need what is missing; reports come from all workers.
_MISSING = "missing"
_NO_PROGRAMS = {
    "root": "needs root",
    "pid-namespace": "needs leave to make a PID namespace",
    "tmpfs": "needs leave to mount a tmpfs",
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what is missing."""
    for needed in (needed for mark in item.iter_markers("needs") for needed in mark.args):
        if not _has(needed):
            item.user_properties.append((_MISSING, needed))
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
    if needed == "tmpfs":
        return can_mount()
    return shutil.which(needed) is not None


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name what fails at once: a run that is ended from outside has no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.nodeid} fails", flush=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was missing."""
    reports = (report for kind in terminalreporter.stats.values() for report in kind)
    properties = (pair for report in reports for pair in getattr(report, "user_properties", ()))
    if missing := {needed for name, needed in properties if name == _MISSING}:
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
    """Give a running server, with one database to clone, migrated for every bundled plugin."""
    embedded = Embedded(open_folder / "server")
    embedded.start()
    make_volatile(embedded)
    administer(embedded, f"create database {_TEMPLATE} owner {ROLE}")
    with asyncio.Runner() as runner:
        folders = {**CORE_MIGRATIONS, **Plugins.installed().migrations()}
        runner.run(migrate(embedded.dsn(database=_TEMPLATE), folders))
    yield embedded
    embedded.stop()


@pytest.fixture(scope="session")
def empty_databases(server: Embedded) -> Iterator[Databases]:
    """Give the maker of databases without any table; few tests need one."""
    databases = Databases(server, "template0", ahead=0)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def databases(server: Embedded) -> Iterator[Databases]:
    """Give the maker of migrated databases, which keeps some ready."""
    databases = Databases(server, _TEMPLATE, ahead=3)
    yield databases
    databases.close()


@pytest.fixture
def empty_database(empty_databases: Databases) -> Iterator[str]:
    """Give the URL of a fresh database without any table, which an ordinary role owns."""
    with empty_databases.fresh() as dsn:
        yield dsn


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """Give the URL of a fresh, migrated database, which an ordinary role owns."""
    with databases.fresh() as dsn:
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
def serving(aiohttp_server: AiohttpServer, aiohttp_client: AiohttpClient) -> Serving:
    """Give what serves a core, or an application, within this process."""
    return Serving(aiohttp_server, aiohttp_client)


@pytest.fixture
def previews(server: Embedded) -> Iterator[PreviewServer]:
    """Give a server for previews, without any."""
    found = of(server)
    yield found
    found.clear()
