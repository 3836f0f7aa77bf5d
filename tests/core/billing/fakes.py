"""A plugin with charges that remember, or fail; and one that notes the bills that are issued."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import attrs

from energia import hookimpl
from energia.billing.models import BillIssued
from energia.plugins import Plugins
from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Charge,
    Line,
    Measure,
    Measured,
    State,
)
from energia.pricing.measures import Energy
from energia_plugins import tariff_fixed, tariff_flat, tariff_percent, tariff_time_of_use


@attrs.frozen
class Ratchet(BaseCharge):
    """The most that a bill has ever had.

    Attributes:
        rate: The price of one unit.

    """

    kind: ClassVar[str] = "test.ratchet"
    rate: Decimal

    def measures(self) -> dict[str, Measure]:
        """Measure all energy of the channel."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge the most so far, and remember it in micro-units."""
        most = max(measured["energy"]["total"], int(bill.state.get("most", "0")))
        yield self.metered(most, self.rate)
        yield State({"most": str(most)})


@attrs.frozen
class Spread(BaseCharge):
    """An amount for each unit that is used: its author forgot that it may be none.

    Attributes:
        amount: The amount.

    """

    kind: ClassVar[str] = "test.spread"
    amount: Decimal

    def measures(self) -> dict[str, Measure]:
        """Measure all energy of the channel."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the amount, in micro-units of the energy."""
        micro = measured["energy"]["total"]
        yield self.line(micro, Fraction(self.amount) / micro)


class Remembers:
    """Offers the charges."""

    @hookimpl
    def register_charges(self) -> list[type[Charge]]:
        """Offer the charges."""
        return [Ratchet, Spread]


@attrs.define
class Heard:
    """Notes the bills that are issued."""

    events: list[BillIssued] = attrs.Factory(list)

    @hookimpl
    def bill_issued(self, event: BillIssued) -> None:
        """Note a bill."""
        self.events.append(event)

    @property
    def bills(self) -> list[str]:
        """The ids of the bills."""
        return [event.bill for event in self.events]


def plugins(heard: Heard | None = None) -> Plugins:
    """Return the bundled charges, the one that remembers, and who hears of issued bills."""
    return Plugins.of(
        tariff_fixed=tariff_fixed,
        tariff_flat=tariff_flat,
        tariff_percent=tariff_percent,
        tariff_time_of_use=tariff_time_of_use,
        remembers=Remembers(),
        heard=heard or Heard(),
    )
