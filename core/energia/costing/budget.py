"""What a price costs the service, in units that are counted before any work is done.

A unit is what it takes to work out one flat charge for one bill period: about 0.1 ms of one core
(0.08 ms in a bill of a hundred flat charges). The other weights are multiples of it, measured in
the same way on the examples of the bundled charges, rounded up:

- a bill period itself: 2 (cutting the usage, rounding the bill, the answer);
- a charge: 1, and 1 for each line beyond the first (`energia.pricing.allowance.lines_of`);
- a charge with a schedule, which is compiled for each bill period anew: 8;
- a thousand slots, for each charge: 1 (a year of quarter-hours is 35 units a charge).

Lines that depend on what was used are counted while they are made, with their steps, in the same
unit: a price that turns out to be more than it seemed ends there.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from energia.costing.inputs import Plan
from energia.errors import TooLarge
from energia.pricing.allowance import lines_of
from energia.pricing.charges import Charge
from energia.pricing.tariffs import InForce, Tariff

_PERIOD: Final = 2
_CHARGE: Final = 1
_SCHEDULED: Final = 8
#: So many slots are a unit for each charge.
_SLOTS: Final = 1000
#: So many prices of slots, each with one of its own, are a unit for each charge.
_PRICES: Final = 20


def units(plan: Plan, bounds: Sequence[int]) -> int:
    """Return what it costs to price *plan* in the bill periods between *bounds*, in units."""
    slots = _slots(plan)
    return sum(_of_tariff(tariff, bounds, slots) for tariff in plan.tariffs)


def refuse_costly(plan: Plan, bounds: Sequence[int], limit: int) -> None:
    """Refuse a price of more units than *limit* (`limits.pricing`); raises `TooLarge`."""
    cost = units(plan, bounds)
    if cost > limit:
        tariffs, periods = len(plan.tariffs), len(bounds) - 1
        what = f"{periods} bill periods" + (f" under {tariffs} tariffs" if tariffs > 1 else "")
        raise TooLarge(
            f"pricing {what} takes {cost} units of work, more than limits.pricing ({limit}): ask "
            "for fewer or longer bill periods (`group`), a shorter window, or fewer tariffs"
        )


def refuse_costly_slots(
    tariff: Tariff, window: tuple[int, int], slots: int, limit: int, one_by_one: bool = False
) -> None:
    """Refuse prices or periods of so many slots of a tariff; raises `TooLarge`.

    Args:
        tariff: The tariff.
        window: When the first slot starts and the last one ends, in seconds UTC.
        slots: How many there are.
        limit: How many units it may take (`limits.pricing`).
        one_by_one: Whether each slot has a price of its own: 5 microseconds for each charge.

    """
    charges = max((len(span.version.charges) for span in tariff.spans(*window)), default=0)
    cost = slots * charges // (_PRICES if one_by_one else _SLOTS)
    if cost > limit:
        raise TooLarge(
            f"{slots} slots of {charges} charges take {cost} units of work, more than "
            f"limits.pricing ({limit}): ask for a shorter window or longer slots"
        )


def _slots(plan: Plan) -> int:
    """Return how many slots the window has: of the longest row of them, where roles differ."""
    if plan.usage is None:
        spans = plan.reading_spans
        counts = [(span.end - span.start) // span.channel.interval for span in spans]
    else:
        counts = [(plan.end - plan.start) // each.interval for each in plan.usage.values()]
    return max(counts, default=0)


def _of_tariff(tariff: Tariff, bounds: Sequence[int], slots: int) -> int:
    spans = tariff.spans(bounds[0], bounds[-1])
    return sum(_of_span(span, bounds, slots) for span in spans)


def _of_span(span: InForce, bounds: Sequence[int], slots: int) -> int:
    """Return the units of one version, in the part of the window in which it is in force."""
    charges, window = span.version.charges, bounds[-1] - bounds[0]
    periods = sum(start < span.end and span.start < end for start, end in pairwise(bounds))
    more = sum(max(0, lines - 1) for lines in lines_of(charges))
    of_period = _PERIOD + sum(map(_weight, charges)) + more
    inside = slots * (span.end - span.start) // window
    return periods * of_period + inside * len(charges) // _SLOTS


def _weight(charge: Charge) -> int:
    return _CHARGE if getattr(charge, "schedule", None) is None else _SCHEDULED
