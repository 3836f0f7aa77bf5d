"""Tiers, one above the other: how much may be used at each of them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia import Rate, Tags
from energia.pricing.cache import CACHE
from energia.pricing.exact import decimal_text, exact_text, fixed
from energia.units import MICRO
from energia_plugins.tariff_tiered.windows import Pool, label

#: `kWh` stands for the unit of what is charged, whatever that is; others must be that unit.
Unit = Literal[
    "kWh",
    "kWh/day",
    "kWh/kW",
    "kWh/kW.day",
    "kWh/kVA",
    "kWh/hp",
    "m3",
    "m3/day",
    "kvarh",
    "kvarh/day",
    "kVAh",
    "kVAh/day",
    "therm",
    "therm/day",
    "MMBtu",
    "MMBtu/day",
    "GJ",
    "GJ/day",
    "MJ",
    "MJ/day",
]
#: A unit whose quantity is called kWh, whatever is charged.
Plain: TypeAlias = str
Scope = Literal["pooled_prorated", "per_period", "pooled_chronological", "whole_band"]
Last = Literal["open", "closed"]
Proration = Literal["days", "none"]
#: The units whose bounds are multiplied by the days.
DAILY: Final = ("kWh/day", "kWh/kW.day")
#: The unit of the demand by which bounds are multiplied.
OF_DEMAND: Final = {"kWh/kW": "kW", "kWh/kW.day": "kW", "kWh/kVA": "kVA", "kWh/hp": "hp"}

#: Micro-units; a fraction only where it is no whole number.
Micro: TypeAlias = int | Fraction
#: A decimal, or a fraction: 200 kWh of 30 days are `20/3` a day.
Bound = Annotated[
    Decimal | Fraction, Meta(extra_json_schema={"exclusiveMinimum": 0}, examples=["400"])
]


@attrs.frozen(kw_only=True)
class Tier:
    """Usage up to a bound, and what a unit of it costs.

    Attributes:
        up_to: Where the tier ends, counted from nothing; that much is still in it.
        rate: The price of one unit, or its components.
        unit: The unit of `up_to`, where it is not that of the charge.
        tags: Marks of its lines, beside those of the charge.

    """

    __public_name__: ClassVar[str] = "UsageTier"

    up_to: Bound | None = None
    rate: Rate
    unit: Unit | None = None
    tags: Tags = ()


Tiers: TypeAlias = Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen(cache_hash=True)
class Scale:
    """What the bounds of a ladder are multiplied by.

    Attributes:
        part: The days that count, and of how many they are a part: bounds that are not by the day.
        days: The days on which the ladder is in force: bounds by the day.
        demand: The demand that is billed: bounds by demand.

    """

    part: tuple[int, int] = (1, 1)
    days: int = 1
    demand: Fraction | None = None


@attrs.frozen(cache_hash=True)
class Ladder:
    """The bounds of tiers, without their rates.

    Attributes:
        bounds: Where each tier ends, and in which unit; an open last tier has none.
        closed: Whether nothing may be used above the last bound.
        quantity: The unit of what is charged.

    """

    bounds: tuple[tuple[Fraction, Plain], ...]
    closed: bool
    quantity: str = "kWh"

    @classmethod
    def of(cls, tiers: Sequence[Tier], unit: Unit, last: Last, quantity: str = "kWh") -> "Ladder":
        """Return the ladder of *tiers*, whose bounds are in *unit* where they do not say."""
        bounds = [
            (Fraction(tier.up_to), plain(tier.unit or unit))
            for tier in tiers
            if tier.up_to is not None
        ]
        return cls(tuple(bounds), last == "closed", quantity)

    @property
    def units(self) -> frozenset[Plain]:
        """The units of its bounds."""
        return frozenset(unit for _, unit in self.bounds)

    @property
    def daily(self) -> bool:
        """Whether some bound is by the day."""
        return not self.units.isdisjoint(DAILY)

    def ends(self, scale: Scale) -> tuple[Micro, ...]:
        """Return where each tier with a bound ends, in micro-units.

        A bound that lies above a later one, of another unit, ends there: kilowatt-hours nested in
        hours of use.
        """
        return _ends(self, scale)

    def texts(self, scale: Scale) -> tuple[str, ...]:
        """Return where each tier with a bound ends, and how that came about."""
        return _texts(self, scale)


def plain(unit: Unit) -> Plain:
    """Return a unit with kWh for its quantity: `kWh/day` of `m3/day`."""
    _, slash, rest = unit.partition("/")
    return f"kWh{slash}{rest}"


def is_of(unit: Unit, quantity: str) -> bool:
    """Tell whether bounds in *unit* are of what is charged in *quantity*."""
    return unit.partition("/")[0] in ("kWh", quantity)


def text_of(micro: Micro) -> str:
    """Return micro-units as text in units: a decimal, or `n/d` where none ends."""
    if isinstance(micro, Fraction):
        return exact_text(micro / MICRO)
    text = fixed(micro, 6).rstrip("0")
    return text.removesuffix(".")


@CACHE.memo
def _ends(ladder: Ladder, scale: Scale) -> tuple[Micro, ...]:
    scaled = [_scaled(bound, unit, scale) for bound, unit in ladder.bounds]
    # From the last bound down, the lowest so far.
    return tuple(accumulate(reversed(scaled), min))[::-1]


@CACHE.memo
def _texts(ladder: Ladder, scale: Scale) -> tuple[str, ...]:
    return tuple(_told(ladder, number, scale) for number in range(len(ladder.bounds)))


def _scaled(bound: Fraction, unit: Plain, scale: Scale) -> Micro:
    factor = Fraction(scale.days) if unit in DAILY else Fraction(*scale.part)
    if unit in OF_DEMAND:
        factor *= scale.demand or 0
    micro = bound * factor * MICRO
    return micro.numerator if micro.denominator == 1 else micro


def _told(ladder: Ladder, number: int, scale: Scale) -> str:
    (bound, unit), end = ladder.bounds[number], _ends(ladder, scale)[number]
    text = f"{exact_text(bound)} {ladder.quantity}{unit.removeprefix('kWh')}"
    if unit in OF_DEMAND:
        text += f" x {decimal_text(scale.demand or 0)} {OF_DEMAND[unit]}"
    if unit in DAILY:
        text += f" x {scale.days} days"
    elif scale.part[0] != scale.part[1]:
        text += f" x {scale.part[0]}/{scale.part[1]} days"
    nested = end < _scaled(bound, unit, scale)
    return f"{text}, at most {text_of(end)} {ladder.quantity}" if nested else text


# What the bounds of ladders are multiplied by in each window.


@attrs.frozen
class Scales:
    """What bounds are multiplied by in each window.

    Attributes:
        days: What `WindowDays` gave; empty where bills are whole.
        pools: What `PoolDays` gave; empty where there is one pool, in force on every day.
        each: Whether every pool has all of the allowance, however few its days are.
        whole: Whether a part of a window has all of the allowance.
        demands: The demand of each window.
        daily: Whether there are bounds by the day.

    """

    days: Mapping[str, int]
    pools: Mapping[str, int]
    each: bool = False
    whole: bool = False
    demands: Mapping[str, Fraction] = attrs.Factory(dict)
    daily: bool = True

    def scale(self, pool: Pool, window: str) -> Scale:
        """Return the scale of a pool in a window."""
        days = self.days.get(label("days", window), 1)
        whole = self.days.get(label("whole", window), days)
        priced = (whole, whole) if self.whole else (days, whole)
        own = self.pools.get(label(pool[0], window))
        part = (1, 1) if priced[0] == priced[1] else priced
        if own is None:
            return Scale(part, priced[0] if self.daily else 1, self.demands.get(window))
        # Pools divide the allowance by the days on which each is in force.
        if not self.each:
            of_all = sum(
                count for key, count in self.pools.items() if key.partition("@")[2] == window
            )
            part = (own * part[0], of_all * part[1]) if own != of_all else part
        return Scale(part, own if self.daily else 1, self.demands.get(window))
