"""Forms: JSON of the API out of fields, and faults of the API at fields."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import Fault, Invalid
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


def test_faults_at_their_fields() -> None:
    """Each is at the field that it points to, at the nearest one above it, or at the head."""
    form = Form({"/name": "x", "/channels/0": "", "/zone": "Mars"})
    faults = [
        Fault("unfit", "is too short", "/name"),
        Fault("unfit", "is odd", "/name"),
        Fault("unfit", "is no unit", "/channels/0/unit"),
        Fault("unfit", "is missing", "/country"),
        Fault("unfit", "does not fit"),
    ]

    refused = form.refused(Invalid("two things", faults))

    assert refused.values == form.values
    assert refused.faults == {
        "/name": "is too short; is odd",
        "/channels/0": "is no unit",
        "": "is missing; does not fit",
    }


def test_a_refusal_without_faults() -> None:
    """Is said at the head of the form."""
    assert Form().refused(Invalid("the window is empty")).faults == {"": "the window is empty"}
    assert Form().refused(Invalid()).faults == {"": "The request does not fit"}
