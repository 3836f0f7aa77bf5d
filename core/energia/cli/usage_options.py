"""The options that say which usage is priced."""

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import attrs
import click

_OPTIONS = (
    click.option(
        "--usage",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Readings: the `usage` of POST /v1/costs, as JSON.",
    ),
    click.option("--meter", metavar="ID", help="A meter whose readings are stored."),
    click.option("--start", metavar="WHEN", help="A date in the zone of the site, or an instant."),
    click.option("--end", metavar="WHEN", help="The end, which is not included."),
    click.option(
        "--channel",
        "channels",
        metavar="ROLE=ID",
        multiple=True,
        help="Which channel of the meter, where it has several of a role.",
    ),
    click.option("--known-at", metavar="WHEN", help="Stored readings as known at this instant."),
    click.option(
        "--prices",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Price series: the `prices` of POST /v1/costs, as JSON.",
    ),
    click.option(
        "--missing",
        type=click.Choice(["refuse", "zero", "estimate"]),
        default="refuse",
        show_default=True,
        help="How to treat missing readings.",
    ),
    click.option(
        "--parameter",
        "parameters",
        metavar="NAME=VALUE",
        multiple=True,
        help="A parameter that the tariff asks for; the value is JSON, or text.",
    ),
    click.option(
        "--group",
        type=click.Choice(["P1D", "P1M", "P1Y", "whole"]),
        help="Price each day, month or year as a bill period of its own, or the whole as one; "
        "`compare` takes months beyond 45 days.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
)


def usage_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as one `UsageOptions`."""

    @wraps(command)
    def gathered(*arguments: Any, **given: Any) -> Any:
        of_usage = {name: given.pop(name) for name in attrs.fields_dict(UsageOptions)}
        return command(*arguments, options=UsageOptions(**of_usage), **given)

    decorated: Callable[..., Any] = gathered
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


@attrs.frozen(kw_only=True)
class UsageOptions:
    """What the options say."""

    usage: Path | None
    meter: str | None
    start: str | None
    end: str | None
    channels: tuple[str, ...]
    known_at: str | None
    prices: Path | None
    missing: str
    parameters: tuple[str, ...]
    group: str | None
    as_json: bool

    def subject(self) -> dict[str, object]:
        """Return them as JSON, for `energia.costing.subject.Subject`, without the usage.

        Raises:
            click.UsageError: They do not go together.

        """
        self._check()
        channels: dict[str, list[str]] = {}
        for role, channel in _pairs("--channel", "ROLE=ID", self.channels):
            channels.setdefault(role, []).append(channel)
        named = _pairs("--parameter", "NAME=VALUE", self.parameters)
        parameters = {name: _value(text) for name, text in named}
        plain = ("meter", "start", "end", "known_at", "missing", "group")
        stated = {name: getattr(self, name) for name in plain}
        prices = {} if self.prices is None else _file(self.prices)
        return stated | {"channels": channels, "parameters": parameters, "prices": prices}

    def _check(self) -> None:
        if (self.meter is None) == (self.usage is None):
            raise click.UsageError("Give either --meter, a stored meter, or --usage, a file.")
        if self.meter is not None and (self.start is None or self.end is None):
            raise click.UsageError("--meter needs a window: give --start and --end.")
        if self.meter is None and self.channels:
            raise click.UsageError("--channel is about the channels of a --meter.")
        if self.meter is None and self.known_at:
            raise click.UsageError("--known-at is about the stored readings of a --meter.")


def _pairs(option: str, form: str, given: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {text}: expected {form}.")
        yield name, value


def _file(path: Path) -> object:
    """Return the JSON of a file."""
    from energia.cli.question import content

    return content(path)


def _value(text: str) -> object:
    """Return a value as JSON has it, or as text where it is not JSON."""
    from energia.convert import parse
    from energia.errors import Malformed

    try:
        return parse(text.encode())
    except Malformed:
        return text
