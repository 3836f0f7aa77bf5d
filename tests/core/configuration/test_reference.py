"""`docs/reference/configuration.md` has every setting, with its default."""

import json
import re
from collections.abc import Iterator

import attrs

from energia.settings import SecretStr, Settings
from tests.imports import ROOT

TEXT = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([\w.]+)` \| (?:`(.*?)`|a secret) \|", TEXT, re.MULTILINE))
#: What nobody sets in a file: the profile is chosen, the number derived.
DERIVED = ("profile", "pull_request")


def defaults() -> Iterator[tuple[str, str]]:
    """Yield the path of every setting, and its default as JSON; nothing for a secret without."""
    settings = Settings()
    for section in attrs.fields(Settings):
        table = getattr(settings, section.name)
        for field in attrs.fields(type(table)) if attrs.has(type(table)) else ():
            path, value = f"{section.name}.{field.name}", getattr(table, field.name)
            if path == "plugins.settings":
                continue
            hidden = isinstance(value, SecretStr) or (field.metadata.get("secret") and not value)
            yield path, "" if hidden else json.dumps(value)


def test_every_setting_is_described() -> None:
    """With the default that it has, and nothing that is no setting."""
    assert dict(defaults()) == ROWS


def test_what_is_left_out_is_chosen() -> None:
    """Sections are tables; the others are not set like this."""
    assert {field.name for field in attrs.fields(Settings)} == {
        *DERIVED,
        *(path.partition(".")[0] for path in ROWS),
    }
