"""How usage is shared out among the tiers of a ladder."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import attrs

from energia.errors import Fault, Invalid
from energia.pricing.exact import decimal_text, exact_text
from energia.units import MICRO
from energia_plugins.tariff_tiered.ladder import Ladder, Scale

#: What a period used at a tier, and how it was worked out: (period, tier, kWh, expression).
Share: TypeAlias = tuple[str, int, Fraction, str]


@attrs.frozen
class Used:
    """What a pool used in a window.

    Attributes:
        energy: Of each period, in kWh.
        before: What it had used in the window before.
        ladder: The tiers.
        scale: What their bounds are multiplied by.

    """

    energy: Mapping[str, Fraction]
    before: Fraction
    ladder: Ladder
    scale: Scale

    @property
    def now(self) -> Fraction:
        """What all periods used."""
        return sum(self.energy.values(), Fraction(0))

    @property
    def ends(self) -> tuple[Fraction, ...]:
        """Where each tier with a bound ends."""
        return self.ladder.ends(self.scale)

    def refuse_above(self) -> None:
        """Refuse usage above a closed last tier."""
        used = self.before + self.now
        if self.ladder.closed and used > self.ends[-1]:
            message = (
                f"{decimal_text(used)} kWh are used, but the last tier is closed: it ends at "
                f"{self.ladder.texts(self.scale)[-1]}"
            )
            raise Invalid(message, [Fault("above_last_tier", message)])


def prorated(used: Used) -> Iterator[Share]:
    """Yield the share of each period of every tier: its part of the energy of all.

    Negative totals lie in the first tier. Where periods cancel out to nothing, each is priced at
    the tier that the ladder stands at.
    """
    now = used.now
    if not now:
        yield from _at_one(used, _tier(used.before, used.ends))
        return
    for tier, below, above in _stretches(used):
        quantity = above - below
        text = f"{exact_text(above)} - {exact_text(below)}" if below else exact_text(above)
        for period, energy in used.energy.items():
            if len(used.energy) > 1:
                share = f"({text}) x {exact_text(energy)}/{exact_text(now)}"
                yield period, tier, quantity * energy / now, share
            else:
                yield period, tier, quantity, text


def banded(used: Used) -> Iterator[Share]:
    """Yield the energy of each period at the tier in which the total ends."""
    yield from _at_one(used, _tier(used.before + used.now, used.ends))


def walked(used: Used, found: Mapping[str, int], labels: Mapping[str, str]) -> Iterator[Share]:
    """Yield what each period used at each tier, as a walk slot by slot *found* it.

    Args:
        used: The usage.
        found: What `Walked` gave.
        labels: How it names each period.

    """
    ends = used.ends
    for period, energy in used.energy.items():
        below = [_below(found, labels[period], number, end) for number, end in enumerate(ends, 1)]
        reached = [Fraction(0), *below, *([] if used.ladder.closed else [energy])]
        for tier in range(len(reached) - 1):
            quantity = reached[tier + 1] - reached[tier]
            if quantity:
                upper, lower = exact_text(reached[tier + 1]), exact_text(reached[tier])
                yield period, tier, quantity, f"{upper} - {lower}" if reached[tier] else upper


def _below(found: Mapping[str, int], label: str, number: int, end: Fraction) -> Fraction:
    rest = end * MICRO % 1
    return (found[f"{label}:{number}"] + rest * found.get(f"{label}:{number}:above", 0)) / MICRO


def _at_one(used: Used, tier: int) -> Iterator[Share]:
    for period, energy in used.energy.items():
        yield period, tier, energy, exact_text(energy)


def _tier(position: Fraction, ends: Sequence[Fraction]) -> int:
    """Return the tier of a position; a bound is in the tier that it ends."""
    return next((tier for tier, end in enumerate(ends) if position <= end), len(ends))


def _stretches(used: Used) -> Iterator[tuple[int, Fraction, Fraction]]:
    """Yield the tiers that the ladder is walked through: from where, to where."""
    start, stop, ends = used.before, used.before + used.now, used.ends
    for tier in range(len(ends) + (not used.ladder.closed)):
        lower = min(ends[tier - 1], max(start, stop)) if tier else None
        below, above = (_clipped(one, lower, ends, tier) for one in (start, stop))
        if below != above:
            yield tier, below, above


def _clipped(
    position: Fraction, lower: Fraction | None, ends: Sequence[Fraction], tier: int
) -> Fraction:
    """Return *position*, moved into the tier if it is outside; the first has no lower end."""
    if lower is not None:
        position = max(position, lower)
    return min(position, ends[tier]) if tier < len(ends) else position
