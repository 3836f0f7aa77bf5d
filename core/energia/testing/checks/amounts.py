"""Checks of the numbers on a bill: exact, adding up, explained."""

import re
from fractions import Fraction
from typing import Any, Final

from energia.pricing.charges import Components, Rate
from energia.pricing.exact import Exact, fraction
from energia.pricing.explain import ExplainedLine
from energia.testing.case import (
    MONDAY,
    Case,
    energy_by_period,
    exact_lines,
    explained_lines,
    value_of,
)
from energia.testing.outcome import Failed, Skipped
from energia.time import DAY
from energia.units import MICRO

#: A denominator with so many twos is that of a float, not of a decimal that a person wrote.
_FLOAT: Final = 2**40
_ROUNDINGS: Final[tuple[dict[str, Any], ...]] = (
    {"amount_decimals": None},
    {"amount_decimals": 2, "level": "line"},
    {"amount_decimals": 2, "level": "total", "mode": "half_even"},
    {"amount_decimals": 0, "unit_price_decimals": 2, "mode": "down"},
)
_EQUATION: Final = re.compile(r": (?P<expression>[^:]+) = (?P<value>-?[\d./]+)(, about .*)?$")
_END: Final = MONDAY + 7 * DAY


def exact(case: Case) -> None:
    """Quantities, rates, amounts and steps are int, Fraction or Decimal, and never were floats."""
    tariff = case.tariff()
    for line in exact_lines(tariff, case.usage(tariff, MONDAY, _END), MONDAY, _END):
        numbers = {"quantity": line.quantity, "rate": line.rate, "amount": line.amount}
        numbers |= {f"the step {step.description!r}": step.value for step in line.steps}
        for name, value in numbers.items():
            _refuse_float(line.code, name, value)


def sums(case: Case) -> None:
    """The amounts of the lines add up to the total, however the tariff rounds."""
    for rounding in _ROUNDINGS:
        cost = case.priced(case.tariff(rounding=rounding), MONDAY, _END)
        total = sum((Fraction(line.amount) for line in cost.lines), Fraction(0))
        if total != Fraction(cost.total):
            raise Failed(f"the lines add up to {total}, and the total is {cost.total}")


def explained(case: Case) -> None:
    """Each line says how it was worked out, and measuring again gives the same."""
    tariff = case.tariff()
    for line in explained_lines(tariff, case.usage(tariff, MONDAY, _END), MONDAY, _END):
        _refuse_unexplained(line)


def unit_prices(case: Case) -> None:
    """Where a charge states the price of a unit, it charges that price."""
    charge = case.pricing.charge(case.document)
    prices = charge.unit_prices()
    if prices is None or prices.first_tier or not prices.rates:
        raise Skipped("it has no price of a unit, whatever is used")
    tariff = case.tariff()
    usage = case.usage(tariff, MONDAY, _END)
    energy = energy_by_period(tariff, usage, (MONDAY, _END), prices, charge.channel)
    expected = sum(Fraction(energy[p], MICRO) * _sum(prices.rates[p]) for p in energy)
    cost = case.priced(tariff, MONDAY, _END)
    lines = zip(cost.lines, cost.details, strict=True)
    charged = sum(Fraction(line.exact) for line, by in lines if by.charge == case.code)
    if charged != expected:
        raise Failed(f"unit_prices() makes {expected} of a week that costs {charged}")


def _sum(rate: Rate) -> Fraction:
    parts = rate.components.values() if isinstance(rate, Components) else [rate]
    return sum(map(Fraction, parts), Fraction(0))


def _refuse_unexplained(explanation: ExplainedLine) -> None:
    line, steps = explanation.line, explanation.arithmetic.steps
    if not explanation.reproduced:
        raise Failed(f"{line.code}: measuring the same readings again gives something else")
    if not line.description.strip():
        raise Failed(f"{line.code} has no description")
    multiplied = line.quantity is not None and line.rate is not None
    if not steps and not multiplied and Fraction(line.exact):
        raise Failed(f"{line.code} is {line.amount}, and no step tells why")
    refuse_false(explanation)


def refuse_false(explanation: ExplainedLine) -> None:
    """Refuse an equation that is printed and is not true; raises `Failed`."""
    line, arithmetic = explanation.line, explanation.arithmetic
    if line.factors is not None and line.factors[0] * line.factors[1] != Fraction(line.exact):
        raise Failed(f"{line.code}: {line.quantity} x {line.rate} is not {line.exact}")
    equations = [(step.expression, step.value) for step in arithmetic.steps]
    equations += [pair for text in arithmetic.rate for pair in _equation_of_rate(text)]
    equations.append((_without_units(arithmetic.expression, line.unit), arithmetic.value))
    for expression, value in equations:
        worked_out = value_of(expression)
        if worked_out is not None and worked_out != Fraction(value):
            raise Failed(f"{line.code}: it says {expression} = {value}, which is {worked_out}")


def _equation_of_rate(text: str) -> list[tuple[str, str]]:
    """Return the equation of `name: 0.5 / 0.82 = 25/41, about 0.609756`."""
    equation = _EQUATION.search(text)
    return [(equation["expression"], equation["value"])] if equation else []


def _without_units(expression: str, unit: str | None) -> str:
    """Return `3 kWh x 0.33333 BRL/kWh` without its units."""
    plain = re.sub(r" [A-Z]{3}(/\S.*)?$", "", expression)
    return plain.replace(f" {unit} x ", " x ", 1) if unit else plain


def _refuse_float(code: str, name: str, value: Exact | None) -> None:
    if value is None:
        return
    try:
        denominator = fraction(value).denominator
    except TypeError as error:
        raise Failed(f"{code}: {name}: {error}") from None
    if denominator % _FLOAT == 0:
        raise Failed(f"{code}: {name} was a float once: it is {value!r}")
