"""The bytes of a file as lines, or as one document of JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.convert.scalars import Unfit
from energia.errors import Malformed
from energia.metering.texts import file_lines, json_document, stamp_instant


@given(st.lists(st.binary()))
def test_chunks_do_not_matter_to_lines(chunks: list[bytes]) -> None:
    """The lines are those of the whole, with their ends, numbered from 1."""
    whole = b"".join(chunks).removeprefix(b"\xef\xbb\xbf")
    lines = [line + b"\n" for line in whole.split(b"\n")]
    last = [] if lines[-1] == b"\n" else [lines[-1][:-1]]

    found = list(file_lines(chunks, 1000))

    assert [line for _, line in found if line] == [*lines[:-1], *last]
    assert [number for number, _ in found] == list(range(1, len(found) + 1))


@pytest.mark.parametrize("chunks", [[b"a\n", b"1234", b"5"], [b"a\n12345\n"], [b"a\n12345"]])
def test_a_line_is_no_longer_than_it_may_be(chunks: list[bytes]) -> None:
    """It is refused as soon as it is too long, by its number."""
    with pytest.raises(Malformed, match="line 2 is longer than 4 bytes"):
        list(file_lines(chunks, 4))


def test_a_document_is_exact() -> None:
    """Numbers with a fraction are as they are written; a byte-order mark is left out."""
    assert json_document([b"\xef\xbb\xbf[0.1", b"0, 2]"], 100, "") == [Decimal("0.10"), 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"[1,", "not JSON"), (b"[" * 90_000, "not JSON"), (b'{"a":1,"a":1}', "more than once")],
)
def test_a_document_that_is_none(data: bytes, message: str) -> None:
    """What is wrong is said."""
    with pytest.raises(Malformed, match=message):
        json_document([data], 100_000, "too long")
    with pytest.raises(Malformed, match="too long"):
        json_document([data], 2, "too long")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (3, "not_a_time"),
        ("2026-03-01T00:00:00", "naive_time"),
        ("2026-03-01T00:00:00.5Z", "off_grid"),
    ],
)
def test_a_stamp_that_is_none(value: object, code: str) -> None:
    """The field and what is wrong with it are said."""
    with pytest.raises(Unfit, match=r"^start: ") as caught:
        stamp_instant(value, "start")

    assert caught.value.code == code
