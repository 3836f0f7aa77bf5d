"""Statements in files."""

from pathlib import Path

import pytest

from energia.db.pool import Tenant
from energia.db.queries import Literal, Prepared, blocks, load

TEXT = """-- What this file is about.

-- name: site_get
-- One site.
select id -- the client's own
from site
where id = %s;

-- name: site_list
-- All of them.
select id from site
"""


def test_blocks_have_names() -> None:
    """Each block is a statement, without its comments and the semicolon."""
    assert blocks(TEXT, "x") == {
        "site_get": "select id -- the client's own\nfrom site\nwhere id = %s",
        "site_list": "select id from site",
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("-- name: a\nselect 1\n-- name: a\nselect 2", "x:3: there is a block a already"),
        ("-- name: a\n-- Nothing.\n\n-- name: b\nselect 1", "x: the block a has no statement"),
        ("-- name: a", "x: the block a has no statement"),
        ("select 1", "x:1: a statement without a `-- name:` line"),
        ("-- name: A-b\nselect 1", "x:1: 'A-b' is not a name"),
        ("-- name:\nselect 1", "x:1: '' is not a name"),
    ],
)
def test_what_is_no_block_is_refused(text: str, fault: str) -> None:
    """Each fault is named, with its line."""
    with pytest.raises(ValueError, match=fault):
        blocks(text, "x")


def test_the_file_is_found_in_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package's statements are in its `queries.sql`."""
    package = tmp_path / "package_with_queries"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "queries.sql").write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path)
    statements = load("package_with_queries")

    assert list(statements) == ["site_get", "site_list"]


async def test_a_literal_arrives_as_it_is(tenant: Tenant) -> None:
    """An array of numbers is not looked at again on its way."""
    numbers = Literal("{1,NULL,-3}")

    assert await tenant.records("select %s::int[] as found", numbers) == [{"found": [1, None, -3]}]


@pytest.mark.parametrize("text", ["{1'}", "{\\}", "{\0}"])
def test_a_literal_that_has_to_be_escaped_is_refused(text: str) -> None:
    """What could end the literal, or is no text, is no part of one."""
    with pytest.raises(ValueError, match="escaped"):
        Literal(text)


def test_a_prepared_statement_has_numbers_for_its_parameters() -> None:
    """Its parameters have positions or names, and a doubled `%` is one; the text stays."""
    by_position = Prepared("select %s || '%%' || %s", "text", "int")
    by_name = Prepared("select %(a)s - %(b)s + %(a)s", b="int", a="bigint")

    assert by_position == "select %s || '%%' || %s"
    assert by_position.definition.endswith(" (text, int) as select $1 || '%' || $2")
    assert by_position.call == f"execute {by_position.name} (%s, %s)"
    assert by_name.definition.endswith(" (int, bigint) as select $2 - $1 + $2")
    assert by_name.call == f"execute {by_name.name} (%(b)s, %(a)s)"
    assert Prepared("select %s", "int").name != Prepared("select %s", "text").name


@pytest.mark.parametrize("types", [(), ("int", "int")])
def test_a_prepared_statement_has_a_type_for_each_parameter(types: tuple[str, ...]) -> None:
    """No parameter is without one, and no type without a parameter."""
    with pytest.raises(ValueError, match=f"1 parameters have {len(types)} types"):
        Prepared("select %s", *types)
