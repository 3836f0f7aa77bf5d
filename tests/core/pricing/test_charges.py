"""What authors of charges rely on."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import attrs
import pytest

from energia.pricing.charges import (
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Charge,
    Line,
    Measure,
    Measured,
)
from energia.pricing.engine import price
from energia.pricing.measures import Energy
from energia.pricing.slots import Slots
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins.tariff_flat import Flat
from tests.core.pricing.documents import document, series

USAGE = series("2026-03-01T00:00:00Z", 3600, [1_000_000] * 4)


@attrs.frozen
class Levy(BaseCharge):
    """A share of what was charged before, and a fee for every slot with much energy."""

    kind: ClassVar[str] = "acme.levy"
    percent: Decimal
    above: Decimal = Decimal(1)

    def measures(self) -> dict[str, Measure]:
        """Count slots, by a measure of its own."""
        return {"busy": Busy(int(self.above * 10**6), self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge both."""
        before = sum((Fraction(line.amount or 0) for line in bill.lines), Fraction(0))
        yield self.line(amount=before * Fraction(self.percent) / 100, component="share")
        yield self.line(measured["busy"]["slots"], Decimal("0.01"), "slot", component="busy")


@attrs.frozen
class Busy(BaseMeasure):
    """Counts the slots with at least so many micro-units."""

    least: int
    channel: str

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that it counts."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> dict[str, int]:
        """Count them."""
        return {"slots": int((slots.portion(self.channel).values >= self.least).sum())}


def priced(*kinds: type[Charge], charges: list[dict[str, object]]) -> list[tuple[str, str]]:
    """Return the codes and exact amounts of the lines of some charges."""
    converter = tariff_converter({kind.kind: kind for kind in kinds})
    tariff = converter.structure(document(charges), Tariff)
    cost = price(tariff, {"import": USAGE}, USAGE.start, USAGE.end)
    return [(line.code, line.exact) for line in cost.lines]


def test_a_charge_of_a_third_party_brings_its_own_measure() -> None:
    """Charges run in their order and see the exact lines of those before."""
    charges: list[dict[str, object]] = [
        {"kind": "energy.flat", "rate": "0.3333"},
        {"kind": "acme.levy", "percent": "7.5"},
    ]

    assert priced(Flat, Levy, charges=charges) == [
        ("energy.flat", "1.3332"),
        ("acme.levy.share", "0.09999"),
        ("acme.levy.busy", "0.04"),
    ]


def test_a_line_needs_an_amount_or_what_makes_one() -> None:
    """A line that says nothing is a mistake of the plugin, not a line of zero."""

    @attrs.frozen
    class Empty(BaseCharge):
        """Nothing."""

        kind: ClassVar[str] = "acme.empty"

        def measures(self) -> dict[str, Measure]:
            return {}

        def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
            yield self.line(1)

    with pytest.raises(TypeError, match=r"acme\.empty"):
        priced(Empty, charges=[{"kind": "acme.empty"}])


def test_a_measure_reads_only_the_roles_that_it_states() -> None:
    """Reading another role is a mistake of the plugin that is told clearly."""
    slots = Slots(0, 1, None, None, {})  # type: ignore[arg-type]

    with pytest.raises(LookupError, match="does not state the role 'export'"):
        Energy("export").evaluate(slots)
