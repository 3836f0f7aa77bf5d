"""What a price rests on besides the tariff and the usage."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from energia.convert.faults import step
from energia.errors import Fault, Invalid
from energia.pricing.lines import Remembered
from energia.pricing.market.series import PriceSeries

#: What becomes of slots without a reading.
Missing = Literal["refuse", "zero", "estimate"]
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_NEW: Final[Mapping[str, Remembered]] = MappingProxyType({})
_WITHOUT: Final[Mapping[str, PriceSeries]] = MappingProxyType({})


@attrs.frozen
class Terms:
    """What a price rests on besides the tariff and the usage.

    Attributes:
        state: What the charges remember from the bill before, by their codes.
        missing: Whether missing readings are refused, or how they are filled in.
        pointers: Where the readings of each role are in the request that they came with.
        prices: The price series that the charges need, by name.

    """

    state: Mapping[str, Remembered] = _NEW
    missing: Missing = "refuse"
    pointers: Mapping[str, str] = _NONE
    prices: Mapping[str, PriceSeries] = _WITHOUT


def refuse_unknown(state: Mapping[str, object], codes: Collection[str]) -> None:
    """Refuse what none of the charges *codes* remembers: it would be lost without a word.

    Raises:
        Invalid: With a fault `unknown_charge` below `/state` for each.

    """
    faults = [
        Fault("unknown_charge", f"no charge has the code {code!r}", f"/state{step(code)}")
        for code in state
        if code not in codes
    ]
    if faults:
        raise Invalid(faults[0].message, faults)
