"""How a table is read, as a person says it: questions in words, with the columns to choose from."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Final, Self

import attrs

from energia_plugins.console.page import marked
from energia_plugins.console.words import Words, capital

#: So many lines of a file are shown as they are.
_SHOWN: Final = 8
_LONGEST: Final = 120
#: What an option is when nobody says it, as far as a person would ask.
DEFAULTS: Final = {"delimiter": ",", "decimal": ".", "stamp": "start", "header": "first"}


def codec(encoding: str) -> str:
    """Return the encoding to read a text by: UTF-8 where there is no such one."""
    try:
        b"a".decode(encoding, errors="replace")
    except (LookupError, ValueError):
        return "utf-8"
    return encoding


@attrs.frozen
class Sheet:
    """The first lines of a text, cut into cells.

    Attributes:
        lines: The lines as they are.
        rows: Their cells.
        header: Which of the rows has the names of the columns; None where none has.

    """

    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    header: int | None = None

    @classmethod
    def of(cls, head: bytes, options: Mapping[str, str]) -> Self:
        """Return what the beginning of a file is by these options of a mapping."""
        encoding = codec(options.get("encoding", ""))
        text = head[:64_000].decode(encoding, errors="replace").lstrip("\ufeff")
        lines = [line.rstrip("\r") for line in text.split("\n")][:200]
        rows = [_cells(line, options.get("delimiter", ",")) for line in lines]
        return cls(tuple(lines), tuple(rows), _header(rows, options))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns as options name them: by their names, or by their places."""
        if self.header is None:
            width = max(map(len, self.rows), default=0)
            return tuple(f"#{place + 1}" for place in range(width))
        names = [name.strip() for name in self.rows[self.header]]
        return tuple(
            name if name and names.count(name) == 1 else f"#{place + 1}"
            for place, name in enumerate(names)
        )

    def sample(self, place: int) -> str:
        """Return the first cell of a column below its name."""
        below = self.rows[(-1 if self.header is None else self.header) + 1 :]
        cells = (row[place].strip() for row in below if len(row) > place)
        return next((cell for cell in cells if cell), "")[:40]

    def first(self) -> list[tuple[int, str]]:
        """Return the first lines with their numbers."""
        shown = self.lines[:_SHOWN]
        return [(number, line[:_LONGEST]) for number, line in enumerate(shown, 1)]


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    mark = "\t" if delimiter == "tab" else delimiter
    if len(mark) != 1:
        return (line,)
    try:
        return tuple(next(csv.reader(StringIO(line), delimiter=mark), ()))
    except (csv.Error, TypeError, ValueError):  # a mark that nothing can be cut by
        return (line,)


def _header(rows: Sequence[Sequence[str]], options: Mapping[str, str]) -> int | None:
    """Return which row has the names of the columns."""
    header = options.get("header", "first")
    if header == "none":
        return None
    if header.isdecimal():
        return int(header) - 1 if 0 < int(header) <= len(rows) else None
    named = [options.get(name) for name in ("start_column", "time_column", "value_column")]
    wanted = {name for name in named if name and not name.startswith("#")}
    for place, row in enumerate(rows):
        cells = {cell.strip() for cell in row}
        if (header == "first" and any(cells)) or (header == "named" and wanted <= cells):
            return place
    return None


@attrs.frozen
class Question:
    """A field of the form that says how a file is read.

    Attributes:
        option: The option of the format.
        label: What is asked.
        choices: Pairs of a value and its words; None where it is typed.
        hint: What helps to answer.

    """

    option: str
    label: str
    choices: tuple[tuple[str, str], ...] | None = None
    hint: str = ""


@attrs.frozen
class Group:
    """Questions that belong together."""

    title: str
    questions: tuple[Question, ...]


_DATES: Final = (
    ("iso", "2026-12-31 23:45"),
    ("%d/%m/%Y %H:%M", "31/12/2026 23:45"),
    ("%d/%m/%Y %H:%M:%S", "31/12/2026 23:45:00"),
    ("%d/%m/%Y", "31/12/2026"),
    ("%d/%m/%y %H:%M", "31/12/26 23:45"),
    ("%d-%m-%Y %H:%M", "31-12-2026 23:45"),
    ("%d.%m.%Y %H:%M", "31.12.2026 23:45"),
    ("%d.%m.%Y", "31.12.2026"),
    ("%m/%d/%Y %H:%M", "12/31/2026 23:45"),
    ("%m/%d/%Y %I:%M %p", "12/31/2026 11:45 PM"),
    ("epoch", "1798760700"),
    ("epoch_ms", "1798760700000"),
)
_TIMES: Final = (
    ("iso", "23:45"),
    ("%H%M", "2345"),
    ("%I:%M %p", "11:45 PM"),
    ("%H:%M:%S", "23:45:00"),
)
_MARKS: Final = (
    (";", marked("semicolon ;")),
    (",", marked("comma ,")),
    ("tab", marked("tab")),
    ("|", marked("bar |")),
)
_DECIMALS: Final = ((",", marked("comma: 1,5")), (".", marked("point: 1.5")))
_THOUSANDS: Final = (("", marked("none")), (".", "1.000"), (",", "1,000"), (" ", "1 000"))
_UNITS: Final = ("Wh", "kWh", "MWh", "varh", "kvarh", "VAh", "kVAh", "m3")
_POWERS: Final = ("W", "kW", "MW", "var", "kvar", "VA", "kVA")
_ENCODINGS: Final = (
    ("utf-8", "UTF-8"),
    ("windows-1252", "Windows-1252"),
    ("iso-8859-1", "ISO-8859-1 (Latin-1)"),
    ("iso-8859-15", "ISO-8859-15"),
    ("utf-16", "UTF-16"),
    ("windows-1250", "Windows-1250"),
    ("windows-1251", "Windows-1251"),
    ("windows-1253", "Windows-1253"),
    ("windows-1254", "Windows-1254"),
    ("shift_jis", "Shift JIS"),
)
#: Options that the groups ask for.
_ASKED: Final = frozenset(
    (
        *("start_column", "time_column", "value_column", "date_format", "time_format", "timezone"),
        *("stamp", "interval", "decimal", "thousands", "unit", "power"),
        *("delimiter", "header", "encoding"),
    )
)


def groups(
    words: Words, sheet: Sheet, options: Mapping[str, str], zones: Sequence[str]
) -> list[Group]:
    """Return what is asked about a file: the columns, the times, the numbers, the text."""
    parts = [
        _columns(words, sheet, options),
        _times(words, options, zones),
        _numbers(words, options),
    ]
    return parts if "delimiter" not in options else [*parts, _text(words, options)]


def _columns(words: Words, sheet: Sheet, options: Mapping[str, str]) -> Group:
    columns = _columns_of(sheet)
    apart = (("", words.text("in the same column as the date")), *columns) if columns else None
    return Group(
        words.text("Columns"),
        (
            _question(options, "start_column", words.text("Date"), columns or None),
            _question(options, "time_column", words.text("Time of day"), apart),
            _question(options, "value_column", words.text("Value"), columns or None),
        ),
    )


def _columns_of(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """Return the columns to choose from, each with what stands in it first."""
    found = []
    for place, name in enumerate(sheet.columns):
        sample = sheet.sample(place)
        found.append((name, f"{name}: {sample}" if sample else name))
    return tuple(found)


def _times(words: Words, options: Mapping[str, str], zones: Sequence[str]) -> Group:
    intervals = [("", words.text("as the meter has it"))]
    intervals += [
        (f"PT{minutes}M", words.quantity(minutes, "min")) for minutes in (1, 5, 10, 15, 30)
    ]
    intervals.append(("PT1H", words.quantity(1, "h")))
    asked = [_question(options, "date_format", words.text("Dates are written like"), _DATES)]
    if options.get("time_column") or options.get("wide"):
        label = words.text("Times are written like")
        numbers = ("number", words.text("1, 2, 3: the number of the interval"))
        asked.append(_question(options, "time_format", label, (*_TIMES, numbers)))
    stamps = (
        ("start", words.text("the start of the interval")),
        ("end", words.text("the end of the interval")),
    )
    known = [("", words.text("as each date says")), *((zone, zone) for zone in zones)]
    if "UTC" not in zones:
        known.append(("UTC", "UTC"))
    asked += [
        _question(options, "stamp", words.text("Each time is"), stamps),
        _question(options, "timezone", words.text("Time zone"), known),
        _question(options, "interval", words.text("Length of an interval"), intervals),
    ]
    return Group(words.text("Dates and times"), tuple(asked))


def _numbers(words: Words, options: Mapping[str, str]) -> Group:
    units = [("", words.text("that of the channel")), *((each, each) for each in _UNITS)]
    powers = [("", words.text("no, energy")), *((each, each) for each in _POWERS)]
    hint = words.text("Then say the length of an interval, too.")
    return Group(
        words.text("Numbers"),
        (
            _question(options, "decimal", words.text("Decimal mark"), _told(words, _DECIMALS)),
            _question(options, "thousands", words.text("Thousands"), _told(words, _THOUSANDS)),
            _question(options, "unit", words.text("Unit"), units),
            _question(options, "power", words.text("Are the values mean power?"), powers, hint),
        ),
    )


def _text(words: Words, options: Mapping[str, str]) -> Group:
    headers = (
        ("first", words.text("in the first row")),
        ("named", words.text("in the first row that has all of them")),
        ("none", words.text("nowhere: columns have numbers")),
    )
    return Group(
        words.text("Text"),
        (
            _question(options, "delimiter", words.text("Between columns"), _told(words, _MARKS)),
            _question(options, "header", words.text("Names of the columns"), headers),
            _question(options, "encoding", words.text("Encoding"), _ENCODINGS),
        ),
    )


def _told(words: Words, choices: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((value, words.text(text)) for value, text in choices)


def _question(
    options: Mapping[str, str],
    option: str,
    label: str,
    choices: Iterable[tuple[str, str]] | None,
    hint: str = "",
) -> Question:
    """Return a question among whose choices is what the mapping says now."""
    if choices is None:
        return Question(option, label, None, hint)
    known = tuple(choices)
    chosen = options.get(option, "")
    if chosen and chosen not in {value for value, _ in known}:
        known = ((chosen, chosen), *known)
    return Question(option, label, known, hint)


def rest(schema: Mapping[str, object]) -> tuple[Question, ...]:
    """Return what else a format may be told, out of the JSON Schema of its options."""
    definitions = schema.get("$defs")
    assert isinstance(definitions, dict)
    own = definitions[str(schema["$ref"]).rpartition("/")[2]]
    return tuple(
        Question(name, name, None, part.get("description", ""))
        for name, part in own.get("properties", {}).items()
        if name not in _ASKED
    )


# What is in doubt, in words.

_WHY: Final = {
    "day and month cannot be told apart in these rows": marked(
        "Day and month cannot be told apart in these rows."
    ),
    "stamps have no offset; it is the site's zone": marked(
        "The times do not say their offset: this is the zone of the site."
    ),
    "stamps have no offset, and no meter is named whose site has a zone: rows are shown as if they "
    "were in UTC, and an import needs to be told": marked(
        "The times do not say their offset, and no meter is chosen whose site has a zone."
    ),
    "these columns have numbers, too": marked("Other columns have numbers, too."),
    "three digits behind each mark: it may be one of thousands": marked(
        "Three digits stand behind each mark: it may be one of thousands."
    ),
    "nothing says whether a stamp is the start or the end of its slot": marked(
        "Nothing in the file says whether a time is the start or the end of its interval."
    ),
    "no row has a date and a number": marked("No row has a date and a number."),
    "no column has stamps of one form": marked("No column has dates of one form."),
    "no column has numbers alone": marked("No column has numbers alone."),
    "several presets read the file": marked("Several layouts read the file."),
}


def why(words: Words, reason: str) -> str:
    """Return why an option is in doubt, for people."""
    told = _WHY.get(reason)
    return words.text(told) if told is not None else f"{capital(reason)}."
