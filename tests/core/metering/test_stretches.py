"""What registers counted between their reads, and stretches on slots."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.metering.registers import RegisterRules
from energia.metering.series import MISSING, NEVER_SENT, NOT_COUNTED, ChannelGrid
from energia.metering.stretches import Read, ReadKind, Stretch, between, by_days, laid, slotted
from energia.time import DAY, HOUR, Zone, instant_of

KWH = 10**6
#: Five digits; 10 kWh in an hour at most.
RULES = RegisterRules(digits=5, most=Decimal(10))
PARIS = Zone.named("Europe/Paris")


def reads(*values: str, apart: int = DAY) -> list[Read]:
    """Return reads at even distances."""
    return [Read(index * apart, Decimal(value)) for index, value in enumerate(values)]


def told(found: list[Stretch]) -> list[tuple[int | None, str | None]]:
    """Return the values of stretches, in Wh, and what is said of each."""
    return [(None if each.value == MISSING else each.value // 1000, each.reason) for each in found]


def test_a_register_counts() -> None:
    """What was used is the later read less the earlier one, exactly, and is derived."""
    (found,) = between(reads("18344.07", "18581.1"), RULES, Fraction(1))
    assert found == Stretch(0, DAY, 237_030_000, 6)


def test_a_multiplier() -> None:
    """Differences are multiplied, reads are not."""
    assert told(between(reads("10", "12"), RULES, Fraction(40))) == [(80_000, None)]


def test_a_rollover() -> None:
    """Past its last digit a register begins again with 0: 99999.8 to 0.3 is 0.5 kWh."""
    assert told(between(reads("99999.8", "0.3"), RULES, Fraction(1))) == [(500, "rollover")]


@pytest.mark.parametrize(
    "rules", [RegisterRules(), RegisterRules(digits=5), RegisterRules(most=Decimal(10))]
)
def test_a_fall_without_reason(rules: RegisterRules) -> None:
    """A fall is a rollover only if digits and power say so; else nobody knows what was used."""
    found = between(reads("99999.8", "0.3", "1.3"), rules, Fraction(1))
    assert told(found) == [(None, "register_went_back"), (1_000, None)]


def test_a_reset_is_no_rollover() -> None:
    """What would be more than the meter can measure is no rollover."""
    found = between(reads("50000", "3", "4"), RULES, Fraction(1))
    assert told(found) == [(None, "register_went_back"), (1_000, None)]


def test_more_digits_than_were_said() -> None:
    """A register that showed more than its digits can has not begun again at 0."""
    found = between(reads("150000", "50100"), RULES, Fraction(1))
    assert told(found) == [(None, "register_went_back")]


def test_a_dip() -> None:
    """A drop of two of the last digits is nothing used, and the way back up is not counted."""
    found = between(reads("100.5", "100.4", "100.6"), RULES, Fraction(1))
    assert told(found) == [(0, "dip"), (100, None)]


@pytest.mark.parametrize("wrong", ["99000", "0"])
def test_a_glitch(wrong: str) -> None:
    """A read that fits to no other is passed over where those around it fit to each other."""
    found = between(reads("500", wrong, "503", apart=HOUR), RULES, Fraction(1))
    assert [(each.start, each.end) for each in found] == [(0, 2 * HOUR)]
    assert told(found) == [(3_000, "glitch")]


def test_too_much() -> None:
    """What is above the power of the meter is kept, and questionable."""
    (found,) = between(reads("0", "242"), RULES, Fraction(1))
    assert (found.value, found.quality, found.reason) == (242 * KWH, 7, "above_max_power")


def test_the_last_digit() -> None:
    """A register of whole kWh may go on by one within a minute; one of tenths may not by ten."""
    whole, tenths = reads("100", "101", apart=60), reads("100.0", "101.0", apart=60)
    assert told(between(whole, RULES, Fraction(1))) == [(1_000, None)]
    assert told(between(tenths, RULES, Fraction(1))) == [(1_000, "above_max_power")]


def test_an_exchange() -> None:
    """With a final and an initial read, both meters count; nothing is between them."""
    kinds: list[tuple[str, ReadKind, str]] = [
        ("700", "read", "old"),
        ("720", "final", "old"),
        ("5", "initial", "new"),
        ("9", "read", "new"),
    ]
    at = [0, DAY, DAY, 2 * DAY]
    sent = [
        Read(instant, Decimal(value), kind=kind, equipment=equipment)
        for instant, (value, kind, equipment) in zip(at, kinds, strict=True)
    ]
    assert told(between(sent, RULES, Fraction(1))) == [(20_000, None), (4_000, None)]


def test_another_meter() -> None:
    """Without these, nothing is known between reads of two meters."""
    sent = [Read(0, Decimal(700), equipment="old"), Read(DAY, Decimal(705), equipment="new")]
    assert told(between(sent, RULES, Fraction(1))) == [(None, "equipment_changed")]


def test_another_meter_is_one_after_reads_that_name_none() -> None:
    """A read that does not say its meter is of the one before it."""
    named = zip(("old", None, "new"), (700, 705, 710), strict=True)
    sent = [
        Read(at * DAY, Decimal(value), equipment=name) for at, (name, value) in enumerate(named)
    ]
    assert told(between(sent, RULES, Fraction(1))) == [(5_000, None), (None, "equipment_changed")]


def test_a_read_at_an_exchange() -> None:
    """One that was sent besides, of whichever meter, changes nothing of what both counted."""
    sent = [
        Read(0, Decimal(700)),
        Read(DAY, Decimal(720), kind="final"),
        Read(DAY, Decimal(5), kind="initial"),
        Read(DAY, Decimal(720)),
        Read(2 * DAY, Decimal(9)),
    ]
    assert told(between(sent, RULES, Fraction(1))) == [(20_000, None), (4_000, None)]


def test_an_estimate_stays_one() -> None:
    """What an estimated read is an end of is estimated."""
    sent = [Read(0, Decimal(1)), Read(DAY, Decimal(2), 5), Read(2 * DAY, Decimal(3))]
    assert [each.quality for each in between(sent, RULES, Fraction(1))] == [5, 5]


@given(st.lists(st.integers(0, 200), min_size=2, max_size=20))
def test_what_registers_count_adds_up(steps: list[int]) -> None:
    """Whatever the reads, what was used in all is the last less the first."""
    totals = np.cumsum(steps).tolist()
    found = between(reads(*map(str, totals)), RULES, Fraction(1))
    assert sum(each.value for each in found) == (totals[-1] - totals[0]) * KWH


# Days.


def at(text: str) -> int:
    """Return an instant of the clock of Paris."""
    return instant_of(datetime.fromisoformat(text).replace(tzinfo=PARIS.tzinfo))


def test_reads_of_days() -> None:
    """A read counts for the midnight before it; of two on one day the first does."""
    times = ["2026-03-05T10:30", "2026-03-05T18:00", "2026-04-06T09:00", "2026-04-06T09:05"]
    sent = [Read(at(time), Decimal(value)) for time, value in zip(times, "1367", strict=True)]
    found = by_days(between(sent, RegisterRules(), Fraction(1)), PARIS)
    assert [(each.start, each.end, each.value) for each in found] == [
        (at("2026-03-05T00:00"), at("2026-04-06T00:00"), 5 * KWH)
    ]


def test_an_estimate_of_a_day_stays_one() -> None:
    """Where one of two stretches of a day is estimated, that day is."""
    noon, night = at("2026-03-05T12:00"), at("2026-03-06T00:00")
    sent = [Stretch(at("2026-03-05T00:00"), noon, KWH, 5), Stretch(noon, night, KWH, 6)]
    (found,) = by_days(sent, PARIS)
    assert (found.value, found.quality) == (2 * KWH, 5)


def test_a_day_of_which_a_part_is_missing() -> None:
    """What was used from 06:00 to 18:00 was never sent: nobody knows what the day used."""
    times = ["2026-03-04T00:00", "2026-03-05T06:00", "2026-03-05T18:00", "2026-03-06T00:00"]
    first, until, since, last = map(at, times)
    found = by_days([Stretch(first, until, KWH, 1), Stretch(since, last, KWH, 1)], PARIS)
    assert [(each.value, each.quality) for each in found] == [(KWH, 1), (MISSING, NEVER_SENT)]


def test_a_day_that_comes_again() -> None:
    """Clocks that go back a minute after midnight make no stretch that ends before it starts."""
    zone = Zone.named("America/St_Johns")
    midnight = instant_of(datetime.fromisoformat("2010-11-07T00:00:00-02:30"))
    times = [midnight - DAY, midnight, midnight + HOUR // 2, midnight + 3 * DAY + HOUR]
    sent = [Read(time, Decimal(value)) for time, value in zip(times, "1234", strict=True)]
    found = by_days(between(sent, RegisterRules(), Fraction(1)), zone)
    assert [(each.start, each.end, each.value) for each in found] == [
        (midnight - DAY, midnight, KWH),
        (midnight, midnight + 3 * DAY + HOUR, 2 * KWH),
    ]


@given(st.integers(0, 10**12), st.integers(0, 2 * HOUR), st.integers(DAY, 3 * DAY))
def test_midnights_within_slots(value: int, start: int, length: int) -> None:
    """In a zone whose midnights are not starts of slots, a spread loses nothing either."""
    stretch = Stretch(start, start + length, value, 6)
    assert int(laid([stretch], ChannelGrid(900), start, start + length).values.sum()) == value


@given(st.integers(0, 10**12), st.integers(1, 60))
def test_a_spread_loses_nothing(value: int, days: int) -> None:
    """The slots of a stretch add up to it, and no two differ by more than a micro-unit."""
    series = laid([Stretch(0, days * DAY, value, 6)], ChannelGrid(900), 0, days * DAY)
    assert int(series.values.sum()) == value
    assert int(series.values.max() - series.values.min()) <= 1


def test_a_part_of_a_spread() -> None:
    """Cut into windows, a stretch is the same slots as in one."""
    stretch, grid = [Stretch(0, DAY, 1_000_001, 6)], ChannelGrid(900)
    whole = laid(stretch, grid, 0, DAY).values
    parts = [laid(stretch, grid, start, start + HOUR).values for start in range(0, DAY, HOUR)]
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_slots_of_a_register() -> None:
    """A register that is read at the ends of slots has readings; longer stretches are none."""
    found = between(reads("1", "2", "4", apart=900), RULES, Fraction(1))
    found.append(Stretch(1800, 3600, KWH, 6))
    series = slotted(found, ChannelGrid(900), 0, 3600)
    assert series.values.tolist() == [KWH, 2 * KWH, MISSING, MISSING]
    assert series.quality.tolist() == [6, 6, -1, -1]


def test_reads_within_a_slot() -> None:
    """A slot that is read in between is the sum of its parts, unless one of them is null."""
    sent = [Read(0, Decimal(1)), Read(100, Decimal(2)), Read(900, Decimal(4), 5)]
    sent += [Read(1000, Decimal(0)), Read(1800, Decimal(1)), Read(2800, Decimal(2))]
    series = slotted(between(sent, RegisterRules(), Fraction(1)), ChannelGrid(900), 0, 2700)
    assert series.values.tolist() == [3 * KWH, MISSING, MISSING]
    assert series.quality.tolist() == [5, NOT_COUNTED, NEVER_SENT]
