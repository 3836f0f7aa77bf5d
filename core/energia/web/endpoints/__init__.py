"""The core's own routes, in the order in which the documentation lists them."""

from energia.web.endpoints import (
    about,
    bills,
    charge_kinds,
    contracts,
    costs,
    explanations,
    formats,
    gaps,
    health,
    holiday_lists,
    imports,
    meters,
    plugins,
    price_series,
    prices,
    readings,
    sites,
    tariff_imports,
    tariffs,
    usage,
)
from energia.web.routes import Route

_MODULES = (
    sites,
    meters,
    readings,
    usage,
    gaps,
    imports,
    tariffs,
    tariff_imports,
    holiday_lists,
    prices,
    price_series,
    costs,
    contracts,
    bills,
    explanations,
    charge_kinds,
    formats,
    plugins,
    health,
    about,
)
ROUTES: tuple[Route, ...] = tuple(route for module in _MODULES for route in module.routes)
