"""What is wrong with the readings of one import."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from energia.errors import Fault, Invalid

WARNING: Final = "warning"


@attrs.define
class Problems:
    """Collects problems: all are counted, the first are kept.

    Attributes:
        limit: How many are kept.
        kept: The first problems.
        counts: How many there are of each code, warnings left out.
        rejected: How many readings were refused.

    """

    limit: int = 1000
    kept: list[Fault] = attrs.Factory(list)
    counts: Counter[str] = attrs.Factory(Counter)
    rejected: int = 0

    def add(self, fault: Fault, readings: int = 1) -> None:
        """Note one problem, that refuses so many readings; a warning refuses none."""
        if fault.severity != WARNING:
            self.counts[fault.code] += 1
            self.rejected += readings
        if len(self.kept) < self.limit:
            self.kept.append(fault)

    def add_each(
        self,
        code: str,
        where: Sequence[int],
        fault: Callable[[int], Fault],
        readings: int | None = None,
    ) -> None:
        """Note a problem of *code* for each of *where*; `fault` is made for few only.

        They refuse *readings* in all, by default one each.
        """
        if not where:
            return
        room = max(0, self.limit - len(self.kept))
        self.kept += map(fault, where[:room])
        self.counts[code] += len(where)
        self.rejected += len(where) if readings is None else readings

    def told(self) -> list[Fault]:
        """Return those that are kept; those of a file by line."""
        return sorted(self.kept, key=lambda fault: fault.line or 0)

    def refuse(self) -> Invalid:
        """Return the error that tells of all of them."""
        number = self.counts.total()
        faults = [fault for fault in self.told() if fault.severity != WARNING]
        detail = faults[0].message if number == 1 and faults else f"{number} faults"
        return Invalid(f"{detail}; nothing was stored", faults, self.counts)
