"""Drops the databases of previews that nobody misses: those of closed pull requests, and silent."""

from collections.abc import Iterator
from typing import Final, Literal

import attrs
import psycopg2

from energia.db.previews import registry
from energia.db.previews.dropping import dropped
from energia.db.previews.errors import ReaperBusy
from energia.db.previews.registry import Preview
from energia.db.session import Session
from energia.db.translate import said
from energia.errors import DatabaseAway
from energia.settings import Preview as Rules

#: Why a database goes.
Reason = Literal["closed", "expired"]
REASONS: Final[tuple[Reason, ...]] = ("closed", "expired")


@attrs.frozen
class Fate:
    """What became of one database that was due, or would become of it.

    Attributes:
        pr: The number of its pull request.
        reason: Why it was due.
        error: Why it is still there.

    """

    pr: int
    reason: Reason
    error: str | None = None


@attrs.frozen
class Reaped:
    """One run.

    Attributes:
        previews: All databases that there were.
        fates: Those that were due, up to the limit.
        dry_run: Whether nothing was dropped.

    """

    previews: tuple[Preview, ...]
    fates: tuple[Fate, ...]
    dry_run: bool


def due(preview: Preview, rules: Rules) -> Reason | None:
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


def reap(session: Session, rules: Rules, *, dry_run: bool = False, patience: float = 0) -> Reaped:
    """Drop what is due, at most `reap_limit` databases; one process at a time.

    Args:
        session: A session in another database of the server.
        rules: How long what may stay.
        dry_run: Drop nothing, only say what would be dropped.
        patience: Seconds to wait for another process that does the same.

    Raises:
        ReaperBusy: The other process took longer.

    """
    with session.turn(registry.LOCK, patience, ReaperBusy()):
        previews = tuple(registry.every(session))
        reasons = [(one.pr, reason) for one in previews if (reason := due(one, rules))]
        fates = [Fate(pr, reason) for pr, reason in reasons[: rules.reap_limit]]
        if not dry_run:
            fates = [fate for one in fates for fate in _met(session, one, rules)]
        return Reaped(previews, tuple(fates), dry_run)


def _met(session: Session, fate: Fate, rules: Rules) -> Iterator[Fate]:
    """Drop one database, unless it was taken into use again meanwhile."""
    try:
        with registry.turn(session, fate.pr):
            preview = registry.find(session, fate.pr)
            if preview and due(preview, rules):
                dropped(session, preview)
                yield fate
    except psycopg2.Error as error:
        if session.raw.closed:
            raise
        yield attrs.evolve(fate, error=said(error))
    except DatabaseAway as error:
        yield attrs.evolve(fate, error=error.detail)
