"""The gate: lets sessions into the API, forms of other sites out, and says errors as pages."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from energia.errors import EnergiaError, Forbidden, Unauthenticated
from energia.web.keys import BEARER, CORE, ERROR
from energia_plugins.console.page import again_page, error_page
from energia_plugins.console.sessions import Sessions, ticket_of
from energia_plugins.console.settings import Settings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Below this path are the pages.
ROOT: Final = "/console"
SIGN_IN: Final = f"{ROOT}/sign-in"
_READS: Final = frozenset({"GET", "HEAD"})


def gate(settings: Settings) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def pass_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_page = request.path == ROOT or request.path.startswith(f"{ROOT}/")
        try:
            if is_page and request.method not in _READS:
                refuse_foreign(request)
            if is_page or request.method in _READS:
                await _let_in(request, settings)
        except EnergiaError as refusal:
            if not is_page:
                raise
            return await _page_of(request, refusal)
        response = await handler(request)
        error = request.get(ERROR)
        if is_page and isinstance(error, EnergiaError | web.HTTPException):
            return await _page_of(request, error)
        return response

    return pass_gate


async def _let_in(request: web.Request, settings: Settings) -> None:
    """Let a request count as who has signed in, unless it says itself who sends it.

    What writes over the API does not: no page but ours can be told from another there.
    """
    if hdrs.AUTHORIZATION in request.headers or (ticket := ticket_of(request)) is None:
        return
    core = request.app[CORE]
    if core.state.usable and (token := await Sessions(core, settings).token(ticket)) is not None:
        request[BEARER] = token


def refuse_foreign(request: web.Request) -> None:
    """Raise `Forbidden` for what a page of another site sends.

    Browsers say where a form is from, in one of two headers; what says neither is none of ours.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = origin == f"{request.scheme}://{request.host}"
    if not is_ours:
        raise Forbidden("the form was sent from another site")


async def _page_of(
    request: web.Request, error: EnergiaError | web.HTTPException
) -> web.StreamResponse:
    """Return an error as a page; who is not known is asked to sign in, and comes back here.

    Who follows a link of another site may have signed in all the same: browsers keep the cookie
    back then, so the page is asked for once more, by ourselves.
    """
    if isinstance(error, Unauthenticated) and request.path != SIGN_IN:
        back = request.rel_url.raw_path_qs if request.method in _READS else ROOT
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return again_page(request)
        there = f"{SIGN_IN}?back={quote(back, safe='')}"
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: there})
    return error_page(request, error)
