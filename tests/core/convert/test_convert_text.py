"""The text that values are read from: JSON, paths and queries."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from energia import convert
from energia.convert import TEXT
from energia.errors import Invalid, Malformed, TooLarge
from tests.core.convert.converting import Fuel, refused


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


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (b'{"a": 1, "a": 1}', "/a"),
        (b'{"a": [{"b": {"c": 1, "d": [0.5], "c": 2}}]}', "/a/0/b/c"),
        (b'{"a": ":", "b": "x", "a": "\\u003a", "c": "\\u003A"}', "/a"),
        (b'{"a": 1e400, "\\u0061": 123456789012345678901234567890}', "/a"),
        (b'[{}, {"a/b": {}, "a/b": {}}]', "/1/a~1b"),
    ],
)
def test_names_that_come_twice(data: bytes, pointer: str) -> None:
    """An object that has a name twice is refused: nobody knows which of them is meant."""
    with pytest.raises(Invalid) as caught:
        convert.parse(data)

    assert [(fault.code, fault.pointer) for fault in caught.value.faults] == [
        ("repeated_field", pointer)
    ]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"a": 1}, {"a": 1}, {"b": {"a": 2}, "a": ":::"}]',
        rb'{"a": "\u003a\\u003a\\\u003A", ":": {"\u003a\u003a": "\":\""}}',
        b'{"a": 123456789012345678901234567890, "b": 0.5, "c": null}',
    ],
)
def test_names_that_come_once(data: bytes) -> None:
    """Colons in strings and in names, escaped or not, are no reason to refuse a text."""
    convert.parse(data)


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
        b"1" * 1_000_000,
    ],
    ids=lambda data: repr(data[:12]),
)
def test_parse_refuses(data: bytes) -> None:
    """What is not JSON in UTF-8 is malformed, never a crash."""
    with pytest.raises(Malformed):
        convert.parse(data)


@pytest.mark.parametrize("part", [b"[", b'{"a":'])
def test_parse_refuses_what_is_nested_without_end(part: bytes) -> None:
    """The limit is named, and the process lives on."""
    with pytest.raises(TooLarge, match=r"limits\.depth"):
        convert.parse(part * 1_000_000)


def test_escaped_backslash_is_no_nul() -> None:
    """A backslash before u0000 may be a character of its own."""
    assert convert.parse(rb'"\\u0000"') == "\\u0000"


class Fast(msgspec.Struct, forbid_unknown_fields=True):
    """A body that is read at the speed of C."""

    meter: str
    values: list[float | None]
    rest: msgspec.Raw = msgspec.Raw(b"[]")


class Slow(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A body whose fields have other names in JSON, and defaults made for each object."""

    meter_name: str
    more_values: list[int] = msgspec.field(default_factory=list)


def test_faults_of_a_struct_have_its_names_in_json() -> None:
    """What is wrong with a struct is found under the names that a client knows."""
    assert convert.decode(b'{"meterName":"a"}', Slow) == Slow("a", [])
    with pytest.raises(Invalid) as raised:
        convert.decode(b'{"moreValues":[1,"x"],"meter_name":"a"}', Slow)

    assert {fault.pointer: fault.code for fault in raised.value.faults} == {
        "/meterName": "missing_field",
        "/moreValues/1": "wrong_type",
        "/meter_name": "unknown_field",
    }


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
