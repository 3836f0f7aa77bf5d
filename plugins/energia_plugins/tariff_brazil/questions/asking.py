"""What questions have in common: who prices, from which day on, where faults are, and money."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar

import attrs

from energia import Invalid
from energia.costing.trials import Subject, Trial
from energia.pricing.exact import fixed, rounded
from energia.units import MICRO

__all__ = ["Price", "distinct", "first_day", "in_customer", "money", "parts"]

T = TypeVar("T")

#: Prices the usage of a question under documents, by their names.
Price: TypeAlias = Callable[[Subject, Mapping[str, Mapping[str, Any]]], Awaitable[Trial]]


def first_day(subject: Subject, otherwise: date) -> date:
    """Return from which day on tariffs are needed."""
    start: date | datetime = subject.start or otherwise
    if subject.start is None and subject.usage is not None:
        start = min(channel.start for channel in subject.usage.channels.values())
    return start.date() if isinstance(start, datetime) else start


@contextmanager
def in_customer() -> Iterator[None]:
    """Let faults of the customer point into the question."""
    try:
        yield
    except Invalid as error:
        faults = [
            attrs.evolve(fault, pointer=f"/customer{fault.pointer or ''}") for fault in error.faults
        ]
        raise Invalid(error.detail, faults) from error


def money(amount: Fraction) -> str:
    """Return R$, rounded to centavos."""
    return fixed(rounded(amount, 2, "half_up"), 2)


def distinct(items: Iterable[T]) -> tuple[T, ...]:
    """Return each of some items once."""
    return tuple(dict.fromkeys(items))


def parts(kwh: Decimal, count: int) -> Iterator[Decimal]:
    """Yield equal parts of energy, in millionths of a kWh, that add up to it."""
    each, more = divmod(round(kwh * MICRO), count)
    yield from (Decimal(each + (number < more)) / MICRO for number in range(count))
