"""The pages, a module each: what it asks the API, and what it shows."""

from collections.abc import Sequence

from energia import Route
from energia_plugins.console.pages import (
    access,
    imports,
    overview,
    record_contracts,
    record_meters,
    records,
)
from energia_plugins.console.settings import Settings

#: The pages that need nothing but a request.
_PAGES = (imports, overview, record_contracts, record_meters, records)


def routes_of(settings: Settings) -> Sequence[Route]:
    """Return the routes of all pages."""
    return [*access.routes_of(settings), *(route for page in _PAGES for route in page.routes)]
