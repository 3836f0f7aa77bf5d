"""The plugin `meter-nem12`: days of the Australian market, through the public hooks."""

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from energia.errors import Invalid, Malformed, TooLarge
from energia.metering import archives, names
from energia.metering.decoders import MeterRead, Reading, Run
from energia.time import utc_text
from tests.plugins.meter_files import DECODERS, decoded, problems, readings, runs_of

DATA = Path(__file__).parents[1] / "data" / "meters"
BLOCK = "200,6305131234,E1,1,E1,,METER,KWH,360,\r\n"
DAY = "300,20260301,1,2,3,4,A,,,20260302010000,\r\n"


def zipped(files: dict[str, bytes]) -> bytes:
    """Return an archive of files."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as writer:
        for name, data in files.items():
            writer.writestr(name, data)
    return archive.getvalue()


def test_a_day_is_of_market_time() -> None:
    """It begins at 14:00 UTC the day before, in summer too, with its first value."""
    (found,) = runs_of("nem12", f"{BLOCK}{DAY}")

    assert isinstance(found, Run)
    assert utc_text(found.start) == "2026-02-28T14:00:00Z"
    assert (found.interval, found.values) == (21_600, [Decimal(value) for value in (1, 2, 3, 4)])
    assert (found.meter, found.channel, found.unit) == ("6305131234", "E1", "KWH")


def test_a_day_that_is_sent_again() -> None:
    """Each says when it was made; an empty cell is missing, and no 100 row is needed."""
    found = runs_of("nem12", (DATA / "nem12_resent.csv").read_bytes())

    assert [(one.line, one.published) for one in found if isinstance(one, Run)] == [
        (3, 1_772_377_200),
        (7, 1_772_636_400),
        (9, 1_772_463_600),
    ]
    assert isinstance(found[0], Run)
    assert found[0].values == [Decimal("1.25"), Decimal(2), None, Decimal(4)]


def test_qualities_of_intervals() -> None:
    """400 rows tell those of V, and may tell some of others; null data has no value."""
    found = readings(decoded("nem12", (DATA / "nem12_qualities.csv").read_bytes()))

    assert [(one.value, one.quality) for one in found] == [
        (100, 1),
        (200, 3),
        (None, 0),
        (400, 4),
        (100, 1),
        (200, 5),
        (300, 5),
        (400, 1),
        (None, 0),
        (None, 0),
    ]


def test_reads_of_registers() -> None:
    """A row is two reads, in market time and with the meter's number; or the quantity between."""
    data = (DATA / "nem12_registers.csv").read_bytes()
    reads = [one for one in runs_of("nem12", data) if isinstance(one, MeterRead)]
    first, last = 1_767_189_600, 1_772_287_200  # midnight ten hours ahead of UTC
    names = "6305135678", "11", "KWH"

    assert reads == [
        MeterRead(2, Decimal("100.0"), first, 1, *names, equipment="METER"),
        MeterRead(2, Decimal("350.5"), last, 1, *names, equipment="METER"),
    ]
    quantity, *rest = readings(decoded("nem12", data, {"accumulated": "quantity"}))
    assert quantity == Reading(2, Decimal("250.5"), first, last, 1, *names)
    assert len(rest) == 2


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("300,20260301,1,2,3,A\n", (2, "missing_column")),
        ("300,20260301,1,2,3,A,,,20260302000000,\n", (2, "missing_column")),
        ("300,20260301,1,2,3,4,5,A\n", (2, "surplus_column")),
        ("300,20260301,1,2,3,4,5\n", (2, "unknown_quality")),
        ("300,20260301,1,2,x,4,A\n", (2, "not_a_number")),
        ("300,20260301,1,2,NaN,4,A\n", (2, "not_a_number")),
        ("300,20260301,1,2,1.2.3,4,A\n", (2, "not_a_number")),
        ("300,20260301,1,2,-,4,A\n", (2, "not_a_number")),
        ("300,20260230,1,2,3,4,A\n", (2, "not_a_time")),
        ("300,18991231,1,2,3,4,A\n", (2, "out_of_range")),
        ("300,20260301,1,2,3,4,Q\n", (2, "unknown_quality")),
        ("300,20260301,1,2,3,4,A,,,yesterday\n", (2, "not_a_time")),
        ("300,20260301,1,2,3,4,V\n", (2, "bad_range")),
        ("300,20260301,1,2,3,4,V\n400,1,3,A,,\n", (2, "bad_range")),
        ("300,20260301,1,2,3,4,V\n400,1,2,A,,\n400,4,4,A,,\n", (4, "bad_range")),
        ("300,20260301,1,2,3,4,V\n400,1,2,A,,\n400,2,4,A,,\n", (4, "bad_range")),
        ("300,20260301,1,2,3,4,V\n400,1,5,A,,\n", (3, "bad_range")),
        ("300,20260301,1,2,3,4,V\n400,1,4,V,,\n", (3, "bad_range")),
        ("300,20260301,1,2,3,4,V\n400,1\n", (3, "bad_range")),
        ("350,1\n", (2, "unknown_row")),
        ("200,6305131234,E1,1,E1,,METER,KWH,7,\n", (2, "wrong_interval")),
        ("200,6305131234,E1,1,E1\n", (2, "missing_column")),
        ("200,,E1,1,E1,,METER,KWH,30,\n", (2, "missing_column")),
    ],
)
def test_a_bad_row_is_named(rows: str, expected: tuple[int, str]) -> None:
    """What is wrong has a code and its line; of the day nothing is read."""
    found = decoded("nem12", BLOCK + rows)

    assert problems(found) == [expected]
    assert readings(found) == []


def test_days_below_a_bad_block_are_refused() -> None:
    """A value is never taken for one of the block before."""
    found = decoded("nem12", f"{BLOCK}{DAY}200,6305131234,E1,1,B1,,METER,KWH,7,\n{DAY}")

    assert problems(found) == [(3, "wrong_interval"), (4, "no_block")]
    assert {one.line for one in readings(found)} == {2}


@pytest.mark.parametrize("data", ["", "\n", "start,value\n", "300,20260301,1\n", "100,NEM99,1\n"])
def test_other_files_are_malformed(data: str) -> None:
    """What does not begin as the format does is none of it."""
    with pytest.raises(Malformed):
        decoded("nem12", data)


def test_lines_end_as_lines_do() -> None:
    """A row that never ends, or ends in CR alone, is refused at its line."""
    with pytest.raises(Malformed, match="line 2 is longer"):
        decoded("nem12", BLOCK + "3" * 70_000)
    with pytest.raises(Malformed, match="line 1: it has a CR inside"):
        decoded("nem12", (BLOCK + DAY).replace("\r\n", "\r"))


def test_cells_in_quotes() -> None:
    """They are what they are without; a comma in one parts nothing."""
    data = BLOCK + '"300","20260301","1",2,3,"4","A","1","words, and more",20260302010000\n'

    (found,) = runs_of("nem12", data)

    assert isinstance(found, Run)
    assert (found.values, found.published) == (list(map(Decimal, "1234")), 1_772_377_200)
    with pytest.raises(Malformed, match="line 2"):
        decoded("nem12", BLOCK + '"300,20260301\n')


def test_names_stand_for_ours() -> None:
    """One meter and one channel, or a map of either; what is mapped to `-` is left out."""
    data = f"{BLOCK}{DAY}{BLOCK.replace(',E1,,', ',B1,,')}{DAY}"

    def named(**options: str) -> set[tuple[str | None, str | None]]:
        return {(one.meter, one.channel) for one in readings(decoded("nem12", data, options))}

    assert named() == {("6305131234", "E1"), ("6305131234", "B1")}
    assert named(meter="m", channels="E1:import,B1:export") == {("m", "import"), ("m", "export")}
    assert named(meters="6305131234:m", channel="import", channels="B1:-") == {("m", "import")}
    assert named(meters="6305131234:-") == set()
    with pytest.raises(Invalid, match=r"line 4: .*'E1' and 'B1'.*say channels=E1:\.\.\.,B1:\.\.\."):
        named(meter="m", channel="import")
    with pytest.raises(
        Invalid, match=r"'6305131234 E1' and '6305131234 B1' .* both stand for 'm c'"
    ):
        named(meter="m", channels="E1:c,B1:c")
    with pytest.raises(Invalid, match="meters"):
        decoded("nem12", f"{BLOCK}{DAY}{BLOCK.replace('1234', '5678')}{DAY}", {"meter": "m"})


def test_names_are_kept_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but names does not fill the memory."""
    monkeypatch.setattr(names, "MOST", 1)

    with pytest.raises(Invalid, match="line 4: the file names more than 1 channels"):
        decoded("nem12", f"{BLOCK}{DAY}{BLOCK.replace('1234', '5678')}{DAY}")


@pytest.mark.parametrize("text", ["E1", "E1:", ":import", "E1:a,E1:b", "E1:a,"])
def test_a_map_of_names_is_whole(text: str) -> None:
    """Each name has one of ours."""
    with pytest.raises(Invalid):
        decoded("nem12", f"{BLOCK}{DAY}", {"channels": text})


def test_archives() -> None:
    """The files of a zip are read one after another; messages name the file."""
    hidden = {"__MACOSX/a.csv": b"\0", "folder/.a.csv": b"\0", "folder/": b""}
    data = zipped({**hidden, "a.csv": (BLOCK + DAY).encode(), "b.csv": f"{BLOCK}300,x\n".encode()})

    found = decoded("nem12", data, size=7)

    assert len(readings(found)) == 4
    assert [one for one in found if one.line == 2][-1].message.startswith("b.csv: ")  # type: ignore[union-attr]
    one = zipped({"a.csv": (BLOCK + DAY * 300).encode()})
    assert DECODERS["nem12"].sniff(one[:4096])  # type: ignore[attr-defined]


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive may be small only, have few files, and inflate within limits."""
    rows = BLOCK.encode() + DAY.encode() * 20_000
    monkeypatch.setattr(archives, "RATIO_FROM", 500_000)
    with pytest.raises(TooLarge, match="200 times"):
        decoded("nem12", zipped({"bomb.csv": rows}))

    monkeypatch.setattr(archives, "MOST_INFLATED", 1000)
    with pytest.raises(TooLarge, match="more than 1000 bytes"):
        decoded("nem12", zipped({"long.csv": rows[:2000]}))
    monkeypatch.setattr(archives, "MOST", 100)
    with pytest.raises(TooLarge, match="100 bytes at most"):
        decoded("nem12", zipped({"large.csv": rows[:2000]}))


def test_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is an archive of more files than there may be."""
    monkeypatch.setattr(archives, "MOST_FILES", 1)

    with pytest.raises(TooLarge, match="1 files at most"):
        decoded("nem12", zipped({"a": BLOCK.encode(), "b": BLOCK.encode()}))


def test_a_damaged_archive_is_malformed() -> None:
    """A byte that is another one, or a missing end, is told."""
    data = zipped({"a.csv": (BLOCK + DAY * 50).encode()})

    for damaged in (data[:-30], data[:50] + b"\xff\xff" + data[52:]):
        with pytest.raises(Malformed, match="zip archive"):
            decoded("nem12", damaged)
