"""Where the documentation is."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from energia.core import Core
from energia.web import media
from energia.web.keys import DOCUMENT
from energia.web.routes import Routes

routes = Routes(tag="Service")


@routes.get("/openapi.json", returns=dict[str, Any])
async def get_openapi(request: web.Request) -> web.Response:
    """Return this document."""
    return web.Response(body=request.app[DOCUMENT], content_type=media.JSON)


@routes.add("GET", "/", status=HTTPStatus.FOUND, produces=())
async def get_start(core: Core) -> web.Response:
    """Redirect to the documentation."""
    has_page = any(route.path == "/docs" for route in core.plugins.routes())
    where = "/docs" if has_page else "/openapi.json"
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": where})
