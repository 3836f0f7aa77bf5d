"""Explained lines as text that a person reads from top to bottom."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from energia.pricing.explain import ExplainedLine, ExplainedRounding
from energia.pricing.runs import Placement, SlotRun

if TYPE_CHECKING:
    from energia.billing.explain import Explanation

#: So many runs are shown; of more, the first and the last ones.
_SHOWN: Final = 6
_MODES: Final = {"half_up": "half up", "half_even": "half to even", "down": "towards zero"}


def of_bill(found: "Explanation", *, every: bool = False) -> Iterator[str]:
    """Yield the lines of text of an explained bill; *every* run of slots, if asked."""
    yield f"Bill {found.bill} of {found.contract}, {found.start} to {found.end} ({found.timezone})"
    for line in found.lines:
        yield ""
        yield from of_line(line, found.currency, every=every)
    yield ""
    inputs = found.inputs
    plugins = [f"{name} {version or ''}".strip() for name, version in inputs.plugins.items()]
    of = ", ".join(map(str, inputs.versions or (inputs.version,)))
    yield f"tariff {inputs.tariff}, version of {of}"
    yield f"made by {', '.join([f'energia {inputs.energia}', *plugins])}"
    for read in inputs.readings:
        at = read.revision_at.isoformat() if read.revision_at else "never"
        yield f"readings of {read.channel} ({read.role}), newest revision {at}"
    for assumption in found.assumptions:
        yield f"assumed: {assumption.message}"


def of_lines(
    lines: Sequence[ExplainedLine], currency: str, *, every: bool = False
) -> Iterator[str]:
    """Yield the lines of text of explained lines."""
    for index, line in enumerate(lines):
        if index:
            yield ""
        yield from of_line(line, currency, every=every)


def of_line(found: ExplainedLine, currency: str, *, every: bool = False) -> Iterator[str]:
    """Yield the lines of text of one explained line."""
    line = found.line
    yield f"{line.title}: {line.amount} {currency}   [{line.code}]"
    for step in found.arithmetic.steps:
        yield f"  {step.description}: {step.expression} = {step.value}"
    for text in found.arithmetic.rate:
        yield f"  rate: {text}"
    yield f"  {found.arithmetic.expression} = {found.arithmetic.value}"
    yield f"  {_rounded(found.rounding)}"
    if found.calendar is not None:
        yield from _calendar(found.calendar, every=every)
    if not found.reproduced:
        yield "  measuring the same readings again gives something else: the bill stands"


def _rounded(rounding: ExplainedRounding) -> str:
    if rounding.decimals is None or rounding.level == "total":
        return "not rounded by itself"
    mode = _MODES[rounding.mode]
    if not Fraction(rounding.residue):
        return f"exact to {rounding.decimals} decimals"
    return f"rounded {mode} to {rounding.decimals} decimals, which leaves {rounding.residue}"


def _calendar(found: Placement, *, every: bool) -> Iterator[str]:
    unit = found.unit
    for rule in found.rules:
        name = "default" if rule.rule is None else f"rule {rule.rule + 1}"
        yield f"  {name}, {rule.text}: {rule.slots} slots, {rule.quantity} {unit}"
    runs = found.runs
    if every or len(runs) <= _SHOWN:
        yield from (f"    {_run(run)} {unit}" for run in runs)
        return
    half = _SHOWN // 2
    yield from (f"    {_run(run)} {unit}" for run in runs[:half])
    yield f"    ... {len(runs) - _SHOWN} more ..."
    yield from (f"    {_run(run)} {unit}" for run in runs[-half:])


def _run(run: SlotRun) -> str:
    start, end = run.start, run.end
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a %Y-%m-%d %H:%M}"
    return f"{start:%a %Y-%m-%d %H:%M}-{until}, {run.slots} slots, {run.quantity}"
