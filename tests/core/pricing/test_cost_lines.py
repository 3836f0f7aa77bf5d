"""Lines of a cost that are like another one."""

import attrs
import pytest

from energia.pricing.cost import CostLine

LINE = CostLine(
    code="energy.peak",
    description="Energy, peak",
    quantity="2.5",
    unit="kWh",
    rate="0.4",
    amount="1.00",
    exact="1",
    period="peak",
)


def test_a_line_that_is_like_another_has_all_else_of_it() -> None:
    """It equals a line that is made of the same attributes, and counts as it in a set."""
    found = LINE.like("3", "1.20", "1.2")

    assert found == attrs.evolve(LINE, quantity="3", amount="1.20", exact="1.2")
    assert {found, LINE.at("1")} == {found, attrs.evolve(LINE, amount="1")}


def test_a_line_that_is_like_another_is_frozen_too() -> None:
    """Nobody changes what is on a bill."""
    found = LINE.at("2.00")

    assert type(found) is CostLine
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.amount = "3.00"  # type: ignore[misc]
