"""A minimum in money: of a bill, of its days and months, or of a year."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import attrs

from energia.pricing.charges import (
    BillSoFar,
    Line,
    Replace,
    Selection,
    State,
    Step,
)
from energia.pricing.exact import exact_text, fraction
from energia_plugins.tariff_minimum.years import SoFar

if TYPE_CHECKING:
    from energia_plugins.tariff_minimum.charge import Minimum


@attrs.frozen
class Money:
    """The least amount of the selected lines.

    Attributes:
        charge: Whose lines are made.
        amount: Of one day, month, bill or year.
        time: For how many of them.
        of: Which lines are compared.

    """

    charge: "Minimum"
    amount: Decimal
    time: Sequence[Step]
    of: Selection

    def lines(self, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Yield what is missing up to the minimum of the window."""
        least = [
            Step(
                f"minimum of {step.description}",
                f"{self.amount} x {step.expression}",
                Fraction(self.amount) * Fraction(step.value),
            )
            for step in self.time
        ]
        return self._up_to(least, bill, Fraction(0))

    def of_year(self, bill: BillSoFar, ends: int, full: bool) -> Iterator[Line | Replace | State]:
        """Yield what is missing in the bill in which the year ends, and what to remember.

        Args:
            bill: The bill so far.
            ends: How many years end in it.
            full: Whether the whole amount is due, however little of a year was billed.

        """
        before = SoFar.of(bill.state)
        months = before.months + sum((Fraction(step.value) for step in self.time), Fraction(0))
        if not ends:
            yield State(SoFar(before.charged + self._charged(bill), months).state)
            return
        share = Fraction(ends) if full else months / 12
        text = str(ends) if full else f"{exact_text(months)}/12"
        least = Step(
            "minimum of the year", f"{self.amount} x {text}", Fraction(self.amount) * share
        )
        yield from self._up_to([least], bill, before.charged)
        yield State(SoFar().state)

    def _charged(self, bill: BillSoFar) -> Fraction:
        return sum((fraction(line.amount or 0) for line in self.of.lines(bill)), Fraction(0))

    def _up_to(
        self, least: Sequence[Step], bill: BillSoFar, before: Fraction
    ) -> Iterator[Line | Replace]:
        minimum = sum((Fraction(step.value) for step in least), Fraction(0))
        missing = minimum - before - self._charged(bill)
        if missing <= 0:
            return
        steps = [*least]
        if before:
            steps.append(Step("charged in the year before", exact_text(-before), -before))
        if self.charge.form == "replace":
            yield from self._replaced(bill)
        else:
            charged = self._charged(bill)
            steps.append(Step("charged by the lines before", exact_text(-charged), -charged))
        amount = sum((Fraction(step.value) for step in steps), Fraction(0))
        yield self.charge.line(amount=amount, steps=tuple(steps))

    def _replaced(self, bill: BillSoFar) -> Iterator[Replace]:
        """Yield the lines that are compared, with nothing in their place."""
        for line in self.of.lines(bill):
            amount = fraction(line.amount or 0)
            steps = (
                Step("as charged", exact_text(amount), amount),
                Step("the minimum is charged instead", exact_text(-amount), -amount),
            )
            yield Replace(line, attrs.evolve(line, rate=None, amount=Fraction(0), steps=steps))
