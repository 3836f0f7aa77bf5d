"""The strict converter: what it reads, what it refuses, and where it says a fault is."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import attrs
import pytest
from msgspec import Meta

from energia import convert
from energia.convert import Id, faults
from energia.errors import Fault, Invalid, TooLarge
from tests.core.convert.converting import Band, Fuel, Offer, Phases, refused

T = TypeVar("T")


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (str, "a", "a"),
        (int, 12, 12),
        (bool, True, True),
        (float, 1, 1.0),
        (float, Decimal("0.5"), 0.5),
        (Decimal, "0.1", Decimal("0.1")),
        (Decimal, 12, Decimal(12)),
        (Decimal, Decimal("1.50"), Decimal("1.50")),
        (date, "2026-03-01", date(2026, 3, 1)),
        (datetime, "2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        (
            datetime,
            "2026-03-01T00:00:00.5-03:00",
            datetime(2026, 3, 1, 0, 0, 0, 500_000, timezone(timedelta(hours=-3))),
        ),
        (timedelta, "PT15M", timedelta(minutes=15)),
        (timedelta, "P1DT2H", timedelta(hours=26)),
        (UUID, "4f81a84f-ed47-4565-9db0-7d8eecab54b5", UUID("4f81a84fed4745659db07d8eecab54b5")),
        (Fuel, "gas", Fuel.GAS),
        (Phases, 3, Phases.THREE),
        (Literal["P1D", "P1M"], "P1M", "P1M"),
        (list[int], [1, 2], [1, 2]),
        (tuple[str, ...], ["a"], ("a",)),
        (frozenset[str], ["a", "a"], frozenset("a")),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (int | None, None, None),
        (str | Band, {"price": 1}, Band(Decimal(1))),
        (str | Band, "night", "night"),
        (datetime | date, "2026-03-01", date(2026, 3, 1)),
        (object, {"a": [1, None]}, {"a": [1, None]}),
        (object, [Decimal("9.99e37"), 10**40], [Decimal("9.99e37"), 10**40]),
    ],
)
def test_reads(type_: Any, value: object, expected: object) -> None:
    """A value of the right type is read as it is."""
    read = convert.structure(value, type_)

    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("type_", "value", "code"),
    [
        (int, "12", "wrong_type"),
        (int, True, "wrong_type"),
        (int, Decimal("5.0"), "wrong_type"),
        (int, 10**19, "out_of_range"),
        (bool, "false", "wrong_type"),
        (bool, 0, "wrong_type"),
        (str, 5, "wrong_type"),
        (str, "a\0b", "bad_character"),
        (str, "\ud800", "bad_character"),
        (float, "1", "wrong_type"),
        (float, Decimal("1e400"), "out_of_range"),
        (Decimal, "NaN", "not_a_number"),
        (Decimal, "-Infinity", "not_a_number"),
        (Decimal, "1_000", "wrong_type"),
        (Decimal, "٣", "wrong_type"),
        (Decimal, True, "wrong_type"),
        (Decimal, Decimal("1e400"), "out_of_range"),
        (Decimal, "1e999999999", "out_of_range"),
        (Decimal, "1e-400", "out_of_range"),
        (Decimal, 10**40, "out_of_range"),
        (date, "2026-02-30", "wrong_type"),
        (date, "20260301", "wrong_type"),
        (date, "2026-W10-1", "wrong_type"),
        (date, "1899-12-31", "out_of_range"),
        (datetime, "2026-03-01T00:00:00", "naive_time"),
        (datetime, "2026-03-01T00:00:00+16:00", "out_of_range"),
        (datetime, "2026-03-01T00:00:00-23:59", "out_of_range"),
        (datetime, "2026-03-01", "wrong_type"),
        (datetime, "2200-01-01T00:00:00Z", "out_of_range"),
        (datetime, "2026-03-01T00:00:00.1234567Z", "wrong_type"),
        (timedelta, "P1M", "wrong_type"),
        (timedelta, "-PT1M", "wrong_type"),
        (timedelta, "P", "wrong_type"),
        (timedelta, 900, "wrong_type"),
        (UUID, "4f81a84f", "wrong_type"),
        (Fuel, "oil", "unknown_value"),
        (Phases, True, "unknown_value"),
        (Phases, [], "unknown_value"),
        (Literal[1], True, "unknown_value"),
        (list[str], "abc", "wrong_type"),
        (list[str], {"a": 1}, "wrong_type"),
        (tuple[int, ...], "12", "wrong_type"),
        (dict[str, int], [], "wrong_type"),
        (Band, [], "wrong_type"),
        (Band, None, "wrong_type"),
        (int | str, [], "wrong_type"),
        (Annotated[int, Meta(gt=3)], 3, "out_of_range"),
        (Annotated[int, Meta(multiple_of=15)], 20, "out_of_range"),
        (Annotated[list[int], Meta(max_length=1)], [1, 2], "too_long"),
        (Annotated[str, Meta(min_length=1)], "", "too_short"),
        (Id, "a b", "bad_pattern"),
        (Id, "a\n", "bad_pattern"),
        (Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})], "-1", "out_of_range"),
    ],
)
def test_refuses(type_: Any, value: object, code: str) -> None:
    """A value of another type, or beyond a limit, is a fault with a stable code."""
    assert refused(value, type_) == {"": code}


def test_all_faults_at_once() -> None:
    """Every fault of a document is found, each with the pointer to it."""
    document = {
        "id": "a/b",
        "bands": [{"price": "x"}, 5, {"hours": 25, "price": 1, "from": "0"}, {"a/b~": 1}],
        "labels": {"x y": "1", "z": 1},
        "colour": "red",
    }

    assert refused(document, Offer) == {
        "/id": "bad_pattern",
        "/bands/0/price": "wrong_type",
        "/bands/1": "wrong_type",
        "/bands/2/hours": "out_of_range",
        "/bands/2/from": "wrong_type",
        "/bands/3/price": "missing_field",
        "/bands/3/a~1b~0": "unknown_field",
        "/since": "missing_field",
        "/labels/x y": "wrong_type",
        "/colour": "unknown_field",
    }


def test_errors_of_a_class_itself() -> None:
    """What a class refuses on its own is a fault of its object, with the message of the class."""

    def check(self: Any, _: Any, value: int) -> None:
        if value % 2:
            raise ValueError("must be even")

    @attrs.frozen
    class Pair:
        count: int = attrs.field(validator=check)

    @attrs.frozen
    class Pairs:
        items: list[Pair]

        def __attrs_post_init__(self) -> None:
            faults = [Fault("repeated", "twice", f"/items/{at}") for at in range(len(self.items))]
            raise Invalid("", faults)

    assert refused({"items": [{"count": 1}]}, Pairs) == {"/items/0": "invalid"}
    assert refused({"items": [{"count": 2}]}, Pairs) == {"/items/0": "repeated"}


def test_many_faults_are_counted() -> None:
    """Of the faults of a long array the first thousand are kept, and all are counted."""
    with pytest.raises(Invalid) as raised:
        convert.structure([1] + ["x"] * 5000 + [10**20], list[int])

    assert len(raised.value.faults) == 1000
    assert raised.value.faults[0].pointer == "/1"
    assert raised.value.counts == {"wrong_type": 5000, "out_of_range": 1}


def test_many_faults_of_an_object_are_counted() -> None:
    """An object with names of the client's, or with unknown fields, is bounded as an array is."""
    names = [f"n{number:05}" for number in range(2500)]

    for value, type_, code in (
        (dict.fromkeys(names, "x"), dict[str, int], "wrong_type"),
        ({"price": 1, **dict.fromkeys(names, "x")}, Band, "unknown_field"),
    ):
        with pytest.raises(Invalid) as raised:
            convert.structure(value, type_)
        assert [fault.pointer for fault in raised.value.faults] == [f"/{n}" for n in names[:1000]]
        assert raised.value.counts == {code: 2500}


def test_hopeless_values_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of millions of faulty items only so many are looked at."""
    monkeypatch.setattr(faults, "GIVE_UP", 1200)
    with pytest.raises(Invalid) as of_array:
        convert.structure([1] * 5000, list[str])
    with pytest.raises(Invalid) as of_object:
        convert.structure({str(number): "x" for number in range(5000)}, dict[str, int])

    assert of_array.value.counts == of_object.value.counts == {"wrong_type": 1200}


@attrs.frozen
class Node:
    """A class that refers to itself."""

    name: str
    nodes: "tuple[Node, ...]" = ()


@attrs.frozen
class Pair(Generic[T]):
    """Two of a kind."""

    first: T
    second: T | None = None


def test_a_class_may_refer_to_itself() -> None:
    """What contains itself is read, and its faults have pointers, however deep."""
    tree = {"name": "a", "nodes": [{"name": "b", "nodes": [{"name": "c"}]}]}

    assert convert.structure(tree, Node) == Node("a", (Node("b", (Node("c"),)),))
    tree["nodes"] = [{"name": "b", "nodes": [{"name": 5}, {}]}]
    assert refused(tree, Node) == {
        "/nodes/0/nodes/0/name": "wrong_type",
        "/nodes/0/nodes/1/name": "missing_field",
    }


def test_nesting_without_end_is_too_large() -> None:
    """A value that is nested beyond what Python can follow is refused by the limit's name."""
    tree: dict[str, Any] = {"name": "a"}
    for _ in range(10_000):
        tree = {"name": "a", "nodes": [tree]}

    with pytest.raises(TooLarge, match=r"limits\.depth"):
        convert.structure(tree, Node)


def test_a_generic_class() -> None:
    """The type parameters of a class are those that it is asked for with."""
    assert convert.structure({"first": "1", "second": 2}, Pair[Decimal]) == Pair(
        Decimal(1), Decimal(2)
    )
    assert refused({"first": 1.5}, Pair[int]) == {"/first": "wrong_type"}


def test_any_json_is_checked() -> None:
    """Also in a value of any type, numbers, characters and depth are bounded."""
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    value = {"a": [1, Decimal("1e400")], "b\0": 1, "c": "\ud800"}

    assert refused(value, dict[str, object]) == {
        "/a/1": "out_of_range",
        "/b\0": "bad_character",
        "/c": "bad_character",
    }
    assert list(refused(deep, object).values()) == ["too_deep"]


_Part = Annotated[
    Decimal,
    Meta(extra={"words": "0.18 is 18 %"}, extra_json_schema={"exclusiveMaximum": 1}),
]


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (Band, {}, "the field is missing: expected a decimal number, as a string or a number"),
        (Band, {"price": 1, "hour": 2}, "there is no such field (did you mean 'hours'?)"),
        (Band, {"price": 1, "tax": 2}, "there is no such field; there are price, hours, from"),
        (Id, 5, "expected a string (1 to 64 of A-Z a-z 0-9 . _ : -)"),
        (Annotated[str, Meta(examples=["kWh"])], 5, "expected a string such as kWh"),
        (
            Decimal,
            "0,2450",
            "expected a decimal number, as a string or a number (with a point, and no comma)",
        ),
        (Annotated[list[int], Meta(min_length=1)], [], "must have at least 1 item"),
        (Annotated[str, Meta(max_length=2)], "abc", "must have at most 2 characters"),
        (_Part, 19, "must be less than 1: 0.18 is 18 %"),
    ],
)
def test_a_refusal_says_how_to_mend_it(type_: Any, value: object, message: str) -> None:
    """What is expected, which fields there are, and what a number means are in the message."""
    with pytest.raises(Invalid) as raised:
        convert.structure(value, type_)

    assert [fault.message for fault in raised.value.faults] == [message]


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (date, "a date such as 2026-03-01"),
        (Fuel, "one of: gas, power"),
        (Offer, "an object"),
    ],
)
def test_what_is_expected_is_told_of_a_type(type_: Any, expected: str) -> None:
    """A type says in words what it is; one that may be anything says nothing."""
    assert convert.JSON.expected(type_).startswith(f"expected {expected}")
    assert convert.JSON.expected(object) == ""
