"""Tiers of demand: blocks with a rate each, or bands of which one decides the price of all."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia.errors import Fault
from energia.pricing.charges import Components, Rate, Step
from energia.pricing.exact import decimal_text

Scope = Literal["blocks", "whole_band"]
Last = Literal["open", "closed"]
UpTo = Annotated[Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0})]


@attrs.frozen(cache_hash=True)
class Tier:
    """Demand up to a bound.

    Attributes:
        up_to: The bound, that of the tiers before included; the last tier may have none.
        rate: What each unit costs; or components, each of them a line of its own.
        amount: What the band costs, whatever the demand in it; only where a band decides for all.

    """

    up_to: UpTo | None = None
    rate: Rate | None = None
    amount: Decimal | None = None


Tiers: TypeAlias = Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen
class Ladder:
    """Tiers, and how they are applied.

    Attributes:
        tiers: The tiers, the lowest first.
        scope: `blocks`: each block has its rate; `whole_band`: the band decides the rate of all.
        last: Whether the last tier goes on above its bound, or nothing is charged there.

    """

    tiers: Sequence[Tier]
    scope: Scope = "blocks"
    last: Last = "open"

    @property
    def components(self) -> tuple[str | None, ...]:
        """The parts of the rates; None where they have none."""
        rates = [tier.rate for tier in self.tiers if isinstance(tier.rate, Components)]
        return tuple(rates[0].components) if rates else (None,)

    def steps(self, demand: Fraction, component: str | None) -> Iterator[Step]:
        """Yield what each tier charges for *demand*."""
        if self.scope == "blocks":
            yield from self._blocks(demand, component)
        else:
            yield from self._band(demand, component)

    def _blocks(self, demand: Fraction, component: str | None) -> Iterator[Step]:
        below = Fraction(0)
        for tier in self.tiers:
            inside = max(self._within(tier, demand) - below, Fraction(0))
            if inside or not below:
                rate = rate_of(tier, component)
                expression = f"{decimal_text(inside)} x {rate}"
                yield Step(_named(tier, self.tiers), expression, inside * Fraction(rate))
            below += inside

    def _within(self, tier: Tier, demand: Fraction) -> Fraction:
        """Return what of *demand* is not above a tier."""
        unbounded = tier is self.tiers[-1] and self.last == "open"
        return demand if tier.up_to is None or unbounded else min(demand, Fraction(tier.up_to))

    def _band(self, demand: Fraction, component: str | None) -> Iterator[Step]:
        fitting = (one for one in self.tiers if one.up_to is None or demand <= one.up_to)
        tier = next(fitting, self.tiers[-1])
        name = _named(tier, self.tiers)
        if tier.rate is not None:
            rate = rate_of(tier, component)
            yield Step(name, f"{decimal_text(demand)} x {rate}", demand * Fraction(rate))
        if tier.amount is not None:
            yield Step(name, f"{tier.amount} for the band", Fraction(tier.amount))


def rate_of(tier: Tier, component: str | None) -> Decimal:
    """Return the rate of a tier, or a component of it."""
    if isinstance(tier.rate, Components):
        return tier.rate.components[component or ""]
    return tier.rate or Decimal(0)


def faults_of_tiers(ladder: Ladder, at: str) -> Iterator[Fault]:
    """Yield what is wrong with tiers; pointers are relative to the charge."""
    below = Decimal(0)
    for index, tier in enumerate(ladder.tiers):
        here, is_last = f"{at}/{index}", index == len(ladder.tiers) - 1
        if tier.up_to is None:
            if not is_last:
                yield Fault("missing_bound", "only the last tier has no up_to", f"{here}/up_to")
        elif tier.up_to <= below:
            message = f"each tier ends above the one before: more than {below}"
            yield Fault("not_increasing", message, f"{here}/up_to")
        below = max(below, tier.up_to or below)
        yield from _faults_of_price(ladder, tier, here)
    if ladder.last == "closed" and ladder.scope == "whole_band":
        yield Fault("closed_band", "above the last band there is no price: use open", "/last")


def _faults_of_price(ladder: Ladder, tier: Tier, here: str) -> Iterator[Fault]:
    if tier.rate is None and tier.amount is None:
        yield Fault("missing_rate", "a tier has a rate", f"{here}/rate")
    if tier.amount is not None and ladder.scope == "blocks":
        message = "only a band has an amount: use the scope whole_band"
        yield Fault("amount_of_block", message, f"{here}/amount")
    if tier.amount is not None and ladder.components != (None,):
        message = "an amount cannot be told apart into the components of other tiers"
        yield Fault("amount_with_components", message, f"{here}/amount")
    parts = tuple(tier.rate.components) if isinstance(tier.rate, Components) else (None,)
    if tier.rate is not None and set(parts) != set(ladder.components):
        yield Fault("components_differ", "all tiers have the same components", f"{here}/rate")


def _named(tier: Tier, tiers: Sequence[Tier]) -> str:
    at = next(index for index, one in enumerate(tiers) if one is tier)
    above = tiers[at - 1].up_to if at else None
    if tier.up_to is None:
        return "all" if above is None else f"above {above}"
    return f"up to {tier.up_to}" if above is None else f"{above} to {tier.up_to}"
