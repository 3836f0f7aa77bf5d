"""The charges for demand: of each month, by time of use, and at the peak of the system."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from energia_plugins.tariff_urdb.energy import scheduled, tell_unused_periods
from energia_plugins.tariff_urdb.record import Context, Record, unit_fields
from energia_plugins.tariff_urdb.schedules import MONTHS, Matrix, matrix, names_of, rows
from energia_plugins.tariff_urdb.structures import Period, rising, structure

_BACK = 11


def ratchet(rate: Record) -> dict[str, Any] | None:
    """Return the ratchet of a rate; None if it has none."""
    lookback, monthly = _lookback(rate), _monthly(rate)
    if lookback and monthly:
        message = "both a lookback and demandratchetpercentage are given: the lookback is taken"
        rate.notes.warn(rate.pointer("demandratchetpercentage"), "two_ratchets", message)
    return lookback or monthly


def _lookback(rate: Record) -> dict[str, Any] | None:
    percent, pointer = rate.number("lookbackpercent"), rate.pointer("lookbackpercent")
    back = rate.notes.whole(rate.get("lookbackrange"), rate.pointer("lookbackrange"))
    months = _ratchet_months(rate)
    if not percent:
        return None
    if not 0 < percent <= 100:
        rate.notes.refuse(pointer, "out_of_range", "lookbackpercent is above 0 and at most 100")
        return None
    if percent <= 1:
        rate.notes.warn(
            pointer, "part_of_one", f"{percent} is taken as a part of 1, not as a percentage"
        )
        percent *= 100
    lookback: dict[str, Any] = {"percent": format(percent.normalize(), "f")}
    if back is not None and not 0 <= back <= MONTHS:
        message = "lookbackrange is a number of months, 0 to 12"
        rate.notes.refuse(rate.pointer("lookbackrange"), "out_of_range", message)
    elif back:
        lookback["back"] = min(back, _BACK)
    elif months:
        lookback |= {"back": _BACK, "months": months}
    else:
        message = "neither lookbackrange nor lookbackmonths says how far: 11 months are taken"
        rate.notes.warn(pointer, "lookback_assumed", message)
    return lookback


def _ratchet_months(rate: Record) -> list[int]:
    value, pointer = rate.get("lookbackmonths"), rate.pointer("lookbackmonths")
    if value in (None, []):
        return []
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(
            pointer, "wrong_shape", "lookbackmonths has 12 values, one for each month"
        )
        return []
    return [month for month, flag in enumerate(value, 1) if flag in (True, 1, "1", "true")]


def _monthly(rate: Record) -> dict[str, Any] | None:
    name = "demandratchetpercentage"
    value, pointer = rate.get(name), rate.pointer(name)
    if value in (None, []):
        return None
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(pointer, "wrong_shape", f"{name} has 12 percentages, one for each month")
        return None
    percents = [
        rate.notes.number(percent, f"{pointer}/{month}") or Decimal(0)
        for month, percent in enumerate(value)
    ]
    if not any(percents):
        return None
    for month, percent in enumerate(percents):
        if not 0 <= percent <= 100:
            rate.notes.refuse(f"{pointer}/{month}", "out_of_range", "a percentage is 0 to 100")
    if all(percent <= 1 for percent in percents):
        rate.notes.warn(pointer, "part_of_one", "the percentages are taken as parts of 1")
        percents = [percent * 100 for percent in percents]
    message = (
        "the source does not tell whether a percentage is of the month of the past peak, which is "
        "taken, or of the month that is billed: `percent_by: bill` in the ratchet"
    )
    rate.notes.warn(pointer, "ratchet_percentages", message)
    return {"percent": [format(percent, "f") for percent in percents], "back": _BACK}


#: The units of demand, by how the source writes them: the unit, and for what the price is.
_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "kw": ("kW", "month"),
    "kva": ("kVA", "month"),
    "hp": ("hp", "month"),
    "kw daily": ("kW", "day"),
    "kva daily": ("kVA", "day"),
    "hp daily": ("hp", "day"),
}
#: The parameter by which a contract tells when the system had its peaks.
EVENTS: Final = "coincident_events"


def demand(rate: Record, context: Context) -> Iterator[dict[str, Any]]:
    """Yield what is charged for demand."""
    flat, tou = structure(rate, "flatdemandstructure"), structure(rate, "demandratestructure")
    common = _common(rate)
    if flat:
        months = _months(rate, len(flat))
        if months:
            when = Matrix.constant(months)
            yield from _charge(rate, context, "flat", flat, when, common)
    if tou:
        when_tou = matrix(rate, "demand", len(tou))
        if when_tou:
            yield from _charge(rate, context, "tou", tou, when_tou, common)
    yield from _coincident(rate)


def _common(rate: Record) -> dict[str, Any]:
    """Return what all charges for demand share, whether there are any or not."""
    rule = ratchet(rate)
    for name in ("demandunits", "demandwindow"):
        rate.get(name)
    return {"ratchet": rule} if rule else {}


def _charge(  # noqa: PLR0913, PLR0917 - what makes a charge
    rate: Record,
    context: Context,
    form: str,
    periods: Sequence[Period],
    when: Matrix,
    common: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    name = "flatdemandstructure" if form == "flat" else "demandratestructure"
    unit = _unit(rate, "flatdemandunit" if form == "flat" else "demandrateunit")
    tell_unused_periods(rate, periods, when)
    used = [periods[index] for index in when.periods]
    before = len(rate.notes.faults)
    rising(rate.notes, used)
    if unit is None or len(rate.notes.faults) > before:
        return
    if all(period.is_free for period in used):
        rate.notes.warn(rate.pointer(name), "nothing_charged", "all its prices are zero")
        return
    charge: dict[str, Any] = {"kind": "demand", "code": f"demand_{form}"}
    charge |= context.interval(rate)
    charge |= unit_fields(unit[0])
    charge |= {} if unit[1] == "month" else {"per": unit[1]}
    charge |= {"reset": "season"} if when.is_seasonal else {}
    _tell_conventions(rate, name, charge)
    if len(used) == 1:
        yield charge | _one_price(rate, used[0]) | common
        return
    names = names_of(rate, "demandtoulabels" if form == "tou" else "", periods, when.periods)
    field = "demandweekdayschedule" if form == "tou" else "flatdemandmonths"
    charge["schedule"] = scheduled(rate, when, names, field)
    charge["rates"] = {names[i]: _price(rate, periods[i]) for i in when.periods}
    if form == "flat" and common:  # its periods are only prices: the demand is one
        common = {"ratchet": {**common["ratchet"], "across_periods": True}}
    yield charge | common


def _tell_conventions(rate: Record, name: str, charge: dict[str, Any]) -> None:
    """Tell what is taken for granted of the maxima of a charge, and what else they may be."""
    pointer = rate.pointer(name)
    if "reset" in charge:
        message = (
            "the source does not tell what a bill pays that crosses from one season to the next: "
            "the maximum of each, by its days in the bill (`reset: season`) is taken; with `reset: "
            "bill` each price is paid in full, with `reset: month` by the days of calendar months"
        )
        rate.notes.warn(pointer, "seasonal_demand", message)
    if "per" in charge:
        message = (
            "the source does not tell whose maximum a price for each day is for: the bill's, once "
            "for each of its days (`per: day`), is taken; with `reset: day` it is that of each day"
        )
        rate.notes.warn(pointer, "daily_demand", message)


def _one_price(rate: Record, period: Period) -> dict[str, Any]:
    price = _price(rate, period)
    return {"tiers": price} if isinstance(price, list) else {"rate": price}


def _price(rate: Record, period: Period) -> str | list[dict[str, str]]:
    """Return the price of a period: of one tier, or of several with the last one open."""
    last = period.tiers[-1]
    if last.max is not None:
        message = "the last tier is taken as open: demand above its max has its price"
        rate.notes.warn(f"{last.at}/max", "finite_last_tier", message)
    if len(period.tiers) == 1:
        return format(last.price, "f")
    bounded = [
        {"up_to": format(tier.max or Decimal(0), "f"), "rate": format(tier.price, "f")}
        for tier in period.tiers[:-1]
    ]
    return [*bounded, {"rate": format(last.price, "f")}]


def _unit(rate: Record, name: str) -> tuple[str, str] | None:
    """Return the unit of a price of demand, and whether it is for a month or a day."""
    for field in (name, "demandunits"):
        value = rate.get(field)
        if value in (None, ""):
            continue
        text = " ".join(value.lower().split()) if isinstance(value, str) else ""
        if text not in _UNITS:
            message = f"{value!r} is no unit of demand; known are kW, kVA, hp, each also daily"
            rate.notes.refuse(rate.pointer(field), "unknown_unit", message)
            return None
        if text.startswith("kva"):
            message = "demand in kVA needs readings of apparent_energy.import"
            rate.notes.warn(rate.pointer(field), "needs_apparent_energy", message)
        return _UNITS[text]
    return _UNITS["kw"]


def _months(rate: Record, periods: int) -> list[int] | None:
    """Return the period of each month."""
    name = "flatdemandmonths"
    value, pointer, before = rate.get(name), rate.pointer(name), len(rate.notes.faults)
    if value in (None, []) and periods == 1:
        return [0] * MONTHS
    if not isinstance(value, list) or len(value) != MONTHS:
        message = f"{name} has 12 numbers of periods, one for each month"
        rate.notes.refuse(pointer, "wrong_shape", message)
        return None
    numbers = [rate.notes.whole(number, f"{pointer}/{month}") for month, number in enumerate(value)]
    for month, number in enumerate(numbers):
        if len(rate.notes.faults) == before and (number is None or not 0 <= number < periods):
            message = f"there is no period {number}: the structure has 0 to {periods - 1}"
            rate.notes.refuse(f"{pointer}/{month}", "unknown_period", message)
    return [number or 0 for number in numbers] if len(rate.notes.faults) == before else None


def _coincident(rate: Record) -> Iterator[dict[str, Any]]:
    """Yield a charge at the peaks of the system, whose times each contract states."""
    name, schedule = "coincidentratestructure", "coincidentrateschedule"
    periods = structure(rate, name)
    rate.get(schedule), rate.get("coincidentrateunit")
    if periods is None:
        return
    if rate.get(schedule) is not None:
        rows(rate, schedule, len(periods))
    priced = [period for period in periods if not period.is_free]
    for index, period in enumerate(priced):
        if len(period.tiers) > 1:
            message = "tiers of coincident demand are not imported: the first has all of it"
            rate.notes.warn(period.at, "not_imported", message)
        suffix = f"_{index}" if len(priced) > 1 else ""
        yield {
            "kind": "event",
            "code": f"coincident{suffix}",
            "form": "demand",
            "rate": format(period.tiers[0].price, "f"),
            "events": {"parameter": f"{EVENTS}{suffix}", "default": []},
        }
        message = (
            f"the source does not date the peaks of the system: contracts list them as the "
            f"parameter {EVENTS}{suffix}; without, nothing is charged"
        )
        rate.notes.warn(period.at, "needs_events", message)
