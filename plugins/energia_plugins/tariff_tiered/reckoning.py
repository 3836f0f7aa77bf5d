"""Works out what of each period's energy lies in each tier, window by window."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs

from energia.pricing.charges import Measured, Step
from energia.units import MICRO
from energia_plugins.tariff_tiered.ladder import Ladder
from energia_plugins.tariff_tiered.measures import Pool
from energia_plugins.tariff_tiered.rules import prorated as by_days
from energia_plugins.tariff_tiered.scales import Scales
from energia_plugins.tariff_tiered.sharing import Share, Used, banded, prorated, walked
from energia_plugins.tariff_tiered.state import remembering, used_in
from energia_plugins.tariff_tiered.windows import label

if TYPE_CHECKING:
    from energia_plugins.tariff_tiered.charge import Tiered


@attrs.frozen
class Reckoning:
    """The usage of a bill, before it is shared out.

    Attributes:
        charge: The charge.
        measured: What its measures gave.
        scales: What bounds are multiplied by.
        windows: The windows with energy, in order.
        before: What each pool had used before in the first of them.
        peaks: What the demand remembers.

    """

    charge: "Tiered"
    measured: Measured
    scales: Scales
    windows: tuple[str, ...]
    before: Mapping[str, Fraction]
    peaks: Mapping[str, Any]

    @classmethod
    def of(cls, charge: "Tiered", measured: Measured, state: Mapping[str, Any]) -> "Reckoning":
        """Take what was measured and remembered."""
        found = sorted({one.partition("@")[2] for one in measured["energy"]})
        before = used_in(found[0], state) if charge.remembers and found else {}
        demands, peaks = _demands(charge, measured, state)
        whole = not by_days(charge.proration, charge.reset)
        each = whole or charge.scope == "per_period"
        days, active = measured.get("days", {}), measured.get("active_days", {})
        daily = any(ladder.daily for ladder in charge.pools.values())
        scales = Scales(days, active, each, whole, demands, daily)
        return cls(charge, measured, scales, tuple(found), before, peaks)

    @property
    def state(self) -> Mapping[str, Any]:
        """What to remember; empty for nothing."""
        if not self.charge.remembers or not self.windows:
            return self.peaks
        last = self.windows[-1]
        used = {pool[0]: self._used(pool, ladder, last) for pool, ladder in self._pools}
        kept = {pool: Fraction(one.before + one.now) / MICRO for pool, one in used.items()}
        return {**self.peaks, **remembering(last, kept)}

    def steps(self) -> dict[tuple[str, int], list[Step]]:
        """Return how much each period uses at each tier: a step for each window."""
        found: dict[tuple[str, int], list[Step]] = {}
        for window in self.windows:
            for pool, ladder in self._pools:
                used = self._used(pool, ladder, window)
                used.refuse_above()
                texts = [*ladder.texts(used.scale), ""]
                for period, tier, quantity, expression in self._shares(used, window):
                    value = Fraction(quantity) / MICRO
                    step = Step(_described(window, tier, texts), expression, value)
                    found.setdefault((period, tier), []).append(step)
        return found

    @property
    def _pools(self) -> list[tuple[Pool, Ladder]]:
        return list(self.charge.pools.items())

    def _used(self, pool: Pool, ladder: Ladder, window: str) -> Used:
        energy = self.measured["energy"]
        of_pool = {
            period: energy[label(period, window)]
            for period in pool
            if label(period, window) in energy
        }
        first = window == self.windows[0]
        before = self.before.get(pool[0], 0) * MICRO if first else 0
        return Used(of_pool, before, ladder, self.scales.scale(pool, window))

    def _shares(self, used: Used, window: str) -> Iterator[Share]:
        match self.charge.scope:
            case "whole_band":
                return banded(used)
            case "pooled_chronological":
                labels = {period: label(period, window) for period in used.energy}
                return walked(used, self.measured["walk"], labels)
            case _:
                return prorated(used)


def _demands(
    charge: "Tiered", measured: Measured, state: Mapping[str, Any]
) -> tuple[dict[str, Fraction], Mapping[str, Any]]:
    """Return the demand of each window, and what is to be remembered of it."""
    if charge.demand is None:
        return {}, {}
    by_month = charge.reset == "month"
    demands = charge.demand.billed(measured, state, "month" if by_month else "bill")
    found: dict[str, Fraction] = {}
    for one in demands.found:
        window = one.month if by_month else ""
        found[window] = max(one.value, found.get(window, one.value))
    return found, demands.state


def _described(window: str, tier: int, texts: list[str]) -> str:
    above = f"above {texts[tier - 1]}" if tier else ""
    below = f"up to {texts[tier]}" if texts[tier] else ""
    return " ".join(filter(None, (f"{window}:" if window else "", above, below))) or "all"
