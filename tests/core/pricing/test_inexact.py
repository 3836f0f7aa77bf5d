"""No float comes into a bill: it is refused, and the message names its place."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, cast

import attrs
import numpy as np
import pytest

from energia import (
    BaseCharge,
    BaseMeasure,
    BillSoFar,
    Charge,
    Energy,
    Line,
    Measure,
    Measured,
    PriceChange,
    PriceChanges,
    Replace,
    Slots,
    State,
    Step,
    UnitPrices,
)
from energia.errors import EnergiaError, Inexact, PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.pricing.calendar import Grid
from energia.pricing.engine import price
from energia.pricing.prices import prices
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins.tariff_flat import Flat
from tests.core.pricing.documents import document, series

USAGE = series("2026-03-01T00:00:00Z", 3600, [1_000_000] * 4)
Given = Iterator[Line | Replace | State]
Give = Callable[[BaseCharge, Measured, BillSoFar], Given]


@attrs.frozen
class Odd(BaseCharge):
    """Gives what a test says."""

    kind: ClassVar[str] = "acme.odd"
    give: ClassVar[Give]
    measure: ClassVar[Measure] = Energy("import")

    def measures(self) -> dict[str, Measure]:
        """Ask for the measure."""
        return {"energy": self.measure}

    def lines(self, measured: Measured, bill: BillSoFar) -> Given:
        """Give it."""
        return type(self).give(self, measured, bill)


@attrs.frozen
class Mean(BaseMeasure):
    """The mean of the slots, as a type of a test's choice."""

    type_: type

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is imported."""
        return ("import",)

    def evaluate(self, slots: Slots) -> dict[str, int]:
        """Return the mean."""
        return {"mean": self.type_(slots.portion("import").values.mean())}


def tariff_of(*charges: Mapping[str, object], odd: type[Charge] = Odd) -> Tariff:
    """Return a tariff of the energy at 0.30, and of *charges*."""
    converter = tariff_converter({"acme.odd": odd, "energy.flat": Flat})
    flat = {"kind": "energy.flat", "rate": "0.30"}
    return converter.structure(document([flat, *charges]), Tariff)


def refusal(give: Give, measure: Measure = Odd.measure) -> str:
    """Return the message with which what a charge gives is refused."""
    odd = cast("type[Charge]", type("Odd", (Odd,), {"give": give, "measure": measure}))
    with pytest.raises(Inexact) as refused:
        price(tariff_of({"kind": "acme.odd"}, odd=odd), {"import": USAGE}, USAGE.start, USAGE.end)
    return refused.value.detail


def of(**parts: Any) -> Give:
    """Give a line with these parts."""

    def give(charge: BaseCharge, measured: Measured, bill: BillSoFar) -> Given:
        yield charge.line(period="peak", **parts)

    return give


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"quantity": 0.5, "rate": 1}, "quantity: 0.5"),
        ({"quantity": 1, "rate": 0.1}, "rate: 0.1"),
        ({"amount": 12.5}, "amount: 12.5"),
        ({"amount": np.float64(2)}, "amount: np.float64(2.0)"),
        ({"amount": Decimal("NaN")}, "amount: NaN is no number"),
        (
            {"amount": 3, "steps": (Step("one", "1", 1), Step("two", "2", cast("int", 2.0)))},
            "steps[1].value: 2.0",
        ),
    ],
)
def test_a_float_in_a_line(parts: Mapping[str, object], place: str) -> None:
    """The charge, the line and the part of it are named."""
    assert refusal(of(**parts)).startswith(f"charge acme.odd: line acme.odd.peak: {place}")


def test_a_float_of_micro_units() -> None:
    """`metered` takes what a measure gives, which is whole."""

    def give(charge: BaseCharge, measured: Measured, bill: BillSoFar) -> Given:
        half: Any = measured["energy"]["total"] / 2
        yield charge.metered(half, Decimal("0.1"), component="te")

    assert refusal(give).startswith(
        "charge acme.odd: line acme.odd.te: micro of `metered`: 2000000.0 is not a Python int"
    )


def test_a_float_that_changes_another_line() -> None:
    """The line that it would change is named, and who does it."""

    def times(charge: BaseCharge, measured: Measured, bill: BillSoFar) -> Given:
        factor: Any = 1.1
        yield Replace(bill.lines[0], bill.lines[0].times(factor, "x 1.1", "odd"))

    def plus(charge: BaseCharge, measured: Measured, bill: BillSoFar) -> Given:
        rate: Any = 0.1
        yield Replace(bill.lines[0], bill.lines[0].plus(rate, "odd"))

    place = "charge acme.odd: line energy.flat: "
    assert refusal(times).startswith(f"{place}factor of `times`: 1.1 ")
    assert refusal(plus).startswith(f"{place}rate of `plus`: 0.1 ")


def test_a_float_that_is_remembered() -> None:
    """Its place in the State is named: JSON would keep what is near it."""

    def give(charge: BaseCharge, measured: Measured, bill: BillSoFar) -> Given:
        yield State({"credits": [{"kwh": "1"}, {"kwh": 0.5}]})

    assert refusal(give) == (
        "charge acme.odd: its State: /credits/1/kwh: 0.5: numbers are remembered as strings"
    )


@pytest.mark.parametrize("type_", [float, np.int64, np.float64])
def test_a_measure_that_gives_no_python_ints(type_: type) -> None:
    """A float is not exact, and an integer of numpy may overflow: the measure is named."""
    assert refusal(of(amount=1), Mean(type_)).startswith(
        "charge acme.odd: measure 'energy': 'mean': "
    )


def test_a_float_in_the_price_of_a_unit() -> None:
    """So it is where prices of slots are told."""

    @attrs.frozen
    class Told(Odd):
        def unit_prices(self) -> UnitPrices | None:
            rates: Any = {"": 0.25}
            return UnitPrices(rates)

    grid = Grid(USAGE.start, 3600, 4)
    with pytest.raises(Inexact, match=r"^charge acme\.odd: unit_prices\(\): the rate of acme\.odd"):
        prices(tariff_of({"kind": "acme.odd"}, odd=Told), "import", grid, {})


def test_a_float_in_what_is_made_of_other_prices() -> None:
    """A tax of 1.18 as a float is not 1.18."""

    @attrs.frozen
    class Tax(Odd):
        def price_changes(self, day: object) -> PriceChanges | None:
            factor: Any = 1.18
            return PriceChanges(lambda line: PriceChange(factor))

    grid = Grid(USAGE.start, 3600, 4)
    with pytest.raises(Inexact, match=r"price_changes\(\): the factor of energy\.flat: 1\.18 "):
        prices(tariff_of({"kind": "acme.odd"}, odd=Tax), "import", grid, {})


def test_what_is_refused_is_an_error_of_ours_and_a_type_error() -> None:
    """It is answered as a problem, and who knows Python knows what it is."""
    assert issubclass(Inexact, EnergiaError)
    assert issubclass(Inexact, TypeError)


@attrs.frozen
class Part:
    """A part of a charge's JSON."""

    share: Annotated[float | None, "of the whole"] = None


@attrs.frozen
class Whole(Odd):
    """A charge with a float."""

    kind: ClassVar[str] = "acme.whole"
    rate: float = 0.1


@attrs.frozen
class Nested(Odd):
    """A charge with a float within."""

    kind: ClassVar[str] = "acme.nested"
    amount: Decimal | Fraction = Decimal(1)
    parts: dict[str, tuple[Part, ...]] = attrs.Factory(dict)


@pytest.mark.parametrize(("class_", "place"), [(Whole, "rate"), (Nested, "parts.share")])
def test_a_field_that_is_a_float(class_: type[BaseCharge], place: str) -> None:
    """The plugin does not load: what JSON says would be rounded before the charge sees it."""

    class Plugin:
        @hookimpl
        def register_charges(self) -> list[type[BaseCharge]]:
            return [class_]

    with pytest.raises(PluginError, match=rf"{class_.__name__}: its field `{place}` is a float"):
        Plugins.of(tariff_acme=Plugin())
