"""The core's own routes.

Those of sites and meters, of health and of the service itself are there from the start. All others
come with the first request for one of them, and with them what they alone import: a third of what a
service is in memory, and of its start. Who sends readings waits for nothing that has to do with
prices.
"""

from functools import cache
from typing import Final

from energia.web.endpoints import about, health, sites
from energia.web.routes import Route, RoutesBelow

#: In the order in which the documentation lists them.
_FIRST: Final = (*sites.site_routes, *sites.meter_routes)
_LAST: Final = (*health.routes, *about.service_routes)


def _of_readings() -> tuple[Route, ...]:
    from energia.web.endpoints import imports, jobs, mappings, readings, registers, tokens

    return (
        *imports.routes,
        *mappings.routes,
        *readings.routes,
        *jobs.export_routes,
        *registers.routes,
        *jobs.routes,
        *tokens.routes,
    )


@cache
def _late() -> tuple[Route, ...]:
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
    )


def routes() -> tuple[Route, ...]:
    """Return all of them, in the order in which the documentation lists them."""
    return (*_FIRST, *_late(), *_LAST)


#: Those whose bodies have no charges; they are looked through first.
OF_READINGS: Final = RoutesBelow("/v1", _of_readings)
#: All that are not there from the start.
LATE: Final = RoutesBelow("/v1", _late)
#: Those that are there from the start, and what makes the others.
ROUTES: Final[tuple[Route | RoutesBelow, ...]] = (
    *_FIRST,
    *_LAST,
    OF_READINGS,
    LATE,
)
