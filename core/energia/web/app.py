"""The application of a service, from its routes to the moment that it is ready."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from aiohttp import web
from aiohttp.web_urldispatcher import AbstractResource
from yarl import URL

from energia import tracing
from energia.access.authentication import Authentication
from energia.assembly import assembling, late
from energia.core import Core, Probe
from energia.errors import PluginError
from energia.health.monitor import Monitor
from energia.idempotency.retention import expiring as keys_expiring
from energia.plugins import Plugins
from energia.pricing.cache import CACHE
from energia.web.access import AUTHENTICATION
from energia.web.background_probe import BackgroundProbe
from energia.web.calls import OPERATIONS
from energia.web.endpoints import LATE, OF_READINGS, ROUTES, routes
from energia.web.job_probe import JobProbe
from energia.web.keys import (
    CONVERSION,
    CORE,
    DOCUMENT,
    IN_FLIGHT,
    IS_WORKER,
    LIVE,
    MONITOR,
    WORKERS,
    Conversion,
    InFlight,
)
from energia.web.middlewares import Surroundings
from energia.web.replica_probe import ReplicaProbe
from energia.web.routes import Route, RoutesBelow
from energia.web.webhook_probe import WebhookProbe
from energia.web.worker import working_off
from energia.work import Workers

if TYPE_CHECKING:
    from energia.convert.schema import Dialogue
    from energia.pricing.charges import Charge

#: A part of a path that stands for any text: its name makes no difference to what is answered.
_PLACE: Final = re.compile(r"\{\w+\}")
#: The routes of one path by their methods, each with its plugin.
_Methods = dict[str, tuple[str | None, Route]]
_T = TypeVar("_T")
#: What a plugin offers, after its name; the core's has none.
_Owned = tuple[str | None, _T]


def create_app(core: Core, *, is_worker: bool = False) -> web.Application:
    """Return the application of *core*: its routes and those of the plugins.

    A worker has none under `/v1`: it only answers how it is.

    Serve it by a runner made with `auto_decompress=False`: bodies are inflated here. Plugins begin
    to work within `started`.

    Raises:
        PluginError: A route or a charge of a plugin does not fit; the plugin is named.

    """
    app = web.Application(
        # For handlers that read a request themselves; typed bodies are limited after inflation.
        client_max_size=core.settings.limits.body_bytes
    )
    CACHE.limit = core.settings.limits.cache_bytes
    app[CORE] = core
    app[IS_WORKER] = is_worker
    app[CONVERSION] = Conversion()
    app[IN_FLIGHT] = InFlight()
    app[AUTHENTICATION] = Authentication(core)
    app[WORKERS] = Workers(core.settings.limits.workers, core.settings.limits.queue)
    own_probes = (BackgroundProbe(), JobProbe(), WebhookProbe(), ReplicaProbe())
    probes = [*core.plugins.probes(), *_feed_probes(core), *_source_probes(core), *own_probes]
    app[MONITOR] = Monitor(probes, core)
    _refuse_faulty(core.plugins)
    described: Callable[[], bytes] = partial(_document, core.plugins)
    operations: Callable[[], Mapping[str, Route]] = partial(_operations, core.plugins)
    app[DOCUMENT], app[OPERATIONS] = described, operations
    around = Surroundings(app)
    app[LIVE] = around.live
    app.middlewares.extend((around.observe, *core.plugins.middlewares(), around.admit))
    app.on_response_prepare.append(around.prepare)
    app.cleanup_ctx.append(_beating)
    app.cleanup_ctx.append(_working)
    provide = partial(_provide, app[CONVERSION], core.plugins)
    mount(app, core.plugins, "/v1/" if is_worker else None, provide)
    return app


def _provide(conversion: Conversion, plugins: Plugins, below: RoutesBelow | None = None) -> None:
    """Have what routes ask the plugins for: it may have to be imported, and they cannot wait."""
    if below is OF_READINGS:
        plugins.decoders()
        return
    from energia.pricing.tariffs import tariff_converter

    conversion.converter = tariff_converter(plugins.charges())
    if below is not LATE:  # but pages, which ask for much more, or routes that are not known
        plugins.decoders()
        plugins.panels()


def _feed_probes(core: Core) -> list[Probe]:
    """Return the probes of the price feeds; few services have any."""
    if not core.plugins.price_feeds():
        return []
    from energia.web.feed_probes import FeedProbe

    return [*map(FeedProbe, core.plugins.price_feeds())]


def _source_probes(core: Core) -> list[Probe]:
    """Return the probes of the sources; few services have any."""
    if not core.plugins.sources():
        return []
    from energia.web.source_probes import SourceProbe

    return [*map(SourceProbe, core.plugins.sources())]


def _receiving(core: Core) -> AbstractAsyncContextManager[None]:
    """Run the sources while the service does; few services have any."""
    if not core.plugins.sources():
        return nullcontext()
    from energia.metering.keeper import receiving

    return receiving(core)


async def _beating(app: web.Application) -> AsyncIterator[None]:
    """Let the event loop beat while it serves *app*."""
    core = app[CORE]
    async with core.state.heartbeat.running(core.settings.health.loop_timeout):
        yield


async def _working(app: web.Application) -> AsyncIterator[None]:
    """Let work be stopped when the application ends."""
    yield
    app[WORKERS].close()


@asynccontextmanager
async def started(app: web.Application) -> AsyncIterator[None]:
    """Let the plugins of *app* work, and its probes; the service is ready within this context."""
    core = app[CORE]
    async with AsyncExitStack() as stack:
        # The work that begins in here is recorded, too.
        stack.enter_context(tracing.recording(core.plugins.tracer()))
        await stack.enter_async_context(core.plugins.lifespans(core))
        if not app[IS_WORKER]:
            for begin in (_receiving, keys_expiring):
                await stack.enter_async_context(begin(core))
        await stack.enter_async_context(working_off(core))
        await stack.enter_async_context(app[MONITOR].running())
        await stack.enter_async_context(app[AUTHENTICATION].noting_use())
        core.state.ready()
        yield


def check(plugins: Plugins) -> None:
    """Put an application together as `create_app` does, without a service, and throw it away.

    Raises:
        PluginError: Something of a plugin does not fit; the plugin is named.

    """
    app = web.Application(middlewares=plugins.middlewares())
    _provide(Conversion(), plugins)
    document(plugins)
    mount(app, plugins)
    _refuse_same(plugins)
    app.freeze()


# The routes, the core's and the plugins'.


def _nothing(*_: object) -> None:
    """Do nothing."""


def mount(
    app: web.Application,
    plugins: Plugins,
    but: str | None = None,
    provide: Callable[[RoutesBelow | None], None] = _nothing,
) -> None:
    """Serve all routes from *app*: those of one path by one resource, so that 405 names them all.

    Those whose path begins with *but* are left out. Those below a path are made when one of them is
    first asked for, and all such routes with them: what shows a page asks others of them. So are
    most of the core's, unless a plugin that is not of the release has routes: they are compared.
    *provide* is called before one of these is asked, and told of which it is.

    Raises:
        PluginError: Two routes answer the same requests, or a path is not one; the plugin is named.

    """
    offered: list[_Owned[Route | RoutesBelow]] = []
    of_plugins = plugins.offered_routes()
    theirs = _not_of_the_release(plugins)
    own: Iterable[Route | RoutesBelow] = ROUTES
    if any(owner in theirs for owner, _ in of_plugins):
        provide(None)
        own = routes()
    offered += [(None, it) for it in own]
    offered += of_plugins
    if but is not None:
        offered = [(owner, it) for owner, it in offered if not f"{it.path}/".startswith(but)]
    below = [(owner, it) for owner, it in offered if isinstance(it, RoutesBelow)]
    _serve_all(app.router, [(owner, it) for owner, it in offered if isinstance(it, Route)])
    for owner, it in below:
        # That the core's answer no other's requests is tested: no plugin's are made for them.
        compare = partial(_refuse_same, plugins) if owner else _nothing
        app.router.register_resource(_Below(owner, it, compare, provide))


class _Below(AbstractResource):
    """A resource for all that is below a path: it finds the routes once they are made."""

    def __init__(
        self,
        owner: str | None,
        below: RoutesBelow,
        compare: Callable[[], None],
        provide: Callable[[RoutesBelow], None],
    ) -> None:
        super().__init__()
        self._owner, self._below = owner, below
        self._compare, self._provide = compare, provide
        self._router: web.UrlDispatcher | None = None
        self._is_provided = False

    @property
    def canonical(self) -> str:
        """The path, as the router looks for it."""
        return f"{self._below.path}/{{below}}"

    async def resolve(self, request: web.Request) -> tuple[Any, set[str]]:
        """Return the route that a request is for, and the methods that its path allows."""
        if self._router is None:
            self._router = await late(self._routes)
        found = await self._router.resolve(request)
        if found.http_exception is not None:
            return None, set(getattr(found.http_exception, "allowed_methods", ()))
        if not self._is_provided:
            await late(self._provide, self._below)
            self._is_provided = True
        return found, set()

    def _routes(self) -> web.UrlDispatcher:
        self._compare()
        router = web.UrlDispatcher()
        _serve_all(router, [(self._owner, route) for route in self._below.routes()])
        return router

    def raw_match(self, path: str) -> bool:
        """Tell whether a path is below this one."""
        return f"{path}/".startswith(f"{self._below.path}/")

    def url_for(self, **_: str) -> URL:
        """Return the path."""
        return URL(self._below.path)

    def get_info(self) -> Any:
        """Say what is served."""
        return {"path": self._below.path}

    def add_prefix(self, prefix: str) -> None:
        """Refuse another path: the routes have theirs."""
        raise NotImplementedError(prefix)

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _serve_all(router: web.UrlDispatcher, routes: Iterable[_Owned[Route]]) -> None:
    """Serve routes; raises `PluginError`."""
    for path, methods in _by_path(routes).items():
        try:
            _serve(router, path, methods)
        except (ValueError, RuntimeError) as error:
            owners = [repr(owner) for owner, _ in methods.values() if owner]
            raise PluginError(f"plugin {', '.join(owners)}: the route {path}: {error}") from error


def _refuse_same(plugins: Plugins) -> None:
    """Make the routes that are not made yet, and refuse two for the same requests.

    Raises:
        PluginError: There are two; their plugins are named.

    """
    _by_path(_owned(plugins))


def _by_path(routes: Iterable[_Owned[Route]]) -> dict[str, _Methods]:
    by_path: dict[str, _Methods] = {}
    owners: dict[tuple[str, str], str | None] = {}
    for owner, route in routes:
        method = route.method.upper()
        requests = (method, _PLACE.sub("{}", route.path))
        if requests in owners:
            raise PluginError(_both(owners[requests], owner, f"{method} {route.path}"))
        owners[requests] = owner
        by_path.setdefault(route.path, {})[method] = (owner, route)
    return by_path


def _serve(router: web.UrlDispatcher, path: str, methods: _Methods) -> None:
    resource = router.add_resource(path)
    for method, (_, route) in methods.items():
        resource.add_route(method, route.__call__)
    if "GET" in methods and "HEAD" not in methods:
        resource.add_route("HEAD", methods["GET"][1].__call__)


def _owned(plugins: Plugins) -> list[_Owned[Route]]:
    """Return all routes, each with its plugin; those of the core have none."""
    return [*((None, route) for route in routes()), *plugins.owned_routes()]


@lru_cache(maxsize=4)
def _operations(plugins: Plugins) -> Mapping[str, Route]:
    """Return the routes of the API by their names."""
    return {route.name: route for _, route in _owned(plugins) if route.documented}


def _both(first: str | None, second: str | None, requests: str) -> str:
    """Say who answers the same requests."""
    names = sorted({repr(name) for name in (first, second) if name})
    who = f"plugin{'s' if len(names) > 1 else ''} {' and '.join(names)}"
    if first == second:
        return f"{who if names else 'the core'} answers {requests} twice"
    return f"{who} {'both answer' if len(names) > 1 else 'and the core both answer'} {requests}"


# The OpenAPI document; who is at fault where it cannot be made.


def document(plugins: Plugins) -> Mapping[str, object]:
    """Return the OpenAPI document of the service.

    Raises:
        PluginError: A charge or a route of a plugin has a type that JSON cannot have.

    """
    try:
        return _described(
            tuple(route for _, route in _owned(plugins)), tuple(plugins.charges().items())
        )
    except Exception as error:
        for owner, fault in _at_fault(plugins, plugins.charges(), plugins.owned_routes()):
            raise PluginError(f"plugin {owner!r}: {fault}") from error
        raise


@lru_cache(maxsize=4)
def _document(plugins: Plugins) -> bytes:
    """Return the OpenAPI document as JSON."""
    with assembling():  # all routes and charges are imported for it
        return msgspec.json.encode(document(plugins))


# One set of plugins is described once, however many applications of a process have it.
@lru_cache(maxsize=4)
def _described(
    routes: tuple[Route, ...], charges: "tuple[tuple[str, type[Charge]], ...]"
) -> Mapping[str, object]:
    from energia.web import openapi

    return openapi.document(routes, _dialogue(dict(charges)))


def _dialogue(charges: "Mapping[str, type[Charge]]") -> "Dialogue":
    from energia.convert.schema import Dialogue
    from energia.pricing.charges import Charge
    from energia.pricing.tariffs import Parameter

    dialogue = Dialogue()
    but = frozenset({"kind", "code"})
    dialogue.sent.union(Charge, "Charge", charges, stand_in=(Parameter, but))
    return dialogue


def _at_fault(
    plugins: Plugins,
    kinds: Iterable[str],
    routes: Iterable[tuple[str, Route | RoutesBelow]],
) -> Iterator[tuple[str, str]]:
    """Find the plugins whose charges or routes, taken alone, cannot be described, and why."""
    from energia.convert.schema import Schemas
    from energia.web import openapi

    for kind in kinds:
        if why := _failure(partial(Schemas().of, plugins.charges()[kind])):
            yield (
                plugins.charge_provider(kind).name,
                f"the charge {kind!r} cannot be described: {why}",
            )
    for owner, route in routes:
        if isinstance(route, RoutesBelow):
            continue
        if why := _failure(partial(openapi.document, [route], _dialogue(plugins.charges()))):
            what = f"the route {route.method} {route.path}"
            yield owner, f"{what} cannot be described: {why}"


def _refuse_faulty(plugins: Plugins) -> None:
    """Refuse a plugin that the document could not describe; those of the release are tested.

    What is below a path is not looked at, as it is not made yet.

    Raises:
        PluginError: A charge or a route has a type that JSON cannot have.

    """
    theirs = [state for state in plugins.states if not state.is_of_the_release]
    names = {state.name for state in theirs}
    offered = [one for one in plugins.offered_routes() if one[0] in names]
    kinds: list[str] = []
    if any("register_charges" in state.hooks for state in theirs):
        kinds = [kind for kind in plugins.charges() if plugins.charge_provider(kind).name in names]
    if not offered and not kinds:
        return
    for owner, fault in _at_fault(plugins, kinds, offered):
        raise PluginError(f"plugin {owner!r}: {fault}")


def _not_of_the_release(plugins: Plugins) -> set[str]:
    return {state.name for state in plugins.states if not state.is_of_the_release}


def _failure(describe: Callable[[], object]) -> Exception | None:
    try:
        describe()
    except Exception as error:
        return error
    return None
