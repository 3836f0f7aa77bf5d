"""Units are exact, and numbers are rounded once, by their text."""

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.units import (
    BOUND,
    QUANTITIES,
    NotANumber,
    OutOfRange,
    UnknownUnit,
    ceiling,
    decimal_text,
    to_micro,
    to_micros,
    unit,
)

FACTORS = st.sampled_from([unit(name).factor for name in ("Wh", "kWh", "MWh", "MJ", "J", "ft3")])


@pytest.mark.parametrize(
    ("name", "value", "micro"),
    [
        ("kWh", "0.17099999999999999", 171_000),
        ("KWH", "1", 1_000_000),
        ("wh", "1", 1000),
        ("MWh", "0.001", 1_000_000),
        ("GJ", "3.6", 1_000_000_000),
        ("J", "3.6", 1),
        ("ft3", "1", 28_317),
        ("l", "1", 1000),
        ("m³", "1", 1_000_000),
        ("kvarh", "2.5", 2_500_000),
        ("KVAH", "2.5", 2_500_000),
        ("kWh", "0.0000005", 0),
        ("kWh", "0.0000015", 2),
        ("kWh", "0.00000050000000000000001", 1),
        ("kWh", "1e-400", 0),
        ("kWh", "0e999999999", 0),
        ("kWh", "1000000000", BOUND),
        ("kWh", "1000000000.0000005", BOUND),
    ],
)
def test_micro_units(name: str, value: str, micro: int) -> None:
    """Values become whole micro-units of the canonical unit, half to even."""
    assert to_micro(value, unit(name).factor) == micro


@pytest.mark.parametrize(
    ("name", "joules", "tolerance"),
    [
        # NIST Special Publication 811, appendix B.8: seven digits, or exact.
        ("kWh", 3.6e6, 0),
        ("BTU", 1055.05585262, 0),
        ("MMBTU", 1.055056e9, 1e-6),
        ("therm", 1.05506e8, 5e-6),
        ("thermus", 1.054804e8, 0),
        # The therm of the UK.
        ("Therm", 105_505_585.257348, 5e-11),
    ],
)
def test_units_of_heat_are_those_of_published_tables(
    name: str, joules: float, tolerance: float
) -> None:
    """One of each is so many joules."""
    assert unit(name).factor * 3_600_000 == pytest.approx(joules, rel=tolerance or 1e-15, abs=0)


@pytest.mark.parametrize(
    ("name", "litres"),
    [("ft3", "28.316846592"), ("CCF", "2831.6846592"), ("Mcf", "28316.846592"), ("m3", "1000")],
)
def test_units_of_volume_are_exact(name: str, litres: str) -> None:
    """A foot is 0.3048 m (the yard and pound agreement of 1959)."""
    assert unit(name).factor * 1000 == Fraction(litres)


def test_the_btu_is_that_of_the_international_table() -> None:
    """A pound of water, 4186.8 J for a kilogram and a kelvin, 5/9 of a kelvin."""
    pound, steam_table = Fraction("0.45359237"), Fraction("4186.8")

    assert unit("Btu").factor * 3_600_000 == pound * steam_table * Fraction(5, 9)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kW", "kW is power at a moment: a channel has what that gives in time, in kWh"),
        ("Mvar", "Mvar is power at a moment: a channel has what that gives in time, in Mvarh"),
        ("V", "V is measured at a moment: a channel has quantities over time"),
        ("mW", "there is no unit 'mW'; known are"),
    ],
)
def test_units_of_a_moment_are_refused_as_such(name: str, said: str) -> None:
    """Of power the message names the energy; a milliwatt is not a megawatt."""
    with pytest.raises(UnknownUnit, match=said):
        unit(name)


@pytest.mark.parametrize("name", ["mWh", "mwh", "mj", "mvarh", "", "kW", "Wh ", "°C", "mcf", "thm"])
def test_unknown_units(name: str) -> None:
    """A small m is never mega, and nothing is guessed."""
    with pytest.raises(UnknownUnit):
        unit(name)


@pytest.mark.parametrize(
    "value", ["", "x", "NaN", "Infinity", "-inf", "1_000", "1,5", " 1", "1e", "1" * 101]
)
def test_not_a_number(value: str) -> None:
    """Only plain decimal numbers are numbers."""
    with pytest.raises(NotANumber):
        to_micro(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-sNaN")])
def test_not_finite(value: float | Decimal) -> None:
    """What is not finite is no quantity."""
    with pytest.raises(NotANumber):
        to_micro(value)


@pytest.mark.parametrize("value", ["1e400", "-1e999999999", "1000000000.000001", 10**30])
def test_out_of_range(value: str | int) -> None:
    """A quantity is at most 10**15 micro-units."""
    with pytest.raises(OutOfRange):
        to_micro(value)


@given(st.decimals(-(10**9), 10**9, places=12))
def test_rounding_is_that_of_decimal(value: Decimal) -> None:
    """`to_micro` agrees with the decimal module."""
    assert to_micro(value) == int(value.scaleb(6).quantize(Decimal(1), ROUND_HALF_EVEN))


@given(
    st.lists(
        st.one_of(
            st.decimals(-(2 * 10**9), 2 * 10**9, allow_nan=False, allow_infinity=False),
            st.integers(-(10**15) - 2, 10**15 + 2).map(lambda n: Decimal(2 * n + 1).scaleb(-6) / 2),
            st.floats(allow_nan=False, allow_infinity=False).map(lambda f: Decimal(repr(f))),
        ),
        max_size=20,
    ),
    FACTORS,
)
def test_many_at_once(values: list[Decimal], factor: Fraction) -> None:
    """The array path agrees with the exact one on any numbers, ties and bounds included."""
    micro, outside = to_micros(
        np.array([float(value) for value in values]), factor, lambda index: values[index]
    )

    for value, found, out in zip(values, micro.tolist(), outside.tolist(), strict=True):
        try:
            expected = to_micro(value, factor)
        except OutOfRange:
            assert out
        else:
            assert (found, out) == (expected, False)


def test_nan_is_nothing() -> None:
    """Nulls, which are NaN in an array, are neither rounded nor refused."""
    micro, outside = to_micros(np.array([np.nan, 1.0]), Fraction(1), lambda _: Decimal(0))

    assert (micro.tolist(), outside.tolist()) == ([0, 1_000_000], [False, False])


@given(st.integers(-(10**20), 10**20))
def test_text_is_exact(micro: int) -> None:
    """The text of micro-units is their decimal number, without trailing zeros."""
    text = decimal_text(micro)

    assert Decimal(text) == Decimal(micro).scaleb(-6)
    assert "." not in text or text[-1] not in "0."


def test_every_quantity_has_its_unit() -> None:
    """The canonical unit of every quantity is in the table, with a factor of one."""
    for quantity, name in QUANTITIES.items():
        assert unit(name).factor == 1
        assert unit(name).fits(quantity)
    assert not unit("m3").fits("active_energy")


@given(st.integers(), st.integers(1, 10**6))
def test_ceiling(dividend: int, divisor: int) -> None:
    """A quotient is rounded up, below zero too, for numbers and for arrays of them."""
    assert ceiling(dividend, divisor) == math.ceil(Fraction(dividend, divisor))
    small = dividend % 10**9 - 10**8
    assert ceiling(np.array([small]), divisor).tolist() == [ceiling(small, divisor)]
