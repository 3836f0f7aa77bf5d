"""Prices usage by tiers."""

from collections.abc import Mapping, Sequence
from typing import Any

from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from tests.core.pricing.documents import instant, read, series, tariff

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


def across(charge: Mapping[str, Any], values: Sequence[int], bounds: Sequence[str]) -> Cost:
    """Price hours under two equal versions, which follow each other between three dates."""
    first, then, _ = bounds
    versions = [
        {
            "valid_from": begins,
            "valid_to": ends,
            "charges": [{"kind": "energy.tiered", **charge}],
            "rounding": {"amount_decimals": None},
        }
        for begins, ends in ((first, then), (then, None))
    ]
    start, end = (instant(f"{day}T00:00:00Z") for day in (bounds[0], bounds[-1]))
    document = {"name": "t", "currency": "USD", "timezone": "UTC", "versions": versions}
    return price(read(document), {"import": series(start, HOUR, values)}, start, end)


def tiers(*ends: str, **more: Any) -> list[dict[str, Any]]:
    """Return tiers that cost 0.10, 0.20, ...; the last one is open."""
    found = [{"up_to": end, "rate": f"0.{number}0"} for number, end in enumerate(ends, start=1)]
    return [*found, {"rate": f"0.{len(ends) + 1}0"}]


def days(number: int, kwh: int) -> list[int]:
    """Return hours of so many days, each day of which uses so many kWh."""
    return [kwh * KWH // 24] * (24 * number)
