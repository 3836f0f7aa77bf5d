"""The application of a service: everything but its process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from energia.core import Core
from energia.health.monitor import Monitor
from energia.plugins import Plugins
from energia.pricing.market.keeping import feeding
from energia.pricing.tariffs import tariff_converter
from energia.web.deadlines import in_time
from energia.web.errors import answered, observe, on_prepare
from energia.web.feed_probes import probes_of
from energia.web.inflight import InFlight
from energia.web.keys import CONVERTER, CORE, DOCUMENT, IN_FLIGHT, MONITOR
from energia.web.mounting import document, mount


def create_app(core: Core) -> web.Application:
    """Return the application of *core*: its routes and those of the plugins.

    Serve it by a runner made with `auto_decompress=False`: bodies are inflated here. Plugins begin
    to work within `started`.

    Raises:
        PluginError: A route or a charge of a plugin does not fit; the plugin is named.

    """
    app = web.Application(
        middlewares=[observe, *core.plugins.middlewares(), answered, in_time],
        # For handlers that read a request themselves; typed bodies are limited after inflation.
        client_max_size=core.settings.limits.body_bytes,
    )
    app[CORE] = core
    app[CONVERTER] = tariff_converter(core.plugins.charges())
    app[IN_FLIGHT] = InFlight()
    probes = (*core.plugins.probes(), *probes_of(core))
    app[MONITOR] = Monitor(probes, core.settings.health, core.state)
    app[DOCUMENT] = msgspec.json.encode(document(core.plugins))
    app.on_response_prepare.append(on_prepare)
    app.cleanup_ctx.append(_beating)
    mount(app, core.plugins)
    return app


async def _beating(app: web.Application) -> AsyncIterator[None]:
    """Let the event loop beat while it serves *app*."""
    core = app[CORE]
    async with core.state.heartbeat.running(core.settings.health.loop_timeout):
        yield


def check(plugins: Plugins) -> None:
    """Put an application together as `create_app` does, without a service, and throw it away.

    Raises:
        PluginError: Something of a plugin does not fit; the plugin is named.

    """
    app = web.Application(middlewares=plugins.middlewares())
    tariff_converter(plugins.charges())
    document(plugins)
    mount(app, plugins)
    app.freeze()


@asynccontextmanager
async def started(app: web.Application) -> AsyncIterator[None]:
    """Let the plugins of *app* work, and its probes; the service is ready within this context."""
    core = app[CORE]
    async with core.plugins.lifespans(core), feeding(core), app[MONITOR].running():
        core.state.ready()
        yield
