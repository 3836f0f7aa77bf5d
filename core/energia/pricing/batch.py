"""Prices of many meters in one call: what they share is compiled, the rest is numbers of each.

A `Program` is a version of a tariff in a window, for readings of slots of some lengths: which slots
each determinant takes, and what its line is, its rate and all its texts. Of a meter it takes its
readings, reduces them to some numbers, and multiplies. Lines are those that the charges would give
one by one, to the last digit; that is tried once for each program. What a program is not made for,
such as a charge without determinants, readings that are missing or below zero, or rounding by
rules, is priced meter by meter.
"""

import weakref
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import attrs
import numpy as np

from energia.errors import EnergiaError
from energia.metering.series import QUALITIES, Micro, Series
from energia.pricing.cache import CACHE
from energia.pricing.calendar import Grid
from energia.pricing.charges import Charge, Measure, blamed, code_of, measures_of
from energia.pricing.columns import Amounts, Column, Pass, Printer
from energia.pricing.cost import printed
from energia.pricing.determinants import (
    HasDeterminants,
    HasReduction,
    Reduction,
    says_both,
)
from energia.pricing.exact import (
    decimals_of,
)
from energia.pricing.program import (
    Chain,
    ChargeMeasures,
    Program,
    Readings,
    Window,
    differ,
    slots_of,
)
from energia.pricing.rounding import round_bill
from energia.pricing.running import Running
from energia.pricing.segments import Due
from energia.pricing.slots import Assumption, Portion
from energia.pricing.tariffs import Version
from energia.pricing.usage import Terms, Usage
from energia.pricing.wording import ENGLISH
from energia.time import Instant, Zone

_QUESTIONABLE: Final = QUALITIES.index("questionable")
#: The readings with which a program is tried: any that differ from slot to slot.
_TRIED: Final = (7_919, 3_000_000)

#: So many slots a program is for at most, of two years of quarter-hours: longer windows are rare,
#: and what is kept for them is large.
_LONGEST: Final = 2 * 366 * 96


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
def program_chain(same: SameVersion, windows: Windows) -> Chain | None:
    """Return the programs of the windows; None where one has none, or slots lie across bounds."""
    return _chain(same, windows)


@CACHE.memo
def program_chain_now(same: SameVersion, windows: Windows) -> Chain | None:
    """Return the same, worked out at once: for many meters."""
    return _chain(same, windows)


def _chain(same: SameVersion, windows: Windows) -> Chain | None:
    first, programs = windows.bounds[0], list[Program]()
    for start, end in pairwise(windows.bounds):
        if any((end - first) % interval for _, interval in windows.intervals):
            return None
        window = Window(start, end, windows.zone, windows.currency, windows.intervals)
        found = program_now(same, window)
        if found is None:
            return None
        programs.append(found)
    return Chain.of(programs)


def compiled_program(version: Version, window: Window) -> Program | None:
    """Compile a version for a window, and try it; None where it is not for a program.

    Raises:
        TypeError: The determinants of a charge are not those of its lines.

    """
    length = window.end - window.start
    if any(length > _LONGEST * interval for _, interval in window.intervals):
        return None
    if version.lacks_holidays or not version.rounding.is_of_lines:
        return None
    if not all(map(_tells, version.charges)):
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
        slots = slots_of(self.version, self.window, portions)
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
        slots = slots_of(self.version, self.window, portions)
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
        measures, columns = list[ChargeMeasures](), list[Column]()
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
                columns.append(Column.of(code_of(charge), named, places, self.version.rounding))
            measures.append(of_charge)
        amounts = self._amounts(columns)
        if amounts is None:
            return None
        printers = tuple(Printer.of(column, amounts) for column in columns)
        return Program(
            self.version,
            self.window,
            passes,
            tuple(measures),
            printers,
            amounts,
            assumptions,
        )

    def _passes(self) -> tuple[tuple[Pass, ...], dict[Measure, int]]:
        """Return the passes over the readings, and where the numbers of each measure begin."""
        together: dict[tuple[str, str, bytes | None], list[Measure]] = {}
        for measure, reduction in self.reductions.items():
            intervals = reduction.intervals
            fine = None if intervals is None else intervals.tobytes()
            key = reduction.role, reduction.of, fine
            together.setdefault(key, []).append(measure)
        passes, firsts, position = list[Pass](), dict[Measure, int](), 0
        # Those first that show what readings there are.
        order = sorted(together, key=lambda key: (key[1] != "highest", key[2] is not None))
        for measures in (together[key] for key in order):
            role = self.reductions[measures[0]].role
            first = role not in {each.role for each in passes}
            passes.append(Pass.of([self.reductions[each] for each in measures], checks=first))
            for measure in measures:
                firsts[measure] = position
                position += len(self.reductions[measure].labels)
        return tuple(passes), firsts

    def _measures(
        self, charge: Charge, running: Running, firsts: Mapping[Measure, int]
    ) -> ChargeMeasures:
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
        return ChargeMeasures(charge, constant, sums, others)

    def _amounts(self, columns: Sequence[Column]) -> Amounts | None:
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
                raise differ(one.code)
        if len(lines) != len(cost.lines) or bill.total != cost.total:
            raise differ(", ".join(map(code_of, self.version.charges)))
