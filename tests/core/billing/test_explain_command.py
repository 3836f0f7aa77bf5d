"""`energia explain`: a bill that a person reads from top to bottom."""

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from tests.core.billing.setting import day, store_household, success, tariff
from tests.core.billing.test_check import FEE
from tests.core.billing.test_explain import THIRDS
from tests.serving import Client

PEAK = """\
Bill b of c, 2025-03-01 to 2025-03-08 (UTC)

Energy, peak: 7.00 BRL   [energy.peak]
  21 kWh x 0.33333 BRL/kWh = 6.99993
  rounded half up to 2 decimals, which leaves -0.00007
  rule 1, peak: all 18:00-21:00: 21 slots, 21 kWh
    Sat 2025-03-01 18:00-21:00, 3 slots, 3 kWh
    Sun 2025-03-02 18:00-21:00, 3 slots, 3 kWh
    Mon 2025-03-03 18:00-21:00, 3 slots, 3 kWh
    ... 1 more ...
    Wed 2025-03-05 18:00-21:00, 3 slots, 3 kWh
    Thu 2025-03-06 18:00-21:00, 3 slots, 3 kWh
    Fri 2025-03-07 18:00-21:00, 3 slots, 3 kWh
"""
REST = """\
Energy, rest: 73.50 BRL   [energy.rest]
  147 kWh x 0.50 BRL/kWh = 73.5
  exact to 2 decimals
  default, rest: what no rule takes: 147 slots, 147 kWh
    Sat 2025-03-01 00:00-18:00, 18 slots, 18 kWh
    Sat 2025-03-01 21:00-Sun 2025-03-02 18:00, 21 slots, 21 kWh
"""
BASIC_FEE = """\
Basic fee: 7.00 BRL   [fee]
  2025-03: 7/31 = 7/31
  (7/31) month x 31 BRL/month = 7
  exact to 2 decimals
"""


@pytest.fixture(name="billed")
async def _billed(database: str, client: Client) -> str:
    """Give the URL of a database with the issued bill `b` of a week."""
    await store_household(client, tariff(THIRDS, FEE))
    await success(client, "POST", "/v1/bills", {"id": "b", "contract": "c", **day(1, 8)})
    await success(client, "POST", "/v1/bills/b/issue")
    return database


@pytest.fixture(name="explanation")
async def _explanation(billed: str, client: Client) -> dict[str, Any]:
    """Give what the API answers of that bill."""
    return await success(client, "GET", "/v1/bills/b/explain")


def explain(database: str, *arguments: str) -> Result:
    """Run `energia explain` on a database."""
    return CliRunner(env={"DATABASE_URL": database}).invoke(energia, ["explain", *arguments])


def test_a_person_can_read_it(billed: str) -> None:
    """Lines with slots, rules, arithmetic and rounding; then what the bill was made from."""
    result = explain(billed, "b")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(PEAK + "\n" + REST)
    assert BASIC_FEE in result.stdout
    last = result.stdout.splitlines()[-3:]
    assert last[0] == "tariff flat, version of 2025-01-01"
    assert re.fullmatch(r"made by energia \S+, tariff-time-of-use.*, tariff-fixed.*", last[1])
    assert re.fullmatch(r"readings of import \(import\), newest revision \S+", last[2])


def test_one_line_may_be_read_in_full(billed: str) -> None:
    """`--line` leaves out the others, `--all` no run of slots."""
    result = explain(billed, "b", "--line", "0", "--all")

    assert "Tue 2025-03-04 18:00-21:00, 3 slots, 3 kWh" in result.stdout
    assert "more ..." not in result.stdout
    assert "Energy, rest" not in result.stdout


def test_json_is_what_the_api_answers(billed: str, explanation: dict[str, Any]) -> None:
    """Both come from the same code."""
    result = explain(billed, "b", "--json")

    found = json.loads(result.stdout)
    assert found["lines"] == explanation["lines"]
    assert (found["bill"], found["total"]) == ("b", "87.50")


@pytest.fixture(name="corrected")
async def _corrected(billed: str, client: Client) -> None:
    """Correct the fee of the tariff, 31 a month, to 62."""
    dearer = tariff(THIRDS, {**FEE, "amount": "62"})
    await success(client, "PUT", "/v1/tariffs/flat?correction=a+wrong+fee", dearer)


@pytest.mark.usefixtures("corrected")
def test_a_correction_is_told(billed: str) -> None:
    """The bill is explained by what it is by; what was corrected follows, old and new."""
    lines = explain(billed, "b").stdout.splitlines()

    assert "  (7/31) month x 31 BRL/month = 7" in lines
    told, changed = lines[-2:]
    assert re.fullmatch(r"tariff flat was corrected on \d{4}-\d\d-\d\d: a wrong fee", told)
    assert changed == '  /versions/0/charges/1/amount: "31", now "62"'


def test_what_is_not_there_is_told(billed: str) -> None:
    """Exit code 1, in one line."""
    for arguments, message in (
        (("none",), "there is no bill 'none'"),
        (("b", "--line", "3"), "the bill has 3 lines, counted from 0"),
    ):
        result = explain(billed, *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr
        assert "Traceback" not in result.stderr
