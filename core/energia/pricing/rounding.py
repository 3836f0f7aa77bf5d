"""How a tariff rounds: the rates before multiplication, the amounts once."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

import attrs
from msgspec import Meta

from energia.currencies import minor_digits
from energia.pricing.exact import Exact, Mode, decimal_text, exact_text, fixed, fraction, rounded

Decimals = Annotated[int, Meta(ge=0, le=12)]


@attrs.frozen
class Rounding:
    """How the amounts of a version are rounded.

    Attributes:
        unit_price_decimals: Rates are rounded to so many decimals before they are multiplied;
            None leaves them as they are.
        amount_decimals: Amounts are rounded to so many decimals; `currency` means the currency's
            minor unit, None leaves them exact.
        mode: Ties away from zero, ties to even, or everything towards zero.
        level: Each line is rounded, or only the total: then a line `rounding` makes up for the
            difference.

    """

    unit_price_decimals: Decimals | None = None
    amount_decimals: Decimals | Literal["currency"] | None = "currency"
    mode: Mode = "half_up"
    level: Literal["line", "total"] = "line"

    def digits(self, currency: str) -> int | None:
        """Return the decimals of amounts in *currency*; None means exact."""
        if self.amount_decimals == "currency":
            return minor_digits(currency)
        return self.amount_decimals

    def rate(self, rate: Exact) -> tuple[Fraction, str]:
        """Return the rate to multiply by, and its text."""
        if self.unit_price_decimals is None:
            text = format(rate, "f") if isinstance(rate, Decimal) else decimal_text(rate)
            return fraction(rate), text
        scaled = rounded(fraction(rate), self.unit_price_decimals, self.mode)
        text = fixed(scaled, self.unit_price_decimals)
        return Fraction(scaled, 10**self.unit_price_decimals), text

    def amount(self, exact: Fraction, digits: int | None) -> tuple[Fraction, str]:
        """Return *exact* rounded to *digits* decimals, and its text."""
        if digits is None:
            return exact, exact_text(exact)
        scaled = rounded(exact, digits, self.mode)
        return Fraction(scaled, 10**digits), fixed(scaled, digits)
