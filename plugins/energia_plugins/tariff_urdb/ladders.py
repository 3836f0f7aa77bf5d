"""Tiers of energy as the charge `energy.tiered` has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import attrs

from energia_plugins.tariff_urdb.notes import Notes
from energia_plugins.tariff_urdb.structures import Period, Tier

#: The units of tiers, by how the source writes them (lower case, one space).
UNITS: Final[Mapping[str, str]] = {
    "kwh": "kWh",
    "kwh daily": "kWh/day",
    "kwh/day": "kWh/day",
    "kwh/kw": "kWh/kW",
    "kwh/kw daily": "kWh/kW.day",
    "kwh/kva": "kWh/kVA",
    "kwh/hp": "kWh/hp",
}


@attrs.frozen
class Step:
    """A tier: where it ends, in which unit, and its price."""

    up_to: Decimal | None
    unit: str
    price: Decimal

    @property
    def by_demand(self) -> bool:
        """Whether its bound is times a demand."""
        return "/k" in self.unit or self.unit == "kWh/hp"


Ladder: TypeAlias = tuple[Step, ...]


def ladder(notes: Notes, period: Period) -> Ladder | None:
    """Return the tiers of a period; None where a unit is not known."""
    units = [_unit(notes, tier) for tier in period.tiers]
    if not all(units):
        return None
    default = next(
        (unit for tier, unit in zip(period.tiers, units, strict=True) if tier.unit), "kWh"
    )
    steps = [
        Step(tier.max, (unit if tier.unit else default) or "kWh", tier.price)
        for tier, unit in zip(period.tiers, units, strict=True)
    ]
    return _opened(notes, period, _unnested(notes, period, steps))


def _unit(notes: Notes, tier: Tier) -> str | None:
    if tier.unit is None:
        return "kWh"
    unit = UNITS.get(" ".join(tier.unit.lower().split()))
    if unit is None:
        known = ", ".join(("kWh", "kWh daily", "kWh/kW", "kWh/kW daily", "kWh/kVA", "kWh/hp"))
        message = f"{tier.unit!r} is no unit of energy tiers; known are {known}"
        notes.refuse(f"{tier.at}/unit", "unknown_unit", message)
    return unit


def _unnested(notes: Notes, period: Period, steps: Sequence[Step]) -> list[Step]:
    """Return tiers in which blocks by demand that have tiers inside are bounds of the last of them.

    `200 kWh/kW, 3000 kWh, open kWh, 400 kWh/kW` means 3000 kWh, then 200 kWh/kW, then 400 kWh/kW:
    the price of the block is that of the tiers inside.
    """
    found: list[Step] = []
    block: Step | None = None
    for at, one in enumerate(steps):
        following = steps[at + 1] if at + 1 < len(steps) else None
        if one.by_demand and following is not None and not following.by_demand:
            block = one
            message = "its price is not charged: the tiers after it are inside of it"
            notes.warn(period.tiers[at].at, "block_of_tiers", message)
        elif block and not one.by_demand and following is not None and following.by_demand:
            found.append(attrs.evolve(one, up_to=block.up_to, unit=block.unit))
            block = None
        else:
            found.append(one)
    return found


def _opened(notes: Notes, period: Period, steps: Sequence[Step]) -> Ladder | None:
    """Return tiers of which the last is open; refuse bounds that do not rise."""
    below: dict[str, Decimal] = {}
    before = len(notes.faults)
    for at, one in enumerate(steps[:-1]):
        low = below.get(one.unit, Decimal(0))
        if one.up_to is None:
            message = "only the last tier has no max, or one without end"
            notes.refuse(f"{period.at}/{at}/max", "missing_bound", message)
        elif one.up_to <= low:
            message = f"max {one.up_to} is not above the bound before it, {low}"
            notes.refuse(f"{period.at}/{at}/max", "bounds_not_increasing", message)
        else:
            below[one.unit] = one.up_to
    last = steps[-1]
    if last.up_to is not None and last.up_to <= below.get(last.unit, Decimal(0)):
        message = f"max {last.up_to} is not above the bound before it"
        notes.refuse(f"{period.tiers[-1].at}/max", "bounds_not_increasing", message)
    elif last.up_to is not None:
        message = "the last tier is taken as open: usage above its max has its price"
        notes.warn(f"{period.tiers[-1].at}/max", "finite_last_tier", message)
    if len(notes.faults) > before:
        return None
    # The unit of a tier without a bound says nothing.
    inner = steps[-2].unit if len(steps) > 1 else "kWh"
    return (*steps[:-1], Step(None, inner, last.price))


def joined(ladders: Mapping[int, Ladder], months: Iterable[set[int]]) -> dict[int, Ladder] | None:
    """Return *ladders* in which periods that share a month have the same bounds.

    Where they differ, each gets the bounds of all: the price of a tier stays that of the tier it
    is cut from. None where the bounds are of different units, which cannot be compared.
    """
    found = dict(ladders)
    for group in _together(months):
        bounds = {_bounds(ladders[period]) for period in group}
        if len(bounds) == 1:
            continue
        units = {one.unit for period in group for one in ladders[period][:-1]}
        if len(units) > 1:
            return None
        cuts = sorted({cut for ladder in bounds for cut, _ in ladder if cut is not None})
        for period in group:
            found[period] = tuple(_cut(ladders[period], cuts, next(iter(units))))
    return found


def _together(months: Iterable[set[int]]) -> list[set[int]]:
    """Return the periods that share months, directly or by others."""
    groups: list[set[int]] = []
    for periods in months:
        touching = [group for group in groups if group & periods]
        groups = [group for group in groups if not group & periods]
        groups.append(set(periods).union(*touching))
    return groups


def _bounds(ladder: Ladder) -> tuple[tuple[Decimal | None, str], ...]:
    return tuple((one.up_to, one.unit) for one in ladder if one.up_to is not None)


def _cut(ladder: Ladder, cuts: Sequence[Decimal], unit: str) -> Iterator[Step]:
    for cut in cuts:
        price = next(one.price for one in ladder if one.up_to is None or cut <= one.up_to)
        yield Step(cut, unit, price)
    yield Step(None, unit, ladder[-1].price)


def json(ladder: Ladder, unit: str) -> list[dict[str, Any]]:
    """Return tiers as JSON; those in another unit than *unit* state theirs."""
    return [
        ({} if one.up_to is None else {"up_to": format(one.up_to, "f")})
        | {"rate": format(one.price, "f")}
        | ({} if one.up_to is None or one.unit == unit else {"unit": one.unit})
        for one in ladder
    ]
