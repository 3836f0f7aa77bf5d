"""How usage is shared out among the tiers of a ladder."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import attrs

from energia.errors import Fault, Invalid
from energia_plugins.tariff_tiered.ladder import Ladder, Micro, Scale, text_of

#: What a period used at a tier, and how it was worked out: (period, tier, micro-kWh, expression).
Share: TypeAlias = tuple[str, int, Micro, str]


@attrs.frozen
class Used:
    """What a pool used in a window.

    Attributes:
        energy: Of each period, in micro-units.
        before: What it had used in the window before.
        ladder: The tiers.
        scale: What their bounds are multiplied by.

    """

    energy: Mapping[str, int]
    before: Micro
    ladder: Ladder
    scale: Scale

    @property
    def now(self) -> int:
        """What all periods used."""
        return sum(self.energy.values())

    @property
    def ends(self) -> tuple[Micro, ...]:
        """Where each tier with a bound ends."""
        return self.ladder.ends(self.scale)

    def refuse_above(self) -> None:
        """Refuse usage above a closed last tier."""
        if self.ladder.closed and self.before + self.now > self.ends[-1]:
            message = (
                f"{text_of(self.before + self.now)} kWh are used, but the last tier is closed: it "
                f"ends at {self.ladder.texts(self.scale)[-1]}"
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
        text = f"{text_of(above)} - {text_of(below)}" if below else text_of(above)
        if len(used.energy) == 1:
            yield next(iter(used.energy)), tier, quantity, text
            continue
        for period, energy in used.energy.items():
            share = f"({text}) x {text_of(energy)}/{text_of(now)}"
            yield period, tier, Fraction(quantity * energy) / now, share


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
        reached = [0, *below, *([] if used.ladder.closed else [energy])]
        for tier in range(len(reached) - 1):
            quantity = reached[tier + 1] - reached[tier]
            if quantity:
                upper, lower = text_of(reached[tier + 1]), text_of(reached[tier])
                yield period, tier, quantity, f"{upper} - {lower}" if reached[tier] else upper


def _below(found: Mapping[str, int], label: str, number: int, end: Micro) -> Micro:
    rest = end % 1
    return found[f"{label}:{number}"] + rest * found.get(f"{label}:{number}:above", 0)


def _at_one(used: Used, tier: int) -> Iterator[Share]:
    for period, energy in used.energy.items():
        yield period, tier, energy, text_of(energy)


def _tier(position: Micro, ends: Sequence[Micro]) -> int:
    """Return the tier of a position; a bound is in the tier that it ends."""
    return next((tier for tier, end in enumerate(ends) if position <= end), len(ends))


def _stretches(used: Used) -> Iterator[tuple[int, Micro, Micro]]:
    """Yield the tiers that the ladder is walked through: from where, to where."""
    start, stop, ends = used.before, used.before + used.now, used.ends
    for tier in range(len(ends) + (not used.ladder.closed)):
        lower = min(ends[tier - 1], max(start, stop)) if tier else None
        below, above = (_clipped(one, lower, ends, tier) for one in (start, stop))
        if below != above:
            yield tier, below, above


def _clipped(position: Micro, lower: Micro | None, ends: Sequence[Micro], tier: int) -> Micro:
    """Return *position*, moved into the tier if it is outside; the first has no lower end."""
    if lower is not None:
        position = max(position, lower)
    return min(position, ends[tier]) if tier < len(ends) else position
