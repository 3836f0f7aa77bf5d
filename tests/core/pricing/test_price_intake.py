"""What becomes of stored prices when others come in, held against single seconds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import Invalid
from energia.pricing.market.intake import merged
from energia.pricing.market.series import Price

#: Consecutive slots: the length of each, and its price; None is a gap.
SLOTS = st.lists(
    st.tuples(st.integers(1, 4), st.none() | st.integers(-2, 2)), min_size=1, max_size=8
)


def prices(slots: list[tuple[int, int | None]], start: int) -> list[Price]:
    """Return prices that follow one another from a second on."""
    found, at = list[Price](), start
    for length, price in slots:
        if price is not None:
            found.append(Price(at, at + length, Decimal(price)))
        at += length
    return found


def seconds(listed: list[Price]) -> dict[int, Decimal]:
    """Return the price of each second."""
    return {at: one.price for one in listed for at in range(one.start, one.end)}


@given(SLOTS, SLOTS, st.integers(-6, 6))
def test_what_is_stored_is_the_old_overlaid_by_the_new(
    before: list[tuple[int, int | None]], after: list[tuple[int, int | None]], shift: int
) -> None:
    """Second by second, or refused where a slot would lose a part; the same again is nothing."""
    old, new = prices(before, 0), prices(after, shift)
    told = seconds(new)
    covered = [sum(at in told for at in range(one.start, one.end)) for one in old]
    lengths = [one.end - one.start for one in old]
    if any(0 < part < length for part, length in zip(covered, lengths, strict=True)):
        with pytest.raises(Invalid, match="would lose a part of its slot"):
            merged(new, old)
        return
    found = merged(new, old)
    kept = [one for one in old if one.start not in found.gone]
    stored = sorted([*kept, *found.add], key=lambda one: one.start)

    assert seconds(stored) == seconds(old) | seconds(new)
    assert sum(one.end - one.start for one in stored) == len(seconds(stored))
    again = merged(new, stored)
    assert (list(again.add), list(again.gone), again.unchanged) == ([], [], len(new))


@pytest.mark.parametrize("price", ["0.1", "0.10"])
def test_a_price_is_the_same_however_it_is_written(price: str) -> None:
    """0.10 is 0.1: no revision."""
    found = merged([Price(0, 1, Decimal(price))], [Price(0, 1, Decimal("0.1"))])

    assert (found.add, found.unchanged) == ([], 1)
