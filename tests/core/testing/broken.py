"""Kinds of charge, each wrong in one way that the kit must see; the first is right."""

import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import attrs

from energia import (
    AcrossVersions,
    BaseCharge,
    BillSoFar,
    Days,
    Energy,
    Examples,
    Line,
    Measure,
    Measured,
    State,
    Step,
)

#: What was charged so far, which no module may keep.
_KEPT: list[int] = []
_SOURCES = ("sun", "wind", "water", "coal", "gas", "wood")


def example(kind: str) -> Examples:
    """Return the example of a kind."""
    return ({"kind": kind, "rate": "0.25"},)


@attrs.frozen
class Right(BaseCharge):
    """So much for each unit.

    Attributes:
        rate: The price of a unit.

    """

    kind: ClassVar[str] = "test.right"
    examples: ClassVar[Examples] = example("test.right")

    rate: Decimal

    def measures(self) -> dict[str, Measure]:
        """Ask for the energy."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.metered(measured["energy"]["total"], self.rate)


@attrs.frozen
class FloatAmount(Right):
    """Multiply as a float."""

    kind: ClassVar[str] = "test.float"
    examples: ClassVar[Examples] = example("test.float")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        amount: Any = measured["energy"]["total"] / 1e6 * float(self.rate)
        yield self.line(amount=amount, steps=(Step("energy", "?", amount),))


@attrs.frozen
class FloatInside(Right):
    """Hide that a float was multiplied."""

    kind: ClassVar[str] = "test.float_inside"
    examples: ClassVar[Examples] = example("test.float_inside")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        amount = Fraction(measured["energy"]["total"] / 1e6 * 0.1)
        yield self.line(amount=amount, steps=(Step("energy", "?", amount),))


@attrs.frozen
class DoesNotAddUp(Right):
    """Explain another amount than is charged."""

    kind: ClassVar[str] = "test.sum"
    examples: ClassVar[Examples] = example("test.sum")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.line(amount=Fraction(3), steps=(Step("two", "2", 2),))


@attrs.frozen
class Unexplained(Right):
    """Charge an amount without a word."""

    kind: ClassVar[str] = "test.unexplained"
    examples: ClassVar[Examples] = example("test.unexplained")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.line(amount=Fraction(measured["energy"]["total"], 10**7))


@attrs.frozen
class WrongArithmetic(Right):
    """Explain an amount by arithmetic that gives another one."""

    kind: ClassVar[str] = "test.arithmetic"
    examples: ClassVar[Examples] = example("test.arithmetic")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.line(amount=Fraction(3), steps=(Step("three", "2 x 2", 3),))


@attrs.frozen
class WallClock(Right):
    """Charge the hour at which the bill is made."""

    kind: ClassVar[str] = "test.clock"
    examples: ClassVar[Examples] = example("test.clock")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        late = datetime.now(UTC).year > 2100
        yield self.metered(measured["energy"]["total"], self.rate * (2 if late else 1))


@attrs.frozen
class Seconds(Right):
    """Charge the nanosecond at which the bill is made."""

    kind: ClassVar[str] = "test.seconds"
    examples: ClassVar[Examples] = example("test.seconds")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.metered(time.time_ns(), self.rate)


@attrs.frozen
class KeepsState(Right):
    """Charge what other bills came to."""

    kind: ClassVar[str] = "test.keeps"
    examples: ClassVar[Examples] = example("test.keeps")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        _KEPT.append(measured["energy"]["total"])
        yield self.metered(max(_KEPT), self.rate)


@attrs.frozen
class ChangesState(Right):
    """Write into what was remembered."""

    kind: ClassVar[str] = "test.changes"
    examples: ClassVar[Examples] = example("test.changes")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        peaks: list[str] = bill.state.get("peaks", [])
        peaks.append(str(measured["energy"]["total"]))
        yield self.metered(measured["energy"]["total"], self.rate)
        yield State({"peaks": peaks})


@attrs.frozen
class RemembersFloat(Right):
    """Remember a float."""

    kind: ClassVar[str] = "test.remembers"
    examples: ClassVar[Examples] = example("test.remembers")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.metered(measured["energy"]["total"], self.rate)
        yield State({"peak": measured["energy"]["total"] / 7})


@attrs.define
class Mutable:
    """Let others change it; it does not come from BaseCharge, which is frozen, and states all.

    Attributes:
        rate: The price of a unit.
        code: Its code.
        description: What it is called.
        channel: What is charged.

    """

    kind: ClassVar[str] = "test.mutable"
    examples: ClassVar[Examples] = example("test.mutable")
    examples_after: ClassVar[Examples] = ()
    excused: ClassVar[Mapping[str, str]] = {}
    remeasures: ClassVar[bool] = False

    rate: Decimal
    code: str | None = None
    description: str | None = None
    channel: str = "import"
    across_versions: ClassVar[AcrossVersions] = "each"

    def unit_prices(self) -> None:
        """Tell no price."""

    def price_changes(self, day: date) -> None:
        """Change no price."""

    def measures(self) -> dict[str, Measure]:
        """Ask for the energy."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge it."""
        used = Fraction(measured["energy"]["total"], 10**6)
        yield Line(self.kind, "mutable", quantity=used, unit="kWh", rate=self.rate)


@attrs.frozen
class InOrderOfHashes(Right):
    """Charge two lines in the order of a set."""

    kind: ClassVar[str] = "test.hashes"
    examples: ClassVar[Examples] = example("test.hashes")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge them."""
        for period in set(_SOURCES):
            yield self.metered(measured["energy"]["total"], self.rate, period=period)


@attrs.frozen
class Undocumented(BaseCharge):
    """So much a day."""

    kind: ClassVar[str] = "test.undocumented"
    examples: ClassVar[Examples] = example("test.undocumented")

    rate: Decimal

    def measures(self) -> dict[str, Measure]:
        """Ask for the days."""
        return {"days": Days()}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge them."""
        yield self.line(measured["days"]["days"], self.rate, "day")


@attrs.frozen
class Rootless:
    """Charge, though it does not come from BaseCharge and lacks what that has."""

    kind: ClassVar[str] = "test.rootless"

    channel: str = "import"


@attrs.frozen
class Prints(Right):
    """Tell the standard output what it charges."""

    kind: ClassVar[str] = "test.prints"
    examples: ClassVar[Examples] = example("test.prints")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        print("charging")
        yield self.metered(measured["energy"]["total"], self.rate)


@attrs.frozen
class MissesMeasure(Right):
    """Take a measure that it did not ask for."""

    kind: ClassVar[str] = "test.misses"
    examples: ClassVar[Examples] = example("test.misses")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.metered(measured["enrgy"]["total"], self.rate)


@attrs.frozen
class Exits(Right):
    """End the process."""

    kind: ClassVar[str] = "test.exits"
    examples: ClassVar[Examples] = example("test.exits")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge nothing."""
        yield sys.exit(3)


@attrs.frozen
class GivesNumber(Right):
    """Gives what is no lines, and has no example."""

    kind: ClassVar[str] = "test.gives_number"
    examples: ClassVar[Examples] = ()

    def lines(self, measured: Measured, bill: BillSoFar) -> Any:
        """Give a number."""
        return 5
