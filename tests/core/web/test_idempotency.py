"""Requests with an Idempotency-Key: carried out once, answered alike however often they come."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from aiohttp import FormData

from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import KeyInFlight, KeyReused
from energia.hookspecs import hookimpl
from energia.idempotency.keys import Answer, Key
from energia.idempotency.retention import expire
from energia.metering import registry
from energia.metering.models import NewSite
from energia.plugins import Plugins
from energia.settings import Settings
from energia.web.routes import Created, Routes
from energia_plugins import meter_csv
from tests.core.metering.setting import Heard, series
from tests.core.web.test_conditions import CHANNEL, SITE
from tests.serving import Client, Serving, make_core

ANSWER = Answer(201, "/v1/sites/a", b"{}")


class _Slow:
    """A plugin whose route makes a site, and lets the test go on before it is done."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.fails = False

    @hookimpl
    def register_routes(self) -> Routes:
        """Return the route."""
        routes = Routes()

        @routes.post("/v1/slow", once="together")
        async def post_slow(tenant: Tenant) -> Created[str]:
            """Make a site, slowly."""
            await registry.add_site(tenant, NewSite("Slow", "UTC", "GB", "GBP"))
            self.begun.set()
            await self.go.wait()
            if self.fails:
                raise RuntimeError("after what was made")
            return Created("/v1/sites/slow", "made")

        return routes


class _Observer:
    """A plugin that hears of readings."""

    def __init__(self) -> None:
        self.heard = Heard()

    @hookimpl
    def readings_stored(self, event: Any) -> None:
        """Note the event."""
        self.heard.readings_stored(event)


@pytest.fixture
def slow() -> _Slow:
    """Give the plugin that waits."""
    return _Slow()


@pytest.fixture
def observer() -> _Observer:
    """Give the plugin that hears."""
    return _Observer()


@pytest.fixture(name="core")
def _core(pool: Pool, slow: _Slow, observer: _Observer) -> Core:
    plugins = Plugins.of(slow=slow, observer=observer, meter_csv=meter_csv)
    return make_core(pool=pool, plugins=plugins)


@pytest.fixture(name="api")
async def _api(core: Core, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site with a meter."""
    async with serving(core) as client:
        await client.put("/v1/sites/home", json=SITE)
        await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
        yield client


async def sent(api: Client, path: str, key: str, **request: Any) -> tuple[int, str | None, Any]:
    """Return the status, the location and the JSON of the answer to a POST with a key."""
    async with api.post(path, headers={"Idempotency-Key": key}, **request) as answer:
        location = answer.headers.get("Location")
        return answer.status, location, await answer.json() if await answer.read() else None


async def count(tenant: Tenant, table: str) -> int:
    """Return how many rows a table has."""
    (rows,) = await tenant.fetch(int, f"select count(*) from {table}")
    return rows


async def test_the_first_answer_again(api: Client, tenant: Tenant) -> None:
    """A site whose id the service chose is made once, whatever happened to it since."""
    first = await sent(api, "/v1/sites", '"a-key"', json=SITE)
    await api.put(str(first[1]), json=SITE | {"name": "Renamed"})
    again = await sent(api, "/v1/sites", "a-key", json=SITE)
    other = await sent(api, "/v1/sites", "another", json=SITE)

    assert first[0] == 201
    assert again == first
    assert other[1] != first[1]
    assert await count(tenant, "site") == 3


async def test_readings_are_told_as_the_first_time(
    api: Client, tenant: Tenant, observer: _Observer
) -> None:
    """The outcome says `created` again, there is one import, and plugins heard of it once."""
    body = series([0.1, 0.2], interval="PT15M")
    first = await sent(api, "/v1/readings", "k", json=body)
    again = await sent(api, "/v1/readings", "k", json=body)

    assert again == first
    assert first[2]["created"] == 2
    assert await count(tenant, "import") == 1
    assert [event.counts.created for event in observer.heard.events] == [2]


async def test_a_job_is_begun_once(api: Client, tenant: Tenant) -> None:
    """It waits for a worker with the answer that says so, and the second answer is the first."""
    first = await sent(api, "/v1/exports", "k", json={"meters": ["m"]})
    again = await sent(api, "/v1/exports", "k", json={"meters": ["m"]})

    assert (first[0], again) == (202, first)
    assert await count(tenant, "job") == 1


def csv_form(value: str) -> FormData:
    """Return a form with a file of one reading."""
    form = FormData()
    form.add_field("meter", "m")
    row = f"start,value\n2026-03-01T00:00:00-03:00,{value}\n"
    form.add_field("file", row.encode(), filename="a.csv", content_type="text/csv")
    return form


async def test_files_are_compared_whole(api: Client, tenant: Tenant) -> None:
    """A file that comes again is no other import, whatever its form's boundary; another is not."""
    path = "/v1/imports?format=csv"
    first = await sent(api, path, "k", data=csv_form("0.5"))
    again = await sent(api, path, "k", data=csv_form("0.5"))
    other, _, problem = await sent(api, path, "k", data=csv_form("0.7"))

    assert first[0] == 200, first
    assert again == first
    assert (other, problem["code"]) == (422, "idempotency_key_reused")
    assert await count(tenant, "import") == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/sites", SITE | {"name": "Other"}),
        ("/v1/meters", {"site": "home", "channels": [CHANNEL]}),
    ],
)
async def test_a_key_is_of_one_request(
    api: Client, tenant: Tenant, path: str, body: dict[str, Any]
) -> None:
    """With another body or path the key is refused, and nothing is made."""
    await sent(api, "/v1/sites", "k", json=SITE)
    status, _, problem = await sent(api, path, "k", json=body)

    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert problem["errors"][0]["pointer"] == "/header/Idempotency-Key"
    assert (await count(tenant, "site"), await count(tenant, "meter")) == (2, 1)


async def test_a_refusal_keeps_no_key(api: Client) -> None:
    """What was wrong is mended and sent by the same key: nothing had been made by it."""
    status, _, _ = await sent(api, "/v1/meters", "k", json={"site": "none", "channels": [CHANNEL]})
    mended = await sent(api, "/v1/meters", "k", json={"site": "home", "channels": [CHANNEL]})

    assert (status, mended[0]) == (422, 201)


async def test_at_once(api: Client, tenant: Tenant) -> None:
    """Of many that come at once one is carried out; the others are told to wait, or its answer."""
    answers = await asyncio.gather(*(sent(api, "/v1/sites", "k", json=SITE) for _ in range(8)))
    found = Counter(status for status, _, _ in answers)

    assert set(found) <= {201, 409}
    assert len({location for status, location, _ in answers if status == 201}) == 1
    assert await count(tenant, "site") == 2


async def test_under_way(api: Client, slow: _Slow, tenant: Tenant) -> None:
    """While the first is worked on the second is 409, with when to ask again; then answered."""
    first = asyncio.create_task(sent(api, "/v1/slow", "k"))
    await slow.begun.wait()
    async with api.post("/v1/slow", headers={"Idempotency-Key": "k"}) as second:
        problem = await second.json()
        assert (second.status, second.headers["Retry-After"]) == (409, "1")
    slow.go.set()
    answered = await first

    assert problem["code"] == "idempotency_key_in_flight"
    assert await sent(api, "/v1/slow", "k") == answered
    assert await count(tenant, "site") == 2


async def test_what_fails_after_it_was_made_is_undone(
    api: Client, slow: _Slow, tenant: Tenant
) -> None:
    """The answer and what it tells of are one: an error in between leaves neither."""
    slow.fails = True
    slow.go.set()
    status, _, _ = await sent(api, "/v1/slow", "k")
    sites = await count(tenant, "site")
    slow.fails = False

    assert (status, sites) == (500, 1)
    assert (await sent(api, "/v1/slow", "k"))[0] == 201


async def test_a_client_that_leaves(api: Client, slow: _Slow, tenant: Tenant) -> None:
    """What it had begun is undone with its key, so that it can come again at once."""
    first = asyncio.create_task(sent(api, "/v1/slow", "k"))
    await slow.begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    while await count(tenant, "idempotency_key"):
        await asyncio.sleep(0.01)
    slow.go.set()

    assert (await sent(api, "/v1/slow", "k"))[0] == 201
    assert await count(tenant, "site") == 2


async def test_secrets_are_not_kept(api: Client, tenant: Tenant) -> None:
    """A token is made once, and its secret told once: neither is it told again, nor stored."""
    body = {"name": "logger", "scopes": ["readings:read"]}
    status, location, made = await sent(api, "/v1/tokens", "k", json=body)
    again, _, problem = await sent(api, "/v1/tokens", "k", json=body)
    (kept,) = await tenant.fetch(str, "select k::text from idempotency_key k")

    assert (status, again, problem["code"]) == (201, 409, "answer_not_kept")
    assert str(location) in problem["detail"]
    assert made["token"].rpartition("_")[2] not in kept
    assert await count(tenant, "access_token") == 1


async def test_keys_are_the_callers_own(tenant: Tenant, pool: Pool) -> None:
    """The same text is another key of another caller."""
    other = pool.tenant(tenant.organization, "token:other")

    assert await Key.of(tenant, "k").take(b"a", 60, 3600) is None
    assert await Key.of(other, "k").take(b"b", 60, 3600) is None


@pytest.mark.parametrize("key", ["", '""', "a b", "é", '"a"b"', "x" * 256])
async def test_what_is_no_key(api: Client, key: str) -> None:
    """It is refused before anything is done."""
    status, _, problem = await sent(api, "/v1/sites", key, json=SITE)

    assert (status, problem["code"]) == (400, "malformed")


async def test_what_makes_nothing_needs_no_key(api: Client) -> None:
    """The header does no harm there."""
    body = {"name": "Other", **SITE}
    async with api.put("/v1/sites/x", json=body, headers={"Idempotency-Key": "k"}) as answer:
        assert answer.status == 201


# What becomes of a key whose process has died.


async def test_a_key_that_is_left_behind(tenant: Tenant) -> None:
    """Until its lease is over it may be worked on; then the same request takes it, no other."""
    first, second = Key.of(tenant, "k"), Key.of(tenant, "k")
    await first.take(b"a", 60, 3600)
    with pytest.raises(KeyInFlight):
        await second.take(b"a", 60, 3600)
    await age(tenant, held_until=timedelta(minutes=2))
    with pytest.raises(KeyReused):
        await second.take(b"b", 60, 3600)

    assert await second.take(b"a", 60, 3600) is None
    with pytest.raises(KeyInFlight):  # the first, had it only been slow, stores nothing any more
        await first.answer(tenant, b"a", ANSWER)
    await first.release()
    await second.answer(tenant, b"a", ANSWER)
    kept = await first.take(b"a", 60, 3600)
    assert kept is not None
    assert kept.to(b"a") == ANSWER


async def test_a_key_is_held_for_as_long_as_it_takes(tenant: Tenant) -> None:
    """Its lease is renewed, so that nobody takes it from who works on it for long."""
    first, second = Key.of(tenant, "k"), Key.of(tenant, "k")
    await first.take(b"a", 60, 3600)
    await age(tenant, held_until=timedelta(minutes=2))
    await first.renew(60)

    with pytest.raises(KeyInFlight):
        await second.take(b"a", 60, 3600)


async def test_keys_do_not_last(tenant: Tenant, core: Core) -> None:
    """A key is new again once it is older than it is kept for, and rows that old are deleted."""
    await Key.of(tenant, "k").take(b"a", 60, 3600)
    await age(tenant, made_at=timedelta(hours=2))

    assert await Key.of(tenant, "k").take(b"b", 60, 3600) is None
    await Key.of(tenant, "new").take(b"b", 60, 3600)
    settings = Settings()
    await age(tenant, made_at=timedelta(seconds=settings.idempotency.retention))
    await Key.of(tenant, "newer").take(b"b", 60, 3600)
    assert await expire(attrs.evolve(core, settings=settings)) == 2
    assert await count(tenant, "idempotency_key") == 1


async def age(tenant: Tenant, **by: timedelta) -> None:
    """Let times of all keys be so much earlier."""
    for name, length in by.items():
        sql = f"update idempotency_key set {name} = {name} - %s * interval '1 second'"
        await tenant.execute(sql, length.total_seconds())
