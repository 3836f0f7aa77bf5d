"""Which databases of previews a server has, and what the comment on each says of it."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, Literal, Self

import attrs

from energia.configuration.database import PREFIX, database_name
from energia.db.session import Name, Session
from energia.errors import DatabaseAway, EnergiaError

_MARK: Final = "energia_preview"
_VERSION: Final = 1


@attrs.frozen
class Marker:
    """What the comment says. Instants are in UTC, of the server's clock.

    Attributes:
        pr: The number of the pull request.
        created_at: When the database was made.
        seen_at: When its preview last said that it runs.
        commit: The commit that the preview shows.
        seed: What the database was filled with.
        closed_at: When the closing of the pull request was reported; None while it is open.
        told_at: When the last thing that was reported happened, by the clock of who reported it.

    """

    pr: int
    created_at: datetime
    seen_at: datetime
    commit: str = ""
    seed: str | None = None
    closed_at: datetime | None = None
    told_at: datetime | None = None

    @classmethod
    def read(cls, comment: str | None) -> Self | None:
        """Return what *comment* says; None if it is not ours, or not to be understood."""
        try:
            data = json.loads(comment or "")
            if data[_MARK] != _VERSION or type(data["pr"]) is not int:
                return None
            return cls(
                data["pr"],
                _instant(data["created_at"]),
                _instant(data["seen_at"]),
                str(data.get("commit") or ""),
                data.get("seed"),
                _instant(data["closed_at"]) if data.get("closed_at") else None,
                _instant(data["told_at"]) if data.get("told_at") else None,
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def comment(self) -> str:
        """Return it as the comment."""
        return json.dumps({_MARK: _VERSION, **attrs.asdict(self)}, default=datetime.isoformat)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Which databases of previews there are, and what their comments say.

#: `foreign` has no comment of ours, and is never touched; `expired` was not seen for too long.
Standing = Literal["open", "closed", "expired", "foreign"]

#: The databases that are called as those of previews are, or one of them; all by their number.
_PREVIEWS: Final = """
select d.datname, shobj_description(d.oid, 'pg_database'), d.datallowconn, d.datconnlimit,
  case when has_database_privilege(d.oid, 'connect') then pg_database_size(d.oid) end,
  (select count(*) from pg_stat_activity a where a.datid = d.oid and a.usesysid is not null),
  clock_timestamp()
from pg_database d
where d.datname ~ '^app_pr_[1-9][0-9]{0,9}$' and (%s::text is null or d.datname = %s)
order by length(d.datname), d.datname
"""
#: The advisory lock of the reaper; that of a pull request is its number more.
LOCK: Final = 0x6170705F707200
#: Seconds to wait for another process that makes or drops the same database.
_TURN_LIMIT: Final = 120.0


@attrs.frozen
class PreviewDatabase:
    """The database of one pull request, in the order of the columns of the query.

    Attributes:
        database: Its name.
        comment: Its comment, whosever it is.
        accepting: Whether it takes connections: one that does not was about to be dropped.
        connections: How many connections it takes; -1 for any number.
        size: Bytes; None where the role may not know.
        sessions: How many connections there are.
        at: When all this was so.

    """

    database: str
    comment: str | None
    accepting: bool
    connections: int
    size: int | None
    sessions: int
    at: datetime

    @property
    def pr(self) -> int:
        """The number of the pull request, as the name of the database has it."""
        return int(self.database.removeprefix(PREFIX))

    @property
    def marker(self) -> Marker | None:
        """What the comment says; None for a database that is not ours, or was renamed."""
        marker = Marker.read(self.comment)
        return marker if marker and marker.pr == self.pr else None

    @property
    def foreign(self) -> bool:
        """Whether it has a comment, and one that is not ours."""
        return self.comment is not None and self.marker is None

    def standing(self, ttl: float) -> Standing:
        """Say how it stands, for previews that may be silent for *ttl* seconds."""
        if self.marker is None:
            return "foreign"
        if self.marker.closed_at:
            return "closed"
        silent = (self.at - self.marker.seen_at).total_seconds()
        return "expired" if silent > ttl else "open"


def every(session: Session) -> list[PreviewDatabase]:
    """Return all of them, by their number."""
    rows = session.fetch(_PREVIEWS, None, None)
    return [PreviewDatabase(*row) for row in rows]


def find(session: Session, pr: int) -> PreviewDatabase | None:
    """Return that of one pull request, if there is one."""
    rows = session.fetch(_PREVIEWS, *(2 * [database_name(pr)]))
    return next((PreviewDatabase(*row) for row in rows), None)


def turn(session: Session, pr: int) -> AbstractContextManager[None]:
    """Hold the lock of one pull request; raises `DatabaseAway` if others hold it for too long."""
    busy = DatabaseAway(f"others work on {database_name(pr)} for more than {_TURN_LIMIT:g} s")
    return session.turn(LOCK + pr, _TURN_LIMIT, busy)


def note(session: Session, marker: Marker) -> None:
    """Put *marker* on its database."""
    name = Name(database_name(marker.pr))
    session.command("comment on database {} is {}", name, marker.comment())


def update(session: Session, pr: int, change: Callable[[PreviewDatabase, Marker], Marker]) -> bool:
    """Put another marker on a database that is ours; return whether there is one.

    *change* gets the database and its marker.
    """
    with turn(session, pr):
        preview = find(session, pr)
        if preview is None or preview.marker is None or not preview.accepting:
            return False
        note(session, change(preview, preview.marker))
        return True


# What keeps the databases of previews apart.


class NotOurs(EnergiaError):
    """The database has no comment of ours, and is left alone."""

    code = "not_a_preview"


class ReaperBusy(EnergiaError):
    """Another process is dropping databases of previews."""

    code = "reaper_busy"
