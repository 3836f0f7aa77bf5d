"""What a message says: reads of channels, by paths that the settings state."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any, Final

import attrs
import msgspec
import numpy as np

from energia import Unfit
from energia.convert.repeats import has_repeats
from energia.convert.scalars import decimal
from energia.time import DAY, HOUR, Instant, Zone, instant_of
from energia_plugins.meter_mqtt.settings import INTERVAL, WATT_MINUTE, Times, Topic

#: A clock that is so far ahead of ours, or behind it, is not set.
_AHEAD: Final = HOUR
_BEHIND: Final = 400 * DAY
#: A counter may be read so long after the end of a slot, where nothing is said: Tasmota tells one
#: every five minutes.
_TOLERANCE: Final = 300
_LONGEST: Final = 256 * 1024
#: Stands for what is nowhere in a message.
_ABSENT: Final = object()
_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)
_MILLI: Final = Decimal("0.001")
#: Sums and quotients of numbers that have 30 digits on either side of the point.
_EXACT: Final = Context(prec=90)
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: So much of a text is told, and so much is kept.
_SHORT: Final = 40
_LONGEST_TEXT: Final = 200


@attrs.frozen
class Message:
    """A message of the broker.

    Attributes:
        topic: Its topic.
        payload: What it says.
        arrived: When it came.
        is_again: Whether the broker says that it has sent it before.
        number: By which it is acknowledged; 0 where it is not.

    """

    topic: str
    payload: bytes
    arrived: Instant
    is_again: bool = False
    number: int = 0


@attrs.frozen
class Read:
    """The value of one channel in a message.

    Attributes:
        meter: The meter.
        channel: The channel.
        value: The number as it is written; None where it is null.
        unit: Its unit, or None for the channel's.
        instant: The time of the message.
        equipment: What counted it.

    """

    meter: str
    channel: str
    value: Decimal | None
    unit: str | None
    instant: Instant
    equipment: str = ""


class MessageMapping:
    """Reads messages as one entry of `topics` says."""

    def __init__(self, topic: Topic) -> None:
        topic = topic.whole()
        self._topic = topic
        self.filter = topic.topic or ""
        self.is_counter = topic.counter is not False
        self.keeps_reads = topic.reads is True
        self.interval = int((topic.interval or INTERVAL).total_seconds())
        self.tolerance = (
            min(_TOLERANCE, self.interval - 1)
            if topic.tolerance is None
            else int(topic.tolerance.total_seconds())
        )
        self.ends_slot = topic.stamp != "start"
        self._meter = _template(topic.meter or "")
        self._unit = None if topic.unit is None else _template(topic.unit)
        self._values = [(channel, _names(path)) for channel, path in (topic.values or {}).items()]
        self._equipment = None if topic.equipment is None else _names(topic.equipment)
        self._meters = topic.meters or {}
        self._time = _time_of(topic)

    @property
    def is_timed(self) -> bool:
        """Whether messages say their time: one that comes late then loses nothing."""
        return self._time is not None

    def reads(self, message: Message, document: Any) -> Iterator[Read]:
        """Yield what *message* says; raises `Unfit`."""
        found = [
            (channel, value)
            for channel, names in self._values
            if (value := _at(document, names)) is not _ABSENT
        ]
        if not found:
            if self._topic.others != "pass":
                paths = ", ".join((self._topic.values or {}).values())
                raise Unfit("no_value", f"there is nothing at {paths}")
            return
        levels = message.topic.split("/")
        meter = self._meter_of(levels, document)
        unit = None if self._unit is None else self._unit(levels, document)
        instant = self._instant(message, document)
        equipment = "" if self._equipment is None else _text(document, self._equipment)
        for channel, value in found:
            number, size = _in_table(self._number(value), unit)
            yield Read(meter, channel, number, size, instant, equipment)

    def _meter_of(self, levels: Sequence[str], document: Any) -> str:
        """Return the meter that a message is of; raises `Unfit` for a name that is none of ours."""
        name = self._meter(levels, document)
        meter = self._meters.get(name, name)
        if not _ID.fullmatch(meter):
            raise Unfit("unknown_meter", f"{name[:_SHORT]!r} is no id of a meter: see `meters`")
        return meter

    def _instant(self, message: Message, document: Any) -> Instant:
        """Return when a message is of."""
        if self._time is None:
            return message.arrived
        instant = self._time(document)
        if not message.arrived - _BEHIND <= instant <= message.arrived + _AHEAD:
            text = datetime.fromtimestamp(message.arrived, UTC).isoformat()
            raise Unfit("clock_fault", f"the time is far from that of the arrival, {text}")
        if instant != int(instant) and not self.is_counter:
            raise Unfit("off_grid", "the time must be on a whole second")
        return int(instant)

    def _number(self, value: Any) -> Decimal | None:
        if value is None:
            return None
        several = list(value.values()) if isinstance(value, Mapping) else value
        if not isinstance(several, list):
            return decimal(value)
        if not self._topic.sum:
            raise Unfit(
                "several_values", f"there are {len(several)} values: name one, or say `sum`"
            )
        return reduce(_EXACT.add, map(decimal, several), Decimal(0))


def document_of(message: Message) -> Any:
    """Return the JSON of a message; raises `Unfit`."""
    if len(message.payload) > _LONGEST:
        raise Unfit("too_large", f"it has over {_LONGEST} bytes")
    try:
        document = _JSON.decode(message.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unfit("not_json", f"not JSON: {str(error) or 'nested too deeply'}") from None
    if isinstance(document, Mapping | list) and has_repeats(message.payload, document):
        raise Unfit("repeated_field", "it has a field more than once")
    return document


# Places in a message.


def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def _at(document: Any, names: Sequence[str]) -> Any:
    """Return what is at a path; `_ABSENT` where there is no such place."""
    for name in names:
        if isinstance(document, Mapping):
            document = document.get(name, _ABSENT)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return _ABSENT
    return document


def _text(document: Any, names: Sequence[str]) -> str:
    """Return the text or the number at a path; empty where there is neither."""
    value = _at(document, names)
    text = str(value) if isinstance(value, str | int | Decimal) else ""
    if "\0" in text:
        raise Unfit("bad_character", "a text has a character that cannot be stored")
    return text[:_LONGEST_TEXT]


#: Returns a text, given the levels of a topic and a document.
_Filled = Callable[[Sequence[str], Any], str]


def _template(text: str) -> _Filled:
    """Return what fills the places of a template; raises `Unfit` where there is nothing."""
    pieces = [piece.partition("}") for piece in text.split("{")]
    head = pieces[0][0]
    places = [(place, rest) for place, _, rest in pieces[1:]]

    def filled(levels: Sequence[str], document: Any) -> str:
        texts = [head]
        for place, rest in places:
            texts += (_placed(place, levels, document), rest)
        return "".join(texts)

    return filled


def _placed(place: str, levels: Sequence[str], document: Any) -> str:
    if place.isdigit():
        found = levels[int(place) - 1] if 0 < int(place) <= len(levels) else ""
    else:
        found = _text(document, _names(place))
    if not found:
        raise Unfit("no_name", f"there is nothing at {{{place}}}")
    return found


# Times and units.


def _time_of(topic: Topic) -> "Callable[[Any], Fraction | int] | None":
    """Return what reads the time of a document, or None where its arrival is its time.

    A preset whose times are local does without them where no zone is said.
    """
    if topic.time is None or (topic.times == "local" and topic.timezone is None):
        return None
    names, times, zone = _names(topic.time), topic.times or "iso", topic.timezone or "UTC"

    def instant(document: Any) -> Fraction | int:
        value = _at(document, names)
        if value is _ABSENT or value is None:
            raise Unfit("no_time", f"there is no time at {topic.time!r}")
        return _instant_of(value, times, zone)

    return instant


def _instant_of(value: Any, times: Times, zone: str) -> Fraction | int:
    if times == "epoch":
        return Fraction(decimal(value))
    if times == "epoch_ms":
        return Fraction(decimal(value)) / 1000
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        raise Unfit("not_a_time", f"{str(value)[:40]!r} is not a time") from None
    part = Fraction(moment.microsecond, 1_000_000)
    if times == "local":
        if moment.tzinfo is not None:
            raise Unfit("not_a_time", f"{value!r} has an offset, and local times have none")
        return _local(instant_of(moment.replace(tzinfo=UTC)), zone) + part
    if moment.tzinfo is None:
        raise Unfit("naive_time", "the time has no offset from UTC: say `times` and `timezone`")
    return instant_of(moment) + part


@lru_cache(maxsize=1024)
def _local(seconds: int, zone: str) -> Instant:
    """Return the instant of a local time; raises `Unfit` for one that comes twice, or never."""
    earlier, later, absent = Zone.named(zone).instants(np.array([seconds], np.int64))
    if absent[0]:
        raise Unfit("no_such_time", f"the time does not exist in {zone}")
    if earlier[0] != later[0]:
        raise Unfit("ambiguous_time", f"the time comes twice in {zone}: let the device tell UTC")
    return int(earlier[0])


def _in_table(value: Decimal | None, unit: str | None) -> tuple[Decimal | None, str | None]:
    """Return a value in a unit of the table: watt-minutes as Wh, to the micro-unit of a kWh.

    It is the counter that is rounded, not what is used in a slot: nothing is lost from one slot to
    the next.
    """
    if unit != WATT_MINUTE:
        return value, unit
    if value is None:
        return None, "Wh"
    return _EXACT.quantize(_EXACT.divide(value, Decimal(60)), _MILLI), "Wh"
