"""Each change leaves one entry, with what was before and what is after."""

from typing import Any

import pytest

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    FLAT,
    SITE,
    corrected,
    day,
    draft,
    hours,
    issued,
    refusal,
    success,
    tariff,
    tariff_of,
)
from tests.serving import Client


async def log(client: Client, **wanted: str) -> list[dict[str, Any]]:
    """Return the entries that are wanted, the oldest first."""
    async with client.get("/v1/audit", params=wanted) as answer:
        assert answer.status == 200, await answer.text()
        items: list[dict[str, Any]] = (await answer.json())["items"]
    return items[::-1]


def actions(entries: list[dict[str, Any]]) -> list[str]:
    """Return what happened."""
    return [entry["action"] for entry in entries]


async def test_a_site_is_made_changed_and_deleted(client: Client) -> None:
    """Three entries: what was and what is, whole."""
    await success(client, "PUT", "/v1/sites/home", SITE)
    await success(client, "PUT", "/v1/sites/home", {**SITE, "name": "House"})
    await success(client, "DELETE", "/v1/sites/home")

    made, changed, deleted = await log(client, resource="site", id="home")

    assert actions([made, changed, deleted]) == ["create", "update", "delete"]
    assert made["before"] is None
    assert made["after"] == {"id": "home", **SITE, "subdivision": None}
    assert changed["before"] == made["after"]
    assert changed["after"] == {**made["after"], "name": "House"}
    assert (deleted["before"], deleted["after"]) == (changed["after"], None)


async def test_who_and_when_and_by_which_request(client: Client) -> None:
    """The caller, the id of the request, and the time are in the entry."""
    headers = {"X-Request-Id": "mine-1"}
    async with client.put("/v1/sites/home", json=SITE, headers=headers) as answer:
        assert answer.status == 201

    (entry,) = await log(client)

    assert (entry["caller"], entry["caller_name"]) == ("anybody", "anybody")
    assert entry["request"] == "mine-1"
    assert entry["at"].endswith("Z")


async def test_what_stays_the_same_is_no_change(household: Client) -> None:
    """A `PUT` of what is there already leaves no entry."""
    before = await log(household)
    await success(household, "PUT", "/v1/sites/home", SITE)
    await success(household, "PUT", "/v1/tariffs/flat", tariff())
    await success(household, "PUT", "/v1/contracts/c", CONTRACT)
    await success(household, "PUT", "/v1/meters/m", {"site": "home", "channels": [CHANNEL]})

    assert await log(household) == before


async def test_a_meter_is_one_with_its_channels(client: Client) -> None:
    """Several statements change a meter and its channels: one entry, of what changed."""
    await success(client, "PUT", "/v1/sites/home", SITE)
    other = {**CHANNEL, "id": "export", "direction": "export"}
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": [CHANNEL, other]})
    changed = {"site": "home", "serial": "S1", "channels": [{**CHANNEL, "unit": "Wh"}]}
    await success(client, "PUT", "/v1/meters/m", changed)
    await success(client, "DELETE", "/v1/meters/m")

    made, put, deleted = await log(client, resource="meter", id="m")

    assert actions([made, put, deleted]) == ["create", "update", "delete"]
    assert (made["before"], set(made["after"]["channels"])) == (None, {"import", "export"})
    assert put["before"]["channels"]["import"]["unit"] == "kWh"
    assert set(put["before"]["channels"]) == {"import", "export"}
    assert (put["before"]["serial"], put["after"]["serial"]) == (None, "S1")
    assert set(put["after"]["channels"]) == {"import"}
    assert put["after"]["channels"]["import"]["unit"] == "Wh"
    assert deleted["after"] is None
    assert set(deleted["before"]["channels"]) == {"import"}


async def test_a_tariff_is_one_with_its_versions(client: Client) -> None:
    """The versions that changed are in its entry, as documents; the others are not."""
    first = {"valid_from": "2025-01-01", "valid_to": "2026-01-01", "charges": [FLAT]}
    second = {"valid_from": "2026-01-01", "charges": [FLAT]}
    dearer = {"valid_from": "2026-01-01", "charges": [{**FLAT, "rate": "0.60"}]}
    await success(client, "PUT", "/v1/tariffs/flat", tariff_of(first, second))
    await success(client, "PUT", "/v1/tariffs/flat", tariff_of(first, dearer))
    await success(client, "DELETE", "/v1/tariffs/flat")

    made, put, deleted = await log(client, resource="tariff", id="flat")

    assert actions([made, put, deleted]) == ["create", "update", "delete"]
    assert set(made["after"]["versions"]) == {"2025-01-01", "2026-01-01"}
    (before,), (after,) = put["before"]["versions"].values(), put["after"]["versions"].values()
    assert before["document"]["charges"][0]["rate"] == "0.50"
    assert after["document"]["charges"][0]["rate"] == "0.60"
    assert deleted["before"]["name"] == "Flat"
    assert set(deleted["before"]["versions"]) == {"2025-01-01", "2026-01-01"}


async def test_a_contract_is_made_changed_and_deleted(household: Client) -> None:
    """With its parameters and channels."""
    await success(household, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2026-01-01"})
    await success(household, "DELETE", "/v1/contracts/c")

    made, changed, deleted = await log(household, resource="contract", id="c")

    assert actions([made, changed, deleted]) == ["create", "update", "delete"]
    assert (changed["before"]["end_day"], changed["after"]["end_day"]) == (None, "2026-01-01")
    assert deleted["before"] == changed["after"]


async def test_a_draft_is_priced_without_an_entry(household: Client) -> None:
    """Nobody is billed by a draft; that it is deleted is told, with what it said."""
    await draft(household, "b", 1)
    await draft(household, "b", 1)
    assert await log(household, resource="bill") == []

    await success(household, "DELETE", "/v1/bills/b")

    (deleted,) = await log(household, resource="bill")
    assert (deleted["action"], deleted["resource_id"], deleted["after"]) == ("delete", "b", None)
    assert deleted["before"]["document"]["total"] == "12.00"


async def test_a_bill_is_issued_and_corrected(household: Client) -> None:
    """One entry for the bill that is issued, one for the bill whose place it takes."""
    await issued(household, "old", 1)
    await hours(household, 1, 2)
    await corrected(household, "old", "new")

    entries = await log(household, resource="bill")

    assert sorted((entry["resource_id"], entry["action"]) for entry in entries) == [
        ("new", "issue"),
        ("old", "correct"),
        ("old", "issue"),
    ]
    assert (entries[0]["before"]["status"], entries[0]["after"]["status"]) == ("draft", "issued")


async def test_a_run_leaves_an_entry_for_each_bill(household: Client) -> None:
    """Drafted and issued by one request."""
    body = {**day(1), "issue": True}
    await success(household, "POST", "/v1/bills/run", body)

    (entry,) = await log(household, resource="bill")

    assert (entry["action"], entry["after"]["contract"]) == ("issue", "c")


async def test_a_tariff_of_issued_bills_is_corrected(household: Client) -> None:
    """One entry of the tariff, with the reason; the bills, which go on as they are, have none."""
    await issued(household, "b", 1)
    path = "/v1/tariffs/flat?correction=a+slip"
    await success(household, "PUT", path, tariff({**FLAT, "rate": "0.60"}))

    *_, entry = await log(household, resource="tariff")

    assert entry["action"] == "correct"
    assert entry["after"]["superseded"]["1"]["reason"] == "a slip"
    assert entry["before"]["versions"]["2025-01-01"]["document"]["charges"][0]["rate"] == "0.50"
    assert actions(await log(household, resource="bill")) == ["issue"]


async def test_lists_and_series(client: Client) -> None:
    """Lists of holidays and price series are watched; prices that come in are not."""
    document = {"name": "BR", "dates": ["2026-01-01"]}
    await success(client, "PUT", "/v1/holiday-lists/br", document)
    series = {"currency": "EUR", "unit": "kWh", "interval": "PT1H"}
    await success(client, "PUT", "/v1/price-series/spot", series)
    prices = {"prices": [{"start": "2026-01-01T00:00:00Z", "price": "0.10"}]}
    await success(client, "POST", "/v1/price-series/spot/prices", prices)
    await success(client, "DELETE", "/v1/price-series/spot")

    lists = await log(client, resource="holiday_list")
    assert [(entry["resource_id"], entry["action"]) for entry in lists] == [("br@1", "create")]
    assert actions(await log(client, resource="price_series")) == ["create", "delete"]


async def test_readings_leave_none(household: Client) -> None:
    """Readings have revisions of their own."""
    before = await log(household)
    await hours(household, 1, 5)

    assert await log(household) == before


async def test_what_is_refused_leaves_none(household: Client) -> None:
    """A request that fails changes nothing, and no entry says otherwise."""
    before = await log(household)
    assert await refusal(household, "DELETE", "/v1/tariffs/flat") == (409, "in_use", {})
    assert (await refusal(household, "PUT", "/v1/contracts/d", CONTRACT))[0] >= 400

    assert await log(household) == before


async def test_a_transaction_that_fails_leaves_none(tenant: Tenant) -> None:
    """Entries are of the transaction that makes the change."""
    site = "insert into site values (1, 'home', 'Home', 'UTC', 'BR', null, 'BRL')"
    with pytest.raises(LookupError):
        async with tenant.transaction() as queries:
            await queries.execute(site)
            assert await queries.fetch(int, "select count(*) from audit") == [1]
            raise LookupError

    assert await tenant.fetch(int, "select count(*) from audit") == [0]


async def test_a_thing_that_changes_twice_has_one_entry(tenant: Tenant) -> None:
    """Before is what it was at first, after what it is at last."""
    site = "insert into site values (1, 'home', '1', 'UTC', 'BR', null, 'BRL')"
    await tenant.execute(site)
    async with tenant.transaction() as queries:
        await queries.execute("update site set name = '2'")
        await queries.execute("update site set name = '3'")

    sql = "select before ->> 'name', after ->> 'name' from audit where action = 'update'"
    assert await tenant.fetch(lambda *names: names, sql) == [("1", "3")]


async def test_an_organization_has_its_own_entry(pool: Pool) -> None:
    """That it was made is in its own log, not in that of whoever asked."""
    made = "insert into organization (name) values ('other') returning id"
    (other,) = await pool.everywhere("command:root").fetch(int, made)

    sql = "select caller, resource, resource_id from audit"
    assert await pool.tenant().fetch(lambda *row: row, sql) == []
    assert await pool.tenant(other).fetch(lambda *row: row, sql) == [
        ("command:root", "organization", str(other))
    ]


async def test_what_is_done_past_the_service(pool: Pool, tenant: Tenant) -> None:
    """Who works on the database itself is named by their role."""
    site = "insert into site values (1, 'home', 'Home', 'UTC', 'BR', null, 'BRL')"
    await tenant.execute(f"select set_config('energia.caller', '', true); {site}")

    assert await tenant.fetch(str, "select caller from audit") == ["database:energia"]


async def test_any_text_may_name_a_caller(pool: Pool) -> None:
    """Subjects of foreign tokens are arbitrary: they are kept as they are, and run nothing."""
    strange = "jwt:é'\"\\%s;--(){}\n$1 \U0001f600" + "x" * 300
    name = "A\x00'; drop table site; --"
    tenant = pool.tenant(1, strange, name=name, request="r\ud800")
    site = "insert into site values (1, %s, 'Home', 'UTC', 'BR', null, 'BRL')"
    await tenant.execute(site, "a%")
    await tenant.execute(site.replace("%s", "'b%'"))

    sql = "select caller, caller_name, request_id from audit"
    named = (strange[:200], "A\ufffd'; drop table site; --", "r\ufffd")
    assert await tenant.fetch(lambda *row: row, sql) == [named, named]


async def test_secrets_are_compared_and_not_kept(tenant: Tenant) -> None:
    """A new secret is a change, of which no entry has the hash; the last use is none."""
    await tenant.execute(
        "create table badge (organization_id int, id text, hash text, name text, used_at int);"
        "call audit_watch('badge', 'token', '{id}', secrets => '{hash}', apart => '{used_at}')"
    )
    await tenant.execute("insert into badge values (1, 'b', 'canary', 'B', null)")
    await tenant.execute("update badge set used_at = 1")
    await tenant.execute("update badge set hash = 'canary 2'")
    await tenant.execute("delete from badge")

    sql = "select action, before::text, after::text from audit order by id"
    badge = '{"id": "b", "name": "B"}'
    assert await tenant.fetch(lambda *row: row, sql) == [
        ("create", None, badge),
        ("update", badge, badge),
        ("delete", badge, None),
    ]
