"""`energia preview`: the databases of pull requests."""

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import click

from energia.cli.failure import FAILED
from energia.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from energia.db.previews.cluster import Cluster
    from energia.db.previews.registry import Preview

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_dry_run = click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
_number = click.IntRange(1, 9_999_999_999)


@click.group("preview", short_help="List, make and drop the databases of pull requests.")
def command() -> None:
    """List, make and drop the databases of pull requests: app_pr_<number>.

    All but a preview's own `ensure` use the role that `preview.admin_url` names. No other database
    is ever touched, and none without the comment that Energia puts on it.

    \b
    Examples:
      energia preview list
      energia preview drop 42 --dry-run
      energia preview reap
    """


@command.command("list")
@_json
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """List the databases of previews, and how each stands.

    `foreign` has no comment of Energia and is never touched; `expired` has not been seen for
    `preview.ttl`, and `closed` is one whose pull request is.

    \b
    Examples:
      energia preview list
      energia preview list --json
    """
    from energia.cli.previews import row, show

    settings = invocation.settings(allow_embedded=True)
    found = asyncio.run(_cluster(invocation).previews())
    rows = [row(preview, settings.preview) for preview in found]
    if as_json:
        _print_json([attrs.asdict(one) for one in rows])
    else:
        show(rows)


@command.command(short_help="Make, migrate and fill the database of a pull request.")
@click.argument("pr", type=_number, required=False)
@_dry_run
@_json
@pass_invocation
def ensure(invocation: Invocation, pr: int | None, dry_run: bool, as_json: bool) -> None:
    """Make the database of a pull request, migrate it and fill it, as far as that is not done.

    `energia serve` of a preview does the same before it is ready. In a preview the number is the
    preview's own.

    \b
    Examples:
      energia preview ensure
      energia preview ensure 42
    """
    from energia.cli.previews import ensured, number_of

    settings = invocation.settings(allow_embedded=True)
    number = number_of(settings, pr)
    done = asyncio.run(ensured(settings, invocation.plugins(), number, dry_run))
    _say(as_json, done, f"{done['database']}: {done['outcome']}")


@command.command(short_help="Drop the database of a pull request.")
@click.argument("pr", type=_number)
@_dry_run
@_json
@pass_invocation
def drop(invocation: Invocation, pr: int, dry_run: bool, as_json: bool) -> None:
    """Drop the database of a pull request, with its sessions. One that is not there is no error.

    \b
    Examples:
      energia preview drop 42 --dry-run
      energia preview drop 42
    """
    outcome = asyncio.run(_drop(_cluster(invocation), pr, dry_run))
    done = {"pr": pr, "database": f"app_pr_{pr}", "outcome": outcome}
    _say(as_json, done, f"{done['database']}: {outcome}")


@command.command(short_help="Drop the databases that nobody misses.")
@_dry_run
@_json
@pass_invocation
def reap(invocation: Invocation, dry_run: bool, as_json: bool) -> None:
    """Drop what nobody misses: databases of closed pull requests, and of those not seen for long.

    It ends with status 1 if one could not be dropped.

    \b
    Examples:
      energia preview reap --dry-run
      energia preview reap --json
    """
    rehearsed = dry_run or invocation.settings(allow_embedded=True).preview.reap_dry_run
    done = asyncio.run(_cluster(invocation).reap(dry_run=rehearsed, patience=_PATIENCE))
    verb = "would be dropped" if rehearsed else "dropped"
    if as_json:
        _print_json([attrs.asdict(fate) for fate in done.fates])
    for fate in () if as_json else done.fates:
        click.echo(f"app_pr_{fate.pr}: {fate.error or verb} ({fate.reason})")
    if not (as_json or done.fates):
        click.echo("Nothing is due.")
    if any(fate.error for fate in done.fates):
        raise SystemExit(FAILED)


#: Seconds to wait for the service, when it does the same.
_PATIENCE = 60.0


def _cluster(invocation: Invocation) -> "Cluster":
    from energia.db.previews.cluster import Cluster

    return Cluster.administered(invocation.settings(allow_embedded=True))


async def _drop(cluster: "Cluster", pr: int, dry_run: bool) -> str:
    if not dry_run:
        return "dropped" if await cluster.drop(pr) else "there is no such database"
    found: Preview | None = next((one for one in await cluster.previews() if one.pr == pr), None)
    if found is None:
        return "there is no such database"
    return "would be left alone: it is not ours" if found.marker is None else "would be dropped"


def _say(as_json: bool, done: dict[str, Any], line: str) -> None:
    if as_json:
        _print_json(done)
    else:
        click.echo(line)


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, default=str))
