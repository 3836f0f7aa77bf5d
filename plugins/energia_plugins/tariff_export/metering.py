"""Net metering: exported energy offsets imported energy, and the rest is banked."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.charges import Line, Measured, Step
from energia.pricing.exact import decimal_text, fraction
from energia.units import MICRO
from energia_plugins.tariff_export.crediting import credits
from energia_plugins.tariff_export.ledger import Entry
from energia_plugins.tariff_export.site import ENERGY, TOTAL, Site, by_period, kwh, period_of


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
    def of(cls, site: Site, found: Flows, older: Sequence[Entry]) -> "Offsetting":
        """Return the state before anything is offset."""
        now = [
            Entry(site.month, "kwh", kwh(micro), period_of(label), site.expires)
            for label, micro in found.exported.items()
            if micro > 0
        ]
        left = {label: max(micro, 0) for label, micro in found.imported.items()}
        never = floor(Fraction(site.charge.uncompensated or 0) * site.part * MICRO)
        moved = [_moved(site, entry, left) for entry in older]
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
        for at, entry in enumerate(self.entries):
            if periods is None or entry.period in periods:
                self.entries[at] = self._use(label, entry)

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
            raise Invalid(message, [Fault("different_periods", message)])
        return {ENERGY: _less(measured, used)}

    def _notes(self, line: Line) -> tuple[Step, ...]:
        return tuple(use.step() for use in self.uses if line.period in (None, use.label))


def _refuse_slots(site: Site, code: str) -> None:
    """Refuse an energy charge that measures more of its slots than their energy.

    Raises:
        Invalid: It prices energy slot by slot, and no bank can tell of which slots it takes any.

    """
    for name, labels in site.unused(code).items():
        if name == ENERGY or name.startswith("demand"):
            continue
        if labels != site.bill.measured[code][name]:
            message = f"{code} prices energy slot by slot: net metering cannot offset it"
            raise Invalid(message, [Fault("cannot_offset", message)])


def _less(measured: Mapping[str, int], used: dict[str, int]) -> Mapping[str, int]:
    """Return labels of an energy charge without what is used of their periods."""
    found = dict(measured)
    for label, micro in measured.items():
        period = label.partition("@")[0]
        taken = min(used[period], max(micro, 0))
        used[period] -= taken
        found[label] = micro - taken
    return found


def _moved(site: Site, entry: Entry, labels: Mapping[str, int]) -> Entry:
    """Return an entry in the period that takes the place of its own, where the bill lacks it."""
    becomes = site.charge.becomes or {}
    if entry.period is None or entry.period in labels:
        return entry
    return attrs.evolve(entry, period=becomes.get(entry.period, entry.period))
