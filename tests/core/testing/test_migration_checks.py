"""What `energia plugins check` says of a plugin's migrations."""

import pytest

from energia.db.migrate import Migration, read
from energia.plugins import Plugins
from energia.testing.migrations import of_migrations

TABLE = """create table acme_member (organization_id int not null, meter text not null);
call energia_row_security('acme_member');
"""


def failures(*texts: str) -> dict[str, str]:
    """Return which checks files of these texts fail, and why."""
    files = [Migration("acme", at, f"file{at}", text) for at, text in enumerate(texts, start=1)]
    found = of_migrations("acme", files)
    return {one.check: one.detail for one in found if one.state == "failed"}


@pytest.mark.parametrize("owner", sorted(Plugins.installed().migrations()))
def test_bundled_migrations_keep_the_release_before_running(owner: str) -> None:
    """And show each organization its own rows."""
    found = of_migrations(owner, read({owner: Plugins.installed().migrations()[owner]}))

    assert {one.check: one.state for one in found} == {
        "only_expand": "passed",
        "rows_of_one_organization": "passed",
    }


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("alter table acme_member drop column meter", "drop column"),
        ("ALTER TABLE acme_member\n  DROP COLUMN meter", "drop column"),
        ("drop table if exists acme_member", "drop table"),
        ("alter table acme_member rename column meter to meter_id", "rename"),
        ("alter table acme_member alter column meter type varchar(9)", "alter column type"),
        ("alter table acme_member alter meter set not null", "set not null"),
        ("alter table acme_member add column since date not null", "add column not null"),
        ("truncate acme_member", "truncate"),
    ],
)
def test_what_the_release_before_could_not_bear(statement: str, what: str) -> None:
    """It is told with its file and line."""
    second = f"-- A comment; with a semicolon.\n\n{statement};\n"

    assert failures(TABLE, second)["only_expand"].startswith(
        f"0002_file2, line 3: `{what}` breaks the release before"
    )


@pytest.mark.parametrize(
    "text",
    [
        "alter table acme_member add column since date;",
        "alter table acme_member add column since date not null default '2026-01-01';",
        "alter table acme_member add constraint ok check (meter is not null) not valid;",
        "-- None reads it since 1.2.\n-- squawk-ignore ban-drop-column\n"
        "alter table acme_member drop column meter;",
        "create table acme_other (id int);\nalter table acme_other alter id set not null;",
    ],
)
def test_what_it_bears(text: str) -> None:
    """So does what is excused, and what a file does to a table that it makes."""
    assert failures(TABLE, text) == {}


def test_a_table_that_is_not_bound() -> None:
    """It may be bound in a later file; one that belongs to no organization need not be."""
    first = "create table acme_member (\n  organization_id int not null\n);\n"
    other = "create table acme_seen (digest text primary key);\n"

    assert "energia_row_security('acme_member')" in failures(first)["rows_of_one_organization"]
    assert failures(first, "call energia_row_security('acme_member');\n") == {}
    assert failures(other) == {}
