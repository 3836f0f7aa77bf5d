"""Checks of days that are not like others, and of what goes from bill to bill."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Final

import numpy as np

from energia.errors import Invalid
from energia.metering.series import Micro
from energia.pricing.lines import Remembered
from energia.testing.case import Case, Fact, facts, refusal, same
from energia.testing.outcome import Failed, Skipped
from energia.testing.usage import CLOCK_CHANGES, ClockChange, Load, household
from energia.time import Int64, Zone

_ZONE: Final = "Europe/London"
_LEAP: Final = (
    (date(2024, 2, 29), date(2024, 3, 1)),
    (date(2024, 2, 1), date(2024, 3, 1)),
    (date(2024, 2, 28), date(2024, 3, 2)),
    (date(2023, 2, 28), date(2023, 3, 1)),
)
_ENDS: Final = (
    *(
        (date(2023, month, 1), date(2023 + month // 12, month % 12 + 1, 1))
        for month in range(1, 13)
    ),
    (date(2023, 1, 31), date(2023, 3, 1)),
    (date(2023, 12, 31), date(2024, 1, 1)),
    (date(2023, 8, 30), date(2023, 10, 2)),
)


def clock_changes(case: Case) -> None:
    """A day of 23 or 25 hours costs what the same local times cost where clocks stand still.

    Usage is put on one side of the change only; on that side the zone is a fixed offset. All that
    a charge may depend on (days, months, local times, quantities) is the same for both.
    """
    for change in CLOCK_CHANGES:
        for first in (0, -1):
            _same_as_fixed(case, change, (first, first + 3))


def leap_day(case: Case) -> None:
    """The windows around 29 February can be priced."""
    for first, last in _LEAP:
        _priced(case, first, last)


def month_ends(case: Case) -> None:
    """Each month of a year can be priced, and windows that begin or end inside of months."""
    for first, last in _ENDS:
        _priced(case, first, last)


def versions_follow(case: Case) -> None:
    """A month in which one version of a tariff follows another can be priced."""
    zone, follows = Zone.named(_ZONE), date(2024, 3, 13)
    tariff = case.tariff_of_two(_ZONE, follows)
    start, end = zone.midnight(date(2024, 3, 1)), zone.midnight(date(2024, 4, 1))
    try:
        cost = case.priced(tariff, start, end)
    except Invalid as error:
        raise Failed(f"with a second version from {follows} on: {refusal(error)}") from None
    total = sum((Fraction(line.amount) for line in cost.lines), Fraction(0))
    if total != Fraction(cost.total):
        raise Failed(f"the lines of two versions add up to {total}, not to {cost.total}")


def _priced(case: Case, first: date, last: date) -> None:
    zone = Zone.named(_ZONE)
    try:
        case.priced(case.tariff(_ZONE), zone.midnight(first), zone.midnight(last))
    except Invalid as error:
        raise Failed(f"{first} to {last} is refused: {refusal(error)}") from None


def _same_as_fixed(case: Case, change: ClockChange, days: tuple[int, int]) -> None:
    for offset, after in zip(change.offsets, (False, True), strict=True):
        load = _on_one_side(change.at, after)
        zones = (change.zone, offset)
        bills = [_bill(case, change, name, days, load) for name in zones]
        for cost, fixed_cost in _differing(*bills):
            where = f"{change.zone}, {change.day} ({change.hours} hours, {change.note})"
            side = "after" if after else "before"
            raise Failed(
                f"{where}: usage {side} the change costs {cost}; "
                f"at the same local times without a change {fixed_cost}"
            )


def _bill(
    case: Case, change: ClockChange, name: str, days: tuple[int, int], load: Load
) -> tuple[Fact, ...]:
    """Return the bill of some local *days* from the change on, in the zone *name*."""
    zone = Zone.named(name)
    number = change.day.toordinal()
    start, end = (zone.midnight(date.fromordinal(number + day)) for day in days)
    try:
        return facts(case.priced(case.tariff(name), start, end, load))
    except Invalid as error:
        raise Failed(f"{name}, {change.day} is refused: {refusal(error)}") from None


def _on_one_side(instant: int, after: bool) -> Load:
    def load(role: str, starts: Int64, interval: int) -> Micro:
        values = household(role, starts, interval)
        side: Micro = np.where((starts >= instant) == after, values, 0)
        return side

    return load


def _differing(left: tuple[Fact, ...], right: tuple[Fact, ...]) -> Iterator[tuple[str, str]]:
    """Yield what differs in two bills; lines of nothing do not count."""
    first, second = _amounts(left), _amounts(right)
    for code in dict.fromkeys([*first, *second]):
        amount, other_amount = first.get(code, Fraction(0)), second.get(code, Fraction(0))
        if amount != other_amount:
            yield f"{code} = {_short(amount)}", _short(other_amount)


def _amounts(lines: tuple[Fact, ...]) -> dict[str, Fraction]:
    amounts: dict[str, Fraction] = {}
    for code, _, _, exact in lines:
        amounts[code] = amounts.get(code, Fraction(0)) + Fraction(exact)
    return amounts


def _short(value: Fraction) -> str:
    return f"{float(value):.6g}"


# A check of what goes from bill to bill.

_YEAR_ZONE: Final = "America/New_York"
_YEAR: Final = 2024


def year_of_bills(case: Case) -> None:
    """Twelve months follow each other, and what is remembered survives JSON."""
    memory: Mapping[str, Remembered] = {}
    stored: Mapping[str, Remembered] = {}
    remembers = False
    for month in range(1, 13):
        try:
            bills = [_bill_of_month(case, month, state) for state in (memory, stored)]
        except Invalid as error:
            raise Failed(f"month {month} is refused: {refusal(error)}") from None
        same(facts(bills[0]), facts(bills[1]), "remembered as JSON, it charges something else")
        memory, remembers = bills[0].state, remembers or case.code in bills[0].state
        stored = _through_json(bills[1].state)
    if not remembers:
        raise Skipped("it remembers nothing; twelve months can be priced")


def _bill_of_month(case: Case, month: int, state: Mapping[str, Remembered]) -> Any:
    zone = Zone.named(_YEAR_ZONE)
    first, last = date(_YEAR, month, 1), date(_YEAR + month // 12, month % 12 + 1, 1)
    return case.priced(
        case.tariff(_YEAR_ZONE), zone.midnight(first), zone.midnight(last), state=state
    )


def _through_json(state: Mapping[str, Remembered]) -> dict[str, Any]:
    plain = {code: dict(values) for code, values in state.items()}
    try:
        read: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Failed(f"what it remembers is no JSON: {error}") from None
    if read != plain:
        raise Failed(f"what it remembers is read from JSON as something else: {read}")
    return read
