"""A bill that grows: what was measured is kept, new readings are added, the whole is priced.

Sums of slots add up and maxima merge, so what is measured of a bill so far grows by what is
measured of the new slots alone; the money is worked out anew each time, from a few integers.
"""

from collections.abc import Iterator, Mapping

import attrs
import numpy as np

from energia.pricing.charges import Measure, Measured, Mergeable, code_of, measures_of
from energia.pricing.engine import Cost, priced
from energia.pricing.segments import Due, Segment, segments
from energia.pricing.slots import Assumption, Slots
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import Terms, Usage
from energia.time import Zone


@attrs.frozen
class Measurement:
    """What was measured of a bill until an instant.

    Attributes:
        until: In seconds since 1970-01-01T00:00Z; the bill starts earlier.
        measured: What the measures of each charge gave, by its code and their names.
        assumptions: What was taken for granted of readings.

    """

    until: int
    measured: Mapping[str, Measured]
    assumptions: tuple[Assumption, ...] = ()


def can_grow(version: Version) -> bool:
    """Tell whether all that *version* measures of readings can be added to.

    A charge that measures others again for other readings, such as `export`, needs them all.
    """
    again = any(charge.remeasures for charge in version.charges)
    return not again and all(
        isinstance(measure, Mergeable) for _, _, measure in _of_readings(version)
    )


def is_cut(version: Version, zone: Zone, instant: int) -> bool:
    """Tell whether a bill may be cut at *instant*: no span that is measured as one is open."""
    local = int(zone.local(np.array([instant], np.int64))[0])
    return all(not local % measure.seconds for _, _, measure in _of_readings(version))


def measure(
    tariff: Tariff,
    usage: Usage,
    start: int,
    end: int,
    before: Measurement | None = None,
) -> Measurement:
    """Return what is measured of the bill from *start* until *end*.

    Args:
        tariff: One version of it is in force in all of the bill, and it `grows`.
        usage: The readings since *before*; all of the bill's without.
        start: When the bill starts, in seconds since 1970-01-01T00:00Z.
        end: Until when is measured.
        before: What was measured earlier, until a cut.

    Raises:
        IncompleteUsage: Readings are missing.

    """
    begin = start if before is None else before.until
    (segment,) = segments(tariff, usage, begin, end, Terms())
    slots = attrs.evolve(segment.dues[0].slots, bill=(start, end))
    measured: dict[str, dict[str, Mapping[str, int]]] = {}
    for code, name, measure in _of_readings(segment.version):
        new = measure.evaluate(slots)
        if before is not None and isinstance(measure, Mergeable):
            new = measure.merge(before.measured[code][name], new)
        measured.setdefault(code, {})[name] = new
    earlier = () if before is None else before.assumptions
    return Measurement(end, measured, _added([*earlier, *slots.assumptions]))


def price_measurement(tariff: Tariff, start: int, measurement: Measurement, terms: Terms) -> Cost:
    """Return what a bill that starts at *start* costs so far."""
    (span,) = tariff.in_force(start, measurement.until)
    version = span.version
    assumptions = dict.fromkeys(measurement.assumptions)
    slots = Slots(
        start,
        measurement.until,
        tariff.zone,
        version.types,
        {},
        assumptions,
        rounding=version.rounding,
    )
    dues = tuple(Due(charge, slots) for charge in version.charges)
    measured = measurement.measured
    known = {
        (slots, measure): measured[code][name] for code, name, measure in _of_readings(version)
    }
    segment = Segment(version, dues, assumptions)
    return priced(tariff.currency, [segment], terms.state, known, terms.allowance)


def _of_readings(version: Version) -> Iterator[tuple[str, str, Measure]]:
    """Yield the measures of readings: the code of the charge, the name, the measure."""
    for charge in version.charges:
        for name, measure in measures_of(charge).items():
            if measure.roles:
                yield code_of(charge), name, measure


def _added(assumptions: list[Assumption]) -> tuple[Assumption, ...]:
    """Return assumptions; the slots of those that say the same are added up."""
    by_subject: dict[tuple[str, str], Assumption] = {}
    for assumption in assumptions:
        about = (assumption.code, assumption.message.replace(str(assumption.slots), "{}", 1))
        earlier = by_subject.get(about)
        if earlier is not None and assumption.slots is not None and earlier.slots is not None:
            both = assumption.slots + earlier.slots
            by_subject[about] = Assumption(
                assumption.code, about[1].replace("{}", str(both), 1), both
            )
        else:
            by_subject[about] = assumption
    return tuple(by_subject.values())
