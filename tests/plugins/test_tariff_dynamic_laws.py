"""The charge `energy.dynamic` is a loop over fractions, and refuses what does not fit."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import Cost, price
from energia.pricing.market.series import Price, PriceSeries
from energia.pricing.usage import Terms
from tests.core.pricing.documents import faults, instant, series
from tests.core.pricing.markets import market
from tests.plugins.test_tariff_dynamic import DAY, HOUR, SPOT, cost, tariff

DECIMALS = st.decimals(-5, 5, places=4)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ({}, {None: "unknown_price_series"}),
        ({"spot": market(DAY, HOUR, ["1"], currency="EUR")}, {None: "wrong_currency"}),
        ({"spot": market(DAY, HOUR, ["1"], unit="m3")}, {None: "wrong_unit"}),
    ],
)
def test_series_that_do_not_fit_are_refused(
    prices: Mapping[str, PriceSeries], expected: dict[str | None, str]
) -> None:
    """The series must be there, in the tariff's currency and for the channel's unit."""
    usage = series(DAY, HOUR, [1])

    def work() -> Cost:
        return price(tariff(SPOT), {"import": usage}, usage.start, usage.end, Terms(prices=prices))

    assert faults(work) == expected


def test_a_floor_above_the_cap_is_refused_when_the_tariff_is_saved() -> None:
    """No price could be both."""
    charge = {**SPOT, "floor": "0.2", "cap": "0.1"}

    assert faults(lambda: tariff(charge)) == {"/versions/0/charges/0/floor": "floor_above_cap"}


@given(
    st.lists(st.tuples(st.integers(1, 12), DECIMALS), min_size=1, max_size=12),
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=6),
    st.sampled_from([300, 900, 1800, 3600]),
    DECIMALS,
    DECIMALS,
    st.none() | DECIMALS,
    st.none() | DECIMALS,
    st.none() | st.integers(0, 6),
)
def test_it_is_a_loop_over_fractions(
    pieces: list[tuple[int, Decimal]],
    values: list[int],
    interval: int,
    multiplier: Decimal,
    adder: Decimal,
    floor: Decimal | None,
    cap: Decimal | None,
    digits: int | None,
) -> None:
    """Whatever the prices are cut to: each slot has their mean, scaled, bounded and rounded."""
    if floor is not None and cap is not None and floor > cap:
        floor, cap = cap, floor
    at, listed = instant(DAY), list[Price]()
    for length, one in pieces:
        listed.append(Price(at, at + length * 300, one))
        at += length * 300
    values = values[: (at - instant(DAY)) // interval]
    if not values:
        return
    bounds = {"floor": floor, "cap": cap}
    charge = {
        **SPOT,
        "multiplier": str(multiplier),
        "adder": str(adder),
        **{name: str(one) for name, one in bounds.items() if one is not None},
    }
    rounding = {"unit_price_decimals": digits, "amount_decimals": None}

    found = cost(
        PriceSeries.of("spot", "USD", "kWh", listed), values, interval,
        charge=charge, rounding=rounding,
    )  # fmt: skip

    expected = Fraction(0)
    for index, value in enumerate(values):
        begin = instant(DAY) + index * interval
        mean = Fraction(0)
        for part in listed:
            seconds = max(0, min(part.end, begin + interval) - max(part.start, begin))
            mean += Fraction(part.price) * seconds / interval
        slot = mean * Fraction(multiplier) + Fraction(adder)
        slot = slot if floor is None else max(slot, Fraction(floor))
        slot = slot if cap is None else min(slot, Fraction(cap))
        slot = slot if digits is None else half_up(slot, digits)
        expected += slot * Fraction(value, 10**6)
    assert Fraction(found.lines[0].exact) == expected


def half_up(value: Fraction, digits: int) -> Fraction:
    """Return *value* rounded, ties away from zero."""
    scaled = abs(value) * 10**digits
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(-whole if value < 0 else whole, 10**digits)
