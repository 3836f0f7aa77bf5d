"""Finds the plugins that installed distributions declare, and those that run here."""

import fnmatch
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import (
    Distribution,
    EntryPoint,
    PackageNotFoundError,
    entry_points,
    version,
)
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from energia.errors import ConfigurationError, Fault, PluginError, did_you_mean
from energia.hookspecs import API_VERSION, PROJECT
from energia.plugins.containment import contained
from energia.settings import PluginSelection

if TYPE_CHECKING:
    from packaging.requirements import Requirement

#: A function of a module that implements a hook, by its own name.
_IMPLEMENTED: Final = re.compile(r"^@hookimpl\n(?:@\w+\n)*def (\w+)", re.MULTILINE)


@attrs.frozen
class PluginState:
    """The state of one installed plugin.

    Attributes:
        name: The name of its entry point.
        distribution: The distribution that declares it.
        version: The version of that distribution.
        state: `unavailable` is a plugin whose optional requirements are not installed, `failed` one
            that does not load: the service does not start with it.
        reason: Why it is not loaded.
        hooks: The hooks it implements.
        settings: The class of its settings, where it has any.

    """

    name: str
    distribution: str | None = None
    version: str | None = None
    state: Literal["loaded", "disabled", "unavailable", "failed"] = "loaded"
    reason: str | None = None
    hooks: tuple[str, ...] = ()
    settings: type | None = None

    @property
    def family(self) -> str:
        """What kind of plugin it is: the first part of its name."""
        return self.name.partition("-")[0]

    @property
    def is_of_the_release(self) -> bool:
        """Whether it comes with this release, and so was tested with all that does."""
        return self.distribution == PROJECT


def installed() -> dict[str, EntryPoint]:
    """Return what every installed distribution declares, by name and sorted by it."""
    entries: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=PROJECT), key=lambda entry: entry.name):
        if entry.name in entries:
            raise PluginError(
                f"plugin {entry.name!r} is declared twice: "
                f"by {_source(entries[entry.name])} and by {_source(entry)}"
            )
        entries[entry.name] = entry
    return entries


def states(entries: Mapping[str, EntryPoint], selection: PluginSelection) -> dict[str, PluginState]:
    """Return which of *entries* are to be loaded, and why the others are not.

    Raises:
        PluginError: The selection names a plugin that is not installed or not available.

    """
    _refuse_unknown(entries, selection)
    # A distribution parses its metadata anew for each question, and most declare several plugins.
    distributions = {entry.dist for entry in entries.values() if entry.dist}
    stated = {dist: (dist.name, dist.version) for dist in distributions}
    return {
        name: _state(
            PluginState(name, *(stated[entry.dist] if entry.dist else ())), entry, selection
        )
        for name, entry in entries.items()
    }


def unmatched(selection: PluginSelection) -> list[str]:
    """Return warnings of patterns of *selection* that no installed plugin matches.

    That is allowed, since one configuration may serve several installations; but a misspelt pattern
    would switch off all that it was to switch on, or the other way round.
    """
    patterns = [
        (key, pattern)
        for key, stated in (("enabled", selection.enabled), ("disabled", selection.disabled))
        for pattern in stated
        if _is_pattern(pattern) and pattern != "*"
    ]
    if not patterns:  # as with nearly every start: what is installed need not be read for that
        return []
    entries = installed()
    families = {f"{name.partition('-')[0]}-*": name for name in entries}
    return [
        f"plugins.{key}: {pattern!r} matches no plugin that is installed"
        f"{did_you_mean(pattern, families)}"
        for key, pattern in patterns
        if not fnmatch.filter(entries, pattern)
    ]


def stated_hooks(entry: EntryPoint) -> tuple[str, ...]:
    """Return the hooks that the functions of a module implement, sorted, by its source.

    Nothing is imported but the packages around it. There are none where *entry* names a class.
    """
    if entry.attr:
        return ()
    return tuple(sorted(_IMPLEMENTED.findall(_source_text(entry) or "")))


def mentioning(hook: str, entries: Mapping[str, EntryPoint]) -> set[str]:
    """Return the plugins whose source has the name of *hook*, or cannot be read.

    Nothing is imported but the packages around a module.
    """
    return {name for name, entry in entries.items() if hook in (_source_text(entry) or hook)}


def _source_text(entry: EntryPoint) -> str | None:
    try:
        with contained(entry.name, f"the packages around {entry.module} do not import"):
            spec = find_spec(entry.module)
        return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else None
    except (PluginError, OSError, ValueError):
        return None


@lru_cache(maxsize=256)
def offering(kind: str) -> str | None:
    """Return the installed plugin whose source states the *kind* of charge, loaded or not.

    Nothing is imported but the packages around a module: a plugin that is switched off stays so.
    """
    states_it = re.compile(rf"""^\s+kind\b[^\n=]*=\s*["']{re.escape(kind)}["']""", re.MULTILINE)
    for name, entry in installed().items():
        if any(states_it.search(source) for source in _sources(entry)):
            return name
    return None


def _sources(entry: EntryPoint) -> Iterator[str]:
    """Yield the source of a plugin: of its module, or of all modules of its package."""
    try:
        with contained(entry.name, f"the packages around {entry.module} do not import"):
            spec = find_spec(entry.module)
        folders = list(spec.submodule_search_locations or ()) if spec else []
        files = [file for folder in folders for file in sorted(Path(folder).rglob("*.py"))]
        if spec and spec.origin and not files:
            files = [Path(spec.origin)]
        for file in files:
            yield file.read_text(encoding="utf-8")
    except (PluginError, OSError, ValueError):
        return


def load(entry: EntryPoint) -> object:
    """Import what *entry* names; raises `PluginError`."""
    with contained(entry.name, f"plugin {entry.name!r} does not import"):
        plugin: object = entry.load()
    return plugin


def instantiate(
    name: str, plugin: object, settings: Mapping[str, Any]
) -> tuple[object, type | None]:
    """Return the plugin object, and the class of its settings.

    A class is instantiated with its settings; anything else takes none.
    """
    _refuse_version(name, plugin)
    wanted = _settings_class(name, plugin) if isinstance(plugin, type) else None
    if wanted is None and settings:
        raise PluginError(f"plugin {name!r} takes no settings, but plugins.{name} has some")
    if not isinstance(plugin, type):
        return plugin, None
    arguments = [] if wanted is None else [_settings(name, settings, wanted)]
    with contained(name, f"plugin {name!r} does not start"):
        return plugin(*arguments), wanted


def _settings(name: str, settings: Mapping[str, Any], wanted: type) -> object:
    if not settings:
        # Most plugins have no settings stated, and no reader need be written for their defaults.
        with suppress(Exception):  # what is wrong with them is told below
            return wanted()
    from energia.configuration.values import structure  # loads the converter: only when needed

    try:
        return structure(settings, wanted, f"plugins.{name}")
    except ConfigurationError as error:
        raise PluginError(f"plugin {name!r}: {error.detail}", error.faults) from None


def _settings_class(name: str, plugin: type) -> type | None:
    try:
        parameters = list(inspect.signature(plugin, eval_str=True).parameters.values())
    except (NameError, TypeError, ValueError) as error:
        raise PluginError(f"plugin {name!r}: its constructor cannot be read: {error}") from error
    if not parameters:
        return None
    if len(parameters) > 1 or not attrs.has(parameters[0].annotation):
        raise PluginError(
            f"plugin {name!r}: its constructor must take nothing, or one attrs class of settings"
        )
    wanted: type = parameters[0].annotation
    return wanted


def _refuse_version(name: str, plugin: object) -> None:
    wanted = getattr(plugin, "api_version", API_VERSION)
    if wanted != API_VERSION:
        raise PluginError(
            f"plugin {name!r} needs api_version {wanted!r}; this Energia serves {API_VERSION}"
        )


def _refuse_unknown(entries: Mapping[str, EntryPoint], selection: PluginSelection) -> None:
    named = [("enabled", name) for name in selection.enabled if not _is_pattern(name)]
    named += [("disabled", name) for name in selection.disabled if not _is_pattern(name)]
    named += [(name, name) for name in selection.settings]
    faults = [
        Fault(
            "unknown_plugin",
            f"plugins.{key}: plugin {name!r} is not installed{did_you_mean(name, entries)}",
            f"plugins.{key}",
        )
        for key, name in named
        if name not in entries
    ]
    if faults:
        raise PluginError("; ".join(fault.message for fault in faults), faults)


def _state(source: PluginState, entry: EntryPoint, selection: PluginSelection) -> PluginState:
    if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in selection.disabled):
        return attrs.evolve(source, state="disabled", reason="disabled in the configuration")
    if not any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in selection.enabled):
        return attrs.evolve(source, state="disabled", reason="not enabled in the configuration")
    if missing := _missing(entry):
        reason = f"needs {', '.join(missing)} (extra {', '.join(entry.extras)!r})"
        if entry.name in selection.enabled:
            raise PluginError(f"plugin {entry.name!r} is enabled but not available: {reason}")
        return attrs.evolve(source, state="unavailable", reason=reason)
    return source


def _missing(entry: EntryPoint) -> list[str]:
    """Return the requirements of the extras of *entry* that are not installed."""
    if not entry.extras or entry.dist is None:
        return []
    return [
        str(requirement.name)
        for requirement in _declared(entry.dist, entry.extras)
        if requirement.marker
        and not requirement.marker.evaluate({"extra": ""})
        and any(requirement.marker.evaluate({"extra": extra}) for extra in entry.extras)
        and not _is_met(requirement)
    ]


def _declared(distribution: Distribution, extras: Sequence[str]) -> "list[Requirement]":
    """Return what a distribution requires of which the marker may be about *extras*.

    A distribution may have many for tests: to read one takes as long as to import a small module.
    """
    from packaging.requirements import Requirement

    named = tuple(map(_plain, extras))
    lines = ((line, _plain(line.partition(";")[2])) for line in _required(distribution))
    return [Requirement(line) for line, marker in lines if any(one in marker for one in named)]


@lru_cache(maxsize=16)  # of several plugins of a distribution each looks at all of them
def _required(distribution: Distribution) -> tuple[str, ...]:
    return tuple(distribution.requires or ())


def _plain(text: str) -> str:
    """Return a text in which all spellings of a name are one (PEP 685)."""
    return re.sub(r"[-_.]+", "-", text).lower()


def _is_met(requirement: "Requirement") -> bool:
    there = _version(requirement.name)
    return there is not None and requirement.specifier.contains(there, prereleases=True)


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


def _source(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


# Installed plugins, as the API and `energia plugins list` show them.


@attrs.frozen
class Plugin:
    """An installed plugin.

    Attributes:
        name: The name of its entry point.
        family: What kind of plugin it is: the first part of its name.
        state: `unavailable` is a plugin whose optional requirements are not installed; a service
            does not start with one that has `failed`.
        hooks: The hooks it implements.
        distribution: The distribution that declares it.
        version: The version of that distribution.
        reason: Why it is not loaded.
        settings_schema: A JSON Schema of its settings; their values are not shown.

    """

    name: str
    family: str
    state: Literal["loaded", "disabled", "unavailable", "failed"]
    hooks: tuple[str, ...]
    distribution: str | None = None
    version: str | None = None
    reason: str | None = None
    settings_schema: dict[str, Any] | None = None


def listed(state: PluginState) -> Plugin:
    """Return a plugin as it is shown."""
    from energia.convert.schema import schema_of  # a start shows none

    return Plugin(
        name=state.name,
        family=state.family,
        state=state.state,
        hooks=state.hooks,
        distribution=state.distribution,
        version=state.version,
        reason=state.reason,
        settings_schema=schema_of(state.settings) if state.settings else None,
    )
