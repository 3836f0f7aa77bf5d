"""The format `excel` of the plugin `meter-csv`: sheets of workbooks, as tables of texts."""

import re
import sys
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.convert import TEXT
from energia.errors import EnergiaError, Invalid, Malformed
from energia.metering.decoders import Problem, Reading
from energia_plugins.meter_csv.workbook import ExcelDecoder
from tests.plugins.csv_files import chunks, times


def book(rows: Sequence[Sequence[Any]], title: str = "Data") -> bytes:
    """Return a workbook with an empty first sheet and one of some rows."""
    made = openpyxl.Workbook()
    sheet = made.create_sheet(title)
    for row in rows:
        sheet.append(list(row))
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def decoded(data: bytes, **options: str) -> list[Reading | Problem]:
    """Decode the second sheet of a workbook."""
    decoder = ExcelDecoder()
    structured: object = TEXT.structure({"sheet": "Data"} | options, decoder.options)
    items = decoder.decode(chunks(data, 1000), structured)
    return [item for item in items if isinstance(item, Reading | Problem)]


ROWS: list[list[Any]] = [["Meter", 7], [], ["start", "value"], [datetime(2026, 3, 2), 0.1 + 0.2]]

WHOLE = book(ROWS)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize("sheet", ["Data", "#2"])
def test_a_sheet_is_a_table(sheet: str) -> None:
    """By its name or its place; rows have their numbers, numbers the digits that Excel keeps."""
    (found,) = decoded(book(ROWS), sheet=sheet, header="named", timezone="UTC", decimal=",")

    assert isinstance(found, Reading)
    assert (found.line, str(found.value), times([found])) == (4, "0.3", ["03-02 00:00"])


def test_dates_and_times_of_cells() -> None:
    """Dates, times and lengths are written as the options have them; what is blank is missing."""
    day = datetime(2026, 3, 2)
    rows: list[list[Any]] = [["d", "t", "value"], [day, time(0, 15), 1]]
    rows.append([day, timedelta(days=1), None])
    options = {"start_column": "d", "time_column": "t", "timezone": "UTC"}

    for date_format in ("iso", "%d.%m.%y"):
        found = decoded(book(rows), date_format=date_format, **options)
        assert times(found) == ["03-02 00:15", "03-03 00:00"]


@pytest.mark.parametrize(
    ("time_format", "written"), [("iso", time(0, 15)), ("%H:%M", time(0, 15)), ("%H:%M", "00:15")]
)
def test_a_day_as_a_time_is_the_end_of_the_day(time_format: str, written: time | str) -> None:
    """24:00 in a cell with the format of a time is one day, which openpyxl takes for a date."""
    rows: list[list[Any]] = [["d", "t", "value"], ["2026-03-02", written, 1]]
    rows.append(["2026-03-02", datetime(1900, 1, 1), 2])
    options = {"start_column": "d", "time_column": "t", "timezone": "UTC", "stamp": "end"}

    found = decoded(book(rows), time_format=time_format, **options)

    assert times(found) == ["03-02 00:15", "03-03 00:00"]


@pytest.mark.parametrize(
    ("name", "part", "other"),
    [
        ("xl/styles.xml", "<fill>.*?</fill>", "<fill/>"),
        ("xl/styles.xml", "<patternFill />", "<patternFill><extLst/></patternFill>"),
        ("xl/styles.xml", '<color theme="1" />', '<color rgb="FFF"/>'),
        ("docProps/core.xml", ">20[0-9]{2}-[^<]*<", ">yesterday<"),
    ],
)
def test_looks_that_only_excel_overlooks(name: str, part: str, other: str) -> None:
    """Exports have styles and properties that openpyxl refuses; dates are dates all the same."""
    with zipfile.ZipFile(BytesIO(book(ROWS))) as archive:
        content, count = re.subn(part, other, archive.read(name).decode())

    found = decoded(_with(name, content.encode()), header="named", timezone="UTC")

    assert count > 0
    assert times(found) == ["03-02 00:00"]


def test_what_is_refused() -> None:
    """Another sheet, a file that is none, a part that is too large or has a DOCTYPE."""
    with pytest.raises(Invalid, match="'Sheet', 'Data'"):
        decoded(book(ROWS), sheet="Other")
    with pytest.raises(Malformed, match="not a workbook"):
        decoded(b"start,value\n")
    with pytest.raises(Malformed, match="over 16777216 bytes"):
        decoded(_with("xl/sharedStrings.xml", b"<sst>" + b" " * 17 * 1024**2))
    with pytest.raises(Malformed, match="DOCTYPE"):
        decoded(
            _with("xl/workbook.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "a">]><x/>')
        )


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ('<row r="99999999999"><c r="A1"><v>1</v></c></row>', False),
        ('<row><c r="XFD1"/></row>', True),
    ],
)
def test_places_that_are_made_up(row: str, refused: bool) -> None:
    """A row of an immense number is not counted up to; one of too many columns is refused."""
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{row}</sheetData></worksheet>'.encode()

    with pytest.raises(Malformed if refused else Invalid):
        decoded(_with("xl/worksheets/sheet2.xml", sheet))


def _with(name: str, content: bytes) -> bytes:
    """Return a workbook of which one part is another."""
    file = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(book(ROWS))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
        if name not in old.namelist():
            new.writestr(name, content)
    return file.getvalue()


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_damage_is_told(at: int, damage: bytes) -> None:
    """Whatever is broken in a workbook: it is read, or refused."""
    data = bytearray(WHOLE)
    at %= len(data)
    data[at : at + len(damage)] = damage

    with suppress(EnergiaError):
        decoded(bytes(data), header="named", timezone="UTC")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal names what to install."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(Invalid, match=r"energia\[excel\]"):
        decoded(WHOLE)
