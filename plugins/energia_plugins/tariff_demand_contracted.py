"""The charge `demand.contracted`: what was contracted is paid, used or not; more costs more."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    AcrossVersions,
    BaseCharge,
    BillingDemand,
    BillSoFar,
    Charge,
    Components,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Period,
    Rate,
    RateParts,
    Rules,
    Schedule,
    Step,
    faults_of_periods,
    hookimpl,
)
from energia.pricing.demand import (
    DemandUnit,
    Interval,
    Part,
    Per,
    PowerFactor,
    Reset,
    Times,
    unit_fits,
)
from energia.pricing.exact import decimal_text

NotNegative = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]
Rates: TypeAlias = Annotated[dict[Period, Rate], Meta(min_length=1)]


@attrs.frozen(cache_hash=True)
class Overrun:
    """What demand above the contract costs, on top of what all demand costs.

    Attributes:
        tolerance_percent: Up to so many per cent above the contract cost nothing more.
        multiplier: So many times the rate is paid for the excess.
        base: Whether the excess is what is above the contract, or above the tolerance.
        rate: The rate that is multiplied; that of the demand without.
        rates: The same for each period.

    """

    tolerance_percent: NotNegative = Decimal(5)
    multiplier: NotNegative = Decimal(2)
    base: Literal["contract", "tolerance"] = "contract"
    rate: Rate | None = None
    rates: Rates | None = None

    def excess(self, measured: Fraction, contract: Fraction) -> Fraction:
        """Return how much of the measured demand costs more."""
        limit = contract * (1 + Fraction(self.tolerance_percent) / 100)
        if measured <= limit:
            return Fraction(0)
        return measured - (contract if self.base == "contract" else limit)

    def text(self, measured: Fraction, contract: Fraction) -> str:
        """Return how the excess comes about."""
        limit = f"{decimal_text(contract)} x (1 + {self.tolerance_percent} %)"
        base = decimal_text(contract) if self.base == "contract" else limit
        return f"{decimal_text(measured)} - {base}, as it is above {limit}"


Contracts: TypeAlias = NotNegative | dict[Period, NotNegative]
_UNUSED: Final = "unused"
_OVERRUN: Final = "overrun"


def _one_price(
    rate: object, components: object, rates: object, overrun: Overrun | None
) -> Iterator[Fault]:
    if sum(one is not None for one in (rate, components, rates)) != 1:
        yield Fault("one_price", "give one of rate, components and rates", "/rate")
    if overrun is not None and overrun.rate is not None and overrun.rates is not None:
        yield Fault("one_price", "give one of rate and rates", "/overrun/rate")


def _periods_match(
    schedule: Schedule | None, rates: Rates | None, contracted: Contracts, overrun: Overrun | None
) -> Iterator[Fault]:
    tables: dict[str, Mapping[str, object] | None] = {
        "/rates": rates,
        "/contracted": contracted if isinstance(contracted, dict) else None,
        "/overrun/rates": overrun.rates if overrun else None,
    }
    for at, table in tables.items():
        for fault in faults_of_periods(schedule or Schedule(), table) if table else ():
            rest = str(fault.pointer).removeprefix("/rates")
            words = "has no contract" if at == "/contracted" else "has no rate"
            message = fault.message.replace("has no rate", words)
            yield attrs.evolve(fault, pointer=f"{at}{rest}", message=message)


@attrs.frozen
class ContractedDemand(BaseCharge):
    """Demand, of which at least what is contracted is paid.

    The lines of each period: the measured demand; what of the contract is not used (its code ends
    in `.unused`, its tag is `unused`); what is above it (`.overrun`, the tag `overrun`).

    Attributes:
        contracted: The contracted demand, in `unit`; or that of each period of the schedule.
        rate: The price of one unit of demand; or
        components: its parts, each of them a line of its own; or
        rates: one of these for each period of the schedule.
        schedule: When each period is.
        paid_percent: So many per cent of the contract are paid at least.
        overrun: What is paid for demand above the contract; nothing more without.
        interval: Power is averaged over intervals of this length, on the wall clock.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum, or each calendar month its own, which is charged
            for the part of the month that is billed.
        across_versions: Whether the version in force at the end charges all of a bill that
            crosses versions, or each its part, by days.

    """

    __rules__: ClassVar[Rules] = (_one_price, _periods_match, unit_fits)

    kind: ClassVar[str] = "demand.contracted"
    examples: ClassVar[Examples] = (
        {"kind": "demand.contracted", "contracted": "30", "rate": "18.42", "interval": "PT1H"},
        {
            "kind": "demand.contracted",
            "interval": "PT1H",
            "schedule": {
                "default": "fora_ponta",
                "rules": [{"period": "ponta", "days": ["weekday"], "from": "17:30", "to": "20:30"}],
            },
            "contracted": {"ponta": "20", "fora_ponta": "50"},
            "rates": {"ponta": "55.10", "fora_ponta": "18.42"},
            "overrun": {"tolerance_percent": "5", "multiplier": "2"},
        },
    )

    contracted: Contracts
    rate: Decimal | None = None
    components: RateParts | None = None
    rates: Rates | None = None
    schedule: Schedule | None = None
    paid_percent: NotNegative = Decimal(100)
    overrun: Overrun | None = None
    interval: Interval = timedelta(minutes=15)
    unit: DemandUnit = "kW"
    power_factor: PowerFactor | None = None
    per: Per = "month"
    reset: Reset = "bill"
    across_versions: AcrossVersions = "last"

    @cached_property
    def _demand(self) -> BillingDemand:
        return BillingDemand(
            interval=self.interval,
            unit=self.unit,
            power_factor=self.power_factor,
            channel=self.channel,
            schedule=self.schedule,
        )

    @property
    def _times(self) -> Times:
        return Times(self.per, self.reset, self.across_versions)

    def measures(self) -> dict[str, Measure]:
        """Measure the peaks, and the days where these count."""
        return self._demand.measures(self.channel, self.reset) | self._times.measures()

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge each period that has a demand, in the order of the schedule."""
        found = self._demand.billed(measured, {}, self.reset).found
        for period in dict.fromkeys(one.period for one in found):
            parts = [self._times.part(one, measured) for one in found if one.period == period]
            yield from self._charged(period, [part.step for part in parts])
            yield from self._charged(period, list(self._unused(parts)), _UNUSED)
            yield from self._charged(period, list(self._overrun(parts)), _OVERRUN)

    def _unused(self, parts: Sequence[Part]) -> Iterator[Step]:
        """Yield what was not used of the contract."""
        for part in parts:
            contract, used = self._contract(part.demand.period), part.demand.value
            paid = contract * Fraction(self.paid_percent) / 100
            if paid > used:
                share = "" if self.paid_percent == 100 else f" x {self.paid_percent} %"
                text = f"{decimal_text(contract)}{share} - {decimal_text(used)}"
                yield part.of(text, paid - used)

    def _overrun(self, parts: Sequence[Part]) -> Iterator[Step]:
        """Yield what is above the contract."""
        for part in parts if self.overrun else ():
            assert self.overrun is not None
            contract, used = self._contract(part.demand.period), part.demand.value
            if excess := self.overrun.excess(used, contract):
                yield part.of(self.overrun.text(used, contract), excess)

    def _charged(self, period: str, steps: Sequence[Step], what: str = "") -> Iterator[Line]:
        """Yield the lines of a quantity, which is the sum of *steps*; none without them."""
        if not steps:
            return
        quantity = sum((Fraction(step.value) for step in steps), Fraction(0))
        unit = self.unit if self.per == "month" else f"{self.unit}.day"
        for component, rate in self._rates(period, what):
            line = self.line(
                quantity,
                rate,
                unit,
                period=period if self.schedule else None,
                component=component,
                steps=tuple(steps),
                tags=(what,) if what else (),
            )
            yield _named(line, what) if what else line

    def _rates(self, period: str, what: str) -> Iterator[tuple[str | None, Decimal | Fraction]]:
        """Yield the rate of each component."""
        rate: Rate | None = (self.rates or {}).get(period, self.rate)
        times = Decimal(1)
        if what == _OVERRUN and self.overrun is not None:
            times = self.overrun.multiplier
            rate = (self.overrun.rates or {}).get(period, self.overrun.rate) or rate
        if rate is None:
            rate = Components(self.components or {})
        parts = rate.components if isinstance(rate, Components) else {None: rate}
        for component, one in parts.items():
            yield component, one if times == 1 else Fraction(one) * Fraction(times)

    def _contract(self, period: str) -> Fraction:
        one = self.contracted
        return Fraction(one[period] if isinstance(one, dict) else one)


def _named(line: Line, what: str) -> Line:
    """Return a line that is told apart from that of the measured demand."""
    description = f"{line.description} {what}"
    return attrs.evolve(line, code=f"{line.code}.{what}", description=description)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [ContractedDemand]
