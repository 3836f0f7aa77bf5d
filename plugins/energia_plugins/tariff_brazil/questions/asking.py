"""What questions have in common: who prices, from which day on, and where faults are."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeAlias

import attrs

from energia import Invalid
from energia.costing.trials import Subject, Trial

__all__ = ["Price", "first_day", "in_customer"]

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
