"""What demand above the contract costs."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia.pricing.charges import Rate
from energia.pricing.exact import decimal_text
from energia.pricing.schedule import Period

NotNegative = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]
Rates: TypeAlias = Annotated[dict[Period, Rate], Meta(min_length=1)]


@attrs.frozen(cache_hash=True)
class Overrun:
    """What demand above the contract costs, on top of what all demand costs.

    Attributes:
        tolerance_percent: Up to so many per cent above the contract cost nothing more.
        multiplier: So many times the rate is paid for the excess.
        base: Whether the excess is what is above the contract, or above the tolerance.
        rate: The rate that is multiplied; that of the demand without.
        rates: The same for each period.

    """

    tolerance_percent: NotNegative = Decimal(5)
    multiplier: NotNegative = Decimal(2)
    base: Literal["contract", "tolerance"] = "contract"
    rate: Rate | None = None
    rates: Rates | None = None

    def excess(self, measured: Fraction, contract: Fraction) -> Fraction:
        """Return how much of the measured demand costs more."""
        limit = contract * (1 + Fraction(self.tolerance_percent) / 100)
        if measured <= limit:
            return Fraction(0)
        return measured - (contract if self.base == "contract" else limit)

    def text(self, measured: Fraction, contract: Fraction) -> str:
        """Return how the excess comes about."""
        limit = f"{decimal_text(contract)} x (1 + {self.tolerance_percent} %)"
        base = decimal_text(contract) if self.base == "contract" else limit
        return f"{decimal_text(measured)} - {base}, as it is above {limit}"
