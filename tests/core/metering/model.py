"""The rules of storing readings, as plain loops over dictionaries."""

from collections import Counter

import attrs

from tests.core.metering.setting import Item

DAY = 86_400
Slots = dict[int, tuple[int | None, int]]


@attrs.define
class Block:
    """A day: its slots by index, and the finished revisions before this one."""

    slots: Slots
    revision: int = 1
    before: list[Slots] = attrs.Factory(list)

    @property
    def last(self) -> int:
        """The last slot with a value."""
        return max((i for i, (value, _) in self.slots.items() if value is not None), default=-1)


@attrs.define
class Model:
    """One channel of hourly slots."""

    offset: int
    blocks: dict[int, Block] = attrs.Factory(dict)

    def store(self, batches: list[list[Item]], now: float) -> dict[str, int]:
        """Store one import and return its counts.

        A slot that comes again is held against the first value of its batch, and that against the
        first value of the import.
        """
        counts = Counter(received=sum(map(len, batches)))
        firsts: dict[int, tuple[int | None, int]] = {}
        for items in batches:
            fresh = [(start, (v, 0 if v is None else quality)) for start, v, quality in items]
            for start, came in _firsts({}, fresh, counts).items():
                _firsts(firsts, [(start, came)], counts)
        days: dict[int, Slots] = {}
        for start, came in firsts.items():
            day, seconds = divmod(start - self.offset, DAY)
            days.setdefault(day, {})[seconds // 3600] = came
        for day, slots in days.items():
            self._merge(day, slots, now, counts)
        names = ("received", "created", "unchanged", "corrected", "repeated", "superseded")
        return {name: counts[name] for name in (*names, "missing", "rejected")}

    def _merge(self, day: int, slots: Slots, now: float, counts: Counter[str]) -> None:
        block = self.blocks.get(day)
        live = now < (day + 1) * DAY + self.offset + 7200
        old, last = (block.slots, block.last) if block else ({}, -1)
        changes, late = Slots(), False
        for index, (value, quality) in slots.items():
            known = old.get(index)
            filled = known is not None and known[0] is not None
            if value is None:
                counts["missing"] += 1
                changed = known is None
            elif not filled:
                counts["created"] += 1
                changed = True
            else:
                changed = known != (value, quality)
                counts["corrected" if changed else "unchanged"] += 1
                late |= changed
            if changed:
                changes[index] = (value, quality)
                late |= not (live and index > last)
        if changes:
            self._put(day, block, {**old, **changes}, late)

    def _put(self, day: int, block: Block | None, slots: Slots, late: bool) -> None:
        if block is None:
            self.blocks[day] = Block(slots)
            return
        if late:
            block.before.append(block.slots)
            block.revision += 1
        block.slots = slots


def _firsts(
    found: dict[int, tuple[int | None, int]],
    came: list[tuple[int, tuple[int | None, int]]],
    counts: Counter[str],
) -> dict[int, tuple[int | None, int]]:
    for start, one in came:
        if start in found and None in (one[0], found[start][0]):
            counts["repeated"] += 1  # a null beside a value says nothing, whichever comes first
            found[start] = one if found[start][0] is None else found[start]
        elif start in found:
            counts["repeated" if found[start] == one else "rejected"] += 1
        else:
            found[start] = one
    return found
