"""Fixed charges and minimums."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from energia_plugins.tariff_urdb.notes import Record

#: For what an amount is, by how the source writes it; `$/month` is for a bill, which is a month.
_PER: Final = {"$/day": "day", "$/month": "bill", "$/year": "year", "$/bill": "bill"}


def fixed(rate: Record) -> Iterator[dict[str, Any]]:
    """Yield the fixed charge, with that of more meters as a parameter."""
    amount, at = rate.number("fixedchargefirstmeter"), rate.pointer("fixedchargefirstmeter")
    older = rate.number("fixedmonthlycharge")
    additional = rate.number("fixedchargeeaaddl")
    per = _per(rate, "fixedchargeunits", amount is not None)
    if amount is None:
        amount, at = older, rate.pointer("fixedmonthlycharge")
    elif older is not None and older != amount:
        message = "fixedchargefirstmeter is taken, not fixedmonthlycharge"
        rate.notes.warn(rate.pointer("fixedmonthlycharge"), "stated_twice", message)
    if not amount and not additional:
        return
    found: dict[str, Any] = {"kind": "fixed", "code": "fixed", "amount": _text(amount), "per": per}
    if per == "bill":
        message = "it is charged once a bill: price longer windows with group=P1M"
        rate.notes.warn(at, "once_a_bill", message)
    if additional:
        found |= {"additional": _text(additional)}
        found |= {"meters": {"parameter": "meters", "default": 1}}
    yield found


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
