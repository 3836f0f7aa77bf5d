"""The guides for operators are true: what they name exists, and both languages say the same."""

import re

import attrs
import pytest

from energia.configuration.layers import PLACES, variables
from energia.configuration.values import fields
from energia.plugins import Plugins
from energia.settings import Settings
from tests.imports import ROOT
from tests.test_migrations import faults

ENGLISH = (ROOT / "docs/how-to/deploy-coolify.md").read_text(encoding="utf-8")
PORTUGUESE = (ROOT / "docs/how-to/deploy-coolify.pt-BR.md").read_text(encoding="utf-8")
MIGRATIONS = (ROOT / "docs/how-to/migrations.md").read_text(encoding="utf-8")
GUIDES = {"en": ENGLISH, "pt-BR": PORTUGUESE}


def of_plugins() -> set[str]:
    """Return the variable of every setting of the bundled plugins."""
    return {
        f"ENERGIA_PLUGINS__{state.name.replace('-', '_')}__{name}".upper()
        for state in Plugins.installed().states
        if state.settings is not None
        for name in fields(state.settings)
    }


def settings() -> set[str]:
    """Return the path of every setting of the core, as `server.port`."""
    sections = {name: type_ for name, type_ in fields(Settings).items() if attrs.has(type_)}
    return {
        f"{name}.{field.name}" for name, type_ in sections.items() for field in attrs.fields(type_)
    }


def code(guide: str) -> list[str]:
    """Return the texts of a guide in monospace, of more than a word of prose."""
    plain = re.sub(r"```.*?```", "", guide, flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", plain)


def named_settings(guide: str) -> set[str]:
    """Return the variables and the paths of settings that a guide names."""
    sections = "|".join(fields(Settings))
    pattern = rf"ENERGIA_[A-Z_]+[A-Z]|(?:{sections})\.[a-z_]+"
    return {text for text in code(guide) if re.fullmatch(pattern, text)}


@pytest.mark.parametrize("language", GUIDES)
def test_every_setting_that_a_guide_names_exists(language: str) -> None:
    """An operator who copies a name gets a service that starts."""
    known = settings() | set(variables()) | set(PLACES) | of_plugins()

    assert len(named_settings(GUIDES[language])) > 8
    assert named_settings(GUIDES[language]) - known == set()


def test_the_languages_say_the_same() -> None:
    """The headings match one by one, and so do tables, lists and everything in monospace."""

    def shape(guide: str) -> list[str]:
        marks = r"^(#+ (?:\d\.)?|\|(?!---)|- (?:\[ \])?|\d\.)"
        return [match[1].strip() for match in re.finditer(marks, guide, re.MULTILINE)]

    def words(guide: str) -> list[str]:
        ours = [text.replace("número", "number") for text in code(guide)]
        return sorted(set(ours) - {"deploy-coolify.md", "deploy-coolify.pt-BR.md"})

    assert shape(ENGLISH) == shape(PORTUGUESE)
    assert words(ENGLISH) == words(PORTUGUESE)


def test_the_languages_have_the_same_examples() -> None:
    """What an operator copies does not depend on the language."""

    def blocks(guide: str) -> list[str]:
        return re.findall(r"```.*?```", guide, re.DOTALL)

    assert blocks(ENGLISH) == blocks(PORTUGUESE) != []


def test_the_start_up_budget_is_that_of_the_image() -> None:
    """15 s that do not count, then three failures 2 s apart; the guides say so."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    flags = dict(re.findall(r"--(interval|start-period|retries)=(\d+)", dockerfile))
    start, retries, interval = (int(flags[k]) for k in ("start-period", "retries", "interval"))
    budget = f"{start} + {retries} x {interval} = {start + retries * interval} "

    assert all(budget in guide for guide in GUIDES.values())


def test_the_examples_of_migrations_are_accepted() -> None:
    """Authors copy them; squawk finds nothing in them."""
    examples = re.findall(r"```sql\n(.*?)```", MIGRATIONS, re.DOTALL)

    assert examples
    assert [faults(example) for example in examples] == [[] for _ in examples]
