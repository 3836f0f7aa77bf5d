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
    Conversion,
    Determinant,
    Energy,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Rate,
    RateParts,
    Rules,
    Term,
    Texts,
    UnitPrices,
    converts_gas,
    hookimpl,
    unit_charged,
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
        conversion: How a volume of gas becomes the energy that is charged.

    """

    __rules__: ClassVar[Rules] = (_rate_or_components, converts_gas)

    kind: ClassVar[str] = "energy.flat"
    titles: ClassVar[Texts] = {"en": "Energy", "pt-BR": "Energia"}
    examples: ClassVar[Examples] = (
        {"kind": "energy.flat", "rate": "0.15"},
        {"kind": "energy.flat", "components": {"te": "0.30200", "tusd": "0.57856"}},
        {
            "kind": "energy.flat",
            "channel": "gas_volume.import",
            "rate": "0.036",
            "conversion": {
                "volume_correction": "1.02264",
                "calorific_value": "39.2",
                "calorific_unit": "MJ/m3",
            },
        },
    )

    rate: Decimal | None = None
    components: RateParts | None = None
    conversion: Conversion | None = None

    def unit_prices(self) -> UnitPrices | None:
        """Return the rate; the price of a volume depends on what it becomes."""
        if self.conversion is not None:
            return None
        return UnitPrices({"": self._rate})

    @property
    def _rate(self) -> Rate:
        return Components(self.components or {}) if self.rate is None else self.rate

    def measures(self) -> dict[str, Measure]:
        """Measure all energy of the channel."""
        energy = Energy(self.channel)
        if self.conversion is None:
            return {"energy": energy}
        volumes = self.conversion.volumes(self.channel)
        return {"energy": self.conversion.measure(energy), "volumes": volumes}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge it."""
        energy, unit = measured["energy"]["total"], unit_charged(self.channel, self.conversion)
        steps = tuple(self.conversion.steps(measured["volumes"])) if self.conversion else ()
        yield from self.rated(energy, self._rate, unit=unit, steps=steps)

    def determinants(self, measured: Measured, language: str) -> list[Determinant] | None:
        """Return the energy, where it is charged as it is measured."""
        if self.conversion is not None:
            return None
        energy = (Term("energy", "total"),)
        return [Determinant(line, energy) for line in self.rated(0, self._rate)]


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Flat]
