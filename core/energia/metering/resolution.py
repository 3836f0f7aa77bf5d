"""Which channel and slots each run of readings belongs to; what belongs nowhere is refused."""

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Final

import attrs
import numpy as np

from energia.errors import Fault
from energia.metering.columns import FIRST, LAST, Sent
from energia.metering.merge import Mask
from energia.metering.models import Channel
from energia.metering.outcome import Problems
from energia.time import Int64, length_text
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


#: How many readings are merged at a time: about two years of quarter-hours.
GROUP = 70_000


@attrs.frozen(eq=False)
class Placed:
    """The runs that can be stored.

    Attributes:
        runs: int64[n], which runs, in the order of channels.
        channel: int64 per run that was sent, an index of `Known.channels`; -1 for refused ones.
        slot: int64 per run that was sent, the number of its first slot on the channel's grid.
        factor: Per run that was sent, the index of `factors` of its unit.
        factors: The factors of the units.

    """

    runs: Int64
    channel: Int64
    slot: Int64
    factor: Int64
    factors: tuple[Fraction, ...]

    def groups(self, lengths: Int64, intervals: Int64) -> Iterator[Int64]:
        """Yield the runs of whole channels of one interval, about `GROUP` readings at a time."""
        if not len(self.runs):
            return
        channel = self.channel[self.runs]
        total = np.cumsum(lengths[self.runs])
        starts = np.flatnonzero(np.r_[True, channel[1:] != channel[:-1]])
        interval = intervals[channel[starts]]
        begin, done = 0, 0
        for number in range(1, len(starts)):
            start = int(starts[number])
            if interval[number] != interval[number - 1] or total[start - 1] - done >= GROUP:
                yield self.runs[begin:start]
                begin, done = start, int(total[start - 1])
        yield self.runs[begin:]


def place(sent: Sent, known: Known, problems: Problems) -> Placed:
    """Place every run on the grid of its channel, or note in *problems* why it has none."""
    channel, factor, factors = _targets(sent, known, problems)
    fine = channel >= 0
    at = np.maximum(channel, 0)
    interval, offset = (
        (known.intervals[at], known.offsets[at])
        if known.channels
        else (np.ones_like(at), np.zeros_like(at))
    )
    start = sent.starts
    if sent.end_stamped is not None:
        start = np.where(sent.end_stamped, start - interval, start)

    def refuse(wrong: Mask, code: str, message: str) -> None:
        def fault(run: int) -> Fault:
            slots = (length_text(int(column[run])) for column in (interval, offset))
            return sent.fault(code, message.format(*slots), run)

        runs = np.flatnonzero(fine & wrong)
        problems.add_each(code, runs.tolist(), fault, sent.count(runs))
        fine[wrong] = False

    other = (sent.intervals != 0) & (sent.intervals != interval)
    refuse(other, "wrong_interval", "the channel's interval is {0}")
    end = start + interval * sent.lengths
    refuse((start < FIRST) | (end > LAST), "out_of_range", "the years are 1900 to 2199")
    message = "the channel's slots are {0} long and start {1} after midnight UTC"
    refuse((start - offset) % interval != 0, "off_grid", message)
    runs = np.flatnonzero(fine)
    order = np.lexsort((channel[runs], interval[runs]))
    return Placed(
        runs[order],
        np.where(fine, channel, -1),
        (start - offset) // interval,
        factor,
        factors,
    )


def _targets(
    sent: Sent, known: Known, problems: Problems
) -> tuple[Int64, Int64, tuple[Fraction, ...]]:
    """Return the channel (-1 for none) and the unit's factor of each run."""
    factors: dict[Fraction, int] = {}
    refusals: dict[str, dict[int, Refusal]] = {}
    found = np.full((len(sent.origins), 2), (-1, 0))
    for number, origin in enumerate(sent.origins):
        target = known.target(*origin)
        if isinstance(target, Target):
            factor = factors.setdefault(target.factor, len(factors))
            found[number] = target.index, factor
        else:
            refusals.setdefault(target.code, {})[number] = target
    for code, why in refusals.items():
        _refuse(sent, code, why, problems)
    channel, factor_of = found[sent.origin].T
    return channel, factor_of, tuple(factors)


def _refuse(sent: Sent, code: str, why: dict[int, Refusal], problems: Problems) -> None:
    """Refuse the runs of some origins, which are there with the refusal of each."""

    def fault(run: int) -> Fault:
        return sent.fault(code, why[int(sent.origin[run])].message, run)

    wrong = np.zeros(len(sent.origins), bool)
    wrong[list(why)] = True
    runs = np.flatnonzero(wrong[sent.origin])
    problems.add_each(code, runs.tolist(), fault, sent.count(runs))
