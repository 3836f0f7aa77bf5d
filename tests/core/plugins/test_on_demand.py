"""What a service imports and asks of the plugins of the release when it is first wanted."""

from collections.abc import Callable
from typing import Any

import pytest

from energia.errors import PluginError
from energia.plugins import Plugins
from energia.settings import PluginSelection
from tests.core.plugins.conftest import Install
from tests.core.test_unneeded import shown

CHARGE = """
from typing import ClassVar
import attrs
from energia import BaseCharge, hookimpl

@attrs.frozen
class Levy(BaseCharge):
    kind: ClassVar[str] = "energy.flat"

    def measures(self):
        return {}

    def lines(self, measured, bill):
        return []

@hookimpl
def register_charges():
    return [Levy]
"""


@pytest.mark.parametrize(
    "offered",
    [
        Plugins.charges,
        Plugins.decoders,
        Plugins.tariff_importers,
        Plugins.seeds,
        lambda plugins: dict(plugins.owned_panels()),
    ],
)
def test_a_service_is_offered_what_a_command_is(offered: Callable[[Plugins], Any]) -> None:
    """All of it, in the same order, though most of it is imported on demand."""
    at_once, later = offered(Plugins.installed()), offered(Plugins.installed(serving=True))

    assert later.keys()
    assert list(later) == list(at_once)
    assert list(map(type, later.values())) == list(map(type, at_once.values()))


def test_hooks_are_known_before_a_plugin_is_imported() -> None:
    """The source of a plugin of the release states all hooks that it implements."""
    assert Plugins.installed(serving=True).states == Plugins.installed().states


def test_a_service_imports_a_charge_with_the_first_tariff() -> None:
    """Asking for formats imports no charge, and asking for charges no format."""
    program = (
        "import sys; from energia.plugins import Plugins; "
        "plugins = Plugins.installed(serving=True); "
        "late = ['energia_plugins.tariff_flat', 'energia_plugins.meter_csv']; "
        "there = lambda: [name in sys.modules for name in late]; "
        "print(there()); plugins.decoders(); print(there()); plugins.charges(); print(there())"
    )

    assert shown(program).splitlines() == ["[False, False]", "[False, True]", "[True, True]"]


def test_an_import_that_fails_once_is_tried_again() -> None:
    """While there are too many open files, say: meanwhile other hooks offer what they have."""
    program = """
import sys
from energia.errors import PluginError
from energia.plugins import Plugins

class Once:
    left = 1

    def find_spec(self, name, *_):
        if name == "energia_plugins.meter_nem12.decoder" and self.left:
            self.left -= 1
            raise OSError("too many open files")

sys.meta_path.insert(0, Once())
plugins = Plugins.installed(serving=True)
try:
    plugins.decoders()
except PluginError as error:
    print(error.detail)
print("energy.flat" in plugins.charges())
print("nem12" in plugins.decoders())
"""

    assert shown(program).splitlines() == [
        "plugin 'meter-nem12' does not import: OSError: too many open files",
        "True",
        "True",
    ]


def test_offers_of_others_are_compared_at_the_start(install: Install) -> None:
    """A service does not start where another plugin offers a charge that the release has."""
    install("third-levy = third_levy", source=CHARGE)

    with pytest.raises(PluginError, match="'tariff-flat' and 'third-levy' both offer the charge"):
        Plugins.installed(serving=True)


def test_settings_of_a_plugin_that_takes_none_are_refused_at_the_start() -> None:
    """It is imported for that, though nobody has asked for its charge."""
    selection = PluginSelection(settings={"tariff-flat": {"rate": 1}})

    with pytest.raises(PluginError, match="'tariff-flat' takes no settings"):
        Plugins.installed(selection, serving=True)
