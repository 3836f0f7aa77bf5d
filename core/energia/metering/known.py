"""The channels that an import may write to, and which of them a reading means."""

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import islice
from typing import Final

import attrs
import numpy as np

from energia.metering.merge import Int64
from energia.metering.models import Channel
from energia.units import BOUND, UnknownUnit, unit

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: How many meters that do not exist are remembered, and told.
_UNKNOWN: Final = 10_000


@attrs.frozen
class Refusal:
    """Why readings are refused."""

    code: str
    message: str


@attrs.frozen
class Target:
    """A channel, by its index in `Known.channels`, and the factor of the unit that was sent."""

    index: int
    factor: Fraction


def _none() -> Int64:
    return np.zeros(0, np.int64)


def _most(channel: Channel) -> int:
    return BOUND if channel.most is None else min(BOUND, channel.most)


@attrs.define(eq=False)
class Known:
    """Channels by meter; grows as meters are looked up.

    Attributes:
        channels: All of them.
        unknown: Ids of meters that do not exist, the first `_UNKNOWN`.
        intervals: The slot length of each channel, in seconds.
        offsets: The grid offset of each channel, in seconds.
        keys: The number of each channel in the database.
        most: What a slot of each channel can hold at most, in micro-units.

    """

    channels: list[Channel] = attrs.Factory(list)
    unknown: set[str] = attrs.Factory(set)
    intervals: Int64 = attrs.Factory(_none)
    offsets: Int64 = attrs.Factory(_none)
    keys: Int64 = attrs.Factory(_none)
    most: Int64 = attrs.Factory(_none)
    _meters: dict[str, dict[str, int]] = attrs.Factory(dict)

    def new(self, meters: Iterable[str]) -> list[str]:
        """Return those of *meters* that are still to be looked up."""
        asked = set(meters) - self._meters.keys() - self.unknown
        found = sorted(id_ for id_ in asked if _ID.fullmatch(id_))
        self._miss(asked.difference(found))
        return found

    def add(self, asked: Iterable[str], found: Iterable[Channel]) -> None:
        """Take in what was found for the meters that were looked up."""
        for channel in found:
            self._meters.setdefault(channel.meter, {})[channel.id] = len(self.channels)
            self.channels.append(channel)
        self._miss(set(asked) - self._meters.keys())
        self.intervals = self._column(lambda channel: channel.interval)
        self.offsets = self._column(lambda channel: channel.offset)
        self.keys = self._column(lambda channel: channel.key)
        self.most = self._column(_most)

    def target(self, meter: str, channel: str | None, sent_unit: str | None) -> Target | Refusal:
        """Return what readings of a meter, channel and unit go to, or why to none."""
        declared = self._meters.get(meter)
        if declared is None:
            return Refusal("unknown_meter", f"there is no meter {meter[:64]!r}")
        if channel is None and len(declared) > 1:
            names = ", ".join(sorted(declared))
            return Refusal("unknown_channel", f"the meter has several channels: {names}")
        index = next(iter(declared.values())) if channel is None else declared.get(channel)
        if index is None:
            return Refusal("unknown_channel", f"the meter has no channel {str(channel)[:64]!r}")
        return _with_unit(index, self.channels[index], sent_unit)

    def _miss(self, meters: Iterable[str]) -> None:
        self.unknown.update(islice(meters, _UNKNOWN - len(self.unknown)))

    def _column(self, value: Callable[[Channel], int]) -> Int64:
        return np.array([value(channel) for channel in self.channels], np.int64)


def _with_unit(index: int, channel: Channel, sent: str | None) -> Target | Refusal:
    if sent is None:
        return Target(index, channel.declared.factor)
    try:
        found = unit(sent)
    except UnknownUnit as error:
        return Refusal("wrong_unit", str(error))
    if not found.fits(channel.quantity):
        return Refusal("wrong_unit", f"{channel.quantity} is not measured in {sent}")
    return Target(index, found.factor)
