"""Fixed amounts and the least that a bill comes to."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from tests.accuracy.by_hand import days
from tests.accuracy.by_hand.model import Document, Line, Part, selection


def fixed(charge: Document, part: Part) -> list[Line]:
    """Charge an amount for each day, month, year, bill or meter."""
    number = _quantity(charge["per"], charge.get("proration", "month_days"), part)
    meters = charge.get("meters", 1)
    amount = Fraction(charge["amount"])
    lines = [part.multiplied(charge, number, amount)]
    if meters > 1:
        other = Fraction(charge.get("additional", charge["amount"]))
        lines.append(part.multiplied(charge, number * (meters - 1), other, suffix="additional"))
    return lines


def minimum(charge: Document, part: Part) -> list[Line]:
    """Charge what the selected lines lack; with `replace` it is one line in their place."""
    least = Fraction(charge["amount"]) * _quantity(
        charge.get("per", "bill"), charge.get("proration", "month_days"), part
    )
    chosen = selection(charge.get("of"))
    own = [line for line in part.lines if chosen(line)]
    lacking = least - sum((line.amount for line in own), Fraction(0))
    if lacking <= 0:
        return []
    code = charge.get("code", charge["kind"])
    if charge.get("form", "top_up") == "top_up":
        return [Line(code, code, lacking, tags=charge.get("tags", ()))]
    part.lines[:] = [line for line in part.lines if not chosen(line)]
    return [Line(code, code, least, tags=charge.get("tags", ()))]


def _quantity(per: str, proration: str, part: Part) -> Fraction:
    """Return how many bills, days, months or years a part is."""
    if per in ("bill", "meter"):
        return part.share
    if per == "day":
        return Fraction(len(part.days))
    return _months(part, part.days, proration) / (12 if per == "year" else 1)


def _months(part: Part, own: Sequence[date], proration: str) -> Fraction:
    if proration == "annual_days":
        return Fraction(len(own) * 12, 365)
    counts = Counter(map(days.month_of, own))
    if proration == "none":
        # A month counts once in a bill: versions share it by their days.
        all_days = Counter(map(days.month_of, part.bill_days))
        return sum(
            (Fraction(number, all_days[month]) for month, number in counts.items()), Fraction(0)
        )
    return sum(
        (Fraction(number, days.month_length(month)) for month, number in counts.items()),
        Fraction(0),
    )
