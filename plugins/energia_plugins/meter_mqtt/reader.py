"""Messages as readings: those of slots as they are, those of counters by their registers."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import (
    ACTUAL,
    QUALITIES,
    MeterRead,
    Problem,
    Reading,
    Register,
    RegisterFault,
    RegisterRead,
    Unfit,
)
from energia.time import Instant, slot_of
from energia_plugins.meter_mqtt.mapping import Message, MessageMapping, Read, document_of

DERIVED: Final = QUALITIES.index("derived")
#: Of so many counters what they showed last is kept.
_MOST: Final = 100_000
#: So much of a topic is told.
_LONGEST: Final = 100
#: Of so many topics it is remembered which mappings they fit.
_REMEMBERED: Final = 10_000


@attrs.define
class Batch:
    """What some messages came to.

    Attributes:
        readings: By meter, channel and time: of several of one slot the last one stands.
        problems: What could not be read.
        state: The counters that have changed, by their names in the state.

    """

    readings: dict[tuple[str, str, Instant], Reading | MeterRead] = attrs.field(factory=dict)
    problems: list[Problem] = attrs.field(factory=list)
    state: dict[str, Any] = attrs.field(factory=dict)

    @property
    def items(self) -> list[Reading | MeterRead | Problem]:
        """The readings and the problems."""
        return [*self.readings.values(), *self.problems]

    def refuse(self, line: int, message: Message, fault: Unfit) -> None:
        """Note why the message at *line* of the batch is no reading."""
        text = f"{message.topic[:_LONGEST]}: {fault.message}"
        self.problems.append(Problem(line, fault.code, text))

    def add(self, line: int, read: Read, slot: tuple[Instant, Instant], value: Decimal) -> None:
        """Add what a counter counted from one instant to another."""
        start, end = slot
        names = read.meter, read.channel
        self.readings[*names, start] = Reading(line, value, start, end, DERIVED, *names, read.unit)

    def keep(self, line: int, read: Read, value: Decimal) -> None:
        """Add what a counter showed."""
        names = read.meter, read.channel
        self.readings[*names, read.instant] = MeterRead(
            *(line, value, read.instant, ACTUAL),
            *(*names, read.unit),
            equipment=read.equipment or None,
        )


class Reader:
    """Reads messages in their order, and remembers what counters showed."""

    def __init__(self, mappings: Iterable[MessageMapping], state: Mapping[str, Any]) -> None:
        """Begin from a *state*: what batches told of counters."""
        self._mappings = list(mappings)
        self._state = state
        self._registers: dict[str, Register] = {}
        self._instants: dict[str, Instant] = {}
        self._silent: set[str] = set()
        self._fitting: dict[str, list[MessageMapping]] = {}

    def read(self, messages: Iterable[Message]) -> Batch:
        """Return what messages say; takes no exception."""
        batch = Batch()
        for line, message in enumerate(messages, start=1):
            try:
                mappings = self._of(message.topic)
                document = document_of(message) if mappings else None
            except Unfit as fault:
                batch.refuse(line, message, fault)
                continue
            for mapping in mappings:
                try:
                    self._take(line, message, document, mapping, batch)
                except Unfit as fault:
                    batch.refuse(line, message, fault)
                except Exception as error:  # it would come again, and hold up those behind it
                    unknown = Unfit("unreadable", f"{type(error).__name__}: {error}")
                    batch.refuse(line, message, unknown)
        return batch

    def _of(self, topic: str) -> list[MessageMapping]:
        """Return the mappings that a topic fits."""
        found = self._fitting.get(topic)
        if found is None:
            levels = topic.split("/")
            found = [each for each in self._mappings if fits(levels, each.filter.split("/"))]
            if len(self._fitting) < _REMEMBERED:
                self._fitting[topic] = found
        return found

    def _take(
        self, line: int, message: Message, document: Any, mapping: MessageMapping, batch: Batch
    ) -> None:
        """Add what a message says under one mapping; raises `Unfit`."""
        for read in mapping.reads(message, document):
            if mapping.is_counter:
                self._count(line, message, mapping, read, batch)
                continue
            start, end = slot_of(read.instant, None, end=mapping.ends_slot)
            names = read.meter, read.channel
            batch.readings[*names, read.instant] = Reading(
                line, read.value, start, end, ACTUAL, *names, read.unit
            )

    def _count(
        self, line: int, message: Message, mapping: MessageMapping, read: Read, batch: Batch
    ) -> None:
        """Add what a counter counted, if the read ends a slot; raises `RegisterFault`."""
        name = f"counter:{read.meter}/{read.channel}"
        register = self._register(name, mapping, read.unit)
        if read.value is None:
            return
        if not register.ends_slot(read.instant):
            self._tell_silent(name, register)
            return
        if message.is_again and read.instant <= self._instants.get(name, read.instant - 1):
            return  # it was counted, and its acknowledgement was lost
        counted = None
        try:
            counted = register.slot(RegisterRead(read.instant, read.value, read.equipment))
        except RegisterFault:
            if not mapping.keeps_reads:  # a channel of kind `register` judges its reads itself
                raise
        finally:
            self._instants[name] = read.instant
            batch.state[name] = _saved(mapping, read.unit, register)
        if not mapping.keeps_reads:
            if counted is not None:
                batch.add(line, read, (counted[0], counted[0] + mapping.interval), counted[1])
        elif register.state()["instant"] == read.instant:  # the first read of its slot
            batch.keep(line, read, read.value)

    def _register(self, name: str, mapping: MessageMapping, unit: str | None) -> Register:
        """Return a counter's register, which goes on from the state."""
        register = self._registers.get(name)
        if register is None:
            if len(self._registers) >= _MOST:
                raise Unfit("too_many", f"there are {_MOST} counters already")
            saved = self._state.get(name) or {}
            if (saved.get("interval"), saved.get("unit")) != (mapping.interval, unit):
                saved = {}
            register = Register.of(mapping.interval, mapping.tolerance, saved.get("register"))
            self._registers[name] = register
            if saved.get("register"):
                self._instants[name] = saved["register"]["instant"]
        return register

    def _tell_silent(self, name: str, register: Register) -> None:
        """Refuse, once, a counter of which no read is at the end of a slot; raises `Unfit`."""
        if register.is_silent and name not in self._silent:
            self._silent.add(name)
            raise Unfit("no_slot", "it is never read at the end of a slot: see `tolerance`")


def _saved(mapping: MessageMapping, unit: str | None, register: Register) -> dict[str, Any]:
    return {"interval": mapping.interval, "unit": unit, "register": register.state()}


def fits(levels: list[str], filter_: list[str]) -> bool:
    """Whether a topic fits a filter; topics of the broker's own (`$SYS`) fit no wildcard."""
    if levels[0].startswith("$") and filter_[0] in ("+", "#"):
        return False
    if filter_[-1] == "#":
        filter_ = filter_[:-1]
        levels = levels[: len(filter_)]
    return len(levels) == len(filter_) and all(
        wanted in ("+", level) for level, wanted in zip(levels, filter_, strict=True)
    )
