"""Two organizations with the same ids, on every route, and with statements that forget a filter."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.connection import Connection, Parameters, Result
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.tenant import Limits, Tenant
from energia.plugins import Plugins
from energia.settings import Database, Jobs, Settings
from tests.e2e.test_schema import GOOD, MADE, headers_of
from tests.serving import LOOPBACK, Client, Serving, make_core

#: How statements say that they mean the organization's rows.
FILTER = re.compile(r"[\w.]*organization_id = current_setting\('energia\.organization'\)::int")
#: What says something of the service itself, and not of what is stored.
OF_THE_SERVICE = ("GET /health", "GET /metrics", "GET /docs")
#: What is told of jobs and deliveries changes while they go on.
ON_THE_MOVE = ("GET /v1/jobs", "GET /v1/webhooks", "GET /v1/audit")
#: No two requests have the same id.
REQUEST_ID = re.compile(r"req_[0-9a-f]{32}")
Answers = dict[str, tuple[int, str]]


class OtherPool(Pool):
    """The database of a service for the second organization."""

    def tenant(
        self,
        organization: int = 1,
        caller: str = "system",
        limits: Limits | None = None,
        *,
        name: str = "",
        request: str = "",
    ) -> Tenant:
        """Return the database as the second organization sees it."""
        return super().tenant(2, caller, limits, name=name, request=request)


@pytest.fixture
async def one(serving: Serving, empty_database: str) -> AsyncIterator[Client]:
    """Give a client of the first organization."""
    await migrate(empty_database, {**CORE_MIGRATIONS, **Plugins.installed().migrations()})
    pool = Pool(empty_database, Database(pool_size=5))
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    # Its worker does what both have begun: it knows whose each thing is.
    settings = Settings(outgoing=LOOPBACK, jobs=Jobs(grace=1))
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with serving(core) as client:
        yield client
    await pool.close()


@pytest.fixture
async def other(serving: Serving, one: Client, empty_database: str) -> AsyncIterator[Client]:
    """Give a client of the second organization, in the same database."""
    pool = OtherPool(empty_database, Database(pool_size=5))
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        yield client
    await pool.close()


async def made(client: Client, id_: str, waits: bool) -> str:
    """Return the id of what the service has made; perhaps it *waits* until that is there."""
    where, key = MADE[id_]
    for other in MADE:
        if other in where:
            where = where.replace(other, await made(client, other, waits))
    async with asyncio.timeout(60):
        while True:
            items = (await (await client.get(where)).json()).get("items", ())
            if items or not waits:
                return str(items[0][key]) if items else "none"
            await asyncio.sleep(0.1)


async def send(client: Client, label: str, waits: bool = False) -> tuple[int, str]:
    """Send the good request of an operation, and return its status and body."""
    method, path = label.split()
    request: dict[str, Any] = {**GOOD[label]}
    parts = request.pop("path", {})
    for name, id_ in parts.items():
        if id_ in MADE:
            parts = {**parts, name: await made(client, id_, waits)}
    headers = headers_of(label)
    answer = await client.request(method, path.format(**parts), headers=headers, **request)
    return answer.status, REQUEST_ID.sub("", await answer.text())


async def read(client: Client) -> Answers:
    """Return the answers to everything that only reads."""
    labels = [
        label for label in GOOD if label.startswith("GET") and not label.startswith(OF_THE_SERVICE)
    ]
    return {label: await send(client, label) for label in labels}


def at_rest(answers: Answers) -> Answers:
    """Return the answers but for those about what goes on by itself."""
    return {label: each for label, each in answers.items() if not label.startswith(ON_THE_MOVE)}


async def everything(client: Client) -> dict[str, int]:
    """Send the good request of every operation, and return the statuses."""
    return {label: (await send(client, label, waits=True))[0] for label in GOOD}


def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every statement forget which organization it means."""
    run = Connection.run

    async def forgets(
        self: Connection,
        message: str,
        parameters: Parameters | None,
        limit: float,
        _prepared: str | None = None,
    ) -> Result:
        return await run(self, FILTER.sub("true", message), parameters, limit)

    monkeypatch.setattr(Connection, "run", forgets)


@pytest.mark.parametrize("forgets", [False, True], ids=["as_it_is", "without_filters"])
async def test_organizations_with_the_same_ids_are_apart(
    one: Client, other: Client, monkeypatch: pytest.MonkeyPatch, forgets: bool
) -> None:
    """On every route, neither sees, changes or collides with what is the other's.

    It serves every operation for both, which takes some seconds.
    """
    empty = await read(other)
    statuses = await everything(one)
    first = await read(one)
    if forgets:
        forgetful(monkeypatch)

    assert {label: status for label, status in statuses.items() if status // 100 != 2} == {}
    assert await read(other) == empty
    assert await everything(other) == statuses
    assert at_rest(await read(one)) == at_rest(first)
