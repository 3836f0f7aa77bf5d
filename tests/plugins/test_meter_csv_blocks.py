"""Rows that are read many at a time say the same as one by one."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import EnergiaError
from energia_plugins.meter_csv import layouts, text
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
        found = outcome(file, options)
        patch.setattr(text.Table, "columns", lambda *_: None)
        expected = outcome(file, options)

    assert found == expected


def test_plain_pieces_are_columns() -> None:
    """What has neither quotes nor rows of another width is read as columns, from line to line."""
    plain = "".join(f"a,{number}\n" for number in range(20_000))
    table = text.Table([f"meter,value\n{plain}".encode()], "utf-8", None)
    first = next(table.rows)
    by_rows = [next(table.rows) for _ in range(table.left(10**6))]

    lines, columns = table.columns(2) or (range(0), [])

    assert (first, by_rows[0]) == ((1, ["meter", "value"]), (2, ["a", "0"]))
    assert lines.start == by_rows[-1][0] + 1
    assert columns[1] == [str(line - 2) for line in lines]


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
