"""The charges for energy: flat, by time of use or by tiers, and adjustments for fuel."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import attrs

from energia_plugins.tariff_urdb.record import Context, Notes, Record, unit_fields
from energia_plugins.tariff_urdb.schedules import MONTHS, Matrix, matrix, names_of, too_long
from energia_plugins.tariff_urdb.structures import Period, Tier, structure

#: The units of tiers, by how the source writes them (lower case, one space).
UNITS: Final[Mapping[str, str]] = {
    "kwh": "kWh",
    "kwh daily": "kWh/day",
    "kwh/day": "kWh/day",
    "kwh/kw": "kWh/kW",
    "kwh/kw daily": "kWh/kW.day",
    "kwh/kva": "kWh/kVA",
    "kwh/hp": "kWh/hp",
}


@attrs.frozen
class Step:
    """A tier: where it ends, in which unit, and its price."""

    up_to: Decimal | None
    unit: str
    price: Decimal

    @property
    def by_demand(self) -> bool:
        """Whether its bound is times a demand."""
        return "/k" in self.unit or self.unit == "kWh/hp"


Ladder: TypeAlias = tuple[Step, ...]


def ladder(notes: Notes, period: Period) -> Ladder | None:
    """Return the tiers of a period; None where a unit is not known."""
    units = [_unit(notes, tier) for tier in period.tiers]
    if not all(units):
        return None
    default = next(
        (unit for tier, unit in zip(period.tiers, units, strict=True) if tier.unit), "kWh"
    )
    steps = [
        Step(tier.max, (unit if tier.unit else default) or "kWh", tier.price)
        for tier, unit in zip(period.tiers, units, strict=True)
    ]
    return _open_ladder(notes, period, _without_nests(notes, period, steps))


def _unit(notes: Notes, tier: Tier) -> str | None:
    if tier.unit is None:
        return "kWh"
    unit = UNITS.get(" ".join(tier.unit.lower().split()))
    if unit is None:
        known = ", ".join(("kWh", "kWh daily", "kWh/kW", "kWh/kW daily", "kWh/kVA", "kWh/hp"))
        message = f"{tier.unit!r} is unknown as a unit of energy tiers; known are {known}"
        notes.refuse(f"{tier.at}/unit", "unknown_unit", message)
    return unit


def _without_nests(notes: Notes, period: Period, steps: Sequence[Step]) -> list[Step]:
    """Return tiers in which blocks by demand that have tiers inside are bounds of the last of them.

    `200 kWh/kW, 3000 kWh, open kWh, 400 kWh/kW` means 3000 kWh, then 200 kWh/kW, then 400 kWh/kW:
    the price of the block is that of the tiers inside.
    """
    tiers: list[Step] = []
    block: Step | None = None
    for index, step in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        if step.by_demand and following is not None and not following.by_demand:
            block = step
            message = "its price is not charged: the tiers after it are inside of it"
            notes.warn(period.tiers[index].at, "block_of_tiers", message)
        elif block and not step.by_demand and following is not None and following.by_demand:
            tiers.append(attrs.evolve(step, up_to=block.up_to, unit=block.unit))
            block = None
        else:
            tiers.append(step)
    return tiers


def _open_ladder(notes: Notes, period: Period, steps: Sequence[Step]) -> Ladder | None:
    """Return tiers of which the last is open; refuse bounds that do not rise."""
    below: dict[str, Decimal] = {}
    before = len(notes.faults)
    for index, step in enumerate(steps[:-1]):
        low = below.get(step.unit, Decimal(0))
        if step.up_to is None:
            message = "only the last tier may have no max, or one without end"
            notes.refuse(f"{period.at}/{index}/max", "missing_bound", message)
        elif step.up_to <= low:
            message = f"max {step.up_to} must be above the bound before it, {low}"
            notes.refuse(f"{period.at}/{index}/max", "bounds_not_increasing", message)
        else:
            below[step.unit] = step.up_to
    last = steps[-1]
    if last.up_to is not None and last.up_to <= below.get(last.unit, Decimal(0)):
        message = f"max {last.up_to} must be above the bound before it"
        notes.refuse(f"{period.tiers[-1].at}/max", "bounds_not_increasing", message)
    elif last.up_to is not None:
        message = "the last tier is taken as open: usage above its max has its price"
        notes.warn(f"{period.tiers[-1].at}/max", "finite_last_tier", message)
    if len(notes.faults) > before:
        return None
    # The unit of a tier without a bound says nothing.
    inner = steps[-2].unit if len(steps) > 1 else "kWh"
    return (*steps[:-1], Step(None, inner, last.price))


def join_ladders(
    ladders: Mapping[int, Ladder], months: Iterable[set[int]]
) -> dict[int, Ladder] | None:
    """Return *ladders* in which periods that share a month have the same bounds.

    Where they differ, each gets the bounds of all: the price of a tier stays that of the tier it
    is cut from. None where the bounds are of different units, which cannot be compared.
    """
    joined = dict(ladders)
    for group in _together(months):
        bounds = {_bounds(ladders[period]) for period in group}
        if len(bounds) == 1:
            continue
        units = {step.unit for period in group for step in ladders[period][:-1]}
        if len(units) > 1:
            return None
        cuts = sorted({cut for ladder in bounds for cut, _ in ladder if cut is not None})
        for period in group:
            joined[period] = tuple(_cut(ladders[period], cuts, next(iter(units))))
    return joined


def _together(months: Iterable[set[int]]) -> list[set[int]]:
    """Return the periods that share months, directly or by others."""
    groups: list[set[int]] = []
    for periods in months:
        touching = [group for group in groups if group & periods]
        groups = [group for group in groups if not group & periods]
        groups.append(set(periods).union(*touching))
    return groups


def _bounds(ladder: Ladder) -> tuple[tuple[Decimal | None, str], ...]:
    return tuple((step.up_to, step.unit) for step in ladder if step.up_to is not None)


def _cut(ladder: Ladder, cuts: Sequence[Decimal], unit: str) -> Iterator[Step]:
    for cut in cuts:
        price = next(step.price for step in ladder if step.up_to is None or cut <= step.up_to)
        yield Step(cut, unit, price)
    yield Step(None, unit, ladder[-1].price)


def json(ladder: Ladder, unit: str) -> list[dict[str, Any]]:
    """Return tiers as JSON; those in another unit than *unit* state theirs."""
    return [
        ({} if step.up_to is None else {"up_to": format(step.up_to, "f")})
        | {"rate": format(step.price, "f")}
        | ({} if step.up_to is None or step.unit == unit else {"unit": step.unit})
        for step in ladder
    ]


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
    ladders = {index: ladder(rate.notes, periods[index]) for index in when.periods}
    known = {index: steps for index, steps in ladders.items() if steps}
    if len(known) < len(ladders):
        return
    if all(len(steps) == 1 for steps in known.values()):
        yield _without_tiers(rate, known, when, names)
    else:
        yield from _tiered(rate, context, known, when, names)


def _without_tiers(
    rate: Record, ladders: Mapping[int, Ladder], when: Matrix, names: Mapping[int, str]
) -> dict[str, Any]:
    prices = {index: format(steps[0].price, "f") for index, steps in ladders.items()}
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
    ladders: Mapping[int, Ladder],
    when: Matrix,
    names: Mapping[int, str],
) -> Iterator[dict[str, Any]]:
    pointer, scope = rate.pointer(_NAME), context.options.tier_scope or "pooled_prorated"
    together = dict(ladders) if scope == "per_period" else join_ladders(ladders, when.by_month())
    if together is None:
        message = (
            "periods of one month have tiers in different units, which cannot be counted together: "
            "import with tier_scope=per_period"
        )
        rate.notes.refuse(pointer, "mixed_units", message)
        return
    if together != ladders:
        message = "periods of one month have different tiers: each was cut at the bounds of all"
        rate.notes.warn(pointer, "tiers_joined", message)
    unit = next(
        step.unit for ladder in together.values() for step in ladder if step.up_to is not None
    )
    charge: dict[str, Any] = {"kind": "energy.tiered", "code": CODE, "unit": unit, "scope": scope}
    if demand := _demand(rate, context, together):
        charge["demand"] = demand
    if len(together) == 1:
        (ladder,) = together.values()
        charge["tiers"] = json(ladder, unit)
    else:
        charge["schedule"] = scheduled(rate, when, names, "energyweekdayschedule")
        charge["rates"] = {names[i]: json(ladder, unit) for i, ladder in together.items()}
        message = (
            f"the source does not tell whose energy tiers count together: {scope} is taken; "
            "tier_scope chooses another"
        )
        rate.notes.warn(pointer, "tier_scope", message)
    yield charge


def _demand(rate: Record, context: Context, ladders: Mapping[int, Ladder]) -> dict[str, Any]:
    """Return how the billing demand of hours of use is determined; nothing where there are none."""
    used = {
        step.unit for ladder in ladders.values() for step in ladder if step.by_demand and step.up_to
    }
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
    value, pointer = rate.get(name), rate.pointer(name)
    if value in (None, []):
        return
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(pointer, "wrong_shape", f"{name} has 12 prices, one for each month")
        return
    prices = [
        rate.notes.number(price, f"{pointer}/{month}") or Decimal(0)
        for month, price in enumerate(value)
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


def scheduled(rate: Record, when: Matrix, names: Mapping[int, str], field: str) -> dict[str, Any]:
    """Return a schedule; one with too many rules is refused."""
    schedule = when.schedule(names)
    if too_long(schedule):
        message = f"the schedule needs {len(schedule['rules'])} rules, more than a tariff may have"
        rate.notes.refuse(rate.pointer(field), "too_many_rules", message)
    return schedule


def tell_unused_periods(rate: Record, periods: Sequence[Period], when: Matrix) -> None:
    """Warn of periods that no hour is in."""
    for index, period in enumerate(periods):
        if index not in when.periods:
            rate.notes.warn(period.at, "unused_period", f"no hour is in period {index}")


# Fixed charges and minimums.

#: For what an amount is, by how the source writes it; `$/month` is for a bill, which is a month.
_PER: Final = {"$/day": "day", "$/month": "bill", "$/year": "year", "$/bill": "bill"}


def fixed(rate: Record) -> Iterator[dict[str, Any]]:
    """Yield the fixed charge, with that of more meters as a parameter."""
    amount, pointer = rate.number("fixedchargefirstmeter"), rate.pointer("fixedchargefirstmeter")
    older = rate.number("fixedmonthlycharge")
    additional = rate.number("fixedchargeeaaddl")
    per = _per(rate, "fixedchargeunits", amount is not None)
    if amount is None:
        amount, pointer = older, rate.pointer("fixedmonthlycharge")
    elif older is not None and older != amount:
        message = "fixedchargefirstmeter is taken, not fixedmonthlycharge"
        rate.notes.warn(rate.pointer("fixedmonthlycharge"), "stated_twice", message)
    if not amount and not additional:
        return
    charge: dict[str, Any] = {"kind": "fixed", "code": "fixed", "amount": _text(amount), "per": per}
    if per == "bill":
        message = "it is charged once a bill: price longer windows with group=P1M"
        rate.notes.warn(pointer, "once_a_bill", message)
    if additional:
        charge |= {"additional": _text(additional)}
        charge |= {"meters": {"parameter": "meters", "default": 1}}
    yield charge


def minimum(rate: Record) -> Iterator[dict[str, Any]]:
    """Yield the minimums of a bill, of a day and of a year."""
    amount = rate.number("mincharge")
    per = _per(rate, "minchargeunits", amount is not None)
    amounts = [
        ("mincharge", amount, per),
        ("minmonthlycharge", rate.number("minmonthlycharge"), "bill"),
        ("annualmincharge", rate.number("annualmincharge"), "year"),
    ]
    seen: set[str] = set()
    for name, least, period in amounts:
        if not least:
            continue
        if least < 0:
            rate.notes.refuse(rate.pointer(name), "out_of_range", "a minimum is not below zero")
        elif period in seen:
            message = f"{name} is not read: mincharge tells the same minimum"
            rate.notes.warn(rate.pointer(name), "stated_twice", message)
        else:
            code = "minimum" if not seen else f"minimum_{period}"
            seen.add(period)
            yield {"kind": "minimum", "code": code, "amount": _text(least), "per": period}


def _per(rate: Record, name: str, needed: bool) -> str:
    value = rate.get(name)
    if value in (None, ""):
        return "bill"
    text = value.strip().lower().replace(" ", "") if isinstance(value, str) else ""
    if text not in _PER and needed:
        message = f"{value!r} is no unit; known are $/day, $/month and $/year"
        rate.notes.refuse(rate.pointer(name), "unknown_unit", message)
    return _PER.get(text, "bill")


def _text(amount: Decimal | None) -> str:
    return format(amount or Decimal(0), "f")


# What a rate pays for energy that is exported.

#: The schemes, by how the source writes them.
_SCHEMES: Final[Mapping[str, dict[str, str]]] = {
    "net metering": {"scheme": "net_metering"},
    "net billing instantaneous": {"scheme": "net_billing"},
    "net billing hourly": {"scheme": "net_billing", "netting": "hour"},
    "buy all sell all": {"scheme": "buy_all_sell_all"},
}
_YES: Final = (True, 1, "1", "true", "True", "yes")


def export(rate: Record, context: Context) -> Iterator[dict[str, Any]]:
    """Yield what is paid for exports, where the rate states it."""
    scheme, pointer = _scheme(rate)
    quiet = Record(rate.data, rate.at, Notes(), rate.names, rate.used)  # told of already
    periods = structure(quiet, "energyratestructure") or ()
    when = matrix(quiet, "energy", len(periods)) if periods else None
    used = when.periods if when else ()
    prices = {index: _price(rate, periods[index]) for index in used}
    sold = any(price is not None for price in prices.values())
    if context.options.exports == "leave_out":
        if scheme or sold:
            message = (
                "what exports earn is left out, as a site has readings of export only where it "
                "generates: for such a site import with exports=include"
            )
            rate.notes.warn(pointer, "exports_left_out", message)
        return
    if scheme is None and any(prices.values()):
        scheme = {"scheme": "net_billing"}
        message = "the source has prices for exports and no dgrules: net billing is taken"
        rate.notes.warn(pointer, "scheme_assumed", message)
    if scheme is None or when is None:
        return
    priced = {} if scheme["scheme"] == "net_metering" else _prices(rate, periods, when, prices)
    if priced is None:
        message = "the source has no price for what is exported: nothing is paid for it"
        rate.notes.warn(pointer, "no_sell_price", message)
        return
    _tell(rate, scheme, pointer, sold)
    yield {"kind": "export", "code": "export", **scheme, **priced}


def _scheme(rate: Record) -> tuple[dict[str, str] | None, str]:
    """Return the scheme that is stated, and where."""
    rules, metering, pointer = (
        rate.get("dgrules"),
        rate.get("usenetmetering"),
        rate.pointer("dgrules"),
    )
    if rules not in (None, ""):
        text = " ".join(rules.lower().split()) if isinstance(rules, str) else ""
        if text in _SCHEMES:
            return _SCHEMES[text], pointer
        rate.notes.refuse(pointer, "unknown_rule", f"{rules!r} is no known rule; {_known()}")
        return None, pointer
    if metering in _YES:
        return _SCHEMES["net metering"], rate.pointer("usenetmetering")
    return None, pointer


def _known() -> str:
    return f"known are {', '.join(text.title() for text in _SCHEMES)}"


def _price(rate: Record, period: Period) -> Decimal | None:
    """Return the price of what is exported in a period: that of its first tier."""
    prices = [tier.sell for tier in period.tiers]
    if any(price not in (None, prices[0]) for price in prices[1:]):
        message = "tiers with other prices to sell at are not imported: that of the first is taken"
        rate.notes.warn(period.at, "not_imported", message)
    return prices[0]


def _prices(
    rate: Record, periods: Sequence[Period], when: Matrix, prices: Mapping[int, Decimal | None]
) -> dict[str, Any] | None:
    """Return the price of what is sold; None if there is none."""
    stated = {index: price for index, price in prices.items() if price is not None}
    if not stated:
        return None
    texts = {index: format(prices[index] or Decimal(0), "f") for index in when.periods}
    if len(set(texts.values())) == 1:
        return {"rate": next(iter(texts.values()))}
    names = names_of(rate, "energytoulabels", periods, when.periods)
    schedule = scheduled(rate, when, names, "energyweekdayschedule")
    return {"schedule": schedule, "rates": {names[index]: text for index, text in texts.items()}}


def _tell(rate: Record, scheme: Mapping[str, str], pointer: str, sold: bool) -> None:
    message = (
        "pricing needs readings of export, as asked: for a site that exports nothing, "
        "import with exports=leave_out"
    )
    rate.notes.warn(pointer, "needs_export", message)
    if sold and scheme["scheme"] == "net_metering":
        message = "with net metering the prices to sell at are not used; see `true_up` of export"
        rate.notes.warn(pointer, "sell_not_used", message)
