"""Loads plugins: all of them at the start, or some of the release when they are first wanted."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Final

import attrs
import pluggy

from energia.errors import Fault, PluginError
from energia.plugins import discovery, registration
from energia.plugins.discovery import PluginState
from energia.plugins.registration import ON_DEMAND
from energia.settings import PluginSelection

#: What modules implement that a service does not import before something of theirs is wanted.
_LATE: Final = frozenset({*ON_DEMAND, "register_commands"})


@attrs.define(eq=False)
class Loading:
    """Plugins on their way in.

    Attributes:
        states: Every installed plugin by its name, with what is known of it so far.
        selection: The settings of the plugins.
        load: Imports one.
        objects: Those that are there.

    """

    states: dict[str, PluginState]
    selection: PluginSelection
    load: Callable[[str], object]
    objects: dict[str, object] = attrs.field(factory=dict, init=False)
    _errors: dict[str, PluginError] = attrs.field(factory=dict, init=False)

    def postpone(self, hooks_of: Callable[[str], tuple[str, ...]]) -> set[str]:
        """Return the plugins that need not be there yet; by *hooks_of* their hooks are known.

        They are of the release, which is tested: they load, and fit together.
        """
        late = set[str]()
        for name, state in self.states.items():
            if state.state != "loaded" or not state.is_of_the_release:
                continue
            hooks = hooks_of(name)
            if hooks and _LATE.issuperset(hooks) and name not in self.selection.settings:
                self.states[name] = attrs.evolve(state, hooks=hooks)
                late.add(name)
        return late

    def instantiate(self, names: Iterable[str]) -> None:
        """Make the objects of some plugins; what fails is raised by `register`."""
        for name in sorted(set(names) - self.objects.keys(), reverse=True):
            state = self.states[name]
            if state.state != "loaded":
                continue
            settings = self.selection.settings.get(name, {})
            try:
                plugin, wanted = discovery.instantiate(name, self.load(name), settings)
            except PluginError as error:
                self._errors[name] = error
            else:
                self.objects[name] = plugin
                self.states[name] = attrs.evolve(state, settings=wanted)

    def must_be_compared(self) -> bool:
        """Tell whether another plugin than those of the release offers what others may, too."""
        return any(
            registration.marked(plugin).intersection(ON_DEMAND)
            for name, plugin in self.objects.items()
            if not self.states[name].is_of_the_release
        )

    def register(self, names: Iterable[str]) -> pluggy.PluginManager:
        """Return a manager with the objects of some plugins.

        Raises:
            PluginError: One of them does not load; it is named.

        """
        manager = registration.manager()
        # pluggy calls the plugin that was registered last first.
        for name in sorted(names, reverse=True):
            try:
                hooks = registration.register(manager, name, self.objects[name])
            except PluginError as error:
                self._errors[name] = error
            else:
                self.states[name] = attrs.evolve(self.states[name], hooks=hooks)
        # What is wanted next may be of others, and what failed may not fail again: a plugin of the
        # release that is imported late, while there are too many open files.
        errors, self._errors = self._errors, {}
        _raise_all(errors)
        return manager


@attrs.define(eq=False)
class OnDemand:
    """What plugins offer by the hooks of `ON_DEMAND`: each is called when it is first wanted.

    That may be in whatever thread, and in several at once.
    """

    _loading: Loading
    _late: set[str]
    #: It has all that are not late.
    _manager: pluggy.PluginManager
    _offered: dict[str, dict[str, tuple[str, object]]] = attrs.field(factory=dict, init=False)
    _calling: Lock = attrs.field(factory=Lock, init=False)

    def __call__(self, hook: str) -> dict[str, tuple[str, object]]:
        """Return what is offered by name, each with its plugin; late plugins are imported.

        Raises:
            PluginError: What a plugin offers does not fit, or another one offers the same.

        """
        if hook in self._offered:  # nobody waits for what others import
            return self._offered[hook]
        with self._calling:
            if hook not in self._offered:
                manager = self._complete(hook)
                self._offered[hook] = registration.named(manager, hook, *ON_DEMAND[hook])
            return self._offered[hook]

    def _complete(self, hook: str) -> pluggy.PluginManager:
        """Return a manager with all plugins that implement *hook*, in the order of their names."""
        loading = self._loading
        late = {name for name in self._late if hook in loading.states[name].hooks}
        if not late:
            return self._manager
        loading.instantiate(late)
        there = [name for name in loading.objects if hook in loading.states[name].hooks]
        return loading.register(there)


def _raise_all(errors: Mapping[str, PluginError]) -> None:
    if len(errors) == 1:
        raise next(iter(errors.values()))
    if errors:
        faults = [Fault(error.code, error.detail) for _, error in sorted(errors.items())]
        raise PluginError(f"{len(errors)} plugins do not load", faults)
