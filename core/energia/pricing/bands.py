"""Bands of a quantity, each up to a bound: which of them it is in, and how much is in each."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from energia.errors import Fault
from energia.pricing.exact import fraction

__all__ = ["Banded", "Bound", "band_of", "blocks", "faults_of_bands"]

Bound = Annotated[
    Decimal,
    Meta(
        description="The end of the band, which is still in it; without one it has no end.",
        extra_json_schema={"exclusiveMinimum": 0},
    ),
]


class Banded(Protocol):
    """What holds in a band."""

    @property
    def up_to(self) -> Decimal | None:
        """The end of the band, which is still in it."""
        ...


def faults_of_bands(bands: Sequence[Banded], at: str, *, closed: bool = False) -> Iterator[Fault]:
    """Yield what is wrong with bands whose JSON is *at* a pointer.

    Args:
        bands: In their order.
        at: Where they are, such as `/tiers`.
        closed: Whether the last one may have an end, so that more is refused.

    """
    ends: list[Decimal] = []
    for index, band in enumerate(bands):
        pointer, is_last = f"{at}/{index}/up_to", index == len(bands) - 1
        if band.up_to is None:
            if not is_last:
                yield Fault("missing_bound", "only the last band may have no end", pointer)
            continue
        if is_last and not closed:
            yield Fault("closed_band", "the last band must have no end: leave up_to out", pointer)
        if ends and band.up_to <= ends[-1]:
            message = (
                f"the band ends at {band.up_to}, and must end after the one before: {ends[-1]}"
            )
            yield Fault("bounds_not_increasing", message, pointer)
        ends.append(band.up_to)


def band_of(
    bands: Sequence[Banded],
    quantity: Fraction,
    at_bound: Literal["lower", "upper"] = "lower",
) -> int | None:
    """Return which band *quantity* is in; None if it is above all.

    Args:
        bands: In their order.
        quantity: How much.
        at_bound: Whether exactly a bound is in the band that ends there, or in the next one.

    """
    for index, band in enumerate(bands):
        bound = None if band.up_to is None else fraction(band.up_to)
        if bound is None or quantity < bound or (quantity == bound and at_bound == "lower"):
            return index
    return None


def blocks(bands: Sequence[Banded], quantity: Fraction) -> list[Fraction]:
    """Return how much of *quantity* is in each band.

    What is not above zero is all in the first one, and what is above all bands in none.
    """
    amounts, below = list[Fraction](), Fraction(0)
    for index, band in enumerate(bands):
        end = quantity if band.up_to is None else min(quantity, fraction(band.up_to))
        amounts.append(end - below if end > below or not index else Fraction(0))
        below = max(below, end)
    return amounts
