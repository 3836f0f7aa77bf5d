"""`energia tariff import`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia

RATE = {
    "energyratestructure": [[{"rate": 0.1}]],
    "fixedchargefirstmeter": 5,
    "startdate": "2026-01-01",
    "sector": "Residential",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder with a rate."""
    monkeypatch.chdir(tmp_path)
    Path("rate.json").write_text(json.dumps(RATE))


def run(*arguments: str, database: str | None = None) -> Result:
    """Import the rate."""
    runner = CliRunner(env={"DATABASE_URL": database} if database else None)
    return runner.invoke(energia, ["tariff", "import", "rate.json", *arguments])


def test_the_tariff_is_printed_and_warnings_go_elsewhere() -> None:
    """So that the output can be sent on."""
    result = run("--timezone", "America/Chicago")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["timezone"] == "America/Chicago"
    assert "/fixedchargefirstmeter: it is charged once a bill" in result.stderr
    assert "1 fields describe the tariff" in result.stderr


def test_the_tariff_is_written_to_a_file() -> None:
    """With --output nothing is printed."""
    result = run("--timezone", "UTC", "--currency", "CAD", "--output", "tariff.json")

    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(Path("tariff.json").read_text())["currency"] == "CAD"


def test_the_tariff_is_stored(database: str) -> None:
    """Under the id that is given."""
    stored = run("--timezone", "UTC", "--save", "r-1", database=database)
    again = run("--timezone", "UTC", "--save", "r-1", database=database)

    assert (stored.exit_code, stored.stdout) == (0, "")
    assert "stored as r-1" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--timezone", "Mars"), "--timezone: there is no time zone 'Mars'"),
        (("--timezone", "UTC", "--format", "urdbb"), "did you mean 'urdb'?"),
        (("--timezone", "UTC", "--demand-interval", "1h"), "--demand-interval: expected"),
    ],
)
def test_wrong_options_are_told(arguments: tuple[str, ...], message: str) -> None:
    """With the name of the option."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr


def test_a_rate_that_cannot_be_priced_fails() -> None:
    """With the place in the file."""
    Path("rate.json").write_text('{"energyratestructure": [[{"rate": "x"}]]}')

    result = run("--timezone", "UTC")

    assert result.exit_code == 1
    assert "/energyratestructure/0/0/rate: 'x'" in result.stderr
    assert "rate.json: " in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [("[]", "there is no rate in it, or more than 1000"), ("{", "not JSON")],
)
def test_a_file_that_is_no_rate_is_named(content: str, message: str) -> None:
    """In the one line that says what is wrong."""
    Path("rate.json").write_text(content)

    result = run("--timezone", "UTC")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"energia: rate.json: {message}")
