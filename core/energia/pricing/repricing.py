"""Other prices for lines that were charged before: a tax inside the price, a discount in it.

Where a line is quantity x rate its rate is changed, so that the core rounds the new rate to
`unit_price_decimals` and multiplies it as if the tariff had stated it. Any other line gets another
amount.
"""

from fractions import Fraction

import attrs

from energia.pricing.exact import Exact, decimal_text, fraction
from energia.pricing.lines import Line, Step


def is_multiplied(line: Line) -> bool:
    """Tell whether the amount of a line is quantity x rate.

    The steps of such a line add up to its quantity; those of others to their amount.
    """
    if line.quantity is None or line.rate is None:
        return False
    steps = sum((fraction(step.value) for step in line.steps), Fraction(0))
    return not line.steps or steps == fraction(line.quantity)


def amount_of(line: Line) -> Fraction:
    """Return the exact amount of a line that is on the bill so far."""
    if line.amount is None:
        raise TypeError(f"{line.code} is not on the bill: it has no amount")
    return fraction(line.amount)


def times(line: Line, factor: Fraction, how: str, name: str) -> Line:
    """Return *line* at *factor* times its price.

    Args:
        line: A line of the bill so far.
        factor: What its price is multiplied by.
        how: The arithmetic that follows the price, such as `/ (1 - 0.18)`.
        name: What is done, for a person.

    """
    if is_multiplied(line):
        old = fraction(line.rate or 0)
        return _at(line, old * factor, f"{decimal_text(old)} {how}", name)
    old = amount_of(line)
    text, changed = decimal_text(old), old * factor
    before = line.steps or (Step(line.description, text, old),)
    added = Step(name, f"{text} {how} - {text}", changed - old)
    return attrs.evolve(line, rate=None, amount=changed, steps=(*before, added))


def plus(line: Line, rate: Exact, name: str) -> Line:
    """Return *line*, whose amount is quantity x rate, at a rate that is *rate* higher."""
    if not is_multiplied(line):
        raise TypeError(f"{line.code} has no rate that anything could be added to")
    old, more = fraction(line.rate or 0), fraction(rate)
    return _at(line, old + more, f"{decimal_text(old)} + {decimal_text(more)}", name)


def _at(line: Line, rate: Fraction, expression: str, name: str) -> Line:
    step = f"{name}: {expression} = {decimal_text(rate)}"
    return attrs.evolve(line, rate=rate, amount=None, rate_steps=(*line.rate_steps, step))
