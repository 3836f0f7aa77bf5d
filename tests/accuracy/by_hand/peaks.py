"""Demand: the highest intervals, of the bill or of its months, tiers and ratchets."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from tests.accuracy.by_hand import days
from tests.accuracy.by_hand.days import Month
from tests.accuracy.by_hand.model import Document, Line, Part, components, kwh, stated

#: Demand by period, of each month that is remembered.
_Peaks = dict[Month, dict[str | None, Fraction]]
_SECONDS = {"PT15M": 900, "PT30M": 1800, "PT1H": 3600}


@attrs.frozen
class _Power:
    """The average power of an interval, in kW."""

    period: str | None
    day: date
    power: Fraction


def demand(charge: Document, part: Part) -> list[Line]:
    """Charge the demand of the bill, or of each of its months by its days."""
    parts = part.together or [part]
    own_days = [day for one in parts for day in one.days]
    powers = list(_powers(charge, part, parts, own_days))
    each = charge.get("across_versions", "last") == "each"
    share = part.share if each else Fraction(1)
    amounts: dict[tuple[str | None, str | None], Fraction] = defaultdict(Fraction)
    for month, listed in _months(charge, part, own_days):
        if charge.get("per", "month") == "day":
            weight = Fraction(len(listed))
        elif charge.get("reset", "bill") == "month":
            weight = Fraction(len(listed), days.month_length(month))
        else:
            weight = share
        inside = set(listed)
        billed = _billed(charge, part, month, [one for one in powers if one.day in inside])
        for period, quantity in billed.items():
            for name, amount in _priced(charge, part, period, quantity).items():
                amounts[period, name] += amount * weight
    code = charge.get("code", charge["kind"])
    return [
        Line(
            ".".join(name for name in (code, period, component) if name),
            code,
            amount,
            # A line of one price is quantity x rate; what it stands for later is its rate.
            period=period,
            component=component,
            tags=charge.get("tags", ()),
            **_rate(charge, period, component, amount, part),
        )
        for (period, component), amount in amounts.items()
    ]


def _rate(
    charge: Document, period: str | None, component: str | None, amount: Fraction, part: Part
) -> dict[str, Fraction]:
    """Return quantity and rate of a line without tiers."""
    prices = charge["rates"][period] if period else (charge.get("tiers") or stated(charge))
    if isinstance(prices, Sequence) and not isinstance(prices, str):
        return {}
    rate = components(prices)[component]
    used = part.unit_price(rate)
    return {"rate": rate, "quantity": amount / used} if used else {}


def _powers(
    charge: Document, part: Part, parts: Sequence[Part], own_days: Sequence[date]
) -> Iterator[_Power]:
    """Yield the power of each interval of the wall clock, in the period at its start."""
    zone = part.site.zone
    there = ZoneInfo(zone)
    seconds = _SECONDS[charge.get("interval", "PT15M")]
    sums: dict[int, int] = defaultdict(int)
    for one in parts:
        for instant, micro in part.site.slots(charge.get("channel", "import"), *one.window):
            moment = datetime.fromtimestamp(instant, there)
            since = (moment.minute * 60 + moment.second) % seconds
            sums[instant - since] += micro
    for instant, micro in sums.items():
        period = part.period(charge.get("schedule"), instant)
        day = days.day_of(zone, own_days, instant)
        yield _Power(period, day, max(Fraction(0), kwh(micro) * 3600 / seconds))


def _months(
    charge: Document, part: Part, own_days: Sequence[date]
) -> Iterator[tuple[Month, list[date]]]:
    """Yield what has a demand of its own: the bill in the month in which it ends, or months."""
    if charge.get("reset", "bill") == "bill":
        yield days.month_of(part.bill_days[-1]), list(own_days)
        return
    grouped: dict[Month, list[date]] = defaultdict(list)
    for day in own_days:
        grouped[days.month_of(day)].append(day)
    yield from grouped.items()


def _billed(
    charge: Document, part: Part, month: Month, powers: Sequence[_Power]
) -> dict[str | None, Fraction]:
    """Return the demand of each period that is billed, and remember what was measured."""
    known: _Peaks = part.memory.setdefault(charge["code"], {})
    measured = {}
    for period in dict.fromkeys(one.period for one in powers):
        own = [one for one in powers if one.period == period]
        measured[period] = _statistic(charge.get("statistic", {}), own)
    billed = {}
    for period, own_demand in measured.items():
        value = _of_months(charge.get("statistic", {}), known, month, period, own_demand)
        if "ratchet" in charge:
            value = _ratchet(charge["ratchet"], known, month, period, value)
        billed[period] = max(value, Fraction(charge.get("minimum", 0)))
    before = known.get(month, {})
    known[month] = {
        **before,
        **{period: max(value, before.get(period, value)) for period, value in measured.items()},
    }
    return billed


def _statistic(statistic: Document, powers: Sequence[_Power]) -> Fraction:
    """Return the mean of the highest intervals."""
    values = [one.power for one in powers]
    if statistic.get("distinct_days"):
        highest: dict[date, Fraction] = {}
        for one in powers:
            highest[one.day] = max(one.power, highest.get(one.day, one.power))
        values = list(highest.values())
    top = sorted(values, reverse=True)[: statistic.get("top", 1)]
    return sum(top, Fraction(0)) / len(top)


def _of_months(
    statistic: Document, known: _Peaks, month: Month, period: str | None, own: Fraction
) -> Fraction:
    """Return the highest or the mean of the demands of some months, this one included."""
    number = statistic.get("months", 1)
    before = [known.get(days.months_before(month, back), {}) for back in range(1, number)]
    # Months that are not known do not count.
    values = [own, *(peaks[period] for peaks in before if period in peaks)]
    if statistic.get("of_months", "max") == "mean":
        return sum(values, Fraction(0)) / len(values)
    return max(values)


def _ratchet(
    ratchet: Document, known: _Peaks, month: Month, period: str | None, own: Fraction
) -> Fraction:
    """Return the greater of the month's own demand and a part of the highest before it."""
    percent = Fraction(ratchet["percent"]) / 100
    past = [Fraction(0)]
    for back in range(1, ratchet.get("back", 11) + 1):
        before = days.months_before(month, back)
        if before[1] not in ratchet.get("months", range(1, 13)):
            continue
        peaks = known.get(before, {})
        across = ratchet.get("across_periods", False)
        past += peaks.values() if across else [peaks.get(period, Fraction(0))]
    full = own if ratchet.get("current_in_full", True) else own * percent
    return max(full, max(past) * percent)


def _priced(
    charge: Document, part: Part, period: str | None, quantity: Fraction
) -> dict[str | None, Fraction]:
    """Return what a demand costs, by component."""
    prices: Any = charge["rates"][period] if period else charge.get("tiers")
    if prices is None:
        prices = stated(charge)
    if isinstance(prices, str | Mapping):
        parts = components(prices).items()
        return {name: quantity * part.unit_price(rate) for name, rate in parts}
    if charge.get("scope", "blocks") == "whole_band":
        return _band(part, prices, quantity)
    return _blocks(part, prices, quantity, charge.get("last", "open") == "closed")


def _band(part: Part, tiers: Sequence[Document], quantity: Fraction) -> dict[str | None, Fraction]:
    for tier in tiers:
        if "up_to" not in tier or quantity <= Fraction(tier["up_to"]):
            break
    else:
        tier = tiers[-1]
    if "amount" in tier:
        return {None: Fraction(tier["amount"])}
    return {
        name: quantity * part.unit_price(rate) for name, rate in components(tier["rate"]).items()
    }


def _blocks(
    part: Part, tiers: Sequence[Document], quantity: Fraction, closed: bool
) -> dict[str | None, Fraction]:
    amounts: dict[str | None, Fraction] = defaultdict(Fraction)
    below = Fraction(0)
    for number, tier in enumerate(tiers):
        is_open = "up_to" not in tier or (number == len(tiers) - 1 and not closed)
        top = quantity if is_open else min(quantity, Fraction(tier["up_to"]))
        for name, rate in components(tier["rate"]).items():
            amounts[name] += max(Fraction(0), top - below) * part.unit_price(rate)
        if not is_open:
            below = Fraction(tier["up_to"])
    return amounts
