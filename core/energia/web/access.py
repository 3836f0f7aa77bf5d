"""Who asks, and whether they may: 401 for whoever is not known, 403 for who lacks a scope."""

from typing import Final

from aiohttp import web

from energia.access.authentication import Authentication
from energia.access.callers import ANYBODY, NOBODY, Caller, Scope
from energia.errors import Forbidden, Unauthenticated
from energia.web.keys import BEARER, CORE
from energia.web.routes import Route

#: Recognises callers.
AUTHENTICATION: Final = web.AppKey("AUTHENTICATION", Authentication)


async def identified(request: web.Request, route: Route | None) -> Caller:
    """Return who asks, and may use the *route* of a request.

    Where no token is required one that is sent counts all the same. Public routes look at none.
    Paths and methods that nothing answers are 404 and 405 for everybody.

    Raises:
        Unauthenticated: No token, where one is required, or one that is not valid.
        Forbidden: The caller has none of the scopes of the route.
        DatabaseAway: It cannot be told who sends the token.

    """
    if route is None or not route.needs:
        return NOBODY
    caller = await asker(request)
    refuse_strangers(caller, route.needs)
    return caller


async def asker(request: web.Request) -> Caller:
    """Return who asks, whatever for; `ANYBODY` where no token is needed and none was sent.

    Raises:
        Unauthenticated: No token, where one is required, or one that is not valid.
        DatabaseAway: It cannot be told who sends the token.

    """
    is_required = request.app[CORE].settings.auth.required
    if (bearer := bearer_of(request)) is None:
        if is_required:
            raise Unauthenticated("a token is needed: Authorization: Bearer <token>")
        return ANYBODY
    try:
        return await request.app[AUTHENTICATION].caller(bearer)
    except Unauthenticated as error:
        if is_required:
            raise
        # Clients that are generated always send one.
        detail = f"{error.detail}; none is needed here, but one that is sent counts"
        raise Unauthenticated(detail) from None


def bearer_of(request: web.Request) -> str | None:
    """Return the bearer token that *request* carries, or its session; None where there is none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    carried = given.strip() if scheme.lower() == "bearer" else ""
    return carried or request.get(BEARER)


def refuse_strangers(caller: Caller, scopes: tuple[Scope, ...]) -> None:
    """Raise `Forbidden`, naming *scopes*, if *caller* has none of them."""
    if not any(map(caller.may, scopes)):
        one = "one of the scopes " if len(scopes) > 1 else "the scope "
        raise Forbidden(f"the token lacks {one}{', '.join(scopes)}")
