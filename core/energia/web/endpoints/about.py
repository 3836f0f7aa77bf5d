"""What the service is made of: its document and its plugins."""

from http import HTTPStatus
from typing import Any, Literal

import attrs
from aiohttp import web

from energia.core import Core
from energia.discovery import PluginState
from energia.schema import schema_of
from energia.web import media
from energia.web.keys import DOCUMENT
from energia.web.routes import Routes

routes = Routes()


@attrs.frozen
class Plugin:
    """An installed plugin.

    Attributes:
        name: The name of its entry point.
        family: What kind of plugin it is: the first part of its name.
        state: `unavailable` is a plugin whose optional requirements are not installed.
        hooks: The hooks it implements.
        distribution: The distribution that declares it.
        version: The version of that distribution.
        reason: Why it is not loaded.
        settings_schema: A JSON Schema of its settings; their values are not told.

    """

    name: str
    family: str
    state: Literal["loaded", "disabled", "unavailable"]
    hooks: tuple[str, ...]
    distribution: str | None = None
    version: str | None = None
    reason: str | None = None
    settings_schema: dict[str, Any] | None = None


@attrs.frozen
class Plugins:
    """The installed plugins, sorted by name."""

    items: tuple[Plugin, ...]
    next: str | None


@routes.get("/v1/plugins")
async def list_plugins(core: Core) -> Plugins:
    """List the installed plugins, loaded or not."""
    return Plugins(tuple(map(_plugin, core.plugins.states)), None)


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


def _plugin(state: PluginState) -> Plugin:
    return Plugin(
        name=state.name,
        family=state.family,
        state=state.state,
        hooks=state.hooks,
        distribution=state.distribution,
        version=state.version,
        reason=state.reason,
        settings_schema=schema_of(state.settings) if state.settings else None,
    )
