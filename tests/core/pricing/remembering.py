"""A charge that remembers: a fake of what a plugin for demand or credits would do."""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

import attrs

from energia import BaseCharge, BillSoFar, Charge, Energy, Line, Measure, Measured, State, hookimpl


@attrs.frozen
class Running(BaseCharge):
    """Charges so much for each kWh, and again for each of all bills before."""

    kind: ClassVar[str] = "running"
    rate: Decimal

    def measures(self) -> dict[str, Measure]:
        """Ask for the sum of the channel."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge all energy so far, and remember it."""
        total = int(bill.state.get("micro", "0")) + measured["energy"]["total"]
        yield self.metered(total, self.rate)
        yield State({"micro": str(total)})


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Running]
