"""`meters.md` tells every setting, preset and map of the sources; its examples can be set."""

import re
import tomllib
from collections.abc import Iterable

import attrs
import pytest

from energia.configuration.values import structure
from energia_plugins.meter_folder import settings as folder
from energia_plugins.meter_http import settings as http
from energia_plugins.meter_modbus import settings as modbus
from energia_plugins.meter_mqtt import settings as mqtt
from energia_plugins.meter_p1 import settings as p1
from tests.imports import ROOT

PAGE = (ROOT / "docs/how-to/meters.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """Return a section of the page."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def names(text: str) -> list[str]:
    """Return the names in the first cells of tables."""
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)]


def fields(class_: type, without: Iterable[str] = ()) -> list[str]:
    """Return the names of settings."""
    return sorted({field.name for field in attrs.fields(class_)} - set(without))


def examples(heading: str) -> list[str]:
    """Return the configurations that a section shows."""
    return re.findall(r"```toml\n(.*?)```", section(heading), re.DOTALL)


def test_every_setting_of_mqtt_has_its_row() -> None:
    """Once, in the table of the broker or in that of an entry of `topics`."""
    entry, broker = section("MQTT").partition("Of `[plugins.meter-mqtt]`:")[::2]

    assert sorted(names(entry.partition("| setting |")[2])) == fields(mqtt.Topic)
    assert sorted(names(broker)) == fields(mqtt.Settings)


def test_every_preset_has_its_row() -> None:
    """A device that is known is found on the page."""
    table = section("MQTT").partition("| preset |")[2].partition("\n\n")[0]

    assert sorted(names(table)) == sorted(mqtt.preset_texts())


def test_every_setting_of_modbus_has_its_row() -> None:
    """And every bundled map is named."""
    text = section("Modbus")

    assert sorted(names(text)) == fields(modbus.Device)
    assert "`organization`" in text
    assert [name for name in modbus.bundled_maps() if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("heading", "class_"), [("HTTP", http.Fetch), ("Folders", folder.Folder), ("P1", p1.Meter)]
)
def test_every_setting_of_a_source_of_files_has_its_row(heading: str, class_: type) -> None:
    """Those of one fetch, or of one folder."""
    assert sorted(names(section(heading))) == fields(class_)


@pytest.mark.parametrize(
    ("heading", "plugin", "class_"),
    [
        ("MQTT", "meter-mqtt", mqtt.Settings),
        ("Modbus", "meter-modbus", modbus.Settings),
        ("HTTP", "meter-http", http.Settings),
        ("Folders", "meter-folder", folder.Settings),
        ("P1", "meter-p1", p1.Settings),
    ],
)
def test_the_example_can_be_set(heading: str, plugin: str, class_: type) -> None:
    """It is as a configuration has it."""
    table = tomllib.loads(examples(heading)[0])["plugins"][plugin]

    assert isinstance(structure(table, class_, f"plugins.{plugin}"), class_)


def test_the_map_of_registers_can_be_read() -> None:
    """It says all that a map may say."""
    table = tomllib.loads(examples("Modbus")[1])

    found = structure(table, modbus.RegisterMap, "map")

    assert sorted(table) == fields(modbus.RegisterMap)
    assert sorted(table["registers"]["import"]) == fields(modbus.RegisterEntry)
    assert found.about
