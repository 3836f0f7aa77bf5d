"""The decoder of `docs/how-to/meters.md` is true: it reads its files, and keeps to the contract."""

import re
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from energia import Malformed, NameOptions, Problem, Run
from energia.plugins import Plugins
from energia.testing import check_decoder
from tests.imports import ROOT

PAGE = (ROOT / "docs/how-to/meters.md").read_text(encoding="utf-8")
HEAD = b"acme;UC-7;import;kWh\n"
DAY = b"2026-03-01;E" + b";0.25" * 23 + b";\n"


@pytest.fixture(name="decoder")
def _decoder() -> Any:
    """Give the decoder that the page shows."""
    shown = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (source,) = [text for text in shown if "register_decoders" in text]
    module = ModuleType("acme")
    exec(compile(source, "acme.py", "exec"), module.__dict__)
    return Plugins.of(acme=module).decoders()["acme"]


def test_a_row_is_a_day(decoder: Any) -> None:
    """Of 24 hours, exact; an empty cell is missing."""
    (run,) = decoder.decode([HEAD, DAY], NameOptions(meters="UC-7:m"))

    values = [*[Decimal("0.25")] * 23, None]
    assert run == Run(2, 1_772_323_200, 3600, values, 5, "m", "import", "kWh")


@pytest.mark.parametrize("row", [b"", b"2026-03-01;A;1", b"x", b"2026-13-01;A" + b";1" * 24])
def test_another_row_is_a_problem(decoder: Any, row: bytes) -> None:
    """It has its line, and the file goes on."""
    problem, run = decoder.decode([HEAD, row + b"\n", DAY], NameOptions())

    assert isinstance(problem, Problem)
    assert (problem.line, run.line) == (2, 3)


def test_another_file_is_refused(decoder: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(Malformed, match="line 1 does not say acme"):
        list(decoder.decode([b"start,value\n"], NameOptions()))


def test_it_conforms(decoder: Any) -> None:
    """By all that authors are told to check."""
    check_decoder(decoder)
