"""The console: pages for people who do not program."""

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp.typedefs import Middleware

from energia import Route, RoutesBelow, hookimpl
from energia_plugins.console.gate import ROOT, gate
from energia_plugins.console.settings import Settings

__all__ = ["Console", "Settings"]


class Console:
    """The plugin."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_routes(self) -> list[RoutesBelow]:
        """Offer the pages: what they need takes a fifth of the memory of a service at rest."""
        return [RoutesBelow(ROOT, self._pages)]

    def _pages(self) -> Sequence[Route]:
        from energia_plugins.console.pages import routes_of

        return routes_of(self._settings)

    @hookimpl
    def register_middlewares(self) -> list[Middleware]:
        """Offer what lets sessions in."""
        return [gate(self._settings)]

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the table of sessions."""
        return [files(__package__) / "migrations"]
