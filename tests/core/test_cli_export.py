"""`energia export`: what it writes is read back as it was."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.db.pool import Pool
from energia.metering import registry
from energia.metering.models import NewChannel, NewMeter, NewSite
from energia.metering.series import QUALITIES
from energia.settings import Database
from energia.time import SystemClock
from tests.databases import Databases

#: The hour that comes twice, with each quality; a value of the smallest unit, and one below zero.
VALUES = ("0.5", "", "1", "0.000001", "-2.25", "0", "3", "4", "5")
ROWS = [
    f"m,import,2026-10-25T0{hour}:00:00+0{offset}:00,{value},kWh,{quality}\n"
    for (hour, offset), value, quality in zip(
        [(0, 2), (1, 2), (2, 2), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1)],
        VALUES,
        ("actual", "missing", *QUALITIES[1:8]),
        strict=True,
    )
]
HEAD = "meter,channel,start,value,unit,quality\n"
GAS = "n,gas,2025-01-01T00:00:00+01:00,12.5,m3,forecast\n"
ALL = HEAD + "".join(ROWS) + GAS


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("all.csv").write_text(ALL)


async def fill(database: str) -> None:
    """Make two meters, of which one is read in Wh and has a channel without readings."""
    pool = Pool(database, Database())
    tenant = pool.tenant()
    await registry.put_site(tenant, "s", NewSite("Home", "Europe/Berlin", "DE", "EUR"))
    energy = ("active_energy", "import", "Wh", "PT1H")
    channels = (NewChannel("import", *energy), NewChannel("other", *energy))  # type: ignore[arg-type]
    gas = NewChannel("gas", "gas_volume", "import", "m3", "PT1H")
    for name, each in (("m", channels), ("n", (gas,))):
        await registry.put_meter(tenant, name, NewMeter("s", each), SystemClock().now())
    await pool.close()


@pytest.fixture(name="metered")
def _metered(database: str) -> str:
    """Give the URL of a database with two meters."""
    asyncio.run(fill(database))
    return database


@pytest.fixture(name="other")
def _other(databases: Databases) -> Iterator[str]:
    """Give the URL of another one with the same meters."""
    with databases.fresh() as dsn:
        asyncio.run(fill(dsn))
        yield dsn


def run(database: str, *arguments: str) -> Result:
    """Run a command that succeeds."""
    result = CliRunner(env={"DATABASE_URL": database}).invoke(energia, arguments)
    assert result.exit_code == 0, result.output
    return result


def store(database: str, file: str = "all.csv") -> dict[str, int]:
    """Import a file of ours and return the counts."""
    way = ("--mapping", "energia") if "csv" in file else ("--format", "ndjson")
    counts: dict[str, int] = json.loads(run(database, "import", file, *way, "--json").stdout)
    return counts


def test_a_file_comes_back_as_it_was_read(metered: str) -> None:
    """Every slot that was sent, with its offset, exact value and quality; nothing of others."""
    store(metered)

    assert run(metered, "export").stdout == ALL


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson", "out.csv.gz", "out.ndjson.gz"])
def test_what_is_exported_is_imported_unchanged(metered: str, other: str, name: str) -> None:
    """The same database takes it as known already, another one is the same afterwards."""
    store(metered)
    run(metered, "export", "-o", name)

    again, moved = store(metered, name), store(other, name)

    assert (again["received"], again["unchanged"], again["missing"]) == (10, 9, 1)
    assert (moved["created"], moved["missing"]) == (9, 1)
    assert run(other, "export").stdout == ALL
    assert [path.name for path in Path().iterdir() if path.suffix == ".part"] == []


def test_a_compressed_file_is_one(metered: str) -> None:
    """The end of its name says so; the one before it says the format."""
    store(metered)
    run(metered, "export", "-o", "out.ndjson.gz")

    lines = gzip.decompress(Path("out.ndjson.gz").read_bytes()).decode().splitlines()
    assert json.loads(lines[-1]) == {
        **{"meter": "n", "channel": "gas", "start": "2025-01-01T00:00:00+01:00"},
        **{"value": 12.5, "unit": "m3", "quality": "forecast"},
    }


def test_columns_of_parquet(metered: str) -> None:
    """Instants are in UTC, values exact decimals, null where they are missing."""
    store(metered)
    run(metered, "export", "-o", "out.parquet")

    rows = pyarrow.parquet.read_table("out.parquet").to_pylist()

    assert len(rows) == 10
    assert rows[0] == {
        "meter": "m",
        "channel": "import",
        "start": datetime(2026, 10, 24, 22, tzinfo=UTC),
        "value": Decimal("0.500000"),
        "unit": "kWh",
        "quality": "actual",
    }
    assert [row["value"] for row in rows[1:5]] == [
        *(None, 1, Decimal("0.000001"), Decimal("-2.25")),
    ]
    assert [row["quality"] for row in rows[:3]] == ["actual", "missing", "actual"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--meter", "n"), [GAS]),
        (("--meter", "m", "--channel", "other"), []),
        (("--channel", "gas"), [GAS]),
        (("--start", "2026-01-01", "--end", "2026-10-25T01:00:00+02:00"), ROWS[:1]),
        (("--start", "2026-10-25T06:00+01:00"), ROWS[7:]),
        (("--known-at", "2026-01-01T00:00Z"), []),
        (("--end", "2020-01-01"), []),
    ],
)
def test_a_part_is_chosen(metered: str, arguments: tuple[str, ...], expected: list[str]) -> None:
    """By meter, channel, time, and by what was known."""
    store(metered)

    assert run(metered, "export", *arguments).stdout == HEAD + "".join(expected)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--meter", "x"), 1, "there is no meter 'x'"),
        (("--meter", "m", "--channel", "x"), 1, "has no channel 'x'"),
        (("--start", "yesterday"), 2, "expected an instant"),
        (("--known-at", "2026-01-01T00:00"), 2, "has no offset"),
        (("--start", "2026-02-01", "--end", "2026-01-01"), 1, "must be after the start"),
        (("--meter", "m", "--meter", "m"), 1, "the meter 'm' is named before"),
    ],
)
def test_what_cannot_be_exported(
    metered: str, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """It is told, and no file is left."""
    store(metered)
    environ = {"DATABASE_URL": metered}
    result = CliRunner(env=environ).invoke(energia, ["export", "-o", "out.csv", *arguments])

    assert (result.exit_code, told in result.stderr) == (code, True), result.output
    assert [path.name for path in Path().iterdir()] == ["all.csv"]
