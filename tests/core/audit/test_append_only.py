"""Nobody changes the audit log, and nobody sees that of others."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import attrs
import pytest

from energia.audit import retention
from energia.db.embedded import ROLE, Embedded
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import NotPermitted
from energia.settings import Audit, Settings
from tests.databases import administer
from tests.serving import make_core

SITE = "insert into site values (%s, %s, 'Home', 'UTC', 'BR', null, 'BRL')"
COUNT = "select count(*) from audit"


@attrs.frozen
class Later:
    """A clock that is ahead."""

    by: timedelta

    def now(self) -> datetime:
        """Return the present moment, and what the clock is ahead."""
        return datetime.now(UTC) + self.by


@pytest.mark.parametrize(
    "sql",
    [
        "update audit set caller = 'somebody else'",
        "update audit set after = null",
        "delete from audit",
        "truncate audit",
        "insert into audit (organization_id, caller, resource, resource_id, action)"
        " values (1, 'somebody', 'site', 'x', 'delete')",
        "select set_config('energia.audit_expiry', 'on', true); delete from audit",
    ],
)
async def test_entries_stay(tenant: Tenant, sql: str) -> None:
    """The database refuses what changes, takes away or makes up an entry, to its owner too."""
    await tenant.execute(SITE, 1, "home")

    with pytest.raises(NotPermitted, match="append only"):
        await tenant.execute(sql)

    assert await tenant.fetch(int, COUNT) == [1]


async def test_an_entry_of_before_stays_within_a_transaction(tenant: Tenant) -> None:
    """A transaction adds to its own entries only by changing things."""
    async with tenant.transaction() as queries:
        await queries.execute(SITE, 1, "home")
        with pytest.raises(NotPermitted, match="append only"):
            await queries.execute("update audit set action = 'delete'")
        await queries.execute("rollback; begin")

    assert await tenant.fetch(int, COUNT) == [0]


async def test_a_query_without_a_filter_sees_its_own(pool: Pool) -> None:
    """The policy binds the owner of the table as well."""
    (other,) = await pool.everywhere().fetch(
        int, "insert into organization (name) values ('other') returning id"
    )
    await pool.tenant().execute(SITE, 1, "ours")
    await pool.tenant(other).execute(SITE, other, "theirs")

    sql = "select resource_id from audit where resource = 'site'"
    assert await pool.tenant().fetch(str, sql) == ["ours"]
    assert await pool.tenant(other).fetch(str, sql) == ["theirs"]
    no_one = "select set_config('energia.organization', '', true); "
    assert await pool.tenant().fetch(str, no_one + sql) == []
    every = "select set_config('energia.organization', '*', true); "
    assert await pool.tenant().fetch(str, f"{every}{sql} order by 1") == ["ours", "theirs"]


# Retention.


async def test_what_is_old_goes(pool: Pool) -> None:
    """Whoever's it is; in batches; what is newer than `audit.retention` stays."""
    (other,) = await pool.everywhere().fetch(
        int, "insert into organization (name) values ('other') returning id"
    )
    await pool.tenant(other).execute(SITE, other, "theirs")
    await age(pool, days=3)
    await pool.tenant().execute(SITE, 1, "new")
    settings = attrs.evolve(Settings(), audit=Audit(retention=2 * 86_400))

    assert await retention.expire(make_core(settings=settings, pool=pool)) == 2
    assert await retention.expire(make_core(settings=settings, pool=pool)) == 0
    assert await pool.tenant(other).fetch(int, COUNT) == [0]
    assert await pool.tenant().fetch(int, COUNT) == [1]


async def test_what_is_many_goes_in_batches(pool: Pool) -> None:
    """No statement deletes more than a batch."""
    sites = "insert into site select 1, 's' || i, 'Home', 'UTC', 'BR', null, 'BRL'"
    await pool.tenant().execute(f"{sites} from generate_series(1, {retention.BATCH + 5}) i")
    await age(pool, days=3)
    settings = attrs.evolve(Settings(), audit=Audit(retention=2 * 86_400))

    assert await retention.expire(make_core(settings=settings, pool=pool)) == retention.BATCH + 5


async def test_a_clock_that_jumps_takes_nothing(pool: Pool) -> None:
    """The database, which has dated the entries, tells how old they are."""
    await pool.tenant().execute(SITE, 1, "home")
    core = attrs.evolve(make_core(pool=pool), clock=Later(timedelta(days=36_500)))

    assert await retention.expire(core) == 0
    assert await pool.tenant().fetch(int, COUNT) == [1]


async def test_one_replica_at_a_time(pool: Pool) -> None:
    """Another one that is at it is not waited for."""
    await pool.tenant().execute(SITE, 1, "home")
    await age(pool, days=3)
    settings = attrs.evolve(Settings(), audit=Audit(retention=86_400))
    core = make_core(settings=settings, pool=pool)

    async with pool.tenant().transaction() as queries:
        await queries.execute(f"select pg_advisory_xact_lock({retention.LOCK})")
        assert await retention.expire(core) == 0
    assert await retention.expire(core) == 1


async def age(pool: Pool, *, days: int) -> None:
    """Let all entries be older, as only a test may: without the triggers of the log."""
    await pool.tenant().execute(
        "alter table audit disable trigger user; alter table audit no force row level security; "
        f"update audit set recorded_at = recorded_at - interval '{days} days'; "
        "alter table audit enable trigger user; alter table audit force row level security"
    )


async def test_a_role_that_may_not_write_the_log(server: Embedded, pool: Pool) -> None:
    """What it changes is entered all the same, and it can neither add an entry nor make one up."""
    role = f"clerk_{uuid4().hex}"
    administer(server, f"create role {role}", f"grant {role} to {ROLE}")
    await pool.tenant().execute(
        f"grant select on audit to {role}; grant select, insert, update, delete on site to {role}"
    )
    as_clerk = f"set local role {role}; "

    await pool.tenant(caller="token:x").execute(as_clerk + SITE, 1, "home")
    with pytest.raises(NotPermitted, match="permission denied"):
        await pool.tenant().execute(as_clerk + "delete from audit")
    with pytest.raises(NotPermitted, match="permission denied"):
        entered = "select audit_enter('{}', '{}', '', '{}', '', '', '', '{}')"
        await pool.tenant().execute(as_clerk + entered)

    sql = as_clerk + "select caller from audit"
    assert await pool.tenant().fetch(str, sql) == ["token:x"]
