"""The plugin `bill-webhook`: every issued bill reaches its receiver."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import attrs
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.settings import Database, Health, Jobs, PluginSelection, Settings
from tests.serving import LOOPBACK, Serving, make_core

SECRET = "between us"
LAST = "energia_bill_webhook_last_success_timestamp_seconds"
WORKING = Jobs(poll=0.1, grace=0.1, heartbeat=2)
SITE = {"name": "Home", "timezone": "UTC", "country": "BR", "currency": "BRL"}
CHANNEL = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
METER = {"site": "home", "channels": [{**CHANNEL, "interval": "PT1H"}]}
FLAT = {"kind": "energy.flat", "rate": "2"}
TARIFF = {
    "name": "Flat",
    "currency": "BRL",
    "timezone": "UTC",
    "versions": [{"valid_from": "2026-01-01", "charges": [FLAT]}],
}
SERIES = {"meter": "m", "start": "2026-03-01T00:00:00Z", "interval": "PT1H", "values": [1] * 48}


@attrs.define
class Receiver:
    """Gets bills and answers as it is told."""

    answers: list[web.Response] = attrs.Factory(list)
    got: list[tuple[dict[str, str], bytes]] = attrs.Factory(list)

    async def take(self, request: web.Request) -> web.Response:
        """Note a request."""
        self.got.append((dict(request.headers), await request.read()))
        return self.answers.pop(0) if self.answers else web.Response(status=204)

    async def until(self, count: int) -> None:
        """Wait until so many have come."""
        async with asyncio.timeout(60):
            while len(self.got) < count:
                await asyncio.sleep(0.01)


@pytest.fixture(name="receiver")
async def _receiver(aiohttp_server: AiohttpServer) -> tuple[Receiver, str]:
    """Give a receiver and its URL."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    server = await aiohttp_server(app)
    return receiver, str(server.make_url("/hook"))


@asynccontextmanager
async def service(
    serving: Serving, database: str, state: State | None = None, **settings: object
) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve with the plugin, so configured."""
    plugins = Plugins.installed(PluginSelection(settings={"bill-webhook": settings}))
    await migrate(database, {**CORE_MIGRATIONS, **plugins.migrations()})
    pool = Pool(database, Database())
    settings_ = Settings(outgoing=LOOPBACK, jobs=WORKING, health=Health(period=0.1))
    core = make_core(plugins=plugins, pool=pool, settings=settings_)
    core = attrs.evolve(core, state=state or core.state)
    try:
        async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as api:
            yield api
    finally:
        await pool.close()


async def issue(api: aiohttp.ClientSession, day: int) -> str:
    """Issue the bill of a day and return its id."""
    contract = {"meter": "m", "tariff": "flat", "start": "2026-03-01"}
    period = {"start": f"2026-03-0{day}", "end": f"2026-03-0{day + 1}"}
    bill = f"bill-{day}"
    for method, path, body in (
        ("PUT", "/v1/sites/home", SITE),
        ("PUT", "/v1/meters/m", METER),
        ("PUT", "/v1/tariffs/flat", TARIFF),
        ("PUT", "/v1/contracts/c", contract),
        ("POST", "/v1/readings", {"series": [SERIES]}),
        ("POST", "/v1/bills", {"id": bill, "contract": "c", **period}),
        ("POST", f"/v1/bills/{bill}/issue", None),
    ):
        async with api.request(method, path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
    return bill


def test_it_registers_its_hooks() -> None:
    """It is the bundled user of `register_migrations`, `register_tasks` and of `bill_issued`."""
    states = {state.name: state for state in Plugins.surveyed()}

    assert {"register_migrations", "register_tasks", "bill_issued"} <= set(
        states["bill-webhook"].hooks
    )


async def test_a_bill_is_told_and_signed(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """The receiver gets the bill at once, and can tell that it is ours."""
    got, url = receiver
    async with service(serving, database, url=url, secret=SECRET) as api:
        await issue(api, 1)
        await got.until(1)

    headers, body = got.got[0]
    told: Any = json.loads(body)
    assert (told["event"], told["bill"], told["total"]) == ("bill_issued", "bill-1", "48.00")
    assert (told["start"], told["end"], told["corrects"]) == ("2026-03-01", "2026-03-02", None)
    at, given = headers["X-Energia-Signature"].split(",")
    signed = f"{at.removeprefix('t=')}.".encode() + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert given == f"v1={expected}"
    assert abs(int(at.removeprefix("t=")) - datetime.now(UTC).timestamp()) < 60


async def test_bills_of_every_organization_are_told(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """Bills of the same id are told apart, and an organization that comes later misses none."""
    got, url = receiver
    async with service(serving, database, url=url, poll=0.1) as api:
        await issue(api, 1)
        await got.until(1)
        pool = Pool(database, Database(pool_size=1))
        (columns,) = await pool.everywhere().fetch(
            str,
            "select string_agg(quote_ident(attname), ', ') from pg_attribute"
            " where attrelid = 'bill'::regclass and attnum > 1 and not attisdropped",
        )
        await pool.everywhere().execute(
            "insert into organization (name) values ('Süd 1');"
            "insert into site select 2, id, name, timezone, country, null, currency from site;"
            "insert into meter select 2, id, site_id, name, serial from meter;"
            "insert into tariff select 2, id, name, currency, timezone from tariff;"
            "insert into contract select 2, id, meter_id, tariff_id, start_day, end_day,"
            " parameters, channels from contract;"
            f"insert into bill (organization_id, {columns}) select 2, {columns} from bill"
        )
        await pool.close()
        await got.until(2)

    told = [json.loads(body) for _, body in got.got]
    assert [one["organization"] for one in told] == ["default", "Süd 1"]
    assert [one["bill"] for one in told] == ["bill-1", "bill-1"]
    deliveries = [headers["X-Energia-Delivery"] for headers, _ in got.got]
    assert deliveries == ["bill-1", "S%C3%BCd%201/bill-1"]


async def test_a_failure_is_tried_again(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """After an error the same delivery comes again, with the same body."""
    got, url = receiver
    got.answers = [web.Response(status=500), web.Response(status=302)]
    async with service(serving, database, url=url, retry_first=0.02) as api:
        await issue(api, 1)
        await got.until(3)
        await asyncio.sleep(0.1)

    assert len(got.got) == 3
    assert {headers["X-Energia-Delivery"] for headers, _ in got.got} == {"bill-1"}
    assert len({body for _, body in got.got}) == 1


async def test_what_was_issued_meanwhile_is_told(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """A bill that nobody could tell of is told by the next start; those before are not."""
    got, url = receiver
    async with service(serving, database) as api:
        await issue(api, 1)
    async with service(serving, database, url="http://127.0.0.1:1/nobody", retry_first=0.01) as api:
        await issue(api, 2)
    assert got.got == []

    async with service(serving, database, url=url, poll=0.05):
        await got.until(1)
        await asyncio.sleep(0.2)

    assert [headers["X-Energia-Delivery"] for headers, _ in got.got] == ["bill-2"]


async def test_what_an_older_release_left_is_told(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """A delivery of 0.1.0 has no task: it is taken up, with the tries that it had."""
    got, url = receiver
    async with service(serving, database) as api:
        await issue(api, 1)
    pool = Pool(database, Database(pool_size=1))
    await pool.tenant().execute(
        "insert into bill_webhook_since (organization_id, since) values (1, now());"
        "insert into bill_webhook_delivery (organization_id, bill_id, made_at, next_at, tries,"
        " last_error) values (1, 'bill-1', now(), now(), 3, 'answered 500')"
    )
    async with service(serving, database, url=url):
        await got.until(1)
        async with asyncio.timeout(60):
            while await pool.tenant().fetch(int, TRIES) != [4]:
                await asyncio.sleep(0.01)
    await pool.close()

    assert [headers["X-Energia-Delivery"] for headers, _ in got.got] == ["bill-1"]


TRIES = "select tries from bill_webhook_delivery where delivered_at is not null"


async def test_nothing_new_while_it_drains(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """A service that was asked to stop leaves the bills that are issued then to others."""
    got, url = receiver
    state = State(Phase.READY)
    async with service(serving, database, state, url=url, poll=0.02) as api:
        await issue(api, 1)
        await got.until(1)
        state.closing = True
        await no_workers(database)
        await issue(api, 2)
        await asyncio.sleep(0.3)
        assert len(got.got) == 1
    async with service(serving, database, url=url, poll=0.02):
        await got.until(2)


async def no_workers(database: str) -> None:
    """Wait until no worker takes anything up any more."""
    pool = Pool(database, Database(pool_size=1))
    async with asyncio.timeout(60):
        while await pool.everywhere().fetch(int, "select id from procrastinate_workers"):
            await asyncio.sleep(0.01)
    await pool.close()


async def test_gone_is_gone(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """410 ends it: the bill is not sent again."""
    got, url = receiver
    got.answers = [web.Response(status=410)]
    async with service(serving, database, url=url, retry_first=0.01, poll=0.05) as api:
        await issue(api, 1)
        await got.until(1)
        await asyncio.sleep(0.3)

    assert len(got.got) == 1


@pytest.mark.parametrize("wish", ["²", "1e9", "Mon, 02 Mar 2026 12:02:00 -0000", "\udcb2"])
async def test_no_answer_ends_delivery(
    wish: str, database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """What is neither seconds nor a date to wait until is no wish: the bill comes again."""
    got, url = receiver
    got.answers = [web.Response(status=503, headers={"Retry-After": wish})]
    async with service(serving, database, url=url, retry_first=0.01, poll=0.05) as api:
        await issue(api, 1)
        await got.until(2)

    assert [headers["X-Energia-Delivery"] for headers, _ in got.got] == ["bill-1", "bill-1"]


async def test_two_replicas_tell_once(
    database: str, receiver: tuple[Receiver, str], serving: Serving
) -> None:
    """Whoever takes a delivery first sends it."""
    got, url = receiver
    async with (
        service(serving, database, url=url, poll=0.02) as api,
        service(serving, database, url=url, poll=0.02),
    ):
        await issue(api, 1)
        await issue(api, 2)
        await got.until(2)
        await asyncio.sleep(0.3)

    assert sorted(h["X-Energia-Delivery"] for h, _ in got.got) == ["bill-1", "bill-2"]


async def test_deliveries(database: str, receiver: tuple[Receiver, str], serving: Serving) -> None:
    """The bill webhook tells how many bills wait, and when one was last taken."""
    got, url = receiver
    got.answers = [web.Response(status=500)]
    began = time.time()
    async with service(serving, database, url=url, retry_first=1) as api:
        await issue(api, 1)
        await until(api, "energia_bill_webhook_waiting", 1)
        assert await value_of(api, LAST) == 0
        await until(api, "energia_bill_webhook_waiting", 0)
        assert began <= await value_of(api, LAST) <= time.time()


async def until(api: aiohttp.ClientSession, metric: str, value: float) -> None:
    """Wait until a metric has a value."""
    async with asyncio.timeout(60):
        while await value_of(api, metric) != value:
            await asyncio.sleep(0.05)


async def value_of(api: aiohttp.ClientSession, metric: str) -> float:
    """Return a metric without labels."""
    async with api.get("/metrics") as answer:
        text = await answer.text()
    (found,) = re.findall(rf"^{metric} (\S+)$", text, re.MULTILINE)
    return float(found)
