"""`energia explain`: where the lines of a bill come from."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.convert import dumps
from energia.pricing.explain import ExplainedLine, ExplainedRounding, Placement, SlotRun

if TYPE_CHECKING:
    from energia.billing.explain import Explanation
    from energia.convert import Converter
    from energia.plugins import Plugins
    from energia.settings import Settings


@click.command("explain", short_help="Explain a bill, line by line.")
@click.argument("bill")
@click.option("--line", type=click.IntRange(min=0), help="Which line, counted from 0.")
@click.option("--all", "every", is_flag=True, help="Print every run of slots.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    bill: str,
    line: int | None,
    every: bool,
    as_json: bool,
    allow_embedded: bool,
) -> None:
    """Explain the stored BILL: slots and rules, arithmetic, rounding, what it was made from.

    `energia price --explain` explains what is not billed.

    \b
    Examples:
      energia explain casa-2026-03
      energia explain casa-2026-03 --line 0 --all
    """
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    plugins = invocation.plugins()
    converter = tariff_converter(plugins.charges())
    explanation = asyncio.run(_explained(settings, plugins, converter, bill, line))
    if as_json:
        click.echo(converter.dumps(explanation).decode())
    else:
        click.echo("\n".join(of_bill(explanation, every=every)))


async def _explained(
    settings: "Settings", plugins: "Plugins", converter: "Converter", bill: str, line: int | None
) -> "Explanation":
    from energia.billing.bills import Bills
    from energia.billing.explain import explained
    from energia.cli.database import opened
    from energia.time import SystemClock

    limits = settings.limits
    async with opened(settings.database) as tenant:
        bills = Bills(tenant, converter, plugins, SystemClock(), limits)
        return await explained(bills, bill, line)


# Explained lines as text that a person reads from top to bottom.

#: So many runs are shown; of more, the first and the last ones.
_SHOWN: Final = 6
_MODES: Final = {"half_up": "half up", "half_even": "half to even", "down": "towards zero"}


def of_bill(explanation: "Explanation", *, every: bool = False) -> Iterator[str]:
    """Yield the lines of text of an explained bill; *every* run of slots, if asked."""
    window = f"{explanation.start} to {explanation.end} ({explanation.timezone})"
    yield f"Bill {explanation.bill} of {explanation.contract}, {window}"
    for line in explanation.lines:
        yield ""
        yield from of_line(line, explanation.currency, every=every)
    yield ""
    inputs = explanation.inputs
    plugins = [f"{name} {version or ''}".strip() for name, version in inputs.plugins.items()]
    of = ", ".join(map(str, inputs.versions or (inputs.version,)))
    yield f"tariff {inputs.tariff}, version of {of}"
    yield f"made by {', '.join([f'energia {inputs.energia}', *plugins])}"
    for read in inputs.readings:
        revision = read.revision_at.isoformat() if read.revision_at else "never"
        yield f"readings of {read.channel} ({read.role}), newest revision {revision}"
    for correction in explanation.corrections:
        day = correction.corrected_at.date()
        yield f"{correction.of} {correction.id} was corrected on {day}: {correction.reason}"
        yield from _changes(correction.before, correction.after)
    for assumption in explanation.assumptions:
        yield f"assumed: {assumption.message}"


def _changes(old: object, new: object, place: str = "") -> Iterator[str]:
    """Yield what a corrected tariff or contract says otherwise: where, old and new."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            yield from _changes(old.get(name), new.get(name), f"{place}/{name}")
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip_longest(old, new)):
            yield from _changes(before, after, f"{place}/{index}")
    elif old != new:
        yield f"  {place}: {dumps(old).decode()}, now {dumps(new).decode()}"


def of_lines(
    lines: Sequence[ExplainedLine], currency: str, *, every: bool = False
) -> Iterator[str]:
    """Yield the lines of text of explained lines."""
    for index, line in enumerate(lines):
        if index:
            yield ""
        yield from of_line(line, currency, every=every)


def of_line(explanation: ExplainedLine, currency: str, *, every: bool = False) -> Iterator[str]:
    """Yield the lines of text of one explained line."""
    line = explanation.line
    yield f"{line.title}: {line.amount} {currency}   [{line.code}]"
    for step in explanation.arithmetic.steps:
        yield f"  {step.description}: {step.expression} = {step.value}"
    for text in explanation.arithmetic.rate:
        yield f"  rate: {text}"
    yield f"  {explanation.arithmetic.expression} = {explanation.arithmetic.value}"
    yield f"  {_rounded(explanation.rounding)}"
    if explanation.calendar is not None:
        yield from _calendar(explanation.calendar, every=every)
    if not explanation.reproduced:
        yield "  measuring the same readings again gives something else: the bill stands"


def _rounded(rounding: ExplainedRounding) -> str:
    leaves = f", which leaves {rounding.residue}" if Fraction(rounding.residue) else ""
    if rounding.decimals is None or rounding.level == "total":
        return f"not rounded by itself: shown as {rounding.amount}{leaves}"
    if not leaves:
        return f"exact to {rounding.decimals} decimals"
    to = f"{rounding.decimals} decimals" if rounding.step is None else f"steps of {rounding.step}"
    return f"rounded {_MODES[rounding.mode]} to {to}{leaves}"


def _calendar(placement: Placement, *, every: bool) -> Iterator[str]:
    unit = placement.unit
    for rule in placement.rules:
        name = "default" if rule.rule is None else f"rule {rule.rule + 1}"
        yield f"  {name}, {rule.text}: {rule.slots} slots, {rule.quantity} {unit}"
    runs = placement.runs
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
