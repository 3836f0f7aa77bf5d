"""The application of a service: everything but its process."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from energia.convert.schema import Schemas
from energia.core import Core
from energia.errors import PluginError
from energia.health.monitor import Monitor
from energia.plugins import Plugins
from energia.pricing.charges import Charge
from energia.pricing.tariffs import tariff_converter
from energia.web import openapi
from energia.web.endpoints import ROUTES
from energia.web.errors import answered, observe, on_prepare
from energia.web.inflight import InFlight
from energia.web.keys import CONVERTER, CORE, DOCUMENT, IN_FLIGHT, MONITOR
from energia.web.routes import Route


def create_app(core: Core) -> web.Application:
    """Return the application of *core*: its routes and those of the plugins.

    Serve it by a runner made with `auto_decompress=False`: bodies are inflated here. Plugins begin
    to work within `started`.

    Raises:
        PluginError: Two routes have one method and path.

    """
    app = web.Application(
        middlewares=[observe, *core.plugins.middlewares(), answered],
        # For handlers that read a request themselves; typed bodies are limited after inflation.
        client_max_size=core.settings.limits.body_bytes,
    )
    app[CORE] = core
    app[CONVERTER] = tariff_converter(core.plugins.charges())
    app[IN_FLIGHT] = InFlight()
    app[MONITOR] = Monitor(core.plugins.probes(), core.settings.health, core.state)
    app[DOCUMENT] = msgspec.json.encode(document(core.plugins))
    app.on_response_prepare.append(on_prepare)
    mount(app, all_routes(core.plugins))
    return app


def all_routes(plugins: Plugins) -> tuple[Route, ...]:
    """Return the routes of the core and of the plugins."""
    return (*ROUTES, *plugins.routes())


def document(plugins: Plugins) -> dict[str, object]:
    """Return the OpenAPI document of the service."""
    schemas = Schemas()
    schemas.union(Charge, "Charge", plugins.charges())
    return openapi.document(all_routes(plugins), schemas)


@asynccontextmanager
async def started(app: web.Application) -> AsyncIterator[None]:
    """Let the plugins of *app* work, and its probes; the service is ready within this context."""
    core = app[CORE]
    async with core.plugins.lifespans(core), app[MONITOR].running():
        core.state.ready()
        yield


def mount(app: web.Application, routes: Iterable[Route]) -> None:
    """Serve *routes* from *app*: those of one path by one resource, so that 405 names them all."""
    known: dict[str, dict[str, Route]] = {}
    for route in routes:
        methods = known.setdefault(route.path, {})
        if route.method in methods:
            raise PluginError(f"two routes answer {route.method} {route.path}")
        methods[route.method] = route
    for path, methods in known.items():
        resource = app.router.add_resource(path)
        for method, route in methods.items():
            resource.add_route(method, route.__call__)
        if "GET" in methods and "HEAD" not in methods:
            resource.add_route("HEAD", methods["GET"].__call__)
