"""Consecutive bill periods: each priced as a bill of its own, and all of them added up.

Tiers, demand and fixed charges start anew in each period; what the charges remember goes from one
period to the next.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

import attrs

from energia.convert.faults import Found
from energia.errors import IncompleteUsage
from energia.metering.series import Series
from energia.pricing.engine import Cost, CostLine, price
from energia.pricing.exact import added, decimal_text, exact_text
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms


@attrs.frozen
class Group:
    """One period.

    Attributes:
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        version: When the version of the tariff became valid that was in force.
        cost: What it costs.

    """

    start: int
    end: int
    version: date
    cost: Cost


def price_groups(
    tariff: Tariff, usage: Mapping[str, Series], bounds: Sequence[int], terms: Terms
) -> tuple[Group, ...]:
    """Return what *usage* costs in each window between *bounds*, in order.

    Raises:
        IncompleteUsage: Readings are missing; all gaps of all windows are named.
        EnergiaError: As `price` does, for the first window that cannot be priced.

    """
    found, missing = list[Group](), list[IncompleteUsage]()
    for start, end in pairwise(bounds):
        try:
            cost = price(tariff, usage, start, end, terms)
        except IncompleteUsage as error:
            missing.append(error)
            continue
        found.append(Group(start, end, tariff.in_force(start, end).valid_from, cost))
        terms = attrs.evolve(terms, state=cost.state)
    if missing:
        raise _all(missing)
    return tuple(found)


def _all(missing: Sequence[IncompleteUsage]) -> IncompleteUsage:
    """Return the gaps of several windows as one error."""
    if len(missing) == 1:
        return missing[0]
    found = Found()
    for error in missing:
        found.add(error)
    return IncompleteUsage(
        f"{len(missing)} periods have slots without a reading", found.faults, found.counts
    )


def together(groups: Sequence[Group]) -> Cost:
    """Return what all *groups* cost: lines of one code are added up; at least one group."""
    last = groups[-1].cost
    if len(groups) == 1:
        return last
    costs = [group.cost for group in groups]
    return attrs.evolve(
        last,
        total=added(cost.total for cost in costs),
        lines=tuple(_lines(line for cost in costs for line in cost.lines)),
        assumptions=tuple(dict.fromkeys(one for cost in costs for one in cost.assumptions)),
        details=(),
        measured={},
    )


def _lines(lines: Iterable[CostLine]) -> Iterator[CostLine]:
    by_code: dict[str, list[CostLine]] = {}
    for line in lines:
        by_code.setdefault(line.code, []).append(line)
    for same in by_code.values():
        yield same[0] if len(same) == 1 else _sum(same)


def _sum(lines: Sequence[CostLine]) -> CostLine:
    """Return lines of one code as one; its rate is stated where it is that of all of them."""
    first = lines[0]
    quantities = [line.quantity for line in lines if line.quantity is not None]
    is_metered = len(quantities) == len(lines) and {line.unit for line in lines} == {first.unit}
    return attrs.evolve(
        first,
        quantity=decimal_text(sum(map(Fraction, quantities))) if is_metered else None,
        unit=first.unit if is_metered else None,
        rate=first.rate if {line.rate for line in lines} == {first.rate} else None,
        amount=added(line.amount for line in lines),
        exact=exact_text(sum((Fraction(line.exact) for line in lines), Fraction(0))),
    )
