"""Checks of usage and prices at their extremes."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from time import thread_time
from typing import Any, Final

import attrs
import numpy as np

from energia.errors import EnergiaError, Invalid
from energia.metering.series import Micro, Series
from energia.pricing.engine import price
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from energia.testing.case import MONDAY, Case, measured, refusal
from energia.testing.outcome import Failed, Skipped
from energia.testing.pricing import made_up
from energia.testing.usage import Load, household, series, zero
from energia.time import DAY, Int64
from energia.units import BOUND, MICRO

_END: Final = MONDAY + DAY
#: A household's usage times this is close to the largest that can be stored, in slots of an hour.
_MOST: Final = BOUND // 2_000_000
#: So many bounds of a charge are tried.
_BOUNDS: Final = 12


def zero_usage(case: Case) -> None:
    """A day without usage can be priced."""
    try:
        case.priced(case.tariff(), MONDAY, _END, zero)
    except Invalid as error:
        raise Failed(f"a day without usage is refused: {refusal(error)}") from None


def negative_usage(case: Case) -> None:
    """Negative readings are priced, or refused with a reason."""
    _priced_or_refused(case, lambda *slots: -household(*slots), "negative usage")


def huge_usage(case: Case) -> None:
    """A year of the largest readings that can be stored is measured exactly, or refused.

    Where twice the usage measures twice as much, any multiple of the usage measures that multiple;
    if it does not, an integer of 64 bits has overflowed.
    """
    one, two, most = (_measured_year(case, factor) for factor in (1, 2, _MOST))
    for (name, label), value in one.items():
        twice, large = two.get((name, label), 0), most.get((name, label), 0)
        grows = value and _about(twice, 2 * value, 2)
        if grows and not _about(large, _MOST * value, 2 * _MOST):
            raise Failed(
                f"{name}[{label!r}] is {large} for {_MOST} times the usage of which it is {value}: "
                "sum with Python ints what may not fit 64 bits"
            )


def _about(value: int, expected: int, rounding: int) -> bool:
    return abs(value - expected) <= abs(expected) // 10**6 + rounding


def boundaries(case: Case) -> None:
    """Usage at, just below and just above every number of the charge can be priced."""
    numbers = list(dict.fromkeys(_numbers(case.document)))[:_BOUNDS]
    if not numbers:
        raise Skipped("the charge has no number that usage could reach")
    for number in numbers:
        for micro in (-1, 0, 1):
            total = int(number * MICRO) + micro
            try:
                case.priced(case.tariff(), MONDAY, _END, _sum_of(total))
            except Invalid as error:
                message = f"{Decimal(total) / MICRO} kWh in a day is refused: {refusal(error)}"
                raise Failed(message) from None


def negative_prices(case: Case) -> None:
    """Each number of the charge, negative, is priced, or refused when the tariff is saved."""
    tried = 0
    for document in _negated(case.document):
        try:
            tariff = case.tariff(document=document)
        except Invalid:
            continue
        tried += 1
        case.priced(tariff, MONDAY, _END)
    if not tried:
        raise Skipped("no number of the charge may be negative")


def _priced_or_refused(case: Case, load: Load, what: str) -> None:
    try:
        case.priced(case.tariff(), MONDAY, _END, load)
    except EnergiaError as error:
        if not isinstance(error, Invalid):
            raise
        raise Skipped(f"{what} is refused: {refusal(error)}") from None


def _measured_year(case: Case, factor: int) -> dict[tuple[str, str], int]:
    """Return what is measured of a year of a household's usage times *factor*."""
    load: Load = lambda *slots: household(*slots) * factor  # noqa: E731 - it is an argument
    try:
        cost = case.priced(case.tariff(), MONDAY, MONDAY + 365 * DAY, load)
    except Invalid as error:
        raise Skipped(f"a year of large usage is refused: {refusal(error)}") from None
    by_name = measured(cost, case.code)
    return {(name, label): value for name, by in by_name.items() for label, value in by.items()}


def _sum_of(total: int) -> Load:
    """Return usage that adds up to *total* micro-units, spread over the slots."""

    def load(role: str, starts: Int64, interval: int) -> Micro:
        each, rest = divmod(max(min(total, BOUND * len(starts)), -BOUND * len(starts)), len(starts))
        values: Micro = each + (np.arange(len(starts), dtype=np.int64) < rest).astype(np.int64)
        return values

    return load


def _numbers(value: object) -> Iterator[Fraction]:
    """Yield the positive numbers of a document."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
    elif (number := _number(value)) is not None and number > 0:
        yield Fraction(number)


def _negated(value: Any) -> Iterator[Any]:
    """Yield a document once for each number in it, that number negative."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        if isinstance(item, Mapping | list | tuple):
            changed: Iterator[Any] = _negated(item)
        elif number := _number(item):
            changed = iter([str(-number)])
        else:
            continue
        for inner in changed:
            yield _replaced(value, key, inner)


def _replaced(value: Any, key: Any, replacement: object) -> Any:
    if isinstance(value, Mapping):
        return {**value, key: replacement}
    return [*value[:key], replacement, *value[key + 1 :]]


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() < 15 else None


# A check of how long pricing takes, against the simplest charge on the same machine.

#: A year of quarter-hours may take so many times what `energy.flat` takes, ...
BUDGET: Final = 500
#: ... and this for each line and step: those who want tiers of each day want to see them.
PER_STEP: Final = 1.5
#: 2025-12-31T23:00Z and a year later: local midnights of the zone.
_YEAR_START, _YEAR_END = 1_767_222_000, 1_767_222_000 + 365 * DAY
_ZONE: Final = "Europe/Madrid"
_REPEATED: Final = 5


def speed(case: Case) -> None:
    """A year of quarter-hours takes at most 500 times as long as under `energy.flat`, some 65 ms.

    Each line and each step that the bill shows may take one and a half times as long as it, too.
    Both are timed side by side, some times over, and the best of these counts: other work on the
    machine slows down either, and never for all of the time.
    """
    flat = _Timed.of(case.pricing.tariff({"kind": "energy.flat", "rate": "0.1"}, zone=_ZONE), 900)
    tariff = case.tariff(_ZONE)
    priced = _Timed.of(tariff, min(case.interval, 900))
    # The first time calendars are compiled, which are kept; what is far too slow is seen by then.
    rounds = [(priced.seconds(), flat.seconds())]
    if rounds[0][0] < 1:
        rounds = [
            (priced.seconds(), min(flat.seconds() for _ in range(_REPEATED)))
            for _ in range(_REPEATED)
        ]
    spent, base = min(rounds, key=lambda seconds: seconds[0] / seconds[1])
    ratio, budget = spent / base, BUDGET + PER_STEP * _steps(case, tariff)
    if ratio > budget:
        raise Failed(
            f"a year of quarter-hours takes {spent * 1000:.1f} ms, {ratio:.0f} times energy.flat; "
            f"{budget:.0f} times are allowed: measure with numpy"
        )


def _steps(case: Case, tariff: Tariff) -> int:
    """Return how many lines and steps the bill has."""
    cost = case.priced(tariff, _YEAR_START, _YEAR_END)
    return len(cost.lines) + sum(len(detail.steps) for detail in cost.details)


@attrs.frozen(eq=False)
class _Timed:
    """A tariff and a year's usage, to be priced again and again."""

    tariff: Tariff
    usage: Mapping[str, Series]
    terms: Terms

    @classmethod
    def of(cls, tariff: Tariff, interval: int) -> "_Timed":
        usage = {
            role: series(household, role, _YEAR_START, _YEAR_END, interval)
            for role in roles(tariff.versions)
        }
        return cls(tariff, usage, Terms(prices=made_up(tariff, _YEAR_START, _YEAR_END)))

    def seconds(self) -> float:
        """Return the time of this thread that pricing takes; waiting does not count."""
        began = thread_time()
        price(self.tariff, self.usage, _YEAR_START, _YEAR_END, self.terms)
        return max(thread_time() - began, 1e-6)
