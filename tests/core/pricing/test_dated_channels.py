"""Channels that count for a part of a bill: a meter that was exchanged, or reads more often."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import IncompleteUsage, Invalid
from energia.metering.series import MISSING, ChannelGrid, Series
from energia.metering.stretches import Stretch, laid
from energia.pricing.engine import Cost, price
from energia.pricing.slots import NeedsFiner
from energia.pricing.usage import ChannelSeries, Missing, Terms
from tests.core.pricing.documents import instant, series, tariff

HOUR, QUARTER = 3600, 900
START, MIDDLE, END = (f"2026-03-02T0{hour}:00:00Z" for hour in (0, 4, 8))
FLAT = {"kind": "energy.flat", "rate": "1"}


def readings(start: str, interval: int, *values: int | None) -> Series:
    """Return readings in kWh from an instant on."""
    micro = [MISSING if value is None else value * 1_000_000 for value in values]
    return series(start, interval, micro)


def exchanged(old: Series, new: Series) -> list[ChannelSeries]:
    """Return the channels of a meter that was exchanged in the middle."""
    return [
        ChannelSeries("old", old, None, instant(MIDDLE)),
        ChannelSeries("new", new, instant(MIDDLE), None),
    ]


def cost(channels: list[ChannelSeries], missing: Missing = "refuse", **charge: object) -> Cost:
    """Price the window under one charge, at one per kWh unless told otherwise."""
    stated = {name: value for name, value in {**FLAT, **charge}.items() if value is not None}
    prices = tariff([stated])
    usage = {"import": channels}
    return price(prices, usage, instant(START), instant(END), Terms(missing=missing))


def told(found: Cost) -> list[tuple[str, int | None]]:
    """Return the assumptions, each with its slots."""
    return [(each.code, each.slots) for each in found.assumptions]


def test_each_channel_counts_in_its_own_time() -> None:
    """150 and 150 kWh in one ladder (case f01): what the old one sends later is not charged."""
    old = readings(START, HOUR, 50, 50, 25, 25, 900, 900)
    new = readings(MIDDLE, HOUR, 50, 50, 25, 25)
    tiers = [{"up_to": "100", "rate": "1"}, {"rate": "2"}]

    found = cost(exchanged(old, new), kind="energy.tiered", rate=None, tiers=tiers)

    assert (found.total, told(found)) == ("500", [])


def test_real_gaps_are_gaps_still() -> None:
    """A slot that is missing while its channel counts is refused, with the name of the channel."""
    old, new = readings(START, HOUR, 1, None, 1, 1), readings(MIDDLE, HOUR, 1, 1, 1, 1)

    with pytest.raises(IncompleteUsage) as refused:
        cost(exchanged(old, new))

    (fault,) = refused.value.faults
    assert fault.message.startswith("import (old): no reading from 2026-03-02T01:00:00")


def test_longer_slots_are_spread_over_shorter_ones() -> None:
    """From hours to quarters: no energy is lost by dividing it, and the cost says so."""
    old = series(START, HOUR, [1_000_003] * 4)
    new = series(MIDDLE, QUARTER, [250_000] * 16)

    found = cost(exchanged(old, new))

    assert (Fraction(found.total), told(found)) == (
        Fraction(8_000_012, 1_000_000),
        [("spread_readings", 4)],
    )


def test_a_peak_is_not_made_of_spread_readings() -> None:
    """Of a quarter of an hour in hours nothing is known; of an hour all is: 4 kWh in the last."""
    old, new = readings(START, HOUR, 1, 2, 3, 1), readings(MIDDLE, QUARTER, *[1] * 16)
    channels = exchanged(old, new)

    with pytest.raises(Invalid) as refused:
        cost(channels, kind="demand", interval="PT15M")
    found = cost(channels, kind="demand", interval="PT1H")

    assert refused.value.faults[0].code == "coarse_readings"
    assert found.total == "4"


def test_time_without_a_channel_is_refused_or_zero_and_told() -> None:
    """An export channel that begins in the middle has nothing to export before."""
    late = [ChannelSeries("new", readings(MIDDLE, HOUR, 1, 1, 1, 1), instant(MIDDLE), None)]

    found = cost(late, "zero")
    for missing in ("refuse", "estimate"):
        with pytest.raises(IncompleteUsage) as refused:
            cost(late, missing)
        assert [fault.code for fault in refused.value.faults] == ["no_channel"]

    assert (found.total, told(found)) == ("4", [("no_channel", None)])


@given(
    st.lists(st.integers(0, 99), min_size=8, max_size=8),
    st.integers(1, 7),
    st.sampled_from([HOUR, QUARTER]),
)
def test_an_exchange_changes_nothing_of_the_sum(values: list[int], at: int, length: int) -> None:
    """Wherever it is, and whatever the slots of the new channel."""
    moment = instant(START) + at * HOUR
    parts = HOUR // length
    rest = [value * 4_000_000 // parts for value in values[at:] for _ in range(parts)]
    channels = [
        ChannelSeries("old", series(START, HOUR, [v * 4_000_000 for v in values]), None, moment),
        ChannelSeries("new", series(moment, length, rest), moment, None),
    ]

    assert Fraction(cost(channels).total) == 4 * sum(values)


def read_at(*hours: int) -> Series:
    """Return what a register measured that was read at these hours of the window: 8 kWh each."""
    reads = [instant(START) + hour * HOUR for hour in hours]
    found = [Stretch(start, end, 8_000_000, 6) for start, end in pairwise(reads)]
    return laid(found, ChannelGrid(QUARTER), reads[0], reads[-1])


@pytest.mark.parametrize(
    "channels",
    [
        exchanged(read_at(0, 4), read_at(4, 8)),
        exchanged(read_at(0, 4), readings(MIDDLE, QUARTER, *[1] * 16)),
        exchanged(readings(START, QUARTER, *[1] * 16), read_at(4, 8)),
    ],
)
def test_a_peak_is_not_made_of_reads(channels: list[ChannelSeries]) -> None:
    """Wherever one of the channels is a register, and whatever follows it or was before."""
    with pytest.raises(NeedsFiner):
        cost(channels, kind="demand", interval="PT15M")


def test_periods_need_readings_only_where_they_change() -> None:
    """A price that changes at 06:00 needs slots from 04:00 on, and the sum before."""
    schedule = {"rules": [{"period": "day", "from": "06:00", "to": "24:00"}], "default": "night"}
    rates = {"day": "2", "night": "1"}
    charge: dict[str, Any] = {
        "kind": "energy.time_of_use",
        "rate": None,
        "schedule": schedule,
        "rates": rates,
    }
    slots = readings(MIDDLE, QUARTER, *[1] * 16)

    found = cost(exchanged(read_at(0, 4), slots), **charge)
    with pytest.raises(NeedsFiner):
        cost(exchanged(read_at(0, 4), read_at(4, 8)), **charge)

    assert (found.total, told(found)) == ("32", [])


def test_registers_that_are_read_at_other_times_meet_where_both_were() -> None:
    """Of two that are added up, the sum is known from 00:00 to 08:00 only, and not at 04:00."""
    both = [ChannelSeries("a", read_at(0, 4, 8)), ChannelSeries("b", read_at(0, 2, 8))]

    with pytest.raises(NeedsFiner, match=r"00:00:00Z to 2026-03-02T08:00"):
        cost(both, kind="demand", interval="PT15M")

    assert cost(both).total == "32"
