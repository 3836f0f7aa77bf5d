"""Consecutive slots, cut where one version of a tariff follows another."""

from collections.abc import Iterator, Sequence

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.calendar import Calendar, Grid, compiled
from energia.pricing.schedule import Schedule
from energia.pricing.tariffs import Tariff, Version


@attrs.frozen(eq=False)
class Part:
    """The slots at whose starts one version is in force.

    Attributes:
        tariff: The tariff.
        version: The version.
        grid: The slots.
        first: Which slot of all the first one is.

    """

    tariff: Tariff
    version: Version
    grid: Grid
    first: int

    def calendar(self, schedule: Schedule) -> Calendar:
        """Return the periods of the slots under *schedule*."""
        return compiled(schedule, self.version.types, self.tariff.zone, self.grid)


def parts(tariff: Tariff, grid: Grid) -> list[Part]:
    """Return the slots of *grid* by version, in order; each slot is in one part.

    Raises:
        Invalid: No version is in force at the start of a slot: fault `no_version_in_force`, which
            points to `/start` where that is the first slot, or else to `/end`.

    """
    found, at = list[Part](), 0
    for version, first, past in _spans(tariff, grid):
        if first > at:
            break
        begin = grid.start + at * grid.interval
        found.append(Part(tariff, version, Grid(begin, grid.interval, past - at), at))
        at = past
    if at < grid.count:
        moment = tariff.zone.text(grid.start + at * grid.interval)
        message = f"no version of the tariff is in force at {moment}"
        raise Invalid(message, [Fault("no_version_in_force", message, "/end" if at else "/start")])
    return found


def changes(found: Sequence[Part]) -> int:
    """Return how many slots have the beginning of a version inside."""
    begins = [part.tariff.zone.midnight(part.version.valid_from) for part in found[1:]]
    return sum(part.grid.start > begin for part, begin in zip(found[1:], begins, strict=True))


def _spans(tariff: Tariff, grid: Grid) -> Iterator[tuple[Version, int, int]]:
    """Yield each version that has a slot, by date: its first slot, and the one past its last."""
    zone = tariff.zone
    for version in sorted(tariff.versions, key=lambda one: one.valid_from):
        ends = version.valid_to
        first = grid.index_at(zone.midnight(version.valid_from))
        past = grid.count if ends is None else grid.index_at(zone.midnight(ends))
        if first < past:
            yield version, first, past
