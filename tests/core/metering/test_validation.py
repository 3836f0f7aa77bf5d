"""What readings mean: their meter and channel, their unit, their exact quantity."""

import asyncio
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energia.db.pool import Tenant
from energia.metering import query
from energia.metering.validation import Directory
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
