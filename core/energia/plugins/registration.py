"""Registers plugins with pluggy, strictly, and calls their hooks by name."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Final, cast

import attrs
import pluggy

from energia import hookspecs
from energia.errors import PluginError, did_you_mean
from energia.hookspecs import PROJECT
from energia.plugins import offers
from energia.plugins.containment import contained

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import click
    from aiohttp.typedefs import Middleware
    from prometheus_client.registry import Collector

    from energia.access.callers import Authenticator
    from energia.core import Probe
    from energia.jobs.tasks import Task
    from energia.metering.sources import Source
    from energia.pricing.market.feeds import PriceFeed
    from energia.tracing import Tracer
    from energia.web.routes import Route, RoutesBelow


#: The names of all hooks.
HOOKS: Final = tuple(
    name for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT}_spec")
)
#: Those of them that are told of an event; what they raise is counted, and reaches nobody.
OBSERVED: Final = tuple(
    hook for hook in HOOKS if "event" in inspect.signature(getattr(hookspecs, hook)).parameters
)

#: Those whose offers a service wants only where somebody asks for them: a price, a file, a page.
#: Each with what is offered, and with the attribute that names it.
ON_DEMAND: Final = {
    "register_charges": ("charge", "kind"),
    "register_decoders": ("format", "name"),
    "register_tariff_importers": ("tariff importer", "format"),
    "register_seeds": ("seed", "name"),
    "register_panels": ("panel", "name"),
}

#: What a module may have with a mark.
_CALLED: Final = (FunctionType, MethodType, staticmethod, classmethod)
_REST: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class _Manager(pluggy.PluginManager):
    """Looks for marks only at what may have one: pluggy looks long, at whatever a module has."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Return how an attribute of a plugin implements a hook; None where it does not."""
        if isinstance(plugin, ModuleType) and not isinstance(vars(plugin).get(name), _CALLED):
            return None
        return super().parse_hookimpl_opts(plugin, name)


def manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hooks and no plugin."""
    plugins = _Manager(PROJECT)
    plugins.add_hookspecs(hookspecs)
    return plugins


def register(to: pluggy.PluginManager, name: str, plugin: object) -> tuple[str, ...]:
    """Register *plugin* and return the hooks it implements, sorted; raises `PluginError`."""
    _refuse_unmarked(name, plugin)
    _refuse_unknown(name, plugin)
    try:
        to.register(plugin, name=name)
        to.check_pending()
    except (ValueError, pluggy.PluginValidationError) as error:
        _forget(to, name)
        raise PluginError(f"plugin {name!r}: {_known(str(error))}") from error
    callers = to.get_hookcallers(plugin) or []
    if not callers:
        raise PluginError(f"plugin {name!r} implements no hook{_hint(plugin)}")
    for caller in callers:
        for implementation in caller.get_hookimpls():
            if implementation.plugin_name == name:
                _refuse_asynchronous(name, caller.name, implementation)
    return tuple(sorted(caller.name for caller in callers))


def marked(plugin: object) -> set[str]:
    """Return the hooks that a plugin implements, before it is registered."""
    return {hook for hook, _ in _marked(plugin)}


def implementations(of: pluggy.PluginManager, hook: str) -> list[tuple[str, Callable[..., object]]]:
    """Return who implements *hook*, and how, in the order of the calls.

    The functions take the arguments of the hook by keyword; a plugin may want fewer of them.
    """
    caller: pluggy.HookCaller = getattr(of.hook, hook)
    return [
        (implementation.plugin_name, _call(implementation))
        for implementation in reversed(caller.get_hookimpls())
    ]


def objects(of: pluggy.PluginManager, hook: str) -> list[tuple[str, object]]:
    """Return what the plugins register by *hook*, each with the plugin's name.

    Raises:
        PluginError: A hook fails, or does not return several objects of its type.

    """
    named_offers: list[tuple[str, object]] = []
    for name, registered in implementations(of, hook):
        with contained(name, f"plugin {name!r}: {hook} failed"):
            returned = _several(name, hook, registered())
            for offer in returned:
                offers.refuse_unfit(name, hook, offer)
        named_offers += [(name, offer) for offer in returned]
    return named_offers


def single(of: pluggy.PluginManager, hook: str) -> dict[str, object]:
    """Return what the plugins register by *hook*, by plugin; raises `PluginError` for a second."""
    by_plugin: dict[str, object] = {}
    for plugin, offer in objects(of, hook):
        if plugin in by_plugin:
            raise PluginError(f"plugin {plugin!r}: {hook} returned more than one")
        by_plugin[plugin] = offer
    return by_plugin


def only(of: pluggy.PluginManager, hook: str, what: str) -> object | None:
    """Return the one thing that the plugins register by *hook*; raises `PluginError` for two."""
    found = objects(of, hook)
    if len(found) > 1:
        raise PluginError(f"{offers.both(found[0][0], found[1][0], 'offer')} a {what}")
    return found[0][1] if found else None


def named(
    of: pluggy.PluginManager, hook: str, what: str, attribute: str = "name"
) -> dict[str, tuple[str, object]]:
    """Return what the plugins register by *hook*, by *attribute*, each with its plugin.

    Raises:
        PluginError: One has no such name, or two have the same.

    """
    by_name: dict[str, tuple[str, object]] = {}
    for plugin, offer in objects(of, hook):
        name = getattr(offer, attribute, None)
        if not isinstance(name, str) or not name:
            raise PluginError(f"plugin {plugin!r} offers a {what} without a {attribute}: {offer!r}")
        if name in by_name:
            both = offers.both(by_name[name][0], plugin, "offer")
            raise PluginError(f"{both} the {what} {name!r}")
        by_name[name] = (plugin, offer)
    return by_name


def _call(implementation: pluggy.HookImpl) -> Callable[..., object]:
    def call(**arguments: object) -> object:
        wanted = {name: arguments[name] for name in implementation.argnames}
        return implementation.function(**wanted)

    return call


def _forget(manager: pluggy.PluginManager, name: str) -> None:
    """Take a refused plugin out, so that the next one is judged by itself."""
    if manager.has_plugin(name):
        manager.unregister(name=name)


def _known(message: str) -> str:
    """Return a message of pluggy in one line."""
    return " ".join(message.split())


def _refuse_unmarked(name: str, plugin: object) -> None:
    """Refuse a function that has the name of a hook and lacks the marker: it is never called."""
    for hook in HOOKS:
        function = getattr(plugin, hook, None)
        if inspect.isroutine(function) and not hasattr(function, f"{PROJECT}_impl"):
            raise PluginError(f"plugin {name!r}: {hook} is not marked with @hookimpl")


def _refuse_unknown(name: str, plugin: object) -> None:
    """Refuse hooks that there are not, and arguments that a hook does not give."""
    for hook, function in _marked(plugin):
        if hook not in HOOKS:
            hint = did_you_mean(hook, HOOKS)
            raise PluginError(f"plugin {name!r}: there is no hook {hook!r}{hint}")
        given = inspect.signature(getattr(hookspecs, hook)).parameters
        unknown = [parameter for parameter in _needed(function) if parameter not in given]
        if unknown:
            raise PluginError(
                f"plugin {name!r}: {hook} takes {', '.join(map(repr, unknown))}: "
                f"the hook gives {', '.join(map(repr, given)) or 'nothing'}"
            )


def _marked(plugin: object) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield what is marked with @hookimpl, each with the hook that it implements."""
    for attribute in dir(plugin):
        function = getattr(plugin, attribute, None)
        marks = getattr(function, f"{PROJECT}_impl", None)
        if inspect.isroutine(function) and isinstance(marks, dict) and not marks["optionalhook"]:
            yield marks["specname"] or attribute, function


def _needed(function: Callable[..., object]) -> Iterator[str]:
    """Yield the arguments of a function that have no default."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is parameter.empty and parameter.kind not in _REST:
            yield name


def _hint(plugin: object) -> str:
    """Return what is said of a module whose class implements hooks: it is not what was named."""
    if isinstance(plugin, ModuleType):
        for name, value in vars(plugin).items():
            if isinstance(value, type) and any(_marked(value)):
                return f": its class {name} does, so the entry point is {plugin.__name__}:{name}"
    return ""


def _several(name: str, hook: str, returned: object) -> list[object]:
    """Return what a hook returned as a list; raises `PluginError` where it is no several things."""
    if not isinstance(returned, Iterable):
        raise PluginError(
            f"plugin {name!r}: {hook} returned {offers.named(returned)}: it must return a list"
        )
    return list(returned)


def _refuse_asynchronous(name: str, hook: str, implementation: pluggy.HookImpl) -> None:
    function = implementation.function
    if implementation.wrapper or implementation.hookwrapper:
        raise PluginError(f"plugin {name!r}: {hook} cannot be a wrapper")
    if inspect.iscoroutinefunction(function):
        raise PluginError(f"plugin {name!r}: {hook} cannot be a coroutine function")
    if inspect.isasyncgenfunction(function):
        raise PluginError(f"plugin {name!r}: {hook} needs @asynccontextmanager")


# What the plugins registered, typed.


@attrs.frozen
class Registered:
    """What the plugins registered; by name where a name means one thing, with its plugin."""

    probes: "dict[str, tuple[str, Probe]]"
    price_feeds: "dict[str, tuple[str, PriceFeed]]"
    sources: "dict[str, tuple[str, Source]]"
    tasks: "dict[str, tuple[str, Task]]"
    commands: "dict[str, tuple[str, click.Command]]"
    collectors: "tuple[tuple[str, Collector], ...]"
    routes: "tuple[tuple[str, Route | RoutesBelow], ...]"
    authenticators: "dict[str, tuple[str, Authenticator]]"
    middlewares: "tuple[tuple[str, Middleware], ...]"
    tracer: "Tracer | None"
    migrations: "dict[str, Traversable]"


def registered(manager: pluggy.PluginManager, with_commands: bool = True) -> Registered:
    """Call the registration hooks, that of commands only if they are wanted.

    Raises:
        PluginError: What a plugin offers does not fit, or another one offers the same.

    """
    commands = named(manager, "register_commands", "command") if with_commands else {}
    collectors = tuple(objects(manager, "register_collectors"))
    offers.refuse_same_metrics(collectors)
    return Registered(
        probes=cast("dict[str, tuple[str, Probe]]", named(manager, "register_probes", "probe")),
        price_feeds=cast(
            "dict[str, tuple[str, PriceFeed]]", named(manager, "register_price_feeds", "price feed")
        ),
        sources=cast("dict[str, tuple[str, Source]]", named(manager, "register_sources", "source")),
        tasks=cast("dict[str, tuple[str, Task]]", named(manager, "register_tasks", "task")),
        commands=cast("dict[str, tuple[str, click.Command]]", commands),
        collectors=cast("tuple[tuple[str, Collector], ...]", collectors),
        routes=cast(
            "tuple[tuple[str, Route | RoutesBelow], ...]",
            tuple(objects(manager, "register_routes")),
        ),
        authenticators=cast(
            "dict[str, tuple[str, Authenticator]]",
            named(manager, "register_authenticators", "authenticator"),
        ),
        middlewares=cast(
            "tuple[tuple[str, Middleware], ...]", tuple(objects(manager, "register_middlewares"))
        ),
        tracer=cast("Tracer | None", only(manager, "register_tracers", "tracer")),
        migrations=cast("dict[str, Traversable]", single(manager, "register_migrations")),
    )
