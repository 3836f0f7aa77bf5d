"""The charge `energy.flat`: one rate at all times.

The simplest kind of charge, and the one to copy: a frozen class whose fields are the JSON of the
charge, a rule over them, what it measures, and its lines. The core rounds.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

import attrs

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    Components,
    Energy,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Rate,
    RateParts,
    Rules,
    UnitPrices,
    hookimpl,
)


def _rate_or_components(rate: Decimal | None, components: RateParts | None) -> Iterator[Fault]:
    if (rate is None) == (components is None):
        yield Fault("rate_or_components", "give either rate or components", "/rate")


@attrs.frozen
class Flat(BaseCharge):
    """Energy at one rate.

    Attributes:
        rate: The price of one unit; or
        components: its parts, each of them a line of its own.

    """

    __rules__: ClassVar[Rules] = (_rate_or_components,)

    kind: ClassVar[str] = "energy.flat"
    examples: ClassVar[Examples] = (
        {"kind": "energy.flat", "rate": "0.15"},
        {"kind": "energy.flat", "components": {"te": "0.30200", "tusd": "0.57856"}},
    )

    rate: Decimal | None = None
    components: RateParts | None = None

    def unit_prices(self) -> UnitPrices:
        """Return the rate."""
        return UnitPrices({"": self._rate})

    @property
    def _rate(self) -> Rate:
        return Components(self.components or {}) if self.rate is None else self.rate

    def measures(self) -> dict[str, Measure]:
        """Measure all energy of the channel."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge it."""
        yield from self.rated(measured["energy"]["total"], self._rate)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Flat]
