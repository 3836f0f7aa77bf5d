"""The strict converter: what it reads, what it refuses, and where it says a fault is."""

import enum
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from energia import convert
from energia.convert import TEXT, Converter, Id
from energia.errors import Fault, Invalid, Malformed


class Fuel(enum.StrEnum):
    """A choice."""

    GAS = "gas"
    POWER = "power"


class Phases(enum.Enum):
    """A choice of numbers."""

    ONE = 1
    THREE = 3


@attrs.frozen
class Band:
    """A part of the day."""

    price: Decimal
    hours: Annotated[int, Meta(ge=1, le=24)] = 24
    from_: int = 0


@attrs.frozen
class Offer:
    """A document with one of everything."""

    id: Id
    bands: tuple[Band, ...]
    since: date
    labels: dict[str, int] = attrs.Factory(dict)
    note: str | None = None


def refused(value: object, type_: Any, converter: Converter = convert.JSON) -> dict[str, str]:
    """Return the code of each fault by its pointer."""
    with pytest.raises(Invalid) as raised:
        converter.structure(value, type_)
    return {str(fault.pointer): fault.code for fault in raised.value.faults}


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


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        (int, "12", 12),
        (int, "-1", -1),
        (bool, "true", True),
        (float, "0.5", 0.5),
        (Decimal, "0.10", Decimal("0.10")),
        (str, "12", "12"),
        (Fuel, "gas", Fuel.GAS),
        (int | None, "3", 3),
        (list[int], ["1", "2"], [1, 2]),
    ],
)
def test_text_of_a_query(type_: Any, text: object, expected: object) -> None:
    """The text of a path or a query is read as the type that is expected."""
    assert TEXT.structure(text, type_) == expected


@pytest.mark.parametrize(
    ("type_", "text"),
    [(int, "1.0"), (int, "1_0"), (int, ""), (bool, "True"), (bool, "1"), (float, "inf")],
)
def test_text_that_does_not_fit(type_: Any, text: str) -> None:
    """Text that is not quite the type is refused."""
    assert len(refused(text, type_, TEXT)) == 1


def test_lost_plus_is_explained() -> None:
    """A + that a query turned into a space is named in the fault."""
    with pytest.raises(Invalid, match="write \\+ as %2B"):
        TEXT.structure("2026-03-01T00:00:00 05:30", datetime)


class Charge(Protocol):
    """An open union."""

    def amount(self) -> Decimal:
        """Return what it costs."""
        ...


@attrs.frozen
class Flat(Charge):
    """One rate."""

    rate: Decimal

    def amount(self) -> Decimal:
        """Return what it costs."""
        return self.rate


@attrs.frozen
class Version:
    """Holds charges."""

    charges: tuple[Charge, ...]


def charging() -> Converter:
    """Return a converter that knows one kind of charge."""
    converter = Converter()
    converter.register_union(Charge, {"flat": Flat})
    return converter


def test_union_by_kind() -> None:
    """Members of a registered union are told apart by their kind, both ways."""
    converter = charging()
    version = converter.structure({"charges": [{"kind": "flat", "rate": "0.30"}]}, Version)

    assert version == Version((Flat(Decimal("0.30")),))
    assert json.loads(converter.dumps(version)) == {"charges": [{"kind": "flat", "rate": "0.30"}]}


def test_union_faults() -> None:
    """An unknown or missing kind is a fault of the field `kind`; others are the member's own."""
    charges = [{"kind": "solar"}, {}, {"kind": "flat", "rate": "x", "to": 1}, 5, {"kind": []}]

    assert refused({"charges": charges}, Version, charging()) == {
        "/charges/0/kind": "unknown_kind",
        "/charges/1/kind": "missing_field",
        "/charges/2/rate": "wrong_type",
        "/charges/2/to": "unknown_field",
        "/charges/3": "wrong_type",
        "/charges/4/kind": "unknown_kind",
    }


def test_registered_type() -> None:
    """A type may be read and written by functions."""
    converter = Converter()
    converter.register(complex, lambda value: complex(str(value)), str)

    assert converter.structure("1j", complex) == 1j
    assert converter.unstructure([1j]) == ["1j"]
    assert refused("x", complex, converter) == {"": "invalid"}


def test_writes() -> None:
    """Decimals are plain strings, fields that are None by default are left out."""
    offer = Offer("a", (Band(Decimal("1E-7")),), date(2026, 3, 1))
    instant = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=-3)))

    assert convert.unstructure(offer) == {
        "id": "a",
        "bands": [{"price": "0.0000001", "hours": 24, "from": 0}],
        "since": "2026-03-01",
        "labels": {},
    }
    assert convert.dumps([timedelta(minutes=90), instant, Fuel.GAS]) == (
        b'["PT1H30M","2026-03-01T00:00:00-03:00","gas"]'
    )


@given(st.timedeltas(timedelta(0), timedelta(days=9999)))
def test_durations_round_trip(duration: timedelta) -> None:
    """A duration is read as it was written."""
    assert convert.structure(convert.unstructure(duration), timedelta) == duration


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=9
    )
)
def test_decimals_lose_nothing(number: Decimal) -> None:
    """A decimal is exact both ways, from its text and from a JSON number."""
    as_number = convert.parse(format(number, "f").encode())

    assert convert.structure(convert.unstructure(number), Decimal) == number
    assert convert.structure(as_number, Decimal) == number


def test_parse_is_exact() -> None:
    """Numbers with a fraction or an exponent are decimals, never floats."""
    assert convert.parse(b"[0.1, 1e5, 12345678901234567890123]") == [
        Decimal("0.1"),
        Decimal("1E+5"),
        12345678901234567890123,
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[1,]",
        b'"\xff"',
        b'"\\ud800"',
        b'"a\\u0000"',
        b'"\x00"',
        b"[" * 10_000_000,
        b'{"a":' * 1_000_000,
        b"1" * 1_000_000,
    ],
    ids=lambda data: repr(data[:12]),
)
def test_parse_refuses(data: bytes) -> None:
    """What is not JSON in UTF-8, or nested without end, is malformed, never a crash."""
    with pytest.raises(Malformed):
        convert.parse(data)


def test_escaped_backslash_is_no_nul() -> None:
    """A backslash before u0000 may be a character of its own."""
    assert convert.parse(rb'"\\u0000"') == "\\u0000"


class Fast(msgspec.Struct, forbid_unknown_fields=True):
    """A body that is read at the speed of C."""

    meter: str
    values: list[float | None]
    rest: msgspec.Raw = msgspec.Raw(b"[]")


def test_decode_struct() -> None:
    """A struct is decoded at once; one that does not fit has all its faults found."""
    assert convert.decode(b'{"meter":"a","values":[1,null]}', Fast).values == [1.0, None]
    with pytest.raises(Invalid) as raised:
        convert.decode(b'{"values":["1",true,1e400],"rest":[0.5],"x":1}', Fast)

    assert {fault.pointer: fault.code for fault in raised.value.faults} == {
        "/meter": "missing_field",
        "/values/0": "wrong_type",
        "/values/1": "wrong_type",
        "/values/2": "out_of_range",
        "/x": "unknown_field",
    }
