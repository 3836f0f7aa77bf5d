"""Dated rates as versions of one tariff."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import attrs

from energia_plugins.tariff_urdb.notes import Notes, Record

#: The first day of a rate that does not say when it begins.
_EVER: Final = date(1900, 1, 1)
_OVERLAP: Final = timedelta(days=1)
#: The source states no rounding: amounts stay exact.
_ROUNDING: Final[Mapping[str, Any]] = {"amount_decimals": None}


@attrs.frozen
class Block:
    """A rate, its first day and the day after its last."""

    rate: Record
    starts: date | None
    ends: date | None


def chained(
    notes: Notes, blocks: Sequence[Block], charges: Sequence[list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return the versions in the order of time; refuse rates that are in force at once."""
    for block in blocks:
        _check(notes, block)
    order = sorted(range(len(blocks)), key=lambda at: blocks[at].starts or _EVER)
    if not blocks:
        notes.refuse("", "no_rate_found", "none of the rates is ever in force")
    ends = dict(_ends(notes, [blocks[at] for at in order]))
    found = []
    for at in order:
        block, until = blocks[at], ends[id(blocks[at])]
        version: dict[str, Any] = {"valid_from": str(block.starts or _EVER)}
        version |= {"valid_to": str(until)} if until else {}
        found.append(version | {"rounding": dict(_ROUNDING), "charges": charges[at]})
    return found


def in_force(notes: Notes, rates: Sequence[Record]) -> Iterator[Record]:
    """Yield the rates of a list, without those that end the moment they begin."""
    for rate in rates:
        starts, ends = rate.get("startdate"), rate.get("enddate")
        if len(rates) > 1 and starts not in (None, "") and starts == ends:
            message = "the rate ends the moment it begins: it is never in force"
            notes.warn(rate.at, "never_in_force", message)
        else:
            yield rate


def _check(notes: Notes, block: Block) -> None:
    rate = block.rate
    if block.starts is None:
        message = "the rate does not say when it begins: it is in force from 1900 on"
        notes.warn(rate.pointer("startdate"), "no_start", message)
    if block.ends and block.ends <= (block.starts or _EVER):
        message = "the rate ends before it begins"
        notes.refuse(rate.pointer("enddate"), "empty_version", message)


def _ends(notes: Notes, blocks: Sequence[Block]) -> Iterator[tuple[int, date | None]]:
    """Yield the day after the last one of each block; one that has no end lasts until the next."""
    for block, following in pairwise(blocks):
        begins, at = following.starts or _EVER, following.rate.pointer("startdate")
        if begins == (block.starts or _EVER):
            message = (
                "two rates begin on the same day: a list is of one rate that changes with time; "
                "import different rates one by one"
            )
            notes.refuse(at, "versions_overlap", message)
        if block.ends and block.ends - begins > _OVERLAP:
            message = f"the rate before ends on {block.ends}: it is taken to end on {begins}"
            notes.warn(at, "end_moved", message)
        yield id(block), min(block.ends or begins, begins)
    if blocks:
        yield id(blocks[-1]), blocks[-1].ends
