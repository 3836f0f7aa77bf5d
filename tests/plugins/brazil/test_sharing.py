"""How what a unit injects is shared: all shares together are what was injected."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import Invalid
from energia_plugins.tariff_brazil.sharing import split


@st.composite
def cooperatives(draw: st.DrawFn) -> dict[str, Decimal]:
    """Draw percentages of two decimals that are 100 together."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=1, max_size=12)))
    bounds = [0, *cuts, 10_000]
    parts = [high - low for low, high in pairwise(bounds)]
    return {f"u{number}": Decimal(part) / 100 for number, part in enumerate(parts)}


KWH = st.fractions(0, 10**7, max_denominator=1000)


@given(percents=cooperatives(), injected=KWH, whole=st.booleans())
def test_shares_add_up(percents: dict[str, Decimal], injected: Fraction, whole: bool) -> None:
    """Nothing is lost, and nothing is made."""
    assert sum(split(injected, percents, whole=whole).values()) == injected


@given(percents=cooperatives(), injected=KWH)
def test_whole_shares_are_near_exact_ones(percents: dict[str, Decimal], injected: Fraction) -> None:
    """No unit gets a kWh more or less than its percentage."""
    exact = split(injected, percents, whole=False)
    whole = split(injected, percents)

    assert all(abs(whole[unit] - exact[unit]) < 1 for unit in percents)


def test_the_largest_remainder_has_the_last_kwh() -> None:
    """Of 100 kWh by thirds the unit with 33.34 % has the one that is left."""
    percents = {"a": Decimal("33.33"), "b": Decimal("33.34"), "c": Decimal("33.33")}

    assert split(Fraction(100), percents) == {"a": 33, "b": 34, "c": 33}


def test_of_equal_remainders_the_first_unit_comes_first() -> None:
    """Of 3 kWh by halves the unit that is named first has two."""
    percents = {"loja": Decimal(50), "casa": Decimal(50)}

    assert split(Fraction(3), percents) == {"loja": 2, "casa": 1}


@pytest.mark.parametrize("percents", [{"a": "99"}, {"a": "101", "b": "-1"}, {}])
def test_percentages_are_a_hundred(percents: dict[str, str]) -> None:
    """A share of nobody, or of energy that is not there, is refused."""
    with pytest.raises(Invalid, match="together they are 100"):
        split(Fraction(10), {unit: Decimal(part) for unit, part in percents.items()})
