"""The charge `energy.dynamic`."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import attrs
from msgspec import Meta

from energia.convert.rules import Rules
from energia.errors import Fault
from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Examples,
    Line,
    Measure,
    Measured,
    Step,
    UnitPrices,
    unit_of,
)
from energia.pricing.exact import decimal_text
from energia.pricing.market.formula import SlotFormula
from energia.pricing.selection import Code
from energia.units import MICRO
from energia_plugins.tariff_dynamic.measures import SCALE, AmountByDay, EnergyByDay, SlotsByDay

SeriesName = Annotated[Code, Meta(description="The name of the price series.", examples=["spot"])]


def _floor_is_below_cap(floor: Decimal | None, cap: Decimal | None) -> Iterator[Fault]:
    if floor is not None and cap is not None and floor > cap:
        yield Fault("floor_above_cap", f"the floor {floor} is above the cap {cap}", "/floor")


@attrs.frozen
class Dynamic(BaseCharge):
    """Energy at a price of its own for each slot: `series x multiplier + adder`.

    The price of a slot is the series' price times the multiplier, plus the adder; then it is not
    below the floor, then not above the cap; then it is rounded to the version's
    `unit_price_decimals`, if it has any. Prices may be negative. A price that lasts longer than
    a slot of the meter holds in all of it; a slot without a price is refused.

    Attributes:
        series: The name of the price series.
        multiplier: What its prices are multiplied by.
        adder: What is added for each unit.
        floor: The lowest price of a slot.
        cap: The highest price of a slot.
        finer: What becomes of several prices in one slot of the meter: their mean, weighted by
            time (`average`), or a refusal.

    """

    __rules__: ClassVar[Rules] = (_floor_is_below_cap,)

    kind: ClassVar[str] = "energy.dynamic"
    examples: ClassVar[Examples] = (
        {"kind": "energy.dynamic", "series": "spot", "adder": "0.021"},
        {
            "kind": "energy.dynamic",
            "series": "spot",
            "multiplier": "1.05",
            "floor": "0",
            "cap": "0.40",
        },
    )

    series: SeriesName
    multiplier: Decimal = Decimal(1)
    adder: Decimal = Decimal(0)
    floor: Decimal | None = None
    cap: Decimal | None = None
    finer: Literal["average", "refuse"] = "average"

    def unit_prices(self) -> UnitPrices:
        """Return the formula: the price differs from slot to slot."""
        return UnitPrices({}, formula=self._formula)

    @property
    def _formula(self) -> SlotFormula:
        return SlotFormula(
            self.series, self.multiplier, self.adder, self.floor, self.cap, self.finer
        )

    def measures(self) -> dict[str, Measure]:
        """Measure energy, slots and amounts by local day, or by month."""
        return {
            "energy": EnergyByDay(self.channel),
            "slots": SlotsByDay(self.channel),
            "amounts": AmountByDay(self._formula, self.channel),
        }

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge what all slots cost; the days or months are its steps."""
        steps = tuple(self._steps(measured))
        total = Fraction(sum(measured["energy"].values()), MICRO)
        amount = sum((Fraction(step.value) for step in steps), Fraction(0))
        yield self.line(total, None, unit_of(self.channel), amount=amount, steps=steps)

    def _steps(self, measured: Measured) -> Iterator[Step]:
        """Yield what each day or month costs: its energy at its average price."""
        unit, scale = unit_of(self.channel), measured["amounts"][SCALE]
        for label, micro in measured["energy"].items():
            value, used = Fraction(measured["amounts"][label], scale), Fraction(micro, MICRO)
            slots = f"{measured['slots'][label]} slots"
            text = f"{decimal_text(used)} {unit} in {slots} at {self._formula.text()}"
            if micro:
                average = decimal_text(value / used, 8)
                text = f"{decimal_text(used)} {unit} x {average}, on average of {slots}"
            yield Step(label, text, value)
