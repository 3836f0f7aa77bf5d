"""The overview: what this month costs so far, what needs attention, the last bills."""

from aiohttp import web

from energia import SCOPES, Routes
from energia_plugins.console.page import View

routes = Routes(reads=tuple(SCOPES), documented=False)


@routes.get("/console", produces=("text/html",))
async def show_overview(request: web.Request) -> web.Response:
    """Show the overview."""
    view = View.of(request)
    return view.page("overview.html", place="overview")
