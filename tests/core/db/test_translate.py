"""The driver's errors, as ours."""

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from energia import errors
from energia.db.connection import said, translated, unconnected
from energia.db.pool import Pool
from energia.db.session import in_thread
from energia.db.tenant import Tenant
from energia.settings import Database


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("57014", errors.StatementTimeout),
        ("55P03", errors.LockTimeout),
        ("40P01", errors.Deadlock),
        ("23505", errors.UniqueViolation),
        ("23503", errors.ForeignKeyViolation),
        ("25006", errors.DatabaseAway),
        ("57P01", errors.DatabaseAway),
        ("53300", errors.DatabaseAway),
        ("53100", errors.DatabaseFull),
        ("22012", errors.DatabaseError),
        ("42P01", errors.DatabaseError),
    ],
)
async def test_codes_have_meanings(
    tenant: Tenant, code: str, expected: type[errors.EnergiaError]
) -> None:
    """Each SQLSTATE that a client can do something about is an error of its own."""
    statement = f"do $$ begin raise exception 'said' using errcode = '{code}'; end $$"
    with pytest.raises(errors.EnergiaError, match="said") as caught:
        await tenant.execute(statement)

    assert type(caught.value) is expected


async def test_a_standby_is_left(pool: Pool) -> None:
    """After a fail-over the connection to what is a standby now is not used again."""
    sql = "do $$ begin raise exception using errcode = '25006'; end $$"
    with pytest.raises(errors.DatabaseAway):
        await pool.tenant().execute(sql)

    assert pool.stats.size == 0


async def test_a_full_disk_names_its_place_and_keeps_the_connection(pool: Pool) -> None:
    """Whoever writes is told that there is no room; reads go on over the same connection."""
    sql = "do $$ begin raise exception 'No space left' using errcode = '53100'; end $$"
    with pytest.raises(errors.DatabaseFull, match=r"No space left \(host .*, database ") as caught:
        await pool.tenant().execute(sql)

    assert (caught.value.code, caught.value.status) == ("database_full", 503)
    assert pool.stats.size == 1


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ('FATAL:  database "a" does not exist', errors.DatabaseRefused),
        ('FATAL:  role "a" does not exist', errors.DatabaseRefused),
        ('FATAL:  password authentication failed for user "a"', errors.DatabaseRefused),
        ("FATAL: SASL authentication failed", errors.DatabaseRefused),
        ("fe_sendauth: no password supplied", errors.DatabaseRefused),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "a"', errors.DatabaseRefused),
        ("server does not support SSL, but SSL was required", errors.DatabaseRefused),
        ("FATAL: no such database: a", errors.DatabaseRefused),
        ("FATAL:  the database system is starting up", errors.DatabaseAway),
        ("FATAL:  sorry, too many clients already", errors.DatabaseAway),
        ("Connection refused Is the server running on that host?", errors.DatabaseAway),
        ("timeout expired", errors.DatabaseAway),
    ],
)
def test_what_no_waiting_mends_is_known(reason: str, kind: type[errors.DatabaseAway]) -> None:
    """Whoever is let in nowhere like this is told apart from whoever comes too early."""
    assert type(unconnected(reason, {})) is kind


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ('database "a" does not exist', "create it, with this role as its owner"),
        ('password authentication failed for user "a"', "another password, or there is no such"),
        ("no password supplied", "the URL has no password"),
    ],
)
def test_what_mends_it_is_told(reason: str, remedy: str) -> None:
    """The server says what is wrong, and not what to do."""
    assert f"role a): {remedy}" in unconnected(reason, {"user": "a"}).detail


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        (
            "server closed the connection unexpectedly\n\tThis probably means the server "
            "terminated abnormally\n\tbefore or while processing the request.\n",
            "server closed the connection unexpectedly. This probably means the server "
            "terminated abnormally before or while processing the request",
        ),
        ("refused\n\tIs it running?\n", "refused. Is it running?"),
    ],
)
def test_sentences_of_the_driver_are_whole(broken: str, whole: str) -> None:
    """They are broken into lines, of which one may go on with the sentence, or begin another."""
    assert said(psycopg2.OperationalError(broken)) == whole


async def test_an_error_of_a_connection_names_its_place(database: str) -> None:
    """Host, port, database and role, and the password never, nor to the client of a request."""
    url = "postgresql://role:hunter2@127.0.0.1:1/base"
    with pytest.raises(errors.DatabaseAway) as caught:
        await Pool(url, Database()).ping()

    assert caught.value.detail.endswith("(host 127.0.0.1, port 1, database base, role role)")
    assert "hunter2" not in caught.value.detail
    assert caught.value.__cause__ is not None  # which keeps the detail from clients


@pytest.mark.parametrize(("name", "said"), [("dbname", "database"), ("user", "role")])
async def test_a_database_or_role_that_is_not_there_refuses(
    database: str, name: str, said: str
) -> None:
    """A real server says so, to a pool and to a session of migrations."""
    url = make_dsn(database, **{name: "nowhere"})
    refusal = f'{said} "nowhere" does not exist .*{said} nowhere'
    with pytest.raises(errors.DatabaseRefused, match=refusal):
        await Pool(url, Database()).ping()
    with pytest.raises(errors.DatabaseRefused, match=refusal):
        await in_thread(url, lambda session: session.fetch("select 1"), {})


async def test_a_connection_that_is_lost_names_its_place(pool: Pool) -> None:
    """So that a log line of one service among several tells which database went."""
    with pytest.raises(errors.DatabaseAway, match=r"database .*, role energia"):
        await pool.tenant().execute("select pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(
    "text",
    [
        'invalid dsn: "postgresql://energia:hunter2@host/db"',
        "could not parse: password=hunter2 host=x",
    ],
)
def test_secrets_are_left_out(text: str) -> None:
    """A message that repeats a URL does not repeat its password."""
    said = translated(psycopg2.OperationalError(text), away=True)

    assert "hunter2" not in str(said)


async def test_values_of_rows_are_left_out(pool: Pool) -> None:
    """The error of a duplicate key names the constraint, and not the key."""
    with pytest.raises(errors.UniqueViolation) as caught:
        await pool.everywhere().execute(
            "insert into organization (name) values ('s3cret'), ('s3cret')"
        )

    assert "organization_name_key" in str(caught.value)
    assert "s3cret" not in str(caught.value)
