"""What a release runs, on the newest schema: it may still serve after a migration."""

import json
from pathlib import Path
from typing import Any

import pytest

from energia import __version__
from energia.db.pool import Tenant
from energia.db.queries import blocks, load

DATA = Path(__file__).parents[2] / "data"
RELEASES = sorted(DATA.glob("queries-*"))


def statements(folder: Path) -> list[tuple[str, str, Any]]:
    """Return the name, the SQL and the parameters of each statement of a release."""
    parameters = json.loads((folder / "parameters.json").read_text())
    files = sorted(folder.glob("*.sql"))
    found = [
        (name, sql) for file in files for name, sql in blocks(file.read_text(), file.name).items()
    ]
    return [(name, sql, parameters[name]) for name, sql in found]


@pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)
async def test_a_release_runs_on_the_newest_schema(tenant: Tenant, release: Path) -> None:
    """Every statement of the release is still planned by PostgreSQL."""
    for name, sql, given in statements(release):
        parameters = [given] if isinstance(given, dict) else given
        plan = await tenant.fetch(str, f"explain {sql}", *parameters)

        assert plan, name


def test_this_release_is_recorded() -> None:
    """The statements that are kept for this release are those that it runs."""
    kept = {name: sql for name, sql, _ in statements(DATA / f"queries-{__version__}")}

    assert kept == {**load("energia.metering"), **load("energia.pricing")}
