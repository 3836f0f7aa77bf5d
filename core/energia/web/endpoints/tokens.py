"""Tokens: who may use the service, and for what."""

from datetime import timedelta
from typing import Annotated, ClassVar

import attrs
from aiohttp import web
from msgspec import Meta

from energia.access import tokens
from energia.access.tokens import NewToken, Secret, Token
from energia.core import Core
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import Forbidden, NotFound
from energia.web.keys import CALLER
from energia.web.resources import ADMINS, Cursor, Limit, Page, page, place_of
from energia.web.routes import Created, Routes

Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,10}x[0-9a-f]{10}$",
        extra={"words": "the prefix of a token, such as 1x0a1b2c3d4e"},
        description="The part of a token that may be read: `energia_<prefix>_<secret>`.",
        examples=["1x0a1b2c3d4e"],
    ),
]
Grace = Annotated[
    int,
    Meta(ge=0, le=2_592_000, description="Seconds for which the secret before is taken as well."),
]

routes = Routes(tag="Tokens", reads=ADMINS, writes=ADMINS)
_EXAMPLES = {
    "A logger that sends readings of one meter": {
        "name": "logger-7",
        "scopes": ["readings:write"],
        "meters": ["UC-123"],
    }
}


@attrs.frozen
class WholeToken:
    """A token with its secret, which is shown this once.

    Attributes:
        token: What its user sends as `Authorization: Bearer <token>`.
        about: All else that is known of it.

    """

    __public_name__: ClassVar[str] = "TokenWithSecret"

    token: str
    about: Token


@routes.get("/v1/tokens", errors=(Forbidden,))
async def list_tokens(
    request: web.Request, tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[Token]:
    """List the tokens of the organization by prefix, those that are revoked too; no secret."""
    _refuse_limited(request)
    found = await tokens.listed(tenant, place_of(cursor), limit + 1)
    return page(found, limit, lambda token: token.prefix)


@routes.post("/v1/tokens", errors=(Forbidden,), examples=_EXAMPLES, once="secret")
async def post_token(
    request: web.Request, body: NewToken, core: Core, tenant: Tenant
) -> Created[WholeToken]:
    """Make a token of the caller's organization; its secret is in this answer and nowhere else."""
    _refuse_limited(request)
    caller = request[CALLER]
    if lacking := [scope for scope in body.scopes if not caller.may(scope)]:
        raise Forbidden(f"nobody gives what they lack: {', '.join(lacking)}")
    secret = await tokens.create(tenant, body, core.clock.now())
    return Created(f"/v1/tokens/{secret.prefix}", await _whole(tenant, secret))


@routes.get(
    "/v1/tokens/{prefix}", errors=(NotFound, Forbidden), holds=holding("access_token", "prefix")
)
async def get_token(request: web.Request, prefix: Prefix, tenant: Tenant) -> Token:
    """Return a token, without its secret."""
    _refuse_limited(request)
    return await tokens.get(tenant, prefix)


@routes.delete("/v1/tokens/{prefix}", errors=(NotFound, Forbidden))
async def delete_token(request: web.Request, prefix: Prefix, tenant: Tenant) -> None:
    """Revoke a token for good: within `auth.cache` seconds nobody gets in by it."""
    _refuse_limited(request)
    await tokens.revoke(tenant, prefix)


@routes.post("/v1/tokens/{prefix}/rotate", errors=(NotFound, Forbidden), once="secret")
async def rotate_token(
    request: web.Request, prefix: Prefix, tenant: Tenant, grace: Grace = 0
) -> WholeToken:
    """Give a token another secret; the one before ends now, or after the `grace` that is given."""
    _refuse_limited(request)
    secret = await tokens.rotate(tenant, prefix, timedelta(seconds=grace))
    return await _whole(tenant, secret)


async def _whole(tenant: Tenant, secret: Secret) -> WholeToken:
    return WholeToken(secret.text, await tokens.get(tenant, secret.prefix))


def _refuse_limited(request: web.Request) -> None:
    """Refuse who sees some sites or meters only: another token could see more."""
    if request[CALLER].limited:
        raise Forbidden("a token that is limited to sites or meters does not manage tokens")
