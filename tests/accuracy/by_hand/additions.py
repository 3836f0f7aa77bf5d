"""Percentages and taxes on the lines before them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import prod

import attrs

from tests.accuracy.by_hand.model import Document, Line, Part, kwh, selection


def percent(charge: Document, part: Part) -> list[Line]:
    """Add so many per cent of lines, as a line, a line each, or inside their prices."""
    chosen = selection(charge.get("of"))
    own = [line for line in part.lines if chosen(line)]
    factor = _percentage(charge, part, own)
    code, form = charge.get("code", charge["kind"]), charge.get("form", "line")
    total = sum((line.amount for line in own), Fraction(0)) * factor
    if "cap" in charge:
        cap = Fraction(charge["cap"]) * part.share
        if abs(total) > cap:
            factor *= cap / abs(total)
            total = cap if total > 0 else -cap
    if form == "inside":
        part.lines[:] = [
            _times(line, 1 + factor, part) if chosen(line) else line for line in part.lines
        ]
        return []
    tags = charge.get("tags", ())
    if form == "line":
        return [Line(code, code, total, tags=tags)]
    return [Line(f"{code}.{line.code}", code, line.amount * factor, tags=tags) for line in own]


def _percentage(charge: Document, part: Part, own: Sequence[Line]) -> Fraction:
    """Return how much more lines cost, as a part of one."""
    if "percent" in charge:
        return Fraction(charge["percent"]) / 100
    if charge.get("by", "energy") == "energy":
        role = charge.get("channel", "import")
        of = kwh(sum(micro for _, micro in part.site.slots(role, *part.window)))
    else:
        of = sum((line.amount for line in own), Fraction(0))
    below, total = Fraction(0), Fraction(0)
    for tier in charge["tiers"]:
        top = Fraction(tier["up_to"]) * part.share if "up_to" in tier else None
        rate = Fraction(tier["percent"]) / 100
        if charge.get("scope", "blocks") == "whole_band":
            if top is None or of <= top:
                return rate
        else:
            total += max(Fraction(0), (of if top is None else min(of, top)) - below) * rate
            below = top or below
    return total / of if of > 0 else Fraction(charge["tiers"][0]["percent"]) / 100


def _times(line: Line, factor: Fraction, part: Part) -> Line:
    """Return a line at another price; a rate is rounded like one of the tariff."""
    if line.rate is None or line.quantity is None:
        return attrs.evolve(line, amount=line.amount * factor)
    rate = line.rate * factor
    return attrs.evolve(line, rate=rate, amount=line.quantity * part.unit_price(rate))


def tax(charge: Document, part: Part) -> list[Line]:
    """Add taxes to prices, or on top of them."""
    chosen = selection(charge.get("of"))
    form = charge["form"]
    on_top = form in ("add_on", "add_on_compound")
    show = charge.get("show", "lines" if on_top else "price")
    values: dict[str, Fraction] = defaultdict(Fraction)
    lines = []
    for line in part.lines:
        if not chosen(line):
            lines.append(line)
            continue
        factor, parts = _gross(form, _rates(charge, part, line))
        for name, value in parts.items():
            values[name] += line.amount * value
        lines.append(_times(line, factor, part) if show != "lines" and factor != 1 else line)
    part.lines[:] = lines
    if show != "lines":
        return []
    code = charge.get("code", charge["kind"])
    tags = charge.get("tags", ())
    return [Line(f"{code}.{name}", code, value, tags=tags) for name, value in values.items()]


def _rates(charge: Document, part: Part, line: Line) -> dict[str, dict[str, Fraction]]:
    """Return the rates of the taxes that a line has, by group."""
    groups: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for tax in charge["taxes"]:
        if any(tag in tax.get("without_tags", ()) for tag in line.tags):
            continue
        name = tax["name"]
        own = groups[tax.get("group", f"of {name}")]
        own[name] = own.get(name, Fraction(0)) + _rate(tax, charge.get("across", "days"), part)
    return groups


def _rate(tax: Mapping[str, str], across: str, part: Part) -> Fraction:
    """Return the rate of a tax in a part: the mean of its days, or that of one day of the bill."""

    def on(day: date) -> Fraction:
        is_due = tax.get("from", "0000") <= day.isoformat() < tax.get("to", "9999")
        return Fraction(tax["rate"]) if is_due else Fraction(0)

    if across == "days":
        return sum(map(on, part.days), Fraction(0)) / len(part.days)
    return on(part.bill_days[0 if across == "start" else -1])


def _gross(
    form: str, groups: Mapping[str, Mapping[str, Fraction]]
) -> tuple[Fraction, dict[str, Fraction]]:
    """Return the gross price of a net price of one, and the value of each tax in it."""
    sums = [sum(rates.values(), Fraction(0)) for rates in groups.values()]
    together = sum(sums, Fraction(0))
    gross = {
        "inside_product": 1 / prod((1 - rate for rate in sums), start=Fraction(1)),
        "inside_sum": 1 / (1 - together),
        "add_on": 1 + together,
        "add_on_compound": prod((1 + rate for rate in sums), start=Fraction(1)),
    }[form]
    # What the tax of a group is on.
    base = Fraction(1) if form.startswith("add_on") else gross
    values = {}
    for rates, total in zip(groups.values(), sums, strict=True):
        for name, rate in rates.items():
            values[name] = base * rate
        if form == "inside_product":
            base *= 1 - total
        elif form == "add_on_compound":
            base *= 1 + total
    return gross, values
