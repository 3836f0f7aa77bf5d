"""Where the lines of a cost come from: slots, measures, rates, arithmetic, rounding."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from energia.pricing.charges import Charge, Measure, Measured, unit_of
from energia.pricing.engine import Cost, CostLine, CostPart, Detail
from energia.pricing.exact import decimal_text, exact_text
from energia.pricing.rounding import Rounding
from energia.pricing.running import code_of
from energia.pricing.runs import Placement, all_slots, by_rule
from energia.pricing.schedule import Schedule
from energia.pricing.segments import Due, Segment
from energia.units import MICRO


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
    """A part of an amount, or else of a quantity, and how it was worked out."""

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

    """

    level: str
    mode: str
    decimals: int | None
    rate_decimals: int | None
    exact: str
    amount: str
    residue: str


@attrs.frozen(kw_only=True)
class ExplainedLine:
    """Where a line comes from.

    Attributes:
        line: The line.
        charge: The code of its charge; null for the line that rounds the total.
        kind: The kind of the charge.
        replaced_by: The codes of later charges that put this line into the place of another.
        calendar: The slots that it charges, by the rules that put them there; null if it charges
            no readings, or its measure does not tell.
        measures: What was measured.
        arithmetic: How the exact amount was worked out.
        rounding: How it was rounded.
        reproduced: Whether measuring the same readings again gives the same.

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
    amounts = segments[-1].version.rounding
    found = []
    for line, detail in zip(charged.lines, charged.details, strict=True):
        code, part = detail.charge, detail.part
        due = dues[part].get(code or "")
        measured = charged.parts[part].measured.get(code, {}) if code else {}
        rates = segments[part].version.rounding
        found.append(
            ExplainedLine(
                line=line,
                charge=code,
                kind=due.charge.kind if due else None,
                replaced_by=detail.replaced_by,
                calendar=_calendar(due, line) if due else None,
                measures=tuple(_measures(due.charge, line, measured)) if due else (),
                arithmetic=_arithmetic(line, detail, currency),
                rounding=_rounding(line, rates, amounts, currency),
                reproduced=code is None or now[part].get(code) == measured,
            )
        )
    return tuple(found)


def _calendar(due: Due, line: CostLine) -> Placement | None:
    """Return how slots came into a line, by the first measure of its charge that tells."""
    for measure in due.charge.measures().values():
        schedule: object = getattr(measure, "schedule", None)
        if len(measure.roles) != 1:
            continue
        (role,) = measure.roles
        if isinstance(schedule, Schedule):
            if line.period in schedule.periods:
                return by_rule(due.slots, role, schedule, str(line.period))
        elif schedule is None:
            return all_slots(due.slots, role)
    return None


def _measures(charge: Charge, line: CostLine, measured: Measured) -> list[ExplainedMeasure]:
    declared: Mapping[str, Measure] = charge.measures()
    found = []
    for name, values in measured.items():
        unit = _unit(declared.get(name))
        of_line = [label for label in values if label.partition("@")[0] == line.period]
        for label in of_line or values:
            raw = values[label]
            quantity = None if unit is None else decimal_text(Fraction(raw, MICRO))
            found.append(
                ExplainedMeasure(name=name, label=label, raw=raw, quantity=quantity, unit=unit)
            )
    return found


def _unit(measure: Measure | None) -> str | None:
    """Return the unit of the millionths that *measure* gives; None if it measures no readings."""
    if measure is None or not measure.roles:
        return None
    if getattr(measure, "is_amount", False):
        return None
    own: str | None = getattr(measure, "unit", None)
    return own or unit_of(measure.roles[0])


def _arithmetic(line: CostLine, detail: Detail, currency: str) -> Arithmetic:
    steps = tuple(
        ExplainedStep(step.description, step.expression, exact_text(Fraction(step.value)))
        for step in detail.steps
    )
    if line.quantity is not None and line.rate is not None:
        unit = f"/{line.unit}" if line.unit else ""
        quantity = f"{line.quantity} {line.unit or ''}".rstrip()
        if steps and Fraction(line.quantity) * Fraction(line.rate) != Fraction(line.exact):
            quantity = f"({' + '.join(step.expression for step in steps)}) {line.unit or ''}"
        expression = f"{quantity.rstrip()} x {line.rate} {currency}{unit}"
    else:
        expression = " + ".join(step.value for step in steps) or line.exact
    return Arithmetic(steps, expression, line.exact, detail.rate_steps)


def _rounding(
    line: CostLine, rates: Rounding, amounts: Rounding, currency: str
) -> ExplainedRounding:
    """Return how a line was rounded: rates by its own version, amounts by the last."""
    return ExplainedRounding(
        level=amounts.level,
        mode=amounts.mode,
        decimals=amounts.digits(currency),
        rate_decimals=rates.unit_price_decimals,
        exact=line.exact,
        amount=line.amount,
        residue=exact_text(Fraction(line.exact) - Fraction(line.amount)),
    )
