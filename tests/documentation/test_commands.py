"""The commands in the documentation are those of `energia`, and say all that these need."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from energia.cli.main import energia
from tests.documentation.pages import Page, everywhere
from tests.documentation.test_pages import named

#: An inline command with options: its words after `energia`, up to what a shell does with them.
COMMAND = re.compile(r"`(?:[^`\n]* )?energia ([a-z][^`\n|<>#&;]* --[^`\n|<>#&;]*)")


def commands(page: Page) -> Iterator[str]:
    """Yield the commands of a page that have options."""
    return (found[1].strip() for found in COMMAND.finditer(page.text))


@pytest.mark.parametrize("page", list(everywhere()), ids=named)
def test_commands_have_the_options_that_are_written(page: Page) -> None:
    """Each option is one of the command, and none that must be given is missing."""
    assert [said for command in commands(page) for said in faults(command)] == []


def faults(text: str) -> Iterator[str]:
    """Yield what does not fit in a command: values are not looked at."""
    words = [word for word in shlex.split(text) if word != "..."]
    command: click.Command = energia
    with click.Context(energia) as context:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words.pop(0))
            if found is None:
                yield f"energia {text}: no such command"
                return
            command = found
    options = [option for option in command.params if isinstance(option, click.Option)]
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    known = {name for option in options for name in (*option.opts, *option.secondary_opts)}
    for name in sorted(given - known - {"--help"}):
        yield f"energia {text}: no option {name}"
    for option in options:
        if option.required and not given.intersection(option.opts):
            yield f"energia {text}: {option.opts[-1]} is missing"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("token create --name erp --scope billing", []),
        ("token create erp --scope billing", ["--name is missing"]),
        ("migrate --dry", ["no option --dry"]),
        ("tokens --all", ["no such command"]),
    ],
)
def test_what_does_not_fit(text: str, told: list[str]) -> None:
    """A missing option, one that there is not, and a command that there is not are told."""
    assert list(faults(text)) == [f"energia {text}: {said}" for said in told]
