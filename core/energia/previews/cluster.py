"""The server that has the databases of previews, from another database of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Self, TypeVar

import attrs
import psycopg2
from psycopg2 import errorcodes
from psycopg2.sql import SQL, Composed, Identifier, Literal

from energia.configuration.database import database_name
from energia.db.address import renamed
from energia.db.connection import said
from energia.db.session import Session, in_thread
from energia.errors import ConfigurationError, DatabaseAway
from energia.previews import databases
from energia.previews.databases import Marker, NotOurs, Preview
from energia.previews.reaping import Reaped, drop, dropped, reap
from energia.settings import Preview as Rules
from energia.settings import Settings

#: Two that make the same database: one of them comes too late, or a moment too late.
EXISTS: Final = (errorcodes.DUPLICATE_DATABASE, errorcodes.UNIQUE_VIOLATION)
#: Seconds to wait for a template that others use; the server itself waits for 5 at each try.
_TEMPLATE_LIMIT: Final = 60.0
_PAUSE: Final = 0.5


@attrs.frozen
class Wanted:
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
class Made:
    """What became of it: the marker that is on the database now, and whether it was made."""

    marker: Marker
    created: bool


def make(session: Session, wanted: Wanted, limit: float = _TEMPLATE_LIMIT) -> Made:
    """Make the database if there is none, and say in its comment that it is in use again.

    A database that was about to be dropped is dropped, and made anew.

    Args:
        session: A session in another database of the server.
        wanted: What to make.
        limit: Seconds to wait for a template that others use.

    Raises:
        ConfigurationError: The role may not, or there is no such template; the message says so.
        NotOurs: There is such a database, and its comment is somebody else's.
        DatabaseAway: The template was in use all the time.

    """
    with _permitted(wanted), databases.turn(session, wanted.pr):
        found = databases.find(session, wanted.pr)
        if found and found.marker and not found.accepting:
            dropped(session, found)
            found = None
        created = found is None and created_now(session, wanted, limit)
        found = databases.find(session, wanted.pr)
        if found is None:
            raise DatabaseAway(f"{database_name(wanted.pr)} was dropped at once")
        return Made(_noted(session, found, wanted), created)


def created_now(session: Session, wanted: Wanted, limit: float = _TEMPLATE_LIMIT) -> bool:
    """Create the database; tells whether it was us. Raises what the driver raises."""
    until = time.monotonic() + limit
    while True:
        try:
            session.fetch(_statement(wanted))
            return True
        except psycopg2.Error as error:
            if error.pgcode in EXISTS:
                return False
            if error.pgcode != errorcodes.OBJECT_IN_USE:
                raise
            if time.monotonic() > until:
                raise DatabaseAway(f"the template is in use: {said(error)}") from error
        session.pause(_PAUSE)


def _statement(wanted: Wanted) -> Composed:
    name, limit = Identifier(database_name(wanted.pr)), Literal(wanted.connections)
    if wanted.template is None:
        return SQL("create database {} connection limit {}").format(name, limit)
    template = Identifier(wanted.template)
    return SQL("create database {} template {} connection limit {}").format(name, template, limit)


def _noted(session: Session, found: Preview, wanted: Wanted) -> Marker:
    """Say in the comment that the database is in use; a new start also reopens it."""
    if found.foreign:
        raise NotOurs(f"{found.database} has a comment that is not ours: it is left alone")
    if found.connections != wanted.connections:
        name, limit = Identifier(found.database), Literal(wanted.connections)
        session.fetch(SQL("alter database {} connection limit {}").format(name, limit))
    before = found.marker or Marker(wanted.pr, found.at, found.at)
    marker = attrs.evolve(before, seen_at=found.at, commit=wanted.commit, closed_at=None)
    databases.note(session, marker)
    return marker


@contextmanager
def _permitted(wanted: Wanted) -> Iterator[None]:
    """Turn what the server refuses for good into an error of the configuration."""
    try:
        yield
    except psycopg2.Error as error:
        name = database_name(wanted.pr)
        if error.pgcode == errorcodes.INSUFFICIENT_PRIVILEGE:
            raise ConfigurationError(
                f"{name}: {said(error)}: its role needs CREATEDB, and to own what it copies"
            ) from error
        if error.pgcode == errorcodes.INVALID_CATALOG_NAME:
            raise ConfigurationError(f"preview.template: {said(error)}") from error
        raise


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

    async def previews(self) -> list[Preview]:
        """Return all databases of previews, by their number."""
        return await self._run(databases.every)

    async def make(self, wanted: Wanted) -> Made:
        """Make a database if there is none; see `energia.db.previews.making.make`."""
        return await self._run(lambda session: make(session, wanted))

    async def seen(self, pr: int) -> bool:
        """Say that a preview runs; tells whether it has a database."""
        return await self._change(pr, lambda at, was: attrs.evolve(was, seen_at=at))

    async def sown(self, pr: int, seed: str) -> bool:
        """Say what a database was filled with; tells whether it is there."""
        return await self._change(pr, lambda _, was: attrs.evolve(was, seed=seed))

    async def close(self, pr: int, told_at: datetime | None = None) -> bool:
        """Say that a pull request is closed; tells whether it has a database.

        *told_at* is when that happened, by the clock of who tells it: what happened before the
        last thing that was told changes nothing, in whatever order it comes.
        """
        return await self._change(pr, lambda at, was: _told(was, at, told_at))

    async def reopen(self, pr: int, told_at: datetime | None = None) -> bool:
        """Say that a pull request is open again; as `close`."""
        return await self._change(pr, lambda _, was: _told(was, None, told_at))

    async def drop(self, pr: int) -> bool:
        """Drop a database; see `energia.db.previews.dropping.drop`."""
        return await self._run(lambda session: drop(session, pr))

    async def reap(self, *, dry_run: bool = False, patience: float = 0) -> Reaped:
        """Drop what is due; see `energia.db.previews.reaping.reap`."""
        return await self._run(
            lambda session: reap(session, self._rules, dry_run=dry_run, patience=patience)
        )

    async def _change(self, pr: int, changed: Callable[[datetime, Marker], Marker]) -> bool:
        """Change a marker by the present instant and what it was."""
        return await self._run(
            lambda session: databases.change(session, pr, lambda one, was: changed(one.at, was))
        )

    async def _run(self, work: Callable[[Session], T]) -> T:
        return await in_thread(self._dsn, work, _OPTIONS)


def _told(was: Marker, closed_at: datetime | None, told_at: datetime | None) -> Marker:
    if told_at and was.told_at and told_at < was.told_at:
        return was
    if closed_at and was.closed_at:
        closed_at = was.closed_at
    return attrs.evolve(was, closed_at=closed_at, told_at=told_at or was.told_at)
