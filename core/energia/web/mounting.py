"""Routes of the core and of plugins on one application: each answers what no other one does."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from aiohttp import web

from energia.convert.schema import Schemas
from energia.errors import PluginError
from energia.plugins import Plugins
from energia.pricing.charges import Charge
from energia.pricing.templates import Parameter
from energia.web import openapi
from energia.web.endpoints import ROUTES
from energia.web.routes import Route

#: A part of a path that stands for any text: its name makes no difference to what is answered.
_PLACE: Final = re.compile(r"\{\w+\}")
_Methods = dict[str, tuple[str | None, Route]]


def mount(app: web.Application, plugins: Plugins) -> None:
    """Serve all routes from *app*: those of one path by one resource, so that 405 names them all.

    Raises:
        PluginError: Two routes answer the same requests, or a path is none; the plugin is named.

    """
    for path, methods in _by_path(plugins).items():
        try:
            _serve(app, path, methods)
        except (ValueError, RuntimeError) as error:
            owners = [repr(owner) for owner, _ in methods.values() if owner]
            raise PluginError(f"plugin {', '.join(owners)}: the route {path}: {error}") from error


def document(plugins: Plugins) -> dict[str, object]:
    """Return the OpenAPI document of the service.

    Raises:
        PluginError: A charge or a route of a plugin has a type that JSON cannot have.

    """
    try:
        return openapi.document([route for _, route in _owned(plugins)], _schemas(plugins))
    except Exception as error:
        for owner, what in _at_fault(plugins):
            raise PluginError(f"plugin {owner!r}: {what} cannot be described: {error}") from error
        raise


def _by_path(plugins: Plugins) -> dict[str, _Methods]:
    known: dict[str, _Methods] = {}
    answered: dict[tuple[str, str], str | None] = {}
    for owner, route in _owned(plugins):
        method = route.method.upper()
        requests = (method, _PLACE.sub("{}", route.path))
        if requests in answered:
            raise PluginError(_both(answered[requests], owner, f"{method} {route.path}"))
        answered[requests] = owner
        known.setdefault(route.path, {})[method] = (owner, route)
    return known


def _serve(
    app: web.Application, path: str, methods: Mapping[str, tuple[str | None, Route]]
) -> None:
    resource = app.router.add_resource(path)
    for method, (_, route) in methods.items():
        resource.add_route(method, route.__call__)
    if "GET" in methods and "HEAD" not in methods:
        resource.add_route("HEAD", methods["GET"][1].__call__)


def _owned(plugins: Plugins) -> list[tuple[str | None, Route]]:
    """Return all routes, each with its plugin; those of the core have none."""
    return [*((None, route) for route in ROUTES), *plugins.owned_routes()]


def _schemas(plugins: Plugins) -> Schemas:
    schemas = Schemas()
    but = frozenset({"kind", "code"})
    schemas.union(Charge, "Charge", plugins.charges(), stand_in=(Parameter, but))
    return schemas


def _at_fault(plugins: Plugins) -> Iterator[tuple[str, str]]:
    """Find the plugins whose charges or routes, taken alone, cannot be described."""
    for kind, charge in plugins.charges().items():
        if _fails(partial(Schemas().of, charge)):
            yield plugins.charge_provider(kind).name, f"the charge {kind!r}"
    for owner, route in plugins.owned_routes():
        if _fails(partial(openapi.document, [route], _schemas(plugins))):
            yield owner, f"the route {route.method} {route.path}"


def _fails(describe: Callable[[], object]) -> bool:
    try:
        describe()
    except Exception:
        return True
    return False


def _both(first: str | None, second: str | None, requests: str) -> str:
    """Say who answers the same requests."""
    names = sorted({repr(name) for name in (first, second) if name})
    who = f"plugin{'s' if len(names) > 1 else ''} {' and '.join(names)}"
    if first == second:
        return f"{who if names else 'the core'} answers {requests} twice"
    return f"{who} {'both answer' if len(names) > 1 else 'and the core both answer'} {requests}"
