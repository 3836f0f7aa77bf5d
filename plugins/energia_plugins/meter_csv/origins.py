"""Whose values a row has: meters and channels, by columns and by the words in columns."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from energia import Unfit
from energia_plugins.meter_csv.header import Header
from energia_plugins.meter_csv.options import TableOptions
from energia_plugins.meter_csv.words import Target, meters_of, plain, targets_of, values_of

#: How many origins are remembered.
_KEPT: Final = 20_000


class BadWord(Unfit):
    """A word of a column is not said to mean anything; `code` says of which column."""


@attrs.frozen
class Slot:
    """Where one value of a row goes, and the columns that it is the sum of."""

    meter: str | None
    channel: str | None
    columns: tuple[int, ...]


@attrs.frozen
class Origin:
    """What a row is of.

    Attributes:
        series: Tells the rows of one series from those of others.
        slots: Where its values go.

    """

    series: object
    slots: tuple[Slot, ...]


@attrs.define
class Origins:
    """Finds the origin of each row.

    Attributes:
        meter: The column of meters, if there is one.
        channel: The column of channels, if there is one.
        meters: What words of the first mean; None where they are ids.
        channels: What words of the second mean; None where they are ids.
        values: The columns of the values, by where they go.

    """

    meter: int | None
    channel: int | None
    meters: Mapping[str, str | None] | None
    channels: Mapping[str, Target | None] | None
    values: Sequence[tuple[Target, tuple[int, ...]]]
    _known: dict[tuple[str, str], Origin | None] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, header: Header, options: TableOptions) -> "Origins":
        """Return what the options name; columns that are not there are noted as faults."""
        meter, channel = (
            None if column is None else header.at(option, column)
            for option, column in (
                ("meter_column", options.meter_column),
                ("channel_column", options.channel_column),
            )
        )
        return cls(
            meter,
            channel,
            None if options.meter_words is None else meters_of(options.meter_words),
            None if options.channel_words is None else targets_of(options.channel_words),
            _values(header, options),
        )

    def read(self, cells: Sequence[str]) -> Origin | None:
        """Return the origin of a row, None if it is left out; raises `BadWord`."""
        key = (
            "" if self.meter is None else cells[self.meter],
            "" if self.channel is None else cells[self.channel],
        )
        try:
            return self._known[key]
        except KeyError:
            pass
        if len(self._known) >= _KEPT:
            self._known.clear()
        origin = self._known[key] = self._first(plain(key[0]), plain(key[1]))
        return origin

    def _first(self, meter_word: str, channel_word: str) -> Origin | None:
        meter = self._meter(meter_word)
        target = self._target(channel_word)
        if (meter_word and meter is None) or target is None:
            return None
        slots = (
            Slot(one.meter or target.meter or meter, one.channel or target.channel, columns)
            for one, columns in self.values
        )
        return Origin((meter_word or None, channel_word or None), tuple(slots))

    def _meter(self, word: str) -> str | None:
        if self.meters is None or not word:
            return word or None
        if word not in self.meters:
            raise BadWord("unknown_meter", _unknown(word, "meter", "meter"))
        return self.meters[word]

    def _target(self, word: str) -> Target | None:
        if self.channels is None:
            return Target(None, word or None)
        if word not in self.channels:
            raise BadWord("unknown_channel", _unknown(word, "channel", "channel"))
        return self.channels[word]


def _unknown(word: str, name: str, what: str) -> str:
    return (
        f"`{name}_words` does not say which {what} {word[:60]!r} is: add {word[:60]}=..., or "
        f"{word[:60]}= to leave its rows out"
    )


def _values(header: Header, options: TableOptions) -> list[tuple[Target, tuple[int, ...]]]:
    """Return the columns of the values of a row; those of a day's intervals are elsewhere."""
    if options.wide is not None:
        return [(Target(), ())]
    if options.values is None:
        return [(Target(), (header.at("value_column", options.value_column),))]
    return [
        (target, tuple(header.at("values", column) for column in columns))
        for target, columns in values_of(options.values).items()
    ]
