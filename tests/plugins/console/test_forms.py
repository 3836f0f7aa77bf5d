"""Forms: JSON of the API out of fields, and faults of the API at fields."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia_plugins.console.forms import Form

TEXTS = st.text(min_size=1, max_size=8).filter(lambda text: text == text.strip())
NAMES = st.text(min_size=1, max_size=6).filter(lambda name: not name.isdecimal())
DOCUMENTS = st.recursive(
    TEXTS,
    lambda part: (
        st.lists(part, min_size=1, max_size=3)
        | st.dictionaries(NAMES, part, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("values", "body"),
    [
        ({"/name": "Casa", "token": "x"}, {"name": "Casa"}),
        ({"/name": "  Casa ", "/note": "  "}, {"name": "Casa"}),
        ({"/channels/0/id": "a", "/channels/1/id": "b"}, {"channels": [{"id": "a"}, {"id": "b"}]}),
        ({"/channels/10/id": "c", "/channels/9/id": "b"}, {"channels": [{"id": "b"}, {"id": "c"}]}),
        ({"/a~1b/c~0d": "x"}, {"a/b": {"c~d": "x"}}),
        ({"/a": "x", "/a/b": "y"}, {"a": "x"}),
        ({}, {}),
    ],
)
def test_a_body(values: dict[str, str], body: Any) -> None:
    """Fields are called by their pointers; what is empty, or has no pointer, is not sent."""
    assert Form(values).body() == body


@given(st.dictionaries(NAMES, DOCUMENTS, max_size=4))
def test_what_a_form_shows_it_sends(document: dict[str, Any]) -> None:
    """A document that is shown and sent again is the same."""
    assert Form.of(document).body() == document


def test_what_a_form_shows() -> None:
    """Numbers and what is true are texts; nothing is no field."""
    form = Form.of({"a": True, "b": 1.5, "c": None, "d": [{"e": "x"}]})

    assert form.values == {"/a": "true", "/b": "1.5", "/d/0/e": "x"}
    assert (form.get("/a"), form.get("/c", "none")) == ("true", "none")
