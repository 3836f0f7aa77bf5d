"""The databases of tests: each is one test's own as long as that lasts."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from energia.db.embedded import ADMIN, Embedded
from tests.databases import Contents, Databases, administer

#: One table without rows, and one with a row.
TABLES = (
    "create table note (id int generated always as identity)",
    "create table given (id int generated always as identity)",
    "insert into given default values",
)


@pytest.fixture
def copies(server: Embedded) -> Iterator[Databases]:
    """Give a maker of databases of our own, from a template with a table and an empty one."""
    administer(server, "create database isolation owner energia")
    run(server.dsn(database="isolation"), *TABLES)
    copies = Databases(server, "isolation", ahead=0)
    yield copies
    copies.close()  # once more does no harm
    administer(server, "drop database isolation")


def run(dsn: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements in a database, and return the rows of the last one."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def names(server: Embedded) -> list[str]:
    """Return the names of the copies that there are."""
    names = "select datname from pg_database where datname like 'isolation\\_%' order by 1"
    return [name for (name,) in run(server.dsn(), names)]


@pytest.fixture(scope="module")
def example(databases: Databases, server: Embedded) -> Iterator[tuple[str, Any]]:
    """Give a database that has those tables, by its name and as its administrator sees it."""
    with databases.fresh() as dsn:
        run(dsn, *TABLES)
        name = name_of(dsn)
        with closing(psycopg2.connect(server.dsn(ADMIN, name))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield name, cursor


def name_of(dsn: str) -> str:
    """Return the name of the database that a URL leads to."""
    return dsn.partition("@/")[2].partition("?")[0]


def test_rows_and_numbers_are_not_seen(copies: Databases) -> None:
    """A database that has rows is emptied, and its sequences go on from where they were."""
    with copies.fresh() as first:
        run(first, "insert into note default values")
        run(first, "insert into given default values", "delete from given where id > 1")
    copies.settle()

    with copies.fresh() as second:
        assert second == first
        assert run(second, "table note") == []
        assert run(second, "insert into note default values returning id") == [(1,)]
        assert run(second, "insert into given default values returning id") == [(2,)]


@pytest.mark.parametrize(
    "statement",
    [
        "create table litter (id int)",
        "alter table note add column text text",
        "alter table note enable row level security",
        "create policy every_row on note using (true)",
        "create function one() returns int language sql as 'select 1'",
        "create schema litter",
        "grant select on note to public",
        "alter default privileges grant select on tables to public",
        "alter database {} set timezone = 'Asia/Kathmandu'",
        "comment on database {} is 'mine'",
        "insert into note overriding system value select n from generate_series(1, 600000) n",
        "insert into given default values",
        "select lo_create(0)",
    ],
    ids=lambda statement: " ".join(statement.split()[:3]),
)
def test_what_cannot_be_emptied_is_noticed(example: tuple[str, Any], statement: str) -> None:
    """A database that is no longer as its template is, or is big, is not used again."""
    name, cursor = example
    contents = Contents.of(cursor)
    assert contents.restore(cursor)

    cursor.execute("begin")
    cursor.execute(statement.format(name))
    assert not contents.restore(cursor)
    cursor.execute("rollback")


def test_what_cannot_be_emptied_is_dropped(server: Embedded, copies: Databases) -> None:
    """It is given to nobody again."""
    with copies.fresh() as first:
        run(first, "create table litter (id int)")
    copies.settle()

    assert name_of(first) not in names(server)
    with copies.fresh() as second:
        assert second != first


def test_two_at_a_time(copies: Databases) -> None:
    """A database is never given to two tests."""
    with copies.fresh() as first, copies.fresh() as second:
        copies.settle()
        with copies.fresh() as third:
            assert len({first, second, third}) == 3


def test_who_is_still_connected_is_thrown_out(copies: Databases) -> None:
    """A connection that a test forgot does not live on in the next one."""
    with copies.fresh() as dsn:
        forgotten = psycopg2.connect(dsn)
    copies.settle()

    with pytest.raises(psycopg2.OperationalError), forgotten.cursor() as cursor:
        cursor.execute("select 1")
    forgotten.close()


def test_databases_are_dropped_at_the_end(server: Embedded, copies: Databases) -> None:
    """Those that tests used, and those that none used, are gone."""
    with copies.fresh() as dsn:
        assert name_of(dsn) in names(server)
    copies.close()

    assert names(server) == []


def test_what_goes_wrong_aside_is_raised(server: Embedded) -> None:
    """A database that cannot be made, or dropped, fails a test: no thread keeps it to itself."""
    absent = Databases(server, "absent", ahead=0)
    with pytest.raises(psycopg2.Error, match="absent"), absent.fresh():
        pytest.fail("there is no such database")
    absent.close()

    taken = Databases(server, "template0", ahead=0)
    with taken.fresh() as dsn:
        administer(server, f"drop database {name_of(dsn)}")
    with pytest.raises(psycopg2.Error, match="does not exist"):
        taken.close()
