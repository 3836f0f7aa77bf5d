"""What is sold: lines of what exports earn."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.charges import Line
from energia.units import MICRO
from energia_plugins.tariff_export.crediting import like
from energia_plugins.tariff_export.ledger import Entry
from energia_plugins.tariff_export.site import ENERGY, Site, by_period, kwh, period_of


def sold(site: Site, rest: Sequence[Entry]) -> Iterator[Line]:
    """Yield what a bill earns, below zero: the *rest* of net metering, or what is exported."""
    charge = site.charge
    if charge.scheme == "net_metering" and charge.keeps != "money":
        return
    if charge.like_import:
        yield from _like_import(site, rest)
        return
    energy = _energy(site, rest)
    if charge.tiers is not None:
        yield from _tiers(site, sum(energy.values(), Fraction(0)))
        return
    for period, quantity in energy.items():
        if quantity:
            rate = _rate(site, period)
            yield charge.line(-quantity, rate, "kWh", period=period)


def _energy(site: Site, rest: Sequence[Entry]) -> Mapping[str | None, Fraction]:
    """Return what is sold in each period, in kWh."""
    if site.charge.scheme == "net_metering":
        return {entry.period: entry.amount for entry in rest}
    code = site.finest()
    if site.charge.rates is None or site.charge.schedule or code is None:
        found = site.measured["exported"]
    else:
        found = by_period(site.exported(code))
    return {period_of(label): kwh(micro) for label, micro in found.items()}


def _rate(site: Site, period: str | None) -> Decimal:
    rates, rate = site.charge.rates, site.charge.rate
    if rates is None:
        return rate or Decimal(0)
    if period not in rates:
        message = f"what is exported in {period or 'all periods together'} has no rate"
        raise Invalid(message, [Fault("missing_rate", message)])
    return rates[period]


def _tiers(site: Site, quantity: Fraction) -> Iterator[Line]:
    below = Fraction(0)
    for number, tier in enumerate(site.charge.tiers or (), 1):
        top = quantity if tier.up_to is None else min(quantity, Fraction(tier.up_to))
        if top > below:
            component = f"tier{number}"
            yield site.charge.line(below - top, tier.rate, "kWh", component=component)
            below = top


def _like_import(site: Site, rest: Sequence[Entry]) -> Iterator[Line]:
    """Yield what the energy charges would charge for what is sold, below zero."""
    for code in site.codes:
        for old in site.bill.again(code, {ENERGY: _exported(site, code, rest)}):
            if old.amount and site.charge.of.matches(old):
                yield like(site, "sold", old, _reversed(site, old))


def _exported(site: Site, code: str, rest: Sequence[Entry]) -> Mapping[str, int]:
    if site.charge.scheme != "net_metering":
        return site.exported(code)
    labels = dict.fromkeys(site.imported(code), 0)
    for entry in rest:
        at = next((one for one in labels if period_of(one) in (None, entry.period)), None)
        if at is None:
            message = f"{code} does not have the period {entry.period}"
            raise Invalid(message, [Fault("different_periods", message)])
        labels[at] += int(entry.amount * MICRO)
    return labels


def _reversed(site: Site, old: Line) -> Line:
    steps = tuple(attrs.evolve(step, value=-step.value) for step in old.steps)
    quantity = None if old.quantity is None else -Fraction(old.quantity)
    if quantity is not None and old.rate is not None:
        return site.charge.line(quantity, old.rate, old.unit, steps=steps)
    amount = -Fraction(old.amount or 0)
    return site.charge.line(quantity, None, old.unit, amount=amount, steps=steps)
