"""Plugins: what the service is made of."""

from typing import Any, Literal

import attrs

from energia.convert.schema import schema_of
from energia.core import Core
from energia.plugins.discovery import PluginState
from energia.web.pages import Page
from energia.web.routes import Routes

routes = Routes(tag="Catalogue")


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


@routes.get("/v1/plugins")
async def list_plugins(core: Core) -> Page[Plugin]:
    """List the installed plugins, loaded or not."""
    return Page(tuple(map(_plugin, core.plugins.states)), None)


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
