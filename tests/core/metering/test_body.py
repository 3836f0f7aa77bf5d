"""What `POST /v1/readings` takes, and what it says of what it does not take."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import convert
from energia.db.pool import Tenant
from energia.errors import Invalid, Malformed, TooLarge
from energia.metering import body as bodies
from energia.metering.body import Body, slices
from energia.metering.outcome import Problems
from energia.metering.validation import ReadingRuns
from tests.core.metering.setting import HEAD, STAMP, START, counts, meter, one_series, post, series


def reading(**changes: object) -> dict[str, object]:
    """Return a body of one reading."""
    return {"readings": [{"meter": "m", "start": STAMP, "value": 1, **changes}]}


def twice(body: dict[str, Any], name: str) -> bytes:
    """Return the text of a body whose only item has the field *name* twice."""
    ((array, (item,)),) = body.items()
    again = f"{json.dumps(name)}: {json.dumps(item[name])}"
    return f'{{"{array}": [{json.dumps(item)[:-1]}, {again}}}]}}'.encode()


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (reading(meter="x"), "unknown_meter", "/readings/0"),
        (reading(meter="a\u0000b"[:1] * 80), "unknown_meter", "/readings/0"),
        (reading(channel="x"), "unknown_channel", "/readings/0"),
        (reading(start="2026-03-01T00:00:00"), "naive_time", "/readings/0"),
        (reading(start="2026-03-01T00:30:00Z"), "off_grid", "/readings/0"),
        (reading(start="2026-03-01T00:00:00.5Z"), "off_grid", "/readings/0"),
        (reading(start="1899-12-31T23:00:00Z"), "out_of_range", "/readings/0"),
        (reading(start="0001-01-01T00:00:00Z"), "out_of_range", "/readings/0"),
        (reading(unit="m3"), "wrong_unit", "/readings/0"),
        (reading(unit="mWh"), "wrong_unit", "/readings/0"),
        (reading(value="NaN"), "not_a_number", "/readings/0"),
        (reading(value="Infinity"), "not_a_number", "/readings/0"),
        (reading(value="1_000"), "not_a_number", "/readings/0"),
        (reading(value="1e400"), "out_of_range", "/readings/0"),
        (reading(value=1_000_000_001), "out_of_range", "/readings/0"),
        (reading(value=True), "wrong_type", "/readings/0/value"),
        (reading(quality="good"), "unknown_quality", "/readings/0"),
        (reading(quality="missing"), "missing_with_value", "/readings/0"),
        (reading(colour="red"), "unknown_field", "/readings/0/colour"),
        ({"readings": [{"meter": "m", "start": STAMP}]}, "missing_field", "/readings/0/value"),
        (series([1], interval="PT15M"), "wrong_interval", "/series/0"),
        (series([1], interval="P1D"), "wrong_interval", "/series/0"),
        (series([1], interval="PT0S"), "wrong_interval", "/series/0"),
        (series([1], interval="hour"), "wrong_interval", "/series/0/interval"),
        (series([1, "x"]), "not_a_number", "/series/0/values/1"),
        (series([1, [2]]), "not_a_number", "/series/0/values/1"),
        (series([1, "1e400"]), "out_of_range", "/series/0/values/1"),
        (HEAD + b"1,1e400]}]}", "out_of_range", "/series/0/values/1"),
        (twice(reading(), "meter"), "repeated_field", "/readings/0/meter"),
        (twice(reading(unit=None, quality="actual"), "unit"), "repeated_field", "/readings/0/unit"),
        (twice(series([1, 2]), "values"), "repeated_field", "/series/0/values"),
        (b'{"readings": [], "series": [], "readings": []}', "repeated_field", "/readings"),
        ({"series": {}}, "wrong_type", "/series"),
        ({"other": []}, "unknown_field", "/other"),
    ],
)  # fmt: skip
async def test_what_does_not_fit(tenant: Tenant, body: object, code: str, pointer: str) -> None:
    """Each fault has its code and a pointer, and nothing is stored."""
    await meter(tenant)

    with pytest.raises(Invalid) as caught:
        await post(tenant, body)

    assert [fault.code for fault in caught.value.faults] == [code]
    assert (caught.value.faults[0].pointer or "").startswith(pointer)
    assert await tenant.fetch(int, "select count(*) from reading_day") == [0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (reading(start="2026-03-01T00:00:00"), "write -03:00 or Z after it"),
        (reading(quality="good"), "known are missing, actual, validated"),
        (reading(value=1_000_000_001), "at most 1,000,000,000 of the unit that is stored"),
        (reading(colour="red"), "there are meter, start, channel, unit, quality, value"),
    ],
)
async def test_a_fault_says_how_to_mend_it(tenant: Tenant, body: object, message: str) -> None:
    """What is known, what is allowed and what is to be written is in the message."""
    await meter(tenant)

    with pytest.raises(Invalid) as caught:
        await post(tenant, body)

    assert message in caught.value.faults[0].message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"readings":[{"meter":"\xff"}]}',
        b'{"readings":[{"meter":"m","start":"2026-03-01T00:00:00Z","value":NaN}]}',
        b'{"series":' + b"[" * 50,
    ],
)
async def test_what_cannot_be_parsed(tenant: Tenant, body: bytes) -> None:
    """What is no JSON is malformed."""
    with pytest.raises(Malformed):
        await post(tenant, body)


async def test_all_faults_at_once(tenant: Tenant) -> None:
    """Every fault of both forms is told, with its index."""
    await meter(tenant)
    one: dict[str, object] = {"meter": "m", "start": STAMP, "value": 1}
    body = {
        "readings": [one, one | {"value": "x"}, one | {"meter": "n"}],
        "series": [one_series([1, 2], START + 1)],
    }

    with pytest.raises(Invalid) as caught:
        await post(tenant, body)

    found = {(fault.code, fault.pointer, fault.index) for fault in caught.value.faults}
    assert found == {
        ("not_a_number", "/readings/1", 1),
        ("unknown_meter", "/readings/2", 2),
        ("off_grid", "/series/0", 0),
    }


async def test_skip_stores_what_is_right(tenant: Tenant) -> None:
    """With `skip` the good readings are stored, and the counts add up."""
    await meter(tenant)
    one: dict[str, object] = {"meter": "m", "start": STAMP, "value": 1}
    body = {
        "readings": [one, one | {"meter": "n"}, one | {"value": 2}, one],
        "series": [one_series([3, None, "x", 1e10], START + 3600)],
    }

    outcome = await post(tenant, body, skip=True)

    assert counts(outcome) == {
        "received": 8,
        "created": 2,
        "unchanged": 0,
        "corrected": 0,
        "repeated": 1,
        "superseded": 0,
        "missing": 1,
        "rejected": 4,
    }
    assert (outcome.meters, outcome.unknown) == (("m",), ("n",))
    assert sorted(fault.code for fault in outcome.problems) == [
        "duplicate_in_request",
        "not_a_number",
        "out_of_range",
        "unknown_meter",
    ]


async def test_a_contradiction_between_the_forms(tenant: Tenant) -> None:
    """A slot that comes in both forms with two values is refused."""
    await meter(tenant)

    with pytest.raises(Invalid) as caught:
        await post(tenant, {**reading(value=1), **series([2])})

    assert [fault.code for fault in caught.value.faults] == ["duplicate_in_request"]
    assert await tenant.fetch(int, "select count(*) from import") == [0]


async def test_both_forms_equal(tenant: Tenant) -> None:
    """A slot that comes in both forms with one value is a repeat."""
    await meter(tenant)

    outcome = await post(tenant, {**reading(value="1.0"), **series([1, 2])})

    assert (outcome.created, outcome.repeated) == (2, 1)


async def test_a_body_of_nothing_but_brackets(tenant: Tenant) -> None:
    """More single readings than a body can say anything of are refused before they take memory."""
    with pytest.raises(TooLarge):
        await post(tenant, b'{"readings":[' + b"{}," * 2_000_000 + b"{}]}")


async def test_a_meter_that_is_called_as_a_field_is(tenant: Tenant) -> None:
    """Names of fields in the values of others are no fields that come twice."""
    await meter(tenant, "value")
    item = {"meter": "value", "start": STAMP, "value": 1, "unit": "kWh", "quality": "actual"}

    await post(tenant, {"readings": [item, {**item, "start": "2026-03-01T01:00:00Z"}]})

    assert await tenant.fetch(int, "select count(*) from reading_day") == [1]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b'{"readings": [' + b"0," * 3_000_000 + b"0]}", 100_000),
        (HEAD + b'"x",' * 200_000 + b'"x"]}]}', 100_000),
        (b'{"series": [' + b"0," * 600_000 + b"0]}", 1),
    ],
    ids=["readings", "values", "series"],
)
async def test_millions_of_faults(tenant: Tenant, body: bytes, seen: int) -> None:
    """A body of nothing but faults is given up: few are listed, the rest is not looked at."""
    await meter(tenant)

    with pytest.raises(Invalid) as caught:
        await post(tenant, body)

    assert len(caught.value.faults) == min(seen, 1000)
    assert sum(caught.value.counts.values()) == seen


MANY = st.lists(
    st.fixed_dictionaries({"meter": st.sampled_from(["m", "}", "},{", "} , {", '"', "\\"])}),
    min_size=1,
)


@given(MANY, st.integers(1, 30))
def test_readings_are_decoded_in_slices(items: list[dict[str, str]], size: int) -> None:
    """Slices that can be decoded are what was sent; where a name has a cut in it, one cannot."""
    try:
        decoded = [
            item for part in slices(json.dumps(items).encode(), size) for item in json.loads(part)
        ]
    except ValueError:
        assert any("}" in item["meter"] for item in items)
    else:
        assert decoded == items


STAMP_ENDS = ["-03:00", "", ".5Z", "x"]
#: The fields of a reading, each as it is in nearly all bodies or as it may be.
ITEMS = st.fixed_dictionaries(
    {
        "meter": st.sampled_from(["m", "n", 'a"b', "start"]),
        "start": st.sampled_from([STAMP, *(f"2026-03-01T00:00:00{end}" for end in STAMP_ENDS)]),
        "value": st.sampled_from([1, 2.5, 1e400, "1.5", None, "x"]),
    },
    optional={
        "channel": st.sampled_from([None, "import"]),
        "unit": st.sampled_from([None, "kWh"]),
        "quality": st.sampled_from(["actual", "estimated", "good"]),
        "other": st.just(1),
    },
)


@given(st.lists(ITEMS, max_size=4), st.booleans())
def test_readings_are_read_together_as_one_by_one(
    items: list[dict[str, object]], again: bool
) -> None:
    """Whether all items are plain or each is looked at: the same readings, and the same faults."""
    text = json.dumps({"readings": items}).replace("Infinity", "1e400")
    if again and items:
        text = text.replace('{"meter"', '{"unit": "kWh", "meter"', 2)

    together = _read(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "_plain_runs", lambda _: None)
        expected = _read(text.encode())

    assert together == expected


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "meter": st.sampled_from(["m", 'a"b']),
                "start": st.sampled_from([STAMP, *(f"2026-03-01T00:00:00{e}" for e in STAMP_ENDS)]),
                "interval": st.sampled_from(["PT1H", "P1D", "x"]),
                "values": st.lists(st.sampled_from([1, 2.5, 0.1, None, "1.5", "x"]), max_size=3),
            },
            optional={"unit": st.sampled_from([None, "kWh"]), "quality": st.just("estimated")},
        ),
        max_size=3,
    ),
    st.booleans(),
)
def test_series_are_read_together_as_one_by_one(
    items: list[dict[str, object]], again: bool
) -> None:
    """Whether all series are plain or each is looked at: the same readings and faults."""
    text = json.dumps({"series": items})
    if again:
        text = text.replace('{"meter"', '{"unit": "kWh", "meter"', 1)

    together = _read(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "_plain_series", lambda _: None)
        expected = _read(text.encode())

    assert together == expected


def _numbers(runs: ReadingRuns) -> list[int]:
    """Return where numbers are that were not refused."""
    numbers = np.isfinite(runs.values)
    return np.flatnonzero(numbers if runs.refused is None else numbers & ~runs.refused).tolist()


def _read(text: bytes) -> list[object]:
    """Return what a body is read as: its runs, how many readings it has, and what is wrong."""
    problems = Problems()
    found = bodies.decode(convert.decode(text, Body), problems)
    columns = [
        [
            *(runs.origins, runs.origin.tolist(), runs.starts.tolist(), runs.quality.tolist()),
            *(runs.values.tobytes(), [runs.fault("", "", run) for run in range(len(runs.origin))]),
            [runs.exact(index) for index in _numbers(runs)],
        ]
        for runs in found.runs
    ]
    return [columns, found.received, problems.listed(), problems.counts, problems.rejected]
