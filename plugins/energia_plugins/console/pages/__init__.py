"""The pages, a module each: what it asks the API, and what it shows."""

from collections.abc import Sequence

from energia import Route
from energia_plugins.console.pages import (
    access,
    bill,
    bill_check,
    bills,
    compare,
    imports,
    meter,
    meters,
    overview,
    record_contracts,
    record_meters,
    records,
    service,
    tariff_editor,
    tariffs,
)
from energia_plugins.console.settings import Settings


def routes_of(settings: Settings) -> Sequence[Route]:
    """Return the routes of all pages."""
    return [
        *access.routes_of(settings),
        *bills.routes,
        *bill.routes,
        *bill_check.routes,
        *compare.routes,
        *imports.routes,
        *meter.routes,
        *meters.routes,
        *overview.routes,
        *record_contracts.routes,
        *record_meters.routes,
        *records.routes,
        *service.routes,
        *tariff_editor.routes,
        *tariffs.routes,
    ]
