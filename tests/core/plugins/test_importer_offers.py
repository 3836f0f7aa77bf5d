"""What `register_tariff_importers` accepts."""

from types import SimpleNamespace

import pytest

from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia_plugins.tariff_urdb import UrdbImporter


def offering(one: object) -> SimpleNamespace:
    """Return a plugin that offers an importer."""
    return SimpleNamespace(register_tariff_importers=hookimpl(lambda: [one]))


def test_an_importer_is_offered_by_its_format() -> None:
    """By which requests name it."""
    importer = UrdbImporter()

    assert Plugins.of(a=offering(importer)).tariff_importers() == {"urdb": importer}


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (SimpleNamespace(format="x"), "a tariff importer must have a `description`"),
        (
            SimpleNamespace(format="x", description="y"),
            "a tariff importer must have a method `read`",
        ),
        (UrdbImporter, "it is a class: a tariff importer must be an instance"),
        (
            SimpleNamespace(format="", description="y", read=iter),
            "offers a tariff importer without a format",
        ),
    ],
)
def test_what_is_no_importer_is_refused(one: object, message: str) -> None:
    """The plugin is named."""
    with pytest.raises(PluginError, match=f"^plugin 'bad'.*{message}"):
        Plugins.of(bad=offering(one))


def test_two_plugins_cannot_offer_one_format() -> None:
    """Both are named."""
    with pytest.raises(PluginError, match=r"plugins 'a' and 'b' both offer .* 'urdb'"):
        Plugins.of(a=offering(UrdbImporter()), b=offering(UrdbImporter()))
