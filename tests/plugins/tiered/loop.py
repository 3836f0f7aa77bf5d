"""Tiers worked out by plain loops over slots, in fractions: what the charge is compared with.

It shares no code with the charge. A tariff here is: tiers as (bound or None, rate) by period.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

#: A slot: its window, its period, and its kWh.
Slot: TypeAlias = tuple[str, str, Fraction]
Bounds: TypeAlias = Sequence[Fraction | None]
#: kWh by period and tier.
Shared: TypeAlias = dict[tuple[str, int], Fraction]


def shared(scope: str, slots: Sequence[Slot], bounds: Mapping[str, Bounds]) -> Shared:
    """Return what each period uses at each tier, given the bounds of each window."""
    found: Shared = defaultdict(Fraction)
    for window in dict.fromkeys(name for name, _, _ in slots):
        mine = [(period, kwh) for name, period, kwh in slots if name == window]
        for period, tier, kwh in SCOPES[scope](mine, bounds[window]):
            found[period, tier] += kwh
    return {key: kwh for key, kwh in found.items() if kwh}


def filled(total: Fraction, bounds: Bounds) -> list[Fraction]:
    """Fill tiers one after the other; less than nothing is in the first."""
    tiers, floor = [Fraction(0)] * len(bounds), Fraction(0)
    if total <= 0:
        tiers[0] = total
        return tiers
    for number, bound in enumerate(bounds):
        if bound is None or total <= bound:
            tiers[number] = total - floor
            return tiers
        tiers[number], floor = bound - floor, bound
    raise AssertionError("the last tier is open")


def per_period(
    slots: Sequence[tuple[str, Fraction]], bounds: Bounds
) -> Iterator[tuple[str, int, Fraction]]:
    """Fill a ladder for each period."""
    for period, total in totals(slots).items():
        for tier, kwh in enumerate(filled(total, bounds)):
            yield period, tier, kwh


def pooled(
    slots: Sequence[tuple[str, Fraction]], bounds: Bounds
) -> Iterator[tuple[str, int, Fraction]]:
    """Fill one ladder; each period pays its share of every tier."""
    by_period = totals(slots)
    total = sum(by_period.values(), Fraction(0))
    for period, own in by_period.items():
        if not total:
            yield period, 0, own
            continue
        for tier, kwh in enumerate(filled(total, bounds)):
            yield period, tier, kwh * own / total


def chronological(
    slots: Sequence[tuple[str, Fraction]], bounds: Bounds
) -> Iterator[tuple[str, int, Fraction]]:
    """Put one slot after the other onto one ladder; net feed-in walks back down."""
    position, before = Fraction(0), filled(Fraction(0), bounds)
    for period, kwh in slots:
        position += kwh
        after = filled(position, bounds)
        for tier, (was, now) in enumerate(zip(before, after, strict=True)):
            yield period, tier, now - was
        before = after


def band(
    slots: Sequence[tuple[str, Fraction]], bounds: Bounds
) -> Iterator[tuple[str, int, Fraction]]:
    """Price everything at the tier in which the total ends."""
    by_period = totals(slots)
    total = sum(by_period.values(), Fraction(0))
    tier = next(n for n, bound in enumerate(bounds) if bound is None or total <= bound)
    for period, own in by_period.items():
        yield period, tier, own


def totals(slots: Sequence[tuple[str, Fraction]]) -> dict[str, Fraction]:
    """Return the kWh of each period."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for period, kwh in slots:
        found[period] += kwh
    return found


SCOPES = {
    "per_period": per_period,
    "pooled_prorated": pooled,
    "pooled_chronological": chronological,
    "whole_band": band,
}
