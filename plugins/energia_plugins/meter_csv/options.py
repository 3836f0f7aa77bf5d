"""What a client says about a file of comma-separated values, or about the sheet of a workbook."""

import codecs
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import Check, Fault, Rules, Unfit, UnitName, ZoneOrOffset, enforce
from energia.time import DAY, length_of
from energia_plugins.meter_csv.patterns import fault_of, has_time
from energia_plugins.meter_csv.words import (
    checked,
    conditions_of,
    items,
    meters_of,
    qualities_of,
    span_of,
    targets_of,
    values_of,
)

#: The encodings that are read; a byte-order mark is skipped.
ENCODINGS: Final = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be"),
    *("latin-1", "iso-8859-15", "windows-1252", "ascii"),
    *("iso-8859-2", "iso-8859-7", "iso-8859-9", "windows-1250", "windows-1251"),
    *("windows-1253", "windows-1254", "windows-1257"),
    *("shift_jis", "euc-kr", "gb18030", "big5"),
)
#: What reads texts of some encodings: what programs write under a name is more than it meant once,
#: as <https://encoding.spec.whatwg.org/> has it.
_WIDER: Final = {
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
}
#: Formats of stamps that are numbers since 1970, by how many there are in a second.
EPOCHS: Final = {"epoch": 1, "epoch_ms": 1000, "epoch_us": 10**6, "epoch_ns": 10**9}
_SPECIAL: Final = ("iso", *EPOCHS)


def _mark(mark: str) -> None:
    if mark.isalnum() or mark in '"+-\r\n':
        raise Unfit("bad_mark", "a mark must not be a letter, a digit, a sign or a quote")


def _delimiter(mark: str) -> None:
    if mark != "tab":
        if len(mark) > 1:
            raise Unfit("too_long", "the delimiter is one character, or `tab`")
        _mark(mark)


def codec_of(name: str) -> str | None:
    """Return the one name of an encoding that is read, by any of its names; None for others."""
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    codec = _WIDER.get(codec, codec)
    return codec if codec in _CODECS else None


_CODECS: Final = {
    _WIDER.get(codec, codec) for codec in (codecs.lookup(name).name for name in ENCODINGS)
}


def _encoding(name: str) -> None:
    if codec_of(name) is None:
        raise Unfit("unknown_encoding", f"the encoding must be one of {', '.join(ENCODINGS)}")


def _date_format(pattern: str) -> None:
    fault = None if pattern in _SPECIAL else fault_of(pattern, of_date=True)
    if fault is not None:
        message = "the date format is `iso`, `epoch`, or a pattern of a whole date: "
        raise Unfit("bad_date_format", f"{message}%d/%m/%Y %H:%M; {fault}")


def _time_format(pattern: str) -> None:
    fault = None if pattern in ("iso", "number") else fault_of(pattern, of_date=False)
    if fault is not None:
        message = f"the time format is `iso`, `number`, or a pattern such as %H:%M; {fault}"
        raise Unfit("bad_time_format", message)


def _interval(text: str) -> None:
    try:
        length = length_of(text)
    except ValueError as error:
        raise Unfit("wrong_interval", str(error)) from None
    if not length or DAY % length:
        raise Unfit("wrong_interval", "the interval does not divide a day")


def _header(where: str) -> None:
    if not re.fullmatch("first|named|none|[1-9][0-9]{0,5}", where):
        raise Unfit("bad_header", "the header is `first`, `named`, `none`, or at a line: 5")


Column = Annotated[str, Meta(min_length=1, max_length=200)]
Mark = Annotated[str, Meta(min_length=1, max_length=1), Check(_mark)]
Delimiter = Annotated[str, Meta(min_length=1, max_length=3), Check(_delimiter)]
DateFormat = Annotated[str, Meta(min_length=1, max_length=50), Check(_date_format)]
TimeFormat = Annotated[str, Meta(min_length=1, max_length=50), Check(_time_format)]
Encoding = Annotated[str, Meta(max_length=20), Check(_encoding)]
Interval = Annotated[str, Meta(max_length=10, examples=["PT15M"]), Check(_interval)]
HeaderPlace = Annotated[str, Meta(max_length=6), Check(_header)]
_Text = Meta(min_length=1, max_length=4000)
Span = Annotated[str, _Text, Check(checked(span_of))]
ValueColumns = Annotated[str, _Text, Check(checked(values_of))]
ChannelWords = Annotated[str, _Text, Check(checked(targets_of))]
MeterWords = Annotated[str, _Text, Check(checked(meters_of))]
QualityWords = Annotated[str, _Text, Check(checked(qualities_of))]
Conditions = Annotated[str, _Text, Check(checked(conditions_of))]
Words = Annotated[str, _Text, Check(checked(items))]
Power = Literal["W", "kW", "MW", "GW", "var", "kvar", "Mvar", "VA", "kVA", "MVA"]


# Options that contradict each other.


def _marks_of_numbers_differ(decimal: str, thousands: str | None) -> Iterator[Fault]:
    if thousands == decimal:
        yield Fault("bad_mark", "decimal and thousands must differ", "/thousands")


def _groups_are_no_columns(
    delimiter: str | None, decimal: str, thousands: str | None
) -> Iterator[Fault]:
    # A decimal comma in a file of commas needs quotes, which are read all the same.
    if thousands == (delimiter or ",") != decimal:
        yield Fault("bad_mark", "delimiter and thousands must differ", "/thousands")


def _times_are_said_once(  # noqa: PLR0913, PLR0917 - all that says where times are
    date_format: str,
    time_column: str | None,
    wide: str | None,
    day_rows: bool,
    length: str | None,
    end_column: str | None,
    reads: bool,
) -> Iterator[Fault]:
    """Refuse a date without a time: it would store one value a day, and lose the others."""
    apart = time_column is not None or wide is not None or day_rows
    timed = date_format in EPOCHS or (date_format != "iso" and has_time(date_format))
    if apart and timed:
        message = "the time of day is elsewhere: the date format has the date alone"
        yield Fault("bad_date_format", message, "/date_format")
    whole_days = length is not None or end_column is not None or reads
    if not apart and not timed and date_format != "iso" and not whole_days:
        message = (
            "the date format has no time of day; say where that is: in `time_column`, in a column "
            "for each interval (`wide`), or below rows of dates (`day_rows`); or that a row is a "
            "whole day, month or year (`length`), or until when it is (`end_column`); or that "
            "values are what a register shows (`reads`)"
        )
        yield Fault("bad_date_format", message, "/date_format")


def _own_lengths(  # noqa: PLR0913, PLR0917 - all that says how long rows are
    length: str | None,
    end_column: str | None,
    wide: str | None,
    stamp: str,
    reads: bool,
    timezone: str | None,
) -> Iterator[Fault]:
    """Refuse a length or an end where slots have theirs already."""
    for name, said in (("length", length), ("end_column", end_column)):
        for other, excluded in (
            ("wide", wide is not None),
            ("stamp=end", stamp == "end"),
            ("reads", reads),
            ("end_column", name == "length" and end_column is not None),
        ):
            if said is not None and excluded:
                message = f"`{name}` and `{other}` exclude each other"
                yield Fault("contradiction", message, f"/{name}")
    if length is not None and timezone is None:
        message = "a day, a month or a year is one of a time zone: say `timezone`"
        yield Fault("missing_field", message, "/timezone")


def _reads_are_no_power(reads: bool, power: str | None) -> Iterator[Fault]:
    if reads and power is not None:
        yield Fault("contradiction", "`reads` and `power` exclude each other", "/reads")


def _factors_are_of_rows(factor_column: str | None, wide: str | None) -> Iterator[Fault]:
    if factor_column is not None and wide is not None:
        message = "`factor_column` and `wide` exclude each other"
        yield Fault("contradiction", message, "/factor_column")


def _one_layout(
    wide: str | None, time_column: str | None, day_rows: bool, values: str | None
) -> Iterator[Fault]:
    if wide is not None:
        for name, said in (("time_column", time_column), ("values", values)):
            if said is not None:
                yield Fault("contradiction", f"`wide` and `{name}` exclude each other", f"/{name}")
    if day_rows and (wide is not None or time_column is not None):
        message = "`day_rows` has its times where the dates are: no `time_column`, no `wide`"
        yield Fault("contradiction", message, "/day_rows")


def _length_is_said(
    interval: str | None, power: str | None, time_format: str, unit: str | None
) -> Iterator[Fault]:
    if interval is None and (power is not None or time_format == "number"):
        what = "mean power" if power is not None else "the number of an interval"
        message = f"{what} needs the length of a slot, such as interval=PT15M"
        yield Fault("missing_field", message, "/interval")
    if power is not None and unit is not None:
        message = "`power` makes energy of the values: `unit` has nothing to say"
        yield Fault("contradiction", message, "/unit")


def _units_have_rows(
    unit_column: str | None, power: str | None, wide: str | None
) -> Iterator[Fault]:
    for name, said in (("power", power), ("wide", wide)):
        if unit_column is not None and said is not None:
            message = f"`unit_column` and `{name}` exclude each other"
            yield Fault("contradiction", message, "/unit_column")


def _times_have_a_place(
    time_format: str, time_column: str | None, wide: str | None, day_rows: bool
) -> Iterator[Fault]:
    if time_format != "iso" and time_column is None and wide is None and not day_rows:
        message = "`time_format` is of times apart from their dates: `time_column` or `wide`"
        yield Fault("contradiction", message, "/time_format")


def _ends_have_a_clock(change_end: str, stamp: str) -> Iterator[Fault]:
    if change_end == "before" and stamp != "end":
        message = "`change_end` is of ends: `stamp=end` says that stamps are ends"
        yield Fault("contradiction", message, "/change_end")


def _numbers_are_there(numbers: str | None, time_format: str) -> Iterator[Fault]:
    if numbers is not None and time_format != "number":
        message = "`numbers` says what numbers mean: `time_format=number` says that there are some"
        yield Fault("contradiction", message, "/numbers")


def _meter_words_have_a_column(
    meter_column: str | None, meter_words: str | None
) -> Iterator[Fault]:
    yield from _wordless("meter", meter_column, meter_words)


def _channel_words_have_a_column(
    channel_column: str | None, channel_words: str | None
) -> Iterator[Fault]:
    yield from _wordless("channel", channel_column, channel_words)


def _quality_words_have_a_column(
    quality_column: str | None, wide_quality: str | None, quality_words: str | None
) -> Iterator[Fault]:
    yield from _wordless("quality", quality_column or wide_quality, quality_words)


def _wordless(name: str, column: str | None, words: str | None) -> Iterator[Fault]:
    if words is not None and column is None:
        message = f"`{name}_words` are words of the column `{name}_column`: name it"
        yield Fault("missing_field", message, f"/{name}_words")


def _targets_are_said_once(values: str | None, channel_column: str | None) -> Iterator[Fault]:
    if values is None or channel_column is None:
        return
    if any(target.channel for target in values_of(values)):
        message = "channels are named by `values` or by `channel_column`, not by both"
        yield Fault("contradiction", message, "/channel_column")


def _wide_has_qualities(
    wide: str | None, wide_quality: str | None, quality_column: str | None
) -> Iterator[Fault]:
    if wide_quality is not None and (wide is None or quality_column is not None):
        message = "`wide_quality` stands beside `wide`, in the place of `quality_column`"
        yield Fault("contradiction", message, "/wide_quality")


@attrs.frozen
class TableOptions:
    """How a table is read, be it a text or a sheet.

    A column is its name in the header, or `#3` for the third. Lists have commas between their
    items, maps are lists of `key=value`; an item that has a comma itself is put in double quotes.

    Attributes:
        start_column: The column of time stamps; of dates, where times are elsewhere.
        value_column: The column of values; an empty value is missing.
        values: Several value columns, `channel=column, ...`: `import=Bezug,export=Einspeisung`,
            or `meter/channel=column`; columns of one channel are summed.
        sum_blank: What a sum is of which some cells are missing and others not: it is refused,
            `missing`, or these count `zero`.
        wide: The columns of a day's intervals, first..last: `00:30..00:00`, `#5..#100`; every
            second one with `/2` behind. Each row is a day then, its date in `start_column`.
        wide_quality: The columns of their qualities, likewise.
        time_column: The column of the time of day, where dates have a column of their own.
        time_format: How times of day are written, in `time_column`, in the names of the columns of
            `wide`, or below `day_rows`: `iso` (7:15 or 07:15:00), a pattern such as `%I:%M %p`, or
            `number`: intervals of a day are counted from 1, on a day of 25 hours up to 25 or 100.
        numbers: Whether numbers count the intervals of a day through (`elapsed`), or are those of
            the `clock`, where 3 is 02:00 on every day, and those beyond 24 hours are the hour that
            comes twice; without it a long day that does not show which of both is refused.
        range_mark: What stands between start and end, where both are in one cell; the start is
            read, with `stamp=end` the end.
        day_rows: Whether a date has a row of its own, and the rows below it have times of day.
        midnight: Whether 00:00 is the `begin` or the `end` of the day that it is written with.
        interval: The length of a slot, such as `PT15M`, where mean power or numbers need it; a
            channel of another one refuses the file.
        meter_column: The column of meter ids.
        meter_words: Which meter is meant by a word of that column, `word=meter, ...`; `word=`
            leaves its rows out.
        channel_column: The column of channel ids.
        channel_words: Which channel (or meter/channel) is meant by a word of that column,
            `word=channel, ...`; `word=` leaves its rows out.
        quality_column: The column of quality names; empty is actual, and says with
            an empty value that nothing is known of the slot.
        quality_words: What the words of a file mean, `EST=estimated, ...`; `*` is any other word.
        missing_words: Words that stand for no value: `-,N/A`.
        header: Where the names of the columns are: in the `first` row, in the first row in which
            all of them are (`named`), in the row of a line (`5`); `none` has places (`#1`) only.
        where: Which rows are read: `Type=Electricity, Date!=Total*`. `!=` leaves rows out, a `*`
            at the end is any rest; of several words for one column one is enough.
        until: The beginning of the row at which the table ends: what is below is not read.
        footer_rows: How many rows at the end are left out.
        decimal: The decimal mark of values.
        thousands: The mark between groups of three digits, if there is one.
        factor: What each value is multiplied by.
        factor_column: The column of what each value is multiplied by besides.
        reads: Whether values are what a register shows at their time stamps, and not what was used:
            a register keeps them, other channels get the differences.
        length: How long each row is, where rows are whole days (`P1D`), months (`P1M`) or years
            (`P1Y`) of `timezone`: for channels of kind `irregular`.
        end_column: The column of when each row ends, where rows have lengths of their own.
        date_format: `iso` (with `T` or a space), a pattern such as `%d/%m/%Y %H:%M`, `epoch`
            (seconds since 1970), or `epoch_ms`, `epoch_us`, `epoch_ns`.
        timezone: The zone or offset of time stamps without one; without it they are refused.
        stamp: Whether a time stamp is the start or the end of its slot.
        change_end: Whether the end of a slot at the very moment when clocks change is written by
            the clock `after` it, or by the one `before` it: in Vienna's October, 02:00 or 03:00.
        unit: The unit of the values; default the channel's.
        unit_column: The column of units; where its cell is blank, `unit` holds.
        power: The unit of values that are mean power: the energy is power times `interval`.

    """

    __rules__: ClassVar[Rules] = (
        _marks_of_numbers_differ,
        _times_are_said_once,
        _one_layout,
        _length_is_said,
        _units_have_rows,
        _times_have_a_place,
        _numbers_are_there,
        _ends_have_a_clock,
        _meter_words_have_a_column,
        _channel_words_have_a_column,
        _quality_words_have_a_column,
        _targets_are_said_once,
        _wide_has_qualities,
        _own_lengths,
        _reads_are_no_power,
        _factors_are_of_rows,
    )

    start_column: Column = "start"
    value_column: Column = "value"
    values: ValueColumns | None = None
    sum_blank: Literal["refuse", "zero", "missing"] = "refuse"
    wide: Span | None = None
    wide_quality: Span | None = None
    time_column: Column | None = None
    time_format: TimeFormat = "iso"
    numbers: Literal["elapsed", "clock"] | None = None
    range_mark: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    day_rows: bool = False
    midnight: Literal["begin", "end"] = "begin"
    interval: Interval | None = None
    meter_column: Column | None = None
    meter_words: MeterWords | None = None
    channel_column: Column | None = None
    channel_words: ChannelWords | None = None
    quality_column: Column | None = None
    quality_words: QualityWords | None = None
    missing_words: Words | None = None
    header: HeaderPlace = "first"
    where: Conditions | None = None
    until: Column | None = None
    footer_rows: Annotated[int, Meta(ge=0, le=100)] = 0
    decimal: Literal[".", ","] = "."
    thousands: Mark | None = None
    factor: Decimal = Decimal(1)
    factor_column: Column | None = None
    reads: bool = False
    length: Literal["P1D", "P1M", "P1Y"] | None = None
    end_column: Column | None = None
    date_format: DateFormat = "iso"
    timezone: ZoneOrOffset | None = None
    stamp: Literal["start", "end"] = "start"
    change_end: Literal["after", "before"] = "after"
    unit: UnitName | None = None
    unit_column: Column | None = None
    power: Power | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse options that contradict each other."""
        enforce(self)

    @property
    def apart(self) -> bool:
        """Whether dates and times of day are apart."""
        return self.time_column is not None or self.wide is not None or self.day_rows

    @property
    def seconds(self) -> int | None:
        """The length of a slot, if it is said."""
        return None if self.interval is None else length_of(self.interval)


@attrs.frozen
class CsvOptions(TableOptions):
    """The mapping of a file of comma-separated values.

    Attributes:
        delimiter: What separates the columns, or `tab`; default what a first line `sep=;` says,
            else a comma.
        encoding: The encoding of the text, such as `windows-1250`; default what `Content-Type`
            says, else UTF-8.

    """

    __rules__: ClassVar[Rules] = (*TableOptions.__rules__, _groups_are_no_columns)

    delimiter: Delimiter | None = None
    encoding: Encoding = "utf-8"

    @property
    def codec(self) -> str:
        """The name of the decoder of the text."""
        codec = codec_of(self.encoding)
        assert codec is not None  # as others are refused
        return codec

    @property
    def mark(self) -> str | None:
        """The delimiter, if it is said."""
        return "\t" if self.delimiter == "tab" else self.delimiter
