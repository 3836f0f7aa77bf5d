"""A database for the tests of migrations, as docs/how-to/testing-plugins.md shows."""

import re
from pathlib import Path

import pytest

from energia.db.embedded import Embedded
from energia.errors import MigrationError, NotPermitted
from energia.testing import ScratchDatabase
from tests.imports import ROOT

FIRST = """create table acme_member (
  organization_id int not null, meter_id text not null, primary key (organization_id, meter_id)
);
call energia_row_security('acme_member');
"""
SECOND = "alter table acme_member add column since date;\n"


@pytest.fixture(scope="session")
def energia_server(server: Embedded) -> Embedded:
    """Take the server that all tests share."""
    return server


@pytest.fixture(name="package")
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a package with two migrations."""
    folder = tmp_path / "acme_club" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "0001_members.sql").write_text(FIRST)
    (folder / "0002_since.sql").write_text(SECOND)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_tests_of_the_page_pass(
    energia_database: ScratchDatabase, package: Path, tmp_path: Path
) -> None:
    """They are run as they are written there."""
    text = (ROOT / "docs/how-to/testing-plugins.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```py\n([^`]*ScratchDatabase.*?)```", text, re.DOTALL)
    module: dict[str, object] = {}
    exec(compile(source, "test_migrations.py", "exec"), module)

    module["test_members_are_kept"](energia_database, tmp_path)  # type: ignore[operator]
    module["test_they_are_applied_once"](energia_database)  # type: ignore[operator]


def test_a_file_that_fails_is_named(energia_database: ScratchDatabase, package: Path) -> None:
    """Those before it stay applied."""
    (package / "0002_since.sql").write_text("alter table nobody add column since date;\n")

    with pytest.raises(MigrationError, match="0002_since"):
        energia_database.migrate(package)

    assert energia_database.rows("select * from acme_member") == []


def test_a_file_that_has_changed_is_named(energia_database: ScratchDatabase, package: Path) -> None:
    """What was applied cannot be applied again in other words."""
    energia_database.migrate(package)
    (package / "0001_members.sql").write_text(FIRST.replace("acme_member", "acme_other"))

    with pytest.raises(MigrationError, match="0001_members"):
        energia_database.migrate(package)


def test_an_organization_sees_its_own_rows(
    energia_database: ScratchDatabase, package: Path
) -> None:
    """A statement of a service is tested as one organization sends it."""
    energia_database.migrate(package)
    energia_database.execute("insert into acme_member values (1, 'M-1'), (2, 'M-2')")
    mine = """select meter_id from acme_member
      where organization_id = current_setting('energia.organization')::int"""

    assert energia_database.of(2).rows(mine) == [("M-2",)]
    assert energia_database.of(2).rows("select meter_id from acme_member") == [("M-2",)]
    with pytest.raises(NotPermitted):
        energia_database.of(2).execute("insert into acme_member values (1, 'M-3')")


def test_a_server_of_its_own_begins(package: Path) -> None:
    """Where nobody else has one: it is gone afterwards."""
    from energia.testing.database import scratch, server

    with server() as embedded, scratch(embedded) as database:
        assert database.migrate(package) == ("acme 0001_members", "acme 0002_since")

    assert not embedded.folder.exists()
