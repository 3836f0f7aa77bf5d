"""Columns of bytes say what the texts of their cells do."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia_plugins.meter_csv.columns import Cells, Lexicon, PlainTable, changes, decimals

#: What a number is that is read as bytes.
PLAIN = re.compile(r"-?(?=[0-9.]{1,16}$)(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
NUMBERS = st.one_of(
    st.from_regex(r"-?[0-9]{0,17}\.?[0-9]{0,17}", fullmatch=True),
    st.decimals(-(10**9), 10**9, places=3).map(str),
    st.text("0123456789.-+eE /:\x7f", max_size=20),
)


def _cells(texts: list[str]) -> Cells:
    table = PlainTable.of("".join(f"{text},\n" for text in texts), ",", 2)
    assert table is not None
    return table.cells(0)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_numbers_are_those_of_their_texts(texts: list[str]) -> None:
    """Each number is exact with all of its digits; what is not read is told, and nothing else."""
    numbers, odd = decimals(_cells(texts), ".")

    for text, number, is_odd in zip(texts, numbers, odd.tolist(), strict=True):
        if text == "":
            assert (number, is_odd) == (None, False)
        elif _is_plain(text):
            assert (str(number), is_odd) == (str(Decimal(text)), False)
        else:
            assert is_odd


def _is_plain(text: str) -> bool:
    if not PLAIN.fullmatch(text):
        return False
    digits = int(re.sub("[^0-9]", "", text))
    return digits < 10**15 and not (text[0] == "-" and digits == 0)


@given(st.lists(st.text("ab", max_size=40), min_size=1, max_size=20))
def test_changes_are_those_of_the_texts(texts: list[str]) -> None:
    """Cells are compared whole, however long they are, and empty ones too."""
    expected = [at for at in range(1, len(texts)) if texts[at] != texts[at - 1]]

    assert changes([_cells(texts)]) == expected


@given(
    st.lists(st.lists(st.text("ab", max_size=20), min_size=1, max_size=20), max_size=4),
    st.sampled_from([2, 2**14]),
)
def test_a_lexicon_gives_what_each_text_means(pieces: list[list[str]], places: int) -> None:
    """Texts that share a place, or begin alike and are long, are told apart, and piece by piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lexicon, "_PLACES", places)
        lexicon = Lexicon(2)
        found = [
            lexicon.meanings(_cells(texts), lambda text: (len(text), text.count("a"))).tolist()
            for texts in pieces
        ]

    assert found == [[[len(text), text.count("a")] for text in texts] for texts in pieces]


def test_texts_around_the_words_do_not_matter() -> None:
    """The first cell of a text and the last are read as those between."""
    numbers, odd = decimals(_cells(["1", "22222222.5", "3"]), ".")

    assert list(map(str, numbers)) == ["1", "22222222.5", "3"]
    assert not odd.any()
    assert PlainTable.of("a,b\nc\n", ",", 2) is None
