"""Records the SQL that this release runs, with parameters, for tests of later releases.

    python -m tests.record_queries

Serves the API in this process on an embedded server, sends requests that run every statement, and
writes `tests/data/queries-<version>/`: the `queries.sql` files, and `parameters.json` with the
parameters of one run of each statement. Run it when a release is cut, and never after.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer

from energia import __version__
from energia.db import connection
from energia.db.connect import connected
from energia.db.connection import Parameters, Result
from energia.db.migrate import migrate
from energia.db.pool import Pool
from energia.db.queries import load
from energia.plugins import Plugins
from energia.settings import Database, PluginSelection
from energia.web.app import create_app, started
from tests.e2e.test_schema import CHANNEL, GOOD, MADE, TARIFF
from tests.serving import make_core

PACKAGES = (
    "energia.access",
    "energia.audit",
    "energia.billing",
    "energia.costing",
    "energia.jobs",
    "energia.metering",
    "energia.pricing",
    "energia.pricing.holidays",
    "energia.pricing.market",
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


def plain(value: object) -> Any:
    """Return parameters as what JSON can hold; PostgreSQL reads the texts back."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if isinstance(value, int | str | None) else str(value)


def record(recorder: Recorder) -> None:
    """Let every connection tell *recorder* what it runs."""
    run = connection.Connection.run

    async def recorded(
        self: connection.Connection, message: str, parameters: Parameters | None, limit: float
    ) -> Result:
        recorder.note(message, parameters)
        return await run(self, message, parameters, limit)

    connection.Connection.run = recorded  # type: ignore[method-assign]


async def known(api: aiohttp.ClientSession, id_: str) -> str:
    """Return an id, looked up if the service made it."""
    if id_ not in MADE:
        return id_
    where, name = MADE[id_]
    async with api.get(where) as answer:
        return str((await answer.json())["items"][0][name])


async def send(api: aiohttp.ClientSession, label: str, request: dict[str, Any]) -> None:
    """Send one good request."""
    method, path = label.split()
    request = {**request}
    parts = {name: await known(api, id_) for name, id_ in request.pop("path", {}).items()}
    headers = {"Content-Type": "text/csv"} if "data" in request else {}
    async with api.request(method, path.format(**parts), headers=headers, **request) as answer:
        assert answer.status < 400, (label, await answer.text())


async def send_all(api: aiohttp.ClientSession) -> None:
    """Send requests that run every statement."""
    for label, request in GOOD.items():
        await send(api, label, request)
    many = [{**CHANNEL, "id": f"c{number}"} for number in range(20)]
    for channels in ([*many, {**CHANNEL, "id": "spare"}], many):
        await send(api, "PUT /v1/meters/many", {"json": {"site": "home", "channels": channels}})
    readings = [
        {"meter": "many", "channel": one["id"], "start": "2026-03-01T00:15:00Z", "value": 1}
        for one in many
    ]
    await send(api, "POST /v1/readings", {"json": {"readings": readings}})
    window = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    await send(api, "PUT /v1/contracts/{contract}", GOOD["PUT /v1/contracts/{contract}"])
    (version,) = TARIFF["versions"]
    closed = {**TARIFF, "versions": [{**version, "valid_to": "2030-01-01"}]}
    await send(api, "PUT /v1/tariffs/flat", {"json": closed})
    query = {**window, "known_at": "2030-01-01T00:00:00Z"}
    await send(api, "GET /v1/meters/main/readings", {"params": query})


def feeds(folder: str) -> PluginSelection:
    """Return settings with a price feed that works, and one that fails."""
    path = Path(folder) / "prices.csv"
    path.write_text("start,end,price\n2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,1\n")
    found = {"works": path, "fails": path.with_suffix(".none")}
    tables = {name: {"currency": "EUR", "path": str(one)} for name, one in found.items()}
    shape = {"end": "end"}
    own = {"feeds": {name: {**table, "shape": shape} for name, table in tables.items()}}
    return PluginSelection(settings={"price-feed-file": own})


async def main() -> None:
    """Record."""
    recorder = Recorder()
    record(recorder)
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        Path(folder).chmod(0o755)
        settings = Database(url=f"embedded:{folder}/db")
        async with connected(settings) as dsn:
            await migrate(dsn)
            core = make_core(plugins=Plugins.installed(feeds(folder)), pool=Pool(dsn, settings))
            server = TestServer(create_app(core))
            await server.start_server(auto_decompress=False)
            async with (
                server,
                started(server.app),
                aiohttp.ClientSession(server.make_url("/")) as api,
            ):
                await send_all(api)
            await core.pool.close()
    assert not recorder.missing, f"not run: {sorted(recorder.missing)}"
    write(recorder)


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
    asyncio.run(main())
