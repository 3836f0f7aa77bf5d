"""Stretches: what a channel measured from one instant to another, however far apart.

Registers that are read once a month, and gas bills, have no slots. What is known of them are
stretches: sums, each with its own start and end. Some are sent as they are; those of a register are
the differences of its reads (`derived`), which stay as they are themselves.

To be priced and summed, stretches are laid on slots (`laid`): each is spread evenly over its slots,
and the series says where one stretch meets the next (`Series.edges`). Sums from edge to edge are
exact; who needs anything finer is refused, or says what it assumes.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Final, Literal

import attrs
import numpy as np

from energia.metering.registers import Finding, RegisterRules
from energia.metering.series import (
    ACTUAL,
    MISSING,
    NEVER_SENT,
    NOT_COUNTED,
    QUALITIES,
    ChannelGrid,
    Series,
)
from energia.time import DAY, Instant, Int64, Zone
from energia.units import BOUND, MICRO

#: What a read is: an ordinary one; the last of a meter that is taken away; the first of the next.
ReadKind = Literal["read", "final", "initial"]
#: Reads of one instant follow each other so: a meter goes, and the next one comes.
KINDS: Final[tuple[ReadKind, ...]] = ("final", "initial", "read")
#: What is to be said of a stretch.
Reason = Finding | Literal["glitch", "equipment_changed", "out_of_range"]

_DERIVED: Final = QUALITIES.index("derived")
_QUESTIONABLE: Final = QUALITIES.index("questionable")
#: Qualities of reads whose difference is simply `derived`.
_PLAIN: Final = (ACTUAL, QUALITIES.index("validated"), _DERIVED)


@attrs.frozen
class Read:
    """What a register showed.

    Attributes:
        instant: When, in seconds since 1970-01-01T00:00Z.
        value: What it showed, with the digits that are written.
        quality: The code of its quality.
        kind: Whether it is the last read of a meter, or the first, where one was exchanged.
        equipment: The meter that it is of, if that was said.

    """

    instant: Instant
    value: Decimal
    quality: int = ACTUAL
    kind: ReadKind = "read"
    equipment: str | None = None


@attrs.frozen
class Stretch:
    """What was measured from one instant to another.

    Attributes:
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        value: Micro-units, or `MISSING`.
        quality: The code of its quality; 0 where it is missing.
        reason: What else there is to say of it.

    """

    start: Instant
    end: Instant
    value: int
    quality: int
    reason: Reason | None = None

    @property
    def code(self) -> int:
        """The code of its quality in a series."""
        is_untold = self.value == MISSING and self.reason is not None
        return NOT_COUNTED if is_untold else self.quality


def between(reads: Sequence[Read], rules: RegisterRules, factor: Fraction) -> list[Stretch]:
    """Return what a register measured from each of its reads to the next.

    A read that cannot be true, because what follows fits to the read before it and not to it
    (`glitch`), is passed over: the stretch goes on to the next. Across an exchange of meters
    nothing is known, unless the final read of one and the initial read of the next are there.

    Args:
        reads: In the order of time, and of `KINDS` at one instant.
        rules: What is known of the register.
        factor: How much one unit of the register is, in the canonical unit.

    """
    stretches: list[Stretch] = []
    reads = _of_meters(reads)
    if not reads:
        return stretches
    base, held, index = reads[0], reads[0].value, 1
    while index < len(reads):
        read = reads[index]
        following = reads[index + 1] if index + 1 < len(reads) else None
        is_glitch = following is not None and _is_glitch(rules, (base, held), read, following)
        if is_glitch and following is not None:
            index, read = index + 1, following
        if read.instant > base.instant:
            quantity, reason = _difference(rules, base, held, read)
            stretches.append(
                _stretch(base, read, quantity, "glitch" if is_glitch else reason, factor)
            )
            held = held if reason == "dip" else read.value
        else:
            held = read.value
        base, index = read, index + 1
    return stretches


def _of_meters(reads: Sequence[Read]) -> list[Read]:
    """Return reads that each say of which meter they are, if one before them did.

    At the instant of an exchange its own reads count: of another one nobody knows which meter it
    is of.
    """
    exchanged = {read.instant for read in reads if read.kind != "read"}
    known: list[Read] = []
    equipment: str | None = None
    for read in reads:
        if read.kind == "read" and read.instant in exchanged:
            continue
        if read.equipment is not None or read.kind == "initial":
            equipment = read.equipment
        is_told = read.equipment == equipment
        known.append(read if is_told else attrs.evolve(read, equipment=equipment))
    return known


def _is_exchange(before: Read, after: Read) -> bool:
    """Whether two reads are of different meters."""
    named = before.equipment is not None and after.equipment is not None
    is_other = named and before.equipment != after.equipment
    return before.kind == "final" or after.kind == "initial" or is_other


def _difference(
    rules: RegisterRules, before: Read, held: Decimal, after: Read
) -> tuple[Decimal | None, Reason | None]:
    if _is_exchange(before, after):
        return None, "equipment_changed"
    used = rules.used(held, after.value, after.instant - before.instant)
    return used.quantity, used.finding


def _is_glitch(
    rules: RegisterRules, before: tuple[Read, Decimal], read: Read, following: Read
) -> bool:
    """Whether *read* fits neither to the read before nor to the next, which fit to each other."""
    base, held = before
    if rules.most is None or _is_exchange(base, read) or _is_exchange(read, following):
        return False
    away = rules.used(held, read.value, read.instant - base.instant)
    back = rules.used(read.value, following.value, following.instant - read.instant)
    across = rules.used(held, following.value, following.instant - base.instant)
    wrong = ("above_max_power", "register_went_back")
    return away.finding in wrong and back.finding in wrong and across.finding is None


def _stretch(
    before: Read, after: Read, quantity: Decimal | None, reason: Reason | None, factor: Fraction
) -> Stretch:
    if quantity is None:
        return Stretch(before.instant, after.instant, MISSING, 0, reason)
    micro = round(Fraction(quantity) * factor * MICRO)  # half to even
    if micro > BOUND:
        return Stretch(before.instant, after.instant, MISSING, 0, "out_of_range")
    quality = _QUESTIONABLE if reason == "above_max_power" else _quality(before, after)
    return Stretch(before.instant, after.instant, micro, quality, reason)


def _quality(*parts: Read | Stretch) -> int:
    """Return the quality of what is worked out from some parts: the worst of them, or derived."""
    return max((each.quality for each in parts if each.quality not in _PLAIN), default=_DERIVED)


# Stretches on slots.


def by_days(stretches: Sequence[Stretch], zone: Zone) -> list[Stretch]:
    """Return stretches from midnight to midnight of *zone*, the time of day of a read forgotten.

    A read, and the start of a stretch, counts for the midnight before it: of several on one day
    the first does. So a bill from day to day is one from read to read. Where a part of a day was
    not measured, nothing is known of what begins on it.
    """
    parts = list(_without_holes(stretches))
    begins = _midnights(zone, [each.start for each in parts])
    pasts = _midnights(zone, [each.end for each in parts])
    days_of = list(zip(begins, pasts, parts, strict=True))
    # Of a stretch within one day nothing is left to say where its day is of none that goes on.
    joined = [_joined(list(group)) for _, group in groupby(days_of, lambda each: each[0])]
    return [each for each in joined if each.start < each.end]


def _without_holes(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield stretches, and what was never sent between them."""
    until: Instant | None = None
    for each in stretches:
        if until is not None and until < each.start:
            yield Stretch(until, each.start, MISSING, NEVER_SENT)
        yield each
        until = each.end


def _midnights(zone: Zone, instants: Sequence[Instant]) -> list[Instant]:
    """Return the midnight before each of some instants, which are in order."""
    days = zone.local(np.array(instants, np.int64)) // DAY
    # Where clocks go back just after midnight, the day before comes again: it is over.
    midnights: list[Instant] = zone.midnights(np.maximum.accumulate(days)).tolist()
    return midnights


def _joined(parts: Sequence[tuple[Instant, Instant, Stretch]]) -> Stretch:
    """Return what begins on one day as one stretch; nobody knows it where a part is missing."""
    start, end = parts[0][0], max(past for _, past, _ in parts)
    stretches = [each for _, _, each in parts]
    reason = next((each.reason for each in stretches if each.reason), None)
    if missing := [each.quality for each in stretches if each.value == MISSING]:
        return Stretch(start, end, MISSING, max(missing), reason)
    quality = _quality(*stretches) if len(stretches) > 1 else stretches[0].quality
    return Stretch(start, end, sum(each.value for each in stretches), quality, reason)


def laid(stretches: Sequence[Stretch], grid: ChannelGrid, start: Instant, end: Instant) -> Series:
    """Return stretches on the slots of [start, end), each spread evenly over its own.

    Up to any slot of a stretch, the slots before it have its share of the sum, rounded down to the
    micro-unit: so the slots add up to it, and what is cut at half the time is half of it.

    Args:
        stretches: In the order of time. A slot belongs to the stretch in which it starts.
        grid: The slots.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.

    """
    slots = grid.slots(start, end)
    first = grid.start(slots.start)
    values = np.full(len(slots), MISSING, np.int64)
    quality = np.full(len(slots), NEVER_SENT, np.int8)
    for stretch, begin, past in _placed(stretches, grid, slots):
        quality[begin:past] = stretch.code
        if stretch.value != MISSING:
            covered = grid.slots(stretch.start, stretch.end)
            part = np.arange(begin, past + 1) - (covered.start - slots.start)
            each, rest = divmod(stretch.value, len(covered))
            values[begin:past] = each + np.diff(part * rest // len(covered))
    ends = {edge for stretch in stretches for edge in (stretch.start, stretch.end)}
    edges: Int64 = np.array(sorted(ends), np.int64)
    return Series(first, grid.interval, values, quality, edges)


def _placed(
    stretches: Sequence[Stretch], grid: ChannelGrid, slots: range
) -> Iterator[tuple[Stretch, int, int]]:
    """Yield each stretch with the part of *slots* that it covers."""
    for stretch in stretches:
        covered = grid.slots(stretch.start, stretch.end)
        begin, past = max(covered.start, slots.start), min(covered.stop, slots.stop)
        if begin < past:
            yield stretch, begin - slots.start, past - slots.start


def slotted(
    stretches: Sequence[Stretch], grid: ChannelGrid, start: Instant, end: Instant
) -> Series:
    """Return what is one slot, or adds up to one, as the readings of [start, end)."""
    slots = grid.slots(start, end)
    values = np.full(len(slots), MISSING, np.int64)
    quality = np.full(len(slots), NEVER_SENT, np.int8)
    for number, parts in groupby(
        stretches, lambda each: (each.start - grid.offset) // grid.interval
    ):
        whole = _joined_slot(list(parts), grid.start(number), grid.interval)
        if whole is not None and number in slots:
            index = number - slots.start
            values[index], quality[index] = whole.value, whole.code
    return Series(grid.start(slots.start), grid.interval, values, quality)


def _joined_slot(parts: Sequence[Stretch], start: Instant, length: int) -> Stretch | None:
    """Return what starts in a slot as one stretch; None if it is not just that slot."""
    if len(parts) == 1:
        (one,) = parts
        return one if (one.start, one.end) == (start, start + length) else None
    ends = [start, *(each.end for each in parts)]
    is_whole = ends[-1] == start + length and ends[:-1] == [each.start for each in parts]
    return _joined([(start, each.end, each) for each in parts]) if is_whole else None
