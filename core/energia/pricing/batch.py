"""Prices of many meters in one call: what they share is compiled, the rest is numbers of each.

A `Program` is a version of a tariff in a window, for readings of slots of some lengths: which slots
each determinant takes, and what its line is, its rate and all its texts. Of a meter it takes its
readings, reduces them to some numbers, and multiplies. Lines are those that the charges would give
one by one, to the last digit; that is tried once for each program. What a program is not made for,
such as a charge without determinants, readings that are missing or below zero, or rounding by
rules, is priced meter by meter.
"""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, repeat
from math import lcm
from typing import Final

import attrs
import numpy as np

from energia.errors import EnergiaError
from energia.metering.series import QUALITIES, Micro, Series
from energia.pricing.cache import CACHE
from energia.pricing.calendar import Grid
from energia.pricing.charges import Charge, Measure, Measured, blamed, code_of, measures_of
from energia.pricing.cost import Cost, CostLine, CostPart, Detail, Item, exact, printed
from energia.pricing.determinants import (
    NO_GROUP,
    Determinant,
    HasDeterminants,
    HasReduction,
    Reduction,
    says_both,
)
from energia.pricing.exact import (
    Mode,
    decimals_of,
    exact_text,
    fixed,
    fraction,
    rounded_ratio,
    shortest,
)
from energia.pricing.lines import BillSoFar, Line
from energia.pricing.rounding import Rounding, round_bill
from energia.pricing.running import Running
from energia.pricing.segments import Due
from energia.pricing.slots import Assumption, Portion, Slots
from energia.pricing.tariffs import Version
from energia.pricing.usage import Terms, Usage
from energia.pricing.wording import ENGLISH
from energia.time import Instant, Int64, Zone
from energia.work import checkpoint

#: What all slots would add up to were each the highest: 60 times as much, which powers are of an
#: hour's energy, still fits 64 bits.
_LARGEST: Final = 2**56
_POWER: Final = 60
_FITS: Final = 2**62
_QUESTIONABLE: Final = QUALITIES.index("questionable")
#: So many meters are worked on at a time: their numbers stay in the processor's cache.
_CHUNK: Final = 128
#: The readings with which a program is tried: any that differ from slot to slot.
_TRIED: Final = (7_919, 3_000_000)

#: The readings of a meter in a window, by role: micro-units, none missing.
Readings = Mapping[str, Micro]


class SameVersion:
    """A version of a tariff as a key: equal to that of the same object alone, which may go."""

    __slots__ = ("_id", "_version")

    def __init__(self, version: Version) -> None:
        self._id, self._version = id(version), weakref.ref(version)

    def __hash__(self) -> int:
        return self._id

    def __eq__(self, other: object) -> bool:
        mine = self._version()
        return isinstance(other, SameVersion) and mine is not None and mine is other._version()

    @property
    def version(self) -> Version:
        """The version; raises `ReferenceError` if it is gone."""
        version = self._version()
        if version is None:
            raise ReferenceError("the version is gone")
        return version


@attrs.frozen
class Window:
    """What a program is made for, besides the version.

    Attributes:
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends; slots begin at both.
        zone: The zone of its days.
        currency: That of the tariff.
        intervals: The length of the slots of each role, in seconds.

    """

    start: Instant
    end: Instant
    zone: Zone
    currency: str
    intervals: tuple[tuple[str, int], ...]


def readings(
    usage: Usage, roles: Sequence[str], start: Instant, end: Instant
) -> tuple[Readings, tuple[tuple[str, int], ...]] | None:
    """Return the readings of a window, and the length of their slots, where nothing is to be told.

    None where some are missing or questionable, several channels are summed, or slots lie across a
    boundary. Values may still be missing where a program finds that they are below zero.
    """
    found, intervals = dict[str, Micro](), list[tuple[str, int]]()
    for role in roles:
        series = _only(usage.get(role), start, end)
        if series is None or series.edges is not None:
            return None
        first, inside = divmod(start - series.start, series.interval)
        past, across = divmod(end - series.start, series.interval)
        if inside or across or first < 0 or past > len(series.values) or first >= past:
            return None
        if np.maximum.reduce(series.quality[first:past]) >= _QUESTIONABLE:
            return None
        found[role] = series.values[first:past]
        intervals.append((role, series.interval))
    return found, tuple(intervals)


def _only(usage: object, start: Instant, end: Instant) -> Series | None:
    """Return the series of a role that has one for all of a window."""
    if isinstance(usage, Series):
        return usage
    if not isinstance(usage, Sequence) or len(usage) != 1:
        return None
    return usage[0].series if usage[0].within((start, end)) == (start, end) else None


@attrs.frozen(eq=False)
class _Pass:
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
    def of(cls, reductions: Sequence[Reduction], *, checks: bool) -> "_Pass":
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

    def runs(self, values: Micro, out: Micro | None = None) -> Micro:
        """Return the sum, or the highest, of each run; none of the values is below zero."""
        if self.intervals is not None:
            values = np.add.reduceat(values, self.intervals)
        if self.highest:
            # As `_highest`: the highest of all shows whether some are below zero, or missing.
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


@attrs.frozen(eq=False)
class _Column:
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
    ) -> "_Column":
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
    def plain(self) -> int | None:
        """Which number it is, if it is one as it is."""
        if len(self.indexes) > 1 or self.constant is not None or self.fine != 1:
            return None
        as_it_is = not self.lows[0] and self.highs[0] is None and self.times[0] == 1
        return self.indexes[0] if as_it_is else None

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
        found, fine = 0, self.fine
        terms = zip(self.indexes, self.lows, self.highs, self.times, strict=True)
        for index, low, high, times in terms:
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

    def numbers(self, rows: Int64, bound: int) -> list[int]:
        """Return the number of the column of each meter, given a row of numbers for each.

        No sum of numbers of a row is above *bound*.
        """
        if self.constant is not None:
            return [0] * len(rows)
        if self.plain is not None:
            return rows[:, self.plain].tolist()
        if bound * self.fine * max(self.times) > _FITS:
            return [self.number(row) for row in rows.tolist()]
        lows = np.array(self.lows)
        highs = np.array([_FITS if each is None else min(each, _FITS) for each in self.highs])
        parts = np.clip(rows.take(self.indexes, axis=1) * self.fine, lows, highs) - lows
        return (parts * np.array(self.times)).sum(axis=1).tolist()

    @property
    def most_steps(self) -> int:
        """How many steps the line has at most."""
        return len(self.indexes) if self.constant is None else len(self.constant.line.steps)


@attrs.frozen(eq=False)
class _Printer:
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

    column: _Column
    amounts: Amounts
    quantity: int
    quantity_places: int | None
    factor: int
    places: int | None
    whole: int

    @classmethod
    def of(cls, column: _Column, amounts: Amounts) -> "_Printer":
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
        code, description, unit = column.line.code, column.line.description, column.line.unit
        period, component, rate = column.line.period, column.line.component, column.rate[1]
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
            return (
                CostLine(
                    code=code,
                    description=description,
                    quantity=shortest(number * quantity, quantity_places),
                    unit=unit,
                    rate=rate,
                    amount=amount,
                    exact=exact_text,
                    period=period,
                    component=component,
                ),
                due,
            )

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
class _Measures:
    """What the measures of a charge give.

    Attributes:
        charge: The charge.
        constant: What they give of time alone, by their names.
        sums: Where the numbers of sums are, by the names of the measures, with their labels.
        others: The measures whose labels tell more than a number, by their names.

    """

    charge: Charge
    constant: Mapping[str, Mapping[str, int]]
    sums: Mapping[str, tuple[tuple[str, ...], int]]
    others: Mapping[str, Measure]

    def measured(self, numbers: Sequence[int], slots: Slots) -> Measured:
        """Return what they give of a meter, given its numbers and its usage."""
        found = dict[str, Mapping[str, int]]()
        for name in measures_of(self.charge):
            if name in self.sums:
                labels, first = self.sums[name]
                values = numbers[first : first + len(labels)]
                found[name] = dict(zip(labels, values, strict=True))
            elif name in self.others:
                found[name] = self.others[name].evaluate(slots)
            else:
                found[name] = self.constant[name]
        return found


@attrs.frozen(eq=False)
class Program:
    """A version in a window, compiled for meters whose slots are alike.

    Attributes:
        version: The version.
        window: The window.
        passes: How readings are reduced to numbers.
        measures: What the measures of each charge give, in their order.
        printers: The lines, in their order.
        amounts: How amounts are rounded.
        assumptions: What is taken for granted of all meters.

    """

    version: Version
    window: Window
    passes: tuple[_Pass, ...]
    measures: tuple[_Measures, ...]
    printers: tuple[_Printer, ...]
    amounts: Amounts
    assumptions: tuple[Assumption, ...]

    @cached_property
    def work(self) -> int:
        """How many lines and steps a bill has at most."""
        return sum(1 + each.column.most_steps for each in self.printers)

    def cost(self, meter: Readings, terms: Terms) -> Cost | None:
        """Return what one meter costs; None where that is not for the program."""
        if not self._allows(terms):
            return None
        numbers = self._reduced(meter)
        if numbers is None:
            return None
        lines, total = list[CostLine](), 0
        for printer in self.printers:
            line, due = printer.line(printer.column.number(numbers))
            if line is not None:
                lines.append(line)
                total += due
        return self._cost(tuple(lines), total, meter, numbers, terms)

    def _allows(self, terms: Terms) -> bool:
        allowance = terms.allowance
        return allowance is None or allowance.has_room(len(self.printers), self.work)

    def _reduced(self, meter: Readings) -> list[int] | None:
        """Return the numbers of one meter; None where readings are missing, below zero or huge."""
        numbers = list[int]()
        for each in self.passes:
            values = meter[each.role]
            runs = each.runs(values)
            if each.checks:
                most = _highest(runs if each.shows else values) * len(values)
                if most > _LARGEST:
                    return None
            numbers += each.numbers(runs).tolist()
        return numbers

    def costs(self, meters: Sequence[Readings], terms: Sequence[Terms]) -> Iterator[Cost | None]:
        """Yield what each of many meters costs; None where that is not for the program."""
        for first in range(0, len(meters), _CHUNK):
            checkpoint()
            yield from self._chunk(meters[first : first + _CHUNK], terms[first : first + _CHUNK])

    def _chunk(self, meters: Sequence[Readings], terms: Sequence[Terms]) -> Iterator[Cost | None]:
        rows, bounds = self._matrix(meters)
        bound = max(bounds)
        columns = [map(p.line, p.column.numbers(rows, bound)) for p in self.printers]
        bills = zip(*columns, strict=True) if columns else repeat(())
        for at, (meter, own, bill) in enumerate(zip(meters, terms, bills, strict=False)):
            if not bounds[at] or not self._allows(own):
                yield None
                continue
            lines = tuple([line for line, _ in bill if line is not None])
            yield self._cost(lines, sum([due for _, due in bill]), meter, rows[at], own)

    def _matrix(self, meters: Sequence[Readings]) -> tuple[Int64, list[int]]:
        """Return the numbers of each meter, a row for each, and what bounds sums of each row.

        Of a meter whose readings are missing, below zero or huge, that is 0.
        """
        all_runs = [np.empty((len(meters), len(each.bounds)), np.int64) for each in self.passes]
        bounds = list[int]()
        for at, meter in enumerate(meters):  # all passes of one: its readings are near then
            bound = 1
            for each, runs in zip(self.passes, all_runs, strict=True):
                values = meter[each.role]
                each.runs(values, runs[at])
                if each.checks:
                    most = _highest(runs[at] if each.shows else values) * len(values)
                    bound = 0 if most > _LARGEST else bound and bound + most
            bounds.append(bound * _POWER)
        parts = [each.numbers(runs) for each, runs in zip(self.passes, all_runs, strict=True)]
        rows = np.concatenate(parts, axis=1) if parts else np.zeros((len(meters), 0), np.int64)
        rows[[not each for each in bounds]] = 0
        return rows, bounds

    def _cost(
        self,
        lines: tuple[CostLine, ...],
        total: int,
        meter: Readings,
        numbers: Sequence[int] | Int64,
        terms: Terms,
    ) -> Cost:
        amounts, assumptions = self.amounts, self.assumptions
        if terms.assumptions:
            assumptions = tuple(dict.fromkeys((*terms.assumptions, *assumptions)))
        if terms.allowance is not None:
            self._count(numbers, len(lines), terms)
        if amounts.decimals is None:
            text = shortest(total, amounts.places)
        else:
            text = fixed(total, amounts.decimals)
        origin = _Origin(self, meter, numbers)
        currency = self.window.currency
        return Cost(currency, text, lines, assumptions, dict(terms.state), origin, origin)

    def _count(self, numbers: Sequence[int] | Int64, lines: int, terms: Terms) -> None:
        row = numbers.tolist() if isinstance(numbers, np.ndarray) else numbers
        steps = sum(
            each.column.steps(row)
            for each in self.printers
            if each.column.always or each.column.number(row)
        )
        if terms.allowance is not None:
            terms.allowance.taken += lines + steps

    def slots(self, meter: Readings) -> Slots:
        """Return the usage of a meter as its measures see it."""
        window, intervals = self.window, dict(self.window.intervals)
        portions = {
            role: Portion(
                Grid(window.start, intervals[role], len(values)), values, int(values.max())
            )
            for role, values in meter.items()
        }
        return _slots(self.version, window, portions)


def _highest(values: Micro) -> int:
    """Return the highest value; what is below zero, or missing, is above all without its sign."""
    return int(np.maximum.reduce(values.view(np.uint64)))


def _slots(version: Version, window: Window, portions: Mapping[str, Portion]) -> Slots:
    return Slots(
        window.start,
        window.end,
        window.zone,
        version.types,
        portions,
        rounding=version.rounding,
    )


@attrs.define(eq=False)
class _Origin:
    """Where the lines of a meter come from: its charges tell, when somebody asks.

    Attributes:
        program: The program.
        meter: The readings.
        numbers: What they were reduced to.

    """

    program: Program
    meter: Readings
    numbers: Sequence[int] | Int64

    @property
    def versions(self) -> tuple[date, ...]:
        """When the version became valid."""
        return (self.program.version.valid_from,)

    @property
    def parts(self) -> tuple[CostPart, ...]:
        """The version, and what was measured for it."""
        return (CostPart(self.program.version.valid_from, self._measured),)

    @cached_property
    def details(self) -> tuple[Detail, ...]:
        """Where each of the lines comes from."""
        found = list[Detail]()
        for each in self.program.measures:
            code = code_of(each.charge)
            columns = [p.column for p in self.program.printers if p.column.charge == code]
            if any(column.stepped for column in columns):
                found += self._stepped(each.charge, columns)
                continue
            for column in columns:
                steps = () if column.constant is None else column.constant.line.steps
                found.append(Detail(code, steps))
        return tuple(found)

    def _stepped(self, charge: Charge, columns: Sequence[_Column]) -> Iterator[Detail]:
        """Yield where the lines of a charge come from that tells their steps."""
        version, code = self.program.version, code_of(charge)
        bill = BillSoFar((), rates=version.rounding, language=version.language or ENGLISH)
        with blamed(code):
            given = list(charge.lines(self._measured[code], bill))
        lines = [exact(code, line, version.rounding) for line in given if isinstance(line, Line)]
        numbers = [(column, column.number(self._row)) for column in columns]
        there = [column.exact(number) for column, number in numbers if number or column.always]
        if [(i.line.code, i.exact) for i in lines] != [(i.line.code, i.exact) for i in there]:
            raise _differ(code)
        for item in lines:
            yield Detail(code, item.line.steps)

    @cached_property
    def _row(self) -> list[int]:
        row = self.numbers
        return row.tolist() if isinstance(row, np.ndarray) else list(row)

    @cached_property
    def _measured(self) -> Mapping[str, Measured]:
        slots = self.program.slots(self.meter)
        return {
            code_of(each.charge): each.measured(self._row, slots) for each in self.program.measures
        }


def _differ(code: str) -> TypeError:
    return TypeError(f"{code}: the determinants of the charge are not those of its lines")


@CACHE.memo_again
def program(same: SameVersion, window: Window) -> Program | None:
    """Return the program of a version in a window; None where there can be none."""
    return compiled_program(same.version, window)


@CACHE.memo
def program_now(same: SameVersion, window: Window) -> Program | None:
    """Return the same, worked out at once: for many meters."""
    return compiled_program(same.version, window)


@attrs.frozen
class Windows:
    """Windows that follow each other, such as months: as `Window`, with several `bounds`."""

    bounds: tuple[Instant, ...]
    zone: Zone
    currency: str
    intervals: tuple[tuple[str, int], ...]


@CACHE.memo_again
def program_chain(same: SameVersion, windows: Windows) -> tuple[Program, ...] | None:
    """Return the program of each window; None where one has none, or slots lie across bounds."""
    first, programs = windows.bounds[0], list[Program]()
    for start, end in pairwise(windows.bounds):
        if any((end - first) % interval for _, interval in windows.intervals):
            return None
        window = Window(start, end, windows.zone, windows.currency, windows.intervals)
        found = program_now(same, window)
        if found is None:
            return None
        programs.append(found)
    return tuple(programs)


def compiled_program(version: Version, window: Window) -> Program | None:
    """Compile a version for a window, and try it; None where it is not for a program.

    Raises:
        TypeError: The determinants of a charge are not those of its lines.

    """
    if not version.rounding.is_of_lines or not all(map(_tells, version.charges)):
        return None
    try:
        return _Compiler(version, window).compiled()
    except EnergiaError:
        return None  # the charges themselves tell why


def _tells(charge: Charge) -> bool:
    return isinstance(charge, HasDeterminants) and all(
        says_both(type(charge), method, "determinants") for method in ("lines", "measures")
    )


@attrs.define(eq=False)
class _Compiler:
    """A version on its way to a program."""

    version: Version
    window: Window
    reductions: dict[Measure, Reduction] = attrs.Factory(dict)

    def compiled(self) -> Program | None:
        meter = {role: self._tried(interval) for role, interval in self.window.intervals}
        portions = {
            role: Portion(
                Grid(self.window.start, interval, len(meter[role])), meter[role], _TRIED[1]
            )
            for role, interval in self.window.intervals
        }
        slots = _slots(self.version, self.window, portions)
        language = self.version.language or ENGLISH
        running = Running(self.version.rounding, {}, language=language)
        for charge in self.version.charges:
            running.charge(Due(charge, slots))
        if running.state or not self._reduce(portions):
            return None
        program = self._program(running, tuple(slots.assumptions))
        if program is not None:
            self._try(program, running, meter)
        return program

    def _tried(self, interval: int) -> Micro:
        count = (self.window.end - self.window.start) // interval
        step, most = _TRIED
        values: Micro = np.arange(1, count + 1, dtype=np.int64) * step % most
        return values

    def _reduce(self, portions: Mapping[str, Portion]) -> bool:
        """Take the reductions of all measures of readings; tell whether each has one."""
        slots = _slots(self.version, self.window, portions)
        for charge in self.version.charges:
            for measure in measures_of(charge).values():
                if not measure.roles or measure in self.reductions:
                    continue
                if not isinstance(measure, HasReduction):
                    return False
                if not says_both(type(measure), "evaluate", "reduction"):
                    return False
                reduction = measure.reduction(slots)
                if reduction is None:
                    return False
                self.reductions[measure] = reduction
        return True

    def _program(self, running: Running, assumptions: tuple[Assumption, ...]) -> Program | None:
        passes, firsts = self._passes()
        measures, columns = list[_Measures](), list[_Column]()
        for charge in self.version.charges:
            of_charge = self._measures(charge, running, firsts)
            told = dict(of_charge.constant)
            places = dict[tuple[str, str], int]()
            for name, measure in measures_of(charge).items():
                if measure in self.reductions:
                    labels = self.reductions[measure].labels
                    told[name] = dict.fromkeys(labels, 0)
                    for at, label in enumerate(labels, firsts[measure]):
                        places[name, label] = at
            if not isinstance(charge, HasDeterminants):
                return None
            with blamed(code_of(charge)):
                given = charge.determinants(told, running.language)
                determinants = None if given is None else list(given)
            if determinants is None:
                return None
            for each in determinants:
                named = attrs.evolve(each, line=running.worded(charge, each.line))
                columns.append(_Column.of(code_of(charge), named, places, self.version.rounding))
            measures.append(of_charge)
        amounts = self._amounts(columns)
        if amounts is None:
            return None
        printers = tuple(_Printer.of(column, amounts) for column in columns)
        return Program(
            self.version,
            self.window,
            passes,
            tuple(measures),
            printers,
            amounts,
            assumptions,
        )

    def _passes(self) -> tuple[tuple[_Pass, ...], dict[Measure, int]]:
        """Return the passes over the readings, and where the numbers of each measure begin."""
        together: dict[tuple[object, ...], list[Measure]] = {}
        for measure, reduction in self.reductions.items():
            intervals = reduction.intervals
            fine = None if intervals is None else intervals.tobytes()
            key = reduction.role, reduction.of, fine
            together.setdefault(key, []).append(measure)
        passes, firsts, position = list[_Pass](), dict[Measure, int](), 0
        # Those first that show what readings there are.
        for key in sorted(together, key=lambda key: (key[1] != "highest", key[2] is not None)):
            measures = together[key]
            first = key[0] not in {each.role for each in passes}
            passes.append(_Pass.of([self.reductions[each] for each in measures], checks=first))
            for measure in measures:
                firsts[measure] = position
                position += len(self.reductions[measure].labels)
        return tuple(passes), firsts

    def _measures(
        self, charge: Charge, running: Running, firsts: Mapping[Measure, int]
    ) -> _Measures:
        measured = running.measured[code_of(charge)]
        constant = dict[str, Mapping[str, int]]()
        sums = dict[str, tuple[tuple[str, ...], int]]()
        others = dict[str, Measure]()
        for name, measure in measures_of(charge).items():
            reduction = self.reductions.get(measure)
            if reduction is None:
                constant[name] = measured[name]
            elif reduction.of == "sum":
                sums[name] = reduction.labels, firsts[measure]
            else:
                others[name] = measure
        return _Measures(charge, constant, sums, others)

    def _amounts(self, columns: Sequence[_Column]) -> Amounts | None:
        """Return how amounts are rounded; None where exact ones end in no decimal."""
        rounding = self.version.rounding
        decimals = rounding.grain(self.window.currency).decimals
        if decimals is not None:
            return Amounts(decimals, rounding.mode, decimals)
        places = [0]
        for column in columns:
            below = column.below * column.rate[0].denominator
            if column.constant is not None:
                below = column.constant.exact.denominator
            found = decimals_of(Fraction(1, below))
            if found is None:
                return None
            places.append(found)
        return Amounts(None, rounding.mode, max(places))

    def _try(self, program: Program, running: Running, meter: Readings) -> None:
        """Refuse a program that charges something else than the charges themselves."""
        bill = round_bill(running.lines, self.version.rounding, self.window.currency)
        lines = tuple(
            printed(item, amount.text)
            for item, amount in zip(running.items, bill.amounts, strict=True)
        )
        cost = program.cost(meter, Terms())
        if cost is None:
            return
        for one, other in zip(lines, cost.lines, strict=False):
            if one != other:
                raise _differ(one.code)
        if len(lines) != len(cost.lines) or bill.total != cost.total:
            raise _differ(", ".join(map(code_of, self.version.charges)))
