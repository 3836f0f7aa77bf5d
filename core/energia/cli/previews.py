"""What `energia preview` does and shows."""

from collections.abc import Sequence
from datetime import datetime

import attrs
from rich.table import Table

from energia.cli.tables import console
from energia.clock import SystemClock
from energia.configuration.pull_request import database_name
from energia.core import Core
from energia.db.migrate import migrate
from energia.db.pool import Pool
from energia.db.previews.cluster import Cluster
from energia.db.previews.own import OwnDatabase
from energia.db.previews.registry import Preview
from energia.db.schema import CORE
from energia.errors import ConfigurationError
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.settings import Preview as Rules
from energia.settings import Settings

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


def row(preview: Preview, rules: Rules) -> Row:
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
    for one in rows:
        size = "" if one.size is None else f"{one.size / _MEBIBYTE:.0f}"
        commit = (one.commit or "")[:12]
        texts = (str(one.pr), one.state, commit, one.seed, one.created_at, one.seen_at)
        table.add_row(*(text or "" for text in texts), str(one.sessions), size)
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
    """Make, migrate and fill a database; tells what was done."""
    settings = _of_preview(settings, pr)
    name = database_name(pr)
    if dry_run:
        found = await Cluster(settings.database.url, settings.preview).previews()
        there = any(one.pr == pr for one in found)
        return {"pr": pr, "database": name, "outcome": "is there" if there else "would be made"}
    pool = Pool(settings.database.url, settings.database)
    own = OwnDatabase(Core(settings, SystemClock(), pool, State(Phase.MIGRATING), plugins))
    try:
        created = await own.ensure()
        done = await migrate(settings.database.url, {**CORE, **plugins.migrations()})
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


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
