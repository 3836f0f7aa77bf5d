"""Which rule of a schedule put which slots into a period, as runs of consecutive slots.

A schedule whose every rule gives a period of its own has a calendar by rule: what compiles the
calendars of bills also explains them.
"""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Final

import attrs
import numpy as np

from energia.pricing.calendar import Grid
from energia.pricing.charges import unit_of
from energia.pricing.exact import decimal_text, sums
from energia.pricing.schedule import Rule, Schedule
from energia.pricing.slots import Portion, Slots
from energia.units import MICRO
from energia.zones import Zone

_DEFAULT: Final = "default"


@attrs.frozen
class SlotRun:
    """Consecutive slots that one rule put into the period.

    Attributes:
        start: When the first starts, with the offset of the schedule's clock.
        end: When the last ends.
        slots: How many there are.
        rule: The index of the rule; None is the default, or that there is no schedule.
        quantity: The sum of the readings.

    """

    start: datetime
    end: datetime
    slots: int
    rule: int | None
    quantity: str


@attrs.frozen
class RuleUse:
    """What one rule put into the period.

    Attributes:
        rule: The index of the rule; None is the default.
        text: The rule, for a person.
        slots: How many slots it put there.
        quantity: The sum of their readings.

    """

    rule: int | None
    text: str
    slots: int
    quantity: str


@attrs.frozen
class Placement:
    """How slots came into a period.

    Attributes:
        clock: The zone, or the fixed offset, on whose clock the schedule is read.
        unit: The unit of the quantities.
        rules: The rules that put slots there.
        runs: The slots.

    """

    clock: str
    unit: str
    rules: tuple[RuleUse, ...]
    runs: tuple[SlotRun, ...]


@attrs.frozen
class _Run:
    """A run by indexes: slots [first, past) by a rule, and their sum in micro-units."""

    rule: int | None
    first: int
    past: int
    micro: int


def all_slots(slots: Slots, role: str) -> Placement:
    """Return all slots of *role* as one run: no schedule tells them apart."""
    part = slots.portion(role)
    runs = _summed(part, np.zeros(min(1, len(part.values)), np.int64), [None])
    return Placement(slots.zone.name, unit_of(role), (), tuple(_shown(runs, part.grid, slots.zone)))


def by_rule(slots: Slots, role: str, schedule: Schedule, period: str) -> Placement:
    """Return the slots of *role* that *schedule* puts into *period*, by the rule that does so."""
    part, zone = slots.portion(role), schedule.zone(slots.zone)
    calendar = slots.calendar(_told_apart(schedule), role)
    rules = [_index(calendar.periods[key]) for key in calendar.keys.tolist()]
    runs = [
        run
        for run in _summed(part, calendar.bounds, rules)
        if _period(schedule, run.rule) == period
    ]
    used = tuple(_used(schedule, runs))
    return Placement(zone.name, unit_of(role), used, tuple(_shown(runs, part.grid, zone)))


def rule_text(rule: Rule) -> str:
    """Return a rule for a person: `peak: weekday 18:00-21:00, 10-01 to 03-31`."""
    season = f", {rule.season.from_} to {rule.season.to}" if rule.season else ""
    return f"{rule.period}: {', '.join(rule.days)} {rule.from_}-{rule.to}{season}"


def _told_apart(schedule: Schedule) -> Schedule:
    rules = tuple(
        attrs.evolve(rule, period=str(index)) for index, rule in enumerate(schedule.rules)
    )
    return attrs.evolve(schedule, rules=rules, default=schedule.default and _DEFAULT)


def _index(name: str) -> int | None:
    return None if name == _DEFAULT else int(name)


def _period(schedule: Schedule, rule: int | None) -> str | None:
    return schedule.default if rule is None else schedule.rules[rule].period


def _summed(
    part: Portion, bounds: "np.typing.NDArray[np.int64]", rules: list[int | None]
) -> list[_Run]:
    if not len(bounds):
        return []
    each = np.arange(len(bounds), dtype=np.int64)
    totals = sums(part.values, part.largest, bounds, each, each)
    ends = [*bounds[1:].tolist(), len(part.values)]
    return [
        _Run(rule, first, past, total)
        for rule, first, past, total in zip(rules, bounds.tolist(), ends, totals, strict=True)
    ]


def _used(schedule: Schedule, runs: list[_Run]) -> Iterator[RuleUse]:
    for rule in sorted({run.rule for run in runs}, key=lambda at: (at is None, at or 0)):
        of_rule = [run for run in runs if run.rule == rule]
        text = f"{schedule.default}: what no rule takes"
        if rule is not None:
            text = rule_text(schedule.rules[rule])
        number = sum(run.past - run.first for run in of_rule)
        yield RuleUse(rule, text, number, _quantity(sum(run.micro for run in of_rule)))


def _shown(runs: list[_Run], grid: Grid, zone: Zone) -> Iterator[SlotRun]:
    for run in runs:
        start, end = (
            zone.datetime(grid.start + at * grid.interval) for at in (run.first, run.past)
        )
        yield SlotRun(start, end, run.past - run.first, run.rule, _quantity(run.micro))


def _quantity(micro: int) -> str:
    return decimal_text(Fraction(micro, MICRO))
