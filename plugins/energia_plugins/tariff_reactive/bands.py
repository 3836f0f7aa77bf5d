"""Bands of reactive energy, by its share of the active energy."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, TypeAlias

import attrs
from msgspec import Meta

from energia import Fault, Step
from energia.pricing.exact import decimal_text


@attrs.frozen(cache_hash=True)
class Band:
    """Reactive energy beyond a share of the active, up to that of the next band.

    Attributes:
        over_percent: Of the active energy.
        rate: The price of a kvarh.

    """

    over_percent: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]
    rate: Decimal


Bands: TypeAlias = Annotated[tuple[Band, ...], Meta(min_length=1, max_length=20)]


def bands_rise(bands: Bands | None) -> Iterator[Fault]:
    """Refuse bands that do not begin one above the other."""
    for at, band in enumerate(bands or ()):
        below = bands[at - 1].over_percent if at and bands else None
        if below is not None and band.over_percent <= below:
            message = f"each band begins above the one before: more than {below}"
            yield Fault("not_increasing", message, f"/bands/{at}/over_percent")


def banded(bands: Sequence[Band], active: Fraction, reactive: Fraction) -> Iterator[Step]:
    """Yield what each band charges."""
    bounds = [active * Fraction(band.over_percent) / 100 for band in bands]
    for at, band in enumerate(bands):
        above = bounds[at + 1] if at + 1 < len(bands) else max(reactive, bounds[at])
        inside = max(min(reactive, above) - bounds[at], Fraction(0))
        share = f"{band.over_percent} % of {decimal_text(active)} kWh"
        what = f"above {share}, of {decimal_text(reactive)} kvarh"
        text = f"{decimal_text(inside)} x {band.rate}"
        yield Step(what, text, inside * Fraction(band.rate))
