"""Drops databases of previews: one by its number, or all that nobody misses any more.

Nobody misses the database of a closed pull request, nor one whose preview has been silent.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final, Literal

import attrs

from energia.db.session import Name, Session
from energia.errors import DatabaseAway, DatabaseError, DatabaseInUse, NotPermitted
from energia.previews import databases
from energia.previews.databases import NotOurs, PreviewDatabase, ReaperBusy
from energia.settings import Preview as Rules


def drop(session: Session, pr: int) -> bool:
    """Drop the database of a pull request; return whether there was one.

    Its name is made from the number, and its comment must say that it is that pull request's.

    Args:
        session: A session in another database of the server.
        pr: The number of the pull request.

    Raises:
        ValueError: There is no such number.
        NotOurs: The database has no comment of ours.

    """
    with databases.turn(session, pr):
        preview = databases.find(session, pr)
        if preview is not None:
            drop_database(session, preview)
        return preview is not None


def drop_database(session: Session, preview: PreviewDatabase) -> None:
    """Drop a database whose lock we hold: first nobody comes in, then all are put out."""
    if preview.marker is None:
        raise NotOurs(f"{preview.database} has no comment of ours: it is left alone")
    name, by_force = Name(preview.database), "drop database if exists {} with (force)"
    session.command("alter database {} allow_connections false", name)
    try:
        session.command(by_force, name)
    except NotPermitted:
        # An autovacuum worker may be in it, whom only a superuser may put out by force. Without
        # force PostgreSQL itself sends workers away; what has sessions is then tried once more.
        with suppress(DatabaseInUse):
            session.command("drop database if exists {}", name)
            return
        session.command(by_force, name)


#: Why a database goes.
Reason = Literal["closed", "expired"]
REASONS: Final[tuple[Reason, ...]] = ("closed", "expired")


@attrs.frozen
class Fate:
    """The outcome for one database that was due, or what the outcome would be.

    Attributes:
        pr: The number of its pull request.
        reason: Why it was due.
        error: Why it is still there.

    """

    pr: int
    reason: Reason
    error: str | None = None


@attrs.frozen
class ReaperRun:
    """What one run of the reaper found and did.

    Attributes:
        previews: All databases that there were.
        fates: Those that were due, up to the limit.
        dry_run: Whether nothing was dropped.

    """

    previews: tuple[PreviewDatabase, ...]
    fates: tuple[Fate, ...]
    dry_run: bool


def due(preview: PreviewDatabase, rules: Rules) -> Reason | None:
    """Say why a database is to be dropped; None if it is not.

    A closed one waits for its sessions to end, but not for ever. A silent one with sessions is not
    silent: its preview works, and cannot say so.
    """
    standing = preview.standing(rules.ttl)
    if preview.marker is None:
        return None
    if not preview.accepting:
        return "closed"  # somebody began to drop it
    if standing == "closed" and preview.marker.closed_at:
        waited = (preview.at - preview.marker.closed_at).total_seconds()
        return "closed" if not preview.sessions or waited > rules.closed_grace else None
    return "expired" if standing == "expired" and not preview.sessions else None


def reap(
    session: Session, rules: Rules, *, dry_run: bool = False, patience: float = 0
) -> ReaperRun:
    """Drop what is due, at most `reap_limit` databases; one process at a time.

    Args:
        session: A session in another database of the server.
        rules: How long what may stay.
        dry_run: Drop nothing, only say what would be dropped.
        patience: Seconds to wait for another process that does the same.

    Raises:
        ReaperBusy: The other process took longer.

    """
    # First the reaper's lock, then that of each pull request: others take only the latter.
    with session.turn(databases.LOCK, patience, ReaperBusy()):
        previews = tuple(databases.every(session))
        reasons = [(preview.pr, reason) for preview in previews if (reason := due(preview, rules))]
        fates = [Fate(pr, reason) for pr, reason in reasons[: rules.reap_limit]]
        if not dry_run:
            fates = [fate for planned in fates for fate in _outcome(session, planned, rules)]
        return ReaperRun(previews, tuple(fates), dry_run)


def _outcome(session: Session, fate: Fate, rules: Rules) -> Iterator[Fate]:
    """Drop one database, unless it was taken into use again meanwhile."""
    try:
        with databases.turn(session, fate.pr):
            preview = databases.find(session, fate.pr)
            if preview and due(preview, rules):
                drop_database(session, preview)
                yield fate
    except (DatabaseError, DatabaseAway) as error:
        if session.lost:
            raise
        yield attrs.evolve(fate, error=error.detail)
