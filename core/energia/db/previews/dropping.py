"""Drops the database of a pull request: the one place of the code that drops a database."""

from contextlib import suppress

from psycopg2.errors import InsufficientPrivilege, ObjectInUse
from psycopg2.sql import SQL, Identifier

from energia.db.previews import registry
from energia.db.previews.errors import NotOurs
from energia.db.previews.registry import Preview
from energia.db.session import Session


def drop(session: Session, pr: int) -> bool:
    """Drop the database of a pull request; tells whether there was one.

    Its name is made from the number, and its comment must say that it is that pull request's.

    Args:
        session: A session in another database of the server.
        pr: The number of the pull request.

    Raises:
        ValueError: There is no such number.
        NotOurs: The database has no comment of ours.

    """
    with registry.turn(session, pr):
        found = registry.find(session, pr)
        if found is not None:
            dropped(session, found)
        return found is not None


def dropped(session: Session, preview: Preview) -> None:
    """Drop a database whose lock we hold: first nobody comes in, then all are put out."""
    if preview.marker is None:
        raise NotOurs(f"{preview.database} has no comment of ours: it is left alone")
    name = Identifier(preview.database)
    session.fetch(SQL("alter database {} allow_connections false").format(name))
    forced = SQL("drop database if exists {} with (force)").format(name)
    try:
        session.fetch(forced)
    except InsufficientPrivilege:
        # An autovacuum worker may be in it, whom only a superuser may put out by force. Without
        # force PostgreSQL itself sends workers away; what has sessions is then tried once more.
        with suppress(ObjectInUse):
            session.fetch(SQL("drop database if exists {}").format(name))
            return
        session.fetch(forced)
