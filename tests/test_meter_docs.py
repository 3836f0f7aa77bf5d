"""`meter-csv.md` tells every option of both formats, `meters.md` every unit."""

import re
from urllib.parse import parse_qsl

import attrs
import pytest

from energia.convert import TEXT
from energia.units import QUANTITIES, UNITS, unit
from energia_plugins.meter_csv.options import CsvOptions
from energia_plugins.meter_csv.workbook import ExcelOptions
from tests.imports import ROOT

METERS = (ROOT / "docs/how-to/meters.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/reference/meter-csv.md").read_text(encoding="utf-8")
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


def test_every_unit_is_listed_with_what_it_measures() -> None:
    """The table of `docs/how-to/meters.md` is that of the core."""
    rows = re.findall(r"^\| (`\w+`.*?) \| (`\w+`.*) \| (\w+) \|$", METERS, re.MULTILINE)
    listed = {
        (name, canonical): set(re.findall(r"`(\w+)`", quantities))
        for quantities, names, canonical in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    units = [unit(name) for name in UNITS]
    expected = {
        (one.name, one.canonical): {quantity for quantity in QUANTITIES if one.fits(quantity)}
        for one in units
    }

    assert listed == expected
