"""A bill that grows: what was measured is kept, new readings are added to it, the sum is priced.

Sums of slots add up and maxima merge, so what is measured of a bill so far grows by what is measured
of the new slots alone; the money is worked out anew each time, of a handful of integers.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

import attrs

from energia.metering.series import Series
from energia.pricing.charges import Measure, Measured
from energia.pricing.engine import Cost, priced, slots_of
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.terms import Terms
from energia.pricing.running import code_of


@runtime_checkable
class Mergeable(Measure, Protocol):
    """A measure of consecutive windows that is known from what it is of each of them."""

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the measure of two windows, of which one follows the other."""
        ...


@attrs.frozen
class SoFar:
    """What was measured of a bill until an instant.

    Attributes:
        until: In seconds since 1970-01-01T00:00Z; the bill starts earlier.
        measured: What the measures of each charge gave, by its code and their names.
        assumptions: What was taken for granted while measuring.

    """

    until: int
    measured: Mapping[str, Measured]
    assumptions: tuple[Assumption, ...] = ()


def grows(version: Version) -> bool:
    """Tell whether all that *version* measures of readings can be added to."""
    return all(isinstance(one, Mergeable) for _, _, one in _of_readings(version))


def measured(
    tariff: Tariff,
    usage: Mapping[str, Series],
    window: tuple[int, int],
    before: SoFar | None = None,
    terms: Terms = Terms(),  # noqa: B008
) -> SoFar:
    """Return what is measured until the end of *window*.

    Args:
        tariff: One version of it is in force in all of the bill, and it `grows`.
        usage: The readings of the window.
        window: The slots that are new.
        before: What was measured until its start; None at the start of the bill.
        terms: What becomes of missing readings.

    Raises:
        IncompleteUsage: Readings are missing.

    """
    version, slots = slots_of(tariff, usage, *window, terms)
    found: dict[str, dict[str, Mapping[str, int]]] = {}
    for code, name, measure in _of_readings(version):
        new = measure.evaluate(slots)
        if before is not None and isinstance(measure, Mergeable):
            new = measure.merge(before.measured[code][name], new)
        found.setdefault(code, {})[name] = new
    earlier = () if before is None else before.assumptions
    return SoFar(window[1], found, tuple(dict.fromkeys([*earlier, *slots.assumptions])))


def price_so_far(tariff: Tariff, start: int, found: SoFar, terms: Terms) -> Cost:
    """Return what a bill that starts at *start* costs so far."""
    version = tariff.in_force(start, found.until)
    known = {one: found.measured[code][name] for code, name, one in _of_readings(version)}
    return priced(tariff, version, (start, found.until), known, found.assumptions, terms)


def _of_readings(version: Version) -> Iterator[tuple[str, str, Measure]]:
    """Yield the measures of readings: the code of the charge, the name, the measure."""
    for charge in version.charges:
        for name, measure in charge.measures().items():
            if measure.roles:
                yield code_of(charge), name, measure
