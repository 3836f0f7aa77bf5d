"""Billing determinants: the quantities that rates are multiplied by, as numbers of many meters.

`Charge.lines` and `Measure.evaluate` say all there is to say of one meter, step by step. Most of it
is alike for all meters that share a tariff and a window: which lines there are, what they are
called, what they cost a unit, which slots count in them. What differs are a few numbers. A charge
that states its determinants, of measures that state their reductions, is priced for many meters, or
for one again and again, by these numbers alone; whoever asks how a line came about is told by
`lines` all the same.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol, Self, runtime_checkable

import attrs
import numpy as np

from energia.pricing.charges import Measured
from energia.pricing.exact import Exact
from energia.pricing.lines import Line
from energia.pricing.slots import Slots
from energia.time import Int64
from energia.units import MICRO

__all__ = ["Determinant", "HasDeterminants", "HasReduction", "Reduction", "Term"]

#: In an array of groups: the slot is in none of them.
NO_GROUP: Final = -1


@attrs.frozen(eq=False)
class Reduction:
    """How a measure makes numbers of readings: the sum, or the highest, of each group of slots.

    Attributes:
        role: Whose readings.
        labels: The labels of the groups, in their order. Where they tell more of a meter than the
            number does, such as the time of a peak, they are those of any meter.
        bounds: int64[runs], where each run of slots of one group begins, the first at 0.
        order: int64[], the runs by group; those that are in no group are left out.
        starts: int64[groups], where each group begins in `order`.
        of: Whether slots are added up, or the highest one counts.
        times: What the numbers are multiplied by.
        intervals: int64[], the first slots of intervals that are added up before the highest is
            taken; `bounds` then counts intervals. None where each slot is one.

    """

    role: str
    labels: tuple[str, ...]
    bounds: Int64
    order: Int64
    starts: Int64
    of: Literal["sum", "highest"] = "sum"
    times: int = 1
    intervals: Int64 | None = None

    @classmethod
    def of_groups(cls, role: str, labels: Sequence[str], groups: Int64) -> Self:
        """Return the sums of slots of which *groups* tells the label of each, as an index.

        Args:
            role: Whose readings.
            labels: Of the groups; each has a slot.
            groups: int64[slots], or of intervals; -1 where a slot is in no group.

        """
        bounds = np.append(0, np.flatnonzero(groups[1:] != groups[:-1]) + 1).astype(np.int64)
        keys = groups[bounds]
        order = np.argsort(keys, kind="stable")
        order = order[keys[order] != NO_GROUP]
        starts = np.searchsorted(keys[order], np.arange(len(labels)))
        return cls(role, tuple(labels), bounds, order, starts)


@runtime_checkable
class HasReduction(Protocol):
    """A measure that is a number of each of some groups of slots, whatever the readings are."""

    def reduction(self, slots: Slots) -> Reduction | None:
        """Return what `evaluate` does with readings such as those of *slots*, none below zero.

        None where it cannot be told so. The readings themselves may not matter.
        """
        ...


@attrs.frozen
class Term:
    """A number that was measured, as it counts in a determinant.

    Attributes:
        measure: The name of the measure.
        label: Its label.
        low: Only what is above counts: as much as it is above.
        high: Only what is not above counts.
        times: How often it counts.

    """

    measure: str
    label: str
    low: Exact = 0
    high: Exact | None = None
    times: Exact = 1


@attrs.frozen
class Determinant:
    """The quantity of a line, and the line.

    Attributes:
        line: The line, with its rate. Its quantity and steps are those of all meters where there
            are no terms; else they do not matter.
        terms: What the quantity is the sum of, in parts of a unit; none of them is below zero.
        parts: Of how many parts a unit consists: micro-units.
        stepped: Whether the line has a step for each of its terms.
        always: Whether a meter has the line, and a step for each term, even where these are zero.

    """

    line: Line
    terms: tuple[Term, ...] = ()
    parts: Exact = MICRO
    stepped: bool = False
    always: bool = True


@runtime_checkable
class HasDeterminants(Protocol):
    """A charge whose lines are quantities at rates, and depend on nothing but its own measures."""

    def determinants(self, measured: Measured, language: str) -> Iterable[Determinant] | None:
        """Return what `lines` would charge, in its order; None where it is more than this.

        A charge that looks at the lines before it, or at what it remembers, has none.

        Args:
            measured: What its measures give of time alone; of a measure of readings the labels,
                with any numbers.
            language: That of the tariff.

        """
        ...


def says_both(class_: type, method: str, told: str) -> bool:
    """Tell whether what a class tells by *told* is of what its own *method* does.

    A class that derives from another, and states the method anew, has what the other one told all
    the same: it is not true of it.
    """
    return _depth(class_, told) <= _depth(class_, method)


def _depth(class_: type, name: str) -> int:
    return next(at for at, each in enumerate(class_.__mro__) if name in vars(each))
