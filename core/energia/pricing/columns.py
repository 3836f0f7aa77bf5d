"""Numbers of meters, and lines made of them: what a program consists of.

A `Pass` reduces readings to numbers, a `Column` makes the quantity of one line of them, and a
`Printer` writes the line. A `Sheet` writes the lines of many meters at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, count, repeat
from math import lcm
from typing import Any, Final

import attrs
import numpy as np

from energia.metering.series import Micro
from energia.pricing.cost import CostLine, Detail, Item, exact, printed
from energia.pricing.determinants import (
    NO_GROUP,
    Determinant,
    Reduction,
)
from energia.pricing.digits import DIGITS, fixed_texts, shortest_texts
from energia.pricing.exact import (
    Mode,
    decimals_of,
    exact_text,
    fixed,
    fraction,
    rounded_ratio,
    rounded_ratios,
    shortest,
)
from energia.pricing.lines import Line
from energia.pricing.rounding import Rounding
from energia.time import Int64

#: What all slots would add up to were each the highest: `POWER` times as much, which powers are of
#: an hour's energy, still fits 64 bits.
LARGEST: Final = 2**56
POWER: Final = 60
FITS: Final = 2**62
#: Fewer numbers are written one by one: arrays have a price of their own.
_FEW: Final = 64


def highest(values: Micro) -> int:
    """Return the highest value; what is below zero, or missing, is above all without its sign."""
    return int(np.maximum.reduce(values.view(np.uint64)))


@attrs.frozen(eq=False)
class Pass:
    """A pass over the readings of a role, of which several measures take what they need.

    Attributes:
        role: The role.
        highest: Whether the highest are taken, or sums.
        intervals: int64[], the first slots of what is added up before.
        bounds: int64[runs], where runs begin.
        order: int64[], the runs by group; None where each run is a group.
        starts: int64[groups], where each group begins in `order`.
        times: What each number is multiplied by; None for 1.
        checks: Whether it is the first of its role, which looks at what readings there are.

    """

    role: str
    highest: bool
    intervals: Int64 | None
    bounds: Int64
    order: Int64 | None
    starts: Int64
    times: Int64 | None
    checks: bool

    @classmethod
    def of(cls, reductions: Sequence[Reduction], *, checks: bool) -> "Pass":
        """Return the pass for reductions of one role and sort."""
        first = reductions[0]
        bounds = np.unique(np.concatenate([each.bounds for each in reductions]))
        orders, starts, position = [], [], 0
        for each in reductions:
            order, begins = _regrouped(each, bounds)
            orders.append(order)
            starts.append(begins + position)
            position += len(order)
        order, begins = np.concatenate(orders), np.concatenate(starts)
        alone = np.arange(len(bounds))
        apart = np.array_equal(order, alone) and np.array_equal(begins, alone)
        times = np.concatenate([np.full(len(each.labels), each.times) for each in reductions])
        return cls(
            first.role,
            first.of == "highest",
            first.intervals,
            bounds,
            None if apart else order,
            begins,
            None if (times == 1).all() else times.astype(np.int64),
            checks,
        )

    @classmethod
    def joined(cls, passes: Sequence["Pass"], slots: Sequence[int]) -> "Pass | None":
        """Return one pass for windows that follow each other, each with one of so many *slots*.

        Its numbers are those of the first window, then those of the next. None where it would
        be another thing than the passes are: each must begin with its window.
        """
        first = passes[0]
        if any(
            (each.role, each.highest, each.checks, each.intervals is None)
            != (first.role, first.highest, first.checks, first.intervals is None)
            or not len(each.bounds)
            or each.bounds[0]
            or (each.intervals is not None and each.intervals[0])
            for each in passes
        ):
            return None
        counts = [len(each.bounds) for each in passes]
        alone = all(each.order is None for each in passes)
        orders = [np.arange(len(p.bounds)) if p.order is None else p.order for p in passes]
        intervals = [each.intervals for each in passes if each.intervals is not None]
        # Where intervals are added up before, runs are of these and not of slots.
        lengths = [len(each) for each in intervals] or slots
        times = [np.ones(len(p.starts), np.int64) if p.times is None else p.times for p in passes]
        return cls(
            first.role,
            first.highest,
            _shifted(intervals, slots) if intervals else None,
            _shifted([each.bounds for each in passes], lengths),
            None if alone else _shifted(orders, counts),
            _shifted([each.starts for each in passes], [len(each) for each in orders]),
            None if all(each.times is None for each in passes) else np.concatenate(times),
            first.checks,
        )

    def runs(self, values: Micro, out: Micro | None = None) -> Micro:
        """Return the sum, or the highest, of each run; none of the values is below zero."""
        if self.intervals is not None:
            values = np.add.reduceat(values, self.intervals)
        if self.highest:
            # As `highest`: the highest of all shows whether some are below zero, or missing.
            into = None if out is None else out.view(np.uint64)
            unsigned = np.maximum.reduceat(values.view(np.uint64), self.bounds, out=into)
            return unsigned.view(np.int64)
        return np.add.reduceat(values, self.bounds, out=out)

    @property
    def shows(self) -> bool:
        """Whether its runs tell the highest reading of all, or that some is below zero."""
        return self.highest and self.intervals is None

    def numbers(self, runs: Micro) -> Micro:
        """Return the number of each group, given the runs of a meter, or of each of several."""
        found = runs
        if self.order is not None:
            reduce = np.maximum if self.highest else np.add
            found = reduce.reduceat(runs.take(self.order, axis=-1), self.starts, axis=-1)
        return found if self.times is None else found * self.times


def _shifted(positions: Sequence[Int64], lengths: Sequence[int]) -> Int64:
    """Return positions in arrays of such lengths as positions in all of them, one by one."""
    starts = accumulate(lengths, initial=0)
    return np.concatenate([each + at for each, at in zip(positions, starts, strict=False)])


def _regrouped(reduction: Reduction, bounds: Int64) -> tuple[Int64, Int64]:
    """Return the order and the starts of a reduction for finer runs."""
    groups = np.full(len(reduction.bounds), NO_GROUP)
    ends = [*reduction.starts[1:].tolist(), len(reduction.order)]
    for group, (start, end) in enumerate(zip(reduction.starts.tolist(), ends, strict=True)):
        groups[reduction.order[start:end]] = group
    keys = groups[np.searchsorted(reduction.bounds, bounds, side="right") - 1]
    order = np.argsort(keys, kind="stable")
    order = order[keys[order] != NO_GROUP]
    return order, np.searchsorted(keys[order], np.arange(len(reduction.labels)))


@attrs.frozen(eq=False)
class Amounts:
    """How amounts are rounded and written.

    Attributes:
        decimals: To how many decimals; None leaves them exact.
        mode: How.
        places: How many decimals the total has, exact or not.

    """

    decimals: int | None
    mode: Mode
    places: int

    def total(self, units: int) -> str:
        """Return the text of a total."""
        if self.decimals is None:
            return shortest(units, self.places)
        return fixed(units, self.decimals)

    def totals(self, units: Sequence[int]) -> list[str]:
        """Return the text of each of many totals."""
        if len(units) < _FEW or max(map(abs, units)) >= 10**DIGITS:
            return [self.total(each) for each in units]
        if self.decimals is None:
            return shortest_texts(np.array(units, np.int64), self.places)
        return fixed_texts(np.array(units, np.int64), self.decimals)


@attrs.frozen(eq=False)
class Column:
    """A line of many meters.

    Attributes:
        charge: The code of its charge.
        line: The line, without its quantity.
        rate: The rate that is multiplied, and its text.
        below: The quantity is the number of the column by this.
        indexes: Which numbers it takes.
        fine: What they are multiplied by before they are cut.
        lows: What of each counts lies above this ...
        highs: ... and not above that; None for no end.
        times: How often each counts.
        stepped: Whether each is a step.
        always: Whether the line is there even if it is zero.
        constant: The line itself, where it is one of all meters, and its exact amount.

    """

    charge: str
    line: Line
    rate: tuple[Fraction, str]
    below: int = 1
    indexes: tuple[int, ...] = ()
    fine: int = 1
    lows: tuple[int, ...] = ()
    highs: tuple[int | None, ...] = ()
    times: tuple[int, ...] = ()
    stepped: bool = False
    always: bool = True
    constant: Item | None = None

    @classmethod
    def of(
        cls,
        code: str,
        determinant: Determinant,
        columns: Mapping[tuple[str, str], int],
        rounding: Rounding,
    ) -> "Column":
        """Return the column of a determinant, given where the numbers are of its measures."""
        line, terms = determinant.line, determinant.terms
        rate = rounding.rate(line.rate or 0)
        if not terms:
            return cls(code, line, rate, constant=exact(code, line, rounding))
        edges = [fraction(each.low) for each in terms]
        edges += [fraction(each.high) for each in terms if each.high is not None]
        fine = lcm(*(edge.denominator for edge in edges))
        times = [fraction(each.times) / fraction(determinant.parts) for each in terms]
        below = lcm(*(each.denominator for each in times))
        return cls(
            code,
            attrs.evolve(line, quantity=None, steps=()),
            rate,
            below * fine,
            tuple(columns[each.measure, each.label] for each in terms),
            fine,
            tuple(int(fraction(each.low) * fine) for each in terms),
            tuple(None if each.high is None else int(fraction(each.high) * fine) for each in terms),
            tuple(int(each * below) for each in times),
            determinant.stepped,
            determinant.always,
        )

    @cached_property
    def _terms(self) -> list[tuple[int, int, int | None, int]]:
        return list(zip(self.indexes, self.lows, self.highs, self.times, strict=True))

    @cached_property
    def plain(self) -> int | None:
        """Which number it is, if it is one as it is."""
        if len(self.indexes) > 1 or self.constant is not None or self.fine != 1:
            return None
        as_it_is = not self.lows[0] and self.highs[0] is None and self.times[0] == 1
        return self.indexes[0] if as_it_is else None

    @property
    def detail(self) -> Detail:
        """Where the line comes from, if it is not stepped."""
        return Detail(self.charge, () if self.constant is None else self.constant.line.steps)

    def exact(self, number: int) -> Item:
        """Return the line of a meter, given the number of the column."""
        if self.constant is not None:
            return self.constant
        quantity = Fraction(number, self.below)
        line = attrs.evolve(self.line, quantity=quantity)
        return Item(self.charge, line, quantity * self.rate[0], self.rate[1])

    def number(self, numbers: Sequence[int]) -> int:
        """Return the number of the column, given those of a meter."""
        if self.plain is not None:
            return numbers[self.plain]
        if self.constant is not None:
            return 0
        found, fine = 0, self.fine
        for index, low, high, times in self._terms:
            value = numbers[index] * fine
            if high is not None and value > high:
                value = high
            if value > low:
                found += (value - low) * times
        return found

    def steps(self, numbers: Sequence[int]) -> int:
        """Return how many steps the line has."""
        if self.constant is not None:
            return len(self.constant.line.steps)
        if not self.stepped:
            return 0
        if self.always:
            return len(self.indexes)
        above = zip(self.indexes, self.lows, strict=True)
        return sum(numbers[index] * self.fine > low for index, low in above)

    def numbers(self, rows: Int64, bound: int) -> Int64 | list[int]:
        """Return the number of the column of each meter, given a row of numbers for each.

        No sum of numbers of a row is above *bound*. They are a list where they may not fit 64 bits.
        """
        if self.constant is not None:
            return np.zeros(len(rows), np.int64)
        if self.plain is not None:
            return rows[:, self.plain]
        if bound * self.fine * max(self.times) > FITS:
            return [self.number(row) for row in rows.tolist()]
        lows = np.array(self.lows)
        highs = np.array([FITS if each is None else min(each, FITS) for each in self.highs])
        parts = np.clip(rows.take(self.indexes, axis=1) * self.fine, lows, highs) - lows
        found: Int64 = (parts * np.array(self.times)).sum(axis=1)
        return found

    @property
    def most_steps(self) -> int:
        """How many steps the line has at most."""
        return len(self.indexes) if self.constant is None else len(self.constant.line.steps)


@attrs.frozen(eq=False)
class Printer:
    """Writes the line of a column for a number of each meter.

    Attributes:
        column: The column.
        amounts: How amounts are rounded.
        quantity: The number, times this, is the quantity in units of ...
        quantity_places: ... 10**-this; None where no decimal ends.
        factor: The number, times this, is the amount in units of ...
        places: ... 10**-this.
        whole: The amount in these units, times this, is one in units of the total.

    """

    column: Column
    amounts: Amounts
    quantity: int
    quantity_places: int | None
    factor: int
    places: int | None
    whole: int

    @classmethod
    def of(cls, column: Column, amounts: Amounts) -> "Printer":
        """Return the printer of a column."""
        rate = column.rate[0]
        places = decimals_of(Fraction(1, column.below))
        amount_places = decimals_of(Fraction(1, column.below * rate.denominator))
        if places is None or amount_places is None or "/" in column.rate[1]:
            return cls(column, amounts, 0, None, 0, None, 1)
        return cls(
            column,
            amounts,
            10**places // column.below,
            places,
            rate.numerator * 10**amount_places // (column.below * rate.denominator),
            amount_places,
            10 ** (amounts.places - amount_places) if amounts.decimals is None else 1,
        )

    @cached_property
    def like(self) -> Callable[[str | None, str, str], CostLine]:
        """Returns the line with a quantity, an amount and an exact amount."""
        line = self.column.line
        return CostLine(
            code=line.code,
            description=line.description,
            unit=line.unit,
            rate=self.column.rate[1],
            amount="",
            exact="",
            period=line.period,
            component=line.component,
        ).like

    @cached_property
    def line(self) -> Callable[[int], tuple[CostLine | None, int]]:
        """Returns the line for the number of a meter, and its amount in units of the total.

        None, and no amount, where a meter has no such line. It is a function of its own, which
        finds all that it needs at once: it is called for every line of every bill.
        """
        if self.column.constant is not None:
            found = self._printed(self.column.constant)
            return lambda _: found
        places, quantity_places = self.places, self.quantity_places
        if places is None or quantity_places is None:
            return self._unending
        column, quantity, factor, whole = self.column, self.quantity, self.factor, self.whole
        like = self.like
        decimals, mode, always = self.amounts.decimals, self.amounts.mode, column.always
        finest, scale = 10 ** (decimals or 0), 10**places

        def line(number: int) -> tuple[CostLine | None, int]:
            if not number and not always:
                return None, 0
            scaled = number * factor
            exact_text = amount = shortest(scaled, places)
            if decimals is None:
                due = scaled * whole
            else:
                due = rounded_ratio(scaled * finest, scale, mode)
                amount = fixed(due, decimals)
            return like(shortest(number * quantity, quantity_places), amount, exact_text), due

        return line

    def _unending(self, number: int) -> tuple[CostLine | None, int]:
        """Return the line where some number ends in no decimal."""
        if not number and not self.column.always:
            return None, 0
        return self._printed(self.column.exact(number))

    def _printed(self, item: Item) -> tuple[CostLine, int]:
        decimals = self.amounts.decimals
        if decimals is None:
            due = int(item.exact * 10**self.amounts.places)
            return printed(item, exact_text(item.exact)), due
        due = rounded_ratio(
            item.exact.numerator * 10**decimals, item.exact.denominator, self.amounts.mode
        )
        return printed(item, fixed(due, decimals)), due


@attrs.frozen(eq=False)
class Sheet:
    """The lines of many meters, written at once where their numbers have few digits.

    Attributes:
        printers: The lines, in their order.
        amounts: How amounts are rounded.

    """

    printers: tuple[Printer, ...]
    amounts: Amounts

    def bills(self, rows: Int64, bound: int) -> tuple[Iterator[tuple[CostLine, ...]], list[str]]:
        """Return the lines of each meter, as `Printer.line`, and their total.

        Args:
            rows: The numbers of each meter.
            bound: No sum of numbers of a row is above it.

        """
        columns = list[Sequence[CostLine | None]]()
        together, dues = dict[int, Int64](), [[0] * len(rows)]
        for at, printer in enumerate(self.printers):
            numbers = printer.column.numbers(rows, bound)
            if self._takes(printer, numbers):
                together[at] = np.asarray(numbers)
                columns.append(())
            else:
                each = numbers if isinstance(numbers, list) else numbers.tolist()
                pairs = list(map(printer.line, each))
                columns.append([line for line, _ in pairs])
                dues.append([due for _, due in pairs])
        if together:
            written, sums = self._written(together)
            for at, lines in written.items():
                columns[at] = lines
            dues.append(sums)
        totals = self.amounts.totals(list(map(sum, zip(*dues, strict=True))))
        return self._bills(columns), totals

    def _bills(
        self, columns: Sequence[Sequence[CostLine | None]]
    ) -> Iterator[tuple[CostLine, ...]]:
        """Return the lines that each meter has."""
        if not columns:
            return repeat(())
        bills: Iterator[Any] = zip(*columns, strict=True)
        if all(printer.column.always for printer in self.printers):
            return bills
        return (tuple([line for line in bill if line is not None]) for bill in bills)

    @cached_property
    def _places(self) -> tuple[int, int]:
        """How many decimals quantities and exact amounts have here."""
        quantities = [each.quantity_places or 0 for each in self.printers]
        amounts = [each.places or 0 for each in self.printers]
        return max([0, *quantities]), max([self.amounts.places, *amounts])

    def _factors(self, printer: Printer) -> tuple[int, int]:
        """Return what the number of a column is multiplied by to have these decimals."""
        quantity_places, places = self._places
        quantity = printer.quantity * 10 ** (quantity_places - (printer.quantity_places or 0))
        return quantity, printer.factor * 10 ** (places - (printer.places or 0))

    def _takes(self, printer: Printer, numbers: Int64 | list[int]) -> bool:
        """Tell whether the lines of a column are among those that are written at once."""
        if printer.column.constant is not None or printer.places is None:
            return False
        if isinstance(numbers, list) or len(numbers) * len(self.printers) < _FEW:
            return False
        most = int(numbers.max()) * max(map(abs, self._factors(printer)))
        return most * len(self.printers) < 10**DIGITS  # so that their sums fit 64 bits, too

    def _written(
        self, together: Mapping[int, Int64]
    ) -> tuple[dict[int, Sequence[CostLine | None]], list[int]]:
        """Return the lines of some columns, by the place of each column, and their sums."""
        numbers = np.stack(list(together.values()))
        factors = np.array([self._factors(self.printers[at]) for at in together], np.int64)
        quantities, dues = numbers * factors[:, :1], numbers * factors[:, 1:]
        quantity_places, places = self._places
        texts = shortest_texts(quantities.ravel(), quantity_places)
        exact = amounts = shortest_texts(dues.ravel(), places)
        if self.amounts.decimals is not None:
            below = 10 ** (places - self.amounts.decimals)
            dues = rounded_ratios(dues, below, self.amounts.mode)
            amounts = fixed_texts(dues.ravel(), self.amounts.decimals)
        lines, size = dict[int, Sequence[CostLine | None]](), numbers.shape[1]
        for first, (at, own) in zip(count(0, size), together.items(), strict=False):
            part, printer = slice(first, first + size), self.printers[at]
            of_column = list(map(printer.like, texts[part], amounts[part], exact[part]))
            if not printer.column.always:
                pairs = zip(own.tolist(), of_column, strict=True)
                lines[at] = [line if number else None for number, line in pairs]
            else:
                lines[at] = of_column
        sums: list[int] = dues.sum(axis=0).tolist()
        return lines, sums
