"""Run the tests of readings and of bills on a Citus cluster: `make rehearse-citus DATABASE_URL=`.

    python -m tests.rehearsals.citus postgresql://energia@coordinator/rehearsal [tests ...]

The database is one that is there for it, and has `rehears` in its name: what it contains is
deleted. It is migrated, has the extension and its nodes, and the role owns its tables;
`docs/explanation/scale.md` says in which order. The statements of that page distribute the tables
here, unless they are distributed already; it is migrated once more, as later releases do; then
every test gets this database, emptied, and has to find what it finds on one PostgreSQL. Where the
database does not know Citus, nothing is distributed: so the rehearsal itself is tried.
"""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import psycopg2
import pytest
from hypothesis import Phase, settings

from energia.db.migrate import migrate
from energia.db.shards import KNOWN, LOWEST

#: What touches readings, and what is made from them.
TESTS: Final = (
    *("tests/core/metering", "tests/core/pricing", "tests/core/billing"),
    *("tests/plugins/test_metrics_energy.py", "tests/plugins/test_metrics_background.py"),
    "tests/core/db/test_shards.py",
)
#: What is about other servers, or the plans of one.
LEFT_OUT: Final = frozenset({"empty_databases", "previews", "server"})
#: Tests of what a cluster has not, or not like this; and files of such tests.
OF_ONE_SERVER: Final = {
    "test_a_deletion_is_listed_and_audited": "the audit log is append only: it has what tests "
    "before have entered",
    "test_changes_are_in_the_audit_log": "the same",
    "metering/test_days.py": "nothing that was read is kept at hand",
    "metering/test_recall.py": "the same",
    "test_what_is_read_again_is_counted": "the same",
    "test_more_meters_take_no_more_statements": "they are one for each shard",
    "test_the_release_before_finds_arrays_while_it_may_run": "a live value of few meters takes its "
    "block along, which becomes narrow by that",
    "test_a_block_that_the_archive_has_otherwise_stays": "Citus takes no triggers",
    "test_what_the_view_gives_while_days_come_and_go": "the view reads blocks and archive one "
    "after the other",
}
#: Tests of these files that hold for a cluster, too.
LAWS: Final = {
    "test_whatever_happens_a_read_is_of_what_is_stored",
    "test_whatever_happens_what_is_at_hand_is_stored",
}
PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"
#: Tables whose rows stay: the audit log is append only.
_KEPT: Final = {"audit", "organization", "schema_migration"}
#: The statements of the page that distribute tables.
_DISTRIBUTION: Final = re.compile(r"```sql\n( *-- distribute\n.*?)```", re.DOTALL)
#: Migrations as later releases bring them: several statements, some of what is distributed.
_LATER: Final = {
    "0001_more.sql": """-- A column; and what works on it.
alter table reading_day add column rehearsed int;
alter table reading_day add constraint rehearsed_more check (rehearsed > 0) not valid;
alter table reading_day_history add column rehearsed int;
create function rehearsed(given int) returns int language sql as $$ select given + 1; $$;
update reading_day set rehearsed = 1 where false;
""",
    "0002_index.sql": """-- no transaction
create index concurrently if not exists rehearsed_days on reading_day (channel_id, rehearsed);
""",
    "0003_less.sql": """drop index rehearsed_days;
drop function rehearsed(int);
alter table reading_day drop column rehearsed;
alter table reading_day_history drop column rehearsed;
""",
}
_STATE: Final = "select current_database()::text, to_regclass('schema_migration') is not null"
_FUNCTIONS: Final = """select pg_get_functiondef(oid) from pg_proc
where pronamespace = current_schema()::regnamespace and prokind = 'f'
  and proowner = current_user::regrole"""
_TABLES: Final = """select relname from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') order by 1"""


@attrs.frozen
class Emptied:
    """A database that each test gets as it was: it takes the place of `tests.databases.Databases`.

    Attributes:
        url: The database.
        functions: The definitions of its functions, of which tests replace some.

    """

    url: str
    functions: frozenset[str]

    @classmethod
    def of(cls, url: str) -> "Emptied":
        """Empty a database of all but what migrations have put."""
        with _cursor(url) as cursor:
            [(name, is_migrated)] = _rows(cursor, _STATE)
            functions = frozenset(one for (one,) in _rows(cursor, _FUNCTIONS))
        if "rehears" not in name:
            sys.exit(f"{name} is not there for a rehearsal, which would delete what it contains")
        if not is_migrated:
            sys.exit("the database is not migrated: docs/explanation/scale.md has the order")
        emptied = cls(url, functions)
        emptied.restore()
        return emptied

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of the database, and empty it afterwards."""
        yield self.url
        self.restore()

    def restore(self) -> None:
        """Delete all rows but those that migrations have put, and put functions back."""
        with _cursor(self.url) as cursor:
            for changed in self.functions - {one for (one,) in _rows(cursor, _FUNCTIONS)}:
                cursor.execute(changed)
            distributed = _distributed(cursor)
            names = {name for (name,) in _rows(cursor, _TABLES)} - _KEPT
            truncated = names - distributed
            cursor.execute(f"truncate {', '.join(sorted(truncated))} restart identity")
            cursor.execute("delete from organization where id <> 1")
            for name in sorted(distributed):
                cursor.execute(f"delete from {name}")
            cursor.execute("select setval(pg_get_serial_sequence('organization', 'id'), 1)")


class OnCluster:
    """Gives every test the database of the cluster, and leaves out what is about other servers."""

    def __init__(self, databases: Emptied) -> None:
        """Give *databases*."""
        self._databases = databases

    def pytest_configure(self) -> None:
        """Tell of the first example that fails: a shorter one is looked for by many others."""
        settings.register_profile(
            "cluster",
            settings.get_profile("shared"),
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        )
        settings.load_profile("cluster")

    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> object:
        """Give the database where a test asks the maker of databases for one."""
        if fixturedef.argname != "databases":
            return None
        fixturedef.cached_result = (self._databases, None, None)
        return self._databases

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out tests that ask for a server of their own, and those of one server."""
        on_any = [one for one in items if _file(one) not in OF_ONE_SERVER or one.name in LAWS]
        on_any = [one for one in on_any if one.name not in OF_ONE_SERVER]
        items[:] = [one for one in on_any if not _asked(one) & LEFT_OUT]


def _file(item: pytest.Item) -> str:
    return "/".join(item.path.parts[-2:])


def _asked(item: pytest.Item) -> frozenset[str]:
    assert isinstance(item, pytest.Function)
    of_databases = set(item.fixturenames) - {"server"}
    return frozenset(of_databases | set(signature(item.function).parameters))


def main() -> int:
    """Rehearse as the arguments say; return how the tests ended."""
    if not sys.argv[1:]:
        sys.exit(__doc__)
    url, tests = sys.argv[1], sys.argv[2:] or TESTS
    databases = Emptied.of(url)
    distribute(url)
    upgrade(url)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore:Module already"]
    options += ["-o", "faulthandler_timeout=0"]  # some take minutes here
    return pytest.main([*options, *tests], plugins=[OnCluster(databases)])


def distribute(url: str) -> None:
    """Distribute the tables as the page says, where the database knows Citus."""
    with _cursor(url) as cursor:
        [(is_known,)] = _rows(cursor, f"select {KNOWN}")
        if not is_known:
            print("the database does not know Citus: nothing is distributed")
            return
        if not _rows(cursor, LOWEST):
            (statements,) = _DISTRIBUTION.findall(PAGE.read_text(encoding="utf-8"))
            cursor.execute(statements)
        print(f"{len(_rows(cursor, LOWEST))} shards of {', '.join(sorted(_distributed(cursor)))}")


def upgrade(url: str) -> None:
    """Migrate as later releases do."""
    with TemporaryDirectory() as folder:
        for name, sql in _LATER.items():
            (Path(folder) / name).write_text(sql, encoding="utf-8")
        migrated = asyncio.run(migrate(url, {"rehearsal": Path(folder)}))
    with _cursor(url) as cursor:
        cursor.execute("delete from schema_migration where owner = 'rehearsal'")
    print(f"applied: {', '.join(migrated.applied)}")


def _distributed(cursor: Any) -> set[str]:
    [(is_known,)] = _rows(cursor, f"select {KNOWN}")
    if not is_known:
        return set()
    return {name for (name,) in _rows(cursor, "select logicalrelid::text from pg_dist_partition")}


def _rows(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    """Give a cursor that sees the rows of all organizations."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("set energia.organization = '*'")
        yield cursor
        connection.commit()


if __name__ == "__main__":
    sys.exit(main())
