"""Consecutive bill periods: each priced as a bill of its own, and all of them added up.

Tiers, demand and fixed charges start anew in each period; what the charges remember goes from one
period to the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

import attrs

from energia import tracing
from energia.errors import IncompleteUsage, Invalid
from energia.metering.usage import bounds
from energia.pricing.engine import Cost, CostLine, as_money, price_by_charges, price_chain
from energia.pricing.exact import added, decimal_text, endless_text, exact_text, rounded
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, Usage, all_gaps
from energia.time import DAY, Granularity, Zone
from energia.work import checkpoint

#: The group that is the whole window: one bill period, however long.
WHOLE: Final = "whole"
#: How many bill periods one request has at most: ten years of days.
_PERIODS: Final = 4000
#: So many bill periods are worth keeping what their prices share: ten years of months.
_CHAIN: Final = 120


@attrs.frozen
class Group:
    """One period.

    Attributes:
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        versions: When the versions of the tariff became valid that were in force, in order.
        cost: What it costs.

    """

    start: int
    end: int
    versions: tuple[date, ...]
    cost: Cost


def bill_periods(zone: Zone, start: int, end: int, group: str) -> tuple[int, ...]:
    """Return where the bill periods of a window begin, and the end of the last.

    Args:
        zone: Whose days, months and years they are.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        group: `P1D`, `P1M`, `P1Y` or `whole`. The first and the last may be part of one.

    Raises:
        Invalid: There are too many of them.

    """
    if group == WHOLE:
        return (start, end)
    if group == "P1D" and (end - start) // DAY > _PERIODS:
        raise _too_many()
    edges = bounds(zone, Granularity(group, None), start, end)
    if len(edges) > _PERIODS + 1:
        raise _too_many()
    return tuple(edges.tolist())


def _too_many() -> Invalid:
    return Invalid.of("too_many_groups", f"there are more than {_PERIODS} groups", "/group")


def price_groups(
    tariff: Tariff, usage: Usage, bounds: Sequence[int], terms: Terms
) -> tuple[Group, ...]:
    """Return what *usage* costs in each window between *bounds*, in order.

    Raises:
        IncompleteUsage: Readings are missing; all gaps of all windows are named.
        EnergiaError: As `price` does, for the first window that cannot be priced.

    """
    if len(bounds) - 1 <= _CHAIN and (costs := price_chain(tariff, usage, bounds, terms)):
        return tuple(
            Group(*window, cost.versions, as_money(cost))
            for window, cost in zip(pairwise(bounds), costs, strict=True)
        )
    groups, missing = list[Group](), list[IncompleteUsage]()
    for start, end in pairwise(bounds):
        checkpoint()
        try:
            with tracing.as_one(len(bounds) - 1):
                cost = price_by_charges(tariff, usage, start, end, terms)
        except IncompleteUsage as error:
            missing.append(error)
            continue
        groups.append(Group(start, end, cost.versions, as_money(cost)))
        if cost.state != terms.state:
            terms = attrs.evolve(terms, state=cost.state)
    if missing:
        raise all_gaps(missing, "periods")
    return tuple(groups)


def together(groups: Sequence[Group]) -> Cost:
    """Return what all *groups* cost: lines of one code are added up; at least one group."""
    last = groups[-1].cost
    if len(groups) == 1:
        return last
    costs = [group.cost for group in groups]
    return attrs.evolve(
        last,
        total=added(cost.total for cost in costs),
        lines=tuple(by_code(line for cost in costs for line in cost.lines)),
        assumptions=tuple(
            dict.fromkeys(assumption for cost in costs for assumption in cost.assumptions)
        ),
        details=(),
        parts=(),
    )


def by_code(lines: Iterable[CostLine]) -> Iterator[CostLine]:
    """Yield *lines*, those of one code added up, in the order in which the codes come first."""
    groups: dict[str, list[CostLine]] = {}
    for line in lines:
        groups.setdefault(line.code, []).append(line)
    for same in groups.values():
        yield same[0] if len(same) == 1 else _sum(same)


def _sum(lines: Sequence[CostLine]) -> CostLine:
    """Return lines of one code as one; it states what all of them have in common."""
    first = lines[0]
    quantities = [line.quantity_exact or line.quantity for line in lines if line.quantity]
    is_metered = len(quantities) == len(lines) and {line.unit for line in lines} == {first.unit}
    quantity = sum(map(Fraction, quantities), Fraction(0)) if is_metered else None
    amount = added(line.amount for line in lines)
    rate = first if _have_one_rate(lines, quantity, amount) else None
    return attrs.evolve(
        first,
        quantity=None if quantity is None else decimal_text(quantity, 6),
        quantity_exact=None if quantity is None else endless_text(quantity),
        unit=first.unit if is_metered else None,
        rate=None if rate is None else rate.rate,
        rate_exact=None if rate is None else rate.rate_exact,
        version=first.version if {line.version for line in lines} == {first.version} else None,
        amount=amount,
        exact=exact_text(sum((Fraction(line.exact) for line in lines), Fraction(0))),
    )


def _have_one_rate(lines: Sequence[CostLine], quantity: Fraction | None, amount: str) -> bool:
    """Tell whether lines have one rate, by which their quantities multiply out to their sum.

    Where each was rounded, they may not: then the sum shows no rate.
    """
    first = lines[0]
    rates = {(line.rate, line.rate_exact) for line in lines}
    if quantity is None or first.rate is None or len(rates) > 1:
        return False
    product = quantity * Fraction(first.rate_exact or first.rate)
    decimals = len(amount.partition(".")[2])
    return rounded(product, decimals, "half_up") == rounded(Fraction(amount), decimals, "half_up")
