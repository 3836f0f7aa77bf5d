"""The core's own routes.

Those of sites and meters, of health and of the service itself are there from the start. All others
come with the first request for one of them, and with them what they alone import: a tenth of what a
service is in memory, and of its start.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from energia.web.endpoints import about, health, sites
from energia.web.routes import Route, RoutesBelow

_EARLY: Final = (
    *sites.site_routes,
    *sites.meter_routes,
    *about.routes,
    *health.routes,
    *about.service_routes,
)


@cache
def routes() -> tuple[Route, ...]:
    """Return all of them, in the order in which the documentation lists them."""
    from energia.web.endpoints import (
        audit,
        bills,
        channels,
        contracts,
        costs,
        deletions,
        glance,
        imports,
        jobs,
        mappings,
        prices,
        readings,
        registers,
        sums,
        tariffs,
        tokens,
        usage,
        webhooks,
    )

    return (
        *sites.site_routes,
        *sites.meter_routes,
        *glance.routes,
        *imports.routes,
        *mappings.routes,
        *readings.routes,
        *channels.routes,
        *jobs.export_routes,
        *registers.routes,
        *usage.routes,
        *sums.routes,
        *deletions.routes,
        *tariffs.routes,
        *tariffs.holiday_routes,
        *prices.routes,
        *prices.series_routes,
        *costs.routes,
        *sums.cost_routes,
        *contracts.routes,
        *bills.routes,
        *jobs.routes,
        *webhooks.routes,
        *tokens.routes,
        *audit.routes,
        *about.routes,
        *health.routes,
        *about.service_routes,
    )


def _late() -> Sequence[Route]:
    return [route for route in routes() if route not in _EARLY]


#: Those that are there from the start, and what makes the others.
ROUTES: Final[tuple[Route | RoutesBelow, ...]] = (*_EARLY, RoutesBelow("/v1", _late))
