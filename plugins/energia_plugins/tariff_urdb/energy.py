"""The charges for energy: flat, by time of use or by tiers, and adjustments for fuel."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from energia_plugins.tariff_urdb import ladders
from energia_plugins.tariff_urdb.context import Context, unit_fields
from energia_plugins.tariff_urdb.ladders import Ladder
from energia_plugins.tariff_urdb.naming import names_of
from energia_plugins.tariff_urdb.notes import Record
from energia_plugins.tariff_urdb.schedules import MONTHS, Matrix, matrix, too_long
from energia_plugins.tariff_urdb.structures import Period, structure

_NAME: Final = "energyratestructure"
CODE: Final = "energy"


def energy(rate: Record, context: Context) -> Iterator[dict[str, Any]]:
    """Yield what is charged for energy."""
    periods = structure(rate, _NAME)
    if periods is not None:
        when = matrix(rate, "energy", len(periods))
        if when is not None:
            yield from _charge(rate, context, periods, when)
    yield from _fuel(rate)


def _charge(
    rate: Record, context: Context, periods: Sequence[Period], when: Matrix
) -> Iterator[dict[str, Any]]:
    names = names_of(rate, "energytoulabels", periods, when.periods)
    tell_unused_periods(rate, periods, when)
    found = {index: ladders.ladder(rate.notes, periods[index]) for index in when.periods}
    known = {index: one for index, one in found.items() if one}
    if len(known) < len(found):
        return
    if all(len(one) == 1 for one in known.values()):
        yield _without_tiers(rate, known, when, names)
    else:
        yield from _tiered(rate, context, known, when, names)


def _without_tiers(
    rate: Record, found: Mapping[int, Ladder], when: Matrix, names: Mapping[int, str]
) -> dict[str, Any]:
    prices = {index: format(one[0].price, "f") for index, one in found.items()}
    if len(prices) == 1:
        (price,) = prices.values()
        return {"kind": "energy.flat", "code": CODE, "rate": price}
    return {
        "kind": "energy.time_of_use",
        "code": CODE,
        "schedule": scheduled(rate, when, names, "energyweekdayschedule"),
        "rates": {names[index]: price for index, price in prices.items()},
    }


def _tiered(
    rate: Record,
    context: Context,
    found: Mapping[int, Ladder],
    when: Matrix,
    names: Mapping[int, str],
) -> Iterator[dict[str, Any]]:
    at, scope = rate.pointer(_NAME), context.options.tier_scope or "pooled_prorated"
    together = dict(found) if scope == "per_period" else ladders.joined(found, when.by_month())
    if together is None:
        message = (
            "periods of one month have tiers in different units, which cannot be counted together: "
            "import with tier_scope=per_period"
        )
        rate.notes.refuse(at, "mixed_units", message)
        return
    if together != found:
        message = "periods of one month have different tiers: each was cut at the bounds of all"
        rate.notes.warn(at, "tiers_joined", message)
    unit = next(one.unit for ladder in together.values() for one in ladder if one.up_to is not None)
    charge: dict[str, Any] = {"kind": "energy.tiered", "code": CODE, "unit": unit, "scope": scope}
    if demand := _demand(rate, context, together):
        charge["demand"] = demand
    if len(together) == 1:
        (ladder,) = together.values()
        charge["tiers"] = ladders.json(ladder, unit)
    else:
        charge["schedule"] = scheduled(rate, when, names, "energyweekdayschedule")
        charge["rates"] = {names[i]: ladders.json(one, unit) for i, one in together.items()}
        message = f"the source does not tell whose energy tiers count together: {scope} is taken"
        rate.notes.warn(at, "tier_scope", message)
    yield charge


def _demand(rate: Record, context: Context, found: Mapping[int, Ladder]) -> dict[str, Any]:
    """Return how the billing demand of hours of use is determined; nothing where there are none."""
    used = {one.unit for ladder in found.values() for one in ladder if one.by_demand and one.up_to}
    units = {"kVA" if "kVA" in unit else "hp" if "hp" in unit else "kW" for unit in used}
    if len(units) > 1:
        rate.notes.refuse(
            rate.pointer(_NAME), "mixed_units", "tiers are by several units of demand"
        )
    if not units:
        return {}
    return {**context.interval(rate), **unit_fields(next(iter(units)))}


def _fuel(rate: Record) -> Iterator[dict[str, Any]]:
    """Yield the adjustment of each month, where there is one."""
    name = "fueladjustmentsmonthly"
    value, at = rate.get(name), rate.pointer(name)
    if value in (None, []):
        return
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(at, "wrong_shape", f"{name} has 12 prices, one for each month")
        return
    prices = [
        rate.notes.number(one, f"{at}/{month}") or Decimal(0) for month, one in enumerate(value)
    ]
    distinct = sorted(set(prices), key=prices.index)
    if not any(distinct):
        return
    if len(distinct) == 1:
        yield {"kind": "energy.flat", "code": "fuel", "rate": format(distinct[0], "f")}
        return
    names = {index: f"fuel_{index}" for index in range(len(distinct))}
    when = Matrix.constant([distinct.index(price) for price in prices])
    yield {
        "kind": "energy.time_of_use",
        "code": "fuel",
        "schedule": when.schedule(names),
        "rates": {names[index]: format(price, "f") for index, price in enumerate(distinct)},
    }


def scheduled(rate: Record, when: Matrix, names: Mapping[int, str], at: str) -> dict[str, Any]:
    """Return a schedule; one with too many rules is refused."""
    schedule = when.schedule(names)
    if too_long(schedule):
        message = f"the schedule needs {len(schedule['rules'])} rules, more than a tariff may have"
        rate.notes.refuse(rate.pointer(at), "too_many_rules", message)
    return schedule


def tell_unused_periods(rate: Record, periods: Sequence[Period], when: Matrix) -> None:
    """Warn of periods that no hour is in."""
    for index, period in enumerate(periods):
        if index not in when.periods:
            rate.notes.warn(period.at, "unused_period", f"no hour is in period {index}")
