"""How long it takes to price something: what observers are told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import attrs

from energia import tracing

Operation = Literal["cost", "compare", "bill", "run"]


@attrs.frozen
class PricingFinished:
    """Something was priced.

    Attributes:
        operation: `cost` and `compare` price usage that is at hand; `bill` reads and prices what
            bills of one transaction need; `run` bills a period for many contracts.
        seconds: How long it took.

    """

    operation: Operation
    seconds: float


@contextmanager
def timed(operation: Operation, tell: Callable[[PricingFinished], None]) -> Iterator[None]:
    """Report how long the block takes, unless it fails."""
    started = time.perf_counter()
    with tracing.span(f"pricing.{operation}"):
        yield
        tell(PricingFinished(operation, time.perf_counter() - started))
