"""What GitHub sends about pull requests: believed by its signature, remembered, then done."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final

import attrs
import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from energia import Core, EnergiaError, Malformed, Tenant
from energia.db.queries import load
from energia.previews.cluster import Cluster
from energia.web.bodies import Limit

SIGNATURE: Final = "X-Hub-Signature-256"
EVENT: Final = "X-GitHub-Event"
DELIVERY: Final = "X-GitHub-Delivery"
#: The event that is acted upon, and the actions of it that are.
PULL_REQUEST: Final = "pull_request"
ACTIONS: Final = ("closed", "reopened")
_LONGEST_ID: Final = 100

SQL: Final = load(__package__)
#: For how long a delivery that a replica has begun is left to it; then another one tries.
_LEASE: Final = timedelta(seconds=30)
#: So many deliveries are done in one round.
_BATCH: Final = 100


class BadSignature(EnergiaError):
    """The signature is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    code = "bad_signature"


class NotAllowed(EnergiaError):
    """The repository is not one of those that have previews here."""

    status = HTTPStatus.FORBIDDEN
    code = "repository_not_allowed"


class Repository(Struct):
    """Where a pull request is."""

    full_name: str


class PullRequest(Struct):
    """When it was last changed, as GitHub's clock has it."""

    updated_at: datetime


class Event(Struct):
    """What happened to a pull request: what we need of it."""

    action: str
    number: Annotated[int, Meta(ge=1, le=9_999_999_999)]
    repository: Repository
    pull_request: PullRequest


async def signed_body(request: web.Request, secret: str, limit: Limit) -> bytes:
    """Return the body of *request*, as it was sent and signed.

    Raises:
        TooLarge: It is over *limit*.
        BadSignature: It was not signed with *secret*.

    """
    limit.check(request.content_length or 0)
    body = bytearray()
    async for data in request.content.iter_any():
        body += data
        limit.check(len(body))
    given = request.headers.get(SIGNATURE, "").encode(errors="surrogateescape")
    if not hmac.compare_digest(given, signature(secret, bytes(body)).encode()):
        raise BadSignature
    return bytes(body)


def signature(secret: str, body: bytes) -> str:
    """Return the value of `X-Hub-Signature-256`: HMAC-SHA256 over the body."""
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def delivery(headers: Mapping[str, str]) -> str:
    """Return the id of a delivery; raises `Malformed`."""
    id_ = headers.get(DELIVERY, "")
    if not (id_.isascii() and id_.replace("-", "").isalnum() and len(id_) <= _LONGEST_ID):
        raise Malformed(f"{DELIVERY} is missing, or is not an id")
    return id_


def event(body: bytes) -> Event:
    """Return the event that *body* is; raises `Malformed`."""
    try:
        event = msgspec.json.decode(body, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not what GitHub sends as JSON: {error}") from None
    if event.pull_request.updated_at.tzinfo is None:
        raise Malformed("pull_request.updated_at has no offset")
    return event


@attrs.frozen
class _Due:
    """A delivery that is to be done, in the order of the columns of `claim`."""

    digest: str
    pr: int
    action: str
    happened_at: datetime


@attrs.frozen
class Deliveries:
    """What GitHub has sent: each is remembered before it is answered, and done afterwards.

    They are in the database of the service, so that what one replica leaves another one does.

    Attributes:
        core: The service.
        keep: For how long a delivery is remembered; an older event is not accepted any more.

    """

    core: Core
    keep: timedelta

    def accepts(self, event: Event) -> bool:
        """Return whether an event is so young that it is remembered if it came before."""
        return event.pull_request.updated_at > self.core.clock.now() - self.keep

    async def receive(self, tenant: Tenant, delivery: str, body: bytes, event: Event) -> bool:
        """Remember a delivery; return whether it is a new one.

        The id is not signed, so that a copy may come with another one: the body is what counts.
        """
        values = {
            "digest": sha256(body).hexdigest(),
            "delivery": delivery,
            "pr": event.number,
            "action": event.action,
            "happened": event.pull_request.updated_at,
            "now": self.core.clock.now(),
        }
        return await tenant.execute(SQL["receive"], values) > 0

    async def work(self, cluster: Cluster) -> int:
        """Do what is due, in the order in which it happened; return how many that were."""
        tenant, now = self.core.pool.tenant(), self.core.clock.now()
        claim = {"now": now, "until": now + _LEASE, "limit": _BATCH}
        due = await tenant.fetch(_Due, SQL["claim"], claim)
        for delivery in sorted(due, key=lambda delivery: delivery.happened_at):
            act = cluster.close if delivery.action == "closed" else cluster.reopen
            await act(delivery.pr, delivery.happened_at)
            await tenant.execute(SQL["done"], self.core.clock.now(), delivery.digest)
        await tenant.execute(SQL["forget"], now - self.keep)
        return len(due)
