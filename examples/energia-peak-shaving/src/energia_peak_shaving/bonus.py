"""The charge `peak_shaving.bonus`."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import attrs
from energia import (
    BaseCharge,
    BillSoFar,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Period,
    Rules,
    Schedule,
    State,
    Step,
)
from msgspec import Meta

from energia_peak_shaving.measure import PeakDemand

MICRO = 1_000_000
NOTHING = Fraction(0)


def _period_is_known(schedule: Schedule, period: Period) -> Iterator[Fault]:
    """Refuse a period that the schedule does not have: nobody would ever be paid."""
    if period not in schedule.periods:
        known = ", ".join(schedule.periods)
        yield Fault("unknown_period", f"the schedule has no {period}, but {known}", "/period")


@attrs.frozen
class PeakShavingBonus(BaseCharge):
    """A bonus for each kW by which a bill's peak stays below the mean of the last bills' peaks.

    The peak of a bill is the highest average power of the intervals that begin in a period of the
    schedule. Each bill remembers its peak. Above the baseline nothing is charged.

    Attributes:
        schedule: When the period is.
        rate: What is paid for each kW.
        period: The period whose peaks count.
        bills: The baseline is the mean of the peaks of so many bills before, or of as many as there
            are.
        baseline_kw: The baseline of the first bill; without it, the first bill has no bonus.
        most: The most that one bill is paid.
        minutes: The interval whose average power is a peak.

    """

    __rules__: ClassVar[Rules] = (_period_is_known,)

    kind: ClassVar[str] = "peak_shaving.bonus"
    examples: ClassVar[Examples] = (
        {
            "kind": "peak_shaving.bonus",
            "schedule": {
                "default": "off_peak",
                "rules": [{"period": "peak", "days": ["weekday"], "from": "17:00", "to": "21:00"}],
            },
            "rate": "4.00",
            "baseline_kw": "6",
            "most": "10.00",
        },
    )

    schedule: Schedule
    rate: Annotated[Decimal, Meta(gt=0)]
    period: Period = "peak"
    bills: Annotated[int, Meta(ge=1, le=24)] = 3
    baseline_kw: Annotated[Decimal | None, Meta(gt=0)] = None
    most: Annotated[Decimal | None, Meta(gt=0)] = None
    minutes: Literal[15, 30, 60] = 15

    def measures(self) -> dict[str, Measure]:
        """Ask for the peak."""
        return {"demand": PeakDemand(self.schedule, self.period, self.minutes, self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Pay the bonus, and remember the peak."""
        peak = measured["demand"].get("peak")
        if peak is None:  # the bill has no such time: what was remembered stays
            return
        before: Sequence[str] = bill.state.get("peaks", ())
        yield from self._bonus(self._kw(peak), [self._kw(int(one)) for one in before])
        yield State({"peaks": [*before, str(peak)][-self.bills :]})

    def _bonus(self, peak: Fraction, before: Sequence[Fraction]) -> Iterator[Line]:
        """Yield a line, unless there is nothing to compare with."""
        if not before and self.baseline_kw is None:
            return
        baseline = self._baseline(before)
        shaved = Fraction(baseline.value) - peak
        below = Step("peak of this bill", f"-{_text(peak)}", -peak)
        if shaved <= 0:
            above = Step("above the baseline nothing is charged", _text(-shaved), -shaved)
            yield self._of_kw(NOTHING, (baseline, below, above))
        elif self.most is not None and shaved * Fraction(self.rate) > self.most:
            yield self._limited(shaved, Fraction(self.most))
        else:
            yield self._of_kw(shaved, (baseline, below))

    def _baseline(self, before: Sequence[Fraction]) -> Step:
        if not before:
            return Step("agreed baseline", f"{self.baseline_kw}", Fraction(self.baseline_kw or 0))
        parts = " + ".join(_text(one) for one in before)
        mean = sum(before, NOTHING) / len(before)
        return Step(f"mean of {len(before)} bills", f"({parts}) / {len(before)}", mean)

    def _of_kw(self, shaved: Fraction, steps: tuple[Step, ...]) -> Line:
        return self.line(shaved, -self.rate, "kW", period=self.period, steps=steps)

    def _limited(self, shaved: Fraction, most: Fraction) -> Line:
        """Return a line of the most that is paid."""
        full = shaved * Fraction(self.rate)
        steps = (
            Step("bonus", f"-{_text(shaved)} x {self.rate}", -full),
            Step(f"at most {self.most}", f"{_text(full)} - {self.most}", full - most),
        )
        return self.line(amount=-most, period=self.period, steps=steps)

    def _kw(self, micro: int) -> Fraction:
        """Return the average power of an interval, which is at least 0."""
        return max(Fraction(micro * 60, self.minutes * MICRO), NOTHING)


def _text(value: Fraction | Decimal) -> str:
    """Return a number as a person reads it: a decimal, or a fraction in brackets."""
    exact = Fraction(value)
    text = f"{exact.numerator / Decimal(exact.denominator):f}"
    return text if Fraction(text) == exact else f"({exact})"
