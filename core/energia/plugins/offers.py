"""What the registration hooks accept: each object is looked at before anything uses it.

The types belong to layers above and to libraries that a command may not need, so they are not
imported: a type whose module was never imported has no instances either.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources.abc import Traversable
from math import inf
from reprlib import Repr
from typing import Any, Final, cast, get_args, get_type_hints

import attrs

from energia.contract import (
    CHARGE,
    OF_CHARGES,
    OF_DECODERS,
    OF_FEEDS,
    OF_IMPORTERS,
    OF_PANELS,
    OF_PROBES,
    OF_SOURCES,
    OF_TASKS,
    HasPeriod,
    HasTimeout,
    Language,
    Place,
    lacking,
    misspelt,
)
from energia.errors import PluginError, meant_or_known

_CRITICALITIES: Final = ("critical", "degraded")
_COMPONENT_TYPES: Final = ("component", "datastore", "system")
_ACROSS_VERSIONS: Final = ("last", "each")
#: A kind is the code of its charges, where they state no other.
_KIND: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_short: Final = Repr()
_short.maxother = _short.maxstring = 80


def refuse_unfit(plugin: str, hook: str, offer: object) -> None:
    """Refuse an object that is not what *hook* returns; raises `PluginError`."""
    try:
        lacking = _LACKING[hook](offer)
    except Exception as error:
        lacking = f"it cannot be read: {error}"
    if lacking:
        raise PluginError(f"plugin {plugin!r}: {hook} returned {named(offer)}: {lacking}")


def refuse_same_metrics(collectors: Iterable[tuple[str, object]]) -> None:
    """Refuse two collectors, each with its plugin, that describe a metric of one name.

    A collector without `describe` is known only when it is registered.
    """
    owners: dict[str, str] = {}
    for plugin, collector in collectors:
        for metric in _metrics(plugin, collector):
            if metric in owners:
                raise PluginError(f"{both(owners[metric], plugin, 'offer')} the metric {metric!r}")
            owners[metric] = plugin


def both(first: str, second: str, verb: str) -> str:
    """Return who does the same thing: two plugins, or one of them twice."""
    if first == second:
        return f"plugin {first!r} {verb}s twice"
    return f"plugins {first!r} and {second!r} both {verb}"


def _metrics(plugin: str, collector: object) -> set[str]:
    describe = getattr(collector, "describe", None)
    if describe is None:
        return set()
    try:
        return {metric.name for metric in describe()}
    except Exception as error:
        raise PluginError(
            f"plugin {plugin!r}: {named(collector)} does not describe its metrics: {error}"
        ) from error


def _charge(offer: object) -> str | None:
    if not isinstance(offer, type) or not attrs.has(offer):
        return "a charge must be an attrs class"
    kind = getattr(offer, "kind", None)
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return "a charge must have a `kind`: a string of its class, 1 to 64 of A-Z a-z 0-9 . _ : -"
    if wrong := misspelt(offer, OF_CHARGES):
        return wrong
    if missing := lacking(offer, CHARGE):
        return f"a charge must have {', '.join(f'`{name}`' for name in missing)} (see BaseCharge)"
    return (
        _values_of_charge(offer)
        or _without_methods("charge", offer, "measures", "lines")
        or _float_of(offer)
        or _undecorated(offer)
    )


def _values_of_charge(class_: type) -> str | None:
    """Return what is wrong with the values that a class of charges states; fields have others."""
    across = inspect.getattr_static(class_, "across_versions")
    if isinstance(across, str) and across not in _ACROSS_VERSIONS:
        return f"`across_versions` must be {' or '.join(map(repr, _ACROSS_VERSIONS))}"
    if not _are_examples(inspect.getattr_static(class_, "examples")):
        return "`examples` must be a tuple of charges: ({'kind': ..., ...},)"
    if not isinstance(inspect.getattr_static(class_, "remeasures"), bool):
        return "`remeasures` must be True or False, for all charges of the class"
    return None


def _are_examples(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(one, Mapping) for one in value)


def _undecorated(class_: type) -> str | None:
    """Tell of a class that states fields, while its base alone is an attrs class."""
    stated = inspect.get_annotations(class_).items()
    fields = [name for name, type_ in stated if "ClassVar" not in str(type_)]
    if not fields or "__attrs_attrs__" in vars(class_):
        return None
    return f"its `{fields[0]}` is no field: decorate the class with @attrs.frozen"


def _float_of(class_: type) -> str | None:
    """Return which field of a class of charges is a float, below its own parts too."""
    name = _float_field(class_, set())
    return (
        f"its field `{name}` is a float: numbers of a charge are int or Decimal" if name else None
    )


def _float_field(class_: type, seen: set[type]) -> str | None:
    seen.add(class_)
    for name, types in _field_types(class_):
        for type_ in types:
            if type_ is float:
                return name
            if isinstance(type_, type) and attrs.has(type_) and type_ not in seen:
                inner = _float_field(type_, seen)
                if inner:
                    return f"{name}.{inner}"
    return None


@lru_cache(maxsize=1024)  # charges have many parts in common
def _field_types(class_: type) -> tuple[tuple[str, tuple[object, ...]], ...]:
    """Return the fields of an attrs class, each with its type and what that is made of."""
    try:
        types = get_type_hints(class_)
    except Exception:  # names for the type checker alone: reading a tariff tells of those
        return ()
    fields = [field.name for field in attrs.fields(class_)]
    return tuple((name, tuple(_parts(types.get(name)))) for name in fields)


def _parts(type_: object) -> Iterator[object]:
    """Yield a type and what it is made of: `float` of `dict[str, float | None]`."""
    yield type_
    for part in get_args(type_):
        yield from _parts(part)


def _decoder(offer: object) -> str | None:
    options = getattr(offer, "options", None)
    if not isinstance(options, type) or not attrs.has(options):
        return "the `options` of a decoder must be an attrs class"
    return (
        _of_class("decoder", offer)
        or _without_methods("decoder", offer, "decode")
        or misspelt(offer, OF_DECODERS)
    )


def _importer(offer: object) -> str | None:
    if isinstance(offer, type):
        return _of_class("tariff importer", offer)
    if not isinstance(getattr(offer, "description", None), str):
        return "a tariff importer must have a `description`, a string"
    return _without_methods("tariff importer", offer, "read") or misspelt(offer, OF_IMPORTERS)


def _probe(offer: object) -> str | None:
    if getattr(offer, "criticality", None) not in _CRITICALITIES:
        return f"the `criticality` of a probe must be {' or '.join(map(repr, _CRITICALITIES))}"
    if not inspect.iscoroutinefunction(check := getattr(offer, "check", None)):
        return "a probe must have a coroutine function `check`"
    if not _takes_core(check):
        return "the `check` of a probe must take the service: check(core)"
    active = getattr(offer, "active", None)
    if active is not None and not (callable(active) and _takes_core(active)):
        return "the `active` of a probe must be a method that takes the service: active(core)"
    if getattr(offer, "component_type", "component") not in _COMPONENT_TYPES:
        return f"the `component_type` of a probe must be one of {', '.join(_COMPONENT_TYPES)}"
    return _of_class("probe", offer) or misspelt(offer, OF_PROBES) or _times("probe", offer)


def _takes_core(method: Callable[..., object]) -> bool:
    try:
        inspect.signature(method).bind(object())
    except TypeError:
        return False
    return True


def _seed(offer: object) -> str | None:
    if not inspect.iscoroutinefunction(getattr(offer, "sow", None)):
        return "a seed must have a coroutine function `sow`"
    return _of_class("seed", offer)


def _price_feed(offer: object) -> str | None:
    if not inspect.iscoroutinefunction(getattr(offer, "fetch", None)):
        return "a price feed must have a coroutine function `fetch`"
    if not isinstance(getattr(getattr(offer, "series", None), "id", None), str):
        return "the `series` of a price feed must be a NewPriceSeries with an id"
    return (
        _of_class("price feed", offer) or misspelt(offer, OF_FEEDS) or _times("price feed", offer)
    )


def _source(offer: object) -> str | None:
    if isinstance(offer, type):
        return _of_class("source", offer)
    if not inspect.iscoroutinefunction(getattr(offer, "run", None)):
        return "a source must have a coroutine function `run`"
    organization = getattr(offer, "organization", 1)
    if type(organization) is not int or organization < 1:
        return "the `organization` of a source must be the key of one: a whole number from 1"
    return misspelt(offer, OF_SOURCES)


#: PostgreSQL notifies of tasks by their names, on channels of 63 bytes.
_LONGEST_TASK: Final = 40


def _task(offer: object) -> str | None:
    if not inspect.iscoroutinefunction(getattr(offer, "run", None)):
        return "a task must have a coroutine function `run`"
    retry = getattr(offer, "retry", None)
    if retry is not None and (lacking := _instance("energia.jobs.tasks", "Retry")(retry)):
        return f"the `retry` of a task: {lacking}"
    if len(str(getattr(offer, "name", "")).encode()) > _LONGEST_TASK:
        return f"the `name` of a task has {_LONGEST_TASK} bytes at most"
    return _of_class("task", offer) or misspelt(offer, OF_TASKS) or _times("task", offer)


def _panel(offer: object) -> str | None:
    if not inspect.iscoroutinefunction(getattr(offer, "content", None)):
        return "a panel must have a coroutine function `content`"
    stated = _of_class("panel", offer) or misspelt(offer, OF_PANELS) or _times("panel", offer)
    return stated or _places(offer) or _titles(offer)


def _places(panel: object) -> str | None:
    """Return what is wrong with where a panel is shown."""
    places, known = getattr(panel, "places", None), get_args(Place)
    if not isinstance(places, tuple) or not places:
        return "the `places` of a panel must be a tuple of some"
    for place in places:
        if place not in known:
            return f"there is no place {place!r}{meant_or_known(str(place), known)}"
    return None


def _titles(panel: object) -> str | None:
    titles, languages = getattr(panel, "titles", None), get_args(Language)
    if not isinstance(titles, Mapping) or not all(map(titles.get, languages)):
        return f"the `titles` of a panel must have one for each of {', '.join(languages)}"
    return None


def _times(what: str, offer: object) -> str | None:
    stated: dict[str, object] = {
        "timeout": offer.timeout if isinstance(offer, HasTimeout) else 1,
        "period": offer.period if isinstance(offer, HasPeriod) else 1,
    }
    for name, seconds in stated.items():
        if not isinstance(seconds, int | float) or not 0 < seconds < inf:
            return f"the `{name}` of a {what} must be a number of seconds above 0"
    return None


def _authenticator(offer: object) -> str | None:
    if not inspect.iscoroutinefunction(getattr(offer, "authenticate", None)):
        return "an authenticator must have a coroutine function `authenticate`"
    return _of_class("authenticator", offer)


def _collector(offer: object) -> str | None:
    return _of_class("collector", offer) or _without_methods("collector", offer, "collect")


def _middleware(offer: object) -> str | None:
    if not callable(offer):
        return "a middleware must be callable"
    if getattr(offer, "__middleware_version__", None) != 1:
        return "a middleware must be marked with @web.middleware"
    return None


def _tracer(offer: object) -> str | None:
    return _of_class("tracer", offer) or _without_methods("tracer", offer, "span", "ids", "headers")


def _folder(offer: object) -> str | None:
    from energia.db.migrate import read  # only where there are migrations

    if not callable(getattr(offer, "iterdir", None)):
        return "migrations must be a folder: a Traversable"
    if not read({"": cast("Traversable", offer)}):
        return "the folder has no file such as 0001_tables.sql"
    return None


def _instance(module: str, *names: str) -> Callable[[object], str | None]:
    def lacking(offer: object) -> str | None:
        found = sys.modules.get(module)
        types: tuple[Any, ...] = tuple(getattr(found, name, ()) for name in names)
        classes = " or ".join(f"{module}.{name}" for name in names)
        return None if isinstance(offer, types) else f"it must be of the class {classes}"

    return lacking


def _of_class(what: str, offer: object) -> str | None:
    return f"it is a class: a {what} must be an instance" if isinstance(offer, type) else None


def _without_methods(what: str, offer: object, *names: str) -> str | None:
    missing = [name for name in names if not callable(getattr(offer, name, None))]
    return f"a {what} must have a method `{missing[0]}`" if missing else None


def named(offer: object) -> str:
    """Return what a refused object is called."""
    return (
        f"{offer.__module__}.{offer.__qualname__}"
        if isinstance(offer, type)
        else _short.repr(offer)
    )


_LACKING: Final[Mapping[str, Callable[[object], str | None]]] = {
    "register_charges": _charge,
    "register_decoders": _decoder,
    "register_tariff_importers": _importer,
    "register_probes": _probe,
    "register_collectors": _collector,
    "register_routes": _instance("energia.web.routes", "Route", "RoutesBelow"),
    "register_middlewares": _middleware,
    "register_authenticators": _authenticator,
    "register_tracers": _tracer,
    "register_migrations": _folder,
    "register_seeds": _seed,
    "register_price_feeds": _price_feed,
    "register_sources": _source,
    "register_tasks": _task,
    "register_panels": _panel,
    "register_commands": _instance("click", "Command"),
}
