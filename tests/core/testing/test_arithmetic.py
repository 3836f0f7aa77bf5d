"""Expressions of steps are worked out, where they are arithmetic."""

from fractions import Fraction

import pytest

from energia.testing.case import value_of


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("15.50 x 1/31", Fraction(1, 2)),
        ("2 × 3 + 1", Fraction(7)),  # noqa: RUF001 - the sign
        ("(100 - 40) x 0.1", Fraction(6)),
        ("-3", Fraction(-3)),
        ("28/28 / 12", Fraction(1, 12)),
        ("0.1 + 0.2", Fraction(3, 10)),
    ],
)
def test_arithmetic_is_exact(expression: str, value: Fraction) -> None:
    """No float comes in between."""
    assert value_of(expression) == value


@pytest.mark.parametrize(
    "expression", ["3 days x 0.5", "max(1, 2)", "1 / 0", "(1", "", "1 1", "2 ** 9", "9" * 3000]
)
def test_all_else_is_not_judged(expression: str) -> None:
    """Words may say what arithmetic cannot."""
    assert value_of(expression) is None
