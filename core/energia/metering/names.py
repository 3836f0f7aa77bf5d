"""The names in a file of a source that knows nothing of ours: whose readings they are.

An Australian file names NMIs and suffixes, a German one metering points and OBIS codes. They are
taken as ids of ours, unless the options of the import say what they stand for: `meter` and
`channel` for the only ones of the file, `meters` and `channels` name by name.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Self

import attrs
from msgspec import Meta

from energia.convert import Id
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.errors import Fault, Invalid

#: The most channels that one file may name: a file of nothing but names does not fill the memory.
MOST: Final = 100_000
#: Stands for no channel and no meter of ours: the readings are left out.
LEFT_OUT: Final = "-"


def _pairs(text: str) -> dict[str, str]:
    """Return the names of a file with ours: after the last colon of each; raises `Unfit`."""
    pairs: dict[str, str] = {}
    for pair in text.split(","):
        name, colon, ours = (part.strip() for part in pair.rpartition(":"))
        if not (name and colon and ours) or name in pairs:
            message = "expected THEIRS:OURS,THEIRS:OURS, each name once, such as E1:import,B1:-"
            raise Unfit("bad_names", message)
        pairs[name] = ours
    return pairs


def _check(text: str) -> None:
    _pairs(text)


#: Names of a file, and ours.
NameMap = Annotated[
    str, Meta(max_length=100_000, examples=["E1:import,B1:export,Q1:-"]), Check(_check)
]


@attrs.frozen
class NameOptions:
    """What the options of a format have whose files name meters and channels in their own words.

    Attributes:
        meter: Our meter, where the file has one only.
        channel: Our channel, where the file has one only.
        meters: The file's names of meters, each with ours: `6305131234:UC-1,6305135678:UC-2`.
        channels: The file's names of channels, each with ours, or with `-` for one that is left
            out: `E1:import,B1:export,Q1:-`.

    """

    meter: Id | None = None
    channel: Id | None = None
    meters: NameMap | None = None
    channels: NameMap | None = None


@attrs.define
class _Names:
    """The names of one sort in a file.

    Attributes:
        sort: `meter` or `channel`.
        given: Ours for the only one of the file, if the import says one.
        mapped: Ours, by the file's.
        first: The name that *given* stands for, once it is known.

    """

    sort: str
    given: str | None
    mapped: Mapping[str, str]
    first: str | None = None

    def ours(self, name: str | None, line: int) -> str | None:
        """Return our name; raises `Invalid` for a second one where one was given."""
        if name is None or name in self.mapped:
            return self.given if name is None else self.mapped[name]
        if self.given is None:
            return name
        if self.first is None:
            self.first = name
        if self.first != name:
            raise self._several(name, line)
        return self.given

    def _several(self, name: str, line: int) -> Invalid:
        both = self.first, name
        option = ",".join(f"{one}:..." for one in both)
        message = (
            f"line {line}: the file has the {self.sort}s {both[0]!r} and {both[1]!r}; "
            f"one {self.sort} does not tell them apart: say {self.sort}s={option}"
        )
        fault = Fault(f"several_{self.sort}s", message, f"/query/{self.sort}", line=line)
        return Invalid(message, [fault])


@attrs.define
class Names:
    """Turns the names of one file into ours, as the import says."""

    _meters: _Names
    _channels: _Names
    _known: dict[tuple[str | None, str | None], tuple[str | None, str | None] | None] = (
        attrs.Factory(dict)
    )
    _taken: dict[tuple[str | None, str | None], tuple[str | None, str | None]] = attrs.Factory(dict)

    @classmethod
    def of(cls, options: NameOptions) -> Self:
        """Return what turns the names of a file that has not begun."""
        return cls(
            _Names("meter", options.meter, _pairs(options.meters) if options.meters else {}),
            _Names(
                "channel", options.channel, _pairs(options.channels) if options.channels else {}
            ),
        )

    def knows(self, meter: str | None) -> bool:
        """Whether the import names a meter of the file in its option `meters`."""
        return meter in self._meters.mapped

    def ours(
        self, meter: str | None, channel: str | None, line: int
    ) -> tuple[str | None, str | None] | None:
        """Return our meter and channel, or None where the readings are to be left out.

        Raises:
            Invalid: One meter, or one channel, was given for a file that names several; two names
                stand for one channel, so that each would replace the other's readings; or there
                are more than `MOST`.

        """
        if (meter, channel) not in self._known:
            if len(self._known) >= MOST:
                message = f"line {line}: the file names more than {MOST} channels: split it"
                raise Invalid.of("too_many_channels", message)
            both = self._meters.ours(meter, line), self._channels_of(meter, channel, line)
            self._known[meter, channel] = None if LEFT_OUT in both else both
            if LEFT_OUT not in both:
                self._take(both, (meter, channel), line)
        return self._known[meter, channel]

    def _take(
        self, ours: tuple[str | None, str | None], names: tuple[str | None, str | None], line: int
    ) -> None:
        """Note what stands for a channel of ours; raises `Invalid` for a second one."""
        first = self._taken.setdefault(ours, names)
        if first != names:
            told, second = (" ".join(map(str, filter(None, each))) for each in (first, names))
            message = (
                f"line {line}: {told!r} and {second!r} of the file both stand for "
                f"{' '.join(map(str, filter(None, ours)))!r}: leave one of them out"
            )
            fault = Fault("several_channels", message, "/query/channels", line=line)
            raise Invalid(message, [fault])

    def _channels_of(self, meter: str | None, channel: str | None, line: int) -> str | None:
        """Return our channel, which nobody asks for where the meter is left out."""
        if meter is not None and self._meters.mapped.get(meter) == LEFT_OUT:
            return LEFT_OUT
        return self._channels.ours(channel, line)
