"""Meters and channels that a file names and that are made on request, as the file describes them.

A channel needs a quantity, a direction, a unit and, if it is no register, an interval. What the
file does not say of it, or says in two ways, is not made up: the channel is not made, and a problem
says what is missing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import attrs

from energia.convert import structure
from energia.db.tenant import Queries
from energia.errors import Fault, Invalid, NotFound
from energia.metering import registry
from energia.metering.decoders import Defaults, Description, MeterRead, Reading, Run
from energia.metering.models import NewChannel, NewMeter
from energia.metering.outcome import Problems
from energia.time import length_text
from energia.units import UnknownUnit, unit

#: How many channels are made by one import, at most.
MOST: Final = 2000


@attrs.define
class NamedChannel:
    """A channel that a file names.

    Attributes:
        line: Where it is first.
        about: What it measures, if the file says it.
        units: The units of its readings.
        intervals: The lengths of its slots, in seconds; None for readings that tell none.
        is_register: Whether the file has reads of a register, and no quantities.

    """

    line: int
    about: Description | None
    units: set[str | None] = attrs.Factory(set)
    intervals: set[int | None] = attrs.Factory(set)
    is_register: bool = True

    def take(self, item: Reading | Run | MeterRead) -> None:
        """Take in what an item says."""
        self.about = self.about or item.about
        self.units.add(item.unit)
        if isinstance(item, MeterRead):
            return
        self.is_register = False
        if isinstance(item, Run):
            self.intervals.add(item.interval)
        elif item.start is None or item.end is None:
            self.intervals.add(None)
        else:
            self.intervals.add(item.end - item.start)

    @property
    def lacks(self) -> list[str]:
        """What the file does not say of it, or says in two ways."""
        about = self.about or Description()
        known = {
            "quantity": about.quantity,
            "direction": about.direction,
            "unit": _only(self.units),
            "interval": self.is_register or _only(self.intervals),
        }
        return [name for name, said in known.items() if said is None]

    def declared(self, id_: str) -> NewChannel:
        """Return the channel to be made, of which nothing lacks; raises `Invalid`."""
        assert self.about is not None
        return structure(
            {
                "id": id_,
                "quantity": self.about.quantity,
                "direction": self.about.direction,
                "unit": _unit_named(str(_only(self.units))),
                **({"kind": "register"} if self.is_register else {"interval": self._interval}),
            },
            NewChannel,
        )

    @property
    def _interval(self) -> str:
        return length_text(int(_only(self.intervals) or 0))


def _only(said: "set[str | None] | set[int | None]") -> str | int | None:
    return next(iter(said)) if len(said) == 1 else None


def _unit_named(name: str) -> str:
    """Return a unit as it is written here; files fold the case of some (KWH)."""
    try:
        return unit(name).name
    except UnknownUnit:
        return name


@attrs.define
class NamedChannels:
    """The channels that a file names, and what it says of them.

    Attributes:
        site: Where meters are made.
        channels: By meter and id; those without an id cannot be made.

    """

    site: str
    channels: dict[tuple[str, str | None], NamedChannel] = attrs.Factory(dict)

    def note(self, items: Iterable[Reading | Run | MeterRead], defaults: Defaults) -> None:
        """Note what some items say; raises `Invalid` for more than `MOST` channels."""
        for item in items:
            key = item.meter or defaults.meter or "", item.channel or defaults.channel
            if key not in self.channels:
                if len(self.channels) == MOST:
                    message = f"more than {MOST} channels are not made by one import"
                    raise Invalid.of("too_many_channels", message)
                self.channels[key] = NamedChannel(item.line, item.about)
            self.channels[key].take(item)

    async def make(self, queries: Queries, now: datetime, problems: Problems) -> tuple[str, ...]:
        """Make those that do not exist, within a transaction; note why others are not.

        Returns:
            What was made: `meter/channel`.

        Raises:
            Invalid: There is no such site.

        """
        try:
            await registry.site(queries, self.site)
        except NotFound as error:
            raise Invalid.of("unknown_site", error.detail, "/query/site") from None
        stored = await registry.channels_of(queries, {meter for meter, _ in self.channels})
        made: list[str] = []
        for meter in sorted(stored):
            known = {channel.id for channel in stored[meter]}
            new = self._new(meter, known, problems)
            if new:
                await self._put(queries, meter, new, now)
                made += [f"{meter}/{channel.id}" for channel in new]
        return tuple(made)

    def _new(self, meter: str, known: set[str], problems: Problems) -> list[NewChannel]:
        """Return the channels of a meter that are to be made."""
        wanted: Mapping[str | None, NamedChannel] = {
            channel: named for (of, channel), named in self.channels.items() if of == meter
        }
        new = []
        for id_, named in wanted.items():
            if id_ in known or (id_ is None and known):
                continue
            told = f"{meter[:64]}/{id_}" if id_ is not None else f"of the meter {meter[:64]!r}"
            lacks = [*(["name"] if id_ is None else []), *named.lacks]
            try:
                if id_ is not None and not lacks:
                    new.append(named.declared(id_))
                    continue
                message = f"the file does not say, or not once, its {', '.join(lacks)}"
            except Invalid as error:
                message = error.faults[0].message if error.faults else error.detail
            fault = f"the channel {told} cannot be made: {message}"
            problems.add(Fault("not_described", fault, line=named.line), 0)
        return new

    async def _put(
        self, queries: Queries, meter: str, new: list[NewChannel], now: datetime
    ) -> None:
        """Make a meter with some channels, or add them to the one that there is."""
        try:
            found = await registry.meter(queries, meter)
            body = NewMeter(found.site, (*found.channels, *new), found.name, found.serial)
        except NotFound:
            body = NewMeter(self.site, tuple(new))
        await registry.write_meter(queries, meter, body, now)
