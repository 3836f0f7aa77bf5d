"""Prices usage by tiers."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import attrs

from energia.pricing.engine import Cost, price, slots_of
from energia.pricing.lines import Line
from energia.pricing.running import Running
from energia.pricing.terms import Terms
from tests.core.pricing.documents import instant, series, tariff

HOUR = 3600
KWH = 10**6


def cost(
    charge: Mapping[str, Any],
    values: Sequence[int],
    start: str = "2026-03-01T00:00:00Z",
    *,
    interval: int = HOUR,
    zone: str = "UTC",
    state: Mapping[str, Any] | None = None,
) -> Cost:
    """Price micro-kWh in slots, which are all of the window."""
    at = instant(start)
    terms = Terms(state={"energy.tiered": state} if state else {})
    usage = {"import": series(at, interval, values)}
    end = at + interval * len(values)
    return price(tariff([{"kind": "energy.tiered", **charge}], zone), usage, at, end, terms)


def quantities(found: Cost) -> dict[str, str | None]:
    """Return the quantities of the lines, by the rest of their codes."""
    return {line.code.removeprefix("energy.tiered."): line.quantity for line in found.lines}


def part(
    charge: Mapping[str, Any], values: Sequence[int], start: str, bill: tuple[str, str]
) -> list[Line]:
    """Return the lines for hours that are only a part of a bill."""
    at = instant(start)
    usage = {"import": series(at, HOUR, values)}
    document = tariff([{"kind": "energy.tiered", **charge}])
    version, slots = slots_of(document, usage, at, at + HOUR * len(values), Terms())
    slots = attrs.evolve(slots, bill=(instant(bill[0]), instant(bill[1])))
    run = Running(version.rounding, slots, {})
    for one in version.charges:
        run.charge(one)
    return [item.line for item in run.items]


def total(lines: Sequence[Line]) -> Fraction:
    """Return the sum of the quantities of lines."""
    return sum((Fraction(line.quantity or 0) for line in lines), Fraction(0))


def tiers(*ends: str, **more: Any) -> list[dict[str, Any]]:
    """Return tiers that cost 0.10, 0.20, ...; the last one is open."""
    found = [{"up_to": end, "rate": f"0.{number}0"} for number, end in enumerate(ends, start=1)]
    return [*found, {"rate": f"0.{len(ends) + 1}0"}]


def days(number: int, kwh: int) -> list[int]:
    """Return hours of so many days, each day of which uses so many kWh."""
    return [kwh * KWH // 24] * (24 * number)
