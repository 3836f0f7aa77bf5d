"""Tokens for some sites or meters: what is of others is not there for them."""

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Auth, Settings
from tests.e2e.test_access import bearer
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "UTC", "country": "ES", "currency": "EUR"}
CHANNEL = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT1H"}
TOTAL = {**CHANNEL, "interval": None, "kind": "register", "direction": "export"}
TARIFF = {
    "name": "Flat",
    "currency": "EUR",
    "timezone": "UTC",
    "versions": [{"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "1"}]}],
}
DAY = {"start": "2026-03-01", "end": "2026-03-02"}
GUARDED = ("site", "meter", "channel", "contract", "bill", "cost_to_date", "superseded", "import")
Headers = dict[str, str]


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with two meters at two sites, each billed for a day."""
    await guard(pool)
    settings = attrs.evolve(Settings(), auth=Auth(required=True))
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with serving(core) as client:
        await fill(client, await bearer(pool, "admin"))
        yield client


async def guard(pool: Pool) -> None:
    """Let row policies bind, where they do not yet."""
    tenant = pool.tenant()
    if (await tenant.fetch(bool, "select row_security_active('meter')"))[0]:
        return
    for table in GUARDED:
        await tenant.execute(f"alter table {table} enable row level security")
        await tenant.execute(f"alter table {table} force row level security")
        await tenant.execute(f"create policy everybody on {table} using (true)")


def series(meter: str) -> dict[str, Any]:
    """Return a body with a day of readings."""
    values = {
        "meter": meter,
        "channel": "import",
        "start": "2026-03-01T00:00:00Z",
        "interval": "PT1H",
    }
    return {"series": [{**values, "values": [1] * 24}]}


async def fill(client: Client, admin: Headers) -> None:
    """Make what is of `one`, and what is of `two`."""
    await sent(client, "PUT", "/v1/tariffs/flat", admin, TARIFF)
    for name in ("one", "two"):
        total = {"id": "total", **TOTAL}
        meter = {"site": name, "channels": [{"id": "import", **CHANNEL}, total]}
        contract = {"meter": name, "tariff": "flat", "start": "2026-01-01"}
        await sent(client, "PUT", f"/v1/sites/{name}", admin, SITE)
        await sent(client, "PUT", f"/v1/meters/{name}", admin, meter)
        await sent(client, "POST", "/v1/readings", admin, series(name))
        await sent(client, "PUT", f"/v1/contracts/{name}", admin, contract)
        await sent(client, "POST", "/v1/bills", admin, {"id": name, "contract": name, **DAY})


async def sent(client: Client, method: str, path: str, headers: Headers, body: Any) -> Any:
    """Send a request that works, and return the answer."""
    answer = await client.request(method, path, headers=headers, json=body)
    assert answer.status in (200, 201), await answer.text()
    return await answer.json()


@pytest.fixture(name="limited", params=["sites", "meters"])
async def _limited(request: pytest.FixtureRequest, client: Client, pool: Pool) -> Headers:
    """Give the token of who sees `one` only: its site, or its meter."""
    limits = {request.param: ("one",)}
    return await bearer(pool, "readings:read", "readings:write", "billing", **limits)


LISTS = ("/v1/sites", "/v1/meters", "/v1/contracts", "/v1/bills")
THINGS = (
    "/v1/sites/{}",
    "/v1/meters/{}",
    "/v1/meters/{}/readings?channel=import&start=2026-03-01&end=2026-03-02",
    "/v1/meters/{}/usage?channel=import&start=2026-03-01&end=2026-03-02",
    "/v1/meters/{}/gaps?channel=import&start=2026-03-01&end=2026-03-02",
    "/v1/meters/{}/corrections?channel=import&start=2026-03-01&end=2026-03-02",
    "/v1/meters/{}/registers?channel=total&start=2026-03-01&end=2026-03-02",
    "/v1/meters/{}/stretches?channel=total&start=2026-03-01&end=2026-03-02",
    "/v1/contracts/{}",
    "/v1/contracts/{}/state",
    "/v1/contracts/{}/corrections",
    "/v1/contracts/{}/to-date?start=2026-03-01",
    "/v1/bills/{}",
    "/v1/bills/{}/explain",
)


async def test_lists(client: Client, limited: Headers) -> None:
    """Lists have what is of the limits, and nothing else."""
    for path in LISTS:
        items = (await (await client.get(path, headers=limited)).json())["items"]
        assert [item["id"] for item in items] == ["one"], path


async def test_things(client: Client, limited: Headers) -> None:
    """What is of others is 404, as if it were not there."""
    for path in THINGS:
        one = await client.get(path.format("one"), headers=limited)
        two = await client.get(path.format("two"), headers=limited)
        none = await client.get(path.format("none"), headers=limited)
        assert (one.status, two.status, none.status) == (200, 404, 404), path
        said = (await two.text()).replace("two", "none")
        assert said.partition("request_id")[0] == (await none.text()).partition("request_id")[0]


async def test_readings(client: Client, limited: Headers) -> None:
    """Readings of others are refused, as those of meters that are not there."""
    await sent(client, "POST", "/v1/readings", limited, series("one"))
    both = {"series": [*series("one")["series"], *series("two")["series"]]}
    for body in (series("two"), series("none"), both):
        assert (await client.post("/v1/readings", json=body, headers=limited)).status == 422


async def test_imports(client: Client, limited: Headers) -> None:
    """Of imports it sees its own ones."""
    before = (await (await client.get("/v1/imports", headers=limited)).json())["items"]
    made = await sent(client, "POST", "/v1/readings", limited, series("one"))
    after = (await (await client.get("/v1/imports", headers=limited)).json())["items"]

    assert before == []
    assert [one["import"] for one in after] == [made["import"]]


async def test_costs(client: Client, limited: Headers) -> None:
    """Usage of others is not priced."""
    for meter, status in (("one", 200), ("two", 422), ("none", 422)):
        body = {"meter": meter, "tariff": "flat", **DAY}
        assert (await client.post("/v1/costs", json=body, headers=limited)).status == status


async def test_bills(client: Client, limited: Headers) -> None:
    """Bills of others are neither made, issued nor deleted; a run goes over its own contracts."""
    later = {"start": "2026-03-01", "end": "2026-03-02"}
    made = await client.post("/v1/bills", json={"contract": "two", **later}, headers=limited)
    issued = await client.post("/v1/bills/two/issue", headers=limited)
    gone = await client.delete("/v1/bills/two", headers=limited)
    run = await sent(client, "POST", "/v1/bills/run", limited, later)

    assert (made.status, issued.status, gone.status) == (422, 404, 404)
    assert "two" not in str(run)


async def test_changes(client: Client, limited: Headers) -> None:
    """It neither changes nor takes what is of others, and makes nothing for them."""
    meter = {"site": "two", "channels": [{"id": "import", **CHANNEL}]}
    contract = {"meter": "two", "tariff": "flat", "start": "2026-01-01"}
    statuses = [
        (await client.put("/v1/sites/two", json=SITE, headers=limited)).status,
        (await client.put("/v1/meters/two", json=meter, headers=limited)).status,
        (await client.put("/v1/meters/new", json=meter, headers=limited)).status,
        (await client.put("/v1/contracts/two", json=contract, headers=limited)).status,
        (await client.put("/v1/contracts/new", json=contract, headers=limited)).status,
        (await client.delete("/v1/meters/two", headers=limited)).status,
        (await client.delete("/v1/sites/two", headers=limited)).status,
        (await client.delete("/v1/contracts/two", headers=limited)).status,
    ]

    assert [status for status in statuses if status not in (403, 404, 422)] == [], statuses


async def test_tokens(client: Client, pool: Pool) -> None:
    """Who is limited makes no token, not even with `admin`."""
    admin = await bearer(pool, "admin", meters=("one",))
    body = {"name": "x", "scopes": ["admin"]}

    assert (await client.post("/v1/tokens", json=body, headers=admin)).status == 403
    assert (await client.get("/v1/tokens", headers=admin)).status == 403


async def test_where_policies_do_not_bind(pool: Pool, serving: Serving) -> None:
    """Without row security a limited token is refused, and no other one."""
    for table in GUARDED:
        await pool.tenant().execute(f"alter table {table} disable row level security")
    settings = attrs.evolve(Settings(), auth=Auth(required=True))
    async with serving(make_core(pool=pool, settings=settings)) as client:
        limited = await bearer(pool, "admin", sites=("one",))
        assert (await client.get("/v1/sites", headers=limited)).status == 403
        assert (await client.get("/v1/sites", headers=await bearer(pool, "admin"))).status == 200


async def test_files_make_nothing_of_others(client: Client, limited: Headers) -> None:
    """A file makes no meter at a site of others, and no channel of a meter of others."""
    row = "200,{},E1,1,E1,,METER,WH,60,\n300,20260301," + "1," * 24 + "A,,,,\n"

    async def created(meter: str, site: str) -> int:
        query = {"format": "nem12", "create_meters": "true", "site": site}
        data = row.format(meter)
        async with client.post("/v1/imports", params=query, data=data, headers=limited) as answer:
            return answer.status

    assert await created("one", "one") == 200
    assert await created("x", "two") == 422
    assert await created("two", "one") == 403
