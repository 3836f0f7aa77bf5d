"""What a release runs, on the newest schema: it may still serve after a migration."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import energia
from energia import __version__
from energia.db.pool import Tenant
from energia.db.queries import blocks, load
from energia.metering import registry
from energia.metering.models import NewChannel, NewMeter, NewSite
from tests.record_queries import PACKAGES

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
        for statement, parameters in planned(sql, given):
            plan = await tenant.fetch(str, f"explain {statement}", *parameters)

            assert plan, name


def planned(sql: str, given: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield each statement of a block with its own of the parameters; one is planned at a time."""
    rest = iter(() if isinstance(given, dict) else given)
    for statement in sql.split(";\n"):
        if isinstance(given, dict):
            yield statement, [given]
        else:
            yield statement, [*islice(rest, statement.count("%s"))]


REGISTER = NewChannel("import", "active_energy", "import", "kWh", kind="register")
MONTHS = NewChannel("import", "gas_volume", "import", "m3", kind="irregular")
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("channel", [REGISTER, MONTHS], ids=lambda channel: channel.kind)
async def test_the_first_release_takes_no_channel_its_kind(
    tenant: Tenant, channel: NewChannel
) -> None:
    """A channel without slots stays one when 0.1.0, which knows none, replaces its meter."""
    await registry.put_site(tenant, "s", NewSite("Home", "Europe/London", "GB", "GBP"))
    made, _ = await registry.put_meter(tenant, "m", NewMeter("s", (channel,)), NOW)
    told = ("m", "import", 0, channel.quantity, "import", channel.unit)

    await tenant.execute(recorded("0.1.0")["channel_put"], *told, 900, 0, "interval", *[None] * 3)

    assert await registry.meter(tenant, "m") == made


async def test_a_channel_without_readings_may_get_slots(tenant: Tenant) -> None:
    """A register of which nothing was read becomes a channel of slots where that is asked for."""
    await registry.put_site(tenant, "s", NewSite("Home", "Europe/London", "GB", "GBP"))
    await registry.put_meter(tenant, "m", NewMeter("s", (REGISTER,)), NOW)
    slots = NewChannel("import", "active_energy", "import", "kWh", "PT15M")

    replaced, _ = await registry.put_meter(tenant, "m", NewMeter("s", (slots,)), NOW)

    assert [channel.kind for channel in replaced.channels] == ["interval"]
    assert await registry.meter(tenant, "m") == replaced


def recorded(version: str) -> dict[str, str]:
    """Return the statements that are kept of a release."""
    return {name: sql for name, sql, _ in statements(DATA / f"queries-{version}")}


def test_every_release_is_recorded() -> None:
    """The statements of each release that the changelog names are kept, with parameters."""
    text = (DATA.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.MULTILINE)

    assert released
    assert all(recorded(version) for version in released)


def test_a_release_runs_what_was_recorded() -> None:
    """What was recorded as a release's is what it runs; a version in development is no release."""
    release, _, development = __version__.partition(".dev")
    if development:
        assert not (DATA / f"queries-{release}").exists()
    else:
        running = (load(package) for package in PACKAGES)
        assert recorded(release) == {name: sql for one in running for name, sql in one.items()}


def test_statements_of_all_packages_are_recorded() -> None:
    """The script that records a release knows every package of the core that has statements."""
    root = Path(energia.__file__).parent
    folders = {path.parent for path in root.rglob("queries.sql")}

    assert {".".join(("energia", *one.relative_to(root).parts)) for one in folders} == set(PACKAGES)
