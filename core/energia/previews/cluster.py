"""The server that has the databases of previews, from another database of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Self, TypeVar

import attrs

from energia.configuration.database import database_name
from energia.db.address import renamed
from energia.db.session import Name, Session, in_thread
from energia.errors import (
    ConfigurationError,
    DatabaseAway,
    DatabaseExists,
    DatabaseInUse,
    NoSuchDatabase,
    NotPermitted,
    UniqueViolation,
)
from energia.previews import databases
from energia.previews.databases import Marker, NotOurs, PreviewDatabase
from energia.previews.removal import ReaperRun, drop, drop_database, reap
from energia.settings import Preview as Rules
from energia.settings import Settings

#: Seconds to wait for a template that others use; the server itself waits for 5 at each try.
_TEMPLATE_LIMIT: Final = 60.0
_PAUSE: Final = 0.5


@attrs.frozen
class PreviewPlan:
    """The database that a pull request is to have.

    Attributes:
        pr: Its number.
        template: The database to copy; None for the server's default.
        connections: How many connections it takes.
        commit: The commit that the preview shows.

    """

    pr: int
    template: str | None = None
    connections: int = -1
    commit: str = ""


@attrs.frozen
class Creation:
    """The outcome of making a database.

    Attributes:
        marker: The marker that is on the database now.
        created: Whether it was made just now; False for one that was there.

    """

    marker: Marker
    created: bool


def make(session: Session, plan: PreviewPlan, limit: float = _TEMPLATE_LIMIT) -> Creation:
    """Make the database if there is none, and say in its comment that it is in use again.

    A database that was about to be dropped is dropped, and made anew.

    Args:
        session: A session in another database of the server.
        plan: What to make.
        limit: Seconds to wait for a template that others use.

    Raises:
        ConfigurationError: The role may not, or there is no such template; the message says so.
        NotOurs: There is such a database, and its comment is somebody else's.
        DatabaseAway: The template was in use all the time.

    """
    with _refusals(plan), databases.turn(session, plan.pr):
        preview = databases.find(session, plan.pr)
        if preview and preview.marker and not preview.accepting:
            drop_database(session, preview)
            preview = None
        created = preview is None and create(session, plan, limit)
        preview = databases.find(session, plan.pr)
        if preview is None:
            raise DatabaseAway(f"{database_name(plan.pr)} was dropped at once")
        return Creation(_mark_in_use(session, preview, plan), created)


def create(session: Session, plan: PreviewPlan, limit: float = _TEMPLATE_LIMIT) -> bool:
    """Create the database, and return whether we did. Raises `DatabaseError`."""
    until = time.monotonic() + limit
    while True:
        try:
            _create_once(session, plan)
            return True
        except (DatabaseExists, UniqueViolation):
            return False  # two that make it: one comes too late, or a moment too late
        except DatabaseInUse as error:
            if time.monotonic() > until:
                raise DatabaseAway(f"the template is in use: {error.detail}") from error
        session.pause(_PAUSE)


def _create_once(session: Session, plan: PreviewPlan) -> None:
    name = Name(database_name(plan.pr))
    if plan.template is None:
        session.command("create database {} connection limit {}", name, plan.connections)
    else:
        copy = "create database {} template {} connection limit {}"
        session.command(copy, name, Name(plan.template), plan.connections)


def _mark_in_use(session: Session, preview: PreviewDatabase, plan: PreviewPlan) -> Marker:
    """Say in the comment that the database is in use; a new start also reopens it."""
    if preview.foreign:
        raise NotOurs(f"{preview.database} has a comment that is not ours: it is left alone")
    if preview.connections != plan.connections:
        limit = "alter database {} connection limit {}"
        session.command(limit, Name(preview.database), plan.connections)
    before = preview.marker or Marker(plan.pr, preview.at, preview.at)
    marker = attrs.evolve(before, seen_at=preview.at, commit=plan.commit, closed_at=None)
    databases.note(session, marker)
    return marker


@contextmanager
def _refusals(plan: PreviewPlan) -> Iterator[None]:
    """Turn what the server refuses for good into an error of the configuration."""
    try:
        yield
    except NotPermitted as error:
        raise ConfigurationError(
            f"{database_name(plan.pr)}: {error.detail}: its role needs CREATEDB, and to own what "
            "it copies"
        ) from error
    except NoSuchDatabase as error:
        raise ConfigurationError(f"preview.template: {error.detail}") from error


T = TypeVar("T")

#: A copy takes as long as it takes; a lock that nobody gives is given up.
_OPTIONS: Final = {"statement_timeout": "0", "lock_timeout": "60s"}


class Cluster:
    """The databases of previews on one server. Each call is a connection of its own.

    All raise `DatabaseAway` where there is no server, and `DatabaseError` for what it refuses.
    """

    def __init__(self, url: str, rules: Rules) -> None:
        """Name the server by the URL of a role; the database in it is not used."""
        self._dsn = renamed(url, rules.maintenance_database)
        self._rules = rules

    @classmethod
    def administered(cls, settings: Settings) -> Self:
        """Return the server that `preview.admin_url` names.

        Raises:
            ConfigurationError: It names none; a preview never has one.

        """
        if not settings.preview.admin_url or settings.profile == "preview":
            raise ConfigurationError("preview.admin_url is not set, or this is a preview")
        return cls(settings.preview.admin_url, settings.preview)

    async def previews(self) -> list[PreviewDatabase]:
        """Return all databases of previews, by their number."""
        return await self._run(databases.every)

    async def make(self, plan: PreviewPlan) -> Creation:
        """Make a database if there is none; see `make`."""
        return await self._run(lambda session: make(session, plan))

    async def renew(self, pr: int) -> bool:
        """Renew the lease of a preview that runs; return whether it has a database."""
        return await self._update(pr, lambda now, was: attrs.evolve(was, seen_at=now))

    async def note_seed(self, pr: int, seed: str) -> bool:
        """Note what a database was filled with; return whether it is there."""
        return await self._update(pr, lambda _, was: attrs.evolve(was, seed=seed))

    async def close(self, pr: int, told_at: datetime | None = None) -> bool:
        """Note that a pull request is closed; return whether it has a database.

        *told_at* is when that happened, by the clock of whoever reports it. Reports may come in any
        order: one that is older than the last changes nothing.
        """
        return await self._update(pr, lambda now, was: _as_told(was, now, told_at))

    async def reopen(self, pr: int, told_at: datetime | None = None) -> bool:
        """Note that a pull request is open again; as `close`."""
        return await self._update(pr, lambda _, was: _as_told(was, None, told_at))

    async def drop(self, pr: int) -> bool:
        """Drop a database; see `energia.previews.removal.drop`."""
        return await self._run(lambda session: drop(session, pr))

    async def reap(self, *, dry_run: bool = False, patience: float = 0) -> ReaperRun:
        """Drop what is due; see `energia.previews.removal.reap`."""
        return await self._run(
            lambda session: reap(session, self._rules, dry_run=dry_run, patience=patience)
        )

    async def _update(self, pr: int, change: Callable[[datetime, Marker], Marker]) -> bool:
        """Change a marker by the present instant and what it was."""
        return await self._run(
            lambda session: databases.update(
                session, pr, lambda preview, was: change(preview.at, was)
            )
        )

    async def _run(self, work: Callable[[Session], T]) -> T:
        return await in_thread(self._dsn, work, _OPTIONS)


def _as_told(was: Marker, closed_at: datetime | None, told_at: datetime | None) -> Marker:
    if told_at and was.told_at and told_at < was.told_at:
        return was
    if closed_at and was.closed_at:
        closed_at = was.closed_at
    return attrs.evolve(was, closed_at=closed_at, told_at=told_at or was.told_at)
