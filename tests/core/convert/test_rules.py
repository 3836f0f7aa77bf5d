"""Rules that no type states: over one value, and over several fields of an object."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

import attrs
import pytest
from msgspec import Meta

from energia import convert
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.schema import schema_of
from energia.convert.structures import Parts, Rules, enforce, fields_of
from energia.errors import Fault, Invalid, VersionsOverlap
from tests.core.convert.converting import refused


def _even(number: int) -> None:
    if number % 2:
        raise Unfit("odd", "must be even")


Even = Annotated[int, Meta(le=100), Check(_even)]


def _ordered(start: int, end: int | None) -> Iterator[Fault]:
    if end is not None and end <= start:
        yield Fault("empty", "the end is not after the start", "/end")


@attrs.frozen
class Span:
    """A span of time."""

    __rules__: ClassVar[Rules] = (_ordered,)

    start: Even
    end: Even | None = None
    name: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse an empty span."""
        enforce(self)


def _apart(spans: Parts) -> Iterator[Fault]:
    seen: set[object] = set()
    for index, span in enumerate(spans):
        start = fields_of(span).get("start")
        if start in seen:
            yield Fault(VersionsOverlap.code, "starts with another", f"/spans/{index}")
        seen |= set() if start is None else {start}


def _few(spans: list[Span], limit: int) -> Iterator[Fault]:
    if len(spans) > limit:
        yield Fault("too_many", "more than the limit", "/limit")


@attrs.frozen
class PreviewPlan:
    """Several spans."""

    __rules__: ClassVar[Rules] = (_apart, _few)

    spans: list[Span]
    limit: int = 2

    def __attrs_post_init__(self) -> None:
        """Refuse spans that overlap."""
        enforce(self)


def test_a_check_of_a_type() -> None:
    """A check refuses with its own code, after the limits of the type."""
    assert convert.structure(4, Even) == 4
    assert refused(5, Even) == {"": "odd"}
    assert refused(101, Even) == {"": "out_of_range"}
    assert schema_of(Even) == {"type": "integer", "maximum": 100}


def test_a_rule_of_a_class() -> None:
    """The constructor and the converter refuse the same."""
    with pytest.raises(Invalid, match="not after") as raised:
        Span(4, 2)

    assert [fault.pointer for fault in raised.value.faults] == ["/end"]
    assert refused({"start": 4, "end": 2}, Span) == {"/end": "empty"}


def test_a_fault_hides_no_rule_of_other_fields() -> None:
    """A rule runs where its own fields have no faults, whatever the others have."""
    assert refused({"start": 4, "end": 2, "name": 5}, Span) == {
        "/name": "wrong_type",
        "/end": "empty",
    }
    assert refused({"start": 5, "end": 2}, Span) == {"/start": "odd"}


def test_a_rule_sees_what_can_be_read_of_an_array() -> None:
    """A rule that takes parts is run on the fields without faults; others wait for all."""
    spans = [{"start": 2, "end": "x"}, 5, {"start": 3}, {"start": 2}, {"start": 8, "end": 2}]

    assert refused({"spans": spans}, PreviewPlan) == {
        "/spans/0/end": "wrong_type",
        "/spans/1": "wrong_type",
        "/spans/2/start": "odd",
        "/spans/3": "versions_overlap",
        "/spans/4/end": "empty",
    }


@pytest.mark.parametrize("spans", [None, 5, {}, "x"])
def test_what_is_no_array_has_no_parts(spans: object) -> None:
    """Rules of an array do not run on what is none."""
    assert refused({"spans": spans, "limit": "x"}, PreviewPlan) == {
        "/spans": "wrong_type",
        "/limit": "wrong_type",
    }


def test_faults_of_one_code_are_a_kind_of_their_own() -> None:
    """Where all faults have the code of an error, that error is raised."""
    with pytest.raises(VersionsOverlap):
        PreviewPlan([Span(2), Span(2)])


def test_an_error_of_a_plugin_changes_no_answer() -> None:
    """A class that a plugin defines takes over no code that the core, or another plugin, uses."""

    class NoSuchSpan(Invalid):
        """There is no such span."""

        status = HTTPStatus.NOT_FOUND
        code = "empty"

    with pytest.raises(Invalid) as raised:
        convert.structure({"start": 4, "end": 2}, Span)

    assert type(raised.value) is Invalid
    assert (raised.value.status, raised.value.code) == (422, "invalid")
    assert [fault.code for fault in raised.value.faults] == [NoSuchSpan.code]


@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError, ZeroDivisionError])
@pytest.mark.parametrize("place", ["check", "class"])
def test_an_error_of_the_program_is_no_fault(error: type[Exception], place: str) -> None:
    """What is no ValueError is not the client's: it is raised as it is."""

    def fail(_: object) -> None:
        raise error("oops")

    @attrs.frozen
    class Broken:
        number: Annotated[int, Check(fail if place == "check" else _even)]

        def __attrs_post_init__(self) -> None:
            fail(self)

    @attrs.frozen
    class Outer:
        inner: Broken
        number: int = 0

    type_: Any = dict[str, list[Outer] | None]
    with pytest.raises(error, match="oops"):
        convert.structure({"a": [{"inner": {"number": 2}}]}, type_)
