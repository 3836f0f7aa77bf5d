"""A charge that is worked out once for windows across versions: a fake of what demand would do."""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

import attrs

from energia import BaseCharge, BillSoFar, EnergyByPeriod, Line, Measure, Measured
from energia.pricing.measures import BillDays, Days
from energia.pricing.schedule import Schedule

ALWAYS = Schedule(default="peak")


@attrs.frozen
class Once(BaseCharge):
    """Charges the energy of the period `peak`; its line says of how many days of the bill."""

    kind: ClassVar[str] = "once"
    rate: Decimal
    schedule: Schedule = ALWAYS
    across_versions: Literal["last", "each"] = "last"

    def measures(self) -> dict[str, Measure]:
        """Ask for the energy by period, and for days."""
        energy = EnergyByPeriod(self.schedule, self.channel)
        return {"energy": energy, "days": Days(), "of": BillDays()}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge it."""
        energy = measured["energy"].get("peak", 0)
        days, of = (measured[name]["days"] for name in ("days", "of"))
        before = len(bill.lines)
        line = self.metered(energy, self.rate, period="peak")
        yield attrs.evolve(line, description=f"{days} of {of} days, after {before} lines")
