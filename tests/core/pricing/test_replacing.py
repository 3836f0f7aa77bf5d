"""Charges about lines of the charges before: replaced, selected, charged again."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest

from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Charge,
    Line,
    Measure,
    Measured,
    Replace,
    Selection,
    Slots,
    Step,
)
from energia.pricing.engine import Cost, price
from energia.pricing.slots import Portion
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins.tariff_flat import Flat
from energia_plugins.tariff_time_of_use import TimeOfUse
from tests.core.pricing.documents import document, faults, series

USAGE = series("2026-03-01T00:00:00Z", 3600, [1_000_000] * 4)
PARTS = {"kind": "energy.flat", "components": {"te": "0.30", "tusd": "0.50"}, "tags": ["taxed"]}


@attrs.frozen
class Inside(BaseCharge):
    """A tax that is part of the price."""

    kind: ClassVar[str] = "acme.inside"
    rate: Decimal
    base: Selection = attrs.Factory(Selection)
    twice: bool = False

    def measures(self) -> dict[str, Measure]:
        """Measure nothing."""
        return {}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Replace]:
        """Gross up the lines of the base."""
        for line in self.base.lines(bill):
            gross = Fraction(line.amount or 0) / (1 - Fraction(self.rate))
            step = Step("tax inside", f"{line.amount} / (1 - {self.rate})", gross)
            new = attrs.evolve(line, rate=None, amount=gross, steps=(step,))
            yield from [Replace(line, new)] * (2 if self.twice else 1)


@attrs.frozen
class Half(BaseCharge):
    """What half the energy of a charge would cost less."""

    kind: ClassVar[str] = "acme.half"
    of: str = "energy.time_of_use"

    def measures(self) -> dict[str, Measure]:
        """Measure nothing."""
        return {}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the energy again."""
        energy = {name: micro // 2 for name, micro in bill.measured[self.of]["energy"].items()}
        before = [line for line in bill.lines if line.charge == self.of]
        for old, new in zip(before, bill.again(self.of, {"energy": energy}), strict=True):
            amount = Fraction(new.amount or 0) - Fraction(old.amount or 0)
            yield self.line(amount=amount, period=old.period)


def read(charges: list[dict[str, Any]], **version: Any) -> Tariff:
    """Return a tariff of some charges."""
    kinds: list[type[Charge]] = [Flat, TimeOfUse, Inside, Half, Shifted]
    converter = tariff_converter({kind.kind: kind for kind in kinds})
    return converter.structure(document(charges, **version), Tariff)


def cost(*charges: dict[str, Any], **version: Any) -> Cost:
    """Return the cost of the usage under some charges."""
    return price(read(list(charges), **version), {"import": USAGE}, USAGE.start, USAGE.end)


def amounts(found: Cost) -> dict[str, str]:
    """Return the exact amounts by the codes of the lines."""
    return {line.code: line.exact for line in found.lines}


def test_a_replaced_line_keeps_its_place_and_its_charge() -> None:
    """A tax inside the price changes the amounts of the lines that it is part of."""
    tax = {"kind": "acme.inside", "rate": "0.20"}

    found = cost(PARTS, tax)

    assert amounts(found) == {"energy.flat.te": "1.5", "energy.flat.tusd": "2.5"}
    assert [(one.charge, one.replaced_by) for one in found.details] == [
        ("energy.flat", ("acme.inside",))
    ] * 2


def test_later_charges_see_what_replaced_a_line() -> None:
    """A second tax is taken on the lines that the first left."""
    taxes = [{"kind": "acme.inside", "rate": "0.20", "code": code} for code in ("a", "b")]

    found = cost(PARTS, *taxes)

    assert amounts(found) == {"energy.flat.te": "1.875", "energy.flat.tusd": "3.125"}
    assert found.details[0].replaced_by == ("a", "b")


def test_a_line_is_replaced_once_by_a_charge() -> None:
    """Replacing what is not on the bill any more is a mistake of the plugin."""
    with pytest.raises(TypeError, match=r"acme\.inside.*each once"):
        cost(PARTS, {"kind": "acme.inside", "rate": "0.20", "twice": True})


@pytest.mark.parametrize(
    ("base", "changed"),
    [
        ({}, {"te", "tusd"}),
        ({"components": ["te"]}, {"te"}),
        ({"charges": ["energy.flat"]}, {"te", "tusd"}),
        ({"tags": ["taxed"]}, {"te", "tusd"}),
        ({"tags": ["other"]}, set()),
        ({"periods": ["peak"]}, set()),
        ({"without_tags": ["taxed"]}, set()),
    ],
)
def test_a_selection_tells_which_lines(base: dict[str, Any], changed: set[str]) -> None:
    """Lines are selected by charge, period, component and tags; all conditions hold at once."""
    found = cost(PARTS, {"kind": "acme.inside", "rate": "0.20", "base": base})

    of = zip(found.lines, found.details, strict=True)
    assert {line.component for line, detail in of if detail.replaced_by} == changed


def test_a_selection_names_charges_that_come_before() -> None:
    """A code that no earlier charge has is refused when the tariff is saved."""
    tax = {"kind": "acme.inside", "rate": "0.20", "base": {"charges": ["energy.flat", "later"]}}

    later = {"kind": "energy.flat", "code": "later", "rate": "1"}
    assert faults(lambda: read([{**PARTS, "code": "energy.flat"}, tax, later])) == {
        "/versions/0/charges/1/base/charges/1": "unknown_charge"
    }


def test_an_earlier_charge_can_be_charged_again() -> None:
    """A charge may ask what an earlier one would charge for other quantities."""
    schedule = {"default": "off", "rules": [{"period": "peak", "from": "01:00", "to": "02:00"}]}
    energy = {
        "kind": "energy.time_of_use",
        "schedule": schedule,
        "rates": {"peak": "0.40", "off": "0.10"},
    }

    found = amounts(cost(energy, {"kind": "acme.half"}))

    assert found["acme.half.peak"] == "-0.2"
    assert found["acme.half.off"] == "-0.15"


@attrs.frozen
class Shifted(BaseCharge):
    """What energy would cost if all of it were used in the first hour."""

    kind: ClassVar[str] = "acme.shifted"

    def measures(self) -> dict[str, Measure]:
        """Measure nothing."""
        return {}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the energy again, of each charge of imports."""
        for code, channel in bill.channels.items():
            if channel == "import":
                for line in bill.again(code, bill.remeasured(code, _shifted)):
                    yield self.line(amount=line.amount, period=line.period)


def _shifted(slots: Slots) -> Slots:
    part = slots.portion("import")
    values = np.zeros_like(part.values)
    values[0] = part.values.sum()
    moved = Portion(part.grid, values, int(values[0]))
    return attrs.evolve(slots, portions={**slots.portions, "import": moved})


def test_an_earlier_charge_can_be_measured_again() -> None:
    """All 4 kWh are off peak then."""
    schedule = {"default": "off", "rules": [{"period": "peak", "from": "01:00", "to": "02:00"}]}
    energy = {
        "kind": "energy.time_of_use",
        "schedule": schedule,
        "rates": {"peak": "0.40", "off": "0.10"},
    }

    found = amounts(cost(energy, {"kind": "acme.shifted"}))

    assert found["energy.time_of_use.peak"] == "0.4"
    assert found["acme.shifted.peak"] == "0"
    assert found["acme.shifted.off"] == "0.4"


def test_only_charges_before_can_be_measured_again() -> None:
    """What has not run has no measures."""
    with pytest.raises(LookupError):
        BillSoFar(()).remeasured("energy", lambda slots: slots)


def test_a_charge_cannot_ask_those_after_it() -> None:
    """Only what has been charged can be charged again."""
    with pytest.raises(LookupError):
        cost({"kind": "acme.half"}, {"kind": "energy.flat", "rate": "1"})
