"""How many lines a price may come to: counted while they are made, and from a tariff alone.

A charge may make a line for each of those before it, the next one for each of those again: 1.8 KB
double their lines eighteen times. So lines are counted while they are made; and a tariff is refused
of which it is known before, by its charges alone, that no bill can be within the limit.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

import attrs

from energia.errors import Fault, Invalid, TooLarge
from energia.pricing.charges import Charge, code_of
from energia.pricing.lines import Line, Selection
from energia.pricing.tariffs import Tariff

#: No limit of its own: for prices that nobody asks for over the network.
_ANY: Final = 2**63


@runtime_checkable
class HasLinesBeside(Protocol):
    """A charge that may make a line of its own for each of some lines before it."""

    @property
    def beside(self) -> Selection | None:
        """Those lines; None where the number of its lines does not depend on theirs."""
        ...


@attrs.define
class Allowance:
    """What one request may make: it is used up line by line, over all its bill periods.

    Attributes:
        lines: How many lines one bill may have (`limits.lines`).
        work: How many lines and steps of lines there may be in all (`limits.pricing`).
        taken: How many there are.

    """

    lines: int = _ANY
    work: int = _ANY
    taken: int = 0
    _of_bill: int = 0

    def begin(self) -> None:
        """Begin another bill."""
        self._of_bill = 0

    def has_room(self, lines: int, work: int) -> bool:
        """Tell whether one bill may have so many lines, and take so much work, at the most."""
        return lines <= self.lines and self.taken + work <= self.work

    def take(self, code: str, line: Line, more: int = 1) -> None:
        """Count a line of the charge with this code, which adds so many to the bill.

        Raises:
            TooLarge: There are too many of them.

        """
        self._of_bill += more
        self.taken += 1 + len(line.steps)
        if self._of_bill > self.lines:
            message = f"with the charge {code!r} a bill has more than limits.lines ({self.lines})"
            raise TooLarge(f"{message} lines: let it make one line for all of those before it")
        if self.taken > self.work:
            message = f"lines and their steps take more than limits.pricing ({self.work})"
            raise TooLarge(f"{message}: ask for fewer or longer bill periods, or fewer tariffs")


def refuse_many_lines(tariff: Tariff, limit: int, pointer: str = "") -> None:
    """Refuse a tariff whose charges make more lines than a bill may have, whatever is used.

    Args:
        tariff: The tariff.
        limit: How many lines a bill may have (`limits.lines`).
        pointer: Where it is in the request.

    Raises:
        Invalid: With a fault `too_many_lines` for the first such charge of each version.

    """
    faults = [
        Fault(
            "too_many_lines",
            f"with this charge a bill has at least {lines} lines, more than limits.lines ({limit})",
            f"{pointer}/versions/{version}/charges/{charge}",
        )
        for version, charge, lines in _beyond(tariff, limit)
    ]
    if faults:
        raise Invalid.of_all(faults)


def _beyond(tariff: Tariff, limit: int) -> Iterator[tuple[int, int, int]]:
    """Yield where a version first has too many lines: its index, the charge's, and how many."""
    for number, version in enumerate(tariff.versions):
        total = 0
        for index, lines in enumerate(lines_of(version.charges)):
            total += lines
            if total > limit:
                yield number, index, total
                break


def lines_of(charges: Sequence[Charge]) -> list[int]:
    """Return how many lines each charge makes: one, or one for each of those that it is beside.

    Where a charge makes several lines by itself, such as one for each period, it is one here: what
    grows beyond all limits is lines of lines.
    """
    counts = list[int]()
    for charge in charges:
        beside = charge.beside if isinstance(charge, HasLinesBeside) else None
        if beside is None:
            counts.append(1)
        else:
            before = zip(charges, counts, strict=False)
            counts.append(sum(count for each, count in before if _selects(beside, each)))
    return counts


def _selects(selection: Selection, charge: Charge) -> bool:
    """Tell whether a selection is of all lines of a charge, by its code and tags alone."""
    if selection.periods is not None or selection.components is not None:
        return False
    tags = charge.tags or () if hasattr(charge, "tags") else ()
    return selection.matches(Line("", "", charge=code_of(charge), tags=tuple(tags)))
