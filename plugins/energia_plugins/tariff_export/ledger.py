"""What is kept from bill to bill: entries of kWh or money, oldest first, that a person can read.

{"month": "2026-03",
 "ledger": [{"month": "2026-02", "period": "peak", "kwh": "12.5", "expires": "2031-02"},
            {"month": "2026-03", "money": "4.20"}],
 "last": {"kwh": {"carried_in": "12.5", "earned": "3", "used": "3", ..., "carried_out": "12.5"}}}
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, Self

import attrs

from energia import Invalid
from energia.pricing.dates import as_month
from energia.pricing.exact import as_exact, exact_sum, exact_text

Unit = Literal["kwh", "money"]


@attrs.frozen
class Entry:
    """Credit of one month.

    Attributes:
        month: The month of the bill that it was earned in, `2026-03`.
        unit: Whether it is energy or money.
        amount: How much is left.
        period: The period that the energy was exported in; None where there are no periods.
        expires: The last month whose bill may use it; None if it never expires.

    """

    month: str
    unit: Unit
    amount: Fraction
    period: str | None = None
    expires: str | None = None

    def json(self) -> dict[str, str]:
        """Return the entry as the state has it."""
        period = {} if self.period is None else {"period": self.period}
        expires = {} if self.expires is None else {"expires": self.expires}
        return {"month": self.month, **period, self.unit: exact_text(self.amount), **expires}


@attrs.define
class Account:
    """The account of the credit of one unit in a bill: in + earned = used + expired + ... + out."""

    carried_in: Fraction = Fraction(0)
    earned: Fraction = Fraction(0)
    used: Fraction = Fraction(0)
    expired: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)
    paid: Fraction = Fraction(0)

    @property
    def carried_out(self) -> Fraction:
        """What is left for the next bill."""
        gone = self.used + self.expired + self.lost + self.paid
        return self.carried_in + self.earned - gone

    def json(self) -> dict[str, str]:
        """Return the account as the state has it."""
        names = [field.name for field in attrs.fields(type(self))]
        return {name: exact_text(getattr(self, name)) for name in [*names, "carried_out"]}


@attrs.frozen
class Kept:
    """What the bill before has left.

    Attributes:
        month: The month of that bill; None if there was none.
        entries: The credit, oldest first.
        net: Exports less imports since the last true-up, never below zero, in kWh.

    """

    month: str | None = None
    entries: Sequence[Entry] = ()
    net: Fraction = Fraction(0)

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> Self:
        """Return what a state says.

        Raises:
            Invalid: With a fault `bad_state`; the state may have been sent by a person.

        """
        try:
            entries = [_entry(entry) for entry in state.get("ledger", [])]
            month = as_month(state["month"]) if "month" in state else None
            net = as_exact(state.get("net", "0"))
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            message = (
                "the state of export is {month, ledger: [{month, period?, kwh | money, expires?}]}"
                f", months such as 2026-03 and numbers as strings: {error}"
            )
            raise Invalid.of("bad_state", message, "/state") from error
        return cls(month, sorted(entries, key=lambda entry: entry.month), net)

    def of(self, unit: Unit) -> list[Entry]:
        """Return the entries of one unit."""
        return [entry for entry in self.entries if entry.unit == unit]


def total(entries: Iterable[Entry]) -> Fraction:
    """Return the sum of the amounts."""
    return exact_sum(entry.amount for entry in entries)


def alive(entries: Iterable[Entry], month: str) -> list[Entry]:
    """Return the entries that the bill of *month* may use."""
    return [entry for entry in entries if entry.expires is None or entry.expires >= month]


def draw(entries: Sequence[Entry], wanted: Fraction) -> tuple[list[Entry], list[Entry]]:
    """Return what is taken of each entry to give *wanted*, oldest first, and what is left."""
    taken, left = list[Entry](), list[Entry]()
    for entry in entries:
        part = min(entry.amount, wanted)
        wanted -= part
        for amount, those in ((part, taken), (entry.amount - part, left)):
            if amount:
                those.append(attrs.evolve(entry, amount=amount))
    return taken, left


def _entry(given: Mapping[str, Any]) -> Entry:
    if unknown := set(given) - {"month", "period", "kwh", "money", "expires"}:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    unit: Unit = "kwh" if "kwh" in given else "money"
    if "kwh" in given and "money" in given:
        raise ValueError("an entry must be kwh or money")
    expires, period = given.get("expires"), given.get("period")
    if period is not None and not isinstance(period, str):
        raise ValueError("a period must be a string")
    return Entry(
        as_month(given["month"]),
        unit,
        as_exact(given[unit]),
        period,
        None if expires is None else as_month(expires),
    )
