"""Brings a database up to the schema that the code needs. Forward only.

Numbers that the code does not know are accepted and reported: after a roll-back, old code runs on a
newer schema, and a plugin that is switched off leaves its tables.
"""

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from itertools import starmap

import attrs
import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

from energia.db.indexes import INVALID, dropping, named
from energia.db.schema import CORE, Applied, Migration, read
from energia.db.session import Session, in_thread
from energia.errors import MigrationError

#: The advisory lock of whoever migrates; any number that nobody else uses in this database.
_LOCK = 0x656E6572676961
#: Seconds to wait for another process that migrates.
_TURN_LIMIT = 300.0
#: A waiting `alter table` holds up every later reader of the table: it gives up soon, and returns.
_LOCK_TIMEOUT = "2s"
#: A concurrent statement holds nobody up while it waits for the transactions before it to end.
_CONCURRENT_LOCK_TIMEOUT = "5min"
_TRIES = 10
_TABLE = """create table if not exists schema_migration (
  owner text not null,
  number int not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp(),
  primary key (owner, number)
)"""


@attrs.frozen
class Migrated:
    """How a database stands to the files.

    Attributes:
        applied: The files that this call applied, as `core 0001_core`.
        pending: The files that are still to be applied.
        unknown: What was applied to the database and the code does not know.

    """

    applied: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


async def migrate(dsn: str, folders: Mapping[str, Traversable] = CORE) -> Migrated:
    """Apply the files that are pending, each at once or not at all, in order.

    Several processes may do so at the same time: each file is applied once.

    Args:
        dsn: A libpq URL.
        folders: The folder of each owner, first the core's (`CORE`).

    Raises:
        MigrationError: A file fails, or an applied one was changed; the message names it.
        DatabaseAway: There is no connection.

    """
    return await in_thread(dsn, lambda session: _migrate(session, read(folders)), _options())


async def pending(dsn: str, folders: Mapping[str, Traversable] = CORE) -> Migrated:
    """Return what is pending and what is unknown, and change nothing; errors as `migrate`."""
    return await in_thread(dsn, lambda session: _compared(session, read(folders))[1], _options())


def _options() -> dict[str, str]:
    return {"statement_timeout": "0", "lock_timeout": _LOCK_TIMEOUT}


def _migrate(session: Session, migrations: list[Migration]) -> Migrated:
    todo, state = _compared(session, migrations)
    if not todo:
        return state  # the usual start: nobody's turn is needed
    busy = MigrationError(f"another process has been migrating for {_TURN_LIMIT:g} s")
    with session.turn(_LOCK, _TURN_LIMIT, busy):
        session.fetch(_TABLE)
        todo, state = _compared(session, migrations)
        for migration in todo:
            _apply(session, migration)
    return Migrated(applied=state.pending, unknown=state.unknown)


def _compared(session: Session, migrations: list[Migration]) -> tuple[list[Migration], Migrated]:
    """Return the files to apply, and how the database stands to them."""
    applied = _applied(session)
    known = {(migration.owner, migration.number): migration for migration in migrations}
    for key in applied.keys() & known.keys():
        if applied[key].checksum != known[key].checksum:
            raise MigrationError(
                f"{known[key]}: the file was changed after it was applied: restore it as it was "
                "(an applied file never changes), and put the change into a new file"
            )
    todo = [migration for key, migration in known.items() if key not in applied]
    unknown = sorted(str(applied[key]) for key in applied.keys() - known.keys())
    return todo, Migrated(pending=tuple(map(str, todo)), unknown=tuple(unknown))


def _applied(session: Session) -> dict[tuple[str, int], Applied]:
    if session.fetch("select to_regclass('schema_migration')") == [(None,)]:
        return {}
    rows = session.fetch("select owner, number, name, checksum from schema_migration")
    return {(one.owner, one.number): one for one in starmap(Applied, rows)}


def _apply(session: Session, migration: Migration) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            return _attempt(session, migration)
        except psycopg2.Error as error:
            if session.raw.closed:
                raise
            session.fetch("rollback")
            if error.pgcode != errorcodes.LOCK_NOT_AVAILABLE or not tries_left:
                raise MigrationError(f"{migration}: {str(error).strip()}") from error
        session.pause(1.0)


def _attempt(session: Session, migration: Migration) -> None:
    """Run a file and note it, in one transaction unless the file says otherwise."""
    if migration.alone:
        for index in _invalid(session, migration):
            _run(session, dropping(index))
    else:
        session.fetch("begin")
    for statement in migration.statements:
        _run(session, statement)
    if migration.alone and (left := _invalid(session, migration)):
        raise MigrationError(f"{migration}: left invalid: {', '.join(left)}")
    if not migration.alone and (session.raw.info.transaction_status != TRANSACTION_STATUS_INTRANS):
        raise MigrationError(f"{migration}: a file may not end its transaction")
    session.fetch(
        "insert into schema_migration (owner, number, name, checksum) values (%s, %s, %s, %s)",
        *(migration.owner, migration.number, migration.name, migration.checksum),
    )
    if not migration.alone:
        session.fetch("commit")


def _run(session: Session, statement: str) -> None:
    concurrent = re.search(r"\bconcurrently\b", statement, re.IGNORECASE)
    patience = _CONCURRENT_LOCK_TIMEOUT if concurrent else _LOCK_TIMEOUT
    session.fetch(f"set lock_timeout = '{patience}'")
    session.fetch(statement)


def _invalid(session: Session, migration: Migration) -> list[str]:
    return named(migration.sql, [name for (name,) in session.fetch(INVALID)])
