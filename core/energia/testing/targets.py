"""Finds the plugins to check, by whatever name an author knows them, and checks what they offer."""

import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

import attrs
from packaging.utils import canonicalize_name

from energia.db.migrate import read
from energia.errors import PluginError, did_you_mean
from energia.plugins import Plugins, discovery
from energia.testing import decoders, importers, migrations, others
from energia.testing.conformance import outcomes
from energia.testing.outcome import Outcome
from energia.testing.pricing import Pricing


@attrs.frozen
class Target:
    """A plugin to check.

    Attributes:
        name: The name of its entry point, or of its module.
        plugin: The module, or the class.

    """

    name: str
    plugin: object


def targets(name: str) -> list[Target]:
    """Return the plugins of a distribution, of an entry point, or of a `module` or `module:Class`.

    Raises:
        PluginError: There are none, or one does not import.

    """
    entries = discovery.installed()
    if name in entries:
        return [Target(name, discovery.load(entries[name]))]
    wanted = canonicalize_name(name)
    of_distribution = [
        entry
        for entry in entries.values()
        if entry.dist is not None and canonicalize_name(entry.dist.name) == wanted
    ]
    if of_distribution:
        return [Target(entry.name, discovery.load(entry)) for entry in of_distribution]
    if _can_be_imported(name):
        return [Target(name, discovery.load(EntryPoint(name, name, "energia")))]
    known = {*entries, *(entry.dist.name for entry in entries.values() if entry.dist)}
    raise PluginError(
        f"no distribution, plugin or module is called {name!r}{did_you_mean(name, known)}"
    )


def checked(targets: Sequence[Target], without: Sequence[str] = ()) -> Iterator[Outcome]:
    """Yield the outcome of each check of each thing that plugins offer."""
    for target in targets:
        try:
            plugins = Plugins.of(**{target.name: target.plugin})
        except PluginError as error:
            yield Outcome(target.name, "loads", "failed", error.detail)
            continue
        yield Outcome(target.name, "loads", "passed")
        yield from _offered(plugins, without)


def _offered(plugins: Plugins, without: Sequence[str]) -> Iterator[Outcome]:
    classes = list(plugins.charges().values())
    pricing = Pricing.of(*classes)
    for class_ in classes:
        yield from outcomes(class_, pricing, without=without)
    for importer in plugins.tariff_importers().values():
        yield from importers.of_importer(importer, pricing)
    for decoder in plugins.decoders().values():
        yield from decoders.of_decoder(decoder)
    for source in plugins.sources():
        yield from others.of_source(source)
    for probe in plugins.probes():
        yield from others.of_probe(probe)
    for route in plugins.routes():
        yield from others.of_route(route)
    for owner, folder in plugins.migrations().items():
        yield from migrations.of_migrations(owner, read({owner: folder}))


def _can_be_imported(name: str) -> bool:
    """Tell whether a module is there, in the current folder too."""
    module = name.partition(":")[0]
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
