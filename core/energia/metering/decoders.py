"""Meter files: what a decoder is, and what it yields of a file.

This is what plugins that add a format implement (`register_decoders`); the names are public in
`energia`. A decoder only reads: which meter exists, whether an instant is on its grid and whether a
unit fits is found out afterwards, in `validation`, alike for every format.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar, Final, Protocol, Self, overload, runtime_checkable

import attrs
import numpy as np
import numpy.typing as npt

from energia.contract import HasSniff
from energia.errors import Invalid
from energia.metering.series import ACTUAL
from energia.metering.stretches import ReadKind
from energia.time import Int64, slot_of
from energia.units import GasHeat
from energia.work import noting

#: So many bytes of a file are shown to decoders, for one of them to recognize it.
HEAD: Final = 4096
#: The format of files of which the decoder is to be found.
AUTO: Final = "auto"


def reading_by(format_: str) -> AbstractContextManager[None]:
    """Read a file by a decoder; an error that nobody expected says in a note which one it was."""
    return noting(f"a file of the format {format_}")


@attrs.frozen
class Description:
    """What a channel of a file measures, as far as the file says it.

    By this a channel that does not exist can be made (`create_meters`).

    Attributes:
        quantity: Such as `active_energy`, as channels have it.
        direction: `import`, from the grid, or `export`.

    """

    quantity: str | None = None
    direction: str | None = None


# Not frozen, because one is made for each row of a file, and that takes a third of the time.
@attrs.define
class Reading:
    """One value of a file.

    Attributes:
        line: Where it is, counted from 1.
        value: The quantity of the slot as it is written, or None where it is missing.
        start: When the slot starts, in seconds since 1970-01-01T00:00Z; or None, and then
        end: when it ends. Where the file says both, give both: a channel whose slots have another
            length refuses the reading.
        quality: The code of the quality, an index of `QUALITIES`.
        meter: The meter's id, if the file names one.
        channel: The channel's id, if the file names one.
        unit: The unit, if the file or the client names one.
        about: What the channel measures, if the file says it.

    """

    line: int
    value: Decimal | None
    start: int | None = None
    end: int | None = None
    quality: int = ACTUAL
    meter: str | None = None
    channel: str | None = None
    unit: str | None = None
    about: Description | None = attrs.field(default=None, eq=False)


@attrs.define
class Run:
    """Values of consecutive slots, such as a row that holds a day; faster than as many `Reading`s.

    Attributes:
        line: Where they are, counted from 1.
        start: When the first slot starts, in seconds since 1970-01-01T00:00Z.
        interval: The length of a slot, in seconds; the channel's must be the same.
        values: The quantities as they are written, None where one is missing.
        quality: The code of the quality of all of them, or of each.
        meter: The meter's id, if the file names one.
        channel: The channel's id, if the file names one.
        unit: The unit, if the file or the client names one.
        published: When the source made them, in seconds since 1970-01-01T00:00Z, if it says so. Of
            runs of a file that have a meter, a channel and a start in common, the one that was
            made last stands, of equally late ones the last in the file; the others are
            `superseded`. Without it, a slot that comes again with another value is refused.
        about: What the channel measures, if the file says it.

    """

    line: int
    start: int
    interval: int
    values: Sequence[Decimal | None]
    quality: int | Sequence[int] = ACTUAL
    meter: str | None = None
    channel: str | None = None
    unit: str | None = None
    published: int | None = None
    about: Description | None = attrs.field(default=None, eq=False)

    def readings(self) -> Iterator[Reading]:
        """Yield them one by one."""
        each = self.quality
        qualities = [each] * len(self.values) if isinstance(each, int) else each
        names = self.meter, self.channel, self.unit
        for index, (value, quality) in enumerate(zip(self.values, qualities, strict=True)):
            start = self.start + index * self.interval
            yield Reading(self.line, value, start, start + self.interval, quality, *names)


@attrs.frozen(eq=False)
class Decimals(Sequence[Decimal | None]):
    """Decimal numbers of at most 15 digits, as whole numbers and where the point is in each.

    What `Readings.values` may be, so that no object is made of a number.

    Attributes:
        units: int64[n], the digits as whole numbers, with their signs: 1250 of 12.50.
        places: int8[n], how many of the digits are behind the point: 2 of 12.50. It is -1 where a
            number is missing.

    """

    units: Int64
    places: npt.NDArray[np.int8]

    @property
    def floats(self) -> npt.NDArray[np.float64]:
        """The nearest binary float of each number, NaN where it is missing.

        It is the nearest, as both the digits and the power of ten are exact as floats.
        """
        floats: npt.NDArray[np.float64] = self.units / _TENS[self.places]
        floats[self.places < 0] = np.nan
        return floats

    @classmethod
    def joined(cls, parts: "Sequence[Decimals]") -> Self:
        """Return the numbers of some parts, one part after the other."""
        units = np.concatenate([each.units for each in parts])
        return cls(units, np.concatenate([each.places for each in parts]))

    def __len__(self) -> int:
        return len(self.units)

    @overload
    def __getitem__(self, place: int) -> Decimal | None: ...

    @overload
    def __getitem__(self, place: slice) -> "Decimals": ...

    def __getitem__(self, place: int | slice) -> "Decimal | Decimals | None":
        if isinstance(place, slice):
            return Decimals(self.units[place], self.places[place])
        return _decimal(int(self.units[place]), int(self.places[place]))

    def __iter__(self) -> Iterator[Decimal | None]:
        return map(_decimal, self.units.tolist(), self.places.tolist())


def _decimal(units: int, places: int) -> Decimal | None:
    return None if places < 0 else Decimal(units).scaleb(-places)


#: Powers of ten, which are exact as floats.
_TENS: Final = np.array([float(10**places) for places in range(16)])


@attrs.define
class Readings:
    """Readings of one channel that have a time stamp and a value each, and nothing else.

    What a decoder gives in `decode_many` in the place of as many `Reading`s, to be several times as
    fast; they mean the same.

    Attributes:
        lines: Where each of them is, counted from 1.
        values: The quantities as they are written, None where one is missing. As `Decimals`,
            and with *instants* in an `array`, they take the least time.
        instants: When each slot starts, in seconds since 1970-01-01T00:00Z; or, with
        ends: when it ends.
        meter: The meter's id, if the file names one.
        channel: The channel's id, if the file names one.
        unit: The unit, if the file or the client names one.
        interval: The length of each slot in seconds, if the file or the client says it: a channel
            whose slots have another length refuses the readings.

    """

    lines: Sequence[int]
    values: Sequence[Decimal | None]
    instants: Sequence[int]
    ends: bool = False
    meter: str | None = None
    channel: str | None = None
    unit: str | None = None
    interval: int | None = None

    def readings(self) -> Iterator[Reading]:
        """Yield them one by one."""
        names = self.meter, self.channel, self.unit
        for line, value, instant in zip(self.lines, self.values, self.instants, strict=True):
            start, end = slot_of(instant, self.interval, end=self.ends)
            yield Reading(line, value, start, end, ACTUAL, *names)


@attrs.define
class MeterRead:
    """What a register showed, by a line of a file.

    A channel of kind `register` keeps it. In a channel of kind `interval` it becomes what was used
    in the slot that ends with it, if the read at the start of the slot is before it in the file.

    Attributes:
        line: Where it is, counted from 1.
        value: What it showed, with the digits that are written.
        instant: When, in seconds since 1970-01-01T00:00Z.
        quality: The code of the quality, an index of `QUALITIES`.
        meter: The meter's id, if the file names one.
        channel: The channel's id, if the file names one.
        unit: The unit, if the file or the client names one.
        kind: `final` for the last read of a meter that is taken away, `initial` for the first of
            the one that comes; else `read`.
        equipment: The meter that shows it, such as its serial number, if the file names one.
        about: What the channel measures, if the file says it.

    """

    line: int
    value: Decimal
    instant: int
    quality: int = ACTUAL
    meter: str | None = None
    channel: str | None = None
    unit: str | None = None
    kind: ReadKind = "read"
    equipment: str | None = None
    about: Description | None = attrs.field(default=None, eq=False)


@attrs.frozen
class Problem:
    """A line that is no reading, though it should be one."""

    line: int
    code: str
    message: str


#: What a decoder yields.
Item = Reading | Run | MeterRead | Problem


class Decoder(Protocol):
    """Reads one format of meter files.

    A decoder may also have a method `sniff(head: bytes) -> bool`, which tells by the first 4,096
    bytes of a file whether it is of the format: so `format=auto` finds it.
    """

    @property
    def name(self) -> str:
        """The name of the format, as in `POST /v1/imports?format=<name>`."""
        ...

    @property
    def options(self) -> type:
        """An attrs class: what a client may say about a file, in the query of the import.

        Each field is an option, checked by its type; its docstring and limits are in the API's
        documentation. One without a default must be said. A class without fields has no options;
        one that derives from `NameOptions` has those that map the names of meters and channels.
        """
        ...

    def decode(self, chunks: Iterable[bytes], options: Any) -> "Iterator[Item]":
        """Read a file, chunk by chunk, in bounded memory; called in a worker thread.

        Args:
            chunks: The file.
            options: An instance of `options`.

        Raises:
            Malformed: The file is not of this format.
            Invalid: The options do not fit the file.

        """
        ...


@runtime_checkable
class HasMany(Protocol):
    """A decoder that gives readings many at a time where it can."""

    def decode_many(self, chunks: Iterable[bytes], options: Any, /) -> "Iterator[Item | Readings]":
        """Read a file as `decode` does, which yields what is in `Readings` one by one."""
        ...


@attrs.frozen
class Doubt:
    """An option that is proposed for a file, and what it may be as well.

    Attributes:
        option: Its name.
        chosen: What is proposed; null where nothing is.
        alternatives: What it may be instead.
        why: What the doubt comes from.

    """

    __public_name__: ClassVar[str] = "OptionDoubt"

    option: str
    chosen: str | None
    alternatives: tuple[str, ...]
    why: str


@attrs.frozen
class Proposal:
    """The options by which a file may be read, found by looking at its beginning.

    Attributes:
        options: As the query of an import has them.
        doubts: What of them may be otherwise.
        assumed: Options that are not proposed, and which rows are shown by all the same.

    """

    options: Mapping[str, str]
    doubts: Sequence[Doubt] = ()
    assumed: Mapping[str, str] = attrs.Factory(dict)


@runtime_checkable
class HasProposal(Protocol):
    """A decoder that proposes options for a file, for a preview.

    It may have a `head`, the number of the first bytes that it is shown; a megabyte without.
    """

    def propose(self, head: bytes, said: Mapping[str, str], zone: str | None, /) -> Proposal:
        """Look at the first bytes of a file; what is *said* is no matter of doubt."""
        ...


@attrs.frozen
class Defaults:
    """What an import says of all readings of a file.

    Attributes:
        meter: The meter of readings that name none.
        channel: The channel of readings that name none.
        gas: What makes kWh of cubic metres of gas, for channels of energy.

    """

    meter: str | None = None
    channel: str | None = None
    gas: GasHeat | None = None


def recognized(
    decoders: Mapping[str, Decoder], chunks: Iterable[bytes]
) -> tuple[Decoder, Iterator[bytes]]:
    """Return the one decoder that recognizes a file, and all of the file again.

    Raises `Invalid` if none or several do: nothing is guessed.
    """
    rest = iter(chunks)
    taken: list[bytes] = []
    while sum(map(len, taken)) < HEAD and (chunk := next(rest, None)) is not None:
        taken.append(chunk)
    head = b"".join(taken)[:HEAD]
    able = {name: each for name, each in decoders.items() if isinstance(each, HasSniff)}
    found = [name for name, each in able.items() if each.sniff(head)]
    if len(found) != 1:
        names = ", ".join(sorted(found or able)) or "none"
        told = "several formats fit" if found else "no format that can tell its files fits"
        raise Invalid.of("unknown_format", f"{told} ({names}): say which it is", "/query/format")
    return decoders[found[0]], chain(taken, rest)
