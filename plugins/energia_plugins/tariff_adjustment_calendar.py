"""The charge `adjustment.calendar`: so much for each unit, by a table of months or dates.

Brazil's bandeira tarifaria is one (REN ANEEL 1000/2021, art. 307: by the days of each flag), and so
are the fuel adjustments of other countries. Where a table changes inside of a bill, either the days
or the energy of each part decide.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
import numpy as np
from msgspec import Meta

from energia import (
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Charge,
    Energy,
    Fault,
    Invalid,
    Line,
    Measure,
    Measured,
    Name,
    Replace,
    Role,
    Rules,
    Selection,
    Slots,
    Step,
    Texts,
    enforce,
    hookimpl,
    in_language,
    unit_of,
)
from energia.pricing.dates import BillDates, Entry, Month, Table, range_ends_later, window_of
from energia.pricing.exact import decimal_text, exact_sum, fraction, total
from energia.time import day_number
from energia.units import MICRO

_NO_RATE: Final[Texts] = {"en": "has no rate for", "pt-BR": "não tem valor para"}


@attrs.frozen
class RateRange:
    """A rate, and when it holds.

    Attributes:
        rate: The price of one unit.
        from_: The first day.
        to: The day after the last one; only the last range may lack it.
        name: What it is called in the codes of lines; its first day without. Ranges of one name
            and rate are one line.

    """

    __rules__: ClassVar[Rules] = (range_ends_later,)

    rate: Decimal
    from_: date
    to: date | None = None
    name: Name | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a range that ends before it begins."""
        enforce(self)


def _months_or_ranges(
    months: Mapping[Month, Decimal] | None, ranges: tuple[RateRange, ...] | None
) -> Iterator[Fault]:
    if (months is None) == (ranges is None):
        yield Fault("months_or_ranges", "give either months or ranges", "/months")
    for index, (before, after) in enumerate(pairwise(ranges or ()), 1):
        if before.to is None or after.from_ < before.to:
            message = f"the range must not begin before the one of {before.from_} ends"
            yield Fault("ranges_overlap", message, f"/ranges/{index}/from")


def _selects(of: Selection | None, form: str, energy: str) -> Iterator[Fault]:
    is_of_lines = form in ("inside", "line_each") or energy == "charged"
    if is_of_lines and of is None:
        message = "say which lines it is on: those of all energy, in one component"
        yield Fault("missing_field", message, "/of")
    if not is_of_lines and of is not None:
        message = (
            "only a rate on other lines is of some: leave `of` out, or say form: inside, form: "
            "line_each, or energy: charged"
        )
        yield Fault("unused_field", message, "/of")


def _energy_is_known(energy: str, proration: str) -> Iterator[Fault]:
    if energy == "charged" and proration == "metered":
        message = "lines do not tell when their energy was metered: say proration: days"
        yield Fault("wrong_proration", message, "/proration")


def _shares_of_prices(share_of: str, form: str) -> Iterator[Fault]:
    if share_of == "rate" and form not in ("lines", "line_each"):
        message = "only lines of months or ranges have a share: say form: lines or line_each"
        yield Fault("unused_field", message, "/share_of")


@attrs.frozen
class Piece:
    """A part of the window with one rate.

    Attributes:
        label: The month, or the name of the range, or the date on which it begins.
        begin: Its first day.
        rate: The price of one unit.
        weight: Which part of the energy it has; all together are 1, or 0 if there is none.
        part: The weight, as it was worked out.
        quantity: The energy.

    """

    label: str
    begin: date
    rate: Decimal
    weight: Fraction
    part: str
    quantity: Fraction


@attrs.frozen
class AdjustmentCalendar(BaseCharge):
    """A price of each unit that a table gives by month, or by date.

    Attributes:
        months: The price of one unit in each calendar month; or
        ranges: the prices of one unit and when they hold, in order.
        default: The price where the table has none; without it such a bill is refused.
        proration: Whether the energy of the bill counts by the days of each month, or as it was
            metered in it.
        form: Whether it is a line for each month, one line at the mean rate, a line for each month
            and each of other lines, or inside the rates of other lines.
        of: Which other lines: those of all energy, in one component.
        energy: Whether it is on the energy that was metered, or on that of the lines of `of`: what
            was charged, such as a minimum.
        share_of: Of lines by days, whether each has its share of the energy at the whole rate, or
            all energy at its share of the rate.
        zeros: Whether what costs nothing is a line, too.

    """

    __rules__: ClassVar[Rules] = (_months_or_ranges, _selects, _energy_is_known, _shares_of_prices)

    kind: ClassVar[str] = "adjustment.calendar"
    titles: ClassVar[Texts] = {"en": "Adjustment", "pt-BR": "Adicional"}
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {
            "kind": "adjustment.calendar",
            "months": {"2026-09": "0.01885", "2026-10": "0"},
            "default": "0",
        },
        {
            "kind": "adjustment.calendar",
            "ranges": [{"from": "1990-01-01", "rate": "0.004"}],
            "proration": "metered",
            "form": "line",
        },
    )

    months: Annotated[dict[Month, Decimal], Meta(min_length=1, max_length=2400)] | None = None
    ranges: Annotated[tuple[RateRange, ...], Meta(min_length=1, max_length=2400)] | None = None
    default: Decimal | None = None
    proration: Literal["days", "metered"] = "days"
    form: Literal["lines", "line", "line_each", "inside"] = "lines"
    of: Selection | None = None
    energy: Literal["metered", "charged"] = "metered"
    share_of: Literal["energy", "rate"] = "energy"
    zeros: Literal["lines", "none"] = "lines"

    @cached_property
    def _table(self) -> Table:
        if self.months is not None:
            return Table.of_months(self.months)
        return Table(
            tuple(
                Entry(dated.name or dated.from_.isoformat(), dated.from_, dated.to, dated.rate)
                for dated in self.ranges or ()
            )
        )

    def measures(self) -> dict[str, Measure]:
        """Measure the days and all energy, or the energy of each part."""
        if self.energy == "charged":
            return {"dates": BillDates()}
        if self.proration == "days":
            return {"dates": BillDates(), "energy": Energy(self.channel)}
        return {"energy": EnergyByDates(self._table.changes, self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Charge each part of the window at its rate."""
        charged = None if self.energy == "metered" else _energy_of(self._selected(bill))
        pieces = list(
            self._by_days(measured, charged, bill.language)
            if self.proration == "days"
            else self._metered(measured, bill.language)
        )
        energy = exact_sum(piece.quantity for piece in pieces)
        unit = unit_of(self.channel)
        match self.form:
            case "lines":
                for piece in self._told(pieces):
                    yield self._line(piece, energy, unit)
            case "line":
                if self.zeros == "lines" or any(piece.rate for piece in pieces):
                    line = self.line(energy, _mean(pieces), unit)
                    yield attrs.evolve(line, rate_steps=(_mean_text(pieces),))
            case "line_each":
                self._refuse_others(energy, bill)
                for line in self._selected(bill):
                    quantity = fraction(line.quantity or 0)
                    for piece in self._told(pieces):
                        yield self._beside(line, self._line(piece, quantity, unit), bill.language)
            case "inside":
                yield from self._inside(pieces, energy, bill)

    def _told(self, pieces: Sequence[Piece]) -> Iterator[Piece]:
        """Yield the parts that are lines: those of one name and rate are one."""
        parts: dict[tuple[str, Decimal], list[Piece]] = {}
        for piece in pieces:
            if piece.rate or self.zeros == "lines":
                parts.setdefault((piece.label, piece.rate), []).append(piece)
        labels = list[str]()
        for (label, _), alike in parts.items():
            # The rate of a name may change within a bill.
            labels.append(label if label not in labels else f"{label}.{alike[0].begin}")
            yield attrs.evolve(
                alike[0],
                label=labels[-1],
                weight=exact_sum(piece.weight for piece in alike),
                part=" + ".join(piece.part for piece in alike),
                quantity=exact_sum(piece.quantity for piece in alike),
            )

    def _line(self, piece: Piece, energy: Fraction, unit: str) -> Line:
        """Return the line of a part, of so much energy in the whole window."""
        part = f"({piece.part})" if " + " in piece.part else piece.part
        if self.share_of == "rate":
            rate = piece.weight * fraction(piece.rate)
            line = self.line(energy, rate, unit, period=piece.label)
            return attrs.evolve(line, rate_steps=(f"{part} x {piece.rate:f}",))
        quantity = energy * piece.weight
        step = Step(piece.label, f"{decimal_text(energy)} x {part}", quantity)
        return self.line(quantity, piece.rate, unit, period=piece.label, steps=(step,))

    def _beside(self, line: Line, own: Line, language: str) -> Line:
        """Return the line of this charge for one of those that it is on."""
        return attrs.evolve(
            own,
            code=f"{own.code}.{line.code}",
            description=f"{self.text(own.period, None, language)}: {line.description}",
            component=line.component,
            tags=(*own.tags, *line.tags),
        )

    def _by_days(
        self, measured: Measured, charged: Fraction | None, language: str
    ) -> Iterator[Piece]:
        """Yield the parts; each has the energy that its days are of all days."""
        window, energy = window_of(measured["dates"]), charged
        if energy is None:
            energy = Fraction(measured["energy"]["total"], MICRO)
        table = self._table
        for dates in table.cut(window):
            label, rate = self._at(table, dates.first, language)
            weight = Fraction(dates.days, window.days)
            part = f"{dates.days}/{window.days}"
            yield Piece(label, dates.first, rate, weight, part, energy * weight)

    def _metered(self, measured: Measured, language: str) -> Iterator[Piece]:
        """Yield the parts with the energy that was metered in each."""
        by_day, table = measured["energy"], self._table
        energy = sum(by_day.values())
        for day, micro in by_day.items():
            begin = date.fromisoformat(day)
            label, rate = self._at(table, begin, language)
            weight = Fraction(micro, energy) if energy else Fraction(0)
            quantity = Fraction(micro, MICRO)
            part = f"{decimal_text(quantity)}/{decimal_text(Fraction(energy, MICRO))}"
            yield Piece(label, begin, rate, weight, part, quantity)

    def _at(self, table: Table, day: date, language: str) -> tuple[str, Decimal]:
        """Return the label and the rate of a day, or refuse a day without one."""
        if entry := table.at(day):
            return entry.label, entry.value
        missing = f"{day:%Y-%m}" if self.months is not None else day.isoformat()
        if self.default is None:
            name = self.code or self.kind
            raise Invalid.of("missing_month", f"{name} {in_language(_NO_RATE, language)} {missing}")
        return missing, self.default

    def _inside(self, pieces: list[Piece], energy: Fraction, bill: BillSoFar) -> Iterator[Replace]:
        """Add the mean rate to that of the selected lines, which are of all energy."""
        self._refuse_others(energy, bill)
        for line in self._selected(bill):
            name = f"{self.title(bill.language)} ({_mean_text(pieces)})"
            yield Replace(line, line.plus(_mean(pieces), name))

    def _selected(self, bill: BillSoFar) -> tuple[Line, ...]:
        return tuple((self.of or Selection()).lines(bill))

    def _refuse_others(self, energy: Fraction, bill: BillSoFar) -> None:
        """Refuse selected lines that are not of all energy, each with a price of a unit."""
        selected, unit = self._selected(bill), unit_of(self.channel)
        wrong = [line.code for line in selected if line.unit != unit or not line.is_multiplied]
        quantity = _energy_of(selected)
        if wrong or quantity != energy:
            message = (
                f"{self.code or self.kind} is on {decimal_text(energy)} {unit}, and the lines that "
                f"it selects are of {decimal_text(quantity)} {unit}"
            ) + (f"; these have no price per {unit}: {', '.join(wrong)}" if wrong else "")
            raise Invalid.of("selection_differs", message)


def _energy_of(lines: Sequence[Line]) -> Fraction:
    return exact_sum(line.quantity or 0 for line in lines)


@attrs.frozen(cache_hash=True)
class EnergyByDates(BaseMeasure):
    """The sum of a channel from each date of the site's zone to the next, in micro-units.

    The labels are the dates on which the parts begin: the window's first day, then `changes`.

    Attributes:
        changes: The dates, in order.
        channel: The role that is summed.

    """

    changes: tuple[date, ...]
    channel: Role = "import"
    #: A line charges the slots of its dates, which no schedule of periods tells.
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; a slot is of the part that its start is in."""
        inside = self._inside(slots)
        part = slots.portion(self.channel, inside.values())
        self._tell(slots, list(inside.values()))
        labels = [slots.zone.datetime(slots.start).date(), *inside]
        cuts = [0, *map(part.grid.index_at, inside.values()), part.grid.count]
        return {
            label.isoformat(): total(part.values[first:past], part.largest)
            for label, (first, past) in zip(labels, pairwise(cuts), strict=True)
        }

    def _inside(self, slots: Slots) -> dict[date, int]:
        """Return the dates that begin inside the window, and when."""
        first, last = (
            slots.zone.datetime(instant).date() for instant in (slots.start, slots.end - 1)
        )
        days = [day for day in self.changes if first < day <= last]
        begins = slots.zone.midnights(np.array(list(map(day_number, days)), np.int64))
        return dict(zip(days, begins.tolist(), strict=True))

    def _tell(self, slots: Slots, begins: Sequence[int]) -> None:
        grid = slots.portion(self.channel, ()).grid
        split = sum((begin - grid.start) % grid.interval != 0 for begin in begins)
        if split:
            slots.assume_boundary(
                "a date of the table falls",
                split,
                f"slots of {self.channel}",
                "is of the day at its start",
            )


def _mean(pieces: list[Piece]) -> Fraction:
    return exact_sum(piece.weight * fraction(piece.rate) for piece in pieces)


def _mean_text(pieces: list[Piece]) -> str:
    return " + ".join(f"{piece.part} x {piece.rate:f}" for piece in pieces)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [AdjustmentCalendar]
