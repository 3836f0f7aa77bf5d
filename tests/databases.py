"""Databases for tests, each one test's own as long as the test lasts.

They are clones of a template, made ahead by one thread while tests run. What a test gives back is
emptied and given to a later one, if nothing but rows and sequences is left of the test: a clone
takes longer than most tests, and a server knows a database better that it has seen before. A
database whose tables, functions, privileges or settings changed, or which grew big, is dropped.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import attrs
import psycopg2
from psycopg2.sql import SQL, Composable, Identifier, Literal

from energia.db.embedded import ADMIN, ROLE, Embedded

#: What a server of tests need not do: databases that last as long as a test survive no power cut.
#: Killing the server loses nothing.
_VOLATILE = ("fsync = off", "full_page_writes = off")
#: A database that is bigger than its template by so many bytes is not worth emptying.
_BIG = 16 * 1024**2


def administer(server: Embedded, *statements: str) -> None:
    """Run statements on *server* as its administrator, each in a transaction of its own."""
    with closing(psycopg2.connect(server.dsn(ADMIN, ADMIN))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def make_volatile(server: Embedded) -> None:
    """Let *server* leave it to the kernel when files reach the disk; cloning is far faster then."""
    administer(server, *(f"alter system set {setting}" for setting in _VOLATILE))
    administer(server, "select pg_reload_conf()")


class Databases:
    """Databases as one template of a server is."""

    def __init__(self, server: Embedded, template: str, *, ahead: int) -> None:
        """Clone *template*, to which nobody may be connected; *ahead* databases wait for tests."""
        self._server = server
        self._template = template
        self._ahead = ahead
        self._numbers = count(1)
        self._ready: deque[Future[str]] = deque()
        self._returns: list[Future[str | None]] = []
        self._original: Contents | None = None
        # One thread: clones of a template are made one after the other anyway.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="databases")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of a database as the template is, which an ordinary role owns."""
        name = self._take()
        try:
            yield self._server.dsn(database=name)
        finally:
            self._returns.append(self._thread.submit(self._take_back, name))

    def settle(self) -> None:
        """Wait until what was given back is emptied or dropped."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Drop all databases, and wait; raises what went wrong in the thread."""
        self._thread.shutdown()
        waiting, self._ready = self._ready, deque()
        returns, self._returns = self._returns, []
        ready = [made.result() for made in waiting]
        emptied = [made.result() for made in returns]
        for name in filter(None, [*ready, *emptied]):
            administer(self._server, f"drop database {name} with (force)")

    def _take(self) -> str:
        """Return a database that is ready; one that a test gave back rather than a new one."""
        while self._returns and self._returns[0].done():
            if (name := self._returns.pop(0).result()) is not None:
                return name
        while len(self._ready) <= self._ahead:
            self._ready.append(self._thread.submit(self._create))
        return self._ready.popleft().result()

    def _create(self) -> str:
        name = f"{self._template}_{next(self._numbers)}"
        # Copying files takes half of the time that writing pages to the log does (`wal_log`).
        copy = f"create database {name} template {self._template} owner {ROLE} strategy file_copy"
        administer(self._server, copy)
        if self._original is None:
            with self._cursor(name) as cursor:
                self._original = Contents.of(cursor)
        return name

    def _take_back(self, name: str) -> str | None:
        """Empty a database and return its name; None if it was dropped instead."""
        assert self._original is not None
        with self._cursor(name) as cursor:
            emptied = self._original.restore(cursor)
        if emptied:
            return name
        administer(self._server, f"drop database {name} with (force)")
        return None

    @contextmanager
    def _cursor(self, name: str) -> Iterator[Any]:
        with closing(psycopg2.connect(self._server.dsn(ADMIN, name))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor


@attrs.frozen
class Contents:
    """What a database contains, as its administrator sees it.

    Attributes:
        shape: A digest of all but rows: tables, functions, policies, privileges, settings.
        size: Its size in bytes.
        seeds: The tables with rows, each with a digest of them.
        tables: The tables without any.
        sequences: The sequences, each with its last number.

    """

    shape: str
    size: int
    seeds: dict[str, str]
    tables: tuple[str, ...]
    sequences: dict[str, int | None]

    @classmethod
    def of(cls, cursor: Any) -> "Contents":
        """Return what a database contains."""
        [(shape, size)] = _fetch(cursor, _SHAPE)
        names = [name for (name,) in _fetch(cursor, _TABLES)]
        rows = {name for name in names if _fetch(cursor, _rows(name))}
        seeds = {name: _digest(cursor, name) for name in sorted(rows)}
        tables = tuple(name for name in names if name not in rows)
        return cls(shape, size, seeds, tables, dict(_fetch(cursor, _SEQUENCES)))

    def restore(self, cursor: Any) -> bool:
        """Empty a database that contained this; tell whether it contains the same again.

        Whoever is connected is thrown out first.
        """
        cursor.execute(_OTHERS)
        [(shape, size)] = _fetch(cursor, _SHAPE)
        if shape != self.shape or size > self.size + _BIG:
            return False
        if any(_digest(cursor, name) != digest for name, digest in self.seeds.items()):
            return False
        cursor.execute("set session_replication_role = replica")  # no trigger, no foreign key
        if statements := [*self._rows_to_delete(cursor), *self._sequences_to_reset(cursor)]:
            cursor.execute(SQL(";").join(statements))
        return True

    def _rows_to_delete(self, cursor: Any) -> list[Composable]:
        if not self.tables:
            return []
        each = [
            SQL("select {} where exists({})").format(Literal(name), _rows(name))
            for name in self.tables
        ]
        found = _fetch(cursor, SQL(" union all ").join(each))
        return [SQL("delete from {}").format(Identifier(name)) for (name,) in found]

    def _sequences_to_reset(self, cursor: Any) -> list[Composable]:
        # Not `alter sequence`, which makes a new version of the sequence's own row.
        return [
            SQL("select setval({}, {}, {})").format(
                Literal(name),
                Literal(self.sequences[name] or 1),
                Literal(self.sequences[name] is not None),
            )
            for name, last in _fetch(cursor, _SEQUENCES)
            if last != self.sequences[name]
        ]


def _fetch(cursor: Any, query: str | Composable) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _rows(table: str) -> Composable:
    return SQL("select from {} limit 1").format(Identifier(table))


def _digest(cursor: Any, table: str) -> str:
    digest = SQL("select md5(string_agg(t::text, ';' order by t::text)) from {} t")
    return str(_fetch(cursor, digest.format(Identifier(table)))[0][0])


_OTHERS = """select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
  and backend_type = 'client backend'"""

_TABLES = """select relname from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"""

_SEQUENCES = "select sequencename, last_value from pg_sequences"

#: Whatever changes a row of these catalogs makes a new version of it, with another `xmin`. Objects
#: of a user have an oid from 16384; a schema for temporary tables comes and stays with the first.
_SHAPE = """select md5(concat_ws(' ',
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid)
   from pg_class where oid >= 16384 and relpersistence <> 't'),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid)
   from pg_proc where oid >= 16384),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid) from pg_policy),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid) from pg_trigger),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid)
   from pg_constraint where oid >= 16384),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid)
   from pg_namespace where nspname !~ '^pg_(toast_)?temp'),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid) from pg_default_acl),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid) from pg_extension),
  (select string_agg(format('%s:%s', oid, xmin), ',' order by oid) from pg_largeobject_metadata),
  (select string_agg(format('%s.%s:%s', attrelid, attnum, a.xmin), ',' order by attrelid, attnum)
   from pg_attribute a join pg_class c on c.oid = attrelid
   where attrelid >= 16384 and relpersistence <> 't'),
  (select string_agg(s::text, ',' order by s) from (
     select setrole, setconfig from pg_db_role_setting
     join pg_database d on d.oid = setdatabase and datname = current_database()) s),
  (select concat_ws(' ', datdba, datacl, datallowconn, datconnlimit, datistemplate,
     shobj_description(oid, 'pg_database'))
   from pg_database where datname = current_database())
)), pg_database_size(current_database())"""
