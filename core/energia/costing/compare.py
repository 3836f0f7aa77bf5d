"""Tariffs ranked by what the same usage costs under each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction
from typing import ClassVar, Final

import attrs

from energia import tracing
from energia.costing.groups import WHOLE, price_groups, together
from energia.errors import EnergiaError, Fault, Invalid
from energia.pricing.engine import Cost, CostLine
from energia.pricing.exact import difference, fixed, rounded
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, Usage
from energia.time import Zone

#: The longest window that is compared as one bill unless something else is asked for: a bill of a
#: month that waited for its meter to be read. What is charged once a month counts once in it.
_LONGEST: Final = timedelta(days=45)


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

    __public_name__: ClassVar[str] = "RankedTariff"

    tariff: str
    total: str
    difference: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    difference_percent: str | None = None


def comparison_group(zone: Zone, start: int, end: int) -> str:
    """Return what is a bill period where nothing is asked for: all of a window, or a month.

    In one bill of a year a monthly demand or minimum counts once, and the ranking is wrong.
    """
    first, last = (zone.datetime(instant).replace(tzinfo=None) for instant in (start, end))
    return "P1M" if last - first > _LONGEST else WHOLE


def grouped_by_month(bounds: Sequence[int]) -> Assumption:
    """Return that the window was priced by months, of which *bounds* are the bill periods."""
    message = (
        f"the window is longer than {_LONGEST.days} days: it is priced as {len(bounds) - 1} bills, "
        f"one for each calendar month (`group` asks for others, `{WHOLE}` for one)"
    )
    return Assumption("grouped_by_month", message)


def compare(
    tariffs: Sequence[Tariff],
    usage: Usage,
    bounds: Sequence[int],
    terms: Terms = Terms(),  # noqa: B008
) -> tuple[Ranked, ...]:
    """Return what the usage in the bill periods between *bounds* costs, the cheapest tariff first.

    Raises:
        Invalid: The currencies differ; or as `price_groups`, with pointers to the tariffs.

    """
    currency = tariffs[0].currency
    others = [
        Fault(
            "other_currency",
            f"the tariff is in {tariff.currency}, not {currency}",
            f"/tariffs/{index}",
        )
        for index, tariff in enumerate(tariffs)
        if tariff.currency != currency
    ]
    if others:
        raise Invalid("the currencies of the tariffs differ", others)
    costs: list[Cost] = []
    for index, tariff in enumerate(tariffs):
        with _pointing_to(index), tracing.as_one(len(tariffs)):
            costs.append(together(price_groups(tariff, usage, bounds, terms)))
    ranked = [
        (Fraction(cost.total), _ranked(tariff, cost, costs[0]))
        for tariff, cost in zip(tariffs, costs, strict=True)
    ]
    return tuple(entry for _, entry in sorted(ranked, key=lambda pair: pair[0]))


@contextmanager
def _pointing_to(index: int) -> Iterator[None]:
    """Let faults point to the tariff at *index*, unless they point to the usage."""
    try:
        yield
    except EnergiaError as error:
        faults = [
            attrs.evolve(fault, pointer=fault.pointer or f"/tariffs/{index}")
            for fault in error.faults
        ]
        raise type(error)(error.detail, faults) from error


def _ranked(tariff: Tariff, cost: Cost, first: Cost) -> Ranked:
    total, base = Fraction(cost.total), Fraction(first.total)
    percent = None if not base else _percent((total - base) / abs(base) * 100)
    return Ranked(
        tariff=tariff.id or tariff.name,
        total=cost.total,
        difference=difference(cost.total, first.total),
        lines=cost.lines,
        assumptions=cost.assumptions,
        difference_percent=percent,
    )


def _percent(value: Fraction) -> str:
    return fixed(rounded(value, 1, "half_up"), 1)
