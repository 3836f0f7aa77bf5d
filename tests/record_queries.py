"""Records the SQL that this release runs, with parameters, for tests of later releases.

    python -m tests.record_queries

Serves the API in this process on an embedded server, sends a good request of every operation, runs
tests of what no request does, and writes `tests/data/queries-<version>/`: the `queries.sql` files,
and `parameters.json` with the parameters of one run of each statement. Run it when a release is
cut, and never after.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp.test_utils import TestServer

from energia import __version__
from energia.db import connection
from energia.db.connect import connected
from energia.db.connection import Parameters, Result
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.queries import load
from energia.plugins import Plugins
from energia.settings import Database, Jobs, PluginSelection, Settings
from energia.web.app import create_app, started
from tests.e2e.test_schema import CHANNEL, GOOD, TARIFF, send
from tests.serving import LOOPBACK, make_core

PACKAGES = (
    "energia.access",
    "energia.audit",
    "energia.billing",
    "energia.costing",
    "energia.idempotency",
    "energia.jobs",
    "energia.metering",
    "energia.pricing",
    "energia.pricing.holidays",
    "energia.pricing.market",
    "energia.webhooks",
)
#: What runs the statements of work in the background, of failures and of files.
TESTS = (
    "tests/core/billing/test_deletion.py",
    "tests/core/billing/test_rebilling.py",
    "tests/core/billing/test_registers.py",
    "tests/core/jobs/test_http_jobs.py",
    "tests/core/metering/test_import_retention.py",
    "tests/core/metering/test_parts.py",
    "tests/core/metering/test_sources.py",
    "tests/core/web/test_filters.py",
    "tests/core/web/test_idempotency.py",
    "tests/core/webhooks/test_events.py",
)
FOLDER = Path(__file__).parent / "data" / f"queries-{__version__}"


class Recorder:
    """Keeps the parameters of one run of each statement."""

    def __init__(self) -> None:
        self.names = {sql: name for package in PACKAGES for name, sql in load(package).items()}
        self.parameters: dict[str, Any] = {}

    def note(self, message: str, parameters: Parameters | None) -> None:
        """Keep the parameters of *message*, which may have other statements beside."""
        for sql, name in self.names.items():
            if sql in message:
                self.parameters.setdefault(name, plain(parameters or ()))

    @property
    def missing(self) -> set[str]:
        """The statements that have not been run."""
        return set(self.names.values()) - set(self.parameters)


def plain(parameters: Parameters) -> Any:
    """Return parameters as what JSON can hold; PostgreSQL reads the texts back."""
    if isinstance(parameters, Mapping):
        return {key: _plain(one) for key, one in parameters.items()}
    return [_plain(one) for one in parameters]


def _plain(value: object) -> Any:
    if isinstance(value, int | str | None):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    if not isinstance(value, list | tuple):
        return str(value)
    if all(isinstance(one, int | str | None) for one in value):
        return list(value)
    return _array(value)  # of texts it would be one of texts, whatever the column is


def _array(values: Sequence[object]) -> str:
    return f"{{{','.join(_element(one) for one in values)}}}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return _array(value)
    return json.dumps(str(_plain(value)), ensure_ascii=False)


def record(recorder: Recorder) -> None:
    """Let every connection tell *recorder* what it runs."""
    run = connection.Connection.run

    async def recorded(
        self: connection.Connection,
        message: str,
        parameters: Parameters | None,
        limit: float,
        sent: str | None = None,
    ) -> Result:
        recorder.note(message, parameters)
        return await run(self, message, parameters, limit, sent)

    connection.Connection.run = recorded  # type: ignore[method-assign]


def send_all(url: str) -> None:
    """Send requests that run every statement: a good one of every operation, and more."""
    with requests.Session() as session:
        for label in GOOD:
            accepted(send(session, url, label))
        many = [{**CHANNEL, "id": f"c{number}"} for number in range(20)]
        readings = [
            {"meter": "many", "channel": one["id"], "start": "2026-03-01T00:15:00Z", "value": 1}
            for one in many
        ]
        (version,) = TARIFF["versions"]
        closed = {**TARIFF, "versions": [{**version, "valid_to": "2030-01-01"}]}
        window = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
        contract = GOOD["PUT /v1/contracts/{contract}"]["json"]
        for method, path, request in (
            ("PUT", "/v1/sites/home", GOOD["PUT /v1/sites/{site}"]),
            *(
                ("PUT", "/v1/meters/many", {"json": {"site": "home", "channels": channels}})
                for channels in ([*many, {**CHANNEL, "id": "spare"}], many)
            ),
            ("POST", "/v1/readings", {"json": {"readings": readings}}),
            ("PUT", "/v1/contracts/main", {"json": contract}),
            ("PUT", "/v1/tariffs/flat", {"json": closed}),
            (
                "GET",
                "/v1/meters/many/readings",
                {"params": {**window, "channel": "c0", "known_at": "2030-01-01T00:00:00Z"}},
            ),
        ):
            chosen = {name: value for name, value in request.items() if name != "path"}
            accepted(session.request(method, url + path, **chosen))


def accepted(answer: requests.Response) -> None:
    """See that a request was good."""
    assert answer.status_code < 400, (answer.request.method, answer.url, answer.text)


def feeds(folder: str) -> PluginSelection:
    """Return settings with a price feed that works, and one that fails."""
    path = Path(folder) / "prices.csv"
    path.write_text("start,end,price\n2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,1\n")
    found = {"works": path, "fails": path.with_suffix(".none")}
    tables = {name: {"currency": "EUR", "path": str(one)} for name, one in found.items()}
    shape = {"end": "end"}
    own = {"feeds": {name: {**table, "shape": shape} for name, table in tables.items()}}
    return PluginSelection(settings={"price-feed-file": own})


async def served(recorder: Recorder) -> None:
    """Record what requests run."""
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        Path(folder).chmod(0o755)
        settings = Database(url=f"embedded:{folder}/db")
        plugins = Plugins.installed(feeds(folder))
        async with connected(settings) as dsn:
            await migrate(dsn, {**CORE_MIGRATIONS, **plugins.migrations()})
            core = make_core(
                plugins=plugins,
                settings=Settings(outgoing=LOOPBACK, jobs=Jobs(concurrency=3)),
                pool=Pool(dsn, settings),
            )
            server = TestServer(create_app(core))
            await server.start_server(auto_decompress=False)
            async with server, started(server.app):
                await asyncio.to_thread(send_all, f"{server.make_url('')}".rstrip("/"))
            await core.pool.close()


class Enough:
    """Ends a run of tests when every statement has been run."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Look at what is missing after a test."""
        if not self.recorder.missing:
            item.session.shouldstop = "every statement has been run"


def run_tests(recorder: Recorder) -> None:
    """Run tests, as long as there are statements that no request runs."""
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "ignore:Module already", *TESTS]
    pytest.main(arguments, plugins=[Enough(recorder)])
    assert not recorder.missing, f"not run: {sorted(recorder.missing)}"


def write(recorder: Recorder) -> None:
    """Write the folder of this release."""
    FOLDER.mkdir(exist_ok=True)
    root = Path(__file__).parents[1] / "core"
    for package in PACKAGES:
        source = root.joinpath(*package.split("."), "queries.sql")
        shutil.copy(source, FOLDER / f"{package.rpartition('.')[2]}.sql")
    text = json.dumps(recorder.parameters, indent=1, sort_keys=True)
    (FOLDER / "parameters.json").write_text(text + "\n")


if __name__ == "__main__":
    everything = Recorder()
    record(everything)
    asyncio.run(served(everything))
    run_tests(everything)
    write(everything)
