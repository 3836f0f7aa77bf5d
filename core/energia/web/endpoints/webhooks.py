"""Webhooks: who is told of what happens, and what became of it."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Forbidden, Invalid, NotFound
from energia.web.keys import CALLER
from energia.web.resources import ADMINS, Cursor, Limit, Page, examples, page, place_of
from energia.web.routes import Created, Routes
from energia.webhooks.models import Delivery, NewWebhook, Status, Webhook, WholeWebhook
from energia.webhooks.store import Webhooks

WebhookId = Annotated[
    str,
    Meta(
        pattern=r"^whk_[0-9a-f-]{36}$",
        extra={"words": "the id that the service gave: whk_ and a UUID"},
        description="The id of the webhook.",
        examples=["whk_019dd1a5-28b6-7a51-9b58-64b6f18b5b7f"],
    ),
]
DeliveryId = Annotated[
    str,
    Meta(
        pattern=r"^msg_[0-9a-f]{32}$",
        extra={"words": "the id that the service gave: msg_ and 32 hexadecimal digits"},
        description="The id of what was sent, as the header `webhook-id` has it.",
        examples=["msg_00064c5f8a1b2c3d4e5f60718293a4b5"],
    ),
]
OfStatus = Annotated[Status, Meta(description="Only deliveries of this status.")]
Grace = Annotated[
    int,
    Meta(ge=0, le=2_592_000, description="Seconds for which the secret before signs as well."),
]

routes = Routes(tag="Webhooks", reads=ADMINS, writes=ADMINS)


@routes.get("/v1/webhooks", errors=(Forbidden,))
async def list_webhooks(
    request: web.Request, core: Core, tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[Webhook]:
    """List the webhooks by id; no secret."""
    listed = await _webhooks(request, core, tenant).page(place_of(cursor), limit + 1)
    return page(listed, limit, lambda webhook: webhook.id)


@routes.post("/v1/webhooks", errors=(Forbidden,), examples=examples("webhooks"), once="secret")
async def post_webhook(
    request: web.Request, body: NewWebhook, core: Core, tenant: Tenant
) -> Created[WholeWebhook]:
    """Make a webhook; its secret is in this answer and nowhere else.

    It is told of what happens from now on, and of what ends, is late or would be another bill by
    then. Each event is sent at least once, with the same `webhook-id` at every try, signed as
    [Standard Webhooks](https://www.standardwebhooks.com) says.
    """
    _refuse_unreachable(core, body)
    webhook, secret = await _webhooks(request, core, tenant).add(body)
    return Created(f"/v1/webhooks/{webhook.id}", WholeWebhook(secret, webhook))


@routes.get("/v1/webhooks/{webhook}", errors=(NotFound, Forbidden))
async def get_webhook(
    request: web.Request, webhook: WebhookId, core: Core, tenant: Tenant
) -> Webhook:
    """Return a webhook, without its secret."""
    return await _webhooks(request, core, tenant).get(webhook)


@routes.put("/v1/webhooks/{webhook}", errors=(NotFound, Forbidden), examples=examples("webhooks"))
async def put_webhook(
    request: web.Request, webhook: WebhookId, body: NewWebhook, core: Core, tenant: Tenant
) -> Webhook:
    """Replace what is said of a webhook; its secret stays.

    One that was switched off by itself, as its receiver answered 410, is switched on again.
    """
    _refuse_unreachable(core, body)
    return await _webhooks(request, core, tenant).put(webhook, body)


@routes.delete("/v1/webhooks/{webhook}", errors=(NotFound, Forbidden))
async def delete_webhook(
    request: web.Request, webhook: WebhookId, core: Core, tenant: Tenant
) -> None:
    """Delete a webhook with its deliveries: what waits is not sent."""
    await _webhooks(request, core, tenant).delete(webhook)


@routes.post("/v1/webhooks/{webhook}/rotate", errors=(NotFound, Forbidden), once="secret")
async def rotate_webhook(
    request: web.Request, webhook: WebhookId, core: Core, tenant: Tenant, grace: Grace = 86_400
) -> WholeWebhook:
    """Give a webhook another secret; for the `grace` the one before signs as well."""
    whole, secret = await _webhooks(request, core, tenant).rotate(webhook, grace)
    return WholeWebhook(secret, whole)


@routes.post("/v1/webhooks/{webhook}/test", errors=(NotFound, Forbidden), once="together")
async def test_webhook(
    request: web.Request, webhook: WebhookId, core: Core, tenant: Tenant
) -> Created[Delivery]:
    """Send the event `webhook.test` to a webhook, active or not; the delivery tells how it goes."""
    delivery = await _webhooks(request, core, tenant).test(webhook)
    return Created(f"/v1/webhooks/{webhook}/deliveries/{delivery.id}", delivery)


@routes.get("/v1/webhooks/{webhook}/deliveries", errors=(NotFound, Forbidden))
async def list_deliveries(
    request: web.Request,
    webhook: WebhookId,
    core: Core,
    tenant: Tenant,
    status: OfStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Delivery]:
    """List what was sent to a webhook, and what waits: the newest first, with the last tries."""
    before = place_of(cursor) or None
    webhooks = _webhooks(request, core, tenant)
    listed = await webhooks.deliveries(webhook, status, before, limit + 1)
    return page(listed, limit, lambda delivery: delivery.id)


@routes.get("/v1/webhooks/{webhook}/deliveries/{delivery}", errors=(NotFound, Forbidden))
async def get_delivery(
    request: web.Request, webhook: WebhookId, delivery: DeliveryId, core: Core, tenant: Tenant
) -> Delivery:
    """Return what became of one event."""
    return await _webhooks(request, core, tenant).delivery(webhook, delivery)


@routes.post(
    "/v1/webhooks/{webhook}/deliveries/{delivery}/resend",
    errors=(NotFound, Forbidden),
    once="together",
)
async def resend_delivery(
    request: web.Request, webhook: WebhookId, delivery: DeliveryId, core: Core, tenant: Tenant
) -> Delivery:
    """Send an event again, whatever became of it: the same bytes, under the same `webhook-id`."""
    return await _webhooks(request, core, tenant).resend(webhook, delivery)


def _refuse_unreachable(core: Core, new: NewWebhook) -> None:
    """Refuse an address to which nothing is ever sent, rather than try it for days."""
    if reason := core.outgoing.refusal(new.url):
        raise Invalid.of("not_allowed", f"nothing is sent there: {reason}", "/url")


def _webhooks(request: web.Request, core: Core, tenant: Tenant) -> Webhooks:
    """Return the webhooks; who sees some sites or meters only would be told of all."""
    if request[CALLER].limited:
        raise Forbidden("a token that is limited to sites or meters does not manage webhooks")
    return Webhooks(tenant, core.jobs)
