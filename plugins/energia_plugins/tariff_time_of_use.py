"""The charge `energy.time_of_use`: a rate for each period of a schedule."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    Conversion,
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
    Texts,
    UnitPrices,
    converts_gas,
    faults_of_periods,
    hookimpl,
    unit_charged,
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
        conversion: How a volume of gas becomes the energy that is charged.

    """

    __rules__: ClassVar[Rules] = (_periods_match, converts_gas)

    kind: ClassVar[str] = "energy.time_of_use"
    titles: ClassVar[Texts] = {"en": "Energy", "pt-BR": "Energia"}
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
    conversion: Conversion | None = None

    def unit_prices(self) -> UnitPrices | None:
        """Return the rate of each period; the price of a volume depends on what it becomes."""
        if self.conversion is not None:
            return None
        return UnitPrices(self.rates, self.schedule)

    def measures(self) -> dict[str, Measure]:
        """Measure the energy of the channel in each period."""
        energy = EnergyByPeriod(self.schedule, self.channel)
        if self.conversion is None:
            return {"energy": energy}
        volumes = self.conversion.volumes(self.channel, self.schedule)
        return {"energy": self.conversion.measure(energy), "volumes": volumes}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the periods that the window has, in the order of the rates."""
        energy, gas = measured["energy"], self.conversion
        unit = unit_charged(self.channel, gas)
        for period, rate in self.rates.items():
            if period in energy:
                steps = tuple(gas.steps(measured["volumes"], period)) if gas else ()
                yield from self.rated(energy[period], rate, period=period, unit=unit, steps=steps)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TimeOfUse]
