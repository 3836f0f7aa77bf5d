"""Rate structures: periods, each with tiers of a price."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

import attrs

from energia_plugins.tariff_urdb.record import Notes, Record, plain

#: Enough digits to add two numbers of thirty before and thirty after the point.
_DIGITS: Final = 70


@attrs.frozen
class Tier:
    """One tier.

    Attributes:
        price: rate + adj; None if it has only a price for what is sold.
        max: Where it ends, cumulative; None if nowhere.
        unit: The unit of `max`, as written.
        sell: What a kWh that is exported earns.
        at: Where it is.

    """

    price: Decimal
    max: Decimal | None
    unit: str | None
    sell: Decimal | None
    at: str


@attrs.frozen
class Period:
    """One period.

    Attributes:
        tiers: Lowest first.
        label: What the source calls it.
        at: Where it is.

    """

    tiers: tuple[Tier, ...]
    label: str | None
    at: str

    @property
    def is_free(self) -> bool:
        """Whether nothing is charged in it."""
        return all(not tier.price for tier in self.tiers)


def structure(rate: Record, name: str) -> tuple[Period, ...] | None:
    """Return the periods of the structure *name*; None if there is none that can be read."""
    value, pointer = rate.get(name), rate.pointer(name)
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        rate.notes.refuse(pointer, "empty_structure", f"{name} is a list of periods, at least one")
        return None
    read = [_period(rate.notes, item, f"{pointer}/{index}") for index, item in enumerate(value)]
    return tuple(item for item in read if item) if all(read) else None


def _period(notes: Notes, value: Any, pointer: str) -> Period | None:
    if isinstance(value, dict):  # the bulk file: {"energyRateTiers": [...]}
        wrapped = [key for key in value if key.lower().endswith("tiers")]
        if len(wrapped) == 1:
            value, pointer = value[wrapped[0]], f"{pointer}/{wrapped[0]}"
    if not isinstance(value, list) or not value:
        notes.refuse(pointer, "empty_structure", "a period is a list of tiers, at least one")
        return None
    tiers = [_tier(notes, item, f"{pointer}/{index}") for index, item in enumerate(value)]
    valid_tiers = tuple(tier for tier in tiers if tier)
    if len(valid_tiers) < len(value):
        return None
    return Period(valid_tiers, _label(value[0]), pointer)


def _tier(notes: Notes, value: Any, pointer: str) -> Tier | None:
    if not isinstance(value, dict):
        notes.refuse(pointer, "wrong_type", 'a tier is an object such as {"rate": 0.12}')
        return None
    tier, before = plain(value, pointer, notes), len(notes.faults)
    rate, adj, sell = (tier.number(name) for name in ("rate", "adj", "sell"))
    bound = notes.bound(tier.get("max"), tier.pointer("max"))
    unit = tier.get("unit")
    if unit is not None and not isinstance(unit, str):
        notes.refuse(tier.pointer("unit"), "wrong_type", "the unit of a tier is text")
    tier.get("name")
    if len(notes.faults) > before:
        return None
    if rate is None and adj is None:
        if sell is None:
            notes.refuse(pointer, "no_rate", "the tier has neither a rate nor a price to sell at")
            return None
        notes.warn(
            pointer, "sell_only", "the tier has only a price to sell at: using costs nothing"
        )
    _tell_unused(tier)
    return Tier(sum_of(rate, adj), bound, unit.strip() if unit else None, sell, pointer)


def sum_of(*parts: Decimal | None) -> Decimal:
    """Return the exact sum of the parts that there are."""
    with localcontext() as context:
        context.prec = _DIGITS
        return sum((part for part in parts if part is not None), Decimal(0))


def _tell_unused(tier: Record) -> None:
    for key in tier.unused():
        message = f"{key} of a tier is not known and not imported"
        tier.notes.warn(tier.at + f"/{key}", "unknown_field", message)


def _label(tier: Mapping[str, Any]) -> str | None:
    name = tier.get("name")
    return name if isinstance(name, str) else None


def rising(notes: Notes, periods: Sequence[Period]) -> None:
    """Refuse bounds that do not rise, and tiers after one that has no end."""
    for period in periods:
        for fault in _faults(period.tiers):
            notes.refuse(*fault)


def _faults(tiers: Sequence[Tier]) -> Iterator[tuple[str, str, str]]:
    below: dict[str | None, Decimal] = {}
    for index, tier in enumerate(tiers):
        if tier.max is None:
            if index < len(tiers) - 1:
                message = "only the last tier has no max"
                yield f"{tier.at}/max", "missing_bound", message
            continue
        low = below.get(tier.unit, Decimal(0))
        if tier.max <= low:
            message = f"max {tier.max} is not above the bound before it, {low}"
            yield f"{tier.at}/max", "bounds_not_increasing", message
        below[tier.unit] = tier.max
