"""The core's own routes, in the order in which the documentation lists them."""

from energia.web.endpoints import (
    about,
    charge_kinds,
    costs,
    formats,
    health,
    imports,
    meters,
    plugins,
    readings,
    sites,
    tariffs,
    usage,
)
from energia.web.routes import Route

_MODULES = (
    sites,
    meters,
    readings,
    usage,
    imports,
    tariffs,
    costs,
    charge_kinds,
    formats,
    plugins,
    health,
    about,
)
ROUTES: tuple[Route, ...] = tuple(route for module in _MODULES for route in module.routes)
