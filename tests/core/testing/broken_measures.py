"""Kinds of charge whose measures or prices are wrong, each in one way that the kit must see."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import attrs
import numpy as np

from energia import (
    BaseMeasure,
    BillSoFar,
    Examples,
    Line,
    Measure,
    Measured,
    Slots,
    State,
    UnitPrices,
)
from tests.core.testing.broken import Right, example


@attrs.frozen
class NaiveEvening(BaseMeasure):
    """Energy in the evening, as if every day had 24 hours."""

    channel: str

    @property
    def roles(self) -> Sequence[str]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Sum the slots from 18:00 to 21:00, counted from the start of the window."""
        part = slots.portion(self.channel)
        hours = np.arange(part.grid.count) * part.grid.interval // 3600 % 24
        return {"total": int(part.values[(hours >= 18) & (hours < 21)].sum())}


@attrs.frozen
class NaiveHours(Right):
    """Charge the evening, as if every day had 24 hours."""

    kind: ClassVar[str] = "test.naive_hours"
    examples: ClassVar[Examples] = example("test.naive_hours")

    def measures(self) -> dict[str, Measure]:
        """Ask for the evening."""
        return {"energy": NaiveEvening(self.channel)}


@attrs.frozen
class Elapsed(BaseMeasure):
    """Whole days, as if every day had 24 hours."""

    @property
    def roles(self) -> Sequence[str]:
        """None."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count them."""
        return {"days": (slots.end - slots.start) // 86_400}


@attrs.frozen
class NaiveDays(Right):
    """Charge each day, as if every day had 24 hours."""

    kind: ClassVar[str] = "test.naive_days"
    examples: ClassVar[Examples] = example("test.naive_days")

    def measures(self) -> dict[str, Measure]:
        """Ask for the days."""
        return {"days": Elapsed()}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge them."""
        yield self.line(measured["days"]["days"], self.rate, "day")


@attrs.frozen
class Slot(BaseMeasure):
    """Energy in the evening, slot by slot."""

    channel: str

    @property
    def roles(self) -> Sequence[str]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Sum it in a loop."""
        part, zone = slots.portion(self.channel), ZoneInfo("UTC")
        total = 0
        for start, value in zip(part.grid.starts.tolist(), part.values.tolist(), strict=True):
            if datetime.fromtimestamp(start, zone).strftime("%H") != "99":
                total += value
        return {"total": total}


@attrs.frozen
class Slow(Right):
    """Measure in a loop."""

    kind: ClassVar[str] = "test.slow"
    examples: ClassVar[Examples] = example("test.slow")

    def measures(self) -> dict[str, Measure]:
        """Ask for it."""
        return {"energy": Slot(self.channel)}


@attrs.frozen
class WritesToReadings(BaseMeasure):
    """Energy without what is negative, in place."""

    channel: str

    @property
    def roles(self) -> Sequence[str]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Sum it."""
        values = slots.portion(self.channel).values
        values[values < 0] = 0
        return {"total": int(values.sum())}


@attrs.frozen
class Writes(Right):
    """Write into the readings."""

    kind: ClassVar[str] = "test.writes"
    examples: ClassVar[Examples] = example("test.writes")

    def measures(self) -> dict[str, Measure]:
        """Ask for it."""
        return {"energy": WritesToReadings(self.channel)}


@attrs.frozen
class Squares(BaseMeasure):
    """The sum of squares, which no 64 bits hold, over the sum: a mean weighted by itself."""

    channel: str

    @property
    def roles(self) -> Sequence[str]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Sum them."""
        values = slots.portion(self.channel).values
        return {"total": int((values * values).sum()) // max(int(values.sum()), 1)}


@attrs.frozen
class Overflows(Right):
    """Measure what is too large for 64 bits."""

    kind: ClassVar[str] = "test.overflows"
    examples: ClassVar[Examples] = example("test.overflows")

    def measures(self) -> dict[str, Measure]:
        """Ask for it."""
        return {"energy": Squares(self.channel)}


@attrs.frozen
class NumpyIntegers(BaseMeasure):
    """A sum that is no Python int."""

    channel: str

    @property
    def roles(self) -> Sequence[str]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Sum it."""
        total: Any = slots.portion(self.channel).values.sum()
        return {"total": total}


@attrs.frozen
class Numpy(Right):
    """Measure what is no Python int."""

    kind: ClassVar[str] = "test.numpy"
    examples: ClassVar[Examples] = example("test.numpy")

    def measures(self) -> dict[str, Measure]:
        """Ask for it."""
        return {"energy": NumpyIntegers(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge it."""
        yield self.metered(int(measured["energy"]["total"]), self.rate)


@attrs.frozen
class TellsWrong(Right):
    """Tell another price than is charged."""

    kind: ClassVar[str] = "test.tells"
    examples: ClassVar[Examples] = example("test.tells")

    def unit_prices(self) -> UnitPrices:
        """Forget half of it."""
        return UnitPrices({"": self.rate / 2})


class Underived:
    """Half a measure: it lacks what `BaseMeasure` has."""

    roles = ("import",)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count slots."""
        return {"slots": slots.portion("import").grid.count}


@attrs.frozen
class Lacks(Right):
    """Measure by something that derives from nothing."""

    kind: ClassVar[str] = "test.lacks"
    examples: ClassVar[Examples] = example("test.lacks")

    def measures(self) -> dict[str, Measure]:
        """Ask for it."""
        return {"energy": Underived()}  # type: ignore[dict-item]


@attrs.frozen
class Misspelt(Right):
    """Misspell what tells that earlier charges are measured again."""

    kind: ClassVar[str] = "test.misspelt"
    examples: ClassVar[Examples] = example("test.misspelt")
    remeasure: ClassVar[bool] = True
