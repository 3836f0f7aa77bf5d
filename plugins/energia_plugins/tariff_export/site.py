"""What a bill of a site with exports rests on: its month, what is kept, the energy charges."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.charges import BillSoFar, Line, Measured, Slots
from energia.units import MICRO
from energia_plugins.tariff_export.ledger import Kept, later
from energia_plugins.tariff_export.netting import as_import, netted, nothing_imported

if TYPE_CHECKING:
    from energia_plugins.tariff_export.charge import Export

#: The label of energy that no schedule divides, and the measure that energy charges call so.
TOTAL: Final = "total"
ENERGY: Final = "energy"

#: How kinds of charge begin whose lines are for each kWh.
_KINDS: Final = ("energy.", "adjustment.")


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

    charge: "Export"
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
            raise Invalid(message, [Fault("no_energy_charge", message)])
        return named

    def _in(self, code: str) -> bool:
        return self.bill.channels[code] == "import" and self._meters(code)

    def _meters(self, code: str) -> bool:
        return ENERGY in self.bill.measured.get(code, {})

    @property
    def due(self) -> bool:
        """Whether the bank is settled: the true-up month has come since the bill before."""
        true_up, months = self.charge.true_up, self.measured["months"]
        if true_up is None:
            return False
        first = later(self.kept.month, 1) if self.kept.month else min(months)
        since = (later(first, step) for step in range(12))
        return any(int(one[5:]) == true_up.month for one in since if one <= self.month)

    @property
    def expires(self) -> str | None:
        """The last month that may use what this one earns."""
        months = self.charge.expires_after
        return None if months is None else later(self.month, months)

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

        Hours that are netted stand in one slot each: they tell nothing of demand.
        """
        kept = self.bill.measured[code] if self.charge.nets == "hour" else {}
        demand = {name: labels for name, labels in kept.items() if name.startswith("demand")}
        return {**self.bill.remeasured(code, self._net), **demand}

    def unused(self, code: str) -> Measured:
        """Return what an energy charge would measure if nothing were imported."""
        return self.bill.remeasured(code, nothing_imported)

    def _net(self, slots: Slots) -> Slots:
        nets = self.charge.nets
        return slots if nets is None else netted(slots, nets, self.charge.channel)

    def _exports(self, slots: Slots) -> Slots:
        return as_import(self._net(slots), self.charge.channel)

    def finest(self) -> str | None:
        """Return the energy charge with most periods; None if there is no energy charge."""
        energy = [code for code in self.codes if self.bill.kinds[code].startswith(_KINDS[0])]
        several = energy or self.codes
        return max(several, key=lambda code: len(self.imported(code)), default=None)

    def sum(self, lines: Iterable[Line]) -> Fraction:
        """Return what lines come to."""
        return sum(map(self.bill.exactly, lines), Fraction(0))

    def energy_lines(self) -> Iterator[Line]:
        """Yield the lines that exports offset, as they are on the bill."""
        codes = self.codes
        return (line for line in self.charge.of.lines(self.bill) if line.charge in codes)


def kwh(micro: int) -> Fraction:
    """Return micro-units as kWh."""
    return Fraction(micro, MICRO)


def period_of(label: str) -> str | None:
    """Return the period that a label of a measure names; None is all energy."""
    period = label.partition("@")[0]
    return None if period == TOTAL else period


def by_period(labels: Mapping[str, int]) -> Mapping[str, int]:
    """Return the sums by period of labels that may be divided further, such as `peak@2026-03`."""
    found: dict[str, int] = {}
    for label, micro in labels.items():
        period = label.partition("@")[0]
        found[period] = found.get(period, 0) + micro
    return found
