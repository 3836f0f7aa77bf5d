"""The probe of the schema, with just its plugin."""

from contextlib import closing
from importlib.resources.abc import Traversable
from pathlib import Path

import attrs
import psycopg2

from energia.health.monitor import Component
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.settings import Database, Settings
from energia_plugins.health_migrations import MigrationsHealth
from tests.plugins.components import component_of
from tests.serving import AWAY, Serving, make_core


@attrs.frozen
class Tables:
    """A plugin with a migration."""

    folder: Path

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Return the folder."""
        (self.folder / "0001_tables.sql").write_text("create table own (id int);")
        return [self.folder]


async def shown(serving: Serving, url: str, **plugins: object) -> Component:
    """Return how the schema of the database *url* is."""
    settings = attrs.evolve(Settings(), database=Database(url=url))
    loaded = Plugins.of(health_migrations=MigrationsHealth, **plugins)
    async with serving(make_core(plugins=loaded, settings=settings)) as client:
        found = await component_of(client, "migrations")
        assert found is not None
        assert found.measurement == "unapplied"
        return found


def execute(dsn: str, sql: str) -> None:
    """Run one statement."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)


async def test_the_newest_schema(database: str, serving: Serving) -> None:
    """A database with just what the release knows is well."""
    found = await shown(serving, database)

    assert (found.status, found.output) == ("pass", None)
    assert found.observed is not None
    assert (found.observed.value, found.observed.unit) == (0, "migrations")


async def test_pending(empty_database: str, serving: Serving) -> None:
    """What is still to be applied is named, and a warning."""
    found = await shown(serving, empty_database)

    assert found.status == "warn"
    assert found.output is not None
    assert found.output.startswith("pending: core 0001_core; pending: core 0002_")
    assert found.observed is not None
    assert found.observed.value == found.output.count("pending: ")


async def test_pending_of_a_plugin(database: str, tmp_path: Path, serving: Serving) -> None:
    """The migrations of plugins are looked at too."""
    found = await shown(serving, database, own_tables=Tables(tmp_path))

    assert (found.status, found.output) == ("warn", "pending: own-tables 0001_tables")


async def test_unknown_after_a_roll_back(database: str, serving: Serving) -> None:
    """A number that the release does not know is accepted, reported, and a warning."""
    execute(database, "insert into schema_migration values ('core', 9999, 'new', 'x')")
    found = await shown(serving, database)

    assert (found.status, found.output) == ("warn", "unknown to this release: core 9999_new")
    assert found.observed is not None
    assert found.observed.value == 0


async def test_left_by_a_plugin(database: str, serving: Serving) -> None:
    """What a plugin has left that is not loaded is no complaint."""
    execute(database, "insert into schema_migration values ('acme', 1, 'members', 'x')")

    assert (await shown(serving, database)).status == "pass"


async def test_changed(database: str, serving: Serving) -> None:
    """A file that was changed after it was applied is a warning."""
    execute(
        database, "update schema_migration set checksum = 'x' where owner = 'core' and number = 1"
    )
    found = await shown(serving, database)

    assert found.status == "warn"
    assert "MigrationError: core 0001_core: the file was changed" in (found.output or "")


async def test_away(serving: Serving) -> None:
    """Without a database there is a warning, and no more than that."""
    found = await shown(serving, AWAY)

    assert found.status == "warn"
    assert "DatabaseAway" in (found.output or "")
