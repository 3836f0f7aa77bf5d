"""Rows are seen by their organization alone, whatever a statement asks for."""

from collections.abc import AsyncIterator

import pytest

from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.queries import load
from energia.db.tenant import Tenant
from energia.errors import DatabaseError, NotPermitted
from energia.plugins import Plugins
from energia.settings import Database

#: Tables that are about the installation, and of no organization.
OF_NOBODY = [
    # Tables that ANEEL publishes.
    "brazil_table",
    "preview_github_delivery",
    # What waits: whose it is, is said in its arguments, and nothing of it is shown to anybody.
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
    "schema_migration",
]
#: Rows of the other organization that making it has made.
OWN = {"organization": " where id <> 2", "audit": " where organization_id = 1"}
#: Rows of the first organization.
ROWS = """
insert into organization (name) values ('other');
insert into site values (1, 's', 'n', 'UTC', 'BR', null, 'BRL');
insert into meter values (1, 'm', 's', null, null);
insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
  interval_seconds, offset_seconds, kind)
  values (1, 'm', 'import', 0, 'active_energy', 'import', 'kWh', 3600, 0, 'interval');
insert into import (organization_id, public_id, format, sha256, counts, problems)
  values (1, 'i', 'json', '', '{}', '[]');
insert into reading_day values
  (1, 1, '2026-01-01', array_fill(1::bigint, '{24}'), null, 1, 1, now());
insert into reading_archive values
  (1, 1, '2025-01-01', '2025-01-01', 24, 1, array_fill(1::smallint, '{24}'), null, null, '{1}',
  '{1}', array[now()], null);
insert into archive_extent values (1, '2025-02-01');
insert into reading_day_history values
  (1, 1, '2026-01-01', array_fill(1::bigint, '{24}'), null, 1, 1, now(), null, now());
insert into register_read values
  (1, 1, '2026-01-01Z', 'read', 1, 1, null, 1, now(), null);
insert into publication values (1, 1, '2026-01-01Z', '2026-01-02Z');
insert into stretch values (1, 1, '2026-01-01Z', '2026-02-01Z', 1, 1, 1, now(), null);
insert into tariff values (1, 't', 'n', 'BRL', 'UTC');
insert into tariff_version values (1, 't', '2026-01-01', null, '{"charges": [{"kind": "k"}]}');
insert into brazil_tariff values (1, 't', '{}', 'v', now(), now());
insert into contract values (1, 'c', 'm', 't', '2026-01-01', null, '{}', '{}');
insert into bill (organization_id, id, contract_id, start_day, end_day, status, created_at,
  priced_at, meter_id, tariff_id, version_from, parameters, channels, revisions, prior_state, state,
  document, basis)
  values (1, 'b', 'c', '2026-01-01', '2026-02-01', 'issued', now(), now(), 'm', 't', '2026-01-01',
  '{}', '{}', '{}', '{}', '{}', '{}', '{}');
insert into cost_to_date values (1, 'c', '2026-01-01', now(), '{}', '{}', '{}');
insert into price_series values (1, 'p', 'BRL', 'kWh', 3600, 'UTC');
insert into price values (1, 'p', '2026-01-01', '2026-01-02', 1, now());
insert into price_feed values (1, 'f', 'p', now());
insert into holiday_list values (1, 'h', 1, now(), '{}');
insert into csv_mapping values (1, 'c', '{}');
insert into deletion (organization_id, meter_id, before_at, caller, reason, readings)
  values (1, 'm', '2025-01-01', '', '', 0);
insert into superseded values (1, 'tariff', 't', 1, now(), '', '{}');
insert into bill_webhook_delivery values (1, 'b', now(), now());
insert into access_token (organization_id, prefix, hash, name, scopes)
  values (1, '1xp', '', 'n', '{}');
insert into bill_webhook_since values (1, now());
insert into webhook (organization_id, id, url, events, secret) values (1, 'w', '', '{e}', '');
insert into webhook_event (organization_id, id, type, body) values (1, 'e', 'e', '{}');
insert into webhook_delivery (organization_id, webhook_id, event_id) values (1, 'w', 'e');
insert into webhook_finding values (1, 'e', 's', 'c');
insert into source values (1, 's');
insert into idempotency_key values (1, 'c', '', '', 'h', now());
insert into job (organization_id, id, kind, caller, caller_name, request)
  values (1, 'j', 'k', 'c', 'n', '{}');
insert into job_part values (1, 'j', 0, '');
insert into job_range values (1, 'j', 0, '{}', 0);
insert into source_state values (1, 's', 'n', '{}');
insert into console_session values (1, 's', '', 'c', 'n');
"""


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    """Give a database with the tables of every plugin, and rows of the first organization."""
    await migrate(empty_database, {**CORE_MIGRATIONS, **Plugins.installed().migrations()})
    pool = Pool(empty_database, Database(pool_size=2))
    await pool.everywhere().execute(ROWS)
    yield pool
    await pool.close()


async def tables(tenant: Tenant, condition: str) -> list[str]:
    """Return the tables for which *condition* holds."""
    return await tenant.fetch(
        str,
        "select c.relname::text from pg_class c where c.relkind in ('r', 'p')"
        f" and c.relnamespace = 'public'::regnamespace and {condition} order by 1",
    )


async def test_every_table_is_bound(pool: Pool) -> None:
    """Each table of the core and of the plugins has a policy that binds its owner as well."""
    bound = "c.relrowsecurity and c.relforcerowsecurity"
    policy = "exists (select from pg_policy p where p.polrelid = c.oid)"

    assert await tables(pool.tenant(), f"not ({bound} and {policy})") == OF_NOBODY


async def test_every_view_asks_as_its_reader(pool: Pool) -> None:
    """A view shows nothing that its tables would not show to whoever reads it."""
    views = await pool.tenant().fetch(
        str,
        "select relname::text from pg_class where relkind in ('v', 'm')"
        " and relnamespace = 'public'::regnamespace"
        " and not coalesce(reloptions @> '{security_invoker=true}', false)",
    )

    assert views == []


async def test_other_organizations_see_and_change_no_row(pool: Pool) -> None:
    """Without any filter, another organization reads, changes and deletes nothing."""
    names = [*await tables(pool.tenant(), "c.relrowsecurity"), "reading"]
    other, every = pool.tenant(2), pool.everywhere()

    for name in names:
        own = OWN.get(name, "")
        count = f"select count(*)::int from {name}{own}"
        assert await every.fetch(int, count) != [0], name
        assert await other.fetch(int, count) == [0], name
        if name != "reading":
            column = "name = name" if name == "organization" else "organization_id = 2"
            assert await other.execute(f"update {name} set {column}{own}") == 0, name
            assert await other.execute(f"delete from {name}{own}") == 0, name


async def test_without_an_organization_there_are_no_rows(pool: Pool) -> None:
    """A statement that was sent without one sees nothing."""
    connection = await pool.take()

    for used in ("", "select set_config('energia.organization', '1', true); "):
        await connection.run(f"{used}select 1", None, 5)
        assert (await connection.run("select id from site", None, 5)).rows == []

    pool.give(connection)


async def test_a_row_of_another_organization_is_refused(pool: Pool) -> None:
    """Nobody writes for another organization, nor gives it a row."""
    other = pool.tenant(2)
    site = "insert into site values ({}, 'x', 'n', 'UTC', 'BR', null, 'BRL')"
    await other.execute(site.format(2))

    with pytest.raises(NotPermitted, match="row-level security"):
        await other.execute(site.format(1))
    with pytest.raises(NotPermitted, match="row-level security"):
        await other.execute("update site set organization_id = 1")
    with pytest.raises(NotPermitted, match="row-level security"):
        await other.execute(
            "insert into reading_day values (1, 1, '2026-02-01', '{1}', null, 1, 1, now())"
        )


async def test_nothing_is_stored_for_every_organization(pool: Pool) -> None:
    """Who goes over all organizations cannot run a statement that makes rows of one."""
    add = load("energia.metering")["site_add"]

    with pytest.raises(DatabaseError, match="integer"):
        await pool.everywhere().execute(add, "x", "n", "UTC", "BR", "BRL", None)
