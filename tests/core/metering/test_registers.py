"""What registers counted between their reads."""

from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.metering.registers import Register, RegisterFault, RegisterRead

USED = st.decimals(0, 10**6, places=9)


@given(st.lists(USED, min_size=1, max_size=20), st.integers(0, 10**6))
def test_slots_are_what_was_used_in_them(used: list[Decimal], first: int) -> None:
    """Reads at both ends of each slot give back exactly what they were added up from."""
    register = Register(900)
    values = list(accumulate(used, initial=Decimal(first)))

    slots = [register.slot(RegisterRead(index * 900, value)) for index, value in enumerate(values)]

    assert slots == [None, *((index * 900, value) for index, value in enumerate(used))]


@given(st.lists(st.tuples(st.integers(0, 5000), USED), max_size=30), st.integers(0, 899))
def test_no_slot_is_negative_or_comes_twice(
    reads: list[tuple[int, Decimal]], tolerance: int
) -> None:
    """Whatever is read in whatever order: what a fault is between is never counted."""
    register = Register(900, tolerance)
    starts: list[int] = []
    for instant, value in reads:
        try:
            slot = register.slot(RegisterRead(instant, value))
        except RegisterFault:
            starts = []  # time may have gone back
            continue
        if slot is not None:
            assert slot[1] >= 0
            starts.append(slot[0])

    assert starts == sorted(set(starts))


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (RegisterRead(900, Decimal("9.997")), "register_went_back"),
        (RegisterRead(9000, Decimal("0")), "register_went_back"),
        (RegisterRead(900, Decimal("11"), "another"), "equipment_changed"),
        (RegisterRead(-900, Decimal("10.000")), "out_of_order"),
        (RegisterRead(0, Decimal("10.001")), "reads_differ"),
    ],
)
def test_what_does_not_follow_is_refused_once(second: RegisterRead, code: str) -> None:
    """Nothing is counted across it, and counting goes on from there."""
    register = Register(900)
    register.slot(RegisterRead(0, Decimal("10.000")))

    with pytest.raises(RegisterFault) as caught:
        register.slot(second)

    third = RegisterRead(second.instant + 900, second.value + 1, second.equipment)
    assert caught.value.code == code
    assert register.slot(third) == (second.instant, Decimal(1))
