"""The preview of a file: what it may mean, by a mapping that an import takes as it is."""

import json
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.db.pool import Pool
from energia.errors import Invalid, Malformed
from energia.metering.proposals import head_of, preview
from energia.plugins import Plugins
from tests.plugins.test_meter_csv_files import CASES, expected_of, put_meter, stored_of
from tests.plugins.test_meter_excel import book
from tests.serving import Serving, make_core

PRESET = [path for path in sorted(CASES.glob("*.json")) if '"preset"' in path.read_text("utf-8")]
DECODERS = Plugins.installed().decoders()


def case_of(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return a case and its file."""
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case, (path.parent / case["file"]).read_bytes()


def seen(text: str, zone: str | None = "Europe/Vienna", **said: str) -> Any:
    """Return the preview of a text."""
    return preview(DECODERS["csv"], text.encode(), said, zone)


@pytest.mark.parametrize("path", PRESET, ids=lambda path: path.stem)
def test_the_preset_that_fits_is_found(path: Path) -> None:
    """The file of each operator is known by its columns, and has no line that is refused."""
    case, data = case_of(path)
    decoder = DECODERS["excel" if "xlsx" in path.stem else "csv"]
    found = preview(decoder, data, {}, case["meter"]["timezone"])

    assert (found.preset, found.problems) == (case["preset"], ())
    assert sum(day.slots for day in found.days) > 0


def test_a_column_of_units_is_found() -> None:
    """What it says is a thousand times as much, or as little; of power it is the unit."""
    energy = "start;u;value\n2026-03-02 00:00;Wh;1500\n2026-03-02 00:15;KWH;1,5\n"
    power = energy.replace("Wh", "kW").replace("KWH", "kW")

    assert seen(energy).mapping["unit_column"] == "u"
    assert {"power": "kW", "interval": "PT15M"}.items() <= seen(power).mapping.items()
    assert seen(energy.replace("KWH", "mWh")).mapping.keys().isdisjoint(("unit_column", "power"))


async def test_the_mapping_is_what_an_import_takes(serving: Serving, pool: Pool) -> None:
    """It is sent back as it came, and what is stored is what was shown."""
    case, data = case_of(CASES / "at-wien-date-time-apart.json")
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        await put_meter(client, case["meter"])
        async with client.post("/v1/imports/preview?meter=m", data=data) as answer:
            shown = await answer.json()
        query = {"format": "csv", "meter": "m", **shown["mapping"]}
        async with client.post("/v1/imports", params=query, data=data) as sent:
            assert sent.status == 200, await sent.text()
        expected = expected_of(case["right"]["readings"])
        assert await stored_of(client, case["meter"], sorted(expected)) == expected
    assert shown["days"][0] == {"day": "2023-04-09", "sum": "0.202", "slots": 2}


def test_a_file_without_a_preset_is_described() -> None:
    """Delimiter, decimal mark, header, columns and format are found; the zone is the site's."""
    found = seen(
        "Kunde;Haus\nVon;Bezug kWh;Preis\n31.03.2026 00:00;0,5;1\n31.03.2026 00:15;1,25;2\n"
    )

    assert found.mapping == {
        "delimiter": ";",
        "header": "named",
        "start_column": "Von",
        "date_format": "%d.%m.%Y %H:%M",
        "timezone": "Europe/Vienna",
        "value_column": "Bezug kWh",
        "decimal": ",",
    }
    assert [(str(day.day), str(day.sum), day.slots) for day in found.days] == [
        ("2026-03-31", "1.75", 2)
    ]


def test_a_file_with_a_few_faults_is_described() -> None:
    """Wrong cells and rows hide no column: the preview says what is right and what is not."""
    rows = [f"{day:02}.01.2026 00:00;{day},5" for day in range(1, 32)]
    rows[3], rows[7], rows[9] = "04.01.2026 00:00;abc", "31.02.2026 00:00;8,5", "no row"
    found = seen("\n".join(["Zeitpunkt;Verbrauch", *rows]))

    assert {name: found.mapping[name] for name in ("start_column", "value_column", "decimal")} == {
        "start_column": "Zeitpunkt",
        "value_column": "Verbrauch",
        "decimal": ",",
    }
    assert found.mapping["date_format"] == "%d.%m.%Y %H:%M"
    assert [(one.line, one.code) for one in found.problems] == [
        (5, "not_a_number"),
        (9, "bad_time"),
        (11, "missing_column"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a;b\nx;y\n", "no row has a date and a number"),
        (
            "a;b\n" + "01.02.2026 00:00;1\n2026-02-01 00:15;2\n" * 3,
            "no column has stamps of one form",
        ),
    ],
)
def test_why_no_stamps_are_found_is_told(text: str, why: str) -> None:
    """A proposal without a column of stamps says why there is none."""
    (doubt,) = [one for one in seen(text).doubts if one.option == "start_column"]

    assert (doubt.chosen, doubt.why) == (None, why)


@pytest.mark.parametrize(
    ("text", "option", "chosen", "alternatives"),
    [
        ("start,value\n01/02/2026 00:00,1\n", "date_format", "%d/%m/%Y %H:%M", ("%m/%d/%Y %H:%M",)),
        ("start,value\n2026-02-01 00:00,1\n", "timezone", "Europe/Vienna", ("UTC",)),
        ("t,value\n2026-02-01 00:00,1\n", "stamp", "start", ("end",)),
        ("start,a,b\n2026-02-01 00:00,1,2\n", "value_column", "a", ("b",)),
        ("start,value\n2026-02-01 00:00,1.250\n", "decimal", ".", (",",)),
        ("Start (kW),P (kW)\n2026-02-01 00:00,1\n", "interval", "PT15M", ("PT30M", "PT1H")),
        (
            "start,value,what\n2026-02-01 00:00,1,in\n2026-02-01 00:00,2,out\n",
            "where",
            None,
            ("what=in", "what=out"),
        ),
    ],
)
def test_what_cannot_be_told_is_a_doubt(
    text: str, option: str, chosen: str | None, alternatives: tuple[str, ...]
) -> None:
    """Each has what was chosen, what it may be instead, and why; saying it settles it."""
    (doubt,) = [one for one in seen(text).doubts if one.option == option]
    assert (doubt.chosen, doubt.alternatives) == (chosen, alternatives)
    assert doubt.why

    settled = seen(text, **{option: alternatives[0]})
    assert option not in [one.option for one in settled.doubts]
    assert settled.mapping[option] == alternatives[0]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("iso-8859-1", "iso-8859-1"),
    ],
)
def test_the_encoding_is_found(encoding: str, named: str | None) -> None:
    """UTF-8 needs no word; marks and zero bytes tell UTF-16; other bytes are latin-1, in doubt."""
    data = "start;Zähler kWh\n2026-03-01T00:00:00Z;0,5\n".encode(encoding)
    found = preview(DECODERS["csv"], data, {})

    assert found.mapping.get("encoding") == named
    assert [str(row.value) for row in found.rows] == ["0.5"]
    assert found.problems == ()


@pytest.mark.parametrize(
    "said", [{"encoding": "base64"}, {"encoding": "x"}, {"delimiter": '"'}, {"delimiter": "ab"}]
)
def test_what_is_said_may_be_wrong(said: dict[str, str]) -> None:
    """It is a problem of the preview, as it would be one of an import."""
    assert len(seen("start;value\n2026-03-01T00:00:00Z;0,5\n", **said).problems) == 1


def test_an_option_that_is_none_is_refused() -> None:
    """With the one that may be meant."""
    with pytest.raises(Invalid) as refused:
        seen("start,value\n", delimeter=";")

    (fault,) = refused.value.faults
    assert (fault.pointer, "delimiter" in fault.message) == ("/query/delimeter", True)


def test_without_a_meter_no_zone_is_proposed() -> None:
    """Rows are shown, but the mapping leaves the zone open, so that an import asks for it."""
    found = seen("start,value\n2026-02-01 00:00,1\n", zone=None)
    (doubt,) = [one for one in found.doubts if one.option == "timezone"]

    assert "timezone" not in found.mapping
    assert (doubt.chosen, doubt.alternatives) == (None, ())
    assert [str(row.start) for row in found.rows] == ["2026-02-01 00:00:00+00:00"]


def test_nothing_is_proposed_for_who_asks_for_nothing() -> None:
    """The file is read by what is said alone: no preset adds to it, and nothing is in doubt."""
    text = "Zeit;Wert;Rest\n01.02.2026 00:00;0,5;9\n"
    said = {"delimiter": ";", "decimal": ",", "start_column": "Zeit", "timezone": "UTC"}
    said |= {"value_column": "Wert", "date_format": "%d.%m.%Y %H:%M"}
    found = preview(DECODERS["csv"], text.encode(), said, propose=False)
    unsaid = preview(DECODERS["csv"], text.encode(), {"delimiter": ";"}, propose=False)

    assert (found.preset, found.mapping, found.doubts) == (None, said, ())
    assert str(found.rows[0].value) == "0.5"
    assert unsaid.mapping == {"delimiter": ";"}
    assert "there is no column 'start'" in unsaid.problems[0].message


def sheet(rows: list[list[Any]], **said: str) -> Any:
    """Return the preview of a workbook."""
    return preview(DECODERS["excel"], book(rows), {"sheet": "Data", **said}, "Europe/Vienna")


def test_a_sheet_is_described() -> None:
    """The columns of a workbook are found as those of a text are; its numbers are in no doubt."""
    day = datetime(2026, 3, 31)
    found = sheet([["Zähler", "1"], [], ["Datum", "Zeit", "Bezug kWh"], [day, time(0, 15), 0.125]])

    assert found.mapping == {
        "sheet": "Data",
        "header": "named",
        "start_column": "Datum",
        "date_format": "%Y-%m-%d",
        "time_column": "Zeit",
        "timezone": "Europe/Vienna",
        "value_column": "Bezug kWh",
    }
    assert [(row.line, str(row.value)) for row in found.rows] == [(4, "0.125")]
    assert {doubt.option for doubt in found.doubts} == {"timezone", "stamp"}
    assert found.problems == ()


def test_a_sheet_of_stamps_is_described() -> None:
    """Stamps of cells need no format; texts in cells have the one that they are written in."""
    stamps: list[list[Any]] = [
        ["Von", "kWh"],
        [datetime(2026, 3, 31), 1.5],
        [datetime(2026, 3, 31, 0, 15), 2],
    ]
    texts: list[list[Any]] = [["Von", "kWh"], ["31.03.2026 00:00", "1,5"]]

    assert "date_format" not in sheet(stamps).mapping
    assert sheet(texts).mapping["date_format"] == "%d.%m.%Y %H:%M"
    assert sheet(texts).mapping["decimal"] == ","
    assert [str(row.value) for row in (*sheet(stamps).rows, *sheet(texts).rows)] == [
        *("1.5", "2"),
        "1.5",
    ]


def test_a_workbook_that_cannot_be_looked_at() -> None:
    """What is none is refused, and what is too large, as a part of a workbook cannot be read."""
    with pytest.raises(Malformed, match="not a workbook"):
        preview(DECODERS["excel"], b"start,value\n", {})
    with pytest.raises(Malformed, match="less than 8388608 bytes"):
        preview(DECODERS["excel"], bytes(head_of(DECODERS["excel"])), {})


@given(st.binary(max_size=300) | st.text(" ;,.:-0129\n\"'Tabe", max_size=300).map(str.encode))
def test_anything_has_a_preview(data: bytes) -> None:
    """It never fails, and the same bytes always have the same one."""
    assert preview(DECODERS["csv"], data, {}) == preview(DECODERS["csv"], data, {})


def test_a_beginning_that_is_cut_off_is_no_problem() -> None:
    """Of a large file a megabyte is looked at; its last line may be half a one."""
    head = ("start,value\n" + "2026-03-01T00:00:00Z,0.5\n" * 50_000).encode()[: 1024**2]
    found = preview(DECODERS["csv"], head, {})

    assert (len(found.rows), found.problems) == (20, ())
