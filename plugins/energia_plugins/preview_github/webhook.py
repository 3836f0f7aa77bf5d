"""What GitHub sends, and how it is told from what others send."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from energia import EnergiaError, Malformed
from energia.web.bodies import Limit

SIGNATURE: Final = "X-Hub-Signature-256"
EVENT: Final = "X-GitHub-Event"
DELIVERY: Final = "X-GitHub-Delivery"
#: The event that is acted upon, and the actions of it that are.
PULL_REQUEST: Final = "pull_request"
ACTIONS: Final = ("closed", "reopened")
_LONGEST_ID: Final = 100


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
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def delivery(headers: Mapping[str, str]) -> str:
    """Return the id of a delivery; raises `Malformed`."""
    found = headers.get(DELIVERY, "")
    if not (found.isascii() and found.replace("-", "").isalnum() and len(found) <= _LONGEST_ID):
        raise Malformed(f"{DELIVERY} is missing, or is not an id")
    return found


def event(body: bytes) -> Event:
    """Return what *body* tells; raises `Malformed`."""
    try:
        found = msgspec.json.decode(body, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not what GitHub sends as JSON: {error}") from None
    if found.pull_request.updated_at.tzinfo is None:
        raise Malformed("pull_request.updated_at has no offset")
    return found
