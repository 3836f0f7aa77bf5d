"""What a charge by tiers must keep, beyond the types of its fields."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from energia.convert.rules import Rules
from energia.errors import Fault
from energia.pricing.calendar import DayTable
from energia.pricing.days import DayTypes
from energia.pricing.demand import BillingDemand
from energia.pricing.schedule import Schedule, faults_of_periods
from energia.zones import DAY
from energia_plugins.tariff_tiered.ladder import (
    DAILY,
    OF_DEMAND,
    Ladder,
    Last,
    Proration,
    Scope,
    Tier,
    Unit,
)
from energia_plugins.tariff_tiered.windows import Reset

Rates = Mapping[str, Sequence[Tier]]
#: A common year that begins on a Monday, and a leap year: every date, most on two days of the week.
_YEARS = (np.datetime64("2023-01-01"), np.datetime64("2025-01-01"))


def prorated(proration: Proration | None, reset: Reset) -> bool:
    """Tell whether parts of a window have parts of the allowance."""
    default = "none" if reset in ("quarter", "year") else "days"
    return (proration or default) == "days"


def _tiers_or_rates(
    tiers: Sequence[Tier] | None, schedule: Schedule | None, rates: Rates | None
) -> Iterator[Fault]:
    if (tiers is None) == (rates is None):
        yield Fault("tiers_or_rates", "give either tiers, or a schedule and rates", "/tiers")
    elif rates is not None and schedule is None:
        yield Fault("missing_schedule", "rates by period need a schedule", "/schedule")
    elif tiers is not None and schedule is not None:
        yield Fault("unused_schedule", "a schedule needs rates by period", "/schedule")


def _periods_match(schedule: Schedule | None, rates: Rates | None) -> list[Fault]:
    return [] if schedule is None or rates is None else faults_of_periods(schedule, rates)


def _bounds_rise(
    tiers: Sequence[Tier] | None, rates: Rates | None, unit: Unit, last: Last
) -> Iterator[Fault]:
    for pointer, ladder in _ladders(tiers, rates):
        yield from _faults_of_ends(ladder, last, pointer)
        highest: dict[Unit, Tier] = {}
        for at, tier in enumerate(ladder):
            if tier.up_to is None:
                continue
            below = highest.get(tier.unit or unit)
            if below is not None and below.up_to is not None and tier.up_to <= below.up_to:
                message = f"{tier.up_to} is not above the bound before it, {below.up_to}"
                yield Fault("bounds_not_increasing", message, f"{pointer}/{at}/up_to")
            highest[tier.unit or unit] = tier


def _faults_of_ends(ladder: Sequence[Tier], last: Last, pointer: str) -> Iterator[Fault]:
    for at, tier in enumerate(ladder):
        is_last = at == len(ladder) - 1
        if tier.up_to is None and not (is_last and last == "open"):
            message = "only an open last tier has no up_to"
            yield Fault("missing_bound", message, f"{pointer}/{at}/up_to")
        if tier.up_to is not None and is_last and last == "open":
            message = (
                "the last tier is open: leave out up_to, or say last: closed to refuse usage above"
            )
            yield Fault("last_tier_has_bound", message, f"{pointer}/{at}/up_to")


def _demand_fits(
    tiers: Sequence[Tier] | None,
    rates: Rates | None,
    unit: Unit,
    demand: BillingDemand | None,
    reset: Reset,
) -> Iterator[Fault]:
    of_demand = sorted({OF_DEMAND[one] for one in _units(tiers, rates, unit) if one in OF_DEMAND})
    if of_demand and demand is None:
        message = f"bounds by {of_demand[0]} need demand: how the billing demand is determined"
        yield Fault("missing_demand", message, "/demand")
    elif demand is not None and not of_demand:
        yield Fault("unused_demand", "no bound is by demand", "/demand")
    elif demand is not None and of_demand != [demand.unit]:
        message = f"bounds by {' and '.join(of_demand)} need a demand in that unit"
        yield Fault("wrong_unit", message, "/demand/unit")
    if of_demand and reset not in ("bill", "month"):
        message = "demand is that of a bill or of a month: so must be the reset"
        yield Fault("wrong_reset", message, "/reset")


def _walk_knows_its_bounds(
    tiers: Sequence[Tier] | None, rates: Rates | None, unit: Unit, scope: Scope
) -> Iterator[Fault]:
    if scope == "pooled_chronological" and _units(tiers, rates, unit) & OF_DEMAND.keys():
        message = "slot by slot, bounds cannot be by a demand that only the whole bill tells"
        yield Fault("wrong_scope", message, "/scope")


def _walk_is_of_parts(scope: Scope, reset: Reset, proration: Proration | None) -> Iterator[Fault]:
    if scope == "pooled_chronological" and not prorated(proration, reset):
        message = "slot by slot, parts of a window need parts of the allowance: proration days"
        yield Fault("wrong_proration", message, "/proration")


def _days_are_of_parts(
    rates: Rates | None, unit: Unit, scope: Scope, reset: Reset, proration: Proration | None
) -> Iterator[Fault]:
    several = scope == "per_period" or len(set(_bounds(rates, unit))) > 1
    daily = _units(None, rates, unit) & set(DAILY)
    if several and daily and not prorated(proration, reset):
        message = "bounds by the day of periods need parts of the allowance: proration days"
        yield Fault("wrong_proration", message, "/proration")


def _one_ladder_a_day(
    schedule: Schedule | None, rates: Rates | None, unit: Unit, scope: Scope
) -> Iterator[Fault]:
    """Refuse to pool periods of one day whose bounds differ; those of seasons may."""
    if schedule is None or rates is None or scope == "per_period":
        return
    ladders = dict(zip(rates, _bounds(rates, unit), strict=True))
    distinct = list(dict.fromkeys(ladders.values()))
    if len(distinct) == 1 or set(schedule.periods) != set(rates):
        return
    if _mixed(schedule, np.array([distinct.index(ladders[one]) for one in schedule.periods])):
        message = (
            "periods of one day have different bounds: count each by itself with scope per_period, "
            "or give them the same bounds"
        )
        yield Fault("mixed_ladders", message, "/rates")


def _mixed(schedule: Schedule, ladders: "np.typing.NDArray[np.int64]") -> bool:
    low, high = (int(year.astype(np.int64)) * DAY for year in _YEARS)
    table = DayTable.of(schedule, DayTypes(), low, high - 1)
    rows = ladders[table.keys[np.unique(table.rows[1:])]]
    return bool((rows != rows[:, :1]).any())


def _bounds(rates: Rates | None, unit: Unit) -> list[Ladder]:
    return [Ladder.of(tiers, unit, "open") for tiers in (rates or {}).values()]


def _ladders(
    tiers: Sequence[Tier] | None, rates: Rates | None
) -> Iterator[tuple[str, Sequence[Tier]]]:
    if tiers is not None:
        yield "/tiers", tiers
    for period, of_period in (rates or {}).items():
        yield f"/rates/{period}", of_period


def _units(tiers: Sequence[Tier] | None, rates: Rates | None, unit: Unit) -> set[Unit]:
    found = chain.from_iterable(ladder for _, ladder in _ladders(tiers, rates))
    return {tier.unit or unit for tier in found if tier.up_to is not None}


RULES: Rules = (
    _tiers_or_rates,
    _periods_match,
    _bounds_rise,
    _demand_fits,
    _walk_knows_its_bounds,
    _walk_is_of_parts,
    _days_are_of_parts,
    _one_ladder_a_day,
)
