"""What the checks ask the pricing engine besides a bill."""

from collections.abc import Mapping

from energia.metering.series import Series
from energia.pricing.charges import Measured, UnitPrices
from energia.pricing.engine import Cost, price
from energia.pricing.explain import Charged, ExplainedLine, explain
from energia.pricing.lines import Line
from energia.pricing.measures import Energy, EnergyByPeriod
from energia.pricing.running import Running
from energia.pricing.segments import segments
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms
from energia.testing.market import made_up


def exact_lines(
    tariff: Tariff, usage: Mapping[str, Series], start: int, end: int
) -> tuple[Line, ...]:
    """Return the lines as the charges state them, before anything is rounded or written."""
    found: list[Line] = []
    terms = Terms(prices=made_up(tariff, start, end))
    for segment in segments(tariff, usage, start, end, terms):
        run = Running(segment.version.rounding, {})
        for due in segment.dues:
            run.charge(due.charge, due.slots)
        found += [item.line for item in run.items]
    return tuple(found)


def explained_lines(
    tariff: Tariff, usage: Mapping[str, Series], start: int, end: int
) -> tuple[ExplainedLine, ...]:
    """Return where each line of a bill comes from, all of it measured again."""
    terms = Terms(prices=made_up(tariff, start, end))
    cost = price(tariff, usage, start, end, terms)
    cut = segments(tariff, usage, start, end, terms)
    return explain(Charged.of(cost), cut, cost.currency)


def energy_by_period(
    tariff: Tariff,
    usage: Mapping[str, Series],
    window: tuple[int, int],
    prices: UnitPrices,
    role: str,
) -> Mapping[str, int]:
    """Return the micro-units of *role* in each period of unit prices, by the names of its rates."""
    (segment,) = segments(tariff, usage, *window, Terms(prices=made_up(tariff, *window)))
    slots = segment.dues[-1].slots
    if prices.schedule is None:
        return {"": Energy(role).evaluate(slots)["total"]}
    return EnergyByPeriod(prices.schedule, role).evaluate(slots)


def measured(cost: Cost, code: str) -> Measured:
    """Return what the measures of the charge *code* gave for a bill under one version."""
    return cost.parts[-1].measured[code]
