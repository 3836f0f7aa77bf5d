"""What bodies hold of registers and of irregular channels, as what is stored of it."""

from datetime import datetime

from energia.convert.scalars import Unfit
from energia.errors import Fault
from energia.metering.counters import register_value
from energia.metering.models import Channel, NewRead, NewStretch
from energia.metering.reads import SentRead, SentStretch
from energia.metering.series import MISSING, QUALITIES
from energia.metering.stretches import Read, Stretch
from energia.metering.validation import FIRST, LAST, Directory, Refusal, with_unit
from energia.time import Moment, Zone
from energia.units import BadNumber, to_micro


def _instant(moment: Moment, zone: Zone) -> int:
    if isinstance(moment, datetime) and moment.microsecond:
        raise Unfit("off_grid", "the time is not on a whole second")
    instant = zone.boundary(moment)
    if isinstance(moment, datetime) and not FIRST <= instant <= LAST:
        raise Unfit("out_of_range", "the years are 1900 to 2199")
    return instant


def _channel(directory: Directory, meter: str, channel: str | None, kind: str) -> Channel:
    index = directory.found(meter, channel)
    if isinstance(index, Refusal):
        raise Unfit(index.code, index.message)
    found = directory.channels[index]
    if found.kind != kind:
        raise Unfit("wrong_kind", f"the channel {found.id} is of kind {found.kind}, not {kind}")
    return found


def sent_read(directory: Directory, meter: str, zone: Zone, new: NewRead, place: Fault) -> SentRead:
    """Return a read as it is stored; raises `Unfit`."""
    channel = _channel(directory, meter, new.channel, "register")
    value = register_value(channel, new.value, new.unit)
    quality, instant = QUALITIES.index(new.quality), _instant(new.at, zone)
    return SentRead(channel, Read(instant, value, quality, new.kind, new.equipment), place)


def sent_stretch(
    directory: Directory, meter: str, zone: Zone, new: NewStretch, place: Fault
) -> SentStretch:
    """Return a stretch as it is stored; raises `Unfit`."""
    channel = _channel(directory, meter, new.channel, "irregular")
    target = with_unit(0, channel, new.unit)
    if isinstance(target, Refusal):
        raise Unfit(target.code, target.message)
    start, end = _instant(new.start, zone), _instant(new.end, zone)
    if new.value is None:
        return SentStretch(channel, Stretch(start, end, MISSING, 0), place)
    try:
        micro = to_micro(new.value, target.factor)
    except BadNumber as error:
        raise Unfit(error.code, str(error)) from None
    above = abs(micro) > channel.most(end - start)
    quality = QUALITIES.index("questionable" if above else new.quality)
    return SentStretch(channel, Stretch(start, end, micro, quality), place)
