"""`docs/meter-csv.md` tells every option of both formats, and its examples can be sent."""

import re
from urllib.parse import parse_qsl

import attrs
import pytest

from energia.convert import TEXT
from energia_plugins.meter_csv.options import CsvOptions
from energia_plugins.meter_csv.workbook import ExcelOptions
from tests.imports import ROOT

PAGE = (ROOT / "docs/meter-csv.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^format=csv\S*$", PAGE, re.MULTILINE)


def test_every_option_has_its_row() -> None:
    """A table names each option once."""
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)

    options = {
        field.name for class_ in (CsvOptions, ExcelOptions) for field in attrs.fields(class_)
    }
    assert sorted(rows) == sorted(options)


@pytest.mark.parametrize("query", QUERIES)
def test_the_examples_fit(query: str) -> None:
    """Each query that is shown is one that the service takes."""
    options = {name: value for name, value in parse_qsl(query) if name not in ("format", "meter")}

    assert isinstance(TEXT.structure(options, CsvOptions), CsvOptions)


def test_there_are_examples() -> None:
    """The layouts that people have most are shown."""
    assert len(QUERIES) > 8
