"""Rows that are read many at a time say the same as one by one."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import Decimals, EnergiaError, Malformed, Readings
from energia.convert import TEXT
from energia_plugins.meter_csv import layouts, text
from energia_plugins.meter_csv.decoder import CsvDecoder
from tests.plugins.csv_files import decoded

#: Two hours before clocks go back in London.
BEGIN = datetime(2026, 10, 24, 22)
#: How far the next row is: on, back, at the same time, or over a day.
STEPS = st.sampled_from([30, 30, 30, 30, 60, 0, -30, 1440])
CELLS = st.sampled_from(["1", "2.5", "", "x"])


@given(
    rows=st.lists(st.tuples(STEPS, CELLS), min_size=1, max_size=40),
    size=st.integers(1, 6),
    ends=st.booleans(),
    word=st.sampled_from(["", "Z", "+01:00", "?"]),
)
def test_blocks_do_not_matter(
    rows: list[tuple[int, str]], size: int, ends: bool, word: str
) -> None:
    """Local time, the hour that comes twice, blanks, faults: wherever blocks begin and end."""
    moment, lines = BEGIN, ["start,value"]
    for index, (step, cell) in enumerate(rows):
        moment += timedelta(minutes=step)
        lines.append(f"{moment:%Y-%m-%d %H:%M}{word if index % 5 == 4 else ''},{cell}")
    options = {"timezone": "Europe/London", "stamp": "end" if ends else "start"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "_BLOCK", size)
        found = decoded("\n".join(lines), options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts.LongLayout, "_of_block", lambda *_: None)
        expected = decoded("\n".join(lines), options)

    assert found == expected


@given(
    rows=st.lists(st.tuples(st.sampled_from("aab"), STEPS, CELLS), min_size=1, max_size=60),
    size=st.integers(1, 30),
    few=st.integers(1, 4),
)
def test_series_that_follow_each_other_do_not_matter(
    rows: list[tuple[str, int, str]], size: int, few: int
) -> None:
    """Rows of several meters are read series by series, or each by itself: it is the same."""
    moment, lines = BEGIN, ["meter,start,value"]
    for meter, step, cell in rows:
        moment += timedelta(minutes=step)
        lines.append(f"{meter},{moment:%Y-%m-%d %H:%M},{cell}")
    options = {"timezone": "Europe/London", "meter_column": "meter"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "_BLOCK", size)
        patch.setattr(layouts, "_FEW", few)
        found = decoded("\n".join(lines), options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts.LongLayout, "_of_block", lambda *_: None)
        expected = decoded("\n".join(lines), options)

    assert found == expected


#: Rows that are as plain ones, and such that are not, by meter, time and value.
FORMS = st.sampled_from(
    [
        *["{},{},{}\n"] * 6,
        *("{},{},{}\r\n", '{},{},"{}"\n', '{},"{}\n",{}\n', "{},{},{},\n", "{},{},{},9\n"),
        *("\n{},{},{}\n", "{},{}\n", "{},{}\n,{}\n", ",,\n{},{},{}\n", "{}\r,{},{}\n"),
    ]
)


@given(
    rows=st.lists(st.tuples(FORMS, st.sampled_from("aaab"), STEPS, CELLS), max_size=40),
    longest=st.integers(60, 400),
    few=st.integers(1, 4),
    ended=st.booleans(),
)
def test_columns_do_not_matter(
    rows: list[tuple[str, str, int, str]], longest: int, few: int, ended: bool
) -> None:
    """Pieces of a text are read column by column, or row by row: it is the same, lines too."""
    moment, lines = BEGIN, ["meter,start,value\n"]
    for form, meter, step, cell in rows:
        moment += timedelta(minutes=step)
        lines.append(form.format(meter, f"{moment:%Y-%m-%d %H:%M}", cell))
    options = {"timezone": "Europe/London", "meter_column": "meter"}
    file = "".join(lines)
    file = file if ended else file.removesuffix("\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LONGEST", longest)
        patch.setattr(layouts, "_FEW", few)
        patch.setattr(layouts, "_RARE", 0)
        found = outcome(file, options)
        patch.setattr(text.Table, "plain_rows", lambda *_: None)
        expected = outcome(file, options)

    assert found == expected


def test_plain_pieces_are_read_together() -> None:
    """What has neither quotes nor rows of another width is read as columns, from line to line."""
    lines = "".join(f"a,{number}\n" for number in range(200_000))
    table = text.Table([f"meter,value\n{lines}".encode()], "utf-8", None)
    first = next(table.rows)
    by_rows = [next(table.rows) for _ in range(table.left(10**6))]

    plain = table.plain_rows(2)

    assert plain is not None
    assert (first, by_rows[0]) == ((1, ["meter", "value"]), (2, ["a", "0"]))
    assert plain.lines.start == by_rows[-1][0] + 1
    assert len(plain.lines) > 2 * len(by_rows)
    assert plain.columns[1] == [str(line - 2) for line in plain.lines]


@pytest.mark.parametrize("stamp", ["2026-06-02T00:00Z", "2026-06-02 00:00"])
def test_plain_columns_are_read_as_bytes(stamp: str) -> None:
    """Of plain numbers no object is made, with offsets and in local time."""
    decoder = CsvDecoder()
    options: object = TEXT.structure({"timezone": "Europe/Vienna"}, decoder.options)
    rows = [f"{stamp[:8]}{day:02}{stamp[10:]},{day}.50\n" for day in range(1, 29)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LONGEST", 200)
        *_, last = decoder.decode_many(["".join(["start,value\n", *rows]).encode()], options)

    assert isinstance(last, Readings)
    assert isinstance(last.values, Decimals)
    assert last.lines[-1] == 29
    assert str(last.values[-1]) == "28.50"


def test_what_is_wrong_comes_after_what_was_read_ahead() -> None:
    """Pieces that are read together are given before the fault of the file that follows them."""
    plain = "start,value\n" + "2026-03-02T00:00Z,1\n" * 20_000
    decoder = CsvDecoder()
    options: object = TEXT.structure({}, decoder.options)
    items = decoder.decode([plain.encode(), b"\xff"], options)
    found = list[int]()

    with pytest.raises(Malformed, match="at or after line 20002"):
        found.extend(item.line for item in items)

    assert found == list(range(2, 20_002))


#: What a column may be: numbers as they come and such that are not plain, and stamps of formats.
NUMBERS = st.one_of(
    *[st.decimals(-(10**9), 10**9, places=places).map(str) for places in (0, 1, 3, 6)],
    st.from_regex(r"-?[0-9]{0,9}\.?[0-9]{0,9}", fullmatch=True),
    st.sampled_from(["0", "-0", "-0.0", "+1", "1e3", " 1", "1 ", "", "n/a", ".", "-", "1.2.3"]),
)
MOMENTS = st.datetimes(datetime(1999, 1, 1), datetime(2099, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
FORMATS = st.sampled_from(
    [
        *(
            ("iso", "%Y-%m-%dT%H:%M:%SZ"),
            ("iso", "%Y-%m-%d %H:%M"),
            ("iso", "%Y-%m-%dT%H:%M+05:30"),
        ),
        *(("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"), ("%d %b %y %I:%M%p", "%d %b %y %I:%M%p")),
        *(("%Y%m%d%H%M", "%Y%m%d%H%M"), ("%d.%m.%YT%H", "%d.%m.%YT%H"), ("iso", "%Y-%m-%d")),
    ]
)


@given(
    numbers=st.lists(st.lists(NUMBERS, min_size=1, max_size=3), min_size=4, max_size=30),
    moment=MOMENTS,
    formats=FORMATS,
    names=st.lists(st.text("ab", min_size=1, max_size=20), min_size=1, max_size=3),
    note=st.sampled_from(["", "\u00e9"]),
    rare=st.sampled_from([0, 8, 128]),
)
def test_bytes_do_not_matter(
    numbers: list[list[str]],
    moment: datetime,
    formats: tuple[str, str],
    names: list[str],
    note: str,
    rare: int,
) -> None:
    """Columns are bytes, or texts where a letter is none of ASCII, or rows: it is the same."""
    declared, written = formats
    lines = ["meter,start,value,note", "a,x,y,z"]
    for at, cells in enumerate(numbers):
        for cell in cells:
            stamp = (moment + timedelta(minutes=30 * len(lines))).strftime(written)
            lines.append(f"{names[at * len(names) // len(numbers)]},{stamp},{cell},{note}")
    options = {"timezone": "Europe/London", "meter_column": "meter", "date_format": declared}
    file = "\n".join(lines)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LONGEST", 100)
        patch.setattr(layouts, "_FEW", 1)
        patch.setattr(layouts, "_RARE", rare)
        found = outcome(file, options)
        patch.setattr(text.Table, "plain_rows", lambda *_: None)
        expected = outcome(file, options)

    assert found == expected
    assert str(found) == str(expected)


def outcome(file: str, options: dict[str, str]) -> object:
    """Return what a file says, or what is wrong with all of it."""
    try:
        return decoded(file, options)
    except EnergiaError as error:
        return str(error)


@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=4))
def test_whole_days_do_not_matter(days: list[list[str]]) -> None:
    """A day is read at once or cell by cell, also one on which clocks change."""
    lines = ["day,00:00,01:00,02:00,03:00"]
    lines += [f"2026-03-{27 + at},{','.join(cells)}" for at, cells in enumerate(days)]
    options = {
        **{"timezone": "Europe/London", "start_column": "day", "date_format": "%Y-%m-%d"},
        "wide": "00:00..03:00",
    }

    found = decoded("\n".join(lines), options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts.WideLayout, "_whole", lambda *_: None)
        expected = decoded("\n".join(lines), options)

    assert found == expected


@given(
    days=st.lists(
        st.lists(st.sampled_from(["1", "2.5", "0.125"] * 6 + ["", "x"]), min_size=4, max_size=4),
        min_size=1,
        max_size=25,
    ),
    names=st.lists(st.sampled_from(["a", "meter-b"]), min_size=1, max_size=4),
    first=st.sampled_from(["2026-03-27", "2026-10-20", "2026-06-01"]),
    counted=st.booleans(),
    stamp=st.sampled_from(["start", "end"]),
)
def test_days_together_do_not_matter(
    days: list[list[str]], names: list[str], first: str, counted: bool, stamp: str
) -> None:
    """Days are read many at once or row by row, by the clock and counted: it is the same."""
    lines = ["meter,day,#,00:00,06:00,12:00,18:00", "a,x,,,,,"]
    for at, cells in enumerate(days):
        day = datetime.fromisoformat(first) + timedelta(at % 9)
        lines.append(f"{names[at * len(names) // len(days)]},{day:%Y-%m-%d},,{','.join(cells)}")
    options = {"timezone": "Europe/London", "meter_column": "meter", "start_column": "day"}
    options |= {"wide": "00:00..18:00", "stamp": stamp, "date_format": "%Y-%m-%d"}
    if counted:
        options |= {"time_format": "number", "interval": "PT6H"}
    file = "\n".join(lines)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LONGEST", 80)
        patch.setattr(layouts, "_PART", 8)
        found = outcome(file, options)
        patch.setattr(text.Table, "plain_rows", lambda *_: None)
        expected = outcome(file, options)

    assert found == expected
