"""The charge `energy.time_of_use`: a rate for each period of a schedule."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    EnergyByPeriod,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Period,
    Rate,
    Rules,
    Schedule,
    UnitPrices,
    faults_of_periods,
    hookimpl,
)


def _periods_match(schedule: Schedule, rates: Mapping[str, Rate]) -> list[Fault]:
    """Refuse periods without a rate and rates without a period."""
    return faults_of_periods(schedule, rates)


@attrs.frozen
class TimeOfUse(BaseCharge):
    """Energy at the rate of the period in which it flows.

    Attributes:
        schedule: When each period is.
        rates: The price of one unit in each period of the schedule.

    """

    __rules__: ClassVar[Rules] = (_periods_match,)

    kind: ClassVar[str] = "energy.time_of_use"
    examples: ClassVar[Examples] = (
        {
            "kind": "energy.time_of_use",
            "schedule": {
                "default": "off_peak",
                "rules": [
                    {"period": "peak", "days": ["weekday"], "from": "17:30", "to": "20:30"},
                    {"period": "night", "from": "23:00", "to": "06:00"},
                ],
            },
            "rates": {"peak": "0.42", "off_peak": "0.19", "night": "0.08"},
        },
    )

    schedule: Schedule
    rates: Annotated[dict[Period, Rate], Meta(min_length=1)]

    def unit_prices(self) -> UnitPrices:
        """Return the rate of each period."""
        return UnitPrices(self.rates, self.schedule)

    def measures(self) -> dict[str, Measure]:
        """Measure the energy of the channel in each period."""
        return {"energy": EnergyByPeriod(self.schedule, self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the periods that the window has, in the order of the rates."""
        energy = measured["energy"]
        for period, rate in self.rates.items():
            if period in energy:
                yield from self.rated(energy[period], rate, period=period)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TimeOfUse]
