"""Makes the database of a pull request, once, whoever else is making it at the same time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import psycopg2
from psycopg2 import errorcodes
from psycopg2.sql import SQL, Composed, Identifier, Literal

from energia.configuration.pull_request import database_name
from energia.db.previews import registry
from energia.db.previews.dropping import dropped
from energia.db.previews.errors import NotOurs
from energia.db.previews.marker import Marker
from energia.db.previews.registry import Preview
from energia.db.session import Session
from energia.db.translate import said
from energia.errors import ConfigurationError, DatabaseAway

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
    with _permitted(wanted), registry.turn(session, wanted.pr):
        found = registry.find(session, wanted.pr)
        if found and found.marker and not found.accepting:
            dropped(session, found)
            found = None
        created = found is None and created_now(session, wanted, limit)
        found = registry.find(session, wanted.pr)
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
    registry.note(session, marker)
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
