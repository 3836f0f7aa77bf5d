"""The gate: lets sessions into the API, forms of other sites out, and says errors as pages.

It stands around every request, so what only pages need is imported for the first of them.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from energia.access.callers import NOBODY
from energia.errors import DatabaseAway, EnergiaError, Unauthenticated
from energia.web.access import asker
from energia.web.bodies import PROBLEM
from energia.web.keys import BEARER, CALLER, CORE, ERROR
from energia.web.middlewares import answered
from energia.web.routes import of_request
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
        if not is_page(request):
            if request.method in _READS and _needs_someone(request):
                await _let_in(request, settings)
            return await handler(request)

        async def enter(request: web.Request) -> web.StreamResponse:
            if request.method not in _READS:
                refuse_foreign(request)
            if _needs_someone(request):
                await _let_in(request, settings)
            return await handler(request)

        answer = await answered(request, enter)
        if isinstance(answer, web.Response) and answer.content_type == PROBLEM:
            return await _page_of(request, answer, settings)
        return answer

    return pass_gate


def is_page(request: web.Request) -> bool:
    """Tell whether a person is answered: by a page."""
    return request.path == ROOT or request.path.startswith(f"{ROOT}/")


def _needs_someone(request: web.Request) -> bool:
    """Tell whether it matters who asks: not for what is public, which no database holds up."""
    route = of_request(request)
    return route is not None and bool(route.needs)


async def _let_in(request: web.Request, settings: Settings) -> None:
    """Let a request count as who has signed in, unless it says itself who sends it.

    What writes over the API does not: no page but ours can be told from another there.
    """
    if hdrs.AUTHORIZATION in request.headers or not request.cookies:
        return
    from energia_plugins.console.sessions import Sessions, ticket_of

    if (ticket := ticket_of(request)) is None:
        return
    core = request.app[CORE]
    if not core.state.usable:
        raise DatabaseAway(f"the service is {core.state.phase}")
    if (token := await Sessions(core, settings).token(ticket)) is not None:
        request[BEARER] = token


def refuse_foreign(request: web.Request) -> None:
    """Raise `ForeignForm` for what a page of another site sends.

    Browsers say where a form is from, in one of two headers; what says neither is none of ours.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = origin == f"{request.scheme}://{request.host}"
    if not is_ours:
        from energia_plugins.console.page import ForeignForm

        raise ForeignForm("the form was sent from another site")


async def _page_of(
    request: web.Request, problem: web.Response, settings: Settings
) -> web.StreamResponse:
    """Return an error as a page; who is not known is asked to sign in, and comes back here.

    Who follows a link of another site may have signed in all the same: browsers keep the cookie
    back then, so the page is asked for once more, by ourselves.
    """
    from energia_plugins.console.page import View
    from energia_plugins.console.refusals import error_page

    if isinstance(request.get(ERROR), Unauthenticated) and request.path != SIGN_IN:
        back = request.rel_url.raw_path_qs if request.method in _READS else ROOT
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return View.of(request).page("again.html")
        return View.of(request).see(SIGN_IN, back=back)
    await _recognise(request, settings)
    return error_page(request, problem)


async def _recognise(request: web.Request, settings: Settings) -> None:
    """Find out who is told of an error: their page leads on to where they may go."""
    if request.get(CALLER) in (None, NOBODY):
        with suppress(EnergiaError):
            await _let_in(request, settings)
            request[CALLER] = await asker(request)
