"""`energia plugins try`: a meter file under a tariff, without a database."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia

TARIFF: dict[str, Any] = {
    "name": "Mine",
    "currency": "EUR",
    "timezone": "Europe/Madrid",
    "versions": [
        {
            "valid_from": "2020-01-01",
            "charges": [
                {"kind": "energy.flat", "code": "bought", "rate": "0.2"},
                {"kind": "energy.flat", "code": "sold", "channel": "export", "rate": "-0.05"},
            ],
        }
    ],
}
#: Madrid's clock goes from 02:00 to 03:00 that day.
FILE = """at;reading;what
2026-03-29 00:00;1,5;import
2026-03-29 01:00;2;import
2026-03-29 03:00;2,5;import
2026-03-29 00:00;1;export
2026-03-29 01:00;1;export
2026-03-29 03:00;2;export
"""
OPTIONS = (
    *("--option", "start_column=at", "--option", "value_column=reading"),
    *("--option", "channel_column=what", "--option", "delimiter=;", "--option", "decimal=,"),
    *("--option", "date_format=%Y-%m-%d %H:%M", "--option", "timezone=Europe/Madrid"),
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder with a tariff and a meter file."""
    monkeypatch.chdir(tmp_path)
    Path("mine.json").write_text(json.dumps(TARIFF))
    Path("file.csv").write_text(FILE)


def run(*arguments: str) -> Result:
    """Try the tariff."""
    return CliRunner().invoke(energia, ["plugins", "try", "mine.json", *arguments])


def test_a_file_is_priced_by_role() -> None:
    """6 kWh at 0.2 and 4 sold at 0.05, though an hour of the night does not exist."""
    result = run("--file", "file.csv", *OPTIONS, "--json")

    cost = json.loads(result.output)
    assert [(line["code"], line["quantity"], line["amount"]) for line in cost["lines"]] == [
        ("bought", "6", "1.20"),
        ("sold", "4", "-0.20"),
    ]
    assert cost["total"] == "1.00"


def test_lines_are_printed_with_the_window_in_the_zone_of_the_tariff() -> None:
    """Quantity, rate and amount of each line, and the total."""
    result = run("--file", "file.csv", *OPTIONS)

    rows = [line.replace("│", " ").split() for line in result.output.splitlines()]
    title = " ".join(result.output.split()[:3])
    assert title == "2026-03-29T00:00:00+01:00 to 2026-03-29T04:00:00+02:00"
    assert ["Energy,", "bought", "6", "kWh", "0.2", "1.20"] in rows
    assert any("total" in row and "1.00" in row for row in rows)


def test_each_line_is_explained() -> None:
    """`--explain` shows the arithmetic and the slots."""
    result = run("--file", "file.csv", *OPTIONS, "--explain")

    assert "6 kWh x 0.2 EUR/kWh = 1.2" in result.output
    assert "Sun 2026-03-29 00:00-04:00, 3 slots, 6 kWh" in result.output


def test_what_was_assumed_is_told() -> None:
    """Slots without a reading are refused, or filled in on request."""
    Path("file.csv").write_text("start,value\n2026-03-02T00:00Z,1\n2026-03-02T02:00Z,1\n")
    Path("mine.json").write_text(json.dumps(TARIFF).replace('"export"', '"import"'))

    refused = run("--file", "file.csv", "--interval", "PT1H")
    filled = run("--file", "file.csv", "--interval", "PT1H", "--missing", "zero")

    assert refused.exit_code == 1
    assert "1 slots of the window have no reading" in refused.output
    assert "assumed: 1 missing slots of import count 0" in filled.output


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("start,value\n", (), "the file has no reading"),
        ("start,value\n2026-03-02T00:00Z,x\n", (), "line 2: "),
        ("start,value\n2026-03-02T00:00Z,1\n", (), "one reading does not tell how long a slot is"),
        ("start,value\n2026-03-02T00:00Z,1\n", ("--interval", "1h"), "is not a duration"),
        ("start,value\n2026-03-02T00:00Z,1\n2026-03-02T00:00Z,1\n", (), "line 3: a second reading"),
        (
            "start,value\n2026-03-02T00:00Z,1\n2026-03-02T00:50Z,1\n",
            ("--interval", "PT1H"),
            "2026-03-02T00:50:00Z is not on the grid of PT1H",
        ),
        (
            "start,value,m\n2026-03-02T00:00Z,1,a\n2026-03-02T01:00Z,1,b\n",
            ("--option", "meter_column=m"),
            "the file has 2 meters",
        ),
        (
            "start,value,c\n2026-03-02T00:00Z,1,a\n2026-03-02T01:00Z,1,b\n",
            ("--option", "channel_column=c", "--interval", "PT1H"),
            "the channel 'a' is no role",
        ),
        (
            "start,value\n1900-03-02T00:00Z,1\n2026-03-02T00:00Z,1\n",
            ("--interval", "PT1M"),
            "5000000 are the most",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    content: str, arguments: tuple[str, ...], message: str
) -> None:
    """One line says why."""
    Path("file.csv").write_text(content)

    result = run("--file", "file.csv", *arguments)

    assert result.exit_code == 1
    assert "file.csv: " in result.output
    assert result.output.count(message) == 1
    assert "Traceback" not in result.output


def test_something_must_be_priced() -> None:
    """Neither a file nor a meter, or a file twice, is wrong usage."""
    Path("usage.json").write_text("{}")

    assert "Give --file" in run().output
    assert "either --file or --usage" in run("--file", "file.csv", "--usage", "usage.json").output
    assert run().exit_code == 2


def test_a_column_of_ends_and_units_is_understood() -> None:
    """Stamps at the end of a slot, in watt-hours: one hour from midnight of 1500 Wh and so on."""
    Path("mine.json").write_text(json.dumps(TARIFF).replace('"export"', '"import"'))
    Path("file.csv").write_text("start,value\n2026-03-02T01:00Z,1500\n2026-03-02T02:00Z,500\n")

    result = run("--file", "file.csv", "--option", "stamp=end", "--option", "unit=Wh", "--json")

    cost = json.loads(result.output)
    assert cost["lines"][0]["quantity"] == "2"
