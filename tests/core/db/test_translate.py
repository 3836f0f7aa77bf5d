"""The driver's errors, as ours."""

import psycopg2
import pytest

from energia import errors
from energia.db.connection import translated
from energia.db.pool import Pool
from energia.db.tenant import Tenant


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
