"""The charges of a version at work: lines one after another, each exact."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Final

import attrs
import numpy as np

from energia.errors import Inexact
from energia.pricing.allowance import Allowance
from energia.pricing.charges import BaseCharge, Charge, Measure, Measured, blamed, code_of
from energia.pricing.cost import Item, exact
from energia.pricing.exact import RateRounding
from energia.pricing.lines import NOTHING, BillSoFar, Line, Remembered, Replace, State
from energia.pricing.segments import Due
from energia.pricing.slots import NeedsFiner, Slots
from energia.pricing.wording import ENGLISH
from energia.work import checkpoint

_WANTED: Final = "Line, Replace or State"


@attrs.frozen
class _Ran:
    """A charge that ran, on which usage, and the bill as it found it."""

    due: Due
    bill: BillSoFar

    @property
    def charge(self) -> Charge:
        """The charge."""
        return self.due.charge


@attrs.define
class Running:
    """The charges of a version at work, in their order.

    Attributes:
        rounding: How the version rounds rates.
        state: What each charge remembers, by its code; kept up to date.
        items: The lines so far.
        measured: What the measures of each charge gave, by its code.
        allowance: Counts the lines, and ends what makes too many of them.
        language: In which lines are named.

    """

    rounding: RateRounding
    state: dict[str, Remembered]
    allowance: Allowance = attrs.Factory(Allowance)
    language: str = ENGLISH
    items: list[Item] = attrs.Factory(list)
    measured: dict[str, Measured] = attrs.Factory(dict)
    _known: dict[tuple[Slots, Measure], Mapping[str, int]] = attrs.Factory(dict)
    _lines: list[Line] = attrs.Factory(list)
    #: Where each line is, by its identity.
    _places: dict[int, int] = attrs.Factory(dict)
    _ran: dict[str, _Ran] = attrs.Factory(dict)

    @property
    def lines(self) -> Sequence[Line]:
        """The lines so far, each with its exact amount; as many as `items`."""
        return self._lines

    def charge(self, due: Due) -> None:
        """Run one charge on its usage; it sees the exact lines of those before it."""
        checkpoint()
        charge, code = due.charge, code_of(due.charge)
        with blamed(code):
            try:
                measured = due.measured(self._evaluated)
            except NeedsFiner as error:
                message = f"the charge {code} needs finer readings: {error.detail}"
                raise NeedsFiner.of(NeedsFiner.code, message) from None
            bill = self._so_far(code)
            try:
                given = self._take(charge, charge.lines(measured, bill))
                for state in given:
                    refuse_floats(state.values)
            except Inexact as error:
                raise Inexact(f"charge {code}: {error.detail}") from error
        self.measured[code], self._ran[code] = measured, _Ran(due, bill)
        if len(given) > 1:
            raise TypeError(f"{code}: a charge gives one State")
        for state in given:
            self.state[code] = state.values

    def _so_far(self, code: str) -> BillSoFar:
        """Return the bill as the charge with this code finds it."""
        return BillSoFar(
            tuple(self._lines),
            self.state.get(code, NOTHING),
            dict(self.measured),
            self._again,
            {before: ran.charge.channel for before, ran in self._ran.items()},
            {before: ran.charge.kind for before, ran in self._ran.items()},
            self._remeasured,
            partial(_worth, code, self.rounding),
            self.rounding,
            self.language,
        )

    def _evaluated(self, measure: Measure, slots: Slots) -> Mapping[str, int]:
        """Return what a measure gives, which charges that ask for the same share."""
        if (slots, measure) not in self._known:
            self._known[slots, measure] = measure.evaluate(slots)
        return self._known[slots, measure]

    def _take(self, charge: Charge, given: Iterable[Line | Replace | State]) -> list[State]:
        """Take the lines that a charge gives; return its states."""
        code, states = code_of(charge), list[State]()
        for result in _several(given):
            if isinstance(result, State):
                states.append(result)
            elif isinstance(result, Replace):
                self._replace(code, result)
            elif not isinstance(result, Line):
                raise TypeError(f"`lines` gives {_WANTED}, not {type(result).__name__}")
            else:
                self.allowance.take(code, result)
                item = exact(code, self.worded(charge, result), self.rounding)
                self.items.append(item)
                self._put(len(self._lines), item.so_far)
        return states

    def worded(self, charge: Charge, line: Line) -> Line:
        """Return a line that is called what its charge is called, in the language of the tariff."""
        if self.language == ENGLISH or not isinstance(charge, BaseCharge):
            return line
        if line.description != charge.text(line.period, line.component):
            return line
        text = charge.text(line.period, line.component, self.language)
        return attrs.evolve(line, description=text)

    def _replace(self, by: str, replacement: Replace) -> None:
        """Put another line into the place of one of an earlier charge."""
        index = self._places.get(id(replacement.old))
        if index is None or self.items[index].charge == by:
            raise TypeError(f"{by}: only lines of the charges before can be replaced, each once")
        self.allowance.take(by, replacement.new, more=0)
        item = exact(self.items[index].charge, replacement.new, self.rounding)
        replaced_by = (*self.items[index].replaced_by, by)
        self.items[index] = attrs.evolve(item, replaced_by=replaced_by)
        del self._places[id(replacement.old)]
        self._put(index, self.items[index].so_far)

    def _put(self, index: int, line: Line) -> None:
        """Put a line at its place, which is the next one or that of a line that was replaced."""
        if index == len(self._lines):
            self._lines.append(line)
        else:
            self._lines[index] = line
        self._places[id(line)] = index

    def _again(self, code: str, measured: Measured) -> tuple[Line, ...]:
        """Return what an earlier charge charges for other quantities."""
        ran = self._before(code)
        given = ran.charge.lines({**self.measured[code], **measured}, ran.bill)
        return tuple(
            exact(code, line, self.rounding).so_far for line in given if type(line) is Line
        )

    def _remeasured(self, code: str, change: Callable[[Slots], Slots]) -> Measured:
        """Return what the measures of an earlier charge give for other usage."""
        due = self._before(code).due
        *before, slots = map(change, (*due.before, due.slots))
        return Due(due.charge, slots, tuple(before)).measured()

    def _before(self, code: str) -> _Ran:
        if code not in self._ran:
            raise LookupError(f"no charge before has the code {code!r}")
        return self._ran[code]


def _several(given: object) -> Iterable[object]:
    """Return what a charge gives; raises `TypeError` where it gives no several things."""
    if not isinstance(given, Iterable):
        raise TypeError(f"`lines` gives several {_WANTED}, not {type(given).__name__}")
    return given


def _worth(code: str, rounding: RateRounding, line: Line) -> Fraction:
    """Return the exact amount of a line, which may be on the bill already."""
    return exact(code, attrs.evolve(line, steps=()), rounding).exact


def refuse_floats(remembered: object, place: str = "") -> None:
    """Refuse a float in what a charge remembers; raises `Inexact`, which names its place."""
    if isinstance(remembered, float | np.generic):
        raise Inexact(f"its State: {place}: {remembered!r}: numbers are remembered as strings")
    if isinstance(remembered, Mapping):
        for name, value in remembered.items():
            refuse_floats(value, f"{place}/{name}")
    elif isinstance(remembered, list | tuple):
        for at, value in enumerate(remembered):
            refuse_floats(value, f"{place}/{at}")
