"""A version of a tariff in a window, compiled: many meters are priced by a few numbers of each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Final, TypeAlias

import attrs
import numpy as np

from energia.metering.series import Micro
from energia.pricing.calendar import Grid
from energia.pricing.charges import Charge, Measure, Measured, blamed, code_of, measures_of
from energia.pricing.columns import LARGEST, POWER, Amounts, Column, Pass, Printer, Sheet, highest
from energia.pricing.cost import Cost, CostLine, CostPart, Detail, exact
from energia.pricing.lines import BillSoFar, Line
from energia.pricing.slots import Assumption, Portion, Slots
from energia.pricing.tariffs import Version
from energia.pricing.usage import Terms
from energia.pricing.wording import ENGLISH
from energia.time import Instant, Int64, Zone
from energia.work import checkpoint

#: So many meters are worked on at a time, or as many as have so many numbers together: enough for
#: arrays to pay, and some megabytes.
_CHUNK: Final = 512
_NUMBERS: Final = 2**20

#: The readings of a meter in a window, by role: micro-units, none missing.
Readings: TypeAlias = Mapping[str, Micro]
#: Finds the number of a column among those of a meter.
Number: TypeAlias = Callable[[Sequence[int]], int]
#: Where the slots of a window begin and end among those of a meter, by role.
Part: TypeAlias = Mapping[str, slice]


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


@attrs.frozen(eq=False)
class ChargeMeasures:
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

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the measures, in the order of the charge."""
        return tuple(measures_of(self.charge))

    def measured(self, numbers: Sequence[int], slots: Callable[[], Slots]) -> Measured:
        """Return what they give of a meter, given its numbers and its usage."""
        found = dict[str, Mapping[str, int]]()
        for name in self.names:
            if name in self.sums:
                labels, first = self.sums[name]
                values = numbers[first : first + len(labels)]
                found[name] = dict(zip(labels, values, strict=True))
            elif name in self.others:
                found[name] = self.others[name].evaluate(slots())
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
    passes: tuple[Pass, ...]
    measures: tuple[ChargeMeasures, ...]
    printers: tuple[Printer, ...]
    amounts: Amounts
    assumptions: tuple[Assumption, ...]

    @cached_property
    def sheet(self) -> Sheet:
        """Writes the lines of many meters."""
        return Sheet(self.printers, self.amounts)

    @cached_property
    def _writers(self) -> list[tuple[Callable[[int], tuple[CostLine | None, int]], Number]]:
        """What writes each line, and finds the number for it."""
        return [(each.line, each.column.number) for each in self.printers]

    @cached_property
    def details(self) -> tuple[Detail, ...] | None:
        """Where the lines of all meters come from, if none tells its steps."""
        if any(printer.column.stepped for printer in self.printers):
            return None
        columns = [p.column for each in self.measures for p in self.printers_of(each.charge)]
        return tuple(column.detail for column in columns)

    def printers_of(self, charge: Charge) -> list[Printer]:
        """Return the lines of a charge."""
        code = code_of(charge)
        return [each for each in self.printers if each.column.charge == code]

    @cached_property
    def work(self) -> int:
        """How many lines and steps a bill has at most."""
        return sum(1 + each.column.most_steps for each in self.printers)

    def cost(self, meter: Readings, terms: Terms) -> Cost | None:
        """Return what one meter costs; None where that is not for the program."""
        if not self.allows(terms):
            return None
        numbers = reduced(self.passes, meter)
        return None if numbers is None else self.bill(meter, numbers, terms)

    def bill(
        self, meter: Readings, numbers: Sequence[int], terms: Terms, part: Part | None = None
    ) -> Cost:
        """Return what one meter costs, given its numbers, and which slots of it are the window."""
        lines, total = list[CostLine](), 0
        for written, number in self._writers:
            line, due = written(number(numbers))
            if line is not None:
                lines.append(line)
                total += due
        text = self.amounts.total(total)
        return self._cost(tuple(lines), text, _Origin(self, meter, numbers, part), terms)

    def allows(self, terms: Terms) -> bool:
        """Tell whether a bill is within what may be made at the most."""
        allowance = terms.allowance
        return allowance is None or allowance.has_room(len(self.printers), self.work)

    def costs(self, meters: Sequence[Readings], terms: Sequence[Terms]) -> Iterator[Cost | None]:
        """Yield what each of many meters costs; None where that is not for the program."""
        size = _size(self.passes)
        for first in range(0, len(meters), size):
            checkpoint()
            chunk = meters[first : first + size]
            rows, bounds = matrix(self.passes, chunk)
            yield from self.bills(chunk, rows, bounds, terms[first : first + size])

    def bills(
        self,
        meters: Sequence[Readings],
        rows: Int64,
        bounds: Sequence[int],
        terms: Sequence[Terms],
        part: Part | None = None,
    ) -> Iterator[Cost | None]:
        """Yield what meters cost, given the numbers of each and what bounds them, as `matrix`.

        *part* is which slots of each meter are the window, if not all of them are.
        """
        bills, totals = self.sheet.bills(rows, max(bounds))
        each = zip(bounds, bills, totals, meters, rows, terms, strict=False)
        for bound, lines, total, meter, numbers, own in each:
            if bound and self.allows(own):
                yield self._cost(lines, total, _Origin(self, meter, numbers, part), own)
            else:
                yield None

    def _cost(
        self, lines: tuple[CostLine, ...], total: str, origin: "_Origin", terms: Terms
    ) -> Cost:
        assumptions = self.assumptions
        if terms.assumptions:
            assumptions = tuple(dict.fromkeys((*terms.assumptions, *assumptions)))
        if terms.allowance is not None:
            self._count(origin.numbers, len(lines), terms)
        currency = self.window.currency
        return Cost(currency, total, lines, assumptions, dict(terms.state), origin, origin)

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
        return slots_of(self.version, window, portions)


def _size(passes: Sequence[Pass]) -> int:
    """Return how many meters are worked on at a time."""
    runs = max((len(each.bounds) for each in passes), default=1)
    return max(1, min(_CHUNK, _NUMBERS // runs))


def matrix(passes: Sequence[Pass], meters: Sequence[Readings]) -> tuple[Int64, list[int]]:
    """Return the numbers of each meter, a row for each, and what bounds sums of each row.

    Of a meter whose readings are missing, below zero or huge, that is 0.
    """
    all_runs = [np.empty((len(meters), len(each.bounds)), np.int64) for each in passes]
    bounds = list[int]()
    for at, meter in enumerate(meters):  # all passes of one: its readings are near then
        bound = 1
        for each, runs in zip(passes, all_runs, strict=True):
            values = meter[each.role]
            each.runs(values, runs[at])
            if each.checks:  # after its runs: they take long enough for the readings to come by
                most = highest(runs[at] if each.shows else values) * len(values)
                bound = 0 if most > LARGEST else bound and bound + most
        bounds.append(bound * POWER)
    parts = [each.numbers(runs) for each, runs in zip(passes, all_runs, strict=True)]
    rows = np.concatenate(parts, axis=1) if parts else np.zeros((len(meters), 0), np.int64)
    rows[[not each for each in bounds]] = 0
    return rows, bounds


def reduced(passes: Sequence[Pass], meter: Readings) -> list[int] | None:
    """Return the numbers of one meter; None where readings are missing, below zero or huge."""
    numbers = list[int]()
    for each in passes:
        values = meter[each.role]
        runs = each.runs(values)
        if each.checks:
            most = highest(runs if each.shows else values) * len(values)
            if most > LARGEST:
                return None
        numbers += each.numbers(runs).tolist()
    return numbers


@attrs.frozen(eq=False)
class Chain:
    """Programs of windows that follow each other, such as months: one pass takes all numbers.

    Attributes:
        programs: That of each window, in order.
        passes: Those of all of them, as one.
        places: Which of the numbers are those of each program.
        parts: Where the slots of each role begin and end, of each window.

    """

    programs: tuple[Program, ...]
    passes: tuple[Pass, ...]
    places: tuple[Int64, ...]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, programs: Sequence[Program]) -> "Chain | None":
        """Return the chain of programs of one version; None where their passes are not alike."""
        if len({len(each.passes) for each in programs}) != 1:
            return None
        first, parts = programs[0].window, list[Part]()
        for window in (each.window for each in programs):
            start, end = window.start - first.start, window.end - first.start
            parts.append({r: slice(start // step, end // step) for r, step in window.intervals})
        passes, position = list[Pass](), 0
        places: list[list[Int64]] = [[] for _ in programs]
        for same in zip(*(each.passes for each in programs), strict=True):
            slots = [part[same[0].role] for part in parts]
            joined = Pass.joined(same, [each.stop - each.start for each in slots])
            if joined is None:
                return None
            passes.append(joined)
            for each, of_program in zip(same, places, strict=True):
                of_program.append(np.arange(position, position + len(each.starts)))
                position += len(each.starts)
        none = np.zeros(0, np.int64)
        joint = tuple(np.concatenate([none, *each]) for each in places)
        return cls(tuple(programs), tuple(passes), joint, tuple(parts))

    def cost(self, meter: Readings, terms: Terms) -> list[Cost] | None:
        """Return what one meter costs in each window; None where that is not for the programs."""
        numbers, costs = reduced(self.passes, meter), list[Cost]()
        if numbers is None:
            return None
        taken = terms.allowance and terms.allowance.taken
        for each, places, part in zip(self.programs, self.places, self.parts, strict=True):
            checkpoint()
            if not each.allows(terms):
                if terms.allowance is not None:
                    terms.allowance.taken = taken or 0
                return None
            own = [numbers[place] for place in places.tolist()]
            costs.append(each.bill(meter, own, terms, part))
        return costs

    def costs(
        self, meters: Sequence[Readings], terms: Sequence[Terms]
    ) -> Iterator[list[Cost] | None]:
        """Yield what each of many meters costs, window by window; None where that is not for it."""
        size = _size(self.passes)
        for first in range(0, len(meters), size):
            chunk, own = meters[first : first + size], terms[first : first + size]
            rows, bounds = matrix(self.passes, chunk)
            bills = list[list[Cost | None]]()
            for each, places, part in zip(self.programs, self.places, self.parts, strict=True):
                checkpoint()
                of_window = rows.take(places, axis=1)
                bills.append(list(each.bills(chunk, of_window, bounds, own, part)))
            for costs in zip(*bills, strict=True):
                there = [cost for cost in costs if cost is not None]
                yield there if len(there) == len(costs) else None


def slots_of(version: Version, window: Window, portions: Mapping[str, Portion]) -> Slots:
    """Return the usage of a meter in a window."""
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
        part: Which of the slots are the window of the program; None where all are.

    """

    program: Program
    meter: Readings
    numbers: Sequence[int] | Int64
    part: Part | None

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
        if self.program.details is not None:
            return self.program.details
        found = list[Detail]()
        for each in self.program.measures:
            columns = [printer.column for printer in self.program.printers_of(each.charge)]
            if any(column.stepped for column in columns):
                found += self._stepped(each.charge, columns)
            else:
                found += [column.detail for column in columns]
        return tuple(found)

    def _stepped(self, charge: Charge, columns: Sequence[Column]) -> Iterator[Detail]:
        """Yield where the lines of a charge come from that tells their steps."""
        version, code = self.program.version, code_of(charge)
        bill = BillSoFar((), rates=version.rounding, language=version.language or ENGLISH)
        with blamed(code):
            given = list(charge.lines(self._measured[code], bill))
        lines = [exact(code, line, version.rounding) for line in given if isinstance(line, Line)]
        numbers = [(column, column.number(self._row)) for column in columns]
        there = [column.exact(number) for column, number in numbers if number or column.always]
        if [(i.line.code, i.exact) for i in lines] != [(i.line.code, i.exact) for i in there]:
            raise differ(code)
        for item in lines:
            yield Detail(code, item.line.steps)

    @cached_property
    def _row(self) -> list[int]:
        row = self.numbers
        return row.tolist() if isinstance(row, np.ndarray) else list(row)

    @cached_property
    def _slots(self) -> Slots:
        meter, part = self.meter, self.part
        if part is not None:
            meter = {role: values[part[role]] for role, values in meter.items()}
        return self.program.slots(meter)

    @cached_property
    def _measured(self) -> Mapping[str, Measured]:
        return {
            code_of(each.charge): each.measured(self._row, lambda: self._slots)
            for each in self.program.measures
        }


def differ(code: str) -> TypeError:
    """Return that what a charge says in two ways is not the same."""
    return TypeError(f"{code}: the determinants of the charge are not those of its lines")
