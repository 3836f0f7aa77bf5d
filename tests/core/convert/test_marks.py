"""What is looked for in the whole of a long text."""

from hypothesis import example, given
from hypothesis import strategies as st

from energia.convert.marks import has_escape, occurrences

#: Texts on both sides of the length from which on they are counted otherwise.
TEXTS = st.builds(bytes.__mul__, st.binary(max_size=40), st.sampled_from([1, 300]))


@given(TEXTS, st.integers(0, 12_000), st.none() | st.integers(0, 12_000))
@example(b",1" * 5000, 0, None)
@example(b",1" * 5000, 9999, 9_000)
def test_a_character_is_counted_as_bytes_do(text: bytes, first: int, past: int | None) -> None:
    """However long the text is, and wherever the part of it begins and ends."""
    for mark in (b",", text[:1]):
        if len(mark) == 1:
            assert occurrences(bytearray(text), mark, first, past) == text.count(mark, first, past)


@given(st.text("\\u0x", max_size=30))
def test_an_escape_is_found_wherever_it_is(text: str) -> None:
    """A backslash alone is none."""
    assert has_escape(text.encode()) is ("\\u" in text)
    assert has_escape(text.encode(), b"\\u0") is ("\\u0" in text)
