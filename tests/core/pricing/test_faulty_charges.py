"""What a charge does wrong is told with its name, and ends nothing but the bill."""

import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import pytest

from energia import BaseCharge, BillSoFar, Energy, Measured
from energia.testing import Pricing


@attrs.frozen
class Faulty(BaseCharge):
    """Gives what a test says."""

    kind: ClassVar[str] = "acme.faulty"
    asks: ClassVar[Any] = {"energy": Energy("import")}
    gives: ClassVar[Callable[..., Any]]

    def measures(self) -> Any:
        """Ask for it."""
        return self.asks

    def lines(self, measured: Measured, bill: BillSoFar) -> Any:
        """Give it."""
        return type(self).gives(self, measured)


def priced(gives: Callable[..., Any], asks: Any = None) -> None:
    """Price a bill with such a charge."""
    kind = type("Given", (Faulty,), {"gives": gives} | ({} if asks is None else {"asks": asks}))
    Pricing.of(kind)({"kind": "acme.faulty"}, [1, 2])


def misspelt(charge: Faulty, measured: Measured) -> Iterator[Any]:
    """Take a measure that there is not."""
    yield charge.metered(measured["enrgy"]["total"], Decimal(1))


def exits(_: Faulty, __: Measured) -> Iterator[Any]:
    """End the process."""
    yield sys.exit(3)


@pytest.mark.parametrize(
    ("gives", "error", "message"),
    [
        (misspelt, KeyError, "enrgy"),
        (exits, RuntimeError, r"it calls sys\.exit\(3\)"),
        (lambda *_: [("levy", 3)], TypeError, "gives Line, Replace or State, not tuple"),
        (lambda *_: None, TypeError, "gives several Line, Replace or State, not NoneType"),
        (lambda charge, _: charge.line(1, 2), TypeError, "gives several .*, not Line"),
    ],
)
def test_the_charge_is_named(
    gives: Callable[..., Any], error: type[Exception], message: str
) -> None:
    """Whoever has ten kinds of charge knows which it is: logs and commands show the note."""
    with pytest.raises(error, match=message) as raised:
        priced(gives)

    assert raised.value.__notes__ == ["in the charge acme.faulty"]


def test_measures_have_names() -> None:
    """A list of measures is told in a word."""
    with pytest.raises(TypeError, match="`measures` gives a mapping, not list"):
        priced(lambda *_: [], [Energy("import")])
