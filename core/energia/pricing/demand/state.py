"""What a charge remembers of demand: the peak of each month, by period where there is a schedule.

`{"peaks": {"2026-01": "123.4"}}`, or `{"peaks": {"2026-01": {"peak": "123.4"}}}`; numbers are in
the unit of the demand, as text: a decimal, or `n/d`.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from energia.errors import Fault, Invalid
from energia.pricing.demand.history import Peaks, preceding
from energia.pricing.demand.peak import TOTAL
from energia.pricing.exact import exact_text

_NUMBER: Final = re.compile(r"[0-9]{1,60}(\.[0-9]{1,60}|/[1-9][0-9]{0,60})?")
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def remembered(state: Mapping[str, Any]) -> dict[str, dict[str, Fraction]]:
    """Return the peaks that are remembered, by period and month; raises `Invalid`."""
    found: dict[str, dict[str, Fraction]] = {}
    for period, month, value in _peaks(state.get("peaks", {})):
        found.setdefault(period, {})[month] = value
    return found


def kept(peaks: Mapping[str, Peaks], month: str, back: int) -> dict[str, Any]:
    """Return what to remember when *month* is billed: nothing that no later bill looks back at."""
    found: dict[str, Any] = {}
    for name in [*reversed(preceding(month, back)), month]:
        of_month = {period: exact_text(by[name]) for period, by in peaks.items() if name in by}
        if of_month:
            found[name] = of_month[TOTAL] if set(of_month) == {TOTAL} else of_month
    return found


def _peaks(peaks: object) -> Iterator[tuple[str, str, Fraction]]:
    if not isinstance(peaks, Mapping):
        raise _refused("peaks are an object: the demand of each month")
    for month, value in peaks.items():
        if not isinstance(month, str) or not _MONTH.fullmatch(month):
            raise _refused(f"{month!r} is no month such as 2026-03")
        by_period = value if isinstance(value, Mapping) else {TOTAL: value}
        for period, number in by_period.items():
            yield str(period), month, _number(number)


def _number(value: object) -> Fraction:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _refused(f"{text[:40]!r} is no demand: a decimal number, not below zero")
    return Fraction(text)


def _refused(message: str) -> Invalid:
    return Invalid(message, [Fault("bad_peaks", message)])
