"""Consecutive slots, cut where one version of a tariff follows another."""

from collections.abc import Sequence

import attrs

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

    A slot is of the version in force at its start, so a version has the slots from the first that
    starts when it begins or later, to the last that starts before it ends.

    Raises:
        Invalid: No version is in force at the start of a slot: fault `no_version_in_force`, which
            points to `/start` where that is the first slot, or else to `/end`.

    """
    cut, position = list[Part](), 0
    for span in tariff.spans(grid.start, grid.start + grid.count * grid.interval):
        first, past = grid.index_at(span.start), grid.index_at(span.end)
        if first > position:
            break
        if past > position:
            begin = grid.start + position * grid.interval
            cut.append(
                Part(tariff, span.version, Grid(begin, grid.interval, past - position), position)
            )
            position = past
    if position < grid.count:
        pointer = "/end" if position else "/start"
        raise tariff.none_in_force(grid.start + position * grid.interval, pointer)
    return cut


def changes(cut: Sequence[Part]) -> int:
    """Return how many slots have the beginning of a version inside."""
    begins = [part.tariff.zone.midnight(part.version.valid_from) for part in cut[1:]]
    return sum(part.grid.start > begin for part, begin in zip(cut[1:], begins, strict=True))
