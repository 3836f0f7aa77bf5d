"""Signing in and out, and the files that pages load."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from energia import PUBLIC, NotFound, Route, Routes, Unauthenticated
from energia.web.access import AUTHENTICATION
from energia.web.keys import CALLER, CORE
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View, marked, static
from energia_plugins.console.sessions import COOKIE, Sessions, give, take, ticket_of
from energia_plugins.console.settings import Settings

_HOME: Final = "/console"
#: Nobody is led elsewhere, whatever a link says.
_OURS: Final = re.compile(r"/console(?:[/?][!-\[\]-~]*)?")

#: Why a token is not taken, in the words of the API; a reason of a plugin stays as it is.
_REASONS: Final = frozenset(
    {
        marked("the token is not known"),
        marked("the token is revoked"),
        marked("the token has expired"),
    }
)


def routes_of(settings: Settings) -> Sequence[Route]:
    """Return the routes."""
    routes = Routes(reads=PUBLIC, writes=PUBLIC, documented=False)

    @routes.get("/console/static/{version}/{name}", produces=("text/css", "text/javascript"))
    async def get_static(version: str, name: str) -> web.Response:
        """Return a file that pages load."""
        response = static().response(name)
        if response is None:
            raise NotFound(f"the console has no file {name!r}")
        return response

    @routes.get("/console/sign-in", produces=("text/html",))
    async def show_sign_in(
        request: web.Request, back: str = _HOME, language: str | None = None
    ) -> web.Response:
        """Ask for a token."""
        return View.of(request).page("sign_in.html", form=Form(), back=_ours(back))

    @routes.post("/console/sign-in")
    async def sign_in(request: web.Request) -> web.Response:
        """Begin a session with a token."""
        form = await Form.read(request)
        token, back = form.get("token").strip(), _ours(form.get("back"))
        view = View.of(request)
        try:
            caller = await request.app[AUTHENTICATION].caller(token)
        except Unauthenticated as error:
            told = error.detail or error.title
            why = view.text(told) if told in _REASONS else told
            said = view.text("This token is not valid: %(why)s.", why=why)
            refused = Form({"back": back}, {"token": said})
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return view.page("sign_in.html", status=status, form=refused, back=back)
        request[CALLER] = caller
        sessions = Sessions(request.app[CORE], settings)
        if (former := ticket_of(request)) is not None:
            await sessions.end(former)
        ticket = await sessions.begin(caller, token)
        response = view.see(back)
        give(request, response, COOKIE, ticket.text, settings.lifetime)
        return response

    @routes.post("/console/sign-out")
    async def sign_out(request: web.Request) -> web.Response:
        """End the session."""
        await Form.read(request)
        if (ticket := ticket_of(request)) is not None:
            await Sessions(request.app[CORE], settings).end(ticket)
        response = View.of(request).see("/console/sign-in")
        take(request, response, COOKIE)
        return response

    return routes


def _ours(back: str) -> str:
    """Return a path of the console: what was asked for, if it is one."""
    return back if _OURS.fullmatch(back) else _HOME
