"""Many numbers in JSON: fast, and exact all the same."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Raw

from energia import convert
from energia.convert import layout
from energia.convert.structures import Numbers
from energia.errors import Invalid, Malformed
from energia.units import to_micro


@attrs.frozen
class Run:
    """Numbers, and something else."""

    values: Annotated[Numbers, Meta(min_length=1, max_length=4000)]
    price: Decimal = Decimal(0)


@attrs.frozen
class Body:
    """Runs by name, somewhere below."""

    runs: dict[str, Run | None]
    within: "Body | None" = None


def read(text: str) -> Numbers:
    """Return the numbers of a body whose only run is *text*."""
    data = f'{{"runs": {{"a": {{"values": {text}}}}}}}'.encode()
    run = convert.structure(convert.parse(data, Body), Body).runs["a"]
    assert run is not None
    return run.values


def faults(text: str) -> dict[str, str]:
    """Return the faults of a body whose only run is *text*, by pointer."""
    with pytest.raises(Invalid) as refused:
        read(text)
    return {str(one.pointer): one.code for one in refused.value.faults}


WRITTEN = st.decimals(-(10**8), 10**8, allow_nan=False, places=None).filter(
    lambda value: -30 <= int(value.as_tuple().exponent) <= 0
)


@given(
    st.lists(st.none() | st.tuples(WRITTEN, st.booleans()), min_size=1, max_size=20),
    st.sampled_from([Fraction(1), Fraction(1, 1000), Fraction(1, 3_600_000)]),
)
def test_numbers_are_exact(written: list[tuple[Decimal, bool] | None], factor: Fraction) -> None:
    """As numbers or as texts, they are rounded as one by one, decided by how they are written."""
    texts = [
        "null" if one is None else f'"{one[0]:f}"' if one[1] else f"{one[0]:f}" for one in written
    ]

    micros, outside = read(f"[{','.join(texts)}]").micros(factor)

    expected = [0 if one is None else to_micro(one[0], factor) for one in written]
    assert micros.tolist() == expected
    assert not outside.any()


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0.1234565", 123456),
        ("0.12345650000000000000000000001", 123457),
        ("0.1234575", 123458),
        ('"0.12345650000000000000000000001"', 123457),
        ("1e-40", 0),
        ("-0.0000005", 0),
    ],
)
def test_ties_are_decided_by_what_is_written(text: str, micro: int) -> None:
    """A binary float alone would round some of these the other way."""
    micros, _ = read(f"[{text}]").micros(Fraction(1))

    assert micros.tolist() == [micro]


def test_null_is_no_number() -> None:
    """Null is NaN among the floats, and counts as an item."""
    numbers = read("[1, null]")

    assert len(numbers) == 2
    assert np.isnan(numbers.floats).tolist() == [False, True]


def test_every_fault_has_its_index() -> None:
    """What is no number is told for each item; the range is what micro-units can hold."""
    assert faults('[1, "x", true, {}, "NaN", 1e400, [], "1e40"]') == {
        "/runs/a/values/1": "wrong_type",
        "/runs/a/values/2": "wrong_type",
        "/runs/a/values/3": "wrong_type",
        "/runs/a/values/4": "not_a_number",
        "/runs/a/values/5": "out_of_range",
        "/runs/a/values/6": "wrong_type",
        "/runs/a/values/7": "out_of_range",
    }
    assert faults(f"[{'9' * 5000}]") == {"/runs/a/values/0": "out_of_range"}
    assert read("[1, 1e12]").micros(Fraction(1))[1].tolist() == [False, True]


@pytest.mark.parametrize("text", ["{}", "null", '"1"', "5", "true"])
def test_what_is_no_array_is_refused(text: str) -> None:
    """Numbers are an array."""
    assert faults(text) == {"/runs/a/values": "wrong_type"}


def test_limits_are_kept() -> None:
    """`Meta` limits how many there are."""
    assert faults("[]") == {"/runs/a/values": "too_short"}
    assert faults(json.dumps([0] * 4001)) == {"/runs/a/values": "too_long"}


def test_faults_elsewhere_are_told_as_well() -> None:
    """Numbers that do not fit hide nothing, and what is around them is read as ever."""
    data = b'{"runs": {"a": {"values": ["x"], "price": "y", "more": 1}, "b": null}, "within": 5}'

    with pytest.raises(Invalid) as refused:
        convert.structure(convert.parse(data, Body), Body)

    assert {one.pointer for one in refused.value.faults} == {
        "/runs/a/values/0",
        "/runs/a/price",
        "/runs/a/more",
        "/within",
    }


def test_faults_are_counted_beyond_those_that_are_kept() -> None:
    """A thousand faults are kept, and all are counted."""
    with pytest.raises(Invalid) as refused:
        read(json.dumps(["x"] * 3000))

    assert len(refused.value.faults) == 1000
    assert refused.value.counts == {"wrong_type": 3000}


@pytest.mark.parametrize(
    "text",
    [b"[1, 01]", b"[1,]", b"[NaN]", b"[tru]", b'["\xff"]', b"[1", b'["\\u0000"]', b"[" * 50],
)
def test_what_is_no_json_is_malformed(text: bytes) -> None:
    """The text that is read later is JSON as well, in UTF-8."""
    data = b'{"runs": {"a": {"values": ' + text + b"}}}"

    with pytest.raises(Malformed):
        convert.parse(data, Body)


def test_values_that_are_parsed_already() -> None:
    """An array from elsewhere, such as a file in TOML, is read as well."""
    body: Any = {"runs": {"a": {"values": [1, Decimal("0.1234565"), "0.5", None]}}}

    run = convert.structure(body, Body).runs["a"]

    assert run is not None
    assert run.values.micros(Fraction(1))[0].tolist() == [10**6, 123456, 500_000, 0]


def test_only_numbers_stay_text() -> None:
    """The layout of a type leads to its numbers, and nowhere else; a type may contain itself."""
    parsed = convert.parse(b'{"runs": {"a": {"values": [1], "price": 0.5}}}', Body)

    assert layout(Body) == {"runs": {"*": {"values": None}}}
    assert layout(dict[str, int]) == layout(int) == layout(Any) == {}
    assert isinstance(parsed, dict)
    assert isinstance(parsed["runs"]["a"]["values"], Raw)
    assert parsed["runs"]["a"]["price"] == Decimal("0.5")
