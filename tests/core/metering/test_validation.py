"""What readings mean: their meter and channel, their unit, their exact quantity."""

import asyncio
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energia.db.pool import Tenant
from energia.metering import query
from energia.metering.models import Channel
from energia.metering.validation import Directory, Origin, Refusal
from tests.core.metering.setting import HEAD, STAMP, START, meter, post, series


async def test_above_max_power(tenant: Tenant) -> None:
    """What is above the power of the channel is stored as questionable, with a warning."""
    channel = await meter(tenant, interval="PT30M", max_power="4")

    outcome = await post(tenant, series([2, 2.000001], interval="PT30M"))

    assert [(fault.code, fault.severity) for fault in outcome.problems] == [
        ("above_max_power", "warning")
    ]
    assert (outcome.created, outcome.rejected) == (2, 0)
    found = await query.series(tenant, channel, START, START + 3600)
    assert found.values.tolist() == [2_000_000, 2_000_001]
    assert found.quality.tolist() == [1, 7]


async def test_units_are_converted(tenant: Tenant) -> None:
    """Wh and MJ become kWh exactly, rounded half to even once."""
    channel = await meter(tenant)
    first = {"meter": "m", "start": STAMP, "value": "1500.0005", "unit": "wh"}
    second = {"meter": "m", "start": "2026-03-01T01:00:00Z", "value": 1, "unit": "MJ"}

    await post(tenant, {"readings": [first, second]})

    found = await query.series(tenant, channel, START, START + 7200)
    assert found.values.tolist() == [1_500_000, 277_778]


_NUMBERS = st.one_of(
    st.decimals(-(10**9), 10**9, places=6),
    st.decimals(-(10**4), 10**4, places=9),
    st.decimals(-100, 100, places=20),
    st.integers(-(10**15), 10**15).map(lambda n: (Decimal(n) + Decimal("0.5")).scaleb(-6)),
)


@given(st.lists(st.tuples(_NUMBERS, st.booleans()), min_size=1, max_size=24))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_numbers_are_rounded_by_their_text(
    tenant: Tenant, numbers: list[tuple[Decimal, bool]]
) -> None:
    """Numbers and texts of any length are rounded half to even as decimals, never as floats."""
    channel = await meter(tenant)
    texts = [f'"{number:f}"' if quoted else f"{number:f}" for number, quoted in numbers]
    expected = [
        int(number.scaleb(6).quantize(Decimal(1), ROUND_HALF_EVEN)) for number, _ in numbers
    ]
    outside = [abs(micro) > 10**15 for micro in expected]

    outcome = await post(tenant, HEAD + ",".join(texts).encode() + b"]}]}", skip=True)

    assert outcome.rejected == sum(outside)
    found = await query.series(tenant, channel, START, START + 3600 * len(numbers))
    for stored, micro, out in zip(found.values.tolist(), expected, outside, strict=True):
        assert out or stored == micro


async def test_every_reading_of_another_meter_is_refused_at_once(tenant: Tenant) -> None:
    """A body of as many unknown meters as readings is refused in one pass, not in one for each."""
    await meter(tenant)
    many = [{"meter": f"x{n}", "start": STAMP, "value": 1} for n in range(100_000)]
    wrong = {"meter": "m", "start": STAMP, "value": 1, "unit": "m3"}
    good = {"meter": "m", "start": STAMP, "value": 1}

    async with asyncio.timeout(60):
        outcome = await post(tenant, {"readings": [wrong, *many, good]}, skip=True)

    assert (outcome.created, outcome.rejected) == (1, 100_001)
    assert len(outcome.unknown) == 10_000
    found = {fault.code: fault for fault in outcome.problems}
    assert found["wrong_unit"].pointer == "/readings/0"
    assert found["unknown_meter"].message.startswith("there is no meter")


def test_few_unknown_meters_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but unknown meters does not fill the memory."""
    monkeypatch.setattr("energia.metering.validation._UNKNOWN", 3)
    directory = Directory()

    directory.add(directory.new([f"m{n}" for n in range(5)]), [])

    assert len(directory.unknown) == 3
    assert directory.target("m4", None, None) == directory.target("m4", "x", None)


def channel_row(key: int, meter_id: str, name: str, power: int | None = None) -> tuple[Any, ...]:
    """Return a channel of energy as the database gives it, with a number of an import after it."""
    most = None if power is None else Decimal(power)
    declared = ("active_energy", "import", "kWh", 900, 0)
    return (*attrs.astuple(Channel(key, meter_id, name, *declared, max_power=most)), 7)


METERS = st.dictionaries(
    st.sampled_from("abcdef"), st.sets(st.sampled_from("xyz"), min_size=1), max_size=5
)


@given(METERS, METERS, st.lists(st.tuples(*map(st.sampled_from, ("abcdefg", "wxyz"))), max_size=20))
def test_a_channel_is_found_by_its_meter_and_its_name(
    first: dict[str, set[str]], more: dict[str, set[str]], asked: list[tuple[str, str]]
) -> None:
    """As well in what is looked up later; without a name, if the meter has no other channel."""
    directory, keys = Directory(), dict[tuple[str, str], int]()
    for meters in (first, {one: names for one, names in more.items() if one not in first}):
        pairs = [(one, name) for one in sorted(meters) for name in sorted(meters[one])]
        keys |= {pair: key for key, pair in enumerate(pairs, len(keys) + 100)}
        directory.add(list(meters), [channel_row(keys[pair], *pair) for pair in pairs])
    only = {one: name for one, name in keys if sum(each == one for each, _ in keys) == 1}
    origins: list[Origin] = [(one, name, None) for one, name in asked]
    origins += [(one, None, None) for one, _ in asked]

    found = [directory.found(one, name) for one, name, _ in origins]

    for (one, name, _), index in zip(origins, found, strict=True):
        key = keys.get((one, name or only.get(one, "")))
        assert key == (None if isinstance(index, Refusal) else directory.keys[index])
        assert isinstance(index, Refusal) or directory.channels[index].key == key
    indexes = [-1 if isinstance(index, Refusal) else index for index in found]
    assert directory.indexes(origins).tolist() == indexes


def test_what_is_looked_up_later_has_its_own_columns() -> None:
    """The bound of each channel is that of its power, whenever it was looked up."""
    directory = Directory()
    directory.add("a", [channel_row(1, "a", "x"), channel_row(2, "a", "y", 4)])
    directory.add("b", [channel_row(3, "b", "x", 8)])

    assert directory.keys.tolist() == [1, 2, 3]
    assert directory.bounds.tolist() == [10**15, 10**6, 2 * 10**6]


async def test_reasons_are_told_in_the_order_of_what_was_sent(tenant: Tenant) -> None:
    """Those of one kind together: of units, of meters that do not exist, of channels."""
    await meter(tenant)
    await meter(tenant, "two", channels=("import", "export"))
    reading = {"start": STAMP, "value": 1}
    readings = [
        {"meter": "m", **reading, "unit": "m3"},
        {"meter": "x", **reading},
        {"meter": "m", **reading, "channel": "other"},
        {"meter": "m", **reading, "unit": "parsec"},
        {"meter": "two", **reading},
        {"meter": "m", **reading},
    ]

    outcome = await post(tenant, {"readings": readings}, skip=True)

    assert outcome.created == 1
    assert [(fault.code, fault.pointer) for fault in outcome.problems] == [
        ("wrong_unit", "/readings/0"),
        ("wrong_unit", "/readings/3"),
        ("unknown_meter", "/readings/1"),
        ("unknown_channel", "/readings/2"),
        ("unknown_channel", "/readings/4"),
    ]
