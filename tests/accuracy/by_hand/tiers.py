"""Tiers of energy, in four scopes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from tests.accuracy.by_hand import days
from tests.accuracy.by_hand.energy import Energies
from tests.accuracy.by_hand.model import Document, Line, Part, components, kwh

_Span = tuple[Fraction, Fraction | None]


@attrs.frozen
class _Window:
    """The days of a part between two resets, and their slots.

    Attributes:
        name: Of the day, month, quarter or year.
        days: The days that are priced.
        allowance: The part of an allowance in kWh that they have.
        slots: Period, day and micro-kWh of each.

    """

    name: str
    days: Sequence[date]
    allowance: Fraction
    slots: Sequence[tuple[str | None, date, int]]


def tiered(charge: Document, part: Part, energies: Energies | None = None) -> list[Line]:
    """Charge energy tier by tier; *energies* stand for what was measured in one window."""
    sums: dict[tuple[str | None, int], Fraction] = defaultdict(Fraction)
    for metered in _windows(charge, part):
        window = metered if energies is None else _instead(metered, energies)
        for key, energy in _shares(charge, part, window):
            sums[key] += energy
    return [
        part.multiplied(
            charge, energy, rate, period=period, suffix=f"tier{number + 1}", component=name
        )
        for (period, number), energy in sums.items()
        for name, rate in components(_tiers(charge, period)[number]["rate"]).items()
    ]


def _instead(window: _Window, energies: Energies) -> _Window:
    """Return a window with other energy; which days a period is in force on stays as it is."""
    first = {period: day for period, day, _ in reversed(window.slots)}
    other = [(period, first[period], int(energy * 10**6)) for period, energy in energies.items()]
    return attrs.evolve(window, slots=[*other, *((*slot[:2], 0) for slot in window.slots)])


def _tiers(charge: Document, period: str | None) -> Sequence[Mapping[str, Any]]:
    listed: Sequence[Mapping[str, Any]] = (
        charge["tiers"] if period is None else charge["rates"][period]
    )
    return listed


def _windows(charge: Document, part: Part) -> Iterator[_Window]:
    reset, proration = charge.get("reset", "bill"), _proration(charge)
    grouped: dict[str, list[date]] = defaultdict(list)
    for day in part.days:
        grouped[_name(day, reset)].append(day)
    slots = defaultdict(list)
    for instant, micro in part.site.slots(charge.get("channel", "import"), *part.window):
        day = days.day_of(part.site.zone, part.days, instant)
        period = part.period(charge.get("schedule"), instant)
        slots[_name(day, reset)].append((period, day, micro))
    for name, listed in grouped.items():
        whole = len(part.bill_days) if reset == "bill" else _length(listed[0], reset)
        allowance = Fraction(len(listed), whole) if proration == "days" else Fraction(1)
        yield _Window(name, listed, allowance, slots[name])


def _proration(charge: Document) -> str:
    long = charge.get("reset", "bill") in ("quarter", "year")
    return str(charge.get("proration", "none" if long else "days"))


def _name(day: date, reset: str) -> str:
    quarter = f"{day.year} quarter {(day.month + 2) // 3}"
    names = {"bill": "bill", "day": f"{day}", "month": f"{day:%Y-%m}", "year": f"{day.year}"}
    return {**names, "quarter": quarter}[reset]


def _length(day: date, reset: str) -> int:
    """Return how many days the day, month, quarter or year of a day has."""
    first = (day.month - 1) // 3 * 3 + 1
    months = {"day": (), "month": (day.month,), "year": range(1, 13)}
    wanted = {**months, "quarter": range(first, first + 3)}[reset]
    return sum(days.month_length((day.year, month)) for month in wanted) or 1


def _shares(
    charge: Document, part: Part, window: _Window
) -> Iterator[tuple[tuple[str | None, int], Fraction]]:
    scope = charge.get("scope", "pooled_prorated")
    ladders = list(_ladders(charge, window, scope))
    for ladder in ladders:
        slots = [slot for slot in window.slots if slot[0] in ladder]
        on = len({day for _, day, _ in slots})
        apart = len(ladders) > 1
        part_of = window.allowance
        if apart and scope != "per_period" and _proration(charge) == "days":
            part_of *= Fraction(on, len(window.days))
        spans = _spans(
            _tiers(charge, ladder[0]), charge, part_of, on if apart else len(window.days)
        )
        if scope == "pooled_chronological":
            yield from _walk(slots, spans)
            continue
        name = _first_of(charge, ladder[0])
        used = _used(charge, part, window, name)
        sums: dict[str | None, int] = defaultdict(int)
        for period, _, micro in slots:
            sums[period] += micro
        energies = {period: kwh(micro) for period, micro in sums.items()}
        total = sum(energies.values(), Fraction(0))
        parts = _band(spans, used, total) if scope == "whole_band" else _blocks(spans, used, total)
        for number, energy in parts.items():
            for period, own in energies.items():
                share = own / total if total else own
                yield (period, number), energy * share
        _remember(charge, part, window, name, used + total)


def _ladders(charge: Document, window: _Window, scope: str) -> Iterator[list[str | None]]:
    """Yield the periods of each ladder: those with the same bounds, or each by itself."""
    periods = list(dict.fromkeys(period for period, _, _ in window.slots))
    periods.sort(key=lambda period: list(charge.get("rates", [None])).index(period))
    if scope == "per_period":
        yield from ([period] for period in periods)
        return
    groups: dict[Any, list[str | None]] = defaultdict(list)
    for period in periods:
        groups[_bounds(charge, period)].append(period)
    yield from groups.values()


def _bounds(charge: Document, period: str | None) -> tuple[Any, ...]:
    return tuple((tier.get("up_to"), tier.get("unit")) for tier in _tiers(charge, period))


def _first_of(charge: Document, period: str | None) -> str | None:
    """Return the period by which the ladder of a period is remembered."""
    if period is None or charge.get("scope") == "per_period":
        return period
    wanted = _bounds(charge, period)
    return next(str(other) for other in charge["rates"] if _bounds(charge, other) == wanted)


def _spans(
    tiers: Sequence[Mapping[str, Any]], charge: Document, part_of: Fraction, number: int
) -> list[_Span]:
    """Return where each tier begins and ends."""
    ends: list[Fraction | None] = []
    for tier in tiers:
        unit = tier.get("unit", charge.get("unit", "kWh"))
        times = {"kWh": part_of, "kWh/day": Fraction(number)}[unit]
        ends.append(Fraction(tier["up_to"]) * times if "up_to" in tier else None)
    # A bound that lies above a later one ends there.
    for index in reversed(range(len(ends) - 1)):
        here, later = ends[index], ends[index + 1]
        if here is not None and later is not None:
            ends[index] = min(here, later)
    return list(zip([Fraction(0), *(end or Fraction(0) for end in ends[:-1])], ends, strict=True))


def _blocks(spans: Sequence[_Span], used: Fraction, total: Fraction) -> dict[int, Fraction]:
    """Return how much of what follows *used* is in each tier."""
    if total == 0:
        return {_at(spans, used): Fraction(1)}
    low, high = sorted((used, used + total))
    parts = {}
    for number, (begin, end) in enumerate(spans):
        top = high if end is None else min(high, end)
        # What lies below nothing is in the first tier.
        inside = top - (low if number == 0 else max(low, begin))
        if inside > 0:
            parts[number] = inside if total > 0 else -inside
    return parts


def _band(spans: Sequence[_Span], used: Fraction, total: Fraction) -> dict[int, Fraction]:
    return {_at(spans, used + total): total or Fraction(1)}


def _at(spans: Sequence[_Span], position: Fraction) -> int:
    """Return the tier that a position is in; a bound is in its own tier."""
    for number, (_, end) in enumerate(spans):
        if end is None or position <= end:
            return number
    return len(spans) - 1


def _walk(
    slots: Sequence[tuple[str | None, date, int]], spans: Sequence[_Span]
) -> Iterator[tuple[tuple[str | None, int], Fraction]]:
    """Go up and down the tiers slot by slot."""
    position = Fraction(0)
    for period, _, micro in slots:
        energy = kwh(micro)
        if energy:
            for number, inside in _blocks(spans, position, energy).items():
                yield (period, number), inside
        position += energy


def _goes_on(charge: Document) -> bool:
    resets = ("month", "quarter", "year")
    return _proration(charge) == "none" and charge.get("reset", "bill") in resets


def _used(charge: Document, part: Part, window: _Window, ladder: str | None) -> Fraction:
    """Return what was used since the reset, in bills and parts before."""
    if not _goes_on(charge):
        return Fraction(0)
    name, used = part.memory.get(charge["code"], (None, {}))
    return used.get(ladder, Fraction(0)) if name == window.name else Fraction(0)


def _remember(
    charge: Document, part: Part, window: _Window, ladder: str | None, used: Fraction
) -> None:
    if _goes_on(charge):
        name, before = part.memory.get(charge["code"], (None, {}))
        kept = before if name == window.name else {}
        part.memory[charge["code"]] = (window.name, {**kept, ladder: used})
