"""Laws of all decoders: pieces make no difference, and no damage is more than told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import Invalid, Malformed, TooLarge
from energia.metering.decoders import Problem, Reading, Run
from tests.plugins.meter_files import DECODERS, runs_of
from tests.plugins.test_meter_nem12 import zipped

DATA = Path(__file__).parents[1] / "data" / "meters"
FORMATS = {"nem12": "nem12", "green": "green_button", "mscons": "mscons", "octopus": "octopus"}
FILES = sorted(path for path in DATA.iterdir() if path.name.partition("_")[0] in FORMATS)


def format_of(path: Path) -> str:
    """Return the format of a file of ours."""
    return FORMATS[path.name.partition("_")[0]]


def outcome(name: str, data: bytes, size: int = 1 << 16) -> object:
    """Return what a file gives: its items, or the refusal that is allowed."""
    try:
        found = runs_of(name, data, size=size)
    except (Malformed, Invalid, TooLarge) as error:
        return type(error), error.detail
    assert all(isinstance(one, Reading | Run | Problem) for one in found)
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


@pytest.mark.parametrize("name", sorted(set(FORMATS.values())))
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
        ]
    ),
    text=st.binary(max_size=200),
    times=st.integers(1, 3000),
)
def test_anything_is_told(name: str, begin: bytes, text: bytes, times: int) -> None:
    """Bytes of any kind, and what is nested deeply, are refused or read."""
    outcome(name, begin * times + text)


@given(data=st.data())
def test_damaged_archives_are_told(data: st.DataObject) -> None:
    """So is an archive of which some bytes are others."""
    archive = bytearray(zipped({"a.csv": (DATA / "nem12_resent.csv").read_bytes()}))
    for _ in range(data.draw(st.integers(1, 5))):
        archive[data.draw(st.integers(4, len(archive) - 1))] = data.draw(st.integers(0, 255))

    outcome("nem12", bytes(archive))


@given(st.binary(max_size=200))
def test_sniffing_never_fails(head: bytes) -> None:
    """It tells True or False of any bytes."""
    for begin in (b"", b"PK\x03\x04", b"200,", b"UNA", b"<"):
        for name in sorted(set(FORMATS.values())):
            assert DECODERS[name].sniff(begin + head) in (True, False)  # type: ignore[attr-defined]
