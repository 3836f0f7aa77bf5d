"""What a supplier printed beside our lines: how each compares, and what would explain it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from unicodedata import normalize

import attrs

from energia_plugins.console.bills.arithmetic import price, quantity
from energia_plugins.console.bills.lines import Line
from energia_plugins.console.page import marked
from energia_plugins.console.words import Words

#: What the results are called.
RESULTS: Final = {
    "match": marked("the same"),
    "within_tolerance": marked("near enough"),
    "mismatch": marked("differs"),
    "unknown": marked("on one side alone"),
}
#: By how much the price of a quantity may miss a difference that it explains.
_NEAR: Final = Decimal("0.02")


@attrs.frozen
class Verdict:
    """A line of the comparison.

    Attributes:
        name: What the line is called.
        result: How the two compare.
        ours: Our amount; None without such a line.
        theirs: Their amount; None without such a line.
        difference: Theirs less ours.
        why: What would explain it, in sentences.

    """

    name: str
    result: str
    ours: str | None
    theirs: str | None
    difference: str | None
    why: str

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to ask about."""
        return self.result in ("match", "within_tolerance")


def verdicts(
    words: Words, check: Mapping[str, Any], lines: Sequence[Line], currency: str
) -> list[Verdict]:
    """Return how each line compares, those that differ first."""
    of_code = {line.code: line for line in lines}
    within = {line.code for line in lines if line.is_within}
    found = [
        Verdict(
            name=line["description"],
            result=line["result"],
            ours=line["amount"].get("billed"),
            theirs=line["amount"].get("supplier"),
            difference=line["amount"].get("difference"),
            why=_why(words, line, of_code.get(line.get("code") or ""), currency),
        )
        for line in check["lines"]
        if line.get("code") not in within or line["amount"].get("supplier")
    ]
    return sorted(found, key=lambda verdict: verdict.is_fine)


def _why(words: Words, line: Mapping[str, Any], ours: Line | None, currency: str) -> str:
    """Return what would explain how a line compares."""
    amount, counted = line["amount"], line.get("quantity")
    if amount.get("supplier") is None:
        return words.text("We charge it, and it is not on their bill.")
    if amount.get("billed") is None:
        return words.text("It is not of this tariff: a fine, a donation, another service?")
    if _differs(counted):
        return _by_quantity(words, line, ours, currency)
    if amount["result"] != "mismatch":
        return "" if line["result"] == "match" else words.text("As near as rounding.")
    return _by_price(words, line, ours, currency)


def _differs(counted: Mapping[str, Any] | None) -> bool:
    return counted is not None and counted["result"] == "mismatch"


def _by_quantity(words: Words, line: Mapping[str, Any], ours: Line | None, currency: str) -> str:
    """Return what the difference of quantities is worth at our price."""
    more = Decimal(line["quantity"]["difference"])
    unit = None if ours is None else ours.unit
    size = quantity(words, f"{abs(more):f}", unit)
    told = words.text("They have %(size)s more than we.", size=size)
    if more < 0:
        told = words.text("They have %(size)s less than we.", size=size)
    if ours is None or ours.rate is None or "/" in ours.rate:
        return told
    worth = more * Decimal(ours.rate)
    said = {"worth": words.money(abs(worth), currency)}
    rest = Decimal(line["amount"]["difference"]) - worth
    if abs(rest) <= _NEAR:
        priced = words.text("At our price that is %(worth)s, which is all of it.", **said)
    else:
        said["rest"] = words.money(abs(rest), currency)
        priced = words.text(
            "At our price that is %(worth)s; the other %(rest)s are the price.", **said
        )
    return f"{told} {priced}"


def _by_price(words: Words, line: Mapping[str, Any], ours: Line | None, currency: str) -> str:
    """Return which price theirs would be, where they say of how much."""
    counted = line.get("quantity") or {}
    if counted.get("supplier") is None:
        return words.text("With their quantity we could tell whether it is that or the price.")
    size = Decimal(counted["supplier"])
    if not size or ours is None or ours.rate is None:
        return words.text("The quantities are the same: it is the price.")
    places = max(2, len(ours.rate.partition(".")[2]))
    theirs = round(Decimal(line["amount"]["supplier"]) / size, min(places, 6))
    return words.text(
        "The quantities are the same; their price would be %(theirs)s, ours is %(ours)s.",
        theirs=price(words, f"{theirs:f}", currency, ours.unit),
        ours=price(words, ours.rate, currency, ours.unit),
    )


def ours_of(code: str | None, lines: Sequence[Line]) -> str | None:
    """Return the code of ours that a printed line is of, by the code that it was read as.

    It is that code, or one below it, or one of the same charge whose name has its last word.
    """
    if code is None:
        return None
    codes = [line.code for line in lines]
    if code in codes or any(one.startswith(f"{code}.") for one in codes):
        return code
    charge, _, last = code.partition(".")
    word = last.rpartition(".")[2]
    for line in lines:
        if word and line.code.partition(".")[0] == charge and word in _folded(line.name):
            return line.code
    return None


def _folded(text: str) -> str:
    return normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
