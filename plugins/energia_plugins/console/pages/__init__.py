"""The pages, a module each: what it asks the API, and what it shows."""

from collections.abc import Sequence

from energia import Route
from energia_plugins.console.pages import access, imports, overview
from energia_plugins.console.settings import Settings


def routes_of(settings: Settings) -> Sequence[Route]:
    """Return the routes of all pages."""
    return [*access.routes_of(settings), *overview.routes, *imports.routes]
