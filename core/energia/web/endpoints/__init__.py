"""The core's own routes: every module here has some, as `routes`."""

from importlib import import_module
from pkgutil import iter_modules

from energia.web.routes import Route

ROUTES: tuple[Route, ...] = tuple(
    route
    for module in sorted(module.name for module in iter_modules(__path__))
    for route in import_module(f"{__name__}.{module}").routes
)
