"""Which channel and slots each run of readings belongs to; what belongs nowhere is refused."""

from collections.abc import Iterator
from fractions import Fraction

import attrs
import numpy as np

from energia.errors import Fault
from energia.metering import durations
from energia.metering.columns import FIRST, LAST
from energia.metering.known import Known, Refusal, Target
from energia.metering.merge import Int64, Mask
from energia.metering.problems import Problems
from energia.metering.sent import Sent

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
            slots = (durations.text(int(column[run])) for column in (interval, offset))
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
