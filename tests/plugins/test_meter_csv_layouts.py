"""The plugin `meter-csv`: layouts of rows and columns, and which rows are read."""

from decimal import Decimal
from itertools import pairwise

import pytest

from energia.convert import TEXT
from energia.errors import Invalid, Malformed
from energia.metering.decoders import MeterRead, Problem, Reading
from energia.plugins import Plugins
from energia_plugins import meter_csv
from tests.plugins.csv_files import decoded, times

ISO = "2026-03-02T00:00:00Z"
LONDON = {"timezone": "Europe/London", "date_format": "%d/%m/%Y", "start_column": "Date"}


def values(items: list[Reading | Problem]) -> list[str]:
    """Return the values of readings as text, and the codes of problems."""
    return [item.code if isinstance(item, Problem) else str(item.value) for item in items]


def targets(items: list[Reading | Problem]) -> list[tuple[str | None, str | None, str]]:
    """Return the meter, the channel and the value of readings."""
    return [
        (item.meter, item.channel, str(item.value)) for item in items if isinstance(item, Reading)
    ]


def lengths(items: list[Reading | Problem]) -> set[int | None]:
    """Return how long the slots of readings are; None where that is not told."""
    return {
        None if item.start is None or item.end is None else item.end - item.start
        for item in items
        if isinstance(item, Reading)
    }


# Where the header is.


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ("", {}),
        ("sep=,\n", {}),
        ("\n,,\n", {}),
        ("Meter,7\nFrom,To,kWh\n", {"header": "named"}),
        ("Meter,7\n\nFrom,To,kWh\n", {"header": "4"}),
        ('"two\nlines",x\n', {"header": "3"}),
    ],
)
def test_the_header_is_found(before: str, options: dict[str, str]) -> None:
    """Below blank rows, below `sep=`, by its names or by its line; lines are those of the file."""
    text = f"{before}start,value\n{ISO},1\n"

    (found,) = decoded(text, options)

    assert isinstance(found, Reading)
    assert (found.line, found.value) == (text.count("\n"), Decimal(1))


@pytest.mark.parametrize(
    ("header", "word"),
    [("named", "line 2 has 'start', 'kWh'"), ("9", "line 9"), ("first", "`header=named`")],
)
def test_a_header_that_is_not_there(header: str, word: str) -> None:
    """The refusal tells what was found, and what to say."""
    with pytest.raises(Invalid) as caught:
        decoded(f"Meter,7\nstart,kWh\n{ISO},1\n", {"header": header})

    assert word in caught.value.faults[0].message


def test_columns_by_their_places() -> None:
    """Of several columns of one name one is chosen; a file without a header has places only."""
    row = f"{ISO},1,2\n"

    second = decoded("start,value,value\n" + row, {"value_column": "#3"})
    bare = decoded(row, {"header": "none", "start_column": "#1", "value_column": "#2"})
    wider = decoded(
        row + f"{ISO},1,2,5\n", {"header": "none", "start_column": "#1", "value_column": "#2"}
    )

    assert values(second + bare) == ["2", "1"]
    assert values(wider) == ["1", "surplus_column"]
    for option, place in (("value_column", "#4"), ("value_column", "value")):
        with pytest.raises(Invalid, match=r"there (is no|are several) column"):
            decoded("start,value,value\n" + row, {option: place})


def test_the_first_line_names_the_delimiter() -> None:
    """Without an option it is believed; against an option it is refused."""
    assert values(decoded(f"sep=;\nstart;value\n{ISO};1,5\n", {"decimal": ","})) == ["1.5"]
    assert values(decoded(f"start\tvalue\n{ISO}\t1\n", {"delimiter": "tab"})) == ["1"]
    with pytest.raises(Invalid) as caught:
        decoded("sep=;\nstart;value\n", {"delimiter": ","})
    assert [fault.pointer for fault in caught.value.faults] == ["/query/delimiter"]


# Which rows are read.


@pytest.mark.parametrize(
    ("where", "read"),
    [
        ("Type=A", "1"),
        ("Type=A,Type=B", "1 2"),
        ("Type!=A,Type!=Total*", "2 3"),
        ("Type=A*,Other!=x", ""),
        ("Other!=", "1 2"),
        ('"Type=B,C"', "3"),
    ],
)
def test_rows_are_chosen_by_their_words(where: str, read: str) -> None:
    """Words of one column are alternatives, columns are not; `*` is any rest."""
    rows = ("A,x,1", "B,x,2", '"B,C",,3', "Total of all,,9")
    text = "Type,Other,value,start\n" + "".join(f"{row},{ISO}\n" for row in rows)

    found = decoded(text, {"where": where})

    assert " ".join(value for value in values(found) if value != "9") == read


def test_rows_that_are_no_readings_are_left_out_by_rule() -> None:
    """The end of a table, last rows, a short total; the header once more, and blanks."""
    text = f"start,value\n{ISO},1\n,\nstart,value\n{ISO},2\nTotal,3\nsigned\n"

    assert values(decoded(text, {"footer_rows": "2"})) == ["1", "2"]
    assert values(decoded(text, {"until": "Total"})) == ["1", "2"]
    assert values(decoded(text, {"where": "start!=Total,start!=signed"})) == ["1", "2"]
    told = decoded(text)
    assert values(told) == ["1", "2", "bad_time", "missing_column"]
    assert "`footer_rows`" in str(told[2])


def test_series_side_by_side_may_end_apart() -> None:
    """A row with neither a stamp nor a value of a series is none of it."""
    text = f"start,value,start,value\n{ISO},1,{ISO},2\n,,{ISO},3\n"
    options = {"start_column": "#1", "value_column": "#2"}

    assert values(decoded(text, options)) == ["1"]
    assert values(decoded(text + ",5,,\n", options)) == ["1", "bad_time"]


# Whose values they are.


def test_columns_of_several_channels_and_meters() -> None:
    """Each target has its column, or the sum of several."""
    text = f"start,A,B,C+\n{ISO},1,2,0.5\n"

    found = decoded(text, {"values": "import=A,m2/import=B,m3/=C+"})
    summed = decoded(text, {"values": "A,B,import=C+"})

    assert targets(found) == [(None, "import", "1"), ("m2", "import", "2"), ("m3", None, "0.5")]
    assert targets(summed) == [(None, None, "3"), (None, "import", "0.5")]


@pytest.mark.parametrize(
    ("blank", "expected"), [("refuse", "not_a_number"), ("zero", "1"), ("missing", "None")]
)
def test_a_sum_with_a_blank(blank: str, expected: str) -> None:
    """It is refused unless it is said what it means; all blank is missing."""
    text = f"start,T1,T2\n{ISO},1,\n{ISO},,\n"

    assert values(decoded(text, {"values": "T1,T2", "sum_blank": blank})) == [expected, "None"]


def test_words_name_meters_channels_and_qualities() -> None:
    """A word has a meaning, or leaves its rows out; what was not told is a problem of the row."""
    rows = ('="54",Bezug,VAL', "54,Lieferung,est", "54,Gas,VAL", "55,Bezug,VAL", "56,Bezug,VAL")
    text = "ean,kind,q,start,value\n" + "".join(f"{row},{ISO},1\n" for row in rows)
    options = {
        "meter_column": "ean",
        "meter_words": "54=home,55=",
        "channel_column": "kind",
        "channel_words": "Bezug=import,Lieferung=other/export,Gas=",
        "quality_column": "q",
        "quality_words": "EST=estimated,*=validated",
    }

    found = decoded(text, options)

    assert targets(found) == [("home", "import", "1"), ("other", "export", "1")]
    assert [one.quality for one in found if isinstance(one, Reading)] == [2, 5]
    assert [(one.line, one.code) for one in found if isinstance(one, Problem)] == [
        (6, "unknown_meter")
    ]


# Values.


@pytest.mark.parametrize(
    ("cell", "options", "value"),
    [
        ("0.4", {"power": "kW", "interval": "PT15M"}, "0.1"),
        ("0.6", {"power": "kW", "interval": "PT10M"}, "0.1"),
        ("5 kWh", {"unit": "kWh"}, "5"),
        ("2", {"factor": "40"}, "80"),
        ("\u22121.5", {}, "-1.5"),
        ("-", {"missing_words": "-,N/A"}, "None"),
        ("1\u202f234\u00a0567", {"thousands": " "}, "1234567"),
        ('"=""1.5"""', {}, "1.5"),
        ("0.219", {"thousands": ".", "decimal": ","}, "not_a_number"),
        ("12.34", {"thousands": ".", "decimal": ","}, "not_a_number"),
        ("1.2345", {"thousands": ".", "decimal": ","}, "not_a_number"),
        ("012.345", {"thousands": ".", "decimal": ","}, "not_a_number"),
    ],
)
def test_what_cells_of_values_say(cell: str, options: dict[str, str], value: str) -> None:
    """Power becomes energy by the interval; words may be missing; groups have three digits."""
    assert values(decoded(f"start;value\n{ISO};{cell}\n", {"delimiter": ";"} | options)) == [value]


def test_power_says_the_unit_of_its_energy() -> None:
    """Kilowatts over an interval are kilowatt-hours."""
    (found,) = decoded(f"start,value\n{ISO},3\n", {"power": "W", "interval": "PT20M"})

    assert isinstance(found, Reading)
    assert (found.value, found.unit) == (Decimal(1), "Wh")


# A row for each day.


def day(date: str, cells: list[str], names: list[str]) -> str:
    """Return a file of one day."""
    return f"Date,{','.join(names)}\n{date},{','.join(cells)}\n"


HALF_HOURS = [f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48)]


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (HALF_HOURS, {"wide": "00:00..23:30"}),
        ([*HALF_HOURS[1:], "00:00"], {"wide": "00:30..00:00", "stamp": "end"}),
        ([*HALF_HOURS[1:], "24:00"], {"wide": "00:30..24:00", "stamp": "end"}),
        (
            [f"{a}-{b}" for a, b in zip(HALF_HOURS, [*HALF_HOURS[1:], "00:00"], strict=True)],
            {"wide": "#2..#49", "range_mark": "-"},
        ),
        (
            [f"H{n}" for n in range(1, 49)],
            {"wide": "H1..H48", "time_format": "number", "interval": "PT30M"},
        ),
        (
            [name.replace(":", "") for name in HALF_HOURS],
            {"wide": "0000..2330", "time_format": "%H%M"},
        ),
    ],
)
def test_a_row_for_each_day(names: list[str], options: dict[str, str]) -> None:
    """Starts, ends, ranges or numbers are the names of the columns; every slot has its value."""
    found = decoded(day("02/03/2026", [str(n) for n in range(48)], names), LONDON | options)

    assert times(found) == [f"03-02 {name}" for name in HALF_HOURS]
    assert values(found) == [str(n) for n in range(48)]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("names", "options"),
    [
        (HALF_HOURS, {"wide": "00:00..23:30"}),
        ([*HALF_HOURS[1:], "00:00"], {"wide": "00:30..00:00", "stamp": "end"}),
        ([*HALF_HOURS[:3], "01:00", *HALF_HOURS[3:]], {"wide": "00:00..23:30"}),
        (
            [f"H{n}" for n in range(1, 49)],
            {"wide": "H1..H48", "time_format": "number", "interval": "PT30M"},
        ),
    ],
)
def test_columns_tell_how_long_a_slot_is(
    names: list[str], options: dict[str, str], whole: bool
) -> None:
    """Readings have both ends, of whole days too: a channel of other slots refuses them."""
    first = [names.index(name) == at for at, name in enumerate(names)]
    cells = ["1" if is_first and (whole or at == 0) else "" for at, is_first in enumerate(first)]
    found = decoded(day("02/03/2026", cells, names), LONDON | options)

    assert lengths(found) == {1800}


def test_two_slots_of_a_day_end_at_midnight_where_clocks_go_back_then() -> None:
    """In Chile 23:00 comes twice: on 4 April 2026 at 02:00 and at 03:00 UTC."""
    file = "Date,23:00,00:00,00:00B\n03/04/2026,1,2,\n04/04/2026,3,4,5\n"
    options = {"timezone": "America/Santiago", "wide": "23:00..00:00B", "stamp": "end"}

    found = decoded(file, LONDON | options)

    assert values(found) == ["1", "2", "3", "4", "5"]
    assert times(found) == [
        *("04-04 01:00", "04-04 02:00"),
        *("04-05 01:00", "04-05 02:00", "04-05 03:00"),
    ]


def test_columns_that_are_not_alike_apart_tell_no_length() -> None:
    """A name of a shift does not say how long it is."""
    found = decoded("Date,00:00,06:00,22:00\n02/03/2026,1,2,3\n", LONDON | {"wide": "#2..#4"})

    assert lengths(found) == {None}


@pytest.mark.parametrize("stamp", ["start", "end"])
def test_an_interval_that_is_said_is_that_of_the_readings(stamp: str) -> None:
    """Mean power of half an hour is no energy of an hour: a channel of hours refuses it."""
    options = {"timezone": "UTC", "power": "kW", "interval": "PT30M", "stamp": stamp}
    plain, *odd = decoded("start,value\n2026-03-02 00:30,4\n2026-03-02 01:00,+4\n", options)

    assert lengths([plain, *odd]) == {1800}
    assert times([plain]) == ["03-02 00:00" if stamp == "end" else "03-02 00:30"]


@pytest.mark.parametrize("wide", [False, True])
def test_reads_of_a_register_are_at_their_stamps(wide: bool) -> None:
    """An interval, said or told by columns, does not move what a register showed."""
    options = {"timezone": "UTC", "reads": "true", "stamp": "end", "interval": "PT30M"}
    data = "start,value\n2026-03-02 00:30,100\n2026-03-02 01:00,101\n"
    if wide:
        options |= {"wide": "00:30..01:00"}
        data = "start,00:30,01:00\n2026-03-02,100,101\n"
    decoder = Plugins.of(meter_csv=meter_csv).decoders()["csv"]
    structured: object = TEXT.structure(options, decoder.options)
    found = decoder.decode([data.encode()], structured)

    instants = [item.instant for item in found if isinstance(item, MeterRead)]
    assert instants == [1_772_411_400, 1_772_413_200]  # 00:30 and 01:00


NUMBERED = {"wide": "1..50", "time_format": "number", "interval": "PT30M"}


@pytest.mark.parametrize(
    ("date", "slots"), [("29/03/2026", 46), ("02/03/2026", 48), ("25/10/2026", 50)]
)
def test_numbered_columns_count_the_day_through(date: str, slots: int) -> None:
    """Days of 23, 24 and 25 hours; blank columns beyond are nothing, filled ones a problem."""
    names, full = [str(n) for n in range(1, 51)], ["1"] * slots
    surplus = 50 - slots

    blank = decoded(day(date, full + [""] * surplus, names), LONDON | NUMBERED)
    filled = decoded(day(date, ["1"] * 50, names), LONDON | NUMBERED)

    starts = [one.start or 0 for one in blank if isinstance(one, Reading)]
    assert len(blank) == len(starts) == slots
    assert [b - a for a, b in pairwise(starts)] == [1800] * (slots - 1)
    assert values(filled) == ["1"] * slots + ["impossible_time"] * surplus


HOURS = {"time_format": "number", "interval": "PT1H"}


@pytest.mark.parametrize(
    ("date", "numbers", "cells", "expected"),
    [
        ("25/10/2026", "", ["1"] * 25, "23 00 01 02 22 23"),
        ("25/10/2026", "", ["1"] * 24, "ambiguous_time"),
        ("25/10/2026", "", [*["1"] * 24, ""], "ambiguous_time"),
        ("25/10/2026", "elapsed", ["1"] * 24, "23 00 01 02 21 22"),
        ("25/10/2026", "clock", ["1"] * 24, "23 00 02 03 22 23"),
        ("25/10/2026", "clock", ["1"] * 25, "23 00 02 03 23 01"),
        ("29/03/2026", "clock", ["1", "", *["1"] * 22], "00 01 02 03 21 22"),
        ("29/03/2026", "clock", ["1"] * 24, "00 impossible_time 01 02 21 22"),
        ("29/03/2026", "", ["1"] * 24, "00 01 02 03 22 impossible_time"),
        ("02/03/2026", "clock", [*["1"] * 24, ""], "00 01 02 03 22 23"),
        ("02/03/2026", "clock", ["1"] * 25, "00 01 02 03 23 impossible_time"),
    ],
)
def test_what_numbers_mean_on_days_of_changes(
    date: str, numbers: str, cells: list[str], expected: str
) -> None:
    """Hours are counted through, or those of the clock; what could be both has to be said."""
    names = [str(n) for n in range(1, len(cells) + 1)]
    options = (
        LONDON | HOURS | {"wide": f"1..{len(cells)}"} | ({"numbers": numbers} if numbers else {})
    )

    found = [
        one.partition(" ")[2][:2] or one for one in times(decoded(day(date, cells, names), options))
    ]

    assert " ".join(found if len(found) < 6 else found[:4] + found[-2:]) == expected


def test_numbers_in_a_column() -> None:
    """A long day of which hour 25 is told is plain; one without it is told when it is over."""
    options = LONDON | HOURS | {"time_column": "n"}
    rows = [f"25/10/2026,{n},1\n" for n in range(1, 25)]
    after = "26/10/2026,1,1\n"

    def codes(*more: str, **said: str) -> list[str]:
        text = "Date,n,value\n" + "".join([*rows, *more])
        found = decoded(text, options | said)
        return [one.code for one in found if isinstance(one, Problem)]

    assert codes("25/10/2026,25,1\n", after) == []
    assert codes(after) == ["ambiguous_time"]
    assert codes(after, numbers="elapsed") == codes(after, numbers="clock") == []
    assert codes("26/10/2026,25,\n", numbers="elapsed") == []


def test_columns_by_the_clock_on_days_of_changes() -> None:
    """In spring the hour that is not there is blank; in autumn its second column comes second."""
    hours = [f"{n:02}:00" for n in range(24)]
    spring = decoded(
        day("29/03/2026", ["1"] + [""] + ["1"] * 22, hours), LONDON | {"wide": "#2..#25"}
    )
    filled = decoded(day("29/03/2026", ["1"] * 24, hours), LONDON | {"wide": "#2..#25"})
    twice = [*hours[:2], "01:00B", *hours[2:]]
    autumn = decoded(
        day("25/10/2026", [str(n) for n in range(25)], twice), LONDON | {"wide": "#2..#26"}
    )
    winter = decoded(
        day("02/03/2026", ["1", "1", "", *["1"] * 22], twice), LONDON | {"wide": "#2..#26"}
    )

    assert (len(spring), values(filled).count("impossible_time")) == (23, 1)
    assert times(autumn)[:4] == ["10-24 23:00", "10-25 00:00", "10-25 01:00", "10-25 02:00"]
    assert (len(autumn), len(winter)) == (25, 24)


def test_ends_of_columns_have_the_clock_of_their_slots() -> None:
    """On days of changes columns of ends are the slots that columns of starts are."""
    starts = [f"{n:02}:00" for n in range(24)]
    ends = [*starts[1:], "00:00"]
    for date, cells in (("29/03/2026", ["1", "", *["1"] * 22]), ("25/10/2026", ["1"] * 24)):
        by_start = decoded(day(date, cells, starts), LONDON | {"wide": "#2..#25"})
        by_end = decoded(day(date, cells, ends), LONDON | {"wide": "#2..#25", "stamp": "end"})

        begun = [one.start for one in by_start if isinstance(one, Reading)]
        ended = [(one.end or 0) - 3600 for one in by_end if isinstance(one, Reading)]
        assert begun == ended


def test_each_interval_may_have_its_quality() -> None:
    """Value and quality in turns; or one quality for the day."""
    text = "Date,00:00,q1,12:00,q2\n02/03/2026,1,A,2,E\n"
    turns = {
        "wide": "00:00..12:00/2",
        "wide_quality": "q1..q2/2",
        "quality_words": "A=actual,E=estimated",
    }

    found = decoded(text, LONDON | turns)

    assert [one.quality for one in found if isinstance(one, Reading)] == [1, 5]


@pytest.mark.parametrize(
    ("names", "options", "word"),
    [
        (["a", "b"], {"wide": "a..b"}, "`time_format=number`"),
        (["00:30", "00:00"], {"wide": "00:30..00:00"}, "`stamp=end`"),
        (["00:00", "00:30"], {"wide": "00:30..00:00"}, "comes before"),
        (["00:00", "00:30"], {"wide": "00:00..01:00"}, "no column '01:00'"),
    ],
)
def test_names_that_are_no_times(names: list[str], options: dict[str, str], word: str) -> None:
    """The refusal says which, and what to say."""
    with pytest.raises(Invalid) as caught:
        decoded(day("02/03/2026", ["1", "1"], names), LONDON | options)

    assert word in caught.value.faults[0].message


# Encodings.


@pytest.mark.parametrize(
    ("encoding", "codec", "title"),
    [
        ("windows-1250", "cp1250", "Zużycie [kWh]"),
        ("iso-8859-2", "iso8859-2", "Spotřeba (kWh)"),
        ("windows-1251", "cp1251", "Значение"),
        ("windows-1253", "cp1253", "Ενέργεια"),
        ("windows-1254", "cp1254", "Tüketim Değeri"),
        ("windows-1257", "cp1257", "Sąnaudos, kWh"),
        ("shift_jis", "cp932", "①使用量"),
        ("euc-kr", "euc-kr", "사용량"),
        ("gbk", "gbk", "电量"),
        ("big5", "big5", "用電量"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_texts_of_other_countries(encoding: str, codec: str, title: str, size: int) -> None:
    """Names of columns are read by the encoding of the file, wherever its bytes are cut."""
    data = f"start;{title}\n{ISO};0,25\n".encode(codec)
    options = {"encoding": encoding, "value_column": title, "delimiter": ";", "decimal": ","}

    assert values(decoded(data, options, size)) == ["0.25"]


# Texts that are none.


@pytest.mark.parametrize(
    ("data", "encoding", "remedy"),
    [
        ("start,value\n".encode("utf-16-le"), "utf-8", "utf-16-le"),
        (b"start,value\n2026-01-01T00:00Z,1\x00\n", "utf-8", "line 2 has zero bytes"),
        ("start,value\n".encode("utf-16"), "utf-8", "encoding=utf-16"),
        ("start,énergie\n".encode("latin-1"), "utf-8", "not UTF-8 .* say `encoding=latin-1`"),
        ("start,€\n".encode("windows-1252"), "utf-8", "say `encoding=windows-1252`"),
        ("start,énergie\n".encode(), "ascii", "say `encoding=utf-8`"),
        (b"start,value\n", "utf-16", "say `encoding=utf-8`"),
        (b'start,value\n2026-01-01T00:00Z,"1\n', "utf-8", "line 2: .* a quote is not closed"),
        (b"PK\x03\x04...", "utf-8", "Excel"),
        (b"\x1f\x8b\x08...", "utf-8", "gzip"),
        (b"\xd0\xcf\x11\xe0...", "utf-8", "save it as .xlsx"),
        (b"%PDF-1.4", "utf-8", "PDF"),
    ],
)
def test_what_is_said_of_other_texts(data: bytes, encoding: str, remedy: str) -> None:
    """A file of another encoding is refused, and the refusal says what may help."""
    with pytest.raises(Malformed, match=remedy):
        decoded(data, {"encoding": encoding})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<!DOCTYPE html>\n<html>", "web page"),
        ("\n <html lang=nl>", "web page"),
        ("\ufeff<?xml version='1.0'?>\n<feed>", "format=green_button"),
        ('{"readings": []}', "format=ndjson"),
    ],
)
def test_a_text_that_is_no_table(text: str, told: str) -> None:
    """What it is, and what reads it, is said; not that some column is missing."""
    with pytest.raises(Invalid) as refused:
        decoded(text)

    (fault,) = refused.value.faults
    assert (fault.code, fault.line) == ("not_a_table", 1)
    assert told in fault.message


@pytest.mark.parametrize(
    ("row", "options", "remedy"),
    [
        ("31.12.2026 00:15,1", {}, "say `date_format=%d.%m.%Y %H:%M`"),
        ("03/04/26 1:15 PM,1", {}, ""),
        ("03/04/2026 1:15 PM,1", {}, "`date_format=%d/%m/%Y %I:%M %p, or %m/%d/%Y %I:%M %p`"),
        ("2026-03-04 00:15,1", {"date_format": "%d.%m.%Y %H:%M"}, "say `date_format=iso`"),
        ("31.02.2026 00:15,1", {"date_format": "%d.%m.%Y %H:%M"}, "there is no such day"),
        ("2026-02-31 00:15,1", {}, "there is no such day"),
        ("1772409600,1", {}, "say `date_format=epoch`"),
        ("1772409600000,1", {"date_format": "epoch_ms", "factor": "1"}, None),
        ("Summe,1", {}, "`where`, `until` and `footer_rows`"),
        ("2026-03-04 00:15,1", {"timezone": ""}, "such as `timezone=Europe/Vienna`"),
        ("2026-03-29 02:15,1", {"timezone": "Europe/Vienna"}, "such as `timezone=+01:00`"),
        ('2026-03-04 00:15,"1,5"', {}, "say `decimal=,`"),
        ('2026-03-04 00:15,"1,500"', {}, "say `decimal=,`, or `thousands=,`"),
        ('2026-03-04 00:15,"1.500,25"', {}, "say `decimal=,` and `thousands=.`"),
        ("2026-03-04 00:15,1 500.5", {}, "say `thousands= `"),
        ("2026-03-04 00:15,n/a", {}, "say `missing_words=n/a`"),
        ("2026-03-04 00:15,1.5 kWh", {}, "say `unit=kWh`"),
        ("2026-03-04 00:15,1,5", {}, "needs quotes, or another `delimiter`"),
        ("2026-03-04 00:15", {}, "the row has 1 column; 2 are needed"),
        ("2026-03-04 00:15", {}, "leave out rows that are no readings"),
    ],
)
def test_what_helps(row: str, options: dict[str, str], remedy: str | None) -> None:
    """A line that is refused says which option may read it, where that can be told."""
    said = {name: text for name, text in ({"timezone": "UTC"} | options).items() if text}
    (found,) = decoded(f"start,value\n{row}\n", said)

    if remedy is None:
        assert isinstance(found, Reading)
    else:
        assert isinstance(found, Problem)
        assert remedy in found.message


def test_columns_that_are_missing_name_their_options() -> None:
    """The header is shown, and the options that say which column is meant."""
    with pytest.raises(Invalid) as refused:
        decoded("Von,kWh\n2026-03-04T00:00Z,1\n")

    messages = [fault.message for fault in refused.value.faults]
    assert ["`start_column`" in messages[0], "`value_column`" in messages[1]] == [True, True]
    assert "'Von', 'kWh'" in messages[0]
