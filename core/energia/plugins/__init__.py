"""The typed front for the plugins: one method per hook; pluggy stays inside."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import attrs
import pluggy

from energia.errors import PluginError, exits
from energia.plugins import discovery, registration
from energia.plugins.discovery import PluginState
from energia.plugins.loading import Loading, OnDemand
from energia.plugins.registration import OBSERVED, ON_DEMAND, Registered, registered
from energia.settings import PluginSelection

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from importlib.resources.abc import Traversable

    import click
    from aiohttp.typedefs import Middleware
    from prometheus_client.registry import Collector

    from energia.access.callers import Authenticator
    from energia.billing.models import BillIssued
    from energia.core import Core, Probe, Seed
    from energia.costing.timing import PricingFinished
    from energia.jobs.tasks import Task
    from energia.metering.decoders import Decoder
    from energia.metering.outcome import ReadingsRejected, ReadingsStored
    from energia.metering.sources import Source
    from energia.pricing.charges import Charge
    from energia.pricing.importing import TariffImporter
    from energia.pricing.market.feeds import PriceFeed, PricesFetched
    from energia.tracing import Tracer
    from energia.web.panels import Panel
    from energia.web.routes import Route, RoutesBelow

T = TypeVar("T")
_EVERYTHING = PluginSelection()


@attrs.frozen(eq=False)
class Plugins:
    """The loaded plugins; the registration hooks of each have been called once.

    Attributes:
        states: Every installed plugin, loaded or not, sorted by name. One that is imported on
            demand is loaded: its source says which hooks it implements.
        failures: How often an observer failed, by plugin and hook.

    """

    _manager: pluggy.PluginManager = attrs.field(repr=False)
    _registered: Registered = attrs.field(repr=False)
    _on_demand: OnDemand = attrs.field(repr=False)
    states: tuple[PluginState, ...]
    failures: Counter[tuple[str, str]] = attrs.field(init=False)

    @failures.default
    def _none_yet(self) -> Counter[tuple[str, str]]:
        names = ((name, hook) for hook in OBSERVED for name, _ in self._observers(hook))
        return Counter(dict.fromkeys(names, 0))

    @classmethod
    def of(cls, **plugins: object) -> Self:
        """Load just *plugins*, by name (`_` stands for `-`): what a test wants.

        A class is instantiated with the defaults of its settings.
        """
        named = {name.replace("_", "-"): plugin for name, plugin in plugins.items()}
        states = {name: PluginState(name) for name in named}
        return cls._load(states, named.__getitem__, _EVERYTHING)

    @classmethod
    def installed(
        cls,
        selection: PluginSelection = _EVERYTHING,
        hook: str | None = None,
        *,
        serving: bool = False,
    ) -> Self:
        """Load every plugin that an installed distribution declares and *selection* wants.

        Args:
            selection: Which are wanted, and their settings.
            hook: Only those that may implement it: a command does without the others.
            serving: Whether it is for a service. It has no use for commands; and plugins of the
                release that only offer what is wanted on demand, such as charges, are imported when
                it first is. They are known to load and to fit together; where another plugin offers
                such things, all are looked at now.

        Raises:
            PluginError: A plugin does not load, or two do not fit together; it is named.

        """
        entries = discovery.installed()
        states = discovery.states(entries, selection)
        if hook:
            states = {
                name: states[name] for name in discovery.mentioning(hook, entries) & set(states)
            }
        return cls._load(
            states,
            lambda name: discovery.load(entries[name]),
            selection,
            (lambda name: discovery.stated_hooks(entries[name])) if serving else None,
        )

    @classmethod
    def surveyed(cls, selection: PluginSelection = _EVERYTHING) -> tuple[PluginState, ...]:
        """Return every installed plugin, each looked at alone: those that do not load too."""
        entries = discovery.installed()
        states = discovery.states(entries, selection)
        return tuple(cls._survey(state, entries, selection) for state in states.values())

    @classmethod
    def _survey(
        cls, state: PluginState, entries: "Mapping[str, EntryPoint]", selection: PluginSelection
    ) -> PluginState:
        def load(name: str) -> object:
            return discovery.load(entries[name])

        try:
            return cls._load({state.name: state}, load, selection).states[0]
        except PluginError as error:
            return attrs.evolve(state, state="failed", reason=error.detail)

    @staticmethod
    def unmatched(selection: PluginSelection) -> list[str]:
        """Return warnings of patterns of *selection* that no installed plugin matches."""
        return discovery.unmatched(selection)

    @property
    def names(self) -> tuple[str, ...]:
        """The loaded plugins, sorted."""
        return tuple(state.name for state in self.states if state.state == "loaded")

    # What follows may have to be imported first, which takes longer than the event loop may be held
    # up: who is the first to ask does so in a thread.

    def charges(self) -> "Mapping[str, type[Charge]]":
        """Return the kinds of charge, by `kind`."""
        return _without_plugin(self._charges)

    def charge_provider(self, kind: str) -> PluginState:
        """Return the plugin that offers the charge *kind*; raises `KeyError`."""
        plugin, _ = self._charges[kind]
        return next(state for state in self.states if state.name == plugin)

    @property
    def _charges(self) -> "Mapping[str, tuple[str, type[Charge]]]":
        return cast("Mapping[str, tuple[str, type[Charge]]]", self._on_demand("register_charges"))

    def decoders(self) -> "Mapping[str, Decoder]":
        """Return the decoders of meter files, by format."""
        offered = self._on_demand("register_decoders")
        return _without_plugin(cast("Mapping[str, tuple[str, Decoder]]", offered))

    def tariff_importers(self) -> "Mapping[str, TariffImporter]":
        """Return the importers of tariffs, by format."""
        offered = self._on_demand("register_tariff_importers")
        return _without_plugin(cast("Mapping[str, tuple[str, TariffImporter]]", offered))

    def seeds(self) -> "Mapping[str, Seed]":
        """Return what the database of a preview can be filled with, by name."""
        offered = self._on_demand("register_seeds")
        return _without_plugin(cast("Mapping[str, tuple[str, Seed]]", offered))

    def panels(self) -> "tuple[Panel, ...]":
        """Return what the pages of the console show besides their own."""
        return tuple(panel for _, panel in self.owned_panels())

    def owned_panels(self) -> "tuple[tuple[str, Panel], ...]":
        """Return the panels, each after the name of its plugin."""
        offered = self._on_demand("register_panels")
        return tuple(cast("Mapping[str, tuple[str, Panel]]", offered).values())

    # What is there from the start.

    def probes(self) -> "tuple[Probe, ...]":
        """Return the health probes."""
        return tuple(probe for _, probe in self._registered.probes.values())

    def authenticators(self) -> "tuple[Authenticator, ...]":
        """Return what recognises callers, in the order of the plugins."""
        return tuple(each for _, each in self._registered.authenticators.values())

    def collectors(self) -> "tuple[Collector, ...]":
        """Return the Prometheus collectors."""
        return tuple(collector for _, collector in self._registered.collectors)

    def owned_collectors(self) -> "tuple[tuple[str, Collector], ...]":
        """Return the collectors, each after the name of its plugin."""
        return self._registered.collectors

    def routes(self) -> "tuple[Route, ...]":
        """Return the routes."""
        return tuple(route for _, route in self.owned_routes())

    def owned_routes(self) -> "tuple[tuple[str, Route], ...]":
        """Return the routes, each after the name of its plugin; those below a path are made."""
        return tuple(
            (owner, route)
            for owner, offered in self._registered.routes
            for route in getattr(offered, "routes", lambda it=offered: (it,))()
        )

    def offered_routes(self) -> "tuple[tuple[str, Route | RoutesBelow], ...]":
        """Return the routes, each after the name of its plugin, as they are offered."""
        return self._registered.routes

    def middlewares(self) -> "tuple[Middleware, ...]":
        """Return the middlewares, outermost first."""
        return tuple(middleware for _, middleware in self._registered.middlewares)

    def tracer(self) -> "Tracer | None":
        """Return what records spans, if anything does."""
        return self._registered.tracer

    def migrations(self) -> "Mapping[str, Traversable]":
        """Return the folders of migrations, by the name of their plugin."""
        return self._registered.migrations

    def price_feeds(self) -> "tuple[PriceFeed, ...]":
        """Return what fetches prices."""
        return tuple(feed for _, feed in self._registered.price_feeds.values())

    def sources(self) -> "tuple[Source, ...]":
        """Return what brings readings in by itself."""
        return tuple(source for _, source in self._registered.sources.values())

    def tasks(self) -> "tuple[Task, ...]":
        """Return what is done beside requests."""
        return tuple(task for _, task in self._registered.tasks.values())

    def commands(self) -> "Mapping[str, click.Command]":
        """Return the commands of the command line, by name."""
        return _without_plugin(self._registered.commands)

    @asynccontextmanager
    async def lifespans(self, core: "Core") -> AsyncIterator[None]:
        """Hold the lifespans of all plugins, entered in the order of their names."""
        async with AsyncExitStack() as stack:
            for name, lifespan in registration.implementations(self._manager, "lifespan"):
                try:
                    context = cast("AbstractAsyncContextManager[None]", lifespan(core=core))
                    await stack.enter_async_context(context)
                except SystemExit as error:
                    message = f"plugin {name!r} did not start: {exits(error)}"
                    raise PluginError(message) from error
                except Exception as error:
                    error.add_note(f"plugin {name!r} did not start")
                    raise
            yield

    def readings_stored(self, event: "ReadingsStored") -> None:
        """Tell every observer that readings were stored; a failure is logged and counted."""
        self._observed("readings_stored", event)

    def readings_rejected(self, event: "ReadingsRejected") -> None:
        """Tell every observer that readings were refused; a failure is logged and counted."""
        self._observed("readings_rejected", event)

    def pricing_finished(self, event: "PricingFinished") -> None:
        """Tell every observer how long a pricing took; a failure is logged and counted."""
        self._observed("pricing_finished", event)

    def bill_issued(self, event: "BillIssued") -> None:
        """Tell every observer that a bill was issued; a failure is logged and counted."""
        self._observed("bill_issued", event)

    def prices_fetched(self, event: "PricesFetched") -> None:
        """Tell every observer that a price feed was asked; a failure is logged and counted."""
        self._observed("prices_fetched", event)

    def _observers(self, hook: str) -> Iterable[tuple[str, Callable[..., Any]]]:
        return registration.implementations(self._manager, hook)

    def _observed(self, hook: str, event: object) -> None:
        for name, observe in self._observers(hook):
            try:
                observe(event=event)
            except (Exception, SystemExit) as error:
                self._failed(name, hook, error)

    def _failed(self, plugin: str, hook: str, error: BaseException) -> None:
        import structlog  # costs 100 ms, and is needed here only

        self.failures[plugin, hook] += 1
        log = structlog.get_logger(__name__)
        log.error("observer_failed", plugin=plugin, hook=hook, exc_info=error)

    @classmethod
    def _load(
        cls,
        states: Mapping[str, PluginState],
        load: Callable[[str], object],
        selection: PluginSelection,
        stated_hooks: Callable[[str], tuple[str, ...]] | None = None,
    ) -> Self:
        """Load plugins; those of a service whose hooks are stated may be postponed."""
        loading = Loading(dict(states), selection, load)
        late = loading.postpone(stated_hooks) if stated_hooks else set[str]()
        loading.instantiate(states.keys() - late)
        if late and loading.must_be_compared():
            loading.instantiate(late)
            late = set()
        manager = loading.register(loading.objects)
        found = registered(manager, with_commands=stated_hooks is None)
        on_demand = OnDemand(loading, late, manager)
        if not late:
            for hook in ON_DEMAND:
                on_demand(hook)
        every = tuple(state for _, state in sorted(loading.states.items()))
        return cls(manager, found, on_demand, every)


def _without_plugin(named: Mapping[str, tuple[str, T]]) -> dict[str, T]:
    return {name: offer for name, (_, offer) in named.items()}
