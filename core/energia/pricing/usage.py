"""Cuts series of readings to a window and refuses what is missing from it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np

from energia.convert.faults import Faults, step
from energia.errors import Fault, IncompleteUsage, Invalid, did_you_mean
from energia.metering.gaps import Gap, gaps
from energia.metering.series import MISSING, QUALITIES, Micro, Series
from energia.pricing.allowance import Allowance
from energia.pricing.calendar import Grid
from energia.pricing.charges import DIRECTIONS
from energia.pricing.exact import rounded
from energia.pricing.lines import Remembered
from energia.pricing.market.series import PriceSeries
from energia.pricing.schedule import DayTypes
from energia.pricing.slots import Assumption, Portion, boundary_inside, spread
from energia.time import DAY, Instant, Int64, Zone, duration_text
from energia.units import ceiling

#: Values are cut into a high and a low part of so many bits, so that no sum overflows.
_LOW_BITS: Final = 31


def estimated(values: Micro, grid: Grid, zone: Zone, types: DayTypes) -> Micro:
    """Return *values* with means in the place of `MISSING`; at least one must be known.

    Means are rounded half to even to the micro-unit.
    """
    known = values != MISSING
    day, second = np.divmod(zone.local(grid.starts), DAY)
    kinds = types.days(day)
    # One number for the time of day and whether the day is a working day.
    alike = 2 * second + (kinds.weekend | kinds.holiday)
    readings = values.copy()
    for groups in (alike, second, np.zeros_like(second)):
        holes = np.flatnonzero(readings == MISSING)
        means = _means(groups[known], values[known])
        for hole in holes.tolist():
            readings[hole] = means.get(int(groups[hole]), MISSING)
    return readings


def _means(groups: Int64, values: Micro) -> dict[int, int]:
    """Return the mean of the values of each group."""
    names, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    # `values == (high << 31) + low` holds for negative values too: a shift rounds down.
    high, low = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(high, which, values >> _LOW_BITS)
    np.add.at(low, which, values & (2**_LOW_BITS - 1))
    totals = [(a << _LOW_BITS) + b for a, b in zip(high.tolist(), low.tolist(), strict=True)]
    return {
        name: rounded(Fraction(total, count), 0, "half_even")
        for name, total, count in zip(names.tolist(), totals, counts.tolist(), strict=True)
    }


# What a price rests on besides the tariff and the usage.

#: How slots without a reading are treated.
Missing = Literal["refuse", "zero", "estimate"]
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_NEW: Final[Mapping[str, Remembered]] = MappingProxyType({})
_WITHOUT: Final[Mapping[str, PriceSeries]] = MappingProxyType({})


@attrs.frozen
class Terms:
    """What a price rests on besides the tariff and the usage.

    Attributes:
        state: What the charges remember from the bill before, by their codes.
        missing: Whether missing readings are refused, or how they are filled in.
        pointers: Where the readings of each role are in the request that they came with.
        prices: The price series that the charges need, by name.
        assumptions: What is taken for granted of the usage already.
        allowance: How many lines there may be, of all bills together; None for any number.
        estimate_share: Which share of a channel's slots in a bill may be estimated, from 0 to 1
            (`limits.estimate_share`).

    """

    state: Mapping[str, Remembered] = _NEW
    missing: Missing = "refuse"
    pointers: Mapping[str, str] = _NONE
    prices: Mapping[str, PriceSeries] = _WITHOUT
    assumptions: tuple[Assumption, ...] = ()
    allowance: Allowance | None = None
    estimate_share: float = 1.0


def refuse_unknown(state: Mapping[str, object], codes: Collection[str]) -> None:
    """Refuse what none of the charges *codes* remembers: it would be lost without a word.

    Raises:
        Invalid: With a fault `unknown_charge` below `/state` for each.

    """
    faults = [
        Fault("unknown_charge", f"no charge has the code {code!r}", f"/state{step(code)}")
        for code in state
        if code not in codes
    ]
    if faults:
        raise Invalid.of_all(faults)


#: So many gaps are named in one refusal.
_NAMED: Final = 1000
_QUESTIONABLE: Final = QUALITIES.index("questionable")


@attrs.frozen(eq=False)
class ChannelSeries:
    """The readings of one of the channels that are summed for a role.

    Attributes:
        name: The id of the channel.
        series: Its readings.
        start: When it begins to count, in seconds since 1970-01-01T00:00Z; None if it always did.
        end: When it ends to count; None if it goes on.

    """

    name: str
    series: Series
    start: Instant | None = None
    end: Instant | None = None

    def within(self, window: tuple[Instant, Instant]) -> tuple[Instant, Instant]:
        """Return the part of a window in which it counts; empty where it does not."""
        start = window[0] if self.start is None else max(window[0], self.start)
        end = window[1] if self.end is None else min(window[1], self.end)
        return min(start, end), end


#: The readings of each role: one series, or one for each of the channels that are summed.
Usage: TypeAlias = Mapping[str, Series | Sequence[ChannelSeries]]


@attrs.define
class Cut:
    """The portions of a window, and what was found while cutting."""

    portions: dict[str, Portion] = attrs.Factory(dict)
    assumptions: dict[Assumption, None] = attrs.Factory(dict)


@attrs.frozen
class Days:
    """The local days of a bill, which estimates tell apart.

    Attributes:
        zone: The zone of the bill's days.
        types: Its holidays and weekend days.

    """

    zone: Zone
    types: DayTypes


def cut(
    usage: Usage,
    roles: Collection[str],
    window: tuple[Instant, Instant],
    days: Days,
    terms: Terms = Terms(),
) -> Cut:
    """Return the readings of *roles* in the window [start, end).

    A slot is in the window that its start is in. What is missing is treated channel by channel,
    before channels are summed: a gap of one loses nothing that another has measured.

    Raises:
        Invalid: The usage does not have one of the roles, or the slots of its channels differ.
        IncompleteUsage: Readings are missing; `faults` names the gaps, with times of the zone.

    """
    if absent := [role for role in roles if role not in usage]:
        raise _absent(absent, usage)
    cutting = _Cutting(window, days, terms)
    for role in roles:
        cutting.take(role, usage[role])
    if cutting.faults:
        message = f"{cutting.missing} slots of the window have no reading"
        if not cutting.missing:
            message = cutting.faults[0].message
        raise IncompleteUsage(message, cutting.faults)
    return cutting.result


@attrs.define
class _Cutting:
    """A window that is being cut: what was taken so far, and what is missing from it."""

    window: tuple[Instant, Instant]
    days: Days
    terms: Terms
    result: Cut = attrs.Factory(Cut)
    faults: list[Fault] = attrs.Factory(list)
    missing: int = 0

    def take(self, role: str, readings: Series | Sequence[ChannelSeries]) -> None:
        """Take the readings of a role, the sum of its channels; note what is missing."""
        if isinstance(readings, Series):
            portion = self._portion(role, role, readings, self.window)
        else:
            portion = self._summed(role, readings)
        if portion is not None:
            self.result.portions[role] = portion

    def _summed(self, role: str, channels: Sequence[ChannelSeries]) -> Portion | None:
        """Return the sum of channels, each in the time in which it counts."""
        counted = [
            (channel, part)
            for channel in channels
            for part in (channel.within(self.window),)
            if part[0] < part[1]
        ]
        _refuse_different(role, counted)
        portions = [
            self._portion(role, f"{role} ({channel.name})", channel.series, part)
            for channel, part in counted
        ]
        complete = [portion for portion in portions if portion is not None]
        is_covered = self._note_uncovered(role, [part for _, part in counted])
        if len(complete) < len(portions) or not is_covered:
            return None
        interval = min((portion.grid.interval for portion in complete), default=0)
        spread = [self._spread(role, portion, interval) for portion in complete]
        return _sum(role, spread, self.window) if spread else None

    def _note_uncovered(self, role: str, parts: Sequence[tuple[Instant, Instant]]) -> bool:
        """Tell whether some channel counts at any time; what is without one is noted."""
        until, complete = self.window[0], True
        for start, end in [*sorted(parts), (self.window[1], self.window[1])]:
            if start > until:
                begin, past = (self.days.zone.text(edge) for edge in (until, start))
                message = f"{role}: no channel counts from {begin} to {past}"
                if self.terms.missing == "zero" and parts:
                    self.result.assumptions[Assumption("no_channel", f"{message}: 0")] = None
                else:
                    pointer = self.terms.pointers.get(role)
                    self.faults.append(Fault("no_channel", message, pointer))
                    complete = False
            until = max(until, end)
        return complete

    def _spread(self, role: str, portion: Portion, interval: int) -> Portion:
        """Return readings in slots of *interval*: those of longer ones, spread evenly, are told."""
        length = portion.grid.interval
        if length == interval:
            return portion
        if length % interval:
            raise _different(role)
        have, need = (duration_text(timedelta(seconds=each)) for each in (length, interval))
        number = portion.grid.count
        message = (
            f"{number} slots of {role} are of {have}, others of {need}: what they measured is "
            "spread evenly"
        )
        self.result.assumptions[Assumption("spread_readings", message, number)] = None
        return _finer(portion, interval)

    def _portion(
        self, role: str, name: str, series: Series, part_of_window: tuple[Instant, Instant]
    ) -> Portion | None:
        """Return the readings of one channel, called *name*; None if some are missing."""
        start, end = part_of_window
        first, last = _slots(series, start, end)
        self.result.assumptions.update(dict.fromkeys(_assumptions(name, series, start, end)))
        grid = Grid(series.start + first * series.interval, series.interval, last - first)
        lacking = _missing(series, first, last) if self.terms.missing == "estimate" else 0
        if self._is_guess(role, name, lacking, last - first):
            return None
        part, filled_slots = _filled(series, (first, last), grid, self.days, self.terms.missing)
        smallest = int(part.min()) if len(part) else 0
        if smallest == MISSING or len(part) < last - first:
            self._note_gaps(role, name, series, (first, last))
            return None
        if filled_slots:
            self.result.assumptions[_told(name, self.terms.missing, filled_slots)] = None
        if self._is_unread(role, name, series, part_of_window):
            return None
        largest = max(-smallest, int(part.max())) if len(part) else 0
        return Portion(grid, part, largest, edges=series.edges)

    def _is_unread(
        self, role: str, name: str, series: Series, window: tuple[Instant, Instant]
    ) -> bool:
        """Tell whether a boundary of the window lies between two reads; that is noted.

        Who asks for estimates is given what was used spread evenly over the days between the reads.
        """
        whole = Portion(Grid(series.start, series.interval, 0), series.values, 0, 0, series.edges)
        stretches = [(edge, whole.stretch_at(edge)) for edge in window]
        cut = [(edge, stretch) for edge, stretch in stretches if stretch is not None]
        if cut and self.terms.missing == "estimate":
            self.result.assumptions[spread(role, len(whole.cut_by(window)))] = None
            return False
        zone = self.days.zone
        for edge, stretch in cut:
            first, past, day = (zone.datetime(each).date() for each in (*stretch, edge))
            message = f"{name}: read on {first} and on {past}, and not on {day}"
            self.faults.append(Fault("not_read", message, self.terms.pointers.get(role)))
        return bool(cut)

    def _is_guess(self, role: str, name: str, lacking: int, slots: int) -> bool:
        """Tell whether more slots are to be estimated than may be; that is noted.

        Without any reading there is nothing to estimate by: that is a gap.
        """
        share = self.terms.estimate_share
        if lacking <= share * slots or lacking == slots:
            return False
        message = (
            f"{name}: {lacking} of {slots} slots have no reading: at most "
            f"limits.estimate_share ({share:g}) of them are estimated"
        )
        self.faults.append(Fault("too_much_missing", message, self.terms.pointers.get(role)))
        self.missing += lacking
        return True

    def _note_gaps(self, role: str, name: str, series: Series, slots: tuple[int, int]) -> None:
        """Note the gaps of a channel, as long as there is room for more."""
        pointer, zone = self.terms.pointers.get(role), self.days.zone
        named = gaps(series, *slots).listed(max(0, _NAMED - len(self.faults)))
        self.faults += [_fault(name, gap, zone, pointer) for gap in named]
        self.missing += _missing(series, *slots)


def _refuse_different(
    role: str, counted: Sequence[tuple[ChannelSeries, tuple[Instant, Instant]]]
) -> None:
    """Refuse channels of different slots that count at the same time."""
    ordered = sorted(counted, key=lambda pair: pair[1])
    for index, (channel, (_, end)) in enumerate(ordered):
        for other, (start, _) in ordered[index + 1 :]:
            if start < end and _slots_of(channel.series) != _slots_of(other.series):
                raise _different(role)


def _slots_of(series: Series) -> tuple[int, int]:
    return series.interval, series.start % series.interval


def _different(role: str) -> Invalid:
    message = f"the channels of {role} have different slots"
    return Invalid.of("different_grids", message, f"/channels{step(role)}")


def _finer(portion: Portion, interval: int) -> Portion:
    """Return a portion in slots of *interval*, a part of its own: the sum of each slot stays."""
    grid, parts = portion.grid, portion.grid.interval // interval
    each, rest = np.divmod(portion.values, parts)
    values = np.repeat(each, parts) + (
        np.arange(len(each) * parts) % parts < np.repeat(rest, parts)
    )
    finer = Grid(grid.start, interval, grid.count * parts)
    whole = values.astype(np.int64)
    return Portion(finer, whole, portion.largest, grid.interval, portion.edges)


def _sum(role: str, portions: Sequence[Portion], window: tuple[Instant, Instant]) -> Portion:
    """Return the sum of portions of slots of one length, each where it has slots."""
    interval, start = portions[0].grid.interval, portions[0].grid.start
    start -= (start - window[0]) // interval * interval  # the first slot that starts in the window
    grid = Grid(start, interval, ceiling(window[1] - start, interval))
    # A role has at most 100 channels, of at most 10**15 a slot: the sum fits int64.
    values = np.zeros(grid.count, np.int64)
    for portion in portions:
        begin, rest = divmod(portion.grid.start - start, interval)
        past = begin + portion.grid.count
        # Longer slots that were spread may reach beyond the window.
        if rest or begin < 0 or past > grid.count:
            raise _different(role)
        values[begin:past] += portion.values
    read = max(portion.longest for portion in portions)
    edges = _common_edges(portions)
    return Portion(grid, values, sum(portion.largest for portion in portions), read, edges)


def _common_edges(portions: Sequence[Portion]) -> Int64 | None:
    """Return where the sums of portions meet that count one after another, or at the same time.

    A sum is exact where each of its parts is that counts there.
    """
    if all(portion.edges is None for portion in portions):
        return None
    edges = np.unique(np.concatenate([_own_edges(portion) for portion in portions]))
    for portion in portions:
        inside = (edges > portion.grid.start) & (edges < portion.grid.end)
        edges = edges[~inside | np.isin(edges, _own_edges(portion))]
    return edges


def _own_edges(portion: Portion) -> Int64:
    """Return where the sums of a portion meet, its ends among them: of slots, where each ends."""
    grid, edges = portion.grid, portion.edges
    if edges is None:
        return np.append(grid.starts, grid.end)
    inside = edges[(edges > grid.start) & (edges < grid.end)]
    return np.concatenate([[grid.start], inside, [grid.end]]).astype(np.int64)


def all_gaps(missing: Sequence[IncompleteUsage], what: str) -> IncompleteUsage:
    """Return the gaps of several windows, which are called *what*, as one error."""
    if len(missing) == 1:
        return missing[0]
    faults = Faults()
    for error in missing:
        faults.add(error)
    message = f"{len(missing)} {what} have slots without a reading"
    return IncompleteUsage(message, faults.kept, faults.counts)


def _filled(
    series: Series, slots: tuple[int, int], grid: Grid, days: Days, missing: Missing
) -> tuple[Micro, int]:
    """Return the values of *slots*, and how many of them were filled in.

    What cannot or shall not be filled in stays missing, or beyond the end of the array.
    """
    first, last = slots
    part = series.values[max(first, 0) : max(last, 0)]
    if missing == "refuse" or (len(part) == last - first and not (part == MISSING).any()):
        return part, 0
    whole = _whole(series, first, last)
    holes = whole == MISSING
    number = int(holes.sum())
    if missing == "zero":
        return np.where(holes, 0, whole), number
    if number == len(whole):
        return whole, 0  # nothing to estimate by
    return estimated(whole, grid, days.zone, days.types), number


def _whole(series: Series, first: int, last: int) -> Micro:
    """Return the slots from *first* to *last*, missing where *series* does not reach."""
    whole = np.full(last - first, MISSING, np.int64)
    inner = max(first, 0)
    outer = max(min(last, len(series.values)), inner)
    whole[inner - first : outer - first] = series.values[inner:outer]
    return whole


def _told(name: str, missing: Missing, slots: int) -> Assumption:
    if missing == "zero":
        return Assumption("missing_as_zero", f"{slots} missing slots of {name} count 0", slots)
    message = f"{slots} missing slots of {name} are estimated: the mean of slots that are alike"
    return Assumption("missing_estimated", message, slots)


def _slots(series: Series, start: Instant, end: Instant) -> tuple[int, int]:
    """Return the slots that start in the window, as indexes into *series* (which may lack them)."""
    return series.index_at(start), series.index_at(end)


def _assumptions(name: str, series: Series, start: Instant, end: Instant) -> Iterator[Assumption]:
    inside = sum((edge - series.start) % series.interval != 0 for edge in (start, end))
    if inside:
        yield boundary_inside(
            "a boundary of the window falls",
            inside,
            f"slots of {name}",
            "is in the window that its start is in",
        )
    first, last = (max(edge, 0) for edge in _slots(series, start, end))
    questionable = int(np.count_nonzero(series.quality[first:last] == _QUESTIONABLE))
    if questionable:
        yield Assumption(
            "questionable_readings",
            f"{questionable} readings of {name} are questionable",
            questionable,
        )


def _missing(series: Series, first: int, last: int) -> int:
    part = series.values[max(first, 0) : max(last, 0)]
    return last - first - int(np.count_nonzero(part != MISSING))


def _fault(name: str, gap: Gap, zone: Zone, pointer: str | None) -> Fault:
    begin, end = zone.text(gap.start), zone.text(gap.end)
    message = f"{name}: no reading from {begin} to {end} ({gap.slots} slots)"
    return Fault(gap.reason, message, pointer)


def _meant(role: str, usage: Usage) -> str:
    """Suggest a role: export is near to import and not meant, a role of one's own may be."""
    return "" if role in DIRECTIONS else did_you_mean(role, usage)


def _absent(roles: Collection[str], usage: Usage) -> Invalid:
    there = ", ".join(sorted(usage)) or "nothing"
    messages = [
        f"the tariff charges {role}, and the usage has {there}{_meant(role, usage)}"
        for role in roles
    ]
    return Invalid(messages[0], [Fault("missing_channel", message) for message in messages])
