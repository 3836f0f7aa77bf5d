"""The databases of tests: each is one test's own."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from energia.db.embedded import Embedded
from tests.databases import Databases, administer


@pytest.fixture
def copies(server: Embedded) -> Iterator[Databases]:
    """Give a maker of databases of our own, from a template with one empty table."""
    administer(server, "create database isolation owner energia")
    run(server.dsn(database="isolation"), "create table note (id int generated always as identity)")
    copies = Databases(server, "isolation", ahead=2)
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


def test_what_a_test_leaves_is_not_seen(server: Embedded, copies: Databases) -> None:
    """Rows, sequences, tables and settings of a used database are in no later one."""
    for _ in range(5):
        with copies.fresh() as dsn:
            assert run(dsn, "table note") == []
            assert run(dsn, "insert into note default values returning id") == [(1,)]
            assert run(dsn, "select to_regclass('litter'), current_setting('TimeZone')") == [
                (None, run(server.dsn(), "show timezone")[0][0])
            ]
            name = dsn.partition("@/")[2].partition("?")[0]
            run(
                dsn,
                "create table litter (id int)",
                f"alter database {name} set timezone = 'Asia/Kathmandu'",
            )


def test_two_at_a_time(copies: Databases) -> None:
    """A database is never given to two tests, nor given again when one is done with it."""
    with copies.fresh() as first:
        with copies.fresh() as second:
            pass
        with copies.fresh() as third:
            assert len({first, second, third}) == 3


def test_a_used_database_is_dropped(server: Embedded, copies: Databases) -> None:
    """What a test has used is gone at the end, connections that it forgot included."""
    with copies.fresh() as dsn:
        forgotten = psycopg2.connect(dsn)
        used = dsn.partition("@/")[2].partition("?")[0]
        assert used in names(server)
    copies.close()

    assert names(server) == []
    with pytest.raises(psycopg2.OperationalError), forgotten.cursor() as cursor:
        cursor.execute("select 1")
    forgotten.close()


def test_what_goes_wrong_aside_is_raised(server: Embedded) -> None:
    """A database that cannot be made, or dropped, fails a test: no thread keeps it to itself."""
    absent = Databases(server, "absent", ahead=0)
    with pytest.raises(psycopg2.Error, match="absent"), absent.fresh():
        pytest.fail("there is no such database")
    absent.close()

    taken = Databases(server, "template0", ahead=0)
    with taken.fresh() as dsn:
        name = dsn.partition("@/")[2].partition("?")[0]
        administer(server, f"drop database {name}")
    with pytest.raises(psycopg2.Error, match="does not exist"):
        taken.close()
