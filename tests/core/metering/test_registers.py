"""What registers counted between their reads."""

import json
from decimal import Decimal
from itertools import accumulate
from typing import Any

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


def test_a_register_that_gives_nothing_is_silent() -> None:
    """Reads that reach over a slot and are never at its ends, or too far apart, are told of."""
    late, apart, short, counted = (Register(900) for _ in range(4))
    for register, instants in (
        (late, (1, 901, 1801)),
        (apart, (0, 1800)),
        (short, (1, 1800)),
        (counted, (0, 900, 2000)),
    ):
        for instant in instants:
            register.slot(RegisterRead(instant, Decimal(1)))

    assert [one.is_silent for one in (late, apart, short, counted)] == [True, True, False, False]


def test_a_dip_that_is_read_again_is_no_other_read() -> None:
    """The higher value holds for counting alone: what was read is known as it was."""
    register = Register(900)
    reads = [(0, "10.000"), (900, "9.999"), (900, "9.999"), (1800, "10.000"), (2700, "10.5")]

    slots = [register.slot(RegisterRead(at, Decimal(value))) for at, value in reads]

    assert slots == [
        *(None, (0, Decimal(0)), None),
        *((900, Decimal(0)), (1800, Decimal("0.5"))),
    ]


def test_a_register_goes_on_from_its_state() -> None:
    """What it counts from survives JSON, the higher value before a dip too."""
    reads = [(0, "10.000"), (900, "9.999"), (1800, "10.000"), (2700, "10.5")]
    counted, state = list[object](), dict[str, Any]()

    for at, value in reads:
        register = Register.of(900, state=json.loads(json.dumps(state)))
        counted.append(register.slot(RegisterRead(at, Decimal(value))))
        state = register.state()

    assert counted == [None, (0, Decimal(0)), (900, Decimal(0)), (1800, Decimal("0.5"))]
    assert Register(900).state() == {}
