"""The decoder of the format `home_assistant`: sums of statistics, as readings of hours."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from energia import (
    QUALITIES,
    Check,
    NameOptions,
    Names,
    Problem,
    Reading,
    Register,
    RegisterRead,
    Unfit,
    UnitName,
)
from energia.time import DAY, HOUR, length_of
from energia_plugins.meter_home_assistant.rows import NAMES, header_of, rows
from energia_plugins.meter_home_assistant.statistic import Statistic

_DERIVED: Final = QUALITIES.index("derived")
_QUESTIONABLE: Final = QUALITIES.index("questionable")
#: Sums and states are floats: what they differ by in more than micro-units is no rounding.
_ROUNDING: Final = Decimal("0.000001")


def _interval(text: str) -> None:
    try:
        length = length_of(text)
    except ValueError as error:
        raise Unfit("wrong_interval", str(error)) from None
    if not 0 < length <= HOUR or DAY % length:
        raise Unfit("wrong_interval", "the interval divides a day and is an hour at most")


Interval = Annotated[str, Meta(max_length=10, examples=["PT1H"]), Check(_interval)]


@attrs.frozen
class HomeAssistantOptions(NameOptions):
    """What rows do not say of themselves.

    Attributes:
        interval: What a row is of: an hour, or `PT5M` for the table `statistics_short_term`.
        unit: The unit of the sums where rows do not name it; by default the channel's.

    """

    interval: Interval = "PT1H"
    unit: UnitName | None = None


class HomeAssistantDecoder:
    """Reads what statistics grew by from hour to hour."""

    name = "home_assistant"
    options: type = HomeAssistantOptions
    examples = (
        b"statistic_id,unit_of_measurement,start_ts,state,sum\n"
        b"sensor.meter,kWh,1772323200.0,100.5,0.5\nsensor.meter,kWh,1772326800.0,100.75,0.75\n",
        b'{"sensor.meter":[{"start":1772323200000,"end":1772326800000,"state":100.5,"sum":0.5},'
        b'{"start":1772326800000,"end":1772330400000,"state":100.75,"sum":0.75}]}',
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a file by its columns: a statistic, a start and a sum."""
        text = head.decode("latin-1").removeprefix("\xef\xbb\xbf").lstrip()
        if text[:1] in ("{", "["):
            begins = '"sum"' in text and ('"start"' in text or '"start_ts"' in text)
            return begins and '"interval_start"' not in text
        header = header_of(text.splitlines()[0]) if text else None
        return header is not None and any(name in header[1] for name in NAMES)

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Yield a reading for each hour after one that has a row too, and the problems.

        Raises:
            Malformed: It is neither CSV nor JSON of statistics.
            Invalid: It names several meters or channels where one was given.

        """
        yield from _File(options, Names.of(options)).read(chunks)


@attrs.define
class _Counter:
    """One statistic: its sum, and what its last row said beside it."""

    register: Register
    state: Decimal | None = None
    reset: str | None = None

    def quality(self, row: Statistic, used: Decimal) -> int:
        """Return the quality of what was used: doubtful where the register says otherwise."""
        if self.state is None or row.state is None or self.reset != row.reset:
            return _DERIVED
        return _DERIVED if abs(row.state - self.state - used) <= _ROUNDING else _QUESTIONABLE


@attrs.define
class _File:
    """One file while it is read.

    Attributes:
        options: What was said of it.
        names: Turn its names into ours.
        counters: By the name of the statistic.
        line: Of the last row that has a sum.

    """

    options: HomeAssistantOptions
    names: Names
    counters: dict[str | None, _Counter] = attrs.Factory(dict)
    line: int = 0

    def read(self, chunks: Iterable[bytes]) -> Iterator[Reading | Problem]:
        """Yield what the rows say; raises `Malformed`."""
        for number, row in rows(chunks):
            found: Reading | Problem | None
            try:
                found = self._take(number, row)
            except Unfit as error:
                found = Problem(number, error.code, f"line {number}: {error}")
            if found is not None:
                yield found
        yield from self._finish()

    def _finish(self) -> Iterator[Problem]:
        """Tell of statistics of which no two rows are one interval apart."""
        for name, counter in self.counters.items():
            if counter.register.is_silent:
                apart = f"{name or 'the file'}: no two rows are {self.options.interval} apart"
                yield Problem(self.line, "no_slot", f"{apart}: say which interval they have")

    def _take(self, number: int, row: Mapping[str, object] | int) -> Reading | None:
        if isinstance(row, int):
            raise Unfit("missing_column", f"it has {row} cells, the header has another number")
        one = Statistic.of(row)
        if one.sum is None:
            return None
        ours = self.names.ours(None, one.name, number)
        if ours is None:
            return None
        self.line = number
        length = length_of(self.options.interval)
        _fit(one, length)
        counter = self.counters.setdefault(one.name, _Counter(Register(length)))
        try:
            slot = counter.register.slot(RegisterRead(one.start + length, one.sum, one.unit or ""))
            if slot is None:
                return None
            start, used = slot
            quality = counter.quality(one, used)
        finally:
            counter.state, counter.reset = one.state, one.reset
        unit = self.options.unit or one.unit
        return Reading(number, used, start, start + length, quality, *ours, unit)


def _fit(row: Statistic, length: int) -> None:
    """Refuse a row that is not of the interval that was said; raises `Unfit`."""
    if row.start % length:
        message = "it does not start a slot: rows of five minutes need interval=PT5M"
        raise Unfit("off_grid", message)
    if row.end is not None and row.end - row.start != length:
        message = f"it is {row.end - row.start} seconds long, and the interval is {length}"
        raise Unfit("wrong_interval", message)
