"""Brings a database up to the schema that the code needs. Forward only.

Numbers that the code does not know are accepted and reported: after a roll-back, old code runs on a
newer schema, and a plugin that is switched off leaves its tables.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from itertools import starmap
from pathlib import Path

import attrs
import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

from energia.db import role
from energia.db.address import parsed, place
from energia.db.connection import said
from energia.db.session import Session, in_thread
from energia.db.shards import KNOWN
from energia.errors import MigrationError, NotPermitted

#: `0001_what_it_does.sql`; or as Procrastinate calls its own, by release: `03.04.00_50_name.sql`.
_NAME = re.compile(r"(\d{4}|\d\d\.\d\d\.\d\d_\d\d)_([a-z0-9_]+)\.sql")
#: The first line of a file whose statements run one by one, outside a transaction.
_ALONE = "-- no transaction"
#: The end of a statement; or what may have a semicolon in it: a comment, a text, a name, a body.
_PIECE = re.compile(
    r"""(?P<end>;)|(?P<comment>--[^\n]*|/\*.*?\*/)
    |\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"[^"]*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$""",
    re.DOTALL | re.VERBOSE,
)
#: Stands for the end of a statement: no text of PostgreSQL has it.
_END = "\0"


def _of_procrastinate() -> Path:
    """Return the folder of the engine of jobs, without importing that: it takes 200 ms."""
    spec = find_spec("procrastinate")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("sql") / "migrations"


#: The core's own folders, by their owners: plugins add theirs after them.
CORE_MIGRATIONS: Mapping[str, Traversable] = {
    "core": files("energia.db.migrations"),
    "procrastinate": _of_procrastinate(),
}


@attrs.frozen
class Applied:
    """A file that was applied to a database; the code may not know it.

    Attributes:
        owner: Whose it is.
        number: Its place among the owner's.
        name: What it did.
        checksum: The checksum of its text.

    """

    owner: str
    number: int
    name: str
    checksum: str

    def __str__(self) -> str:
        return f"{self.owner} {self.number:04d}_{self.name}"


@attrs.frozen
class Migration:
    """One file.

    Attributes:
        owner: Whose it is: `core`, or a plugin's name.
        number: Its place among the owner's; never used twice.
        name: What it does.
        sql: Its text.

    """

    owner: str
    number: int
    name: str
    sql: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return f"{self.owner} {self.number:04d}_{self.name}"

    @property
    def checksum(self) -> str:
        """The text's SHA-256: an applied file may not change any more."""
        return sha256(self.sql.encode()).hexdigest()

    @property
    def alone(self) -> bool:
        """Whether the statements run outside a transaction (`create index concurrently`)."""
        return self.sql.partition("\n")[0].strip() == _ALONE

    @property
    def statements(self) -> list[str]:
        """What is sent as one message each.

        Outside a transaction a message holds one statement, and `;` at the end of a line ends it.
        Such a statement must bear to be repeated, `create index concurrently if not exists`: the
        invalid index that an interrupted one leaves is dropped before.
        """
        if not self.alone:
            return [self.sql]
        lines = (line for line in self.sql.splitlines() if not line.lstrip().startswith("--"))
        parts = re.split(r";[ \t]*(?:\n|$)", "\n".join(lines))
        return [part.strip() for part in parts if part.strip()]

    @property
    def each(self) -> list[str]:
        """The statements one by one, without comments.

        Of a message with several, Citus sends the nodes all of it for each. The body of a function
        is one text (`$$`), or an expression: `begin atomic ... end` would be parted.
        """

        def marked(piece: re.Match[str]) -> str:
            return _END if piece["end"] else " " if piece["comment"] else piece[0]

        parts = _PIECE.sub(marked, self.sql).split(_END)
        return [part.strip() for part in parts if part.strip()]


def read(folders: Mapping[str, Traversable]) -> list[Migration]:
    """Return the files of all owners, in the order of the owners and of the numbers.

    Raises:
        MigrationError: A file has no number, or two have the same.

    """
    return [migration for owner, folder in folders.items() for migration in _of(owner, folder)]


def _of(owner: str, folder: Traversable) -> Iterable[Migration]:
    migrations: dict[int, Migration] = {}
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationError(f"{owner} {file.name}: a file is named 0001_what_it_does.sql")
        number, name = int(re.sub(r"\D", "", match[1])), match[2]
        if number in migrations:
            raise MigrationError(
                f"{owner} {file.name}: {migrations[number]} has the number already"
            )
        migrations[number] = Migration(owner, number, name, file.read_text(encoding="utf-8"))
    return [migrations[number] for number in sorted(migrations)]


# Indexes that `create index concurrently` left invalid: kept up to date, and of no use.

#: The names of the invalid indexes of the schema that new tables go to.
INVALID = """select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relnamespace = current_schema()::regnamespace order by 1"""


def named(sql: str, indexes: Iterable[str]) -> list[str]:
    """Return those of *indexes* that the text names: others are somebody else's business."""
    words = set(re.findall(r"\w+", sql))
    return [index for index in indexes if index in words]


def dropping(index: str) -> str:
    """Return the statement that drops an index without keeping anybody waiting."""
    return 'drop index concurrently if exists "{}"'.format(index.replace('"', '""'))


#: The advisory lock of whoever migrates; any number that nobody else uses in this database.
_LOCK = 0x656E6572676961
#: Seconds to wait for another process that migrates.
_TURN_LIMIT = 300.0
#: A waiting `alter table` holds up every later reader of the table: it gives up soon, and returns.
_LOCK_TIMEOUT = "2s"
#: A concurrent statement holds nobody up while it waits for the transactions before it to end.
_CONCURRENT_LOCK_TIMEOUT = "5min"
#: Somebody holds what the file needs, or waits for it.
_BUSY = (errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED)
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


async def migrate(dsn: str, folders: Mapping[str, Traversable] = CORE_MIGRATIONS) -> Migrated:
    """Apply the files that are pending, each at once or not at all, in order.

    Several processes may do so at the same time: each file is applied once.

    Args:
        dsn: A libpq URL.
        folders: The folder of each owner, first the core's (`CORE`).

    Raises:
        MigrationError: A file fails, or an applied one was changed; the message names it.
        DatabaseAway: There is no connection.

    """
    migrated = _permitted(dsn, lambda session: _migrate(session, read(folders)))
    return await in_thread(dsn, migrated, _options())


async def pending(dsn: str, folders: Mapping[str, Traversable] = CORE_MIGRATIONS) -> Migrated:
    """Return what is pending and what is unknown, and change nothing; errors as `migrate`."""
    compared = _permitted(dsn, lambda session: _compared(session, read(folders))[1])
    return await in_thread(dsn, compared, _options())


def _permitted(dsn: str, work: Callable[[Session], Migrated]) -> Callable[[Session], Migrated]:
    """Return *work*; of a role without rights, it says which that is, where, and what it needs."""

    def permitted(session: Session) -> Migrated:
        try:
            return work(session)
        except NotPermitted as error:
            where = place(parsed(dsn))
            raise MigrationError(
                f"{error.detail} ({where}): the role must own the database and its tables"
            ) from error

    return permitted


def _options() -> dict[str, str]:
    return {"statement_timeout": "0", "lock_timeout": _LOCK_TIMEOUT}


def _migrate(session: Session, migrations: list[Migration]) -> Migrated:
    todo, state = _compared(session, migrations)
    if not todo and not _to_prepare(session):
        return state  # the usual start: nobody's turn is needed
    busy = MigrationError(f"another process has been migrating for {_TURN_LIMIT:g} s")
    if not _applied(session):
        _refuse_encoding(session)
    with session.turn(_LOCK, _TURN_LIMIT, busy):
        session.fetch(_TABLE)
        # Once more: another process may have migrated while we waited.
        todo, state = _compared(session, migrations)
        for migration in todo:
            _apply(session, migration)
        if working_as := _to_prepare(session):
            role.prepare(session, working_as)
    return Migrated(applied=state.pending, unknown=state.unknown)


def _refuse_encoding(session: Session) -> None:
    """Refuse a new database that could not store every text, or would store bytes unseen."""
    ((encoding, name),) = session.fetch(
        "select current_setting('server_encoding'), current_database()"
    )
    if encoding != "UTF8":
        raise MigrationError(
            f"the database {name} has the encoding {encoding}, and must have UTF8: make it anew "
            f"(create database {name} encoding 'UTF8' template template0)"
        )


def _to_prepare(session: Session) -> str | None:
    """Return the role that the service works as, if it is still to be made or allowed something."""
    working_as = role.of(session)
    return working_as if working_as and role.lacks(session, working_as) else None


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
    return {(applied.owner, applied.number): applied for applied in starmap(Applied, rows)}


def _apply(session: Session, migration: Migration) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            return _attempt(session, migration)
        except psycopg2.Error as error:
            if session.lost:
                raise
            session.send("rollback")
            if error.pgcode == errorcodes.INSUFFICIENT_PRIVILEGE:
                raise NotPermitted(f"{migration}: {said(error)}") from error
            if error.pgcode not in _BUSY or not tries_left:
                raise MigrationError(f"{migration}: {str(error).strip()}") from error
        session.pause(1.0)


def _attempt(session: Session, migration: Migration) -> None:
    """Run a file and note it, in one transaction unless the file says otherwise."""
    in_cluster = False
    if migration.alone:
        # An earlier try that failed has left them, and the same names are made again.
        for index in _invalid(session, migration):
            _run(session, dropping(index))
    else:
        # A file that changes rows changes those of every organization.
        [(in_cluster,)] = session.send(
            f"begin; set local energia.organization = '*'; select {KNOWN}"
        )
    if in_cluster:
        _run_in_cluster(session, migration)
    else:
        for statement in migration.statements:
            _run(session, statement)
    if migration.alone and (left := _invalid(session, migration)):
        raise MigrationError(f"{migration}: left invalid: {', '.join(left)}")
    if not migration.alone and (session.raw.info.transaction_status != TRANSACTION_STATUS_INTRANS):
        raise MigrationError(f"{migration}: a file may not end its transaction")
    session.send(
        "insert into schema_migration (owner, number, name, checksum) values (%s, %s, %s, %s)",
        *(migration.owner, migration.number, migration.name, migration.checksum),
    )
    if not migration.alone:
        session.send("commit")


def _run_in_cluster(session: Session, migration: Migration) -> None:
    """Run a file where Citus takes to the nodes what it changes, in the transaction that is open.

    By one connection to each node: Citus refuses a function after a table was changed by several.
    """
    session.send(
        f"set local lock_timeout = '{_LOCK_TIMEOUT}';"
        " set local citus.multi_shard_modify_mode = 'sequential'"
    )
    for statement in migration.each:
        session.send(statement)


def _run(session: Session, statement: str) -> None:
    concurrent = re.search(r"\bconcurrently\b", statement, re.IGNORECASE)
    patience = _CONCURRENT_LOCK_TIMEOUT if concurrent else _LOCK_TIMEOUT
    if session.raw.info.transaction_status == TRANSACTION_STATUS_INTRANS:
        session.send(f"set local lock_timeout = '{patience}'")
    elif session.kept:  # else others would get it, from a connection pooler
        session.send(f"set lock_timeout = '{patience}'")
    session.send(statement)


def _invalid(session: Session, migration: Migration) -> list[str]:
    return named(migration.sql, [name for (name,) in session.send(INVALID)])
