"""The charge `export`: what a site is given for the energy that it exports.

Three schemes: net metering (exported kWh offset imported kWh, the rest is kept in a bank), net
billing (what is left after netting each interval or hour is sold) and buy-all-sell-all (all that is
generated is sold). What is kept from bill to bill is a ledger in the state of the charge.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillDays,
    BillSoFar,
    Charge,
    EnergyByPeriod,
    Examples,
    Invalid,
    Line,
    Measure,
    Measured,
    Role,
    Rules,
    Schedule,
    Selection,
    SlotFormula,
    Slots,
    State,
    Step,
    Texts,
    hookimpl,
)
from energia.pricing.dates import later_month
from energia.pricing.exact import decimal_text, exact_sum, exact_text, fraction
from energia.units import MICRO
from energia_plugins.tariff_export import fields
from energia_plugins.tariff_export.ledger import Account, Entry, Kept, alive, draw, total
from energia_plugins.tariff_export.netting import (
    BillMonth,
    Exported,
    Nets,
    Netting,
    PartDays,
    SoldAtPrices,
    as_import,
    net_of,
    nothing_imported,
)

__all__ = ["Export"]

#: How kinds of charge begin whose lines are for each kWh.
_KINDS: Final = ("energy.", "adjustment.")

ENERGY: Final = "energy"

#: Where what is left of an hour stands in one slot.
HOURLY: Final = ("hour", "priced_hour")

#: How a quantity that is credited on a line was worked out.
Notes = Callable[[Line], tuple[Step, ...]]

#: The label of energy that no schedule divides, and the measure that energy charges call so.
TOTAL: Final = "total"


@attrs.frozen
class Export(BaseCharge):
    """Energy that is exported, credited or bought.

    Attributes:
        scheme: Exports offset imports of the bill (`net_metering`); what is left after netting each
            interval or hour is sold (`net_billing`); or everything is (`buy_all_sell_all`).
        of: The lines of energy charges that exports offset; of all charges before of `import` and
            of the kinds `energy.*` and `adjustment.*`, if no charges are named.
        schedule: When each period of the exports is; the periods of the energy charges without.
        netting: Over what `net_billing` nets; default `interval`.
        rate: The price of a kWh that is sold; or
        rates: the price in each period; or
        tiers: by how much is sold in the bill; or
        series: the price of each slot by a price series, of what is left after netting; or
        like_import: what the energy charges would charge for it.
        rollover: What of the rest the next bill has; default `kwh` for net metering, else `none`.
        apply: Whether money that is earned is used on this bill, or from the next on.
        limit: How much money is used: whatever it makes of the bill, as much as the energy charges
            of `of`, or as the bill before it; by default `energy` with rollover or net metering,
            else `none`.
        expires_after: For how many months after its own a credit is kept.
        true_up: When the bank is settled.
        across: Lets energy offset other periods too, in this order, by what a kWh of each is worth.
        becomes: Which period energy of a period moves to where the bill does not have its own.
        uncompensated: So many kWh of a bill's imports are never offset.
        credited: How much of each component an offset kWh is given; 1 where it is not named.
        multiplier: What the prices of `series` are multiplied by; 1 without.
        adder: What is then added for each kWh; a fee is below zero.
        floor: The lowest price of a slot; 0 asks for nothing where prices are negative.
        cap: The highest price of a slot.

    """

    __rules__: ClassVar[Rules] = (
        fields.fits_the_scheme,
        fields.has_one_price,
        fields.formula_is_of_a_series,
        fields.has_a_schedule,
        fields.tiers_rise,
        fields.keeps_what_it_settles,
        fields.known_periods,
    )

    kind: ClassVar[str] = "export"
    titles: ClassVar[Texts] = {"en": "Exported energy", "pt-BR": "Energia injetada"}
    remeasures: ClassVar[bool] = True
    examples: ClassVar[Examples] = (
        {"kind": "export", "scheme": "net_metering", "true_up": {"month": 3, "rate": "0.027"}},
        {"kind": "export", "scheme": "net_metering", "expires_after": 60, "uncompensated": "50"},
        {"kind": "export", "scheme": "net_billing", "rate": "0.05", "rollover": "money"},
        {"kind": "export", "scheme": "buy_all_sell_all", "rate": "0.08"},
    )
    examples_after: ClassVar[Examples] = (
        {"kind": "energy.flat", "code": "energy", "rate": "0.30"},
    )

    scheme: fields.Scheme
    channel: Role = "export"
    of: Selection = attrs.Factory(Selection)
    schedule: Schedule | None = None
    netting: Netting | None = None
    rate: Decimal | None = None
    rates: fields.Rates | None = None
    tiers: fields.Tiers | None = None
    like_import: bool = False
    rollover: fields.Rollover | None = None
    apply: Literal["this_bill", "next_bill"] = "this_bill"
    limit: fields.Limit | None = None
    expires_after: Annotated[int, Meta(ge=1, le=1200)] | None = None
    true_up: fields.TrueUp | None = None
    across: fields.Weights | None = None
    becomes: fields.Becomes | None = None
    uncompensated: Annotated[Decimal, Meta(ge=0)] | None = None
    credited: fields.Shares | None = None
    series: fields.SeriesName | None = None
    multiplier: Decimal | None = None
    adder: Decimal | None = None
    floor: Decimal | None = None
    cap: Decimal | None = None

    @property
    def formula(self) -> SlotFormula | None:
        """What makes the price of each slot that is sold; None where no series does."""
        if self.series is None:
            return None
        multiplier = Decimal(1) if self.multiplier is None else self.multiplier
        return SlotFormula(self.series, multiplier, self.adder or Decimal(0), self.floor, self.cap)

    @property
    def keeps(self) -> fields.Rollover:
        """What of the rest the next bill has."""
        return self.rollover or ("kwh" if self.scheme == "net_metering" else "none")

    @property
    def limits(self) -> fields.Limit:
        """How much money is used."""
        alone = self.scheme != "net_metering" and self.keeps == "none"
        return self.limit or ("none" if alone else "energy")

    @property
    def nets(self) -> Nets | None:
        """Over what imports and exports are netted; None where they are not, or over the bill."""
        if self.netting == "hour" and self.series is not None:
            return "priced_hour"
        return self.netting or ("interval" if self.scheme == "net_billing" else None)

    def measures(self) -> dict[str, Measure]:
        """Measure the exports after netting, and the time."""
        metered: dict[str, Measure] = {}
        if self.scheme == "net_metering" and self.schedule:
            metered["imported"] = EnergyByPeriod(self.schedule)
        if (formula := self.formula) is not None:
            metered["worth"] = SoldAtPrices(formula, self.channel, self.nets)
        return {
            **metered,
            "exported": Exported(self.channel, self.nets, self.schedule),
            "months": BillMonth(),
            "days": PartDays(),
            "bill_days": BillDays(),
        }

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Credit the energy, then the money, then keep the rest."""
        yield from settlement(self, measured, bill)


def settlement(charge: Export, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
    """Yield the lines of a bill and what is kept."""
    site = Site(charge, measured, bill, Kept.read(bill.state), max(measured["months"]))
    energy = Energy(site)
    yield from energy.settle()
    purse = Purse(site, energy.lines, (*energy.converted, *earnings(site, energy.rest)))
    yield from purse.settle()
    yield from energy.paid
    yield from _change(site, "bank", "kWh", energy.account)
    yield from _change(site, "balance", None, purse.account)
    yield _state(site, energy, purse)


@attrs.frozen
class Site:
    """A bill, as the charge `export` finds it.

    Attributes:
        charge: The charge.
        measured: What its measures gave.
        bill: The charges before.
        kept: What the bill before has left.
        month: The month of this bill: the last that it touches.

    """

    charge: Export
    measured: Measured
    bill: BillSoFar
    kept: Kept
    month: str

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the energy charges that exports offset.

        Tables and taxes may measure energy too, and are not about each kWh: without names only
        kinds of energy are meant, and adjustments of it.
        """
        named = self.charge.of.charges
        if named is None:
            kinds = self.bill.kinds.items()
            return tuple(code for code, kind in kinds if kind.startswith(_KINDS) and self._in(code))
        if wrong := [code for code in named if not self._meters(code)]:
            message = f"{', '.join(wrong)} does not charge energy: name energy charges in `of`"
            raise Invalid.of("no_energy_charge", message)
        return named

    def _in(self, code: str) -> bool:
        return self.bill.channels[code] == "import" and self._meters(code)

    def _meters(self, code: str) -> bool:
        return ENERGY in self.bill.measured.get(code, {})

    @property
    def due(self) -> bool:
        """Whether the bank is settled: the true-up month has come since the bill before.

        Of a bill that crosses versions, the part at its end settles it.
        """
        true_up = self.charge.true_up
        if true_up is None or self.goes_on:
            return False
        since = (later_month(self.before, step) for step in range(1, 13))
        return any(int(month[5:]) == true_up.month for month in since if month <= self.month)

    @property
    def goes_on(self) -> bool:
        """Whether another version has a later part of the bill."""
        return "after" in self.measured["days"]

    @property
    def before(self) -> str:
        """The month of the bill before; without one, that before this bill's first."""
        return self.kept.month or later_month(min(self.measured["months"]), -1)

    @property
    def expires(self) -> str | None:
        """The last month that may use what this one earns."""
        months = self.charge.expires_after
        return None if months is None else later_month(self.month, months)

    @property
    def part(self) -> Fraction:
        """What part of the bill the window is, by days."""
        whole = self.measured["bill_days"]["days"]
        return Fraction(self.measured["days"]["days"], whole) if whole else Fraction(1)

    def imported(self, code: str) -> Mapping[str, int]:
        """Return what an energy charge measured."""
        return self.bill.measured[code][ENERGY]

    def exported(self, code: str) -> Mapping[str, int]:
        """Return what is exported, after netting, by the periods of an energy charge."""
        return self.bill.remeasured(code, self._exports)[ENERGY]

    def left(self, code: str) -> Measured:
        """Return what an energy charge would measure if imports were netted.

        Hours that are netted stand in one slot each, which says nothing about demand.
        """
        measured = self.bill.measured[code] if self.charge.nets in HOURLY else {}
        demand = {name: labels for name, labels in measured.items() if name.startswith("demand")}
        return {**self.bill.remeasured(code, self._net), **demand}

    def unused(self, code: str) -> Measured:
        """Return what an energy charge would measure if nothing were imported."""
        return self.bill.remeasured(code, nothing_imported)

    def _net(self, slots: Slots) -> Slots:
        nets = self.charge.nets
        return slots if nets is None else net_of(slots, nets, self.charge.channel)

    def _exports(self, slots: Slots) -> Slots:
        return as_import(self._net(slots), self.charge.channel)

    def finest(self) -> str | None:
        """Return the energy charge with most periods; None if there is no energy charge."""
        energy = [code for code in self.codes if self.bill.kinds[code].startswith(_KINDS[0])]
        several = energy or self.codes
        return max(several, key=lambda code: len(self.imported(code)), default=None)

    def sum(self, lines: Iterable[Line]) -> Fraction:
        """Return the sum of lines."""
        return sum(map(self.bill.exactly, lines), Fraction(0))

    def energy_lines(self) -> Iterator[Line]:
        """Yield the lines that exports offset, as they are on the bill."""
        codes = self.codes
        return (line for line in self.charge.of.lines(self.bill) if line.charge in codes)


@attrs.define
class Energy:
    """The energy of a bill.

    Attributes:
        site: The bill.
        account: Where it came from, and where it went.
        lines: The credit of the energy charges.
        rest: What net metering has left of what is exported now.
        entries: What is kept.
        net: Exports less imports since the last true-up.
        converted: The line of a true-up that becomes money, if it does.
        paid: The line of a true-up that is paid.

    """

    site: Site
    account: Account = attrs.Factory(Account)
    lines: list[Line] = attrs.Factory(list)
    rest: list[Entry] = attrs.Factory(list)
    entries: list[Entry] = attrs.Factory(list)
    net: Fraction = Fraction(0)
    converted: list[Line] = attrs.Factory(list)
    paid: list[Line] = attrs.Factory(list)

    def settle(self) -> Iterator[Line]:
        """Yield the credit of what is offset, or netted."""
        if self.site.charge.scheme == "net_metering":
            self._offset()
            if self.site.due and self.site.charge.keeps == "kwh":
                self._true_up()
        elif self.site.charge.nets:
            self.lines = list(_net_credits(self.site))
        yield from self.lines

    def _offset(self) -> None:
        flow, had = flows(self.site), self.site.kept.of("kwh")
        older = alive(had, self.site.month)
        work = Offsetting.of(self.site, flow, older)
        earned = total(work.entries) - total(older)
        work.run()
        self.lines = list(work.lines())
        self.account = Account(
            carried_in=total(had),
            earned=earned,
            used=exact_sum(use.spent for use in work.uses),
            expired=total(had) - total(older),
        )
        # Offsetting lessens entries in place: those of this bill still come first.
        now = len(work.entries) - len(older)
        self._keep(work.entries[:now], work.entries[now:])
        self.net = _net(self.site, flow)

    def _keep(self, now: Sequence[Entry], older: Sequence[Entry]) -> None:
        """Keep what is left, sell it, or lose it."""
        self.rest = [entry for entry in now if entry.amount]
        self.entries = [entry for entry in older if entry.amount]
        match self.site.charge.keeps:
            case "kwh":
                self.entries += self.rest
            case "money":
                self.account.paid = total(self.rest)
            case "none":
                self.account.lost = total(self.rest)

    def _true_up(self) -> None:
        there, true_up = total(self.entries), self.site.charge.true_up
        quantity = self.net if true_up and true_up.basis == "net" else there
        if true_up is None or true_up.pay == "lost":
            self.account.lost += there
        else:
            self.account.paid = there
            lines = self.paid if true_up.pay == "cash" else self.converted
            if true_up.rates is not None:
                lines += _true_ups(self.site, self.entries, true_up.rates)
            elif quantity:
                lines.append(_true_up(self.site, quantity, true_up.rate or Decimal(0)))
        self.entries, self.net = [], Fraction(0)


def _net_credits(site: Site) -> Iterator[Line]:
    """Yield what energy charges charge less because imports are netted slot by slot."""
    for code in site.codes:
        left = site.left(code)
        if left != site.bill.measured[code]:
            yield from credits(site, code, left, lambda _: ())


def credits(site: Site, code: str, left: Measured, notes: Notes) -> Iterator[Line]:
    """Yield what the energy charge *code* charges less if it measures what is *left*.

    There is a line for each of its lines that the charge is about, with its period, component and
    tags, so that taxes tell them apart. One that only what is left has, such as that of a lower
    band, is charged.
    """
    before, after = site.bill.again(code, {}), _by_code(site.bill.again(code, left))
    new = after.keys() - _by_code(before).keys()
    nothing = [
        attrs.evolve(line, quantity=0, amount=0) for line in after.values() if line.code in new
    ]
    for old in (*before, *nothing):
        if site.charge.of.matches(old):
            yield from _credit(site, old, after.get(old.code), notes(old))


def _by_code(lines: tuple[Line, ...]) -> Mapping[str, Line]:
    return {line.code: line for line in lines}


def _credit(site: Site, old: Line, new: Line | None, notes: tuple[Step, ...]) -> Iterator[Line]:
    before, after = fraction(old.amount or 0), fraction(new.amount or 0) if new else Fraction(0)
    share = _share(site, old.component)
    if before == after:
        return
    quantity = _quantity(new) - _quantity(old)
    if _proportional(old, new):
        steps = notes if sum(step.value for step in notes) == quantity else _two(old, new)
        rate = old.rate if share == 1 else fraction(old.rate or 0) * share
        line = site.charge.line(quantity, rate, old.unit, steps=steps)
    else:
        steps = _amounts(before, after, share)
        line = site.charge.line(
            quantity, None, old.unit, amount=(after - before) * share, steps=steps
        )
    yield like(site, "", old, line)


def _share(site: Site, component: str | None) -> Fraction:
    return Fraction((site.charge.credited or {}).get(component or "", Decimal(1)))


def _quantity(line: Line | None) -> Fraction:
    return fraction(line.quantity or 0) if line else Fraction(0)


def _proportional(old: Line, new: Line | None) -> bool:
    """Tell whether both are quantities of one price, so that their difference is too."""
    priced = old if old.quantity else new
    if priced is None or not priced.quantity or old.rate is None or (new and new.rate != old.rate):
        return False
    price = fraction(priced.amount or 0) / fraction(priced.quantity)
    return all(_quantity(line) * price == fraction(line.amount or 0) for line in (old, new) if line)


def _two(old: Line, new: Line | None) -> tuple[Step, ...]:
    values = (("as imported", -_quantity(old)), ("left to be charged", _quantity(new)))
    return tuple(Step(text, decimal_text(value), value) for text, value in values)


def _amounts(before: Fraction, after: Fraction, share: Fraction) -> tuple[Step, ...]:
    factor = "" if share == 1 else f" x {decimal_text(share)}"
    return tuple(
        Step(text, f"{decimal_text(value)}{factor}", value * share)
        for text, value in (("as imported", -before), ("left to be charged", after))
    )


def like(site: Site, name: str, old: Line, line: Line) -> Line:
    """Return *line* as one about *old*: with its code, period, component and tags."""
    charge = site.charge
    code = ".".join(part for part in (charge.code or charge.kind, name, old.code) if part)
    described = f"{charge.title(site.bill.language)}: {old.description}"
    return attrs.evolve(
        line,
        code=code,
        description=described,
        period=old.period,
        component=old.component,
        tags=tuple(dict.fromkeys((*line.tags, *old.tags))),
    )


@attrs.frozen
class Flows:
    """What a bill imports and exports, in micro-units by the bank's periods (or `total`)."""

    imported: Mapping[str, int]
    exported: Mapping[str, int]


def flows(site: Site) -> Flows:
    """Return the flows by the charge's schedule, or by that of the finest energy charge."""
    if site.charge.schedule:
        return Flows(site.measured["imported"], site.measured["exported"])
    code = site.finest()
    if code is None:
        return Flows({}, site.measured["exported"])
    return Flows(by_period(site.imported(code)), by_period(site.exported(code)))


def by_period(labels: Mapping[str, int]) -> Mapping[str, int]:
    """Return the sums by period of labels that may be divided further, such as `peak@2026-03`."""
    sums: dict[str, int] = {}
    for label, micro in labels.items():
        period = label.partition("@")[0]
        sums[period] = sums.get(period, 0) + micro
    return sums


@attrs.frozen
class Use:
    """Energy that offsets imports of the period *label*: *micro* of them, drawn from an entry."""

    label: str
    entry: Entry
    micro: int
    spent: Fraction

    def step(self) -> Step:
        """Return how it was worked out; it lessens the quantity."""
        period, value = self.entry.period, -kwh(self.micro)
        where = f" in {period}" if period else ""
        text = f"{decimal_text(self.spent)} kWh"
        if self.spent != -value:
            text += f" x {decimal_text(-value / self.spent)}"
        return Step(f"exported in {self.entry.month}{where}", f"-{text}", value)


@attrs.define
class Offsetting:
    """Offsets imports, an entry after the other.

    Attributes:
        site: The bill.
        left: What is imported and not offset yet, by label, in micro-units.
        allowed: How much may still be offset, in micro-units.
        entries: What is exported now, and what was before, oldest first.
        uses: What was done.

    """

    site: Site
    left: dict[str, int]
    allowed: int
    entries: list[Entry]
    uses: list[Use] = attrs.Factory(list)

    @classmethod
    def of(cls, site: Site, flow: Flows, older: Sequence[Entry]) -> "Offsetting":
        """Return the state before anything is offset."""
        now = [
            Entry(site.month, "kwh", kwh(micro), period_of(label), site.expires)
            for label, micro in flow.exported.items()
            if micro > 0
        ]
        left = {label: max(micro, 0) for label, micro in flow.imported.items()}
        never = floor(Fraction(site.charge.uncompensated or 0) * site.part * MICRO)
        moved = [_in_period(site, entry, left) for entry in older]
        return cls(site, left, max(sum(left.values()) - never, 0), [*now, *moved])

    def run(self) -> None:
        """Offset each period by its own energy, then by that of others if they may."""
        for label in self.left:
            self._offset(label, [period_of(label)])
        for label in self.left:
            self._offset(label, None if label == TOTAL else [None])
        across = self.site.charge.across or {}
        for label in across:
            if label in self.left:
                self._offset(label, [period for period in across if period != label])

    def _offset(self, label: str, periods: Sequence[str | None] | None) -> None:
        """Offset a period by the entries of *periods*, or of any."""
        for index, entry in enumerate(self.entries):
            if periods is None or entry.period in periods:
                self.entries[index] = self._use(label, entry)

    def _use(self, label: str, entry: Entry) -> Entry:
        weights = self.site.charge.across or {}
        factor = Fraction(1)
        if entry.period and label not in (entry.period, TOTAL):
            factor = fraction(weights[entry.period]) / fraction(weights[label])
        most = floor(entry.amount * factor * MICRO)
        micro = min(self.left[label], self.allowed, most)
        if micro <= 0:
            return entry
        # What is less than a micro-unit after the exchange goes with the last of the entry.
        spent = entry.amount if micro == most else kwh(micro) / factor
        self.left[label] -= micro
        self.allowed -= micro
        self.uses.append(Use(label, entry, micro, spent))
        return attrs.evolve(entry, amount=entry.amount - spent)

    def lines(self) -> Iterator[Line]:
        """Yield the credit of each energy charge."""
        for code in self.site.codes if self.uses else ():
            _refuse_slots(self.site, code)
            yield from credits(self.site, code, self._left(code), self._notes)

    def _left(self, code: str) -> Measured:
        """Return what an energy charge would measure without what is offset."""
        measured = self.site.imported(code)
        used = dict.fromkeys(self.left, 0)
        for use in self.uses:
            used[use.label] += use.micro
        periods = set(by_period(measured))
        if periods == {TOTAL}:
            used = {TOTAL: sum(used.values())}
        elif periods != set(used):
            message = f"the periods of {code} are not those of the exports: name charges in `of`"
            raise Invalid.of("different_periods", message)
        return {ENERGY: _less(measured, used)}

    def _notes(self, line: Line) -> tuple[Step, ...]:
        return tuple(use.step() for use in self.uses if line.period in (None, use.label))


def kwh(micro: int) -> Fraction:
    """Return micro-units as kWh."""
    return Fraction(micro, MICRO)


def period_of(label: str) -> str | None:
    """Return the period that a label of a measure names; None is all energy."""
    period = label.partition("@")[0]
    return None if period == TOTAL else period


def _in_period(site: Site, entry: Entry, labels: Mapping[str, int]) -> Entry:
    """Return an entry in the period that takes the place of its own, where the bill lacks it."""
    becomes = site.charge.becomes or {}
    if entry.period is None or entry.period in labels:
        return entry
    return attrs.evolve(entry, period=becomes.get(entry.period, entry.period))


def _refuse_slots(site: Site, code: str) -> None:
    """Refuse an energy charge that measures more of its slots than their energy.

    Raises:
        Invalid: It prices energy slot by slot, and no bank can say from which slots it takes any.

    """
    for name, labels in site.unused(code).items():
        if name == ENERGY or name.startswith("demand"):
            continue
        if labels != site.bill.measured[code][name]:
            message = f"{code} prices energy slot by slot: net metering cannot offset it"
            raise Invalid.of("cannot_offset", message)


def _less(measured: Mapping[str, int], used: dict[str, int]) -> Mapping[str, int]:
    """Return labels of an energy charge without what is used of their periods."""
    rest = dict(measured)
    for label, micro in measured.items():
        period = label.partition("@")[0]
        taken = min(used[period], max(micro, 0))
        used[period] -= taken
        rest[label] = micro - taken
    return rest


def _net(site: Site, flow: Flows) -> Fraction:
    """Return exports less imports of all periods since the last true-up, never below zero."""
    net = sum(flow.exported.values()) - sum(flow.imported.values())
    return max(site.kept.net + kwh(net), Fraction(0))


def _true_up(site: Site, quantity: Fraction, rate: Decimal, period: str | None = None) -> Line:
    tags = ("true_up",)
    return site.charge.line(-quantity, rate, "kWh", period=period, component="true_up", tags=tags)


def _true_ups(site: Site, entries: Sequence[Entry], rates: fields.Rates) -> Iterator[Line]:
    """Yield the line of each period whose energy is settled at its own rate."""
    by_period: dict[str | None, Fraction] = {}
    for entry in entries:
        by_period[entry.period] = by_period.get(entry.period, Fraction(0)) + entry.amount
    for period, quantity in by_period.items():
        if period is None or period not in rates:
            message = f"energy of {period or 'no period'} has no rate in true_up.rates"
            raise Invalid.of("missing_rate", message)
        yield _true_up(site, quantity, rates[period], period)


@attrs.define
class Purse:
    """The money of a bill.

    Attributes:
        site: The bill.
        before: The lines of this charge so far.
        earning: The lines of what is earned, below zero.
        account: Where the money came from, and where it went.
        entries: What is kept.

    """

    site: Site
    before: Sequence[Line]
    earning: Sequence[Line]
    account: Account = attrs.Factory(Account)
    entries: list[Entry] = attrs.Factory(list)

    def settle(self) -> Iterator[Line]:
        """Yield the lines about money."""
        had = self.site.kept.of("money")
        self.entries = alive(had, self.site.month)
        earned = -self.site.sum(self.earning)
        carried_in, expired = total(had), total(had) - total(self.entries)
        self.account = Account(carried_in=carried_in, earned=earned, expired=expired)
        yield from self._used()
        yield from self._earned(earned)
        if self.site.due and self.site.charge.keeps == "money":
            yield from self._true_up()

    def _room(self) -> Fraction | None:
        """Return how much may be used; None is any amount."""
        if self.site.charge.limits == "none":
            return None
        whole = self.site.charge.limits == "bill"
        lines = self.site.bill.lines if whole else self.site.energy_lines()
        return max(self.site.sum([*lines, *self.before]), Fraction(0))

    def _used(self) -> Iterator[Line]:
        """Use what was kept, oldest first."""
        room, there = self._room(), total(self.entries)
        taken, self.entries = draw(self.entries, there if room is None else min(there, room))
        self.account.used = total(taken)
        steps = tuple(
            Step(f"credit of {entry.month}", f"-{decimal_text(entry.amount)}", -entry.amount)
            for entry in taken
        )
        if steps:
            yield _named(self.site, "credit", -total(taken), steps)

    def _earned(self, earned: Fraction) -> Iterator[Line]:
        """Use what is earned now, as far as there is room, and keep or lose the rest."""
        used, room = earned, self._room()
        if self._waits and earned > 0:
            used = Fraction(0)
        else:
            yield from self.earning
            if room is not None:
                used = min(earned, room - self.account.used)
        self.account.used += used
        yield from self._over(earned - used)

    @property
    def _waits(self) -> bool:
        """Whether what is earned is for the next bill."""
        return self.site.charge.apply == "next_bill"

    def _over(self, over: Fraction) -> Iterator[Line]:
        if not over:
            return
        keeps = self.site.charge.keeps == "money" or self.site.charge.true_up is not None
        if keeps:
            site = self.site
            self.entries.append(Entry(site.month, "money", over, None, site.expires))
        else:
            self.account.lost = over
        if not self._waits:
            name = "carried" if keeps else "lost"
            steps = (Step("more than the limit", decimal_text(over), over),)
            yield _named(self.site, name, over, steps)

    def _true_up(self) -> Iterator[Line]:
        there = total(self.entries)
        true_up = self.site.charge.true_up
        if there and true_up and true_up.pay == "cash":
            self.account.paid = there
            steps = tuple(
                Step(f"credit of {entry.month}", f"-{decimal_text(entry.amount)}", -entry.amount)
                for entry in self.entries
            )
            yield _named(self.site, "true_up", -there, steps, ("true_up",))
        else:
            self.account.lost += there
        self.entries = []


def _named(
    site: Site,
    name: str,
    value: Fraction,
    steps: tuple[Step, ...],
    tags: tuple[str, ...] = (),
) -> Line:
    return site.charge.line(amount=fraction(value), component=name, steps=steps, tags=tags)


def earnings(site: Site, rest: Sequence[Entry]) -> Iterator[Line]:
    """Yield what a bill earns, below zero: the *rest* of net metering, or what is exported."""
    charge = site.charge
    if charge.scheme == "net_metering" and charge.keeps != "money":
        return
    if charge.like_import:
        yield from _like_import(site, rest)
        return
    if charge.formula is not None:
        yield from _at_prices(site, charge.formula)
        return
    energy = _energy(site, rest)
    if charge.tiers is not None:
        yield from _tiers(site, sum(energy.values(), Fraction(0)))
        return
    for period, quantity in energy.items():
        if quantity:
            rate = _rate(site, period)
            yield charge.line(-quantity, rate, "kWh", period=period)


def _at_prices(site: Site, formula: SlotFormula) -> Iterator[Line]:
    """Yield what slots that export are paid, each at its own price."""
    worth, sold = site.measured["worth"], kwh(sum(site.measured["exported"].values()))
    if not sold:
        return
    value = Fraction(worth["amount"], worth["scale"])
    text = f"-{decimal_text(sold)} kWh at {formula.text()}, on average {decimal_text(value / sold)}"
    step = Step("sold slot by slot", text, -value)
    yield site.charge.line(-sold, None, "kWh", amount=-value, steps=(step,))


def _like_import(site: Site, rest: Sequence[Entry]) -> Iterator[Line]:
    """Yield what the energy charges would charge for what is sold, below zero."""
    for code in site.codes:
        for old in site.bill.again(code, {ENERGY: _exported(site, code, rest)}):
            if old.amount and site.charge.of.matches(old):
                yield like(site, "sold", old, _negative(site, old))


def _exported(site: Site, code: str, rest: Sequence[Entry]) -> Mapping[str, int]:
    if site.charge.scheme != "net_metering":
        return site.exported(code)
    labels = dict.fromkeys(site.imported(code), 0)
    for entry in rest:
        label = next((label for label in labels if period_of(label) in (None, entry.period)), None)
        if label is None:
            message = f"{code} does not have the period {entry.period}"
            raise Invalid.of("different_periods", message)
        # Where periods are exchanged, less than a micro-unit may be left: it is not sold.
        labels[label] += int(entry.amount * MICRO)
    return labels


def _negative(site: Site, old: Line) -> Line:
    steps = tuple(attrs.evolve(step, value=-step.value) for step in old.steps)
    quantity = None if old.quantity is None else -Fraction(old.quantity)
    if quantity is not None and old.rate is not None:
        return site.charge.line(quantity, old.rate, old.unit, steps=steps)
    amount = -Fraction(old.amount or 0)
    return site.charge.line(quantity, None, old.unit, amount=amount, steps=steps)


def _energy(site: Site, rest: Sequence[Entry]) -> Mapping[str | None, Fraction]:
    """Return what is sold in each period, in kWh."""
    if site.charge.scheme == "net_metering":
        return {entry.period: entry.amount for entry in rest}
    code = site.finest()
    if site.charge.rates is None or site.charge.schedule or code is None:
        labels = site.measured["exported"]
    else:
        labels = by_period(site.exported(code))
    return {period_of(label): kwh(micro) for label, micro in labels.items()}


def _tiers(site: Site, quantity: Fraction) -> Iterator[Line]:
    below = Fraction(0)
    for number, tier in enumerate(site.charge.tiers or (), 1):
        top = quantity if tier.up_to is None else min(quantity, Fraction(tier.up_to))
        if top > below:
            component = f"tier{number}"
            yield site.charge.line(below - top, tier.rate, "kWh", component=component)
            below = top


def _rate(site: Site, period: str | None) -> Decimal:
    rates, rate = site.charge.rates, site.charge.rate
    if rates is None:
        return rate or Decimal(0)
    if period not in rates:
        message = f"what is exported in {period or 'all periods together'} has no rate"
        raise Invalid.of("missing_rate", message)
    return rates[period]


def _change(site: Site, name: str, unit: str | None, account: Account) -> Iterator[Line]:
    """Yield a line of no amount that says what came into the bank and left it."""
    signs = {"earned": 1, "used": -1, "expired": -1, "lost": -1, "paid": -1}
    values = {what: sign * getattr(account, what) for what, sign in signs.items()}
    if any(values[what] for what in ("expired", "lost", "paid")) or sum(values.values()):
        steps = tuple(
            Step(what, decimal_text(value), value) for what, value in values.items() if value
        )
        change = account.carried_out - account.carried_in
        yield site.charge.line(change, Decimal(0), unit, component=name, steps=steps)


def _state(site: Site, energy: Energy, purse: Purse) -> State:
    entries = sorted([*energy.entries, *purse.entries], key=lambda entry: entry.month)
    # The bill before this one stays that until its end: the months since then tell a true-up.
    month = site.before if site.goes_on else site.month
    state: dict[str, Any] = {"month": month, "ledger": [entry.json() for entry in entries]}
    if site.charge.true_up and site.charge.true_up.basis == "net":
        state["net"] = exact_text(energy.net)
    state["last"] = {
        unit: account.json()
        for unit, account in (("kwh", energy.account), ("money", purse.account))
        if account != Account()
    }
    return State(state)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Export]
