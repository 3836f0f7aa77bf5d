"""Installed plugins, as the API and `energia plugins list` show them."""

from typing import Any, Literal

import attrs

from energia.convert.schema import schema_of
from energia.plugins.discovery import PluginState


@attrs.frozen
class Plugin:
    """An installed plugin.

    Attributes:
        name: The name of its entry point.
        family: What kind of plugin it is: the first part of its name.
        state: `unavailable` is a plugin whose optional requirements are not installed; a service
            does not start with one that has `failed`.
        hooks: The hooks it implements.
        distribution: The distribution that declares it.
        version: The version of that distribution.
        reason: Why it is not loaded.
        settings_schema: A JSON Schema of its settings; their values are not told.

    """

    name: str
    family: str
    state: Literal["loaded", "disabled", "unavailable", "failed"]
    hooks: tuple[str, ...]
    distribution: str | None = None
    version: str | None = None
    reason: str | None = None
    settings_schema: dict[str, Any] | None = None


def listed(state: PluginState) -> Plugin:
    """Return a plugin as it is shown."""
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
