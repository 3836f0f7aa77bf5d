"""Consecutive bill periods: each priced as a bill of its own, and all of them added up.

Tiers, demand and fixed charges start anew in each period; what the charges remember goes from one
period to the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

import attrs

from energia.errors import IncompleteUsage
from energia.pricing.engine import Cost, CostLine, price
from energia.pricing.exact import added, decimal_text, exact_text
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, Usage, all_gaps


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


def price_groups(
    tariff: Tariff, usage: Usage, bounds: Sequence[int], terms: Terms
) -> tuple[Group, ...]:
    """Return what *usage* costs in each window between *bounds*, in order.

    Raises:
        IncompleteUsage: Readings are missing; all gaps of all windows are named.
        EnergiaError: As `price` does, for the first window that cannot be priced.

    """
    groups, missing = list[Group](), list[IncompleteUsage]()
    for start, end in pairwise(bounds):
        try:
            cost = price(tariff, usage, start, end, terms)
        except IncompleteUsage as error:
            missing.append(error)
            continue
        versions = tuple(part.version for part in cost.parts)
        groups.append(Group(start, end, versions, cost))
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
    quantities = [line.quantity for line in lines if line.quantity is not None]
    is_metered = len(quantities) == len(lines) and {line.unit for line in lines} == {first.unit}
    return attrs.evolve(
        first,
        quantity=decimal_text(sum(map(Fraction, quantities))) if is_metered else None,
        unit=first.unit if is_metered else None,
        rate=first.rate if {line.rate for line in lines} == {first.rate} else None,
        version=first.version if {line.version for line in lines} == {first.version} else None,
        amount=added(line.amount for line in lines),
        exact=exact_text(sum((Fraction(line.exact) for line in lines), Fraction(0))),
    )
