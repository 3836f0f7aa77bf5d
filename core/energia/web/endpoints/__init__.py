"""The core's own routes, in the order in which the documentation lists them."""

from energia.web.endpoints import (
    about,
    audit,
    bills,
    contracts,
    costs,
    deletions,
    health,
    imports,
    jobs,
    mappings,
    prices,
    readings,
    registers,
    sites,
    tariffs,
    tokens,
    usage,
    webhooks,
)
from energia.web.routes import Route

ROUTES: tuple[Route, ...] = (
    *sites.site_routes,
    *sites.meter_routes,
    *imports.routes,
    *mappings.routes,
    *readings.routes,
    *jobs.export_routes,
    *registers.routes,
    *usage.routes,
    *deletions.routes,
    *tariffs.routes,
    *tariffs.holiday_routes,
    *prices.routes,
    *prices.series_routes,
    *costs.routes,
    *contracts.routes,
    *bills.routes,
<<<<<<< HEAD
    *webhooks.routes,
=======
    *jobs.routes,
>>>>>>> main
    *tokens.routes,
    *audit.routes,
    *about.routes,
    *health.routes,
    *about.service_routes,
)
