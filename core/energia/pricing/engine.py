"""What usage costs under a tariff: exact lines, rounded once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Final

import attrs
import numpy as np

from energia import tracing
from energia.codes import minor_digits
from energia.errors import Inexact
from energia.pricing.allowance import Allowance
from energia.pricing.charges import BaseCharge, Charge, Measure, Measured, blamed, code_of
from energia.pricing.exact import (
    RateRounding,
    decimal_text,
    exact_sum,
    exact_text,
    factor_texts,
    fraction,
    padded,
)
from energia.pricing.lines import NOTHING, BillSoFar, Line, Remembered, Replace, State, Step
from energia.pricing.rounding import ENDLESS, Rounded, round_bill
from energia.pricing.segments import Due, Segment, segments
from energia.pricing.slots import Assumption, NeedsFiner, Slots
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, Usage
from energia.pricing.wording import ENGLISH, Texts, in_language
from energia.time import Instant
from energia.work import checkpoint

#: A quantity without a rate that no decimal ends is shown with so many decimals.
_SHOWN: Final = 6
_WANTED: Final = "Line, Replace or State"
_ROUNDING: Final[Texts] = {"en": "Rounding", "pt-BR": "Arredondamento"}


@attrs.frozen
class Item:
    """A line with its exact amount.

    Attributes:
        charge: The code of its charge.
        line: The line, as its charge, or the last that replaced it, states it.
        exact: Its amount before rounding.
        rate: The text of the rate that was multiplied, `n/d` where no decimal ends.
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
                item = exact(code, self._worded(charge, result), self.rounding)
                self.items.append(item)
                self._put(len(self._lines), item.so_far)
        return states

    def _worded(self, charge: Charge, line: Line) -> Line:
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


def exact(code: str, line: Line, rounding: RateRounding) -> Item:
    """Return *line* with its exact amount, which its steps must explain.

    Raises:
        Inexact: A number of it is a float; the message names it.

    """
    try:
        return _item(code, line, rounding)
    except Inexact:
        _refuse_floats_of(line)
        raise


def _refuse_floats_of(line: Line) -> None:
    """Name the number of a line that is not exact; raises `Inexact`."""
    numbers = {"quantity": line.quantity, "rate": line.rate, "amount": line.amount}
    numbers |= {f"steps[{at}].value": step.value for at, step in enumerate(line.steps)}
    for name, number in numbers.items():
        try:
            _ = number is None or fraction(number)
        except Inexact as error:
            raise Inexact(f"line {line.code}: {name}: {error.detail}") from None


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


def _item(code: str, line: Line, rounding: RateRounding) -> Item:
    rate, text = (None, None) if line.rate is None else rounding.rate(line.rate)
    if line.amount is not None:
        explained, amount = line.amount, fraction(line.amount)
    elif line.quantity is not None and rate is not None:
        explained, amount = line.quantity, fraction(line.quantity) * rate
    else:
        raise TypeError(f"{code}: a line needs an amount, or a quantity and a rate")
    if line.steps and exact_sum(step.value for step in line.steps) != fraction(explained):
        raise TypeError(f"{code}: the steps of {line.code} do not add up")
    return Item(code, line, amount, text)


@attrs.frozen(kw_only=True)
class CostLine:
    """One line of a cost.

    Attributes:
        code: `<charge code>[.<period>][.<component>]`.
        description: For a person.
        quantity: How much, in `unit`; see `quantity_exact`.
        unit: The unit of the quantity.
        rate: The price of one unit that was multiplied; see `rate_exact`.
        amount: In the tariff's currency, rounded as the tariff says: a decimal.
        exact: The amount before rounding: a decimal, or n/d where none ends.
        period: The period of the schedule.
        component: The part of the rate.
        version: When the version of the tariff became valid that charges it, where several do.
        quantity_exact: The quantity n/d, where no decimal ends: `quantity` is rounded then, to six
            decimals or to as many as it takes for quantity x rate to be the amount.
        rate_exact: The rate n/d, where no decimal ends: `rate` is rounded likewise.

    """

    code: str
    description: str
    quantity: str | None = None
    unit: str | None = None
    rate: str | None = None
    amount: str
    exact: str
    period: str | None = None
    component: str | None = None
    version: date | None = None
    quantity_exact: str | None = None
    rate_exact: str | None = None

    @property
    def factors(self) -> tuple[Fraction, Fraction] | None:
        """The exact quantity and rate, if it has both."""
        if self.quantity is None or self.rate is None:
            return None
        quantity, rate = self.quantity_exact or self.quantity, self.rate_exact or self.rate
        return Fraction(quantity), Fraction(rate)

    @property
    def title(self) -> str:
        """The description, and which version charges it, where several do."""
        return f"{self.description} (from {self.version})" if self.version else self.description


@attrs.frozen
class Detail:
    """Where a line comes from.

    Attributes:
        charge: The code of its charge; None for the line that rounds the total.
        steps: How its amount, or else its quantity, was worked out.
        replaced_by: The codes of later charges that put another line into its place.
        part: Which version charges it: an index into the parts of the cost.
        rate_steps: How its rate was worked out, where later charges changed it.
        rule: Which rule of the last version rounded its amount, counted from 0; None where the
            version itself did.

    """

    charge: str | None
    steps: tuple[Step, ...] = ()
    replaced_by: tuple[str, ...] = ()
    part: int = 0
    rate_steps: tuple[str, ...] = ()
    rule: int | None = None


@attrs.frozen
class CostPart:
    """What one version of the tariff was charged by.

    Attributes:
        version: When the version became valid.
        measured: What the measures of each of its charges gave, by its code.

    """

    version: date
    measured: Mapping[str, Measured]


@attrs.frozen
class Cost:
    """What usage costs.

    Attributes:
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        lines: What the charges charge, in their order.
        assumptions: What was taken for granted.
        state: What each charge remembers for the next bill, by its code.
        details: Where each of the lines comes from.
        parts: The versions that were in force, in order, and what was measured for each.

    """

    currency: str
    total: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    state: Mapping[str, Remembered]
    details: tuple[Detail, ...]
    parts: tuple[CostPart, ...]


def as_money(cost: Cost) -> Cost:
    """Return *cost* as people are told it: amounts have at least the decimals of the currency.

    A tariff may round to whole units, or leave amounts exact; what is said of money is written as
    money all the same, `13.00` and not `13`.
    """
    decimals = minor_digits(cost.currency)
    lines = tuple(
        line
        if padded(line.amount, decimals) == line.amount
        else attrs.evolve(line, amount=padded(line.amount, decimals))
        for line in cost.lines
    )
    return attrs.evolve(cost, total=padded(cost.total, decimals), lines=lines)


def price(
    tariff: Tariff,
    usage: Usage,
    start: Instant,
    end: Instant,
    terms: Terms = Terms(),  # noqa: B008
) -> Cost:
    """Return what *usage* in the window [start, end) costs under *tariff*.

    A window that crosses from one version to another is cut there, and each part priced by its own
    version. Rates are rounded as their version says, amounts as the version at the end says.

    Args:
        tariff: Some version of it must be in force at any time of the window.
        usage: The readings of each role that the tariff charges, or of each of the channels that
            are summed for it; they may reach further than the window. A slot is in the window that
            its start is in.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        terms: What the charges remember, how missing readings are treated, where readings are.

    Raises:
        IncompleteUsage: Readings are missing.
        Invalid: No version is in force, or a role is missing.

    """
    with tracing.span("pricing.segments") as cutting:
        cut = segments(tariff, usage, start, end, terms)
        cutting.note({"energia.segments": len(cut)})
    with tracing.span("pricing.charges") as charging:
        cost = priced(tariff.currency, cut, terms.state, allowance=terms.allowance)
        charging.note({"energia.lines": len(cost.lines)})
    return cost


def priced(
    currency: str,
    cut: Sequence[Segment],
    before: Mapping[str, Remembered],
    known: Mapping[tuple[Slots, Measure], Mapping[str, int]] = MappingProxyType({}),
    allowance: Allowance | None = None,
) -> Cost:
    """Return what the segments of a window cost, given what the charges remember.

    A measure that is *known* of the usage that it is about is not evaluated.

    Raises:
        TooLarge: There are more lines than *allowance* has.

    """
    state, runs = dict(before), list[Running]()
    allowance = allowance or Allowance()
    allowance.begin()
    for segment in cut:
        rounding = segment.version.rounding
        language = segment.version.language or ENGLISH
        runs.append(Running(rounding, state, allowance, language, known=dict(known)))
        for due in segment.dues:
            runs[-1].charge(due)
    parts = tuple(
        CostPart(segment.version.valid_from, run.measured)
        for segment, run in zip(cut, runs, strict=True)
    )
    charged = [_Charged(item, part) for part, run in enumerate(runs) for item in run.items]
    exact_lines = [line for run in runs for line in run.lines]
    bill = round_bill(exact_lines, cut[-1].version.rounding, currency)
    lines, details = list[CostLine](), list[Detail]()
    for amount in bill.amounts:
        line, detail = _printed(amount, charged, parts, cut[-1].version.language or ENGLISH)
        lines.append(line)
        details.append(detail)
    assumptions = (*cut[0].assumptions, *_endless(bill.endless))
    return Cost(currency, bill.total, tuple(lines), assumptions, state, tuple(details), parts)


def _endless(number: int) -> Iterator[Assumption]:
    """Tell of amounts that a tariff without decimals leaves exact, and that no decimal is."""
    if number:
        message = f"amounts of {number} lines, which are not to be rounded, end in no decimal: "
        message += f"they are shown with {ENDLESS} decimals, and `exact` has them"
        yield Assumption("amounts_shown_rounded", message, number)


@attrs.frozen
class _Charged:
    """A line, and which part of the cost charges it."""

    item: Item
    part: int

    def detail(self, rule: int | None) -> Detail:
        """Return where the line comes from, which a rule of rounding may be about."""
        item = self.item
        line = item.line
        return Detail(item.charge, line.steps, item.replaced_by, self.part, line.rate_steps, rule)


def _printed(
    amount: Rounded, charged: Sequence[_Charged], parts: Sequence[CostPart], language: str
) -> tuple[CostLine, Detail]:
    """Return what is printed for an amount, and where it comes from."""
    if amount.line is None:
        name = (amount.code or "").partition(".")[2]
        line = CostLine(
            code=amount.code or "",
            description=f"{in_language(_ROUNDING, language)} {name}".rstrip(),
            amount=amount.text,
            exact=exact_text(amount.exact),
        )
        return line, Detail(None, part=len(parts) - 1, rule=amount.rule)
    source = charged[amount.line]
    version = parts[source.part].version if len(parts) > 1 else None
    return _line(source.item, amount.text, version), source.detail(amount.rule)


def _line(item: Item, amount: str, version: date | None) -> CostLine:
    line = item.line
    # The exact texts; `n/d` where no decimal ends.
    quantity = None if line.quantity is None else exact_text(fraction(line.quantity))
    rate, quantity_exact, rate_exact = item.rate, None, None
    if "/" in f"{quantity}{rate}":
        quantity_exact = quantity if "/" in (quantity or "") else None
        rate_exact = rate if "/" in (rate or "") else None
        quantity, rate = _shown(quantity, rate, amount)
    return CostLine(
        code=line.code,
        description=line.description,
        amount=amount,
        exact=exact_text(item.exact),
        quantity=quantity,
        unit=line.unit,
        rate=rate,
        period=line.period,
        component=line.component,
        version=version,
        quantity_exact=quantity_exact,
        rate_exact=rate_exact,
    )


def _shown(quantity: str | None, rate: str | None, amount: str) -> tuple[str | None, str | None]:
    """Return a quantity and a rate, of which one ends in no decimal, so that they multiply out."""
    if quantity is None or rate is None:
        return (
            None if quantity is None else decimal_text(Fraction(quantity), _SHOWN),
            None if rate is None else decimal_text(Fraction(rate), _SHOWN),
        )
    # Of an amount that is not rounded there may be many more: `exact` has those.
    decimals = min(max(2, len(amount.partition(".")[2])), _SHOWN)
    texts = factor_texts(Fraction(quantity), Fraction(rate), decimals)
    # A rate that ends is shown as the tariff states it: 0.1500.
    return texts[0], texts[1] if "/" in rate else rate
