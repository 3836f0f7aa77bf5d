"""Laws of all decoders: pieces make no difference, and no damage is more than told."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energia.contract import HasExamples
from energia.errors import Invalid, Malformed, TooLarge
from energia.metering.decoders import MeterRead, Problem, Reading, Run
from energia.time import utc
from energia_plugins.meter_mscons.segments import Marks, segments
from tests.plugins.csv_files import chunks
from tests.plugins.meter_files import DECODERS, decoded, readings, runs_of
from tests.plugins.test_meter_nem12 import zipped

DATA = Path(__file__).parents[1] / "data" / "meters"
FORMATS = {
    **{"nem12": "nem12", "green": "green_button", "mscons": "mscons", "octopus": "octopus"},
    **{"dsmr": "dsmr", "home": "home_assistant"},
}
FILES = sorted(path for path in DATA.iterdir() if path.name.partition("_")[0] in FORMATS)


#: Whole small files of every format, of tables too.
EXAMPLES = [
    (name, example)
    for name, decoder in sorted(DECODERS.items())
    if isinstance(decoder, HasExamples)
    for example in decoder.examples
]
ZIPPED = ("dsmr", "green_button", "mscons", "nem12")


def format_of(path: Path) -> str:
    """Return the format of a file of ours."""
    return FORMATS[path.name.partition("_")[0]]


def outcome(name: str, data: bytes, size: int = 1 << 16) -> object:
    """Return what a file gives: its items, or the refusal that is allowed."""
    try:
        found = runs_of(name, data, size=size)
    except (Malformed, Invalid, TooLarge) as error:
        return type(error), error.detail
    assert all(isinstance(one, Reading | Run | MeterRead | Problem) for one in found)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@given(size=st.integers(1, 200))
def test_pieces_make_no_difference(path: Path, size: int) -> None:
    """Wherever a file is cut, the same is read of it."""
    data = path.read_bytes()

    assert outcome(format_of(path), data, size) == outcome(format_of(path), data)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@given(data=st.data())
def test_damage_is_told(path: Path, data: st.DataObject) -> None:
    """Cut off, with bits that are turned or bytes of another place, a file is refused or read."""
    file = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(file))] * 2)))
    if data.draw(st.booleans()):
        file[begin:begin] = file[begin:end]
    else:
        del file[end:]

    outcome(format_of(path), bytes(file))


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=lambda one: str(one)[:20])
@given(data=st.data())
def test_damaged_examples_are_told(name: str, example: bytes, data: st.DataObject) -> None:
    """Tables and workbooks as well: a part that is another file's, twice there, or gone."""
    _, other = data.draw(st.sampled_from(EXAMPLES))
    file = bytearray(example)
    for _ in range(data.draw(st.integers(0, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(file))] * 2)))
    part = data.draw(st.sampled_from([b"", bytes(file[begin:end]) * 2, other]))
    file[begin:end] = part

    outcome(name, bytes(file), data.draw(st.integers(1, len(file) + 1)))


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(
    begin=st.sampled_from(
        [
            b"",
            b"[",
            b"{",
            b"<a>",
            b"<",
            b'{"results":',
            b"UNA:+.? '",
            b"UNB+",
            b"PK\x03\x04",
            b"200,",
            b"/",
            b"start_ts,sum\n",
            b'{"a":[{"start":1,"sum":',
            b"/X\n0-0:1.0.0(260301000000W)\n1-0:1.8.1(1*kWh)\n!\n",
        ]
    ),
    text=st.binary(max_size=200),
    times=st.integers(1, 3000),
)
def test_anything_is_told(name: str, begin: bytes, text: bytes, times: int) -> None:
    """Bytes of any kind, and what is nested deeply, are refused or read."""
    outcome(name, begin * times + text)


@pytest.mark.parametrize("name", ZIPPED)
@given(
    filling=st.sampled_from([b" ", b"\n", b"0", b"\x00", b"<a>", b"300,", b"QTY+220:1'", b"/X\n"]),
    files=st.integers(1, 3),
    nested=st.booleans(),
)
@settings(max_examples=10)
def test_bombs_are_refused(name: str, filling: bytes, files: int, nested: bool) -> None:
    """A megabyte in a few kilobytes is no file of readings, nor is an archive in an archive."""
    bomb = zipped({f"{number}.csv": filling * (10**6 // len(filling)) for number in range(files)})
    assert len(bomb) < 5000 * files

    refused = outcome(name, zipped({"a.zip": bomb}) if nested else bomb)

    # Telegrams without an end are told one by one, and nothing is read.
    is_told = isinstance(refused, list) and all(isinstance(one, Problem) for one in refused)
    assert isinstance(refused, tuple) or is_told, "it was read"


@given(data=st.data())
def test_damaged_archives_are_told(data: st.DataObject) -> None:
    """So is an archive of which some bytes are others."""
    archive = bytearray(zipped({"a.csv": (DATA / "nem12_resent.csv").read_bytes()}))
    for _ in range(data.draw(st.integers(1, 5))):
        archive[data.draw(st.integers(4, len(archive) - 1))] = data.draw(st.integers(0, 255))

    outcome("nem12", bytes(archive))


VALUES = st.decimals(-(10**6), 10**9, places=4)


@given(st.lists(st.none() | VALUES, min_size=24, max_size=24), st.integers(0, 80_000))
def test_days_are_read_as_they_are_written(values: list[Decimal | None], day: int) -> None:
    """Every value of a NEM12 day is exact, in its slot; an empty cell is missing."""
    start = day * 86_400 - 10 * 3600
    date = utc(start + 10 * 3600)
    cells = ",".join("" if value is None else format(value, "f") for value in values)
    rows = f"200,N,E1,1,E1,,M,kWh,60,\n300,{date:%Y%m%d},{cells},A,,,\n"

    found = readings(decoded("nem12", rows))

    assert [(one.start, one.value) for one in found] == [
        (start + hour * 3600, value) for hour, value in enumerate(values)
    ]


@given(st.integers(-(2**47), 2**47), st.integers(-12, 12))
def test_powers_of_ten_are_exact(value: int, power: int) -> None:
    """A value of Green Button loses no digit."""
    data = (DATA / "green_button_no_links.xml").read_text()
    data = data.replace("-3", str(power)).replace("41000", str(value))

    (found,) = readings(decoded("green_button", data))

    assert found.value is not None
    assert Fraction(found.value) == Fraction(value) * Fraction(10) ** power


@given(
    st.lists(st.lists(st.text("a:+?'.,# é", max_size=8), min_size=1, max_size=3), min_size=1),
    st.booleans(),
    st.integers(1, 30),
)
def test_segments_are_split_as_they_were_joined(
    elements: list[list[str]], usual: bool, size: int
) -> None:
    """Whatever is in a component, and whatever the marks are: what is released is text."""
    marks = Marks() if usual else Marks("#", "a", ",", "!", ".")
    released = [
        marks.component.join(
            "".join(
                marks.release + char
                if char in (marks.component, marks.element, marks.release, marks.end)
                else char
                for char in part
            )
            for part in element
        )
        for element in elements
    ]
    una = f"UNA{marks.component}{marks.element}{marks.decimal}{marks.release} {marks.end}"
    joined = marks.element.join(["x", *released, "x"]) + marks.end
    data = ((una if usual else "") + joined).encode("latin-1")
    if not usual:
        assert marks.split(marks.cut(joined)[0][0])[1:-1] == elements
        return

    found = [marks.split(text) for _, text, _ in segments(chunks(data, size))]

    assert [one[1:-1] for one in found] == [elements]


@given(st.binary(max_size=200))
def test_sniffing_never_fails(head: bytes) -> None:
    """It tells True or False of any bytes."""
    for begin in (b"", b"PK\x03\x04", b"200,", b"UNA", b"<"):
        for name in sorted(set(FORMATS.values())):
            assert DECODERS[name].sniff(begin + head) in (True, False)  # type: ignore[attr-defined]
