"""Tariffs ranked by what the same usage costs under each."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from energia.errors import EnergiaError, Fault, Invalid
from energia.metering.series import Series
from energia.pricing.engine import Cost, CostLine, price
from energia.pricing.exact import exact_text, fixed, rounded
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff


@attrs.frozen
class Ranked:
    """What the usage costs under one tariff.

    Attributes:
        tariff: The id of the tariff; its name if it has no id.
        total: The sum of the lines' amounts.
        difference: The total less that of the first tariff asked for.
        lines: What the charges charge.
        assumptions: What was taken for granted.
        difference_percent: The difference in percent of the first tariff's total, with one
            decimal; None where that total is zero.

    """

    tariff: str
    total: str
    difference: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    difference_percent: str | None = None


def compare(
    tariffs: Sequence[Tariff], usage: Mapping[str, Series], start: int, end: int
) -> tuple[Ranked, ...]:
    """Return what the usage in [start, end) costs under each tariff, the cheapest first.

    Raises:
        Invalid: The currencies differ; or as `price` does, with pointers to the tariffs.

    """
    currency = tariffs[0].currency
    others = [
        Fault(
            "other_currency", f"the tariff is in {one.currency}, not {currency}", f"/tariffs/{at}"
        )
        for at, one in enumerate(tariffs)
        if one.currency != currency
    ]
    if others:
        raise Invalid("the currencies of the tariffs differ", others)
    costs = [_price(at, tariff, usage, start, end) for at, tariff in enumerate(tariffs)]
    ranked = [
        (Fraction(cost.total), _ranked(tariff, cost, costs[0]))
        for tariff, cost in zip(tariffs, costs, strict=True)
    ]
    return tuple(one for _, one in sorted(ranked, key=lambda pair: pair[0]))


def _price(at: int, tariff: Tariff, usage: Mapping[str, Series], start: int, end: int) -> Cost:
    """Price under the tariff at index *at*; its faults point to it."""
    try:
        return price(tariff, usage, start, end)
    except EnergiaError as error:
        pointer = f"/tariffs/{at}"
        faults = [attrs.evolve(fault, pointer=pointer) for fault in error.faults]
        raise type(error)(error.detail, faults) from error


def _ranked(tariff: Tariff, cost: Cost, first: Cost) -> Ranked:
    total, base = Fraction(cost.total), Fraction(first.total)
    difference = total - base
    percent = None if not base else _percent(difference / abs(base) * 100)
    return Ranked(
        tariff=tariff.id or tariff.name,
        total=cost.total,
        difference=_like(difference, cost.total, first.total),
        lines=cost.lines,
        assumptions=cost.assumptions,
        difference_percent=percent,
    )


def _like(difference: Fraction, *totals: str) -> str:
    """Return *difference* with as many decimals as the totals have."""
    if any("/" in total for total in totals):
        return exact_text(difference)
    digits = max(len(total.partition(".")[2]) for total in totals)
    return fixed(rounded(difference, digits, "half_up"), digits)


def _percent(value: Fraction) -> str:
    return fixed(rounded(value, 1, "half_up"), 1)
