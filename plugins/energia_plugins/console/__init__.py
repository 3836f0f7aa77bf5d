"""The console: pages for people who do not program."""

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp.typedefs import Middleware

from energia import Route, hookimpl
from energia_plugins.console.gate import gate
from energia_plugins.console.pages import routes_of
from energia_plugins.console.settings import Settings

__all__ = ["Console", "Settings"]


class Console:
    """The plugin."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_routes(self) -> Sequence[Route]:
        """Offer the pages."""
        return routes_of(self._settings)

    @hookimpl
    def register_middlewares(self) -> list[Middleware]:
        """Offer what lets sessions in."""
        return [gate(self._settings)]

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the table of sessions."""
        return [files(__package__) / "migrations"]
