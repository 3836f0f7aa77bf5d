"""Cuts series of readings to a window and refuses what is missing from it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import attrs
import numpy as np

from energia.errors import Fault, IncompleteUsage, Invalid
from energia.metering.gaps import Gap, gaps
from energia.metering.series import MISSING, QUALITIES, Series
from energia.pricing.calendar import Grid
from energia.pricing.slots import Assumption, Portion
from energia.pricing.terms import Terms
from energia.zones import Zone

#: So many gaps are named in one refusal.
_NAMED: Final = 1000
_QUESTIONABLE: Final = QUALITIES.index("questionable")


@attrs.define
class Cut:
    """The portions of a window, and what was found while cutting."""

    portions: dict[str, Portion] = attrs.Factory(dict)
    assumptions: dict[Assumption, None] = attrs.Factory(dict)


def cut(
    usage: Mapping[str, Series],
    roles: Collection[str],
    window: tuple[int, int],
    zone: Zone,
    terms: Terms = Terms(),  # noqa: B008
) -> Cut:
    """Return the readings of *roles* in the window [start, end).

    A slot is in the window that its start is in.

    Raises:
        Invalid: The usage does not have one of the roles.
        IncompleteUsage: Readings are missing; `faults` names the gaps, with times of *zone*.

    """
    start, end = window
    if absent := [role for role in roles if role not in usage]:
        raise _absent(absent, usage)
    found, faults, number = Cut(), list[Fault](), 0
    for role in roles:
        series = usage[role]
        first, last = _slots(series, start, end)
        found.assumptions.update(dict.fromkeys(_assumptions(role, series, start, end)))
        part = series.values[max(first, 0) : max(last, 0)]
        smallest = int(part.min()) if len(part) else 0
        if smallest == MISSING or len(part) < last - first:
            named = gaps(series, first, last).listed(_NAMED - len(faults))
            faults += [_fault(role, gap, zone, terms.pointers.get(role)) for gap in named]
            number += _missing(series, first, last)
            continue
        largest = max(-smallest, int(part.max())) if len(part) else 0
        at = series.start + first * series.interval
        found.portions[role] = Portion(Grid(at, series.interval, len(part)), part, largest)
    if faults:
        raise IncompleteUsage(f"{number} slots of the window have no reading", faults)
    return found


def _slots(series: Series, start: int, end: int) -> tuple[int, int]:
    """Return the slots that start in the window, as indexes into *series* (which may lack them)."""
    return -((series.start - start) // series.interval), -((series.start - end) // series.interval)


def _assumptions(role: str, series: Series, start: int, end: int) -> Iterator[Assumption]:
    inside = sum((edge - series.start) % series.interval != 0 for edge in (start, end))
    if inside:
        yield Assumption(
            "boundary_inside_interval",
            f"a boundary of the window falls inside {inside} slots of {role}: "
            "each is in the window that its start is in",
            inside,
        )
    first, last = (max(edge, 0) for edge in _slots(series, start, end))
    questionable = int(np.count_nonzero(series.quality[first:last] == _QUESTIONABLE))
    if questionable:
        yield Assumption(
            "questionable_readings",
            f"{questionable} readings of {role} are questionable",
            questionable,
        )


def _missing(series: Series, first: int, last: int) -> int:
    part = series.values[max(first, 0) : max(last, 0)]
    return last - first - int(np.count_nonzero(part != MISSING))


def _fault(role: str, gap: Gap, zone: Zone, pointer: str | None) -> Fault:
    begin, end = zone.text(gap.start), zone.text(gap.end)
    message = f"{role}: no reading from {begin} to {end} ({gap.slots} slots)"
    return Fault(gap.reason, message, pointer)


def _absent(roles: Collection[str], usage: Mapping[str, Series]) -> Invalid:
    there = ", ".join(sorted(usage)) or "nothing"
    messages = [f"the tariff charges {role}, and the usage has {there}" for role in roles]
    return Invalid(messages[0], [Fault("missing_channel", message) for message in messages])
