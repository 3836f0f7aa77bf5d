"""Makes charges of the structures of the US utility rate database, for the cases of other engines.

Periods are called `p0`, `p1`, ...; a schedule has 12 months x 24 hours of period numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

UNITS = {
    "kWh": "kWh",
    "kWh daily": "kWh/day",
    "kWh/kW": "kWh/kW",
    "kWh/kW daily": "kWh/kW.day",
}
LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
Hours = Sequence[Sequence[int]]
#: PySAM's bound of an open tier.
ENDLESS = Decimal("9e37")


def schedule(weekday: Hours, weekend: Hours) -> dict[str, Any]:
    """Return the schedule; holidays are days like others."""
    weekday, weekend = (
        [[int(hour) for hour in of] for of in hours] for hours in (weekday, weekend)
    )
    weekend_days, weekdays = ["sat", "sun"], ["mon", "tue", "wed", "thu", "fri"]
    rules = [
        rule
        for days, hours in ((weekdays, weekday), (weekend_days, weekend))
        for months, of_day in _alike(hours)
        for rule in _rules(days, months, of_day)
    ]
    return {"rules": rules}


def energy(
    structure: Sequence[Sequence[Mapping[str, Any]]], weekday: Hours, weekend: Hours, **more: Any
) -> dict[str, Any]:
    """Return the charge; parts of *more* go into it."""
    there = sorted({int(period) for hours in (*weekday, *weekend) for period in hours})
    rates = {f"p{period}": tiers(structure[period]) for period in there}
    return {
        "kind": "energy.tiered",
        "schedule": schedule(weekday, weekend),
        "rates": rates,
        **more,
    }


def tiers(of_period: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the tiers of a period; a block of kWh/kW around tiers of kWh ends the last one."""
    found = [_tier(one) for one in of_period]
    kept, block = list[dict[str, Any]](), dict[str, Any]()
    for at, tier in enumerate(found):
        following = found[at + 1]["unit"] if at + 1 < len(found) else None
        if "kW" in tier["unit"].partition("/")[2] and following == "kWh":
            block = tier
            continue
        ends = block and following != "kWh"
        kept.append({**tier, "up_to": block["up_to"], "unit": block["unit"]} if ends else tier)
        block = {} if ends else block
    kept[-1].pop("up_to", None)
    return kept


def _tier(one: Mapping[str, Any]) -> dict[str, Any]:
    rate = sum((Decimal(str(one.get(name) or 0)) for name in ("rate", "adj")), Decimal(0))
    tier: dict[str, Any] = {"rate": str(rate), "unit": UNITS[one.get("unit") or "kWh"]}
    if one.get("max") is not None and Decimal(str(one["max"])) < ENDLESS:
        tier["up_to"] = str(Decimal(str(one["max"])))
    return tier


def _alike(hours: Hours) -> Iterator[tuple[tuple[int, int], Sequence[int]]]:
    """Yield the first and last month (from 0) of neighbours that are alike, and their hours."""
    for of_day, group in groupby(enumerate(hours), key=lambda one: one[1]):
        months = [month for month, _ in group]
        yield (months[0], months[-1]), of_day


def _rules(
    days: Sequence[str], months: tuple[int, int], of_day: Sequence[int]
) -> Iterator[dict[str, Any]]:
    first, last = months
    season = {"from": f"{first + 1:02}-01", "to": f"{last + 1:02}-{LAST_DAYS[last]}"}
    for period, group in groupby(enumerate(of_day), key=lambda one: one[1]):
        hours = [hour for hour, _ in group]
        window = {"from": f"{hours[0]:02}:00", "to": f"{hours[-1] + 1:02}:00"}
        yield {"period": f"p{period}", "days": list(days), **window, "season": season}
