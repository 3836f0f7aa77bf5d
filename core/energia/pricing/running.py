"""Runs the charges of a version in their order: exact lines, and what replaces them."""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import attrs

from energia.pricing.charges import Charge, Measure, Measured
from energia.pricing.exact import fraction
from energia.pricing.lines import NOTHING, BillSoFar, Line, Remembered, Replace, State
from energia.pricing.rounding import Rounding
from energia.pricing.slots import Slots


@attrs.frozen
class Item:
    """A line with its exact amount.

    Attributes:
        charge: The code of its charge.
        line: The line, as its charge, or the last that replaced it, states it.
        exact: Its amount before rounding.
        rate: The text of the rate that was multiplied.
        replaced_by: The codes of the charges that replaced it, in their order.

    """

    charge: str
    line: Line
    exact: Fraction
    rate: str | None
    replaced_by: tuple[str, ...] = ()

    @property
    def so_far(self) -> Line:
        """The line as later charges see it."""
        return attrs.evolve(self.line, amount=self.exact, charge=self.charge)


@attrs.frozen
class _Ran:
    """A charge that ran, the bill as it found it, and the usage that it ran on."""

    charge: Charge
    bill: BillSoFar
    slots: Slots


@attrs.define
class Running:
    """The charges of a version at work, in their order.

    Attributes:
        rounding: How the version rounds rates.
        state: What each charge remembers, by its code; kept up to date.
        items: The lines so far.
        measured: What the measures of each charge gave, by its code.

    """

    rounding: Rounding
    state: dict[str, Remembered]
    items: list[Item] = attrs.Factory(list)
    measured: dict[str, Measured] = attrs.Factory(dict)
    _known: dict[tuple[Slots, Measure], Mapping[str, int]] = attrs.Factory(dict)
    _lines: list[Line] = attrs.Factory(list)
    _ran: dict[str, _Ran] = attrs.Factory(dict)

    def charge(self, charge: Charge, slots: Slots) -> None:
        """Run one charge on some usage; it sees the exact lines of those before it."""
        code = code_of(charge)
        measured = self._measure(charge.measures(), slots)
        bill = self._so_far(code)
        given = self._take(code, charge.lines(measured, bill))
        self.measured[code], self._ran[code] = measured, _Ran(charge, bill, slots)
        if len(given) > 1:
            raise TypeError(f"{code}: a charge gives one State")
        for one in given:
            self.state[code] = one.values

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
            lambda line: _worth(code, line, self.rounding),
        )

    def _measure(self, measures: Mapping[str, Measure], slots: Slots) -> Measured:
        for measure in measures.values():
            if (slots, measure) not in self._known:
                self._known[slots, measure] = measure.evaluate(slots)
        return {name: self._known[slots, measure] for name, measure in measures.items()}

    def _take(self, code: str, given: Iterable[Line | Replace | State]) -> list[State]:
        """Take the lines that a charge gives; return its states."""
        states: list[State] = []
        for one in given:
            if isinstance(one, State):
                states.append(one)
            elif isinstance(one, Replace):
                self._replace(code, one)
            else:
                item = exact(code, one, self.rounding)
                self.items.append(item)
                self._lines.append(item.so_far)
        return states

    def _replace(self, by: str, one: Replace) -> None:
        """Put another line into the place of one of an earlier charge."""
        at = next((at for at, line in enumerate(self._lines) if line is one.old), None)
        if at is None or self.items[at].charge == by:
            raise TypeError(f"{by}: only lines of the charges before can be replaced, each once")
        item = exact(self.items[at].charge, one.new, self.rounding)
        replaced_by = (*self.items[at].replaced_by, by)
        self.items[at] = attrs.evolve(item, replaced_by=replaced_by)
        self._lines[at] = self.items[at].so_far

    def _again(self, code: str, measured: Measured) -> tuple[Line, ...]:
        """Return what an earlier charge charges for other quantities."""
        ran = self._before(code)
        given = ran.charge.lines({**self.measured[code], **measured}, ran.bill)
        return tuple(exact(code, one, self.rounding).so_far for one in given if type(one) is Line)

    def _remeasured(self, code: str, change: Callable[[Slots], Slots]) -> Measured:
        """Return what the measures of an earlier charge give for other usage."""
        ran = self._before(code)
        slots = change(ran.slots)
        return {name: one.evaluate(slots) for name, one in ran.charge.measures().items()}

    def _before(self, code: str) -> _Ran:
        if code not in self._ran:
            raise LookupError(f"no charge before has the code {code!r}")
        return self._ran[code]


def code_of(charge: Charge) -> str:
    """Return what names *charge* in its version."""
    return charge.code or charge.kind


def _worth(code: str, line: Line, rounding: Rounding) -> Fraction:
    """Return the exact amount of a line, which may be on the bill already."""
    return exact(code, attrs.evolve(line, steps=()), rounding).exact


def exact(code: str, line: Line, rounding: Rounding) -> Item:
    """Return *line* with its exact amount, which its steps must explain."""
    rate, text = (None, None) if line.rate is None else rounding.rate(line.rate)
    if line.amount is not None:
        explained, amount = line.amount, fraction(line.amount)
    elif line.quantity is not None and rate is not None:
        explained, amount = line.quantity, fraction(line.quantity) * rate
    else:
        raise TypeError(f"{code}: a line needs an amount, or a quantity and a rate")
    if line.steps and sum(fraction(step.value) for step in line.steps) != fraction(explained):
        raise TypeError(f"{code}: the steps of {line.code} do not add up")
    return Item(code, line, amount, text)
