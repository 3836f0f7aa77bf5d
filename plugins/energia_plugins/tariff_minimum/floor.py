"""A minimum of energy: what an energy charge would charge for that much."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.charges import BillSoFar, Line, Replace, Step
from energia.pricing.exact import decimal_text, exact_text, fraction, rounded
from energia.units import MICRO

if TYPE_CHECKING:
    from energia_plugins.tariff_minimum.charge import Minimum

#: What energy charges call the measure of their energy.
_ENERGY = "energy"


@attrs.frozen
class Floor:
    """The least energy of a charge.

    Attributes:
        charge: Whose lines are made.
        quantity: Of one day, month or bill.
        energy: The code of the charge that prices it.
        time: For how many days, months or bills.

    """

    charge: "Minimum"
    quantity: Decimal
    energy: str
    time: Sequence[Step]

    def lines(self, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Yield what the missing energy costs, or what all of it costs in its place."""
        measured = self._measured(bill)
        missing = self._least - Fraction(sum(measured.values()), MICRO)
        if missing <= 0:
            return
        # Measures are whole micro-units: so is the least quantity, rounded half to even.
        micro = rounded(missing, 6, "half_even")
        label = self._label(measured)
        raised = {**measured, label: measured[label] + micro}
        charged = {line.code: line for line in bill.lines if line.charge == self.energy}
        for line in bill.again(self.energy, {_ENERGY: raised}):
            old = charged.get(line.code)
            if self.charge.form == "replace" and old is not None:
                yield self._replaced(old, line)
            else:
                yield from self._difference(old, line)

    @property
    def _least(self) -> Fraction:
        time = sum((Fraction(step.value) for step in self.time), Fraction(0))
        return Fraction(self.quantity) * time

    def _measured(self, bill: BillSoFar) -> Mapping[str, int]:
        found = bill.measured.get(self.energy, {}).get(_ENERGY)
        if not found:
            message = f"the charge {self.energy!r} comes before and charges energy: it must"
            raise Invalid(message, [Fault("no_energy", message)])
        return found

    def _label(self, measured: Mapping[str, int]) -> str:
        """Return where the missing energy is priced."""
        period = self.charge.period
        labels = [one for one in measured if period in (None, one.partition("@")[0])]
        if not labels or (period is None and len(labels) > 1):
            there = ", ".join(measured)
            message = f"say in which period missing energy is priced: there are {there}"
            raise Invalid(message, [Fault("missing_period", message)])
        return labels[-1]

    def _replaced(self, old: Line, new: Line) -> Replace:
        text = " + ".join(f"{self.quantity} x {step.expression}" for step in self.time)
        was, now = fraction(old.amount or 0), fraction(new.amount or 0)
        steps = (
            Step("as measured", exact_text(was), was),
            Step(f"at least {text} {new.unit or ''}".rstrip(), exact_text(now - was), now - was),
        )
        return Replace(old, attrs.evolve(new, steps=steps, charge=None))

    def _difference(self, old: Line | None, new: Line) -> Iterator[Line]:
        was = fraction(old.amount or 0) if old else Fraction(0)
        now = fraction(new.amount or 0)
        if now == was:
            return
        quantity = fraction(new.quantity or 0)
        had = fraction(old.quantity or 0) if old else Fraction(0)
        steps = (
            Step(f"{decimal_text(quantity)} {new.unit or ''}: {new.code}", exact_text(now), now),
            Step(f"{decimal_text(had)} are charged already", exact_text(-was), -was),
        )
        yield self.charge.line(
            quantity - had,
            new.rate,
            new.unit,
            amount=now - was,
            period=new.period,
            component=new.component,
            steps=steps,
            tags=new.tags,
        )
