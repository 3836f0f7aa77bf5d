"""The charge `demand.contracted`: what was contracted is paid, used or not; more costs more.

As REN ANEEL 1000/2021 bills group A: the greater of the measured and the contracted demand, and,
where more than 105 % of the contract was measured, twice the price for all that is above the
contract (art. 301).
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor, isqrt, lcm
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    AcrossVersions,
    BaseMeasure,
    BillSoFar,
    Charge,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Period,
    Rate,
    Rules,
    Schedule,
    Slots,
    Step,
    Texts,
    faults_of_periods,
    hookimpl,
    in_language,
)
from energia.pricing.demand import (
    TOTAL,
    BaseDemand,
    Demanded,
    Demands,
    DemandUnit,
    Intervals,
    Part,
    PowerFactor,
    Reset,
    components_of,
    reset_fits,
    unit_fits,
)
from energia.pricing.exact import decimal_text, exact_sum
from energia.time import seconds_in
from energia.units import MICRO

NotNegative = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]

Rates: TypeAlias = Annotated[dict[Period, Rate], Meta(min_length=1)]

Contracts: TypeAlias = NotNegative | dict[Period, NotNegative]

_UNUSED: Final = "unused"

_OVERRUN: Final = "overrun"
#: Ends the label of a sum of squares.
_SQUARES: Final = "^2"
_WHAT: Final[Mapping[str, Texts]] = {
    _UNUSED: {"en": "not used", "pt-BR": "não utilizada"},
    _OVERRUN: {"en": "overrun", "pt-BR": "ultrapassagem"},
}


@attrs.frozen(cache_hash=True)
class Overrun:
    """What demand above the contract costs, on top of what all demand costs.

    Attributes:
        tolerance_percent: The percentage above the contract that costs nothing more.
        multiplier: So many times the rate is paid for the excess.
        base: Whether the excess is what is above the contract, or above the tolerance.
        of: Whether it is that of the `highest` demand, as it is if nothing is said; or of all
            `intervals` that exceed: the square root of the sum of the squares of what each does.
        rate: The rate that is multiplied; that of the demand without.
        rates: The same for each period.

    """

    __public_name__: ClassVar[str] = "DemandOverrun"

    tolerance_percent: NotNegative = Decimal(5)
    multiplier: NotNegative = Decimal(2)
    base: Literal["contract", "tolerance"] = "contract"
    of: Literal["highest", "intervals"] | None = None
    rate: Rate | None = None
    rates: Rates | None = None

    @property
    def has_price(self) -> bool:
        """Whether it has a price of its own."""
        return self.rate is not None or self.rates is not None

    def limits(self, contract: Fraction) -> tuple[Fraction, Fraction]:
        """Return above which demand something is in excess, and from which on it is counted."""
        limit = contract * (1 + Fraction(self.tolerance_percent) / 100)
        return limit, contract if self.base == "contract" else limit

    def excess(self, measured: Fraction, contract: Fraction) -> Fraction:
        """Return how much of the measured demand costs more."""
        limit, base = self.limits(contract)
        return Fraction(0) if measured <= limit else measured - base

    def text(self, measured: Fraction, contract: Fraction) -> str:
        """Return how the excess comes about."""
        limit = f"{decimal_text(contract)} x (1 + {self.tolerance_percent} %)"
        base = decimal_text(contract) if self.base == "contract" else limit
        return f"{decimal_text(measured)} - {base}, as it is above {limit}"


@attrs.frozen(cache_hash=True)
class Exceeding(BaseMeasure):
    """What intervals exceed of limits, together: the root of the sum of squares, in micro-units.

    Spain bills so what quarter-hours draw beyond the contract (CNMC, Circular 3/2020, art. 9).

    Labels: each period (or `total`) that has an interval above its limit, with the root, the
    nearest; and `<period>^2`, with the sum of the squares, exactly.

    Attributes:
        channel: Whose readings.
        schedule: An interval is in the period at its start.
        seconds: The length of the intervals.
        limits: Of each period, in micro-units: above what an interval counts, and from what on;
            in the order of the schedule.
        unit: The unit of power that the roots are millionths of.

    """

    channel: str
    schedule: Schedule | None
    seconds: int
    limits: tuple[tuple[str, Fraction, Fraction], ...]
    unit: str

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is measured."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return what is exceeded in each period.

        Raises:
            Invalid: The readings are coarser than the intervals.

        """
        intervals = Intervals.of(slots, self.channel, self.seconds)
        keys = None
        if self.schedule is not None:
            keys = intervals.keys(slots, self.channel, self.schedule)
        sums: dict[str, int] = {}
        for at, (period, limit, base) in enumerate(self.limits):
            power = intervals.power if keys is None else intervals.power[keys == at]
            above: list[int] = power[power > floor(limit)].tolist()
            if above:
                of, parts = int(base * self._parts), self._parts
                sums[period + _SQUARES] = sum((each * parts - of) ** 2 for each in above)
        return self._with_roots(sums)

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return what is exceeded in both windows; the cut is the end of an interval."""
        squares = [period + _SQUARES for period, _, _ in self.limits]
        sums = {name: earlier.get(name, 0) + later.get(name, 0) for name in squares}
        return self._with_roots({name: total for name, total in sums.items() if total})

    @property
    def _parts(self) -> int:
        """Into how many parts micro-units are divided, so that what is exceeded is whole."""
        return lcm(*(base.denominator for _, _, base in self.limits))

    def _with_roots(self, sums: Mapping[str, int]) -> Mapping[str, int]:
        roots = {name.removesuffix(_SQUARES): self._root(total) for name, total in sums.items()}
        return {**roots, **sums}

    def _root(self, squares: int) -> int:
        """Return the root of a sum of squares of parts, in micro-units, the nearest."""
        # `isqrt` gives twice the root, rounded down: one more, halved, is the nearest.
        return (isqrt(4 * squares // self._parts**2) + 1) // 2


def _one_price(
    rate: object, components: object, rates: object, overrun: Overrun | None
) -> Iterator[Fault]:
    given = sum(price is not None for price in (rate, components, rates))
    if given > 1 or (not given and not (overrun and overrun.has_price)):
        yield Fault("one_price", "give one of rate, components and rates", "/rate")
    if overrun is not None and overrun.rate is not None and overrun.rates is not None:
        yield Fault("one_price", "give one of rate and rates", "/overrun/rate")


def _unit_is_measured(
    readings: bool, channel: str, unit: DemandUnit, power_factor: PowerFactor | None
) -> Iterator[Fault]:
    if readings:
        yield from unit_fits(channel, unit, power_factor)


_CONTRACT_ALONE: Final = "without readings the contract alone is paid"


def _needs_demand(
    readings: bool,
    measured: Contracts | None,
    overrun: Overrun | None,
    losses_percent: Decimal,
) -> Iterator[Fault]:
    """Refuse what is about measured demand where only the contract is paid."""
    if readings or measured is not None:
        return
    if overrun is not None:
        message = f"{_CONTRACT_ALONE}, and nothing exceeds it"
        yield Fault("unused_overrun", message, "/overrun")
    if losses_percent:
        yield Fault(
            "unused_losses", f"{_CONTRACT_ALONE}, and nothing is metered", "/losses_percent"
        )


def _needs_readings(
    readings: bool,
    measured: Contracts | None,
    power_factor: PowerFactor | None,
    reset: Reset,
) -> Iterator[Fault]:
    """Refuse what is about readings where there are none, and what they tell where they are."""
    if readings and measured is not None:
        message = "readings tell what was measured: say readings: false"
        yield Fault("unused_measured", message, "/measured")
    if readings:
        return
    if power_factor is not None:
        message = f"{_CONTRACT_ALONE}, in its own unit"
        yield Fault("unused_power_factor", message, "/power_factor")
    if measured is not None and reset != "bill":
        yield Fault("unused_reset", "one demand is measured: the reset is bill", "/reset")
    elif reset in ("season", "day"):
        yield Fault("unused_reset", f"{_CONTRACT_ALONE}: the reset is bill or month", "/reset")


def _periods_are_named(
    readings: bool,
    schedule: Schedule | None,
    rates: Rates | None,
    contracted: Contracts,
    measured: Contracts | None,
) -> Iterator[Fault]:
    """Refuse periods that only some tables have, where no schedule says which there are."""
    if readings or schedule is not None:
        return
    tables = {"rates": rates, "contracted": contracted, "measured": measured}
    named = {name: table.keys() for name, table in tables.items() if isinstance(table, dict)}
    every = {period for periods in named.values() for period in periods}
    for name, periods in named.items():
        for period in sorted(every - periods):
            message = f"the period {period} is missing here"
            yield Fault("missing_period", message, f"/{name}/{period}")


def _overruns_are_named(
    readings: bool, schedule: Schedule | None, rates: Rates | None, overrun: Overrun | None
) -> Iterator[Fault]:
    """Refuse periods that only the rates, or those of the overrun have, without a schedule."""
    own = overrun.rates if overrun else None
    if readings or schedule is not None or own is None:
        return
    for period in sorted(own.keys() ^ (rates or {}).keys()):
        where = "rates" if period in own else "overrun/rates"
        message = f"the period {period} is missing here"
        yield Fault("missing_period", message, f"/{where}/{period}")


def _intervals_are_measured(
    readings: bool,
    overrun: Overrun | None,
    unit: DemandUnit,
    power_factor: PowerFactor | None,
    reset: Reset,
) -> Iterator[Fault]:
    """Refuse what every interval of a bill cannot be compared with its contract by."""
    if overrun is None or overrun.of != "intervals":
        return
    if not readings:
        message = "no interval is known without readings: the overrun is of the highest demand"
        yield Fault("unused_overrun", message, "/overrun/of")
    if reset != "bill":
        message = "intervals of a bill exceed together: the reset is bill"
        yield Fault("unused_reset", message, "/reset")
    if power_factor is not None:
        message = "intervals are compared as they are metered: give kVA a channel of their own"
        yield Fault("unused_power_factor", message, "/power_factor")
    if unit == "hp":
        yield Fault("wrong_unit", "intervals are compared in kW, kVA or kvar", "/unit")


def _periods_match(
    readings: bool,
    schedule: Schedule | None,
    rates: Rates | None,
    contracted: Contracts,
    overrun: Overrun | None,
) -> Iterator[Fault]:
    if not readings and schedule is None:
        return
    tables: dict[str, Mapping[str, object] | None] = {
        "/rates": rates,
        "/contracted": contracted if isinstance(contracted, dict) else None,
        "/overrun/rates": overrun.rates if overrun else None,
    }
    for pointer, table in tables.items():
        for fault in faults_of_periods(schedule or Schedule(), table) if table else ():
            rest = str(fault.pointer).removeprefix("/rates")
            words = "has no contract" if pointer == "/contracted" else "has no rate"
            message = fault.message.replace("has no rate", words)
            yield attrs.evolve(fault, pointer=f"{pointer}{rest}", message=message)


@attrs.frozen
class ContractedDemand(BaseDemand):
    """Demand, of which at least what is contracted is paid; or only the contract, without readings.

    The lines of each period: the measured demand; what of the contract is not used (its code ends
    in `.unused`, its tag is `unused`); what is above it (`.overrun`, the tag `overrun`).

    Attributes:
        contracted: The contracted demand, in `unit`; or that of each period of the schedule.
        readings: Whether measured demand counts; otherwise the contract times the rate is paid,
            whatever is drawn, and no readings are needed: then periods need no schedule.
        measured: Without readings: the highest demand of the bill, or of each period, that a meter
            showed which keeps no readings; it counts as a measured one.
        rate: The price of one unit of demand; or
        components: its parts, each of them a line of its own; or
        rates: one of these for each period of the schedule; or none of them, where an overrun with
            a price of its own is all that is charged.
        schedule: When each period is.
        paid_percent: So many per cent of the contract are paid at least.
        overrun: What is paid for demand above the contract; nothing more without.
        interval: Power is averaged over intervals of this length, on the wall clock.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        losses_percent: So many per cent of what is metered are added: the losses of a transformer
            that the meter is behind.
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum; or each calendar month its own, which is charged
            for the part of the month that is billed; or each season of the schedule in the bill its
            own, which is charged by its days / those of the bill; or each day, whose price it is.
        across_versions: Whether the version in force at the end charges all of a bill that
            crosses versions, or each its part, by days; without readings the latter.

    """

    __rules__: ClassVar[Rules] = (
        _one_price,
        _periods_match,
        _periods_are_named,
        _overruns_are_named,
        _needs_demand,
        _needs_readings,
        _unit_is_measured,
        _intervals_are_measured,
        reset_fits,
    )

    kind: ClassVar[str] = "demand.contracted"
    titles: ClassVar[Texts] = {"en": "Contracted demand", "pt-BR": "Demanda contratada"}
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
        {
            "kind": "demand.contracted",
            "readings": False,
            "contracted": {"punta": "3.3", "valle": "4.6"},
            "rates": {"punta": "0.073783", "valle": "0.001911"},
            "per": "day",
        },
        {
            "kind": "demand.contracted",
            "contracted": "60",
            "overrun": {
                "tolerance_percent": "0",
                "multiplier": "1",
                "of": "intervals",
                "rate": "1.4064",
            },
        },
    )

    contracted: Contracts
    rates: Rates | None = None
    paid_percent: NotNegative = Decimal(100)
    overrun: Overrun | None = None
    readings: bool = True
    measured: Contracts | None = None
    across_versions: AcrossVersions = attrs.field(
        default=attrs.Factory(lambda charge: charge.of_one_demand(), takes_self=True)
    )

    def of_one_demand(self) -> AcrossVersions:
        """Return which versions charge by default: the last, what is measured once a bill."""
        return "last" if self.readings or self.measured is not None else "each"

    def measures(self) -> dict[str, Measure]:
        """Measure the peaks, and the days where these count; only days without readings."""
        if not self.readings:
            return self._times.measures()
        beyond = {} if self._exceeding is None else {"exceeding": self._exceeding}
        return {**super().measures(), **beyond}

    @property
    def _exceeding(self) -> Exceeding | None:
        """What measures how intervals exceed the contract; None where the highest decides."""
        if self.overrun is None or self.overrun.of != "intervals":
            return None
        limits, scale = list[tuple[str, Fraction, Fraction]](), MICRO / self._with_losses
        for period in self._periods:
            limit, base = self.overrun.limits(self._contract(period))
            limits.append((period, limit * scale, base * scale))
        seconds = seconds_in(self.interval)
        return Exceeding(self.channel, self.schedule, seconds, tuple(limits), self.unit)

    @property
    def _with_losses(self) -> Fraction:
        """What metered power is multiplied by."""
        return 1 + Fraction(self.losses_percent) / 100

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge each period that has a demand, in the order of the schedule."""
        if not self.readings and self.measured is None:
            for period in self._periods:
                yield from self._charged(bill, period, list(self._paid(period, measured)))
            return
        demands = self.billed(measured, {}) if self.readings else Demands(tuple(self._shown()))
        for period, parts in self.parts(demands, measured).items():
            yield from self._charged(bill, period, [part.step for part in parts])
            yield from self._charged(bill, period, list(self._unused(parts)), _UNUSED)
            beyond = self._overrun(parts)
            if self._exceeding is not None:
                beyond = self._beyond(parts[0], measured["exceeding"])
            yield from self._charged(bill, period, list(beyond), _OVERRUN)

    @property
    def _periods(self) -> Sequence[str]:
        """The periods that have a contract: of the schedule, or those that the tables name."""
        if self.schedule is not None:
            return self.schedule.periods
        known = (self.rates, self.contracted, self.measured)
        tables = [table for table in known if isinstance(table, dict)]
        return tuple(tables[0]) if tables else (TOTAL,)

    def _shown(self) -> Iterator[Demanded]:
        """Yield the demand of each period that the meter showed."""
        for period in self._periods:
            shown = self.measured
            own = Fraction((shown[period] if isinstance(shown, dict) else shown) or 0)
            text = f"{decimal_text(own)} measured"
            if self.losses_percent:
                own *= self._with_losses
                text = f"({text}) x (1 + {self.losses_percent} %)"
            yield Demanded(period, "", own, own, text)

    def _paid(self, period: str, measured: Measured) -> Iterator[Step]:
        """Yield what is paid of the contract of a period, month by month where these count."""
        contract = self._contract(period)
        paid = contract * Fraction(self.paid_percent) / 100
        share = "" if self.paid_percent == 100 else f" x {self.paid_percent} %"
        text = f"{decimal_text(contract)} contracted{share}"
        for month in measured["days"] if self.reset == "month" else ("",):
            demand = Demanded(period, month, paid, paid, text)
            yield self._times.part(demand, measured).step

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

    def _beyond(self, part: Part, exceeding: Mapping[str, int]) -> Iterator[Step]:
        """Yield what all intervals of a period are above the contract."""
        period = part.demand.period
        if micro := exceeding.get(period):
            assert self.overrun is not None
            limit, base = map(decimal_text, self.overrun.limits(self._contract(period)))
            text = f"sqrt of the sum of (P - {base})^2 of intervals with P above {limit}"
            yield part.of(text, Fraction(micro, MICRO) * self._with_losses)

    def _charged(
        self, bill: BillSoFar, period: str, steps: Sequence[Step], what: str = ""
    ) -> Iterator[Line]:
        """Yield the lines of a quantity, which is the sum of *steps*; none without them."""
        if not steps:
            return
        quantity = exact_sum(step.value for step in steps)
        for component, rate in self._rates(period, what):
            line = self.line(
                quantity,
                rate,
                self.billed_unit,
                period=None if period == TOTAL and not self.schedule else period,
                component=component,
                steps=tuple(steps),
                tags=(what,) if what else (),
            )
            yield self._named(line, what, bill.language) if what else line

    def _named(self, line: Line, what: str, language: str) -> Line:
        """Return a line with a code of its own, apart from that of the measured demand."""
        text = self.text(line.period, line.component, language)
        text += f", {in_language(_WHAT[what], language)}"
        return attrs.evolve(line, code=f"{line.code}.{what}", description=text)

    def _rates(self, period: str, what: str) -> Iterator[tuple[str | None, Decimal | Fraction]]:
        """Yield the rate of each component."""
        price: Rate = (self.rates or {}).get(period, self.base_rate)
        times = Decimal(1)
        if what == _OVERRUN and self.overrun is not None:
            times = self.overrun.multiplier
            price = (self.overrun.rates or {}).get(period, self.overrun.rate) or price
        for component, rate in components_of(price):
            yield component, rate if times == 1 else Fraction(rate) * Fraction(times)

    def _contract(self, period: str) -> Fraction:
        """Return what is contracted for a period."""
        contracted = self.contracted
        return Fraction(contracted[period] if isinstance(contracted, dict) else contracted)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [ContractedDemand]
