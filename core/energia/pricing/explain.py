"""Where the lines of a cost come from: slots, measures, rates, arithmetic, rounding."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import ClassVar, Final

import attrs
import numpy as np

from energia.pricing.calendar import Grid
from energia.pricing.charges import Charge, Measure, Measured, code_of, measures_of, unit_of
from energia.pricing.engine import Cost, CostLine, CostPart, Detail
from energia.pricing.exact import decimal_text, exact_sum, exact_text, sums
from energia.pricing.rounding import Rounding
from energia.pricing.schedule import Rule, Schedule
from energia.pricing.segments import Due, Segment
from energia.pricing.slots import NeedsFiner, Portion, Slots
from energia.pricing.tariffs import Version
from energia.time import Zone
from energia.units import MICRO

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

    __public_name__: ClassVar[str] = "PeriodPlacement"

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
    part = slots.portion(role, ())
    runs = _summed(part, np.zeros(min(1, len(part.values)), np.int64), [None])
    return Placement(slots.zone.name, unit_of(role), (), tuple(_shown(runs, part.grid, slots.zone)))


def by_rule(slots: Slots, role: str, schedule: Schedule, period: str) -> Placement:
    """Return the slots of *role* that *schedule* puts into *period*, by the rule that does so."""
    part, zone = slots.portion(role, ()), schedule.zone(slots.zone)
    try:
        calendar = slots.calendar(_told_apart(schedule), role)
    except NeedsFiner:  # sums of several slots: periods tell them apart, and rules do not
        return _by_period(slots, role, schedule, period)
    rules = [_index(calendar.periods[key]) for key in calendar.keys.tolist()]
    runs = [
        run
        for run in _summed(part, calendar.bounds, rules)
        if _period(schedule, run.rule) == period
    ]
    used = tuple(_used(schedule, runs))
    return Placement(zone.name, unit_of(role), used, tuple(_shown(runs, part.grid, zone)))


def _by_period(slots: Slots, role: str, schedule: Schedule, period: str) -> Placement:
    """Return the slots of *role* that *schedule* puts into *period*, by whichever rule."""
    part, zone = slots.portion(role, ()), schedule.zone(slots.zone)
    calendar = slots.calendar(schedule, role)
    runs = [
        run
        for run, key in zip(
            _summed(part, calendar.bounds, [None] * len(calendar.bounds)),
            calendar.keys.tolist(),
            strict=True,
        )
        if calendar.periods[key] == period
    ]
    return Placement(zone.name, unit_of(role), (), tuple(_shown(runs, part.grid, zone)))


def rule_text(rule: Rule) -> str:
    """Return a rule for a person: `peak: weekday 18:00-21:00, 10-01 to 03-31`."""
    season = f", {rule.season.text()}" if rule.season else ""
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
    for rule in sorted({run.rule for run in runs}, key=lambda index: (index is None, index or 0)):
        of_rule = [run for run in runs if run.rule == rule]
        text = f"{schedule.default}: what no rule takes"
        if rule is not None:
            text = rule_text(schedule.rules[rule])
        number = sum(run.past - run.first for run in of_rule)
        yield RuleUse(rule, text, number, _quantity(sum(run.micro for run in of_rule)))


def _shown(runs: list[_Run], grid: Grid, zone: Zone) -> Iterator[SlotRun]:
    for run in runs:
        start, end = (
            zone.datetime(grid.start + slot * grid.interval) for slot in (run.first, run.past)
        )
        yield SlotRun(start, end, run.past - run.first, run.rule, _quantity(run.micro))


def _quantity(micro: int) -> str:
    return decimal_text(Fraction(micro, MICRO))


@attrs.frozen(kw_only=True)
class ExplainedMeasure:
    """What was measured for a charge.

    Attributes:
        name: What the charge calls the measure.
        label: Which of its results: a period, a month, `total`; `<period>@<time>` is at a time.
        raw: The exact integer: micro-units, or a number of days.
        quantity: The same in `unit`, where it measures readings.
        unit: The unit of the quantity.

    """

    name: str
    label: str
    raw: int
    quantity: str | None = None
    unit: str | None = None


@attrs.frozen
class ExplainedStep:
    """A part of an amount, or else of a quantity, and how it was worked out.

    Attributes:
        description: What it is, for a person.
        expression: The arithmetic, in exact numbers.
        value: What comes of it, a decimal or a ratio.

    """

    description: str
    expression: str
    value: str


@attrs.frozen
class Arithmetic:
    """How the exact amount was worked out.

    Attributes:
        steps: Parts that add up to the quantity, or to the amount of a line without a rate.
        expression: The last calculation.
        value: The exact amount: a decimal, or n/d where none ends.
        rate: How the rate was worked out, where later charges changed the one of the tariff.

    """

    steps: tuple[ExplainedStep, ...]
    expression: str
    value: str
    rate: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ExplainedRounding:
    """How the exact amount became the amount.

    Attributes:
        level: Whether lines are rounded, or only the total.
        mode: How ties are broken.
        decimals: To how many decimals; null is exact.
        rate_decimals: To how many decimals rates are rounded before they are multiplied.
        exact: The amount before.
        amount: The amount after.
        residue: The first less the second.
        step: What amounts are multiples of, where they are not of the last decimal.
        rule: Which rule of rounding holds, counted from 0; null where none is about the line.

    """

    level: str
    mode: str
    decimals: int | None
    rate_decimals: int | None
    exact: str
    amount: str
    residue: str
    step: str | None = None
    rule: int | None = None


@attrs.frozen(kw_only=True)
class ExplainedLine:
    """Where a line comes from.

    Attributes:
        line: The line.
        charge: The code of its charge; null for the line that rounds the total.
        kind: The kind of the charge.
        replaced_by: The codes of later charges that put this line into the place of another.
        calendar: The slots that it charges, by the rules that put them there; null if it charges
            no readings, or its measure does not tell, or they were deleted.
        measures: What was measured.
        arithmetic: How the exact amount was worked out.
        rounding: How it was rounded.
        reproduced: Whether measuring the same readings again gives the same; false where they were
            deleted.

    """

    line: CostLine
    charge: str | None
    kind: str | None
    replaced_by: tuple[str, ...]
    calendar: Placement | None
    measures: tuple[ExplainedMeasure, ...]
    arithmetic: Arithmetic
    rounding: ExplainedRounding
    reproduced: bool


@attrs.frozen(kw_only=True)
class Charged:
    """What was charged: the lines, and what they were made from.

    Attributes:
        lines: The lines.
        details: Where each comes from.
        parts: The versions that they are charged by, and what was measured for each.

    """

    lines: Sequence[CostLine]
    details: Sequence[Detail]
    parts: Sequence[CostPart]

    @classmethod
    def of(cls, cost: Cost) -> "Charged":
        """Return what a cost charges."""
        return cls(lines=cost.lines, details=cost.details, parts=cost.parts)


def explain(
    charged: Charged, segments: Sequence[Segment], currency: str
) -> tuple[ExplainedLine, ...]:
    """Return where each line comes from.

    Args:
        charged: The lines.
        segments: What each version charges, with the usage as it was read for them.
        currency: The tariff's currency.

    """
    dues = [{code_of(due.charge): due for due in segment.dues} for segment in segments]
    now = [segment.measured() for segment in segments]
    kept = explain_kept(charged, [segment.version for segment in segments], currency)
    explained = []
    for line, detail in zip(kept, charged.details, strict=True):
        code, part = detail.charge, detail.part
        due = dues[part].get(code or "")
        measured = charged.parts[part].measured.get(code, {}) if code else {}
        explained.append(
            attrs.evolve(
                line,
                calendar=_calendar(due, line.line) if due else None,
                reproduced=code is None or now[part].get(code) == measured,
            )
        )
    return tuple(explained)


def explain_kept(
    charged: Charged, versions: Sequence[Version], currency: str
) -> tuple[ExplainedLine, ...]:
    """Return where each line comes from by its measures alone: there are no readings of it.

    No calendar shows its slots, and nothing is measured again.
    """
    charges = [{code_of(charge): charge for charge in version.charges} for version in versions]
    amounts = versions[-1].rounding
    explained = []
    for line, detail in zip(charged.lines, charged.details, strict=True):
        code, part = detail.charge, detail.part
        charge = charges[part].get(code or "")
        measured = charged.parts[part].measured.get(code, {}) if code else {}
        rates = versions[part].rounding
        explained.append(
            ExplainedLine(
                line=line,
                charge=code,
                kind=charge.kind if charge else None,
                replaced_by=detail.replaced_by,
                calendar=None,
                measures=tuple(_measures(charge, line, measured)) if charge else (),
                arithmetic=_arithmetic(line, detail, currency),
                rounding=_rounding(line, rates, amounts, currency, detail.rule),
                reproduced=code is None,
            )
        )
    return tuple(explained)


def _calendar(due: Due, line: CostLine) -> Placement | None:
    """Return how slots came into a line, by the first measure of its charge that tells."""
    for measure in measures_of(due.charge).values():
        if len(measure.roles) != 1:
            continue
        (role,) = measure.roles
        schedule = measure.schedule
        if schedule is not None:
            if line.period in schedule.periods:
                return _placed(
                    due, partial(by_rule, schedule=schedule, period=str(line.period)), role
                )
        elif measure.all_slots:
            return _placed(due, all_slots, role)
    return None


def _placed(due: Due, place: Callable[[Slots, str], Placement], role: str) -> Placement:
    """Return how slots came into a line, of each window that the charge is about."""
    *before, last = (place(slots, role) for slots in (*due.before, due.slots))
    if not before:
        return last
    uses: dict[int | None, RuleUse] = {}
    for use in (use for placement in (*before, last) for use in placement.rules):
        old = uses.get(use.rule, RuleUse(use.rule, use.text, 0, "0"))
        quantity = decimal_text(Fraction(old.quantity) + Fraction(use.quantity))
        uses[use.rule] = RuleUse(use.rule, use.text, old.slots + use.slots, quantity)
    runs = tuple(run for placement in (*before, last) for run in placement.runs)
    return attrs.evolve(last, rules=tuple(uses.values()), runs=runs)


def _measures(charge: Charge, line: CostLine, measured: Measured) -> list[ExplainedMeasure]:
    declared = measures_of(charge)
    explained = []
    for name, values in measured.items():
        unit = _unit(declared.get(name))
        of_line = [label for label in values if label.partition("@")[0] == line.period]
        for label in of_line or values:
            raw = values[label]
            quantity = None if unit is None else decimal_text(Fraction(raw, MICRO))
            explained.append(
                ExplainedMeasure(name=name, label=label, raw=raw, quantity=quantity, unit=unit)
            )
    return explained


def _unit(measure: Measure | None) -> str | None:
    """Return the unit of the millionths that *measure* gives; None if it measures no readings."""
    if measure is None or not measure.roles or measure.is_amount:
        return None
    return measure.unit or unit_of(measure.roles[0])


def _arithmetic(line: CostLine, detail: Detail, currency: str) -> Arithmetic:
    steps = tuple(
        ExplainedStep(step.description, step.expression, exact_text(Fraction(step.value)))
        for step in detail.steps
    )
    expression = _product(line, steps, currency)
    if expression is None:
        expression = " + ".join(step.value for step in steps) or line.exact
    return Arithmetic(steps, expression, line.exact, detail.rate_steps)


def _product(line: CostLine, steps: Sequence[ExplainedStep], currency: str) -> str | None:
    """Return quantity x rate, exactly; None where the amount is not that."""
    if line.quantity is None or line.rate is None:
        return None
    exact = Fraction(line.exact)
    added = exact_sum(Fraction(step.value) for step in steps)
    is_of_steps = bool(steps) and added != exact
    quantity = added if is_of_steps else Fraction(line.quantity_exact or line.quantity)
    rate = Fraction(line.rate_exact or line.rate)
    if quantity * rate != exact:
        # Bills of earlier releases have no exact factors: what was multiplied was shown rounded.
        if not quantity or decimal_text(exact / quantity, 6) != line.rate:
            return None
        rate = exact / quantity
    unit = line.unit or ""
    shown = exact_text(quantity)
    if is_of_steps and line.quantity_exact is not None:
        shown = f"({' + '.join(step.expression for step in steps)})"
    price = line.rate if rate == Fraction(line.rate) else exact_text(rate)
    return f"{f'{shown} {unit}'.rstrip()} x {price} {currency}{f'/{unit}' if unit else ''}"


def _rounding(
    line: CostLine, rates: Rounding, amounts: Rounding, currency: str, rule: int | None
) -> ExplainedRounding:
    """Return how a line was rounded: rates by its own version, amounts by the last."""
    grain = amounts.grain(currency, rule)
    return ExplainedRounding(
        level=amounts.level_of(rule),
        mode=grain.mode,
        decimals=grain.decimals,
        step=None if grain.step is None else exact_text(grain.step),
        rule=rule,
        rate_decimals=rates.unit_price_decimals,
        exact=line.exact,
        amount=line.amount,
        residue=exact_text(Fraction(line.exact) - Fraction(line.amount)),
    )
