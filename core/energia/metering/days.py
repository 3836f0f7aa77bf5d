"""Days of a channel at hand: their blocks as they were read, each with the version of its row.

`energia.db.copies` says why they are what is stored, once the server was asked about them.
"""

from datetime import datetime
from functools import cached_property
from typing import Final, Self

import attrs
import numpy as np

from energia.db.copies import Copies
from energia.metering.blocks import literal
from energia.metering.merge import Blocks
from energia.metering.models import Channel
from energia.time import Int64

#: What a copy takes besides its arrays: and for each day, the text of its version.
_VERSION: Final = 12
_OBJECTS: Final = 1000


@attrs.frozen(eq=False)
class Days:
    """Consecutive days of a channel; none of the arrays is ever changed.

    Attributes:
        first: The first day: days since 1970-01-01.
        server: Since when the server has been running that has numbered the versions.
        versions: int64[n], the transaction that has made the block of each day; 0 without one.
        blocks: A row of each day.

    """

    first: int
    server: datetime
    versions: Int64
    blocks: Blocks

    @classmethod
    def at_hand(cls, copies: Copies | None, channel: Channel) -> Self | None:
        """Return the days of a channel of which there are copies; None without any."""
        days = None if copies is None else copies.find((cls, channel.key))
        if not isinstance(days, cls) or days.blocks.values.shape[1] != channel.grid.per_day:
            return None
        return days

    def keep(self, copies: Copies, channel: Channel) -> None:
        """Keep a copy of them, in place of other days of the channel."""
        arrays = (self.versions, self.blocks.values, self.blocks.quality)
        size = sum(array.nbytes for array in arrays) + _OBJECTS + _VERSION * len(self.versions)
        copies.keep((type(self), channel.key), self, size)

    def __attrs_post_init__(self) -> None:
        """Let nobody write into the arrays, which many read."""
        for array in (self.versions, self.blocks.values, self.blocks.quality):
            array.flags.writeable = False

    @property
    def days(self) -> range:
        """Which days they are."""
        return range(self.first, self.first + len(self.versions))

    def has_each(self, days: range) -> bool:
        """Tell whether there is a block of each of some days, of which there is one at least."""
        if days == self.days:
            return self._is_whole
        inside = bool(days) and self.first <= days[0] and days[-1] in self.days
        return inside and bool(self.versions[self._at(days)].all())

    def versions_of(self, days: range) -> str | None:
        """Return the versions of some days as an array of the server; None if it has none."""
        if days == self.days:
            return self._all_versions
        both = range(max(days.start, self.days.start), min(days.stop, self.days.stop))
        if not both:
            return None
        versions = np.zeros(len(days), np.int64)
        versions[both.start - days.start : both.stop - days.start] = self.versions[self._at(both)]
        return literal(versions)

    # What is asked for again is, as a rule, all of it: that is worked out once.

    @cached_property
    def _is_whole(self) -> bool:
        return bool(self.versions.size and self.versions.all())

    @cached_property
    def _all_versions(self) -> str:
        return literal(self.versions)

    def put_into(self, blocks: Blocks, versions: Int64, days: range, chosen: Int64) -> None:
        """Put *chosen* ones of some days, counted from the first, where these have their places."""
        at = chosen + days.start - self.first
        blocks.values[chosen], blocks.quality[chosen] = (
            self.blocks.values[at],
            self.blocks.quality[at],
        )
        versions[chosen] = self.versions[at]

    def part(self, days: range) -> Blocks:
        """Return the blocks of some of the days."""
        at = self._at(days)
        return Blocks(self.blocks.values[at], self.blocks.quality[at])

    def renewed(self, newer: "Days") -> "Days":
        """Return them with those of *newer*, which are all of theirs or some; or *newer* alone."""
        days = newer.days
        if self.server != newer.server or days[0] not in self.days or days[-1] not in self.days:
            return newer
        at = self._at(days)
        if (self.versions[at] == newer.versions).all():
            return self
        versions = self.versions.copy()
        blocks = Blocks(self.blocks.values.copy(), self.blocks.quality.copy())
        versions[at] = newer.versions
        blocks.values[at], blocks.quality[at] = newer.blocks.values, newer.blocks.quality
        return Days(self.first, self.server, versions, blocks)

    def _at(self, days: range) -> slice:
        return slice(days.start - self.first, days.stop - self.first)
