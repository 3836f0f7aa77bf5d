"""Which credit offsets which consumption, and how much of it: Lei 14.300/2022, art. 13 and 16."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor

import attrs

from energia import Invalid, Line
from energia.pricing.exact import exact_sum, fraction
from energia_plugins.tariff_brazil.scee_ledger import GenerationType, Lot

__all__ = ["Offset", "Slice", "Use", "slices"]

#: What of its price a kWh of a posto pays that a lot of a type offsets, R$.
Dues = Callable[[GenerationType, str | None], Fraction]


@attrs.define(eq=False)
class Slice:
    """Consumption of one price: of a posto, of a band.

    Attributes:
        key: What tells it apart in codes; empty where there is one.
        posto: Its posto; None where there are none.
        lines: What charges it, a line for each component.
        quantity: In kWh.
        open: How much of it nothing offsets yet.

    """

    key: str
    posto: str | None
    lines: tuple[Line, ...]
    quantity: Fraction
    open: Fraction

    @property
    def price(self) -> Fraction:
        """What a kWh costs, before taxes."""
        return exact_sum(map(rate_of, self.lines))


@attrs.frozen
class Use:
    """What a lot gives to a slice.

    Attributes:
        lot: The lot, as it was before.
        slice: The slice.
        kwh: How much of the slice is offset.
        spent: How much of the lot that takes; as much, but for another posto.

    """

    lot: Lot
    slice: Slice
    kwh: Fraction
    spent: Fraction


def rate_of(line: Line) -> Fraction:
    """Return the price of a unit of a line."""
    if line.rate is not None and line.is_multiplied:
        return fraction(line.rate)
    return line.exact_amount / fraction(line.quantity or 1)


def slices(lines: Sequence[Line], code: str) -> list[Slice]:
    """Return the slices of the lines of an energy charge; raises `Invalid`."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        key = line.code.removeprefix(code).strip(".")
        if line.component:
            key = key.removesuffix(line.component).strip(".")
        found.setdefault(key, []).append(line)
    return [_slice(key, of) for key, of in found.items()]


def _slice(key: str, lines: list[Line]) -> Slice:
    quantities = {fraction(line.quantity or 0) for line in lines}
    if len(quantities) > 1:
        message = f"the components of {lines[0].code} are of different energy: none can be offset"
        raise Invalid.of("selection_differs", message)
    (quantity,) = quantities
    return Slice(key, lines[0].period, tuple(lines), quantity, quantity)


@attrs.define
class Offset:
    """Sets credits against consumption.

    The energy of this cycle comes first, then the oldest; in its own posto first, then in others by
    what a kWh of each is worth. It stops where what is charged falls to the least that is billed:
    that is money (art. 16), so that what GD II and III pay for the grid counts.

    Attributes:
        slices: The consumption.
        lots: The credits, in the order in which they are used.
        dues: What of a price is paid all the same.
        least: What must be left, in money; None where nothing limits.
        weights: What a kWh of each posto is worth.
        counts_dues: Whether what is paid all the same counts as charged.
        older: How much of lots that are not of this cycle may be used; None is all.
        month: The month of this cycle.
        uses: What was used.

    """

    slices: Sequence[Slice]
    lots: Sequence[Lot]
    dues: Dues
    least: Fraction | None
    weights: Mapping[str, Decimal]
    counts_dues: bool = True
    older: Fraction | None = None
    month: str = ""
    uses: list[Use] = attrs.Factory(list)
    left: dict[int, Fraction] = attrs.Factory(dict)

    def run(self) -> None:
        """Set off all that can be."""
        self.left = {index: lot.kwh for index, lot in enumerate(self.lots)}
        for across in (False, True):
            for index, lot in enumerate(self.lots):
                for one in self._in_order(lot, across):
                    self._use(index, lot, one)

    def _in_order(self, lot: Lot, across: bool) -> Iterator[Slice]:
        """Yield the slices of the posto of a lot, or those of others, the dearest first."""
        if not across:
            yield from (one for one in self.slices if _same(lot, one))
            return
        others = (one for one in self.slices if not _same(lot, one) and one.posto in self.weights)
        if lot.posto in self.weights:
            yield from sorted(others, key=lambda one: -self.weights[one.posto or ""])

    def _use(self, index: int, lot: Lot, one: Slice) -> None:
        ratio = self._ratio(lot, one)
        available = self.left[index]
        is_older = lot.month != self.month
        if is_older and self.older is not None:
            available = min(available, self.older)
        kwh = min(one.open, available * ratio, self._most(lot, one))
        if kwh <= 0:
            return
        spent = kwh / ratio
        one.open -= kwh
        self.left[index] -= spent
        if is_older and self.older is not None:
            self.older -= spent
        self.uses.append(Use(lot, one, kwh, spent))

    def _ratio(self, lot: Lot, one: Slice) -> Fraction:
        """Return how many kWh of a slice a kWh of a lot offsets."""
        if _same(lot, one):
            return Fraction(1)
        return Fraction(self.weights[lot.posto or ""]) / Fraction(self.weights[one.posto or ""])

    def _most(self, lot: Lot, one: Slice) -> Fraction:
        """Return how much of a slice may be offset before too little is charged."""
        if self.least is None:
            return one.open
        due = self.dues(lot.type, one.posto) if self.counts_dues else Fraction(0)
        less = one.price - due
        if less <= 0:
            return one.open
        most = max(Fraction(0), (self.charged - self.least) / less)
        # What is paid for the grid makes limits that are no whole kWh: bills cut them.
        return most if not self._pays else Fraction(floor(most))

    @property
    def _pays(self) -> bool:
        if not self.counts_dues:
            return False
        return any(self.dues(lot.type, one.posto) for lot in self.lots for one in self.slices)

    @property
    def charged(self) -> Fraction:
        """What is charged so far for energy, before taxes and flags of their own."""
        energy = exact_sum(one.open * one.price for one in self.slices)
        return energy + self.paid if self.counts_dues else energy

    @property
    def paid(self) -> Fraction:
        """What offset energy pays all the same."""
        return exact_sum(use.kwh * self.dues(use.lot.type, use.slice.posto) for use in self.uses)

    def rest(self) -> list[Lot]:
        """Return the lots as they are left."""
        return [attrs.evolve(lot, kwh=self.left[index]) for index, lot in enumerate(self.lots)]


def _same(lot: Lot, one: Slice) -> bool:
    return None in (lot.posto, one.posto) or lot.posto == one.posto
