"""Statements in files."""

from pathlib import Path

import pytest

from energia.db.queries import blocks, load

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
