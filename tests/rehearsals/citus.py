"""Run the tests of readings and of bills on a Citus cluster: `make rehearse-citus DATABASE_URL=`.

    python -m tests.rehearsals.citus postgresql://energia@coordinator/rehearsal [tests ...]

The database is one that is there for it, and has `rehears` in its name: what it contains is
deleted. It is migrated, has the extension and its nodes, and the role owns its tables;
`docs/explanation/scale.md` says in which order. The statements of that page distribute the tables
here, unless they are distributed already; then every test gets this database, emptied, and has to
find what it finds on one PostgreSQL. Where the database does not know Citus, nothing is
distributed: so the rehearsal itself is tried.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg2
import pytest

from energia.db.shards import KNOWN, LOWEST

#: What touches readings, and what is made from them.
TESTS: Final = (
    *("tests/core/metering", "tests/core/costing", "tests/core/billing"),
    *("tests/plugins/test_metrics_energy.py", "tests/plugins/test_metrics_background.py"),
    "tests/core/db/test_shards.py",
)
#: What is about other servers, or the plans of one.
LEFT_OUT: Final = frozenset({"empty_databases", "previews", "server"})
#: What looks at the audit log, which is append only: it has what tests before have entered.
AUDITED: Final = frozenset({"test_a_deletion_is_listed_and_audited"})
PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"
#: Tables whose rows stay: the audit log is append only.
_KEPT: Final = {"audit", "organization", "schema_migration"}
#: The statements of the page that distribute tables.
_DISTRIBUTION: Final = re.compile(r"```sql\n( *-- distribute\n.*?)```", re.DOTALL)
_STATE: Final = "select current_database()::text, to_regclass('schema_migration') is not null"
_TABLES: Final = """select relname from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') order by 1"""


@attrs.frozen
class Emptied:
    """A database that each test gets as it was: it takes the place of `tests.databases.Databases`.

    Attributes:
        url: The database.

    """

    url: str

    @classmethod
    def of(cls, url: str) -> "Emptied":
        """Empty a database of all but what migrations have put."""
        with _cursor(url) as cursor:
            [(name, is_migrated)] = _rows(cursor, _STATE)
        if "rehears" not in name:
            sys.exit(f"{name} is not there for a rehearsal, which would delete what it contains")
        if not is_migrated:
            sys.exit("the database is not migrated: docs/explanation/scale.md has the order")
        emptied = cls(url)
        emptied.restore()
        return emptied

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of the database, and empty it afterwards."""
        yield self.url
        self.restore()

    def restore(self) -> None:
        """Delete all rows but those that migrations have put."""
        with _cursor(self.url) as cursor:
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

    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> object:
        """Give the database where a test asks the maker of databases for one."""
        if fixturedef.argname != "databases":
            return None
        fixturedef.cached_result = (self._databases, None, None)
        return self._databases

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out tests that ask for a server of their own."""
        items[:] = [one for one in items if not _asked(one) & LEFT_OUT and one.name not in AUDITED]


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
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore:Module already"]
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
