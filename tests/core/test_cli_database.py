"""The commands that work on a database without a service."""

import asyncio
import gzip
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.db.migrate import CORE_MIGRATIONS, read
from energia.db.pool import Pool
from energia.metering import registry
from energia.metering.mappings import CsvMapping, Mappings
from energia.metering.models import NewChannel, NewMeter, NewSite
from energia.plugins import Plugins
from energia.settings import Database
from energia.time import SystemClock

CSV = "start,value\n2018-01-01T00:00:00Z,1\n2018-01-01T01:00:00Z,2.5\n"
FLAT = {
    "name": "Flat",
    "currency": "GBP",
    "timezone": "UTC",
    "versions": [
        {"valid_from": "2018-01-01", "charges": [{"kind": "energy.flat", "rate": "0.25"}]}
    ],
}

#: What a new database lacks.
PENDING = """\
pending: core 0001_core
pending: core 0002_bills
pending: core 0003_prices
pending: core 0004_bill_last_version
pending: core 0005_holiday_lists
pending: core 0006_to_date
pending: core 0007_superseded
pending: core 0008_access
pending: core 0009_row_security
pending: core 0010_audit
pending: core 0011_csv_mappings
pending: core 0012_registers
pending: core 0013_sources
pending: core 0014_deletion
pending: core 0015_jobs
pending: core 0016_idempotency
pending: core 0017_bill_meter
pending: core 0018_webhooks
pending: core 0019_channel_kind
pending: core 0020_webhook_issued_at
pending: core 0021_corrections
pending: core 0022_fillfactor
pending: core 0023_job_ranges
pending: core 0024_archive
pending: core 0025_blocks_in_page
pending: core 0026_narrow_blocks
pending: core 0027_channels_of
ENGINE
pending: bill-webhook 0001_deliveries
pending: bill-webhook 0002_row_security
pending: bill-webhook 0003_tasks
pending: console 0001_session
pending: preview-github 0001_deliveries
pending: tariff-brazil 0001_upkeep
""".replace(
    "ENGINE",
    # The engine of jobs brings its own: as many as its release has.
    "\n".join(f"pending: {one}" for one in read(CORE_MIGRATIONS) if one.owner == "procrastinate"),
)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("readings.csv").write_text(CSV)
    Path("flat.json").write_text(json.dumps(FLAT))


@pytest.fixture(name="metered")
def _metered(database: str) -> str:
    """Give the URL of a database with the meter `m`."""

    async def fill() -> None:
        pool = Pool(database, Database())
        try:
            tenant = pool.tenant()
            await registry.put_site(tenant, "s", NewSite("Home", "UTC", "GB", "GBP"))
            channel = NewChannel("import", "active_energy", "import", "kWh", "PT1H")
            new = NewMeter("s", (channel,))
            await registry.put_meter(tenant, "m", new, SystemClock().now())
        finally:
            await pool.close()

    asyncio.run(fill())
    return database


async def execute(database: str, sql: str) -> None:
    """Run one statement on *database*."""
    pool = Pool(database, Database())
    try:
        await pool.tenant().execute(sql)
    finally:
        await pool.close()


def run(database: str, *arguments: str) -> Result:
    """Run `energia` on *database*."""
    return CliRunner(env={"DATABASE_URL": database}).invoke(energia, arguments)


def test_migrate_brings_a_database_up_to_date(empty_database: str) -> None:
    """`--check` tells by its exit code, and changes nothing."""
    before = run(empty_database, "migrate", "--check")
    done = run(empty_database, "migrate")
    after = run(empty_database, "migrate", "--check")

    assert (before.exit_code, before.output) == (1, PENDING)
    assert (done.exit_code, done.output) == (0, PENDING.replace("pending", "applied"))
    assert (after.exit_code, after.output) == (0, "The database is up to date.\n")


def test_migrations_of_a_newer_release_are_told(database: str) -> None:
    """After a roll-back the older code accepts the newer schema and names what it does not know."""
    later = (
        "insert into schema_migration (owner, number, name, checksum)"
        " values ('core', 9000, 'later', 'x')"
    )
    asyncio.run(execute(database, later))

    result = run(database, "migrate", "--check")

    assert "not known to this release: core 9000_later\n" in result.output
    assert run(database, "migrate").exit_code == 0


def test_a_check_makes_no_embedded_server(tmp_path: Path) -> None:
    """All is pending where there is nothing yet, and there is nothing afterwards either."""
    folder = tmp_path / "new"

    result = run(f"embedded:{folder}", "migrate", "--check")

    assert (result.exit_code, result.output) == (1, PENDING)
    assert not folder.exists()


def test_a_database_that_is_away_is_told() -> None:
    """Exit code 1, in one line."""
    result = run("postgresql://nobody@127.0.0.1:1/none", "migrate")

    assert result.exit_code == 1
    assert result.stderr.startswith("energia: ")
    assert "failed: Connection refused. Is the server running" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_error_of_the_database_tells_which_layer_names_it() -> None:
    """A variable goes over the file that one has in mind."""
    Path("own.toml").write_text('[database]\nurl = "postgresql://other@127.0.0.1:2/other"')
    of_file = CliRunner().invoke(energia, ["--config", "own.toml", "migrate"])
    result = run("postgresql://nobody@127.0.0.1:1/none", "--config", "own.toml", "migrate")

    assert of_file.stderr.endswith("port 2, database other, role other, by own.toml)\n")
    assert result.stderr.endswith("port 1, database none, role nobody, by DATABASE_URL)\n")


def test_import_stores_a_file(metered: str) -> None:
    """The last line that is stored is told, and the counts in a table."""
    result = run(metered, "import", "readings.csv", "--meter", "m")

    assert result.exit_code == 0, result.output
    assert "readings.csv: stored up to line 3 (imp_" in result.stdout
    assert re.search(r"readings.csv +│ +2 │ +2 │ +0 │", result.stdout)


def outcomes(database: str, *arguments: str, given: bytes | None = None) -> list[dict[str, Any]]:
    """Import something, and return the outcomes of its parts."""
    runner = CliRunner(env={"DATABASE_URL": database})
    result = runner.invoke(energia, ["import", "--json", *arguments], input=given)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def counts(outcome: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many readings were received, created and unchanged."""
    return outcome["received"], outcome["created"], outcome["unchanged"]


def test_import_again_changes_nothing(metered: str) -> None:
    """What is stored already is counted as such."""
    told = [outcomes(metered, "readings.csv", "--meter", "m")[0] for _ in range(2)]

    assert [counts(one) for one in told] == [(2, 2, 0), (2, 0, 2)]


def test_import_takes_files_in_whatever_they_come(metered: str) -> None:
    """Several files, compressed, in archives, and standard input; each is an import of its own."""
    Path("a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    with zipfile.ZipFile("b.zip", "w") as archive:
        archive.writestr("x/one.csv", CSV)
        archive.writestr("__MACOSX/._one.csv", "rubbish")
        archive.writestr("two.csv", CSV.replace("2018", "2019"))

    files = ("readings.csv", "a.csv.gz", "b.zip", "-")
    found = outcomes(metered, *files, "--meter", "m", given=CSV.replace("2018", "2017").encode())

    assert [one["file"] for one in found] == [
        *("readings.csv", "a.csv.gz", "b.zip:x/one.csv", "b.zip:two.csv", "standard input"),
    ]
    assert [one["created"] for one in found] == [2, 0, 0, 2, 2]


def test_an_archive_that_a_format_reads_itself_is_one_file(metered: str) -> None:
    """Its files belong together, so that they are one import."""
    day = "300,{}," + ",".join(["1"] * 24) + ",A\n"
    with zipfile.ZipFile("days.zip", "w") as archive:
        for name in ("20180102", "20180103"):
            text = f"200,6305131234,E1,1,E1,,METER,KWH,60,\n{day.format(name)}"
            archive.writestr(f"{name}.csv", text)

    for format_ in ("nem12", "auto"):
        arguments = ("--format", format_, "--meter", "m", "--channel", "import")
        (found,) = outcomes(metered, "days.zip", *arguments)
        assert (found["file"], found["received"]) == ("days.zip", 48)


@pytest.mark.parametrize("name", ["cut.csv.gz", "cut.zip"])
def test_what_cannot_be_inflated_is_told(metered: str, name: str) -> None:
    """With the name of the file, in one line."""
    Path("cut.csv.gz").write_bytes(gzip.compress(CSV.encode() * 100)[:-9])
    Path("cut.zip").write_bytes(b"PK\x03\x04")

    result = run(metered, "import", name, "--meter", "m")

    assert result.exit_code == 1
    assert f"{name} cannot be inflated" in result.stderr


def test_a_dry_run_stores_nothing(metered: str) -> None:
    """All is checked against the database; the outcome has no import."""
    told = outcomes(metered, "readings.csv", "--meter", "m", "--dry-run")
    table = run(metered, "import", "readings.csv", "--meter", "m", "--dry-run")
    refused = run(metered, "import", "readings.csv", "--meter", "x", "--dry-run")

    assert [(one["import"], one["created"]) for one in told] == [(None, 2)]
    assert "nothing is stored" in table.stdout
    assert (refused.exit_code, "there is no meter 'x'" in refused.stderr) == (1, True)
    assert outcomes(metered, "readings.csv", "--meter", "m")[0]["created"] == 2


def test_import_goes_on_after_the_last_line_that_is_stored(
    metered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with a wrong line is stored up to the part that has it, and the rest when mended."""
    monkeypatch.setattr("energia.metering.imports.PART", 2)
    rows = [f"2018-01-01T{hour:02}:00:00Z,1\n" for hour in range(7)]
    Path("long.csv").write_text("".join(["start,value\n", *rows[:5], "bad,1\n", *rows[5:]]))

    refused = run(metered, "import", "long.csv", "--meter", "m")
    Path("long.csv").write_text("".join(["start,value\n", *rows]))
    stored = outcomes(metered, "long.csv", "--meter", "m", "--from-line", "6")

    assert refused.exit_code == 1
    assert "long.csv: stored up to line 5" in refused.stdout
    assert "what is up to line 5 is stored: --from-line 6" in refused.stderr
    assert [(one["line"], one["created"]) for one in stored] == [(7, 2), (8, 1)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("readings.csv", "readings.csv", "--from-line", "2"),
        ("readings.csv", "--from-line", "2", "--dry-run"),
        ("readings.csv", "readings.csv", "--preview"),
        ("-", "--preview"),
    ],
)
def test_what_does_not_go_together_is_misuse(metered: str, arguments: tuple[str, ...]) -> None:
    """A line is one of one file, and so is a preview."""
    assert run(metered, "import", *arguments).exit_code == 2


def test_import_takes_the_options_of_the_format(metered: str) -> None:
    """`--option` is what the query is over HTTP."""
    Path("other.csv").write_text("at;kwh\n2018-01-01 00:00:00;1,5\n")
    options = ("start_column=at", "value_column=kwh", "delimiter=;", "decimal=,", "timezone=UTC")
    given = [part for option in options for part in ("--option", option)]

    result = run(metered, "import", "other.csv", "--meter", "m", *given)

    assert result.exit_code == 0, result.output
    assert _created(result) == 1


def _created(result: Result) -> int:
    """Return how many readings the table of an import says were created."""
    found = re.search(r"^│ [^│]+│ +\d+ │ +(\d+) │", result.stdout, re.MULTILINE)
    assert found is not None, result.output
    return int(found[1])


FILE = "at;kwh\n2018-01-01 00:00:00;1,5\n"
MAPPING = {"start_column": "at", "value_column": "kwh", "delimiter": ";", "decimal": ","}


def test_import_takes_a_mapping_out_of_a_file(metered: str) -> None:
    """Options beside it replace its own; what is wrong in it is told before anything is read."""
    Path("other.csv").write_text(FILE)
    lines = [f'{name} = "{value}"\n' for name, value in MAPPING.items()]
    Path("ours.toml").write_text("".join(('about = "Ours"\n', *lines, 'timezone = "Mars/Base"\n')))

    given = ("import", "other.csv", "--meter", "m", "--mapping", "ours.toml")
    wrong = run(metered, *given)
    right = run(metered, *given, "--option", "timezone=UTC")

    assert (wrong.exit_code, "timezone" in wrong.stderr) == (2, True)
    assert (right.exit_code, _created(right)) == (0, 1), right.output


def test_a_preview_is_a_mapping(metered: str) -> None:
    """What `--preview` prints is a file that `--mapping` takes; doubts are comments in it."""
    Path("other.csv").write_text(FILE)

    shown = run(metered, "import", "other.csv", "--preview")
    Path("ours.toml").write_text(shown.stdout)
    given = ("import", "other.csv", "--meter", "m", "--mapping", "ours.toml")
    refused = run(metered, *given)
    done = run(metered, *given, "--option", "timezone=UTC")

    assert "in doubt: timezone" in shown.stdout
    assert (refused.exit_code, "say its zone" in refused.stderr) == (1, True)
    assert (done.exit_code, _created(done)) == (0, 1), done.output


def test_import_takes_a_mapping_by_its_name(metered: str) -> None:
    """Those that are stored and presets have names; an unknown one is told with what is near."""
    Path("other.csv").write_text(FILE)

    async def store() -> None:
        pool = Pool(metered, Database())
        decoders = Plugins.installed().decoders()
        mapping = CsvMapping(id="ours", options={**MAPPING, "timezone": "UTC"})
        await Mappings(pool.tenant(), decoders).put(mapping)
        await pool.close()

    asyncio.run(store())
    given = ("import", "other.csv", "--meter", "m", "--mapping")
    right, wrong = run(metered, *given, "ours"), run(metered, *given, "be-fluvus")

    assert (right.exit_code, _created(right)) == (0, 1), right.output
    assert (wrong.exit_code, "did you mean 'be-fluvius'" in wrong.stderr) == (2, True)


def test_import_finds_the_format(metered: str) -> None:
    """`--format auto` takes what recognizes the file; the meter and channel stand for its names."""
    day = "300,20180102," + ",".join(["1"] * 24) + ",A\n"
    Path("day.csv").write_text(f"200,6305131234,E1,1,E1,,METER,KWH,60,\n{day}")

    result = run(
        metered, "import", "day.csv", "--format", "auto", "--meter", "m", "--channel", "import"
    )

    assert result.exit_code == 0, result.output
    assert _created(result) == 24


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("readings.csv", "--format", "auto"), 2, "--format auto: no format that can tell"),
        (("readings.csv", "--meter", "x"), 1, "there is no meter 'x'"),
        (("readings.csv", "--format", "cvs"), 2, "There is no format 'cvs' (did you mean 'csv'?)"),
        (("readings.csv", "--option", "delimiter"), 2, "expected KEY=VALUE"),
        (("readings.csv", "--option", "color=red"), 2, "color: there is no such field"),
        (("none.csv",), 2, "'none.csv' does not exist"),
    ],
)
def test_what_cannot_be_imported_is_told(
    metered: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """Exit code 1 for what fails, 2 for misuse; nothing is stored."""
    result = run(metered, "import", *arguments)

    assert result.exit_code == code
    assert message in result.stderr


def test_import_skips_problems_when_asked(metered: str) -> None:
    """The lines that are wrong are told with their numbers."""
    Path("bad.csv").write_text(CSV + "2018-01-01T02:30:00Z,1\n")

    refused = run(metered, "import", "bad.csv", "--meter", "m")
    stored = run(metered, "import", "bad.csv", "--meter", "m", "--skip-problems")

    assert (refused.exit_code, stored.exit_code) == (1, 0)
    assert "line 4" in refused.stderr
    assert "line 4: " in stored.stderr
    assert _created(stored) == 2
    assert re.search(r"1 │$", stored.stdout, re.MULTILINE)


def test_a_database_without_its_schema_is_told(empty_database: str) -> None:
    """`energia migrate` is for the operator to run."""
    result = run(empty_database, "import", "readings.csv", "--meter", "m")

    assert result.exit_code == 1
    assert "run `energia migrate` first" in result.stderr


def test_price_reads_a_stored_meter(metered: str) -> None:
    """The window is one of local days of the site."""
    window = ("--start", "2018-01-01T00:00:00Z", "--end", "2018-01-01T02:00:00Z")
    run(metered, "import", "readings.csv", "--meter", "m")

    result = run(metered, "price", "flat.json", "--meter", "m", *window, "--json")
    day = ("--start", "2018-01-01", "--end", "2018-01-02")
    gaps = run(metered, "price", "flat.json", "--meter", "m", *day)
    unknown = run(metered, "price", "night", "--meter", "m", *window)

    assert json.loads(result.stdout)["total"] == "0.88"
    assert gaps.exit_code == 1
    assert "no reading from 2018-01-01T02:00:00Z" in gaps.stderr
    assert (unknown.exit_code, unknown.stderr) == (1, "energia: there is no tariff 'night'\n")


def test_a_tariff_is_tried_on_a_stored_meter(metered: str) -> None:
    """3.5 kWh at 0.25, as they were imported."""
    run(metered, "import", "readings.csv", "--meter", "m")

    window = ("--meter", "m", "--start", "2018-01-01", "--end", "2018-01-01T02:00:00Z")
    result = run(metered, "plugins", "try", "flat.json", *window, "--json")

    assert json.loads(result.output)["total"] == "0.88"


def test_readings_and_meters_are_deleted_for_good(metered: str) -> None:
    """It asks before, unless told not to; what was deleted is counted."""
    run(metered, "import", "readings.csv", "--meter", "m")
    why = ("--reason", "request 17")
    before = ("meter", "delete-readings", "m", "--before", "2020-01-01", *why)

    unsure = run(metered, *before)
    sure = run(metered, *before, "--yes")
    meter = run(metered, "meter", "delete", "m", *why, "--yes")
    again = run(metered, "meter", "delete", "m", *why, "--yes")

    assert unsure.exit_code == 1
    assert sure.stdout == "2 readings of m before 2020-01-01T00:00:00Z are deleted\n"
    assert meter.stdout.startswith("0 readings of m before ")
    assert (again.exit_code, again.stderr) == (1, "energia: there is no meter 'm'\n")


def test_gas_is_stored_as_its_energy(metered: str, tmp_path: Path) -> None:
    """A cubic metre of 39.6 MJ, corrected by 1.02, is 11.22 kWh; without them it is refused."""
    file = tmp_path / "gas.csv"
    file.write_text("start,value\n2026-03-01T00:00:00Z,1\n", encoding="utf-8")
    arguments = ("import", str(file), "--meter", "m", "--option", "unit=m3")

    refused, wrong = run(metered, *arguments), run(metered, *arguments, "--gas", "39.6", "0")
    stored = run(metered, *arguments, "--gas", "39.6", "1.02")

    assert (refused.exit_code, wrong.exit_code, stored.exit_code) == (1, 2, 0)
    out = run(metered, "export", "--meter", "m", "--start", "2026-03-01", "--end", "2026-03-02")
    assert "11.22" in out.output
