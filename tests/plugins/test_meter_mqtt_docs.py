"""`docs/meters.md` tells every setting and every preset of MQTT, and its example can be set."""

import re
import tomllib

import attrs

from energia.configuration.values import structure
from energia_plugins.meter_mqtt.settings import Settings, Topic, preset_texts
from tests.imports import ROOT

PAGE = (ROOT / "docs/meters.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## MQTT\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[str]:
    """Return the names in the first cells of the table below a heading of a column."""
    table = SECTION.partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)]


def test_every_setting_has_its_row() -> None:
    """Once, in the table of the broker or in that of an entry of `topics`."""
    entry, broker = SECTION.partition("Of `[plugins.meter-mqtt]`:")[::2]
    names = {
        class_: re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]+) \|", part, re.M)))
        for class_, part in ((Topic, entry.partition("| setting |")[2]), (Settings, broker))
    }

    for class_, found in names.items():
        assert sorted(found) == sorted(field.name for field in attrs.fields(class_))


def test_every_preset_has_its_row() -> None:
    """A device that is known is found on the page."""
    assert sorted(rows("preset")) == sorted(preset_texts())


def test_the_example_can_be_set() -> None:
    """It is as a configuration has it."""
    (example,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
    table = tomllib.loads(example)["plugins"]["meter-mqtt"]

    settings = structure(table, Settings, "plugins.meter-mqtt")

    assert set(settings.topics) == {"plugs", "solar"}
