"""What the checks ask the pricing engine besides a bill."""

from collections.abc import Mapping

from energia.metering.series import Series
from energia.pricing.charges import Measured
from energia.pricing.engine import Cost, measured_of, price, slots_of
from energia.pricing.explain import Charged, ExplainedLine, explain
from energia.pricing.lines import Line
from energia.pricing.running import Running
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms


def exact_lines(
    tariff: Tariff, usage: Mapping[str, Series], start: int, end: int
) -> tuple[Line, ...]:
    """Return the lines as the charges state them, before anything is rounded or written."""
    version, slots = slots_of(tariff, usage, start, end, Terms())
    run = Running(version.rounding, slots, {})
    for charge in version.charges:
        run.charge(charge)
    return tuple(item.line for item in run.items)


def explained_lines(
    tariff: Tariff, usage: Mapping[str, Series], start: int, end: int
) -> tuple[ExplainedLine, ...]:
    """Return where each line of a bill comes from, all of it measured again."""
    cost = price(tariff, usage, start, end)
    version, slots = slots_of(tariff, usage, start, end, Terms())
    again = measured_of(version, slots)
    return explain(Charged.of(cost), version, cost.currency, slots, again)


def measured(cost: Cost, code: str) -> Measured:
    """Return what the measures of the charge *code* gave for a bill."""
    return cost.measured[code]
