"""The readings that a tariff charges: which channels of a meter they are, and their sum."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs
import numpy as np

from energia.errors import AmbiguousChannel, Fault, Invalid
from energia.metering import usage
from energia.metering.models import Channel
from energia.metering.series import MISSING, Series
from energia.metering.usage import Coverage

_NONE: Final = Coverage(0, 0, 0, 0, 0)


def chosen(
    declared: Sequence[Channel], roles: Collection[str], named: Mapping[str, Sequence[str]]
) -> dict[str, list[Channel]]:
    """Return the channels of each role: those that are named, or the only one.

    Raises:
        AmbiguousChannel: The meter has several channels of a role, and none is named.
        Invalid: A named channel does not exist, or is of another role.

    """
    by_id = {one.id: one for one in declared}
    faults = [
        Fault("unknown_channel", f"the meter has no channel {id_!r} of {role}", _at(role, index))
        for role, ids in named.items()
        for index, id_ in enumerate(ids)
        if id_ not in by_id or role_of(by_id[id_]) != role or id_ in ids[:index]
    ]
    if faults:
        raise Invalid(faults[0].message, faults)
    found = {}
    for role in roles:
        candidates = [one for one in declared if role_of(one) == role]
        if role in named:
            found[role] = [by_id[id_] for id_ in named[role]]
        elif len(candidates) > 1:
            ids = ", ".join(one.id for one in candidates)
            message = f"the meter has several channels of {role} ({ids}): name them in channels"
            raise AmbiguousChannel(message, [Fault(AmbiguousChannel.code, message, "/channels")])
        elif candidates:
            found[role] = candidates
    return found


def role_of(channel: Channel) -> str:
    """Return the role of a channel: `import` for active energy, `gas_volume.import`."""
    if channel.quantity == "active_energy":
        return channel.direction
    return f"{channel.quantity}.{channel.direction}"


def summed(role: str, series: Sequence[Series]) -> Series:
    """Return the sum of channels; a slot is missing where one of them is."""
    first, *others = series
    values, quality = first.values, first.quality
    for other in others:
        if (other.start, other.interval) != (first.start, first.interval):
            message = f"the channels of {role} have different slots"
            raise Invalid(message, [Fault("different_grids", message, f"/channels/{role}")])
        missing = (values == MISSING) | (other.values == MISSING)
        values = np.where(missing, MISSING, values + np.where(missing, 0, other.values))
        lowest, highest = np.minimum(quality, other.quality), np.maximum(quality, other.quality)
        quality = np.where(missing, lowest, highest)
    return Series(first.start, first.interval, values, quality)


def coverage(series: Sequence[Series], start: int, end: int) -> Coverage:
    """Return what the readings in [start, end) are, all roles together."""
    found = [attrs.astuple(usage.coverage(one, start, end)) for one in series]
    return Coverage(*(sum(column) for column in zip(*found, strict=True))) if found else _NONE


def _at(role: str, index: int) -> str:
    return f"/channels/{role}/{index}"
