"""`energia preview`: the databases of pull requests."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import click
from rich.table import Table

from energia.cli.invocation import FAILED, Invocation, pass_invocation
from energia.cli.tables import console
from energia.configuration.database import database_name
from energia.core import Core
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.errors import ConfigurationError
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.previews.cluster import Cluster
from energia.previews.databases import PreviewDatabase
from energia.previews.own import OwnDatabase
from energia.settings import Preview as Rules
from energia.settings import Settings
from energia.time import SystemClock, rfc3339

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
    settings = invocation.settings(allow_embedded=True)
    previews = asyncio.run(_cluster(invocation).previews())
    rows = [row(preview, settings.preview) for preview in previews]
    if as_json:
        _print_json([attrs.asdict(entry) for entry in rows])
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
        raise click.exceptions.Exit(FAILED)


#: Seconds to wait for the service, when it does the same.
_PATIENCE = 60.0


def _cluster(invocation: Invocation) -> Cluster:
    return Cluster.administered(invocation.settings(allow_embedded=True))


async def _drop(cluster: Cluster, pr: int, dry_run: bool) -> str:
    if not dry_run:
        return "dropped" if await cluster.drop(pr) else "there is no such database"
    previews = await cluster.previews()
    preview: PreviewDatabase | None = next(
        (preview for preview in previews if preview.pr == pr), None
    )
    if preview is None:
        return "there is no such database"
    return "would be left alone: it is not ours" if preview.marker is None else "would be dropped"


def _say(as_json: bool, done: dict[str, Any], line: str) -> None:
    if as_json:
        _print_json(done)
    else:
        click.echo(line)


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, default=str))


# What `energia preview` does and shows.

_MEBIBYTE = 1024 * 1024


@attrs.frozen
class Row:
    """One database, as it is shown.

    Attributes:
        pr: The number of the pull request.
        state: `open`, `closed`, `expired` or `foreign`.
        commit: What its preview shows.
        seed: What it was filled with.
        created_at: When it was made.
        seen_at: When its preview last said that it runs.
        sessions: How many connections there are.
        size: Bytes.

    """

    pr: int
    state: str
    commit: str | None
    seed: str | None
    created_at: str | None
    seen_at: str | None
    sessions: int
    size: int | None


def row(preview: PreviewDatabase, rules: Rules) -> Row:
    """Return how *preview* is shown."""
    marker = preview.marker
    return Row(
        preview.pr,
        preview.standing(rules.ttl),
        (marker.commit or None) if marker else None,
        marker.seed if marker else None,
        _instant(marker.created_at) if marker else None,
        _instant(marker.seen_at) if marker else None,
        preview.sessions,
        preview.size,
    )


def show(rows: Sequence[Row]) -> None:
    """Print a table."""
    table = Table()
    for name in ("PR", "state", "commit", "seed", "created", "seen"):
        table.add_column(name, overflow="fold")
    for name in ("sessions", "MiB"):
        table.add_column(name, justify="right")
    for entry in rows:
        size = "" if entry.size is None else f"{entry.size / _MEBIBYTE:.0f}"
        commit = (entry.commit or "")[:12]
        texts = (str(entry.pr), entry.state, commit, entry.seed, entry.created_at, entry.seen_at)
        table.add_row(*(text or "" for text in texts), str(entry.sessions), size)
    console().print(table)


def number_of(settings: Settings, given: int | None) -> int:
    """Return the pull request that a command is about.

    Raises:
        ConfigurationError: None is named, or a preview is asked for the database of another one.

    """
    own = settings.pull_request
    if own is not None and given not in (None, own):
        raise ConfigurationError(f"this is the preview of pull request {own}, not {given}")
    number = own if given is None else given
    if number is None:
        raise ConfigurationError("this is no preview: name the pull request")
    return number


async def ensured(
    settings: Settings, plugins: Plugins, pr: int, dry_run: bool
) -> dict[str, object]:
    """Make, migrate and fill a database, and return what was done."""
    settings = _of_preview(settings, pr)
    name = database_name(pr)
    if dry_run:
        previews = await Cluster(settings.database.url, settings.preview).previews()
        there = any(preview.pr == pr for preview in previews)
        return {"pr": pr, "database": name, "outcome": "is there" if there else "would be made"}
    pool = Pool(settings.database.url, settings.database)
    own = OwnDatabase(Core(settings, SystemClock(), pool, State(Phase.MIGRATING), plugins))
    try:
        created = await own.ensure()
        done = await migrate(settings.database.url, {**CORE_MIGRATIONS, **plugins.migrations()})
        await own.sow()
    finally:
        await pool.close()
    outcome = "made" if created else "is there"
    return {"pr": pr, "database": name, "outcome": outcome, "applied": list(done.applied)}


def _of_preview(settings: Settings, pr: int) -> Settings:
    """Return the settings of a preview; outside of one, as its administrator makes it."""
    if settings.profile == "preview":
        return settings
    Cluster.administered(settings)  # refuses where there is none
    from energia.db.address import renamed

    url = renamed(settings.preview.admin_url, database_name(pr))
    database = attrs.evolve(settings.database, url=url)
    return attrs.evolve(settings, profile="preview", pull_request=pr, database=database)


def _instant(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0))
