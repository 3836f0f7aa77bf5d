"""Bundled plugins stand on the public contract alone, as those of others must."""

import re
from collections import defaultdict
from importlib import import_module

import pytest

import energia
from energia.contract import PUBLIC
from tests.imports import ROOT, imported_names, modules

#: The families of plugins that work as third parties do.
FAMILIES = ("tariff_", "meter_", "price_feed_")
#: A ratebook holds rates of the US rate database; a file has the shape of an answer; what a port
#: sends are telegrams; municipalities of Brazil charge for lighting by an amount or by a table.
BUILT_ON = {
    "tariff_ratebook": ("tariff_urdb",),
    "price_feed_file": ("price_feed_http",),
    "meter_p1": ("meter_dsmr",),
    "tariff_brazil": ("tariff_fixed", "tariff_table"),
}
BUNDLED = [
    name for name in modules("energia_plugins") if name.partition(".")[2].startswith(FAMILIES)
]


def documented() -> dict[str, set[str]]:
    """Return the names that `docs/how-to/plugins.md` lists, by module."""
    text = (ROOT / "docs/how-to/plugins.md").read_text(encoding="utf-8")
    section = text.partition("## The public names")[2].partition("\n## ")[0]
    found: dict[str, set[str]] = defaultdict(set)
    for first, names in re.findall(r"^\| (.+?) \| (.+) \|$", section, re.MULTILINE):
        module = re.match(r"`(energia[\w.]*)`", first)
        found[module[1] if module else "energia"] |= set(re.findall(r"`(\w+)`", names))
    return found


@pytest.mark.parametrize("module", BUNDLED)
def test_a_bundled_plugin_imports_public_names_only(module: str) -> None:
    """What it takes of the core is listed in `plugins.md`, under the module it comes from."""
    public = documented()
    wrong = [
        f"{one.module}.{one.name} (line {one.line})"
        for one in imported_names(module)
        if one.module.split(".")[0] == "energia" and one.name not in public[one.module]
    ]

    assert wrong == []


@pytest.mark.parametrize("module", BUNDLED)
def test_a_bundled_plugin_stands_by_itself(module: str) -> None:
    """It takes names of no other bundled plugin, but for four that say so; private ones never."""
    _, plugin, *_ = module.split(".")
    own = {plugin, *BUILT_ON.get(plugin, ())}
    wrong = [
        f"{one.module}.{one.name}"
        for one in imported_names(module)
        if one.module.split(".")[0] == "energia_plugins"
        if one.module.split(".")[1] not in own or one.name.startswith("_")
    ]

    assert wrong == []


def test_the_flat_tariff_imports_from_energia_alone() -> None:
    """It is the example that authors copy."""
    taken = {one.module for one in imported_names("energia_plugins.tariff_flat")}

    assert {name for name in taken if name.startswith("energia")} == {"energia"}


def test_the_page_lists_every_public_name() -> None:
    """Each module has its row, and the names that it has or offers are there."""
    public = documented()

    assert sorted(public) == sorted(PUBLIC)
    assert public["energia"] == set(energia.__all__) - {"__version__"}
    for name in PUBLIC:
        module = import_module(name)
        assert [one for one in public[name] if not hasattr(module, one)] == []
        if name != "energia" and hasattr(module, "__all__"):
            assert public[name] == set(module.__all__)
