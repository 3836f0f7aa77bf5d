"""The charge `energy.time_of_use`: a rate for each period of a schedule."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Charge,
    Conversion,
    Determinant,
    EnergyByPeriod,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Period,
    Rate,
    Role,
    Rules,
    Schedule,
    Slots,
    Term,
    Texts,
    UnitPrices,
    converts_gas,
    faults_of_periods,
    hookimpl,
    unit_charged,
    unit_of,
)
from energia.pricing.exact import merged, total

#: The role of each period.
Registers: TypeAlias = dict[Period, Role]


def _schedule_or_registers(
    schedule: Schedule | None, registers: Registers | None, conversion: Conversion | None
) -> Iterator[Fault]:
    if (schedule is None) == (registers is None):
        yield Fault("schedule_or_registers", "give either schedule or registers", "/schedule")
    if registers is not None and conversion is not None:
        message = "what registers measure by period is not converted: charge each by energy.flat"
        yield Fault("unused_field", message, "/conversion")


def _periods_match(
    schedule: Schedule | None, registers: Registers | None, rates: Mapping[str, Rate]
) -> Iterator[Fault]:
    """Refuse periods without a rate and rates without a period."""
    if schedule is not None:
        yield from faults_of_periods(schedule, rates)
    elif registers is not None:
        for period in registers.keys() - rates.keys():
            yield Fault("missing_rate", f"the period {period} has no rate", "/rates")
        for period in rates.keys() - registers.keys():
            yield Fault(
                "unknown_period", f"no register has the period {period}", f"/rates/{period}"
            )


def _registers_are_of_the_channel(registers: Registers | None, channel: str) -> Iterator[Fault]:
    for period, role in (registers or {}).items():
        if unit_of(role) != unit_of(channel):
            message = f"{role} is not measured in {unit_of(channel)}, as {channel} is"
            yield Fault("wrong_unit", message, f"/registers/{period}")


@attrs.frozen(kw_only=True)
class TimeOfUse(BaseCharge):
    """Energy at the rate of the period in which it flows.

    Attributes:
        schedule: When each period is; or
        registers: the role of each period, where registers of the meter count each by itself.
        rates: The price of one unit in each period.
        conversion: How a volume of gas becomes the energy that is charged.

    """

    __rules__: ClassVar[Rules] = (
        _schedule_or_registers,
        _periods_match,
        _registers_are_of_the_channel,
        converts_gas,
    )

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
        {
            "kind": "energy.time_of_use",
            "registers": {"day": "import.day", "night": "import.night"},
            "rates": {"day": "0.30", "night": "0.15"},
        },
    )

    schedule: Schedule | None = None
    registers: Annotated[Registers, Meta(min_length=1, max_length=50)] | None = None
    rates: Annotated[dict[Period, Rate], Meta(min_length=1)]
    conversion: Conversion | None = None

    def unit_prices(self) -> UnitPrices | None:
        """Return the rate of each period, where it is known when that is.

        The price of a volume depends on what it becomes.
        """
        if self.conversion is not None or self.schedule is None:
            return None
        return UnitPrices(self.rates, self.schedule)

    def measures(self) -> dict[str, Measure]:
        """Measure the energy of the channel in each period."""
        if self.schedule is None:
            return {"energy": EnergyByRegister(tuple((self.registers or {}).items()))}
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

    def determinants(self, measured: Measured, language: str) -> list[Determinant] | None:
        """Return the energy of each period, where it is charged as it is measured."""
        if self.conversion is not None or self.schedule is None:
            return None
        return [
            Determinant(line, (Term("energy", period),))
            for period, rate in self.rates.items()
            if period in measured["energy"]
            for line in self.rated(0, rate, period=period)
        ]


@attrs.frozen(cache_hash=True)
class EnergyByRegister(BaseMeasure):
    """The sum of each of some roles, in micro-units; the labels are the periods.

    Attributes:
        registers: Periods, each with its role.

    """

    registers: tuple[tuple[str, str], ...]
    #: Which slots a period has, its register knows.
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles, which may have several periods."""
        return tuple(dict.fromkeys(role for _, role in self.registers))

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sum of all slots of each role."""
        parts = {role: slots.portion(role, ()) for role in self.roles}
        return {
            period: total(parts[role].values, parts[role].largest)
            for period, role in self.registers
        }

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the sums of both windows."""
        return merged(earlier, later)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TimeOfUse]
