"""The entries of a feed, and how the readings in one find their type and their meter.

Feeds join them in three ways: by links (the block lies below a MeterReading, which is related to a
ReadingType), by being in one entry, or not at all, where the feed has one type only. Where none of
these tells the type, the readings are refused: nothing is guessed.
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import attrs

from energia import Item, Malformed, MeterRead, Names, Problem, Reading
from energia_plugins.meter_green_button.options import GreenButtonOptions
from energia_plugins.meter_green_button.types import ReadingType

#: So many readings wait at most for the end of their entry, or for a type that comes later.
MOST_HELD: Final = 1_000_000
#: An entry that waits takes as much room as so many readings.
_ENTRY: Final = 40
#: So many types a feed has at most, and so many characters the links of an entry, or those of the
#: feed that are kept.
MOST_TYPES: Final = 2_000
MOST_LINKED: Final = 100_000
MOST_KEPT: Final = 20_000_000

_HOST: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*")
_USAGE_POINT: Final = re.compile(r"(.*?\bUsagePoint/([^/]+))")
#: Stands in an array for no value.
_MISSING: Final = -(2**63)


def plain_link(href: str) -> str:
    """Return a link without its host and without slashes around it, to be compared."""
    return _HOST.sub("", href.strip(), count=1).strip("/")


@attrs.define
class Readings:
    """Readings as an entry has them: 40 bytes each, for they may be many.

    Attributes:
        columns: The line, the start, the length (0 for none), the value and the quality (-1 for
            none) of each, one after another.
        exact: Values with a decimal point, by the number of the reading.

    """

    columns: "array[int]" = attrs.Factory(lambda: array("q"))
    exact: dict[int, Decimal] = attrs.Factory(dict)

    def __len__(self) -> int:
        return len(self.columns) // 5

    def add(
        self, line: int, start: int, length: int, value: int | Decimal | None, quality: int
    ) -> None:
        """Take in one reading."""
        if isinstance(value, Decimal):
            self.exact[len(self)] = value
            value = 0
        number = _MISSING if value is None else value
        self.columns.extend((line, start, length, number, quality))

    def _exact(self, index: int, number: int) -> Decimal:
        return self.exact.get(index, Decimal(number))

    def of(
        self, type_: ReadingType, meter: str | None, channel: str | None
    ) -> Iterator[Reading | Problem]:
        """Yield them as readings of a type."""
        unit, default, interval = type_.unit, type_.quality, type_.interval
        scale, about = Decimal(1).scaleb(type_.power), type_.about
        for index, (line, start, length, number, quality) in enumerate(
            zip(*[iter(self.columns)] * 5, strict=True)
        ):
            seconds = length or interval
            if seconds is not None and seconds <= 0:
                yield Problem(line, "wrong_interval", "the duration is not above 0")
                continue
            value: Decimal | None = None
            if number != _MISSING:
                value = number * scale if not self.exact else self._exact(index, number) * scale
            end = None if seconds is None else start + seconds
            code = default if quality < 0 else quality
            yield Reading(line, value, start, end, code, meter, channel, unit, about)

    def reads_of(
        self, type_: ReadingType, meter: str | None, channel: str | None
    ) -> Iterator[MeterRead | Problem]:
        """Yield them as reads of a register of a type."""
        scale = Decimal(1).scaleb(type_.power)
        for index, (line, start, length, number, quality) in enumerate(
            zip(*[iter(self.columns)] * 5, strict=True)
        ):
            if length:
                message = "a read of a register has a duration: it does not say when it was taken"
                yield Problem(line, "ambiguous_time", message)
            elif number == _MISSING:
                yield Problem(line, "missing_value", "a read of a register has a value")
            else:
                value = self._exact(index, number) * scale
                code = type_.quality if quality < 0 else quality
                names = (meter, channel, type_.unit)
                yield MeterRead(line, value, start, code, *names, about=type_.about)


@attrs.define
class Entry:
    """What is in one entry of the feed, or in a document without entries.

    Attributes:
        own: The links to itself and up.
        related: The links to others.
        has_meter_reading: Whether it is about a MeterReading.
        has_usage_point: Whether it is about a UsagePoint.
        types: The types in it.
        readings: The readings in it.
        line: Where its first reading is.
        linked: How many characters its links have.

    """

    own: list[str] = attrs.Factory(list)
    related: list[str] = attrs.Factory(list)
    has_meter_reading: bool = False
    has_usage_point: bool = False
    types: list[ReadingType] = attrs.Factory(list)
    readings: Readings = attrs.Factory(Readings)
    line: int = 0
    linked: int = 0

    def link(self, rel: str, href: str) -> None:
        """Take in a link; raises `Malformed` for too many of them."""
        links = self.related if rel == "related" else self.own
        if rel in ("self", "up", "related"):
            self.linked += 100 + len(href)
            links.append(plain_link(href))
        if self.linked > MOST_LINKED:
            raise Malformed(f"the links of an entry have more than {MOST_LINKED} characters")


@attrs.define
class Feed:
    """What a feed has told so far.

    Attributes:
        names: Turn its names into ours.
        options: What the client says.
        found: Readings and problems that are ready to be given; readings are made as they are.

    """

    names: Names
    options: GreenButtonOptions
    found: list[Iterable[Item]] = attrs.Factory(list)
    _types: dict[str, list[ReadingType]] = attrs.Factory(dict)
    _used: set[str] = attrs.Factory(set)
    _every_type: list[ReadingType] = attrs.Factory(list)
    _meter_readings: dict[str, tuple[str, ...]] = attrs.Factory(dict)
    _blocks: dict[str, str] = attrs.Factory(dict)
    _usage_points: dict[str, None] = attrs.Factory(dict)
    _paths: dict[str, str] = attrs.Factory(dict)
    _waiting: list[Entry] = attrs.Factory(list)
    _held: int = 0
    _kept: int = 0

    def close(self, entry: Entry) -> None:
        """Take in an entry that is whole; raises `Malformed` where too much has to wait."""
        if entry.types or entry.has_meter_reading or entry.has_usage_point:
            self._keep(entry)
        if not entry.readings:
            return
        if type_ := self._linked(entry):
            self._give(entry, type_)
            return
        self._held += len(entry.readings) + _ENTRY
        if self._held > MOST_HELD:
            raise Malformed(
                f"line {entry.line}: more than {MOST_HELD} readings have no type before them"
            )
        self._waiting.append(entry)

    def _keep(self, entry: Entry) -> None:
        """Note what others may be linked to; raises `Malformed` for too much of it."""
        self._kept += entry.linked
        if self._kept > MOST_KEPT:
            raise Malformed(f"the links of the feed have more than {MOST_KEPT} characters")
        self._note_types(entry)
        self._note_meter_reading(entry)
        if entry.has_usage_point:
            self._usage_points.update(dict.fromkeys(filter(None, map(_point_of, entry.own))))

    def finish(self) -> None:
        """Give the readings that have waited for their type, or say that there is none."""
        for entry in self._waiting:
            type_ = self._linked(entry) or self._only(entry)
            if type_ is not None:
                self._give(entry, type_)
            else:
                self.found.append([self._typeless(entry)])

    def _note_types(self, entry: Entry) -> None:
        for type_ in entry.types:
            if type_ not in self._every_type:
                self._every_type.append(type_)
            for link in entry.own:
                self._define(link, type_)
        if len(self._every_type) > MOST_TYPES:
            raise Malformed(f"the feed has more than {MOST_TYPES} types of readings")

    def _define(self, link: str, type_: ReadingType) -> None:
        """Note a type of a link; some feeds give one link several."""
        if link.endswith("/ReadingType") or link == "ReadingType":
            return  # of all types: the link up
        types = self._types.setdefault(link, [])
        if type_ in types:
            return
        types.append(type_)
        if link in self._used and len(self._fitting(types)) > 1:
            message = f"the type {link[-60:]!r} was another one for the readings before it"
            self.found.append([Problem(type_.line, "repeated_type", message)])

    def _note_meter_reading(self, entry: Entry) -> None:
        if not entry.has_meter_reading:
            return
        for link in entry.own:
            if not link.endswith("MeterReading"):
                self._meter_readings[link] = (*entry.related, *self._meter_readings.get(link, ()))
                for related in entry.related:
                    if "IntervalBlock" in related:
                        self._blocks[related] = link

    @property
    def _lightly(self) -> bool:
        return self.options.accumulation == "interval"

    def _linked(self, entry: Entry) -> ReadingType | None:
        """Return the type that an entry has in itself, or is linked to."""
        if len(within := self._fitting(entry.types)) == 1:
            return within[0]
        known = [link for link in self._links(entry) if link in self._types]
        found = self._fitting([type_ for link in known for type_ in self._types[link]])
        if len(found) != 1:
            return None
        self._used.update(known)
        return found[0]

    def _links(self, entry: Entry) -> list[str]:
        """Return what an entry is related to, by itself and by the MeterReading above it."""
        above = [link.partition("/IntervalBlock")[0] for link in entry.own]
        above += [self._blocks[link] for link in entry.own if link in self._blocks]
        return [
            *entry.related,
            *(link for each in above for link in self._meter_readings.get(each, ())),
        ]

    def _fitting(self, types: list[ReadingType]) -> list[ReadingType]:
        """Return the types that differ; those of intervals, where others are of registers."""
        different = list(dict.fromkeys(types))
        of_intervals = [each for each in different if each.is_of_intervals(self._lightly)]
        return of_intervals or different

    def _only(self, entry: Entry) -> ReadingType | None:
        """Return the only type of the feed; of a feed without any, what the client says.

        But none where the readings are linked to a type of another name, which is not in the feed.
        """
        if not self._every_type and self.options.unit is not None:
            return ReadingType(0, self.options.unit, self.options.power_of_ten)
        wanted = {_name_of(link) for link in self._links(entry) if "ReadingType/" in link}
        known = {_name_of(link) for link in self._types}
        fitting = self._fitting(self._every_type)
        is_told = not wanted or not known or wanted & known
        return fitting[0] if len(fitting) == 1 and is_told else None

    def _typeless(self, entry: Entry) -> Problem:
        if self._every_type:
            message = (
                f"the feed has {len(self._every_type)} types of readings, and does not tell "
                "which one these have"
            )
        else:
            message = "the feed has no type of readings: say unit=Wh, and power_of_ten where needed"
        return Problem(entry.line, "unknown_type", message)

    def _give(self, entry: Entry, type_: ReadingType) -> None:
        """Give the readings of an entry, or say why they are none."""
        if type_.unit is None and self.options.unit is None:
            message = "the type of the readings has no uom: say the unit"
            self.found.append([Problem(entry.line, "unknown_type", message)])
            return
        if type_.unit is None:
            type_ = attrs.evolve(type_, unit=self.options.unit)
        meter = self._meter_of(entry)
        if meter is not None and self._is_another(entry, meter):
            return
        ours = self.names.ours(meter, type_.channel, entry.line)
        if ours is None:
            return
        if type_.is_of_intervals(self._lightly):
            self.found.append(entry.readings.of(type_, *ours))
        elif type_.is_register:
            self.found.append(entry.readings.reads_of(type_, *ours))
        else:
            message = f"values of accumulationBehaviour {type_.accumulation} are no quantities"
            self.found.append([Problem(entry.line, "not_supported", message)])

    def _meter_of(self, entry: Entry) -> str | None:
        """Return the name of the usage point of readings, if it is told."""
        above = [self._blocks[link] for link in entry.own if link in self._blocks]
        for link in (*entry.own, *above):
            if point := _point_of(link):
                return point
        return next(iter(self._usage_points)) if len(self._usage_points) == 1 else None

    def _is_another(self, entry: Entry, meter: str) -> bool:
        """Whether another usage point has the same name, and say so."""
        for link in entry.own:
            if found := _USAGE_POINT.match(link):
                path = self._paths.setdefault(meter, found[1])
                if path != found[1]:
                    message = f"{path[-80:]!r} and {found[1][-80:]!r} are two meters of one name"
                    self.found.append([Problem(entry.line, "several_meters", message)])
                    return True
        return False


def _name_of(link: str) -> str:
    return link.rpartition("/")[2]


def _point_of(link: str) -> str | None:
    found = _USAGE_POINT.match(link)
    return found[2] if found else None
