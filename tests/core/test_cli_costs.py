"""`energia price` and `energia compare` with what a cost may rest on."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia

TARIFF: dict[str, Any] = {
    "name": "Mine",
    "currency": "GBP",
    "timezone": "UTC",
    "versions": [
        {
            "valid_from": "2018-01-01",
            "charges": [{"kind": "energy.flat", "rate": {"parameter": "rate", "default": "1"}}],
        }
    ],
}
#: Two hours of January and two of February, one of which is missing.
CHANNEL = {"start": "2018-01-31T22:00:00Z", "values": [1, 2, 3, None]}
USAGE = {"timezone": "UTC", "interval": "PT1H", "channels": {"import": CHANNEL}}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder with a tariff and usage."""
    monkeypatch.chdir(tmp_path)
    Path("mine.json").write_text(json.dumps(TARIFF))
    Path("usage.json").write_text(json.dumps(USAGE))


def run(command: str, *arguments: str) -> Result:
    """Run a command on the files."""
    files = ("mine.json", "--usage", "usage.json")
    return CliRunner().invoke(energia, [command, *files, *arguments])


def test_price_fills_parameters_in() -> None:
    """`--parameter` takes exact numbers: 6 kWh at 0.1 are 0.60."""
    result = run("price", "--missing", "zero", "--parameter", "rate=0.1", "--json")

    assert json.loads(result.output)["total"] == "0.60"


def test_a_cost_with_fractions_is_json_too() -> None:
    """How a part of a month was worked out is exact: 1/31."""
    charge = {"kind": "fixed", "amount": "31", "per": "month"}
    version = {"valid_from": "2018-01-01", "charges": [charge]}
    Path("mine.json").write_text(json.dumps({**TARIFF, "versions": [version]}))

    cost = json.loads(run("price", "--missing", "zero", "--json").output)

    assert [step["value"] for step in cost["details"][0]["steps"]] == ["1/31", "1/28"]
    assert cost["lines"][0]["exact"] == "59/28"


def test_price_says_what_it_filled_in() -> None:
    """The mean of the three known hours is 2."""
    result = run("price", "--missing", "estimate")

    assert result.exit_code == 0
    assert "8.00" in result.output
    assert "assumed: 1 missing slots of import are estimated" in result.output


def test_price_tells_versions_apart() -> None:
    """Two lines of one code say which version charges them; so do explanations."""
    (version,) = TARIFF["versions"]
    cut = [
        {**version, "valid_to": "2018-02-01"},
        {"valid_from": "2018-02-01", "charges": [{"kind": "energy.flat", "rate": "2"}]},
    ]
    Path("mine.json").write_text(json.dumps({**TARIFF, "versions": cut}))

    printed, explained = (
        run("price", "--missing", "zero", *options).output for options in ([], ["--explain"])
    )

    # 3 kWh at 1 and 3 kWh at 2.
    assert "Energy (from 2018-01-01)" in printed
    assert "9.00" in printed
    assert "Energy (from 2018-02-01): 6.00 GBP   [energy.flat]" in explained
    assert "3 kWh x 2 GBP/kWh = 6" in explained


def test_price_groups() -> None:
    """Each month has a row, and the lines are of both."""
    result = run("price", "--missing", "zero", "--group", "P1M")

    assert result.exit_code == 0
    rows = [line.replace("│", " ").split() for line in result.output.splitlines()]
    assert any("2018-01-31T22:00:00Z" in row and "3.00" in row for row in rows)
    assert any("2018-02-01T00:00:00Z" in row and "3.00" in row for row in rows)
    assert any("total" in row and "6.00" in row for row in rows)


def test_compare_takes_them_too() -> None:
    """The same options say what is compared."""
    result = run("compare", "--missing", "zero", "--parameter", "rate=0.5", "--json")

    assert json.loads(result.output)["ranking"][0]["total"] == "3.00"


def test_compare_says_that_it_took_months() -> None:
    """Two months are two bills, in words and in JSON, unless one bill is asked for."""
    window = ("--missing", "zero", "--start", "2018-01-01", "--end", "2018-03-01")

    printed, shown = run("compare", *window), run("compare", *window, "--json")
    whole = run("compare", *window, "--group", "whole")

    assert "assumed: the window is longer than 45 days: it is priced as 2 bills" in printed.output
    assert json.loads(shown.output)["group"] == "P1M"
    assert "longer than 45 days" not in whole.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 1, "1 slots of the window have no reading"),
        (("--parameter", "kva=3"), 1, "no charge asks for the parameter 'kva'"),
        (("--parameter", "rate"), 2, "--parameter rate: expected NAME=VALUE."),
        (("--known-at", "2018-01-01T00:00:00Z"), 2, "--known-at is about the stored readings"),
        (("--group", "P1W"), 2, "'P1W' is not one of"),
        (("--group", "P1M", "--explain"), 2, "--explain is about one period"),
    ],
)
def test_what_does_not_fit_is_told(arguments: tuple[str, ...], code: int, message: str) -> None:
    """In one line, with an exit code that tells usage errors apart."""
    result = run("price", *arguments)

    assert result.exit_code == code
    assert message in result.output


def test_prices_come_from_a_file() -> None:
    """Without them the series is not known, as files need no database."""
    charge = {"kind": "energy.dynamic", "series": "spot"}
    version = {"valid_from": "2018-01-01", "charges": [charge]}
    Path("mine.json").write_text(json.dumps({**TARIFF, "versions": [version]}))
    prices = {"start": CHANNEL["start"], "interval": "PT2H", "values": ["0.1", "0.2"]}
    Path("prices.json").write_text(json.dumps({"spot": prices}))

    priced = run("price", "--missing", "zero", "--prices", "prices.json", "--json")
    refused = run("price", "--missing", "zero", "--json")

    assert json.loads(priced.output)["total"] == "0.90"
    assert refused.exit_code == 1
    assert "there is no price series 'spot'" in refused.output
