"""Other prices for lines that were charged before."""

from decimal import Decimal
from fractions import Fraction

import pytest

from energia.pricing.lines import Line, Step

#: As the core puts them on the bill: each has an amount.
MULTIPLIED = Line(
    "e", "Energy", quantity=3, unit="kWh", rate=Decimal("0.50"), amount=Decimal("1.5")
)
WITH_STEPS = Line(
    "f",
    "Fixed",
    quantity=Fraction(1, 2),
    rate=Decimal(10),
    amount=5,
    steps=(Step("2026-03", "15/30", Fraction(1, 2)),),
)
OF_AN_AMOUNT = Line("m", "Minimum", quantity=30, rate=2, amount=7, steps=(Step("a", "7", 7),))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (MULTIPLIED, True),
        (WITH_STEPS, True),
        (OF_AN_AMOUNT, False),
        (Line("a", "A", amount=1), False),
    ],
)
def test_steps_tell_what_is_multiplied(line: Line, expected: bool) -> None:
    """Those of quantity x rate add up to the quantity."""
    assert line.is_multiplied is expected


def test_the_rate_of_what_is_multiplied_is_changed() -> None:
    """The core takes quantity x rate again; how the rate came about is added."""
    once = MULTIPLIED.times(Fraction(2), "x 2", "Double")
    twice = once.times(Fraction(1, 4), "/ 4", "Quarter")

    assert (twice.rate, twice.amount, twice.quantity) == (Fraction(1, 4), None, 3)
    assert twice.rate_steps == ("Double: 0.5 x 2 = 1", "Quarter: 1 / 4 = 0.25")


def test_another_amount_is_explained_by_what_was_added() -> None:
    """A rate that was not multiplied is no longer that of the line."""
    changed = OF_AN_AMOUNT.times(Fraction(2), "x 2", "Double")

    assert (changed.amount, changed.rate, changed.quantity) == (14, None, 30)
    assert changed.steps == (*OF_AN_AMOUNT.steps, Step("Double", "7 x 2 - 7", Fraction(7)))


def test_an_amount_without_steps_gets_some() -> None:
    """Else they would not add up."""
    changed = Line("a", "A", amount=4).times(Fraction(1, 2), "/ 2", "Half")

    assert [step.value for step in changed.steps] == [4, -2]
    assert changed.amount == 2


def test_a_rate_is_added_to_what_is_multiplied_only() -> None:
    """A line of an amount has no rate to add to."""
    assert MULTIPLIED.plus(Decimal("0.02"), "Flag").rate == Fraction("0.52")
    with pytest.raises(TypeError, match="m has no rate"):
        OF_AN_AMOUNT.plus(1, "Flag")


def test_only_lines_of_the_bill_have_an_amount() -> None:
    """Authors who ask for another's are told."""
    with pytest.raises(TypeError, match="e is not on the bill"):
        _ = Line("e", "E", quantity=1, rate=1).exact_amount
