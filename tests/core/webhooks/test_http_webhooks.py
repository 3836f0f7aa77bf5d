"""Webhooks over HTTP: made, shown without their secrets, changed, deleted, by admins alone."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db import organizations
from energia.db.pool import Pool
from energia.db.tenant import Limits, Tenant
from tests.core.billing.setting import refusal, success
from tests.core.pricing.asking import answer_of
from tests.core.webhooks.receiver import telling, webhook
from tests.serving import Client, Serving

URL = "https://erp.example/energia"


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service that sends nothing."""
    async with serving(telling(pool, concurrency=0)) as client:
        yield client


async def test_the_secret_is_shown_once(client: Client) -> None:
    """In the answer that makes it, and in the one that makes another; nowhere else."""
    made = await webhook(client, URL, "bill.issued", description="books bills")
    path = f"/v1/webhooks/{made['webhook']['id']}"
    rotated = await success(client, "POST", f"{path}/rotate")
    shown = [await success(client, "GET", where) for where in (path, "/v1/webhooks", "/v1/audit")]

    assert made["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    assert made["secret"] not in str(shown)
    assert rotated["secret"] not in str(shown)
    assert shown[0] == made["webhook"] == rotated["webhook"]
    assert shown[1]["items"] == [made["webhook"]]
    assert (shown[0]["url"], shown[0]["description"]) == (URL, "books bills")
    assert (shown[0]["active"], shown[0]["waiting"], shown[0]["failures"]) == (True, 0, 0)


async def test_it_is_changed_and_deleted(client: Client) -> None:
    """A PUT replaces all but the secret; what is deleted is gone, with its deliveries."""
    path = f"/v1/webhooks/{(await webhook(client, URL))['webhook']['id']}"
    body = {"url": f"{URL}/2", "events": ["gap.opened", "price.stale"], "active": False}
    changed = await success(client, "PUT", path, body)
    await success(client, "POST", f"{path}/test")
    await success(client, "DELETE", path)

    assert {name: changed[name] for name in body} == body
    for method, where in (
        ("GET", path), ("DELETE", path), ("POST", f"{path}/test"), ("POST", f"{path}/rotate"),
        ("GET", f"{path}/deliveries"), ("GET", f"{path}/deliveries/msg_{'0' * 32}"),
        ("POST", f"{path}/deliveries/msg_{'0' * 32}/resend"),
    ):  # fmt: skip
        assert (await refusal(client, method, where))[:2] == (404, "not_found")
    assert (await refusal(client, "PUT", path, body))[:2] == (404, "not_found")


async def test_lists_go_page_by_page(client: Client) -> None:
    """Webhooks by id, deliveries from the newest on."""
    first = (await webhook(client, URL))["webhook"]["id"]
    await webhook(client, URL)
    events = [(await success(client, "POST", f"/v1/webhooks/{first}/test"))["id"] for _ in range(3)]
    assert len(await pages(client, "/v1/webhooks")) == 2
    listed = await pages(client, f"/v1/webhooks/{first}/deliveries")

    assert [one["id"] for one in listed] == events[::-1] == sorted(events, reverse=True)


async def pages(client: Client, path: str) -> list[Any]:
    """Return all of a list, one by one."""
    items = list[Any]()
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        page = await success(client, "GET", f"{path}?limit=1&cursor={page['next']}")
        assert len(page["items"]) == 1
        items += page["items"]
    return items


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "ftp://erp.example/"}, "/url", "bad_pattern"),
        ({"url": "https://"}, "/url", "bad_pattern"),
        ({"url": "https://[::1/"}, "/url", "wrong_url"),
        ({"url": "http://10.0.0.7/hook"}, "/url", "not_allowed"),
        ({"events": []}, "/events", "too_short"),
        ({"events": ["bill.made"]}, "/events/0", "unknown_value"),
        ({"secret": "whsec_mine"}, "/secret", "unknown_field"),
    ],
)
async def test_what_does_not_fit_is_refused(
    client: Client, body: dict[str, Any], pointer: str, code: str
) -> None:
    """With the place in the body."""
    sent = {"url": URL, "events": ["bill.issued"], **body}
    status, _, codes = await refusal(client, "POST", "/v1/webhooks", sent)

    assert status == 422
    assert codes == {pointer: code}


async def test_a_webhook_does_not_move_to_an_address_that_is_never_reached(client: Client) -> None:
    """A `PUT` is held to what a `POST` is; the webhook stays where it was."""
    made = await success(client, "POST", "/v1/webhooks", {"url": URL, "events": ["bill.issued"]})
    path = f"/v1/webhooks/{made['webhook']['id']}"
    moved = {"url": "http://[fd00::1]/hook", "events": ["bill.issued"]}

    assert (await refusal(client, "PUT", path, moved))[2] == {"/url": "not_allowed"}
    assert (await success(client, "GET", path))["url"] == URL


async def test_only_admins_manage_webhooks(client: Client) -> None:
    """Another scope is not enough, nor is `admin` that is limited to some meters."""
    id_ = (await webhook(client, URL))["webhook"]["id"]
    for token in ({"scopes": ["billing"]}, {"scopes": ["admin"], "meters": ["m"]}):
        made = await success(client, "POST", "/v1/tokens", {"name": "t", **token})
        headers = {"Authorization": f"Bearer {made['token']}"}
        for path in ("/v1/webhooks", f"/v1/webhooks/{id_}", f"/v1/webhooks/{id_}/deliveries"):
            async with client.get(path, headers=headers) as answer:
                assert answer.status == 403


async def test_rows_are_those_of_an_organization(client: Client, pool: Pool) -> None:
    """Another organization sees nothing, nor does a caller that is limited to some meters."""
    id_ = (await webhook(client, URL))["webhook"]["id"]
    await success(client, "POST", f"/v1/webhooks/{id_}/test")
    tables = ("webhook", "webhook_event", "webhook_delivery")
    limited = pool.tenant(1, "t", Limits("t", meters=frozenset({"m"})))
    for table in tables:
        count = f"select count(*) from {table}"
        assert await pool.tenant().fetch(int, count) == [1]
        assert await pool.tenant(2).fetch(int, count) == [0]
        assert await limited.fetch(int, count) == [0]


async def test_an_organization_goes_with_its_webhooks(client: Client, pool: Pool) -> None:
    """They are no reason to keep one."""
    made = await organizations.create(pool, "other")
    other = pool.tenant(made.key)
    await other.execute(
        "insert into webhook (organization_id, id, url, events, secret)"
        " values (%s, 'w', 'https://erp.example', '{bill.issued}', 'whsec_')",
        made.key,
    )
    await other.execute("select energia_webhook_tell('bill.issued', '{}')")
    await organizations.delete(pool, "other")

    assert await pool.everywhere().fetch(int, "select count(*) from webhook_delivery") == [0]


async def test_the_document_describes_what_is_sent(client: Client) -> None:
    """Each type of event is a webhook of the OpenAPI document, with its body."""
    _, document = await answer_of(client, "GET", "/openapi.json")

    described = document["webhooks"]
    assert set(described) == {
        "readings.imported", "gap.opened", "price.stale", "contract.ending", "bill.issued",
        "bill.affected", "webhook.test",
    }  # fmt: skip
    for event in described.values():
        schema = event["post"]["requestBody"]["content"]["application/json"]["schema"]
        body = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert list(body["properties"]) == ["type", "timestamp", "data"]


async def test_a_key_makes_one_webhook_and_keeps_no_secret(client: Client, tenant: Tenant) -> None:
    """Sent again, it names the webhook and shows the secret no more; a test is sent once."""
    key = {"Idempotency-Key": "hook-1"}
    body = {"url": URL, "events": ["bill.issued"]}
    async with client.post("/v1/webhooks", json=body, headers=key) as answer:
        made = await answer.json()
        assert answer.status == 201, made
    async with client.post("/v1/webhooks", json=body, headers=key) as answer:
        again = await answer.json()
        assert (answer.status, again["code"]) == (409, "answer_not_kept")
    path = f"/v1/webhooks/{made['webhook']['id']}/test"
    for _ in range(2):
        async with client.post(path, headers={"Idempotency-Key": "test-1"}) as answer:
            assert answer.status == 201

    assert len((await success(client, "GET", "/v1/webhooks"))["items"]) == 1
    sent = await success(client, "GET", f"/v1/webhooks/{made['webhook']['id']}/deliveries")
    assert len(sent["items"]) == 1
    kept = await tenant.fetch(str, "select k::text from idempotency_key k")
    assert kept != []
    assert made["secret"] not in str(kept)
