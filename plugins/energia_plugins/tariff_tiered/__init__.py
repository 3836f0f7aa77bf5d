"""The charge `energy.tiered`: the more is used, the more or the less each unit costs.

A ladder of tiers is walked anew in each window (a bill, a day, a month, ...). What of the energy of
each period lies in which tier is worked out here; the windows, the ladders and the walk slot by
slot have modules of their own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import chain, pairwise
from typing import Annotated, Any, ClassVar, Final

import attrs
import numpy as np
from msgspec import Meta

from energia import (
    BaseCharge,
    BillingDemand,
    BillSoFar,
    Charge,
    Components,
    Conversion,
    DayTable,
    DayTypes,
    Determinant,
    Examples,
    Fault,
    Invalid,
    Line,
    Measure,
    Measured,
    Period,
    Rules,
    Schedule,
    State,
    Step,
    Term,
    Texts,
    UnitPrices,
    converts_gas,
    faults_of_periods,
    hookimpl,
    in_language,
    unit_charged,
)
from energia.pricing.exact import decimal_text, exact_sum, exact_text
from energia.time import DAY
from energia.units import MICRO
from energia_plugins.tariff_tiered.ladder import (
    DAILY,
    OF_DEMAND,
    Bound,
    Ladder,
    Last,
    Proration,
    Scales,
    Scope,
    Tier,
    Tiers,
    Unit,
    is_of,
    plain,
)
from energia_plugins.tariff_tiered.walk import (
    Share,
    Used,
    Walk,
    shares_by_proration,
    shares_of_band,
    shares_of_walk,
)
from energia_plugins.tariff_tiered.windows import (
    TOTAL,
    Pool,
    PoolDays,
    Reset,
    TieredEnergy,
    WindowDays,
    YearBegin,
    YearBegins,
    label,
)

__all__ = ["Tiered", "register_charges"]

Rates = Mapping[str, Sequence[Tier]]

#: A common year that begins on a Monday, and a leap year: every date, most on two days of the week.
_YEARS = (np.datetime64("2023-01-01"), np.datetime64("2025-01-01"))

_NUMBER: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60}|/[1-9][0-9]{0,60})?")


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
        highest: dict[str, Bound] = {}
        for index, tier in enumerate(ladder):
            if tier.up_to is None:
                continue
            below = highest.get(plain(tier.unit or unit))
            if below is not None and Fraction(tier.up_to) <= Fraction(below):
                message = f"{tier.up_to} must be above the bound before it, {below}"
                yield Fault("bounds_not_increasing", message, f"{pointer}/{index}/up_to")
            highest[plain(tier.unit or unit)] = tier.up_to


def _units_are_of_the_channel(
    tiers: Sequence[Tier] | None,
    rates: Rates | None,
    unit: Unit,
    channel: str,
    conversion: Conversion | None,
) -> Iterator[Fault]:
    quantity = unit_charged(channel, conversion)
    stated = [("/unit", unit)] + [
        (f"{pointer}/{index}/unit", tier.unit)
        for pointer, ladder in _ladders(tiers, rates)
        for index, tier in enumerate(ladder)
        if tier.unit is not None
    ]
    for pointer, name in stated:
        if not is_of(name, quantity):
            message = f"{channel} is charged in {quantity}, and so are the bounds of its tiers"
            yield Fault("wrong_unit", message, pointer)


def _demand_fits(
    tiers: Sequence[Tier] | None,
    rates: Rates | None,
    unit: Unit,
    demand: BillingDemand | None,
    reset: Reset,
) -> Iterator[Fault]:
    of_demand = sorted(
        {OF_DEMAND[name] for name in _units(tiers, rates, unit) if name in OF_DEMAND}
    )
    if of_demand and demand is None:
        message = f"bounds by {of_demand[0]} need demand: how the billing demand is determined"
        yield Fault("missing_demand", message, "/demand")
    elif demand is not None and not of_demand:
        yield Fault(
            "unused_demand", "demand is only for bounds by demand, and there is none", "/demand"
        )
    elif demand is not None and of_demand != [demand.unit]:
        message = f"bounds by {' and '.join(of_demand)} need a demand in that unit"
        yield Fault("wrong_unit", message, "/demand/unit")
    if of_demand and reset not in ("bill", "month"):
        message = "demand is that of a bill or of a month, so the reset must be bill or month"
        yield Fault("wrong_reset", message, "/reset")


def _years_begin(
    reset: Reset, year_begins: YearBegins | None, demand: BillingDemand | None
) -> Iterator[Fault]:
    if year_begins is None or reset in ("quarter", "year"):
        return
    if reset in ("bill", "day"):
        message = "only years, their quarters and months begin with it: reset month or longer"
        yield Fault("unused_field", message, "/year_begins")
    elif isinstance(year_begins, int):
        message = 'a month alone does not tell on which day months begin: give a date, "02-10"'
        yield Fault("unused_field", message, "/year_begins")
    elif demand is not None and YearBegin.of(year_begins).day > 1:
        message = "the demand is that of a calendar month, which begins on its first day"
        yield Fault("wrong_day", message, "/year_begins")


def _walk_knows_its_bounds(
    tiers: Sequence[Tier] | None, rates: Rates | None, unit: Unit, scope: Scope
) -> Iterator[Fault]:
    if scope == "pooled_chronological" and _units(tiers, rates, unit) & OF_DEMAND.keys():
        message = "slot by slot, bounds cannot be by a demand that only the whole bill tells"
        yield Fault("wrong_scope", message, "/scope")


def _walk_is_of_parts(scope: Scope, reset: Reset, proration: Proration | None) -> Iterator[Fault]:
    if scope == "pooled_chronological" and not is_prorated(proration, reset):
        message = "slot by slot, parts of a window need parts of the allowance: proration days"
        yield Fault("wrong_proration", message, "/proration")


def _days_are_of_parts(
    rates: Rates | None, unit: Unit, scope: Scope, reset: Reset, proration: Proration | None
) -> Iterator[Fault]:
    several = scope == "per_period" or len(set(_bounds(rates, unit))) > 1
    daily = _units(None, rates, unit) & set(DAILY)
    if several and daily and not is_prorated(proration, reset):
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
    if _mixed(schedule, np.array([distinct.index(ladders[period]) for period in schedule.periods])):
        message = (
            "periods of one day have different bounds: count each by itself with scope per_period, "
            "or give them the same bounds"
        )
        yield Fault("mixed_ladders", message, "/rates")


RULES: Rules = (
    _tiers_or_rates,
    _periods_match,
    _bounds_rise,
    _units_are_of_the_channel,
    converts_gas,
    _demand_fits,
    _years_begin,
    _walk_knows_its_bounds,
    _walk_is_of_parts,
    _days_are_of_parts,
    _one_ladder_a_day,
)


_TIER: Final[Texts] = {"en": "tier", "pt-BR": "faixa"}
_OVER: Final[Texts] = {"en": "over", "pt-BR": "acima de"}
_UP_TO: Final[Texts] = {"en": "up to", "pt-BR": "até"}


@attrs.frozen
class Tiered(BaseCharge):
    """Energy at rates that change with how much is used.

    Usage is counted from nothing in every window of `reset`. What lies between two bounds is
    priced at the rate of that tier. A bound that lies above a later one of another unit ends
    there: `3000 kWh, 10000 kWh, 200 kWh/kW, open` are kilowatt-hours nested in hours of use.
    Net usage below nothing is priced, as a credit, at the first tier.

    Attributes:
        unit: The unit of the bounds: by the day they are multiplied by the days that are priced
            (`per_period`: the days on which the period is in force), by kW by the billing demand.
            `kWh` stands for the unit of the channel, which may be named too: `m3`, `m3/day`.
        scope: One ladder for the energy of all periods, each of which pays its share of every
            tier; a ladder for each period; one ladder that is walked slot by slot; or all energy at
            the tier that the total ends in.
        reset: When usage is counted from nothing again; dates are those of the site's zone.
        year_begins: The month with which the years of `reset`, and so their quarters, begin; the
            first of a contract, say. Or the date, `02-10` (01 to 28, which every month has): months
            begin on that day, too. Without, it is January.
        last: Whether the last tier is open, or ends: then usage above it is refused.
        proration: Whether a part of a window has that part of the allowance, by days, or all of
            it: then what was used in the window before is remembered, except of bills and days.
            The default is `days`; of a quarter or a year it is `none`.
        tiers: The tiers, lowest first; or
        schedule: when each period is, and
        rates: its tiers.
        demand: How the billing demand is determined, for bounds by kW, kVA or hp.
        conversion: How a volume of gas becomes the energy that is charged, and counted by tiers.

    """

    __rules__: ClassVar[Rules] = RULES

    kind: ClassVar[str] = "energy.tiered"
    titles: ClassVar[Texts] = {"en": "Energy", "pt-BR": "Consumo"}
    examples: ClassVar[Examples] = (
        {
            "kind": "energy.tiered",
            "tiers": [{"up_to": "400", "rate": "0.10"}, {"rate": "0.14"}],
        },
        {
            "kind": "energy.tiered",
            "unit": "kWh/day",
            "scope": "per_period",
            "schedule": {
                "default": "off_peak",
                "rules": [{"period": "peak", "days": ["weekday"], "from": "17:00", "to": "21:00"}],
            },
            "rates": {
                "peak": [{"up_to": "0.5", "rate": "0.30"}, {"rate": "0.42"}],
                "off_peak": [{"up_to": "2", "rate": "0.16"}, {"rate": "0.19"}],
            },
        },
        {
            "kind": "energy.tiered",
            "scope": "pooled_chronological",
            "reset": "day",
            "tiers": [{"up_to": "3", "rate": "0.10"}, {"rate": "0.14"}],
        },
        {
            "kind": "energy.tiered",
            "unit": "kWh/kW",
            "demand": {"interval": "PT1H"},
            "tiers": [{"up_to": "4", "rate": "0.12"}, {"rate": "0.08"}],
        },
        {
            "kind": "energy.tiered",
            "scope": "whole_band",
            "reset": "year",
            "tiers": [{"up_to": "2000", "rate": "0.10"}, {"rate": "0.14"}],
        },
        {
            "kind": "energy.tiered",
            "reset": "quarter",
            "year_begins": "02-10",
            "tiers": [{"up_to": "700", "rate": "0.10"}, {"rate": "0.14"}],
        },
    )

    unit: Unit = "kWh"
    scope: Scope = "pooled_prorated"
    reset: Reset = "bill"
    last: Last = "open"
    proration: Proration | None = None
    tiers: Tiers | None = None
    schedule: Schedule | None = None
    rates: Annotated[dict[Period, Tiers], Meta(min_length=1)] | None = None
    demand: BillingDemand | None = None
    year_begins: YearBegins | None = None
    conversion: Conversion | None = None

    def unit_prices(self) -> UnitPrices | None:
        """Return the rates of the first tiers; the price of a volume depends on what it becomes."""
        if self.conversion is not None:
            return None
        rates = {period: tiers[0].rate for period, tiers in self.ladders.items()}
        if self.schedule is None:
            rates = {"": rates[TOTAL]}
        several = any(len(tiers) > 1 for tiers in self.ladders.values())
        return UnitPrices(rates, self.schedule, first_tier=several)

    @cached_property
    def ladders(self) -> Mapping[str, Sequence[Tier]]:
        """The tiers of each period."""
        return {TOTAL: self.tiers or ()} if self.rates is None else self.rates

    @cached_property
    def pools(self) -> Mapping[Pool, Ladder]:
        """The ladders, each with the periods whose energy is counted together."""
        groups: dict[object, list[str]] = {}
        ladders = {
            period: Ladder.of(tiers, self.unit, self.last, self._quantity)
            for period, tiers in self.ladders.items()
        }
        for period, ladder in ladders.items():
            key = period if self.scope == "per_period" else ladder
            groups.setdefault(key, []).append(period)
        return {tuple(pool): ladders[pool[0]] for pool in groups.values()}

    @property
    def _quantity(self) -> str:
        """The unit of what is charged."""
        return unit_charged(self.channel, self.conversion)

    @property
    def remembers(self) -> bool:
        """Whether what was used in a window before counts."""
        is_long = self.reset in ("month", "quarter", "year")
        return is_long and not is_prorated(self.proration, self.reset)

    def measures(self) -> dict[str, Measure]:
        """Measure the energy of each window, and what its bounds are multiplied by."""
        pools, begins = self.pools, YearBegin.of(self.year_begins)
        units = {unit for ladder in pools.values() for unit in ladder.units}
        energy = TieredEnergy(self.schedule, self.channel, self.reset, begins)
        measures: dict[str, Measure] = {"energy": energy}
        daily = not units.isdisjoint(DAILY)
        if self.reset != "day" and units:
            measures["days"] = WindowDays(self.reset, daily, self.remembers, begins)
        if self.schedule is not None and len(pools) > 1 and (daily or self.scope != "per_period"):
            named = tuple(pools)
            measures["active_days"] = PoolDays(
                self.schedule, self.channel, self.reset, named, begins
            )
        if self.demand is not None:
            by_month = self.reset == "month"
            measures |= self.demand.measures(self.channel, "month" if by_month else "bill")
        if self.scope == "pooled_chronological":
            walk = tuple(pools.items())
            measures["walk"] = Walk(self.schedule, self.channel, self.reset, walk, begins)
        if (gas := self.conversion) is not None:
            walked = {name: gas.measure(measures[name]) for name in ("walk",) if name in measures}
            measures |= {"energy": gas.measure(energy, tells=True), **walked}
        return measures

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge each tier of each period in which there is energy."""
        reckoning = Reckoning.of(self, measured, bill.state)
        shared = reckoning.steps()
        for period, tiers in self.ladders.items():
            for number, tier in enumerate(tiers):
                steps = shared.get((period, number))
                if steps:
                    yield from self._charged(period, number, tier, tuple(steps), bill.language)
        if reckoning.state:
            yield State(reckoning.state)

    def determinants(self, measured: Measured, language: str) -> list[Determinant] | None:
        """Return what is used at each tier of each period, where one ladder is for one period.

        Of several periods in one window, each pays a share that depends on what the others use.
        """
        if not self._is_plain:
            return None
        terms = Reckoning.of(self, measured, {}).terms()
        return (
            None
            if terms is None
            else [
                Determinant(line, terms[period, number], stepped=True, always=not number)
                for period, tiers in self.ladders.items()
                for number, tier in enumerate(tiers)
                if (period, number) in terms
                for line in self._charged(period, number, tier, (), language)
            ]
        )

    @property
    def _is_plain(self) -> bool:
        """Whether nothing but the energy of a window decides on its tiers."""
        return (
            self.scope in ("pooled_prorated", "per_period")
            and self.last == "open"
            and self.demand is None
            and self.conversion is None
            and not self.remembers
        )

    def _charged(
        self, period: str, number: int, tier: Tier, steps: tuple[Step, ...], language: str
    ) -> Iterator[Line]:
        quantity = exact_sum(step.value for step in steps)
        code, own = self.code or self.kind, None if self.schedule is None else period
        of_tier = f"tier{number + 1}" if len(self.ladders[period]) > 1 else None
        rates = tier.rate.components if isinstance(tier.rate, Components) else {None: tier.rate}
        for component, rate in rates.items():
            line = self.line(
                quantity,
                rate,
                self._quantity,
                period=own,
                component=component,
                steps=steps,
                tags=tier.tags,
            )
            named = ".".join(part for part in (code, own, of_tier, component) if part)
            text = self._text(period, number, component, language)
            yield attrs.evolve(line, code=named, description=text)

    def _text(self, period: str, number: int, component: str | None, language: str) -> str:
        """Return what a line of a tier is called: `Consumo, faixa 2 (acima de 100 kWh)`."""
        tiers, own = self.ladders[period], None if self.schedule is None else period
        title = self.text(own, component, language)
        if len(tiers) == 1:
            return title
        below, tier = (tiers[number - 1] if number else None), tiers[number]
        bounds = [
            (in_language(texts, language), decimal_text(one.up_to), one.unit or self.unit)
            for texts, one in ((_OVER, below), (_UP_TO, tier))
            if one is not None and one.up_to is not None
        ]
        # A unit of both is said once: over 100 up to 200 kWh.
        same = len({unit for *_, unit in bounds}) == 1
        told = [f"{word} {bound}" + ("" if same else f" {unit}") for word, bound, unit in bounds]
        within = " ".join(told) + (f" {bounds[0][2]}" if same else "")
        named = f"{in_language(_TIER, language)} {number + 1} ({within})"
        return f"{title}, {named}"


def is_prorated(proration: Proration | None, reset: Reset) -> bool:
    """Tell whether parts of a window have parts of the allowance."""
    default = "none" if reset in ("quarter", "year") else "days"
    return (proration or default) == "days"


@attrs.frozen
class Reckoning:
    """The usage of a bill, before it is shared out.

    Attributes:
        charge: The charge.
        measured: What its measures gave.
        scales: What bounds are multiplied by.
        windows: The windows with energy, in order.
        before: What each pool had used before in the first of them.
        peaks: What the demand remembers.

    """

    charge: "Tiered"
    measured: Measured
    scales: Scales
    windows: tuple[str, ...]
    before: Mapping[str, Fraction]
    peaks: Mapping[str, Any]

    @classmethod
    def of(cls, charge: "Tiered", measured: Measured, state: Mapping[str, Any]) -> "Reckoning":
        """Take what was measured and remembered."""
        windows = sorted({text.partition("@")[2] for text in measured["energy"]})
        before = used_in(windows[0], state) if charge.remembers and windows else {}
        demands, peaks = _demands(charge, measured, state)
        whole = not is_prorated(charge.proration, charge.reset)
        each = whole or charge.scope == "per_period"
        days, active = measured.get("days", {}), measured.get("active_days", {})
        daily = any(ladder.daily for ladder in charge.pools.values())
        scales = Scales(days, active, each, whole, demands, daily)
        return cls(charge, measured, scales, tuple(windows), before, peaks)

    @property
    def state(self) -> Mapping[str, Any]:
        """What to remember; empty for nothing."""
        if not self.charge.remembers or not self.windows:
            return self.peaks
        last = self.windows[-1]
        used = {pool[0]: self._used(pool, ladder, last) for pool, ladder in self._pools}
        quantities = {
            pool: Fraction(usage.before + usage.now) / MICRO for pool, usage in used.items()
        }
        return {**self.peaks, **remembering(last, quantities)}

    def steps(self) -> dict[tuple[str, int], list[Step]]:
        """Return how much each period uses at each tier: a step for each window."""
        steps: dict[tuple[str, int], list[Step]] = {}
        for window in self.windows:
            for pool, ladder in self._pools:
                used = self._used(pool, ladder, window)
                used.refuse_above()
                texts = [*ladder.texts(used.scale), ""]
                for period, tier, quantity, expression in self._shares(used, window):
                    value = Fraction(quantity) / MICRO
                    step = Step(_described(window, tier, texts), expression, value)
                    steps.setdefault((period, tier), []).append(step)
        return steps

    def terms(self) -> dict[tuple[str, int], tuple[Term, ...]] | None:
        """Return what lies in each tier of each period, by the labels of the energy.

        None where several periods of a window share a ladder.
        """
        terms: dict[tuple[str, int], tuple[Term, ...]] = {}
        for window in self.windows:
            for pool, ladder in self._pools:
                used = self._used(pool, ladder, window)
                if len(used.energy) > 1:
                    return None
                for period in used.energy:
                    edges = [0, *used.ends, None]
                    for number, (low, high) in enumerate(pairwise(edges)):
                        term = Term("energy", label(period, window), low or 0, high)
                        terms[period, number] = (*terms.get((period, number), ()), term)
        return terms

    @property
    def _pools(self) -> list[tuple[Pool, Ladder]]:
        return list(self.charge.pools.items())

    def _used(self, pool: Pool, ladder: Ladder, window: str) -> Used:
        energy = self.measured["energy"]
        of_pool = {
            period: energy[label(period, window)]
            for period in pool
            if label(period, window) in energy
        }
        # Later windows begin within the bill: nothing was used in them before.
        first = window == self.windows[0]
        before = self.before.get(pool[0], 0) * MICRO if first else 0
        return Used(of_pool, before, ladder, self.scales.scale(pool, window))

    def _shares(self, used: Used, window: str) -> Iterator[Share]:
        match self.charge.scope:
            case "whole_band":
                return shares_of_band(used)
            case "pooled_chronological":
                labels = {period: label(period, window) for period in used.energy}
                return shares_of_walk(used, self.measured["walk"], labels)
            case _:
                return shares_by_proration(used)


def used_in(window: str, state: Mapping[str, Any]) -> dict[str, Fraction]:
    """Return what each pool (by its first period) has used in *window*; raises `Invalid`."""
    if state.get("window") != window:
        return {}
    used = state.get("used", {})
    if not isinstance(used, Mapping):
        raise _refused("used must be an object: the quantity of each pool")
    return {str(pool): _number(value) for pool, value in used.items()}


def _refused(message: str) -> Invalid:
    return Invalid.of("bad_used", message)


def _number(value: object) -> Fraction:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _refused(f"{text[:40]!r} is not a quantity: it must be a decimal number")
    return Fraction(text)


def _demands(
    charge: "Tiered", measured: Measured, state: Mapping[str, Any]
) -> tuple[dict[str, Fraction], Mapping[str, Any]]:
    """Return the demand of each window, and what is to be remembered of it."""
    if charge.demand is None:
        return {}, {}
    by_month = charge.reset == "month"
    demands = charge.demand.billed(measured, state, "month" if by_month else "bill")
    by_window: dict[str, Fraction] = {}
    for demand in demands.found:
        window = demand.month if by_month else ""
        by_window[window] = max(demand.value, by_window.get(window, demand.value))
    return by_window, demands.state


def remembering(window: str, used: Mapping[str, Fraction]) -> dict[str, Any]:
    """Return what to remember: what each pool has used in *window* so far."""
    return {"window": window, "used": {pool: exact_text(value) for pool, value in used.items()}}


def _described(window: str, tier: int, texts: list[str]) -> str:
    above = f"above {texts[tier - 1]}" if tier else ""
    below = f"up to {texts[tier]}" if texts[tier] else ""
    return " ".join(filter(None, (f"{window}:" if window else "", above, below))) or "all"


def _ladders(
    tiers: Sequence[Tier] | None, rates: Rates | None
) -> Iterator[tuple[str, Sequence[Tier]]]:
    if tiers is not None:
        yield "/tiers", tiers
    for period, of_period in (rates or {}).items():
        yield f"/rates/{period}", of_period


def _faults_of_ends(ladder: Sequence[Tier], last: Last, pointer: str) -> Iterator[Fault]:
    for index, tier in enumerate(ladder):
        is_last = index == len(ladder) - 1
        if tier.up_to is None and not (is_last and last == "open"):
            message = "only an open last tier may have no up_to"
            yield Fault("missing_bound", message, f"{pointer}/{index}/up_to")
        if tier.up_to is not None and is_last and last == "open":
            message = (
                "the last tier is open: leave up_to out, or say last: closed to refuse usage above"
            )
            yield Fault("last_tier_has_bound", message, f"{pointer}/{index}/up_to")


def _units(tiers: Sequence[Tier] | None, rates: Rates | None, unit: Unit) -> set[str]:
    ladder_tiers = chain.from_iterable(ladder for _, ladder in _ladders(tiers, rates))
    return {plain(tier.unit or unit) for tier in ladder_tiers if tier.up_to is not None}


def _bounds(rates: Rates | None, unit: Unit) -> list[Ladder]:
    return [Ladder.of(tiers, unit, "open") for tiers in (rates or {}).values()]


def _mixed(schedule: Schedule, ladders: "np.typing.NDArray[np.int64]") -> bool:
    low, high = (int(year.astype(np.int64)) * DAY for year in _YEARS)
    table = DayTable.of(schedule, DayTypes(), low, high - 1)
    rows = ladders[table.keys[np.unique(table.rows[1:])]]
    return bool((rows != rows[:, :1]).any())


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Tiered]
