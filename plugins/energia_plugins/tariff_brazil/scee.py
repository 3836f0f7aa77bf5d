"""The charge `brazil.scee`: credits of distributed generation (SCEE, Lei 14.300/2022).

What a unit injects, and what it gets of what others inject, is set against what it uses, kWh by
kWh; what is left is credit for 60 months. GD I pays for what is left of its consumption alone (art.
26); GD II pays a part of TUSD Fio B on each kWh that is offset (art. 27); GD III pays more of the
grid (art. 27, par. 1). The flag is on what is not offset (art. 19).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import floor
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Code,
    Energy,
    EnergyByPeriod,
    Examples,
    Invalid,
    Line,
    Measure,
    Measured,
    Replace,
    Role,
    Rules,
    Schedule,
    State,
    Step,
    Tags,
    Texts,
    in_language,
    words,
)
from energia.pricing.dates import BillDates, Dates, bill_of, later_month, window_of
from energia.pricing.exact import decimal_text, exact_sum, fraction
from energia.units import MICRO
from energia_plugins.tariff_brazil.scee_fields import (
    Due,
    Kwh,
    Prices,
    Received,
    Registers,
    Share,
    Sharing,
    TagsOf,
    Weights,
    postos_are_known,
    split_has_a_price,
)
from energia_plugins.tariff_brazil.scee_ledger import (
    OWN,
    Account,
    GenerationType,
    Kept,
    Lot,
    merged,
    total,
)
from energia_plugins.tariff_brazil.scee_offset import Offset, Slice, Use, rate_of, slices

__all__ = ["Scee"]

#: How long a credit is valid, in months (art. 13).
MONTHS: Final = 60
#: Begins the names of measures of registers.
_OF: Final = "injected."
#: Where credit is from, where that is not said.
OTHERS: Final = "outras"
#: The name of a price that has no components.
WHOLE: Final = "total"

_INJECTED: Final[Texts] = {"en": "Injected energy", "pt-BR": "Energia injetada"}
_OFFSET: Final[Texts] = {"en": "Energy that is offset", "pt-BR": "Energia SCEE"}
_DUE: Final[Texts] = {"en": "On offset energy", "pt-BR": "Parcela da energia compensada"}
_FLAG: Final[Texts] = {"en": "Flag of injected energy", "pt-BR": "Bandeira da energia injetada"}
_UNTIL: Final[Texts] = {"en": "until", "pt-BR": "até"}
_BALANCE: Final[Texts] = {
    "en": "Change of the balance of credits",
    "pt-BR": "Variação do saldo de créditos",
}
_MORE: Final[Texts] = {"en": "Energy offset further", "pt-BR": "Energia compensada adicional"}
_MINIMUM: Final[Texts] = {"en": "Minimum", "pt-BR": "Custo de disponibilidade"}
_BACK: Final[Texts] = {"en": "Minimum, adjusted", "pt-BR": "Ajuste do custo de disponibilidade"}
_MOVES: Final[Mapping[str, Texts]] = {
    "earned": {"en": "earned", "pt-BR": "gerado"},
    "used": {"en": "used", "pt-BR": "usado"},
    "expired": {"en": "expired", "pt-BR": "expirado"},
    "given": {"en": "given to others", "pt-BR": "cedido"},
}
_SIGNS: Final = {"earned": 1, "used": -1, "expired": -1, "given": -1}
_MONTHS: Final = (
    *("JAN", "FEV", "MAR", "ABR", "MAI", "JUN"),
    *("JUL", "AGO", "SET", "OUT", "NOV", "DEZ"),
)
_TYPES: Final[Mapping[str, str]] = {"gd1": "GD I", "gd2": "GD II", "gd3": "GD III"}


@attrs.frozen
class Scee(BaseCharge):
    """Credits of distributed generation.

    Attributes:
        of: The code of the charge whose energy is offset.
        type: What generation the unit's own is.
        dues: What offset energy pays all the same.
        due_as: Whether it lowers the `price` of credits, or is a `line` of its own.
        form: Whether all energy is charged and credits are given (`credit`), or offset energy is a
            line of its own at a price of its own, which credits have too (`split`).
        rate: That price; or
        rates: that of each posto.
        consumed_tags: Marks of the line of offset energy, for taxes.
        own_tags: Marks of the credit of what the unit injects, by component.
        others_tags: Marks of the credit of what others inject; as `own_tags` without.
        untaxed_tags: Marks of lines that no tax is on.
        flag: The code of the charge of the flag, where it has lines of its own.
        flag_tags: Marks of the flag's credit.
        schedule: When each posto is; or
        registers: the role of each, where registers count what is injected in each.
        weights: What a kWh of each posto is worth; without it none offsets another posto.
        minimum: The least energy that is billed.
        minimum_form: How GD II and III meet it: what they pay all the same counts, as money
            (`money`); it stays without credit, and what they pay offsets more (`kept`); or it is
            a line, with another that gives it back (`line`). With `on_top`, of before Lei 14.300,
            all is offset, and the minimum is a line.
        expires_after: For how many months credits are valid.
        received: What the unit gets of what others injected.
        sharing: Percentages of what another unit injects.
        injects: Whether the unit injects itself; one that gets credit alone has no such channel.
        keeps: Which part of what it injects beyond its use the unit keeps; the rest is others'.

    """

    __rules__: ClassVar[Rules] = (split_has_a_price, postos_are_known)

    kind: ClassVar[str] = "brazil.scee"
    titles: ClassVar[Texts] = {"en": "Distributed generation", "pt-BR": "Geração distribuída"}
    examples: ClassVar[Examples] = (
        {"kind": "brazil.scee", "of": "consumo", "type": "gd1", "minimum": "50"},
        {
            "kind": "brazil.scee",
            "of": "consumo",
            "type": "gd2",
            "minimum": "30",
            "dues": [
                {
                    "name": "fio_b",
                    "types": ["gd2"],
                    "component": "tusd",
                    "share": "0.60",
                    "price": "0.159135",
                }
            ],
            "own_tags": {"tusd": ["sem_icms"]},
            "received": [{"month": "2026-05", "kwh": "1700", "type": "gd2", "from": "usina"}],
        },
        {
            "kind": "brazil.scee",
            "of": "consumo",
            "type": "gd1",
            "form": "split",
            "rate": "0.48733",
            "consumed_tags": ["sem_icms"],
            "own_tags": {"total": ["sem_icms", "sem_pis_cofins"]},
            "sharing": {
                "unit": "casa",
                "percents": {"casa": "40", "loja": "60"},
                "injected": {"2026-05": "1000"},
            },
        },
    )
    examples_after: ClassVar[Examples] = (
        {
            "kind": "energy.flat",
            "code": "consumo",
            "components": {"tusd": "0.36667", "te": "0.27575"},
        },
    )

    of: Code
    type: GenerationType
    channel: Role = "export"
    dues: Annotated[tuple[Due, ...], Meta(max_length=50)] = ()
    due_as: Literal["price", "line"] = "price"
    form: Literal["credit", "split"] = "credit"
    rate: Decimal | None = None
    rates: Prices | None = None
    consumed_tags: Tags = ()
    own_tags: TagsOf = attrs.Factory(dict)
    others_tags: TagsOf | None = None
    untaxed_tags: Tags = ()
    flag: Code | None = None
    flag_tags: Tags = ()
    schedule: Schedule | None = None
    registers: Registers | None = None
    weights: Weights | None = None
    minimum: Kwh = Decimal(0)
    minimum_form: Literal["money", "kept", "line", "on_top"] = "money"
    expires_after: Annotated[int, Meta(ge=1, le=1200)] = MONTHS
    received: Annotated[tuple[Received, ...], Meta(max_length=10_000)] = ()
    sharing: Sharing | None = None
    injects: bool = True
    keeps: Share = Decimal(1)

    def measures(self) -> dict[str, Measure]:
        """Measure what is injected, by posto, and the dates."""
        if not self.injects:
            return {"dates": BillDates()}
        measures: dict[str, Measure] = {"dates": BillDates()}
        if self.registers:
            # A name tells the posto: what registers count has one label each.
            return measures | {f"{_OF}{posto}": Energy(of) for posto, of in self.registers.items()}
        by_posto = self.schedule and EnergyByPeriod(self.schedule, self.channel)
        return measures | {"injected": by_posto or Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | Replace | State]:
        """Give credit, then keep the rest."""
        yield from Cycle(self, measured, bill).settle()


@attrs.frozen(eq=False, slots=False)
class Cycle:
    """A bill, as the charge finds it.

    Attributes:
        charge: The charge.
        measured: What its measures gave.
        bill: The charges before.

    """

    charge: Scee
    measured: Measured
    bill: BillSoFar

    @cached_property
    def window(self) -> Dates:
        """The days that this version charges."""
        return window_of(self.measured["dates"])

    @cached_property
    def whole(self) -> Dates:
        """The days of the bill."""
        return bill_of(self.measured["dates"])

    @property
    def month(self) -> str:
        """The month of the bill: that of its last day."""
        return f"{self.whole.last:%Y-%m}"

    @property
    def goes_on(self) -> bool:
        """Whether another version has a later part of the bill."""
        return self.window.last < self.whole.last

    @cached_property
    def kept(self) -> Kept:
        """What the bill before has left."""
        return Kept.read(self.bill.state, self.charge.type, self.charge.expires_after)

    @cached_property
    def slices(self) -> list[Slice]:
        """What can be offset."""
        lines = [line for line in self.bill.lines if line.charge == self.charge.of]
        if self.charge.of not in self.bill.kinds:
            message = f"no charge before has the code {self.charge.of!r}: `of` names one of energy"
            raise Invalid.of("no_energy_charge", message)
        return slices(lines, self.charge.of)

    def due(self, type_: GenerationType, posto: str | None) -> Fraction:
        """Return what a kWh pays all the same that generation of a type offsets."""
        return exact_sum(due.of(posto) for due in self._dues(type_))

    def _dues(self, type_: GenerationType) -> list[Due]:
        dues = [due for due in self.charge.dues if type_ in due.types]
        if not dues and type_ != "gd1":
            message = (
                f"there is credit of {_TYPES[type_]}, and `dues` does not say what it pays all the "
                "same: a part of TUSD Fio B at least"
            )
            raise Invalid.of("unknown_dues", message)
        return dues

    def settle(self) -> Iterator[Line | Replace | State]:
        """Yield the lines, and what is kept."""
        now = list(self._injected())
        had = list(self.kept.lots)
        arrived = list(self._arrived())
        valid = [lot for lot in (*had, *arrived) if (lot.expires or self.month) >= self.month]
        older = sorted(merged(valid), key=lambda lot: lot.month)
        # What earlier parts of the bill have left of this cycle is still of this cycle.
        own = [lot for lot in older if lot.month == self.month and lot.unit is OWN]
        rest = [lot for lot in older if lot not in own]
        work = Offset(
            self.slices,
            [*merged([*own, *now]), *rest],
            self.due,
            self._least(),
            self.charge.weights or {},
            counts_dues=self.charge.minimum_form != "kept",
            older=total(rest) * self._part_of_rest() if self.goes_on else None,
            month=self.month,
        )
        work.run()
        yield from self._lines(work)
        more = list(self._further(work))
        yield from more
        left = [lot for lot in work.rest() if lot.kwh]
        kept = list(self._keep(left))
        account = Account(
            carried_in=total(had),
            earned=total(now) + total(arrived),
            expired=total(had) + total(arrived) - total(valid),
            given=total(left) - total(kept),
        )
        account.used = account.carried_in + account.earned - account.expired - total(left)
        yield from self._balance(account)
        yield self._state(kept, account)

    def _injected(self) -> Iterator[Lot]:
        """Yield what the unit injected in this cycle."""
        injected: dict[str | None, int] = {
            name.removeprefix(_OF): values["total"]
            for name, values in self.measured.items()
            if name.startswith(_OF)
        }
        for label, micro in self.measured.get("injected", {}).items():
            injected[label if self.charge.schedule else None] = micro
        for posto, micro in injected.items():
            if micro:
                yield self._lot(self.month, Fraction(micro, MICRO), self.charge.type, posto)

    def _lot(
        self,
        month: str,
        kwh: Fraction,
        type_: GenerationType,
        posto: str | None = None,
        unit: str | None = OWN,
    ) -> Lot:
        return Lot(month, kwh, type_, posto, unit, later_month(month, self.charge.expires_after))

    def _arrived(self) -> Iterator[Lot]:
        """Yield what comes of other units in this bill, and has not come in a part before it."""
        for one in self.charge.received:
            if self._arrives(one.arrives or one.month):
                type_, unit = one.type or self.charge.type, one.from_ or OTHERS
                yield self._lot(one.month, Fraction(one.kwh), type_, one.posto, unit)
        sharing = self.charge.sharing
        for month, kwh in sharing.received() if sharing else ():
            if sharing and self._arrives(month):
                type_, unit = sharing.type or self.charge.type, sharing.from_ or OTHERS
                yield self._lot(month, kwh, type_, None, unit)

    def _arrives(self, month: str) -> bool:
        """Return whether what comes in the bill of a month comes in this one.

        After a bill that is known all that came since; without one, that of this month alone.
        """
        if self.kept.arrived == self.month:
            return False
        if self.kept.month is None:
            return month == self.month
        return self.kept.month < month <= self.month

    def _part_of_rest(self) -> Fraction:
        """Return which part of the days that are left of the bill the window is."""
        left = Dates(self.window.first, self.whole.last)
        return Fraction(self.window.days, left.days)

    def _minimum(self) -> Fraction:
        """Return the least energy, of the window's days."""
        return Fraction(self.charge.minimum) * Fraction(self.window.days, self.whole.days)

    def _cheapest(self) -> tuple[Line, ...]:
        """Return the lines of the posto in which the minimum is."""
        used = [one for one in self.slices if one.quantity]
        return min(used, key=lambda one: one.price).lines if used else ()

    def _on_top(self) -> Fraction:
        """Return how much the minimum adds to what is left."""
        if self.charge.minimum_form != "on_top":
            return Fraction(0)
        return max(Fraction(0), self._minimum() - exact_sum(one.open for one in self.slices))

    def _least(self) -> Fraction | None:
        minimum = self._minimum()
        if not minimum or self.charge.minimum_form == "on_top":
            return None
        return minimum * rate_of_all(self._cheapest())

    def _lines(self, work: Offset) -> Iterator[Line | Replace]:
        if self.charge.form == "split":
            yield from self._split()
        for use in work.uses:
            yield from self._credits(use)
        if self.charge.due_as == "line":
            for use in work.uses:
                yield from self._due_lines(use)
        if self.charge.flag is not None:
            yield from self._flags(self.charge.flag)

    def _split(self) -> Iterator[Line | Replace]:
        """Take what is offset out of the energy's lines, into lines of its own."""
        for one in self.slices:
            offset = one.quantity - one.open
            if not offset:
                continue
            for line in one.lines:
                steps = (
                    Step(line.description, decimal_text(one.quantity), one.quantity),
                    Step(self._word(_OFFSET), decimal_text(-offset), -offset),
                )
                left = attrs.evolve(
                    line, quantity=one.open, rate=rate_of(line), amount=None, steps=steps
                )
                yield Replace(line, left)
            rate = self._rate(one.posto)
            line = self.charge.line(offset, rate, "kWh", tags=self.charge.consumed_tags)
            yield self._named(line, _OFFSET, (self.charge.of, one.key), one.posto)

    def _rate(self, posto: str | None) -> Decimal:
        rate = self.charge.rate if self.charge.rates is None else self.charge.rates.get(posto or "")
        if rate is None:
            message = f"offset energy of {posto or 'no posto'} has no rate"
            raise Invalid.of("missing_rate", message)
        return rate

    def _credits(self, use: Use) -> Iterator[Line]:
        """Yield the credit of a lot, for each component of the price."""
        own = self.charge.own_tags
        others = own if self.charge.others_tags is None else self.charge.others_tags
        tags = own if use.lot.unit is OWN else others
        for component, price, marks in self._prices(use.slice):
            less = self._less(use, component)
            line = self.charge.line(
                -use.kwh,
                price - exact_sum(due.of(use.slice.posto) for due in less),
                "kWh",
                steps=self._used(use),
                tags=(*marks, *tags.get(component or WHOLE, ())),
            )
            line = self._of_lot(line, _INJECTED, use, component)
            texts = [
                f"{decimal_text(price)} - {due.text(use.slice.posto)} ({due.name})" for due in less
            ]
            yield attrs.evolve(line, rate_steps=tuple(texts))

    def _prices(self, one: Slice) -> Iterator[tuple[str | None, Fraction, tuple[str, ...]]]:
        """Yield the component, the price and the marks of what is credited."""
        if self.charge.form == "split":
            yield None, Fraction(self._rate(one.posto)), ()
        else:
            for line in one.lines:
                yield line.component, rate_of(line), line.tags

    def _less(self, use: Use, component: str | None) -> list[Due]:
        """Return what lowers the price of a component."""
        if self.charge.due_as == "line":
            return []
        dues = self._dues(use.lot.type)
        return [due for due in dues if component is None or due.component in (None, component)]

    def _due_lines(self, use: Use) -> Iterator[Line]:
        for due in self._dues(use.lot.type):
            rate = due.of(use.slice.posto)
            if rate:
                line = self.charge.line(
                    use.kwh,
                    rate,
                    "kWh",
                    steps=self._used(use, 1),
                    tags=self.charge.untaxed_tags,
                )
                line = self._of_lot(line, _DUE, use, due.name)
                yield attrs.evolve(line, rate_steps=(due.text(use.slice.posto),))

    def _used(self, use: Use, sign: int = -1) -> tuple[Step, ...]:
        """Return where energy is from: its month, and until when it could be used."""
        lot = use.lot
        where = "" if lot.unit is OWN else f", {lot.unit}"
        until = f"{self._word(_UNTIL)} {lot.expires}"
        text = f"{_month_text(lot.month)} ({_TYPES[lot.type]}{where}, {until})"
        expression = decimal_text(sign * use.kwh)
        if use.spent != use.kwh:
            ratio = use.kwh / use.spent
            text += f", {lot.posto}"
            expression = f"{decimal_text(sign * use.spent)} x {decimal_text(ratio)}"
        return (Step(text, expression, sign * use.kwh),)

    def _of_lot(self, line: Line, texts: Texts, use: Use, component: str | None) -> Line:
        """Return a line with the code and the name of a lot."""
        lot = use.lot
        told = (
            lot.month,
            lot.posto if lot.posto != use.slice.posto else None,
            lot.type if lot.type != self.charge.type else None,
            lot.unit,
            use.slice.key,
            component,
        )
        named = self._named(line, texts, told, use.slice.posto, component)
        where = "mUC" if lot.unit is OWN else f"oUC {lot.unit}"
        text = f"{named.description} {_month_text(lot.month)} {_TYPES[lot.type]} {where}"
        return attrs.evolve(named, description=text)

    def _named(
        self,
        line: Line,
        texts: Texts,
        told: Iterable[str | None],
        posto: str | None = None,
        component: str | None = None,
    ) -> Line:
        code = ".".join(part for part in (line.code, *told) if part)
        told_of = (self._word(texts), words(component or "").upper(), words(posto or ""))
        return attrs.evolve(
            line,
            code=code,
            description=" ".join(word for word in told_of if word),
            period=posto,
            component=component,
        )

    def _word(self, texts: Texts) -> str:
        return in_language(texts, self.bill.language)

    def _flags(self, code: str) -> Iterator[Line]:
        """Yield the credit of the flag: it is not on what is offset (art. 19)."""
        lines = [line for line in self.bill.lines if line.charge == code]
        for line in lines:
            quantity, offset = self._offset_of(line)
            if not offset or not line.exact_amount:
                continue
            part = fraction(line.quantity or 0) * offset / quantity
            text = f"-{decimal_text(fraction(line.quantity or 0))} x {decimal_text(offset)}"
            step = Step(line.description, f"{text} / {decimal_text(quantity)}", -part)
            credit = self.charge.line(
                -part, rate_of(line), line.unit, steps=(step,), tags=line.tags
            )
            named = self._named(credit, _FLAG, (line.code,), line.period, line.component)
            yield attrs.evolve(
                named,
                description=f"{self._word(_FLAG)}: {line.description}",
                tags=(*line.tags, *self.charge.flag_tags),
            )

    def _offset_of(self, line: Line) -> tuple[Fraction, Fraction]:
        """Return of how much energy a line of the flag is, and how much of that is offset."""
        ends = [one for one in self.slices for of in one.lines if line.code.endswith(f".{of.code}")]
        of = ends or self.slices
        quantity = exact_sum(one.quantity for one in of)
        return quantity, quantity - exact_sum(one.open for one in of) - self._on_top()

    def _further(self, work: Offset) -> Iterator[Line]:
        """Yield how what is paid for the grid meets the minimum, where bills print it."""
        minimum, price, paid = self._minimum(), rate_of_all(self._cheapest()), work.paid
        left = exact_sum(one.open for one in self.slices)
        if more := self._on_top():
            yield from self._minimum_lines(more)
            return
        if not paid or not price or left > minimum:
            return
        if self.charge.minimum_form == "kept":
            there = sum(work.left.values(), Fraction(0))
            kwh = min(Fraction(floor(paid / price)), minimum, Fraction(floor(there)))
            if kwh:
                work.left = _taken(work.left, kwh)
                yield self._back(_MORE, "adicional", kwh, price)
        elif self.charge.minimum_form == "line" and minimum > left:
            yield from self._minimum_lines(minimum - left)
            kwh = min(minimum - left, paid / price)
            yield self._back(_BACK, "ajuste", kwh, price)

    def _minimum_lines(self, kwh: Fraction) -> Iterator[Line]:
        for of in self._cheapest():
            line = self.charge.line(kwh, rate_of(of), "kWh", tags=of.tags)
            told = ("custo_de_disponibilidade", of.component)
            yield self._named(line, _MINIMUM, told, None, of.component)

    def _back(self, texts: Texts, name: str, kwh: Fraction, price: Fraction) -> Line:
        line = self.charge.line(-kwh, price, "kWh", tags=self.charge.untaxed_tags)
        return self._named(line, texts, (name,))

    def _keep(self, left: Sequence[Lot]) -> Iterator[Lot]:
        """Yield what is left for the next bill: what is injected now may be others' in part."""
        for lot in left:
            is_now = lot.month == self.month and lot.unit is OWN and not self.goes_on
            kwh = lot.kwh * Fraction(self.charge.keeps) if is_now else lot.kwh
            if kwh:
                yield attrs.evolve(lot, kwh=kwh)

    def _balance(self, account: Account) -> Iterator[Line]:
        """Yield a line of no amount that says what came, and what went."""
        values = {what: sign * getattr(account, what) for what, sign in _SIGNS.items()}
        if any(values.values()):
            steps = tuple(
                Step(self._word(_MOVES[what]), decimal_text(value), value)
                for what, value in values.items()
                if value
            )
            change = account.carried_out - account.carried_in
            line = self.charge.line(change, Decimal(0), "kWh", steps=steps)
            yield self._named(line, _BALANCE, ("saldo",))

    def _state(self, kept: Iterable[Lot], account: Account) -> State:
        lots = sorted(merged(kept), key=lambda lot: lot.month)
        if self.kept.arrived == self.month and self.kept.last:
            account = self.kept.last.and_then(account)
        state: dict[str, Any] = {"ledger": [lot.json() for lot in lots], "last": account.json()}
        month = self.kept.month if self.goes_on else self.month
        if month is not None:
            state["month"] = month
        if self.goes_on:
            state["arrived"] = self.month
        return State(state)


def rate_of_all(lines: Iterable[Line]) -> Fraction:
    """Return what a kWh costs that lines charge together."""
    return exact_sum(map(rate_of, lines))


def _taken(left: Mapping[int, Fraction], kwh: Fraction) -> dict[int, Fraction]:
    """Return what is *left* of lots, less some energy, of the first ones first."""
    rest = dict[int, Fraction]()
    for index, there in left.items():
        taken = min(there, kwh)
        kwh -= taken
        rest[index] = there - taken
    return rest


def _month_text(month: str) -> str:
    """Return a month as bills print it: `JUL/23`."""
    day = date.fromisoformat(f"{month}-01")
    return f"{_MONTHS[day.month - 1]}/{day:%y}"
