"""The options that say which usage is priced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
)


def usage_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def subject(
    meter: str | None,
    usage: Path | None,
    start: str | None,
    end: str | None,
    channels: tuple[str, ...],
) -> dict[str, object]:
    """Return what the options say as JSON, for `energia.web.priced.Subject`, without the usage.

    Raises:
        click.UsageError: They do not go together.

    """
    if (meter is None) == (usage is None):
        raise click.UsageError("Give either --meter, a stored meter, or --usage, a file.")
    if meter is not None and (start is None or end is None):
        raise click.UsageError("--meter needs a window: give --start and --end.")
    if meter is None and channels:
        raise click.UsageError("--channel is about the channels of a --meter.")
    by_role: dict[str, list[str]] = {}
    for given in channels:
        role, equals, channel = given.partition("=")
        if not equals:
            raise click.UsageError(f"--channel {given}: expected ROLE=ID.")
        by_role.setdefault(role, []).append(channel)
    return {"meter": meter, "start": start, "end": end, "channels": by_role}
