"""Deliveries: at least once, signed, tried again, put off, given up, sent again."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import attrs
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.settings import Webhooks
from energia.webhooks.delivery import WebhookDelivery
from energia.webhooks.signing import signature
from energia.webhooks.store import DeliveryKey
from energia.webhooks.watch import WebhookExpiry
from tests.core.billing.setting import issued, store_household, success
from tests.core.webhooks.receiver import (
    Clock,
    Receiver,
    listening,
    telling,
    until_answer,
    webhook,
)
from tests.serving import Client, Serving


async def deliveries(client: Client, id_: str, query: str = "") -> list[Any]:
    """Return what was sent to a webhook."""
    listed: list[Any] = (await success(client, "GET", f"/v1/webhooks/{id_}/deliveries{query}"))[
        "items"
    ]
    return listed


async def ended(client: Client, id_: str, status: str) -> Any:
    """Wait until the newest delivery of a webhook has a status, and return it."""
    found = await until_answer(
        client,
        f"/v1/webhooks/{id_}/deliveries",
        lambda page: [one["status"] for one in page["items"][:1]] == [status],
    )
    return found["items"][0]


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether one of the signatures is that of a secret."""
    at = int(headers["webhook-timestamp"])
    mine = signature(secret, headers["webhook-id"], at, body)
    return mine in headers["webhook-signature"].split(" ")


async def test_an_issued_bill_is_told_and_signed(household: Client, receiver: Receiver) -> None:
    """The receiver can tell that it is ours, and what was billed."""
    made = await webhook(household, receiver.url)
    bill = await issued(household, "b1", 1)
    (told,) = await receiver.until(1)
    delivery = await ended(household, made["webhook"]["id"], "delivered")

    ((headers, body),) = receiver.got
    assert is_signed(made["secret"], headers, body)
    assert headers["Content-Type"] == "application/json"
    assert told["type"] == "bill.issued"
    assert told["data"]["total"] == bill["total"] == "12.00"
    assert told["data"]["issued_at"] == bill["issued_at"]  # the same instant, written alike
    assert {key: told["data"][key] for key in ("bill", "contract", "start", "end", "corrects")} == {
        "bill": "b1", "contract": "c", "start": "2025-03-01", "end": "2025-03-02", "corrects": None,
    }  # fmt: skip
    assert (delivery["id"], delivery["tries"]) == (headers["webhook-id"], 1)
    assert delivery["body"] == told
    assert delivery["next_try"] is None
    assert [(one["status"], one["error"]) for one in delivery["outcomes"]] == [(204, None)]


async def test_a_failure_is_tried_again(household: Client, receiver: Receiver) -> None:
    """The same bytes come again, under the same id; what became of each try is told."""
    receiver.answers = [500, 302]
    made = await webhook(household, receiver.url)
    await success(household, "POST", f"/v1/webhooks/{made['webhook']['id']}/test")
    await receiver.until(3)
    delivery = await ended(household, made["webhook"]["id"], "delivered")

    assert len(set(receiver.ids)) == 1
    assert len({body for _, body in receiver.got}) == 1
    outcomes = [(one["status"], one["error"]) for one in delivery["outcomes"]]
    assert outcomes == [(500, "answered 500"), (302, "answered 302"), (204, None)]


async def test_it_is_given_up_and_listed(household: Client, receiver: Receiver) -> None:
    """After the last pause; a receiver that takes the next one works again."""
    receiver.answers = [500] * 4
    id_ = (await webhook(household, receiver.url))["webhook"]["id"]
    await success(household, "POST", f"/v1/webhooks/{id_}/test")
    delivery = await ended(household, id_, "given_up")
    failing = await success(household, "GET", f"/v1/webhooks/{id_}")
    await success(household, "POST", f"/v1/webhooks/{id_}/test")
    await ended(household, id_, "delivered")
    works = await success(household, "GET", f"/v1/webhooks/{id_}")

    assert delivery["tries"] == 4
    assert (failing["failures"], failing["succeeded"]) == (4, None)
    assert (works["failures"], works["quiet_until"]) == (0, None)
    assert works["succeeded"] is not None
    assert len(await deliveries(household, id_, "?status=given_up")) == 1


async def test_what_was_sent_can_be_sent_again(household: Client, receiver: Receiver) -> None:
    """Whatever became of it: the same bytes, under the same id."""
    id_ = (await webhook(household, receiver.url))["webhook"]["id"]
    sent = await success(household, "POST", f"/v1/webhooks/{id_}/test")
    await ended(household, id_, "delivered")
    path = f"/v1/webhooks/{id_}/deliveries/{sent['id']}"
    again = await success(household, "POST", f"{path}/resend")
    await receiver.until(2)
    await ended(household, id_, "delivered")

    assert again["status"] == "waiting"
    assert receiver.ids == [sent["id"]] * 2
    assert receiver.got[0][1] == receiver.got[1][1]
    assert (await success(household, "GET", path))["tries"] == 2


async def test_gone_switches_it_off(household: Client, receiver: Receiver) -> None:
    """After 410 nothing is sent any more, what waits is given up; a PUT switches it on again."""
    receiver.answers = [410]
    made = await webhook(household, receiver.url)
    path = f"/v1/webhooks/{made['webhook']['id']}"
    await issued(household, "b1", 1)
    gone = await until_answer(household, path, lambda one: not one["active"])
    await issued(household, "b2", 2)
    body = {"url": receiver.url, "events": ["bill.issued"]}
    back = await success(household, "PUT", path, body)
    await issued(household, "b3", 3)
    told = await receiver.until(2)

    assert gone["problem"] == "its receiver answered 410: it wants nothing any more"
    assert gone["waiting"] == 0
    assert (back["active"], back["problem"]) == (True, None)
    assert [one["data"]["bill"] for one in told] == ["b1", "b3"]


async def test_a_rotated_secret_signs_beside_the_new_one(
    household: Client, receiver: Receiver
) -> None:
    """For the grace that is given, and no longer."""
    made = await webhook(household, receiver.url)
    path = f"/v1/webhooks/{made['webhook']['id']}"
    second = await success(household, "POST", f"{path}/rotate?grace=600")
    await success(household, "POST", f"{path}/test")
    await receiver.until(1)
    third = await success(household, "POST", f"{path}/rotate?grace=0")
    await success(household, "POST", f"{path}/test")
    await receiver.until(2)

    first, last = receiver.got
    secrets = [made["secret"], second["secret"], third["secret"]]
    assert [is_signed(secret, *first) for secret in secrets] == [True, True, False]
    assert [is_signed(secret, *last) for secret in secrets] == [False, False, True]


async def test_nothing_is_told_of_what_is_rolled_back(
    household: Client, receiver: Receiver, tenant: Tenant
) -> None:
    """An event is of the transaction that it tells of."""
    id_ = (await webhook(household, receiver.url))["webhook"]["id"]
    await success(household, "POST", "/v1/bills", {"id": "b", "contract": "c", **DAY})
    with pytest.raises(ZeroDivisionError):
        async with tenant.transaction() as queries:
            issue = "update bill set status = 'issued', issued_at = now()"
            assert await queries.execute(issue) == 1
            assert await queries.fetch(int, "select count(*) from webhook_event") == [1]
            raise ZeroDivisionError
    await success(household, "POST", f"/v1/webhooks/{id_}/test")
    (told,) = await receiver.until(1)

    assert told["type"] == "webhook.test"
    assert len(await deliveries(household, id_)) == 1


DAY = {"start": "2025-03-01", "end": "2025-03-02"}


async def test_each_webhook_gets_what_it_wants(
    household: Client, receiver: Receiver, aiohttp_server: AiohttpServer
) -> None:
    """Of two receivers the one of bills gets bills, once each; one that is switched off nothing."""
    other = await listening(aiohttp_server)
    await webhook(household, receiver.url, "bill.issued")
    await webhook(household, receiver.url, "bill.issued", active=False)
    await webhook(household, other.url, "readings.imported", "bill.issued")
    await issued(household, "b1", 1)
    await issued(household, "b2", 2)
    mine, others = await receiver.until(2), await other.until(2)

    assert [one["data"]["bill"] for one in mine] == ["b1", "b2"]
    assert sorted(one["data"]["bill"] for one in others) == ["b1", "b2"]
    assert sorted(receiver.ids) == sorted(other.ids)


async def test_other_addresses_are_not_reached(pool: Pool, serving: Serving) -> None:
    """An address that `outgoing.allow` names no longer is not reached: the delivery says so."""
    core = telling(pool)
    settings = attrs.evolve(core.settings, outgoing=attrs.evolve(core.settings.outgoing, allow=()))
    async with serving(telling(pool, concurrency=0)) as client:
        id_ = (await webhook(client, "http://127.0.0.1:1/hook"))["webhook"]["id"]
    async with serving(attrs.evolve(core, settings=settings)) as client:
        await success(client, "POST", f"/v1/webhooks/{id_}/test")
        delivery = await ended(client, id_, "given_up")

    assert {one["status"] for one in delivery["outcomes"]} == {None}
    assert "outgoing.allow" in delivery["outcomes"][0]["error"]


async def test_a_preview_tells_nobody(pool: Pool, serving: Serving, receiver: Receiver) -> None:
    """Its database may be a copy of one whose receivers are real."""
    async with serving(telling(pool, profile="preview")) as client:
        id_ = (await webhook(client, receiver.url))["webhook"]["id"]
        await success(client, "POST", f"/v1/webhooks/{id_}/test")
        delivery = await ended(client, id_, "given_up")

    assert receiver.got == []
    assert delivery["tries"] == 0
    assert "preview" in delivery["outcomes"][0]["error"]


async def test_what_waits_survives_the_process(
    pool: Pool, serving: Serving, receiver: Receiver
) -> None:
    """What a service that works nothing off has issued is told by the next one."""
    async with serving(telling(pool, concurrency=0)) as client:
        await store_household(client)
        await webhook(client, receiver.url)
        await issued(client, "b1", 1)
    assert receiver.got == []
    async with serving(telling(pool)):
        (told,) = await receiver.until(1)

    assert told["data"]["bill"] == "b1"


async def test_two_services_tell_once(pool: Pool, serving: Serving, receiver: Receiver) -> None:
    """Whichever takes a delivery up sends it."""
    core = telling(pool)
    async with serving(core) as client, serving(core):
        await store_household(client)
        id_ = (await webhook(client, receiver.url))["webhook"]["id"]
        for day in range(1, 9):
            await issued(client, f"b{day}", day)
        await receiver.until(8)
        await until_answer(client, f"/v1/webhooks/{id_}", lambda one: one["waiting"] == 0)

    assert len(receiver.ids) == len(set(receiver.ids)) == 8


# The schedule: tries one by one, at times that a test sets.


@attrs.define(eq=False)
class Turns:
    """Makes tries of one delivery, when a test says so."""

    core: Core
    client: Client
    webhook: str
    event: str
    tries: int = 0

    async def turn(self) -> Any:
        """Make the next try, and return the delivery."""
        key = DeliveryKey(1, self.webhook, self.event, self.tries)
        await WebhookDelivery().run(self.core, attrs.asdict(key))
        path = f"/v1/webhooks/{self.webhook}/deliveries/{self.event}"
        delivery = await success(self.client, "GET", path)
        self.tries = delivery["tries"]
        return delivery


@pytest.fixture(name="turns")
async def _turns(pool: Pool, serving: Serving, receiver: Receiver) -> AsyncIterator[Turns]:
    """Give a test event that is tried when a test says so, by the pauses that a service has."""
    core = attrs.evolve(telling(pool, Webhooks(), concurrency=0), clock=Clock())
    async with serving(core) as client:
        id_ = (await webhook(client, receiver.url))["webhook"]["id"]
        event = (await success(client, "POST", f"/v1/webhooks/{id_}/test"))["id"]
        yield Turns(core, client, id_, event)


def forward(turns: Turns, delivery: Any) -> float:
    """Set the clock to when a delivery is tried next; return in how many seconds that is."""
    clock = turns.core.clock
    assert isinstance(clock, Clock)
    left = datetime.fromisoformat(delivery["next_try"]) - clock.now()
    clock.ahead += left
    return left.total_seconds()


async def test_it_is_tried_for_three_days(turns: Turns, receiver: Receiver) -> None:
    """Ten times, with pauses of 5 seconds to a day, uneven by a tenth; then it is given up."""
    receiver.answers = [500] * 20
    pauses = list[float]()
    delivery = await turns.turn()
    while delivery["status"] == "waiting":
        pauses.append(forward(turns, delivery))
        delivery = await turns.turn()
        while delivery["status"] == "waiting" and delivery["tries"] == len(pauses):
            forward(turns, delivery)  # the receiver was left alone
            delivery = await turns.turn()

    assert delivery["status"] == "given_up"
    assert delivery["tries"] == len(receiver.got) == 10
    expected = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert all(
        0.9 * one - 10 <= pause <= 1.1 * one for one, pause in zip(expected, pauses, strict=True)
    )


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_is_left_alone_as_it_asks(
    turns: Turns, receiver: Receiver, status: int
) -> None:
    """An hour stays an hour, for all that is to be sent to it; what is due meanwhile is put off."""
    receiver.answers = [web.Response(status=status, headers={"Retry-After": "3600"})]
    delivery = await turns.turn()
    other = attrs.evolve(turns, tries=0)
    path = f"/v1/webhooks/{turns.webhook}/test"
    other.event = (await success(turns.client, "POST", path))["id"]
    put_off = await other.turn()

    assert 3590 <= forward(turns, delivery) <= 3600
    assert (put_off["tries"], put_off["status"]) == (0, "waiting")
    assert len(receiver.got) == 1
    forward(turns, put_off)
    assert (await turns.turn())["status"] == "delivered"
    assert (await other.turn())["status"] == "delivered"


async def test_a_try_that_was_made_is_not_made_again(turns: Turns, receiver: Receiver) -> None:
    """A task that is begun twice, once its outcome is noted, sends nothing more."""
    first = await turns.turn()
    turns.tries = 0
    second = await turns.turn()

    assert first == second
    assert len(receiver.got) == 1


async def test_what_is_deleted_meanwhile_is_not_sent(turns: Turns, receiver: Receiver) -> None:
    """Its task ends without a word."""
    await success(turns.client, "DELETE", f"/v1/webhooks/{turns.webhook}")
    key = DeliveryKey(1, turns.webhook, turns.event, 0)
    await WebhookDelivery().run(turns.core, attrs.asdict(key))

    assert receiver.got == []


async def test_old_events_go(turns: Turns, tenant: Tenant) -> None:
    """Those that are older than they are kept, with their deliveries; none that still waits."""
    path = f"/v1/webhooks/{turns.webhook}"
    waiting = (await success(turns.client, "POST", f"{path}/test"))["id"]
    await turns.turn()
    await tenant.execute("update webhook_event set created_at = now() - interval '31 days'")
    await WebhookExpiry().run(turns.core, {})

    assert [one["id"] for one in await deliveries(turns.client, turns.webhook)] == [waiting]
