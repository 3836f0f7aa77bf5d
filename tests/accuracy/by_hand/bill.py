"""Bills: versions that follow each other, charges in their order, and rounding."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

import attrs

from tests.accuracy.by_hand import additions, bank, days, energy, fees, peaks, tiers
from tests.accuracy.by_hand.model import Document, Line, Memory, Part, Site, rounded

_KINDS: dict[str, Callable[[Document, Part], Sequence[Line]]] = {
    "energy.flat": energy.flat,
    "energy.time_of_use": energy.time_of_use,
    "energy.tiered": tiers.tiered,
    "energy.dynamic": energy.dynamic,
    "demand": peaks.demand,
    "fixed": fees.fixed,
    "export": bank.net_metering,
    "percent": additions.percent,
    "minimum": fees.minimum,
    "tax": additions.tax,
}
#: Decimals of the currencies that are drawn.
_MINOR = {"JPY": 0, "BHD": 3}


@attrs.frozen
class Bill:
    """A bill.

    Attributes:
        exact: The amount of each line before rounding, by its code and version.
        amounts: The same, rounded; None where only the total is rounded.
        total: What is due.

    """

    exact: Mapping[tuple[str, str], Fraction]
    amounts: Mapping[tuple[str, str], Fraction] | None
    total: Fraction


def bills(tariff: Document, site: Site, bounds: Sequence[int]) -> Iterator[Bill]:
    """Yield the bills between *bounds*; what charges remember goes from one to the next."""
    memory: Memory = {}
    for start, end in pairwise(bounds):
        yield _bill(tariff, site, (start, end), memory)


def _bill(tariff: Document, site: Site, window: tuple[int, int], memory: Memory) -> Bill:
    parts = list(_parts(tariff, site, window, memory))
    for part in parts:
        for charge in part.version["charges"]:
            _apply(charge, part, parts)
    exact = {
        (line.code, part.version["valid_from"]): line.amount
        for part in parts
        for line in part.lines
    }
    rules = parts[-1].version.get("rounding", {})
    decimals = rules.get("amount_decimals", "currency")
    if decimals == "currency":
        decimals = _MINOR.get(tariff["currency"], 2)
    mode = rules.get("mode", "half_up")
    if rules.get("level", "line") == "total":
        total = rounded(sum(exact.values(), Fraction(0)), decimals, mode)
        return Bill(exact, None, total)
    amounts = {name: rounded(amount, decimals, mode) for name, amount in exact.items()}
    return Bill(exact, amounts, sum(amounts.values(), Fraction(0)))


def _parts(tariff: Document, site: Site, window: tuple[int, int], memory: Memory) -> Iterator[Part]:
    """Yield the parts of a bill between the midnights at which versions begin."""
    for version in tariff["versions"]:
        start = days.midnight(site.zone, date.fromisoformat(version["valid_from"]))
        last = version.get("valid_to", "9000-01-01")
        end = days.midnight(site.zone, date.fromisoformat(last))
        own = max(start, window[0]), min(end, window[1])
        if own[0] < own[1]:
            yield Part(site, version, own, window, memory)


def _apply(charge: Document, part: Part, parts: Sequence[Part]) -> None:
    """Add the lines of a charge to those of its part."""
    once = charge["kind"] == "demand" and charge.get("across_versions", "last") == "last"
    if once:
        having = [other for other in parts if _has(other.version, charge["code"])]
        if part is not having[-1]:
            return
        part = attrs.evolve(part, together=having, version=_of_all(parts, part), periods={})
    lines = _KINDS[charge["kind"]](charge, part)
    part.lines.extend(lines)


def _of_all(parts: Sequence[Part], last: Part) -> Document:
    """Return the last version; each holiday is one of the version that is in force on it."""
    holidays = [
        holiday
        for version in (part.version for part in parts)
        for holiday in version.get("holidays", ())
        if version["valid_from"] <= holiday < version.get("valid_to", "9000")
    ]
    return {**last.version, "holidays": holidays}


def _has(version: Document, code: str) -> bool:
    return any(charge["code"] == code for charge in version["charges"])
