"""What a table may mean: its encoding, its columns and their formats, each with its doubts.

A pure function of the first bytes, or of the first rows of a sheet. An import never asks for it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import attrs

from energia import Doubt, Proposal
from energia_plugins.meter_csv.guesses import (
    Stamps,
    all_but_few,
    decimal_of,
    encoding_of,
    is_like_stamp,
    is_number,
    stamps_of,
    stamps_of_most,
    time_format_of,
)

T = TypeVar("T")

#: So many lines decide: those above a table and its first rows, and as many of the rest.
_LINES: Final = 200
#: Stamps are in one of so many columns.
_PLACES: Final = 60
#: So many cells of a row are looked at closely to find a stamp.
_STAMPS: Final = 5
#: The marks between columns, the comma last: it is a decimal mark as well.
_MARKS: Final = ("\t", ";", "|", ",")
_ENDS: Final = re.compile(r"\b(end|ende|bis|to|until|hasta|fin|fine|tot|messzeitpunkt)\b", re.I)
_STARTS: Final = re.compile(r"start|begin|von\b|from|inicio|debut|vanaf", re.I)
_ENERGY: Final = re.compile(r"wh\b|verbrauch|bezug|consum|usage|verbruik|energ|value|wert", re.I)
_OTHER: Final = re.compile(
    r"stand|register|cost|price|kosten|preis|total|cups|mprn|mpan|ean|id\b|nummer|number|€", re.I
)
_NUMBERS: Final = re.compile(r"^(hora|hour|stunde|uur|heure|ora|interval|period)", re.I)
_POWER: Final = re.compile(r"[(\[ ](W|kW|MW)[)\]]?$")
_UNIT: Final = re.compile(r"[(\[ ](Wh|MWh)\b")
#: What cells of a column of units have; a small m is no mega.
_UNITS: Final = re.compile(r"[kKMG]?([Ww][Hh]|[Vv][Aa][Hh]|[Vv][Aa][Rr][Hh]|J)|[mM][3³]|ft3|therm")
_POWERS: Final = re.compile(r"[kMG]?(W|VA|var)")
#: From so many columns that are named by times a row is a day.
_WIDE: Final = 20


def proposal(head: bytes, said: Mapping[str, str], zone: str | None) -> Proposal:
    """Return the options by which a text may be read; what is *said* is not in doubt.

    Args:
        head: The first bytes of the file.
        said: Options that are known.
        zone: The time zone of the meter's site, if it is known.

    """
    encoding, text, doubts = encoding_of(head, said.get("encoding"))
    options = {} if encoding == "utf-8" else {"encoding": encoding}
    guess = _Guess(said, dict(options), doubts)
    table = _table(_sample(text.splitlines()), guess)
    return guess.proposed(table, zone)


def sheet_proposal(
    rows: Sequence[list[str]], said: Mapping[str, str], zone: str | None
) -> Proposal:
    """Return the options by which a sheet may be read, given its rows as texts."""
    guess = _Guess(said, {}, [])
    proposed = guess.proposed(_Table.of(_sample(rows), 0), zone)
    # Most numbers of a sheet are numbers, whose mark is written by us.
    doubts = [one for one in proposed.doubts if (one.option, one.chosen) != ("decimal", ".")]
    return attrs.evolve(proposed, doubts=doubts)


def _sample(rows: Sequence[T]) -> list[T]:
    """Return the first rows and some of all others: a day after the 12th is no month."""
    rest = rows[_LINES:]
    return [*rows[:_LINES], *rest[:: len(rest) // _LINES + 1]]


@attrs.define
class _Guess:
    """What is known, the options that have been found so far, and their doubts.

    What is *assumed* is only for showing the rows.
    """

    said: Mapping[str, str]
    options: dict[str, str]
    doubts: list[Doubt]
    assumed: dict[str, str] = attrs.Factory(dict)

    def proposed(self, table: "_Table | None", zone: str | None) -> Proposal:
        """Return what is proposed, once a *table* is described."""
        if table is None:
            self.doubts.append(Doubt("start_column", None, (), "no row has a date and a number"))
        else:
            table.describe(self, zone)
        known = [doubt for doubt in self.doubts if doubt.option not in self.said]
        assumed = {name: text for name, text in self.assumed.items() if name not in self.said}
        return Proposal({**self.options, **self.said}, known, assumed)

    def choose(
        self, option: str, chosen: str, alternatives: Sequence[str] = (), why: str = ""
    ) -> None:
        """Note an option; there is a doubt where there are alternatives."""
        self.options[option] = chosen
        if alternatives:
            self.doubts.append(Doubt(option, chosen, tuple(alternatives), why))


def _table(lines: Sequence[str], guess: _Guess) -> "_Table | None":
    """Return the rows of a text, cut by the mark that gives most rows of one width."""
    said = guess.said.get("delimiter")
    declared = re.fullmatch(r'"?sep=(.)"?[;,\t]*', lines[0], re.I) if lines else None
    if declared is not None:
        return _Table.of(list(_rows(lines[1:], declared[1])), 1)
    if said is not None:
        return _Table.of(list(_rows(lines, "\t" if said == "tab" else said)), 0)
    counts = {mark: _regular(lines, mark) for mark in _MARKS}
    able = [mark for mark in _MARKS if counts[mark] and counts[mark] >= 0.8 * max(counts.values())]
    if not able:
        return None
    others = [mark for mark in able[1:] if mark != ","]
    if able[0] != ",":
        guess.choose("delimiter", "tab" if able[0] == "\t" else able[0], others, "both divide rows")
    return _Table.of(list(_rows(lines, able[0])), 0)


def _regular(lines: Sequence[str], mark: str) -> int:
    """Return how many rows have the width that most have, of those with several columns."""
    widths = Counter(len(row) for row in _rows(lines, mark) if len(row) > 1)
    return max(widths.values(), default=0)


def _rows(lines: Sequence[str], mark: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=mark)
    except (csv.Error, TypeError, ValueError):  # the last two for what is no delimiter
        return


@attrs.define
class _Table:
    """Rows of cells, below the names of their columns.

    Attributes:
        names: What options call the columns.
        rows: The rows that have a stamp.
        header: Where the names are, as the option says it.

    """

    names: list[str]
    rows: list[list[str]]
    header: str

    @classmethod
    def of(cls, cells: Sequence[list[str]], skipped: int) -> "_Table | None":
        """Return the table in rows of cells; None where no row has a date."""
        rows = [[cell.strip() for cell in row] for row in cells]
        first = next((at for at, row in enumerate(rows[:_LINES]) if _is_data(row)), None)
        if first is None:
            return None
        width = len(rows[first])
        body = [row for row in rows[first:] if len(row) == width]
        above = [at for at in range(first) if any(rows[at])]
        if not above:
            return cls([f"#{place}" for place in range(1, width + 1)], body, "none")
        names = _names(rows[above[-1]], width)
        # A name that comes twice is none; then the place of the header has to be said.
        lined = "named" if len(set(rows[above[-1]])) == width else str(above[-1] + 1 + skipped)
        return cls(names, body, "first" if len(above) == 1 else lined)

    def column(self, place: int) -> list[str]:
        """Return the cells of a column that are not blank."""
        return [row[place] for row in self.rows if row[place]]

    def describe(self, guess: _Guess, zone: str | None) -> None:
        """Note what the columns are."""
        if self.header != "first":
            guess.choose("header", self.header)
        start = self._start(guess)
        if start is None:
            why = "no column has stamps of one form"
            guess.doubts.append(Doubt("start_column", None, (), why))
            return
        place, stamps = start
        taken = {place, *self._time(guess, place, stamps)}
        self._zone(guess, stamps, zone)
        if "wide" in guess.options:
            self._decimal(guess, [at for at, name in enumerate(self.names) if _is_time(name)])
            return
        self._value(guess, taken)
        self._end(guess, place)
        self._repeats(guess, {place, *taken})

    def _start(self, guess: _Guess) -> "tuple[int, Stamps] | None":
        """Note the column of stamps, the first there is; return its place and what they are."""
        found = [(at, _stamps(self.column(at))) for at in range(min(len(self.names), _PLACES))]
        able = [(at, stamps) for at, stamps in found if stamps is not None]
        if not able:
            return None
        able.sort(key=lambda one: -len(self.column(one[0])))
        place, stamps = able[0]
        others = self._no_ends(at for at, other in able[1:] if not other.dated_alone)
        guess.choose("start_column", self.names[place], others, "these columns have stamps, too")
        if stamps.pattern != "iso":
            why = "day and month cannot be told apart in these rows"
            guess.choose("date_format", stamps.pattern, stamps.others, why)
        return place, stamps

    def _no_ends(self, places: Iterable[int]) -> list[str]:
        """Return the names of columns but for those that say that they are ends."""
        return [self.names[at] for at in places if not _ENDS.search(self.names[at])]

    def _time(self, guess: _Guess, date: int, stamps: Stamps) -> set[int]:
        """Note where times of day are, if dates have none; return the columns that have some."""
        if not stamps.dated_alone:
            return set()
        if stamps.pattern == "iso":
            guess.options["date_format"] = "%Y-%m-%d"
        named = [name for name in self.names if _is_time(name)]
        if len(named) >= _WIDE:
            self._wide(guess, named)
            return set()
        able = {at: time_format_of(self.column(at)) for at in range(len(self.names)) if at != date}
        times = {at: format_ for at, format_ in able.items() if format_ is not None}
        for at, format_ in list(times.items())[:1]:
            others = self._no_ends(list(times)[1:])
            guess.choose("time_column", self.names[at], others, "these columns have times, too")
            if format_ != "iso":
                guess.options["time_format"] = format_
        return set(times) or self._numbers(guess)

    def _wide(self, guess: _Guess, named: Sequence[str]) -> None:
        guess.options["wide"] = f"{named[0]}..{named[-1]}"
        if "-" in named[0]:
            guess.options["range_mark"] = "-"
        elif not re.match("0?0:00", named[0]):
            guess.choose("stamp", "end", ["start"], f"the first column is named {named[0]}")

    def _numbers(self, guess: _Guess) -> set[int]:
        """Note a column of numbers of intervals."""
        for at, name in enumerate(self.names):
            cells = self.column(at)
            if _NUMBERS.match(name) and cells and all(re.fullmatch("[0-9]{1,3}", c) for c in cells):
                guess.options |= {"time_column": name, "time_format": "number"}
                most = max(map(int, cells))
                chosen = "PT1H" if most <= 25 else "PT30M" if most <= 50 else "PT15M"
                others = {"PT1H": ["PT30M", "PT15M"], "PT30M": ["PT15M"], "PT15M": []}[chosen]
                guess.choose("interval", chosen, others, f"the highest number is {most}")
                return {at}
        return set()

    def _zone(self, guess: _Guess, stamps: Stamps, zone: str | None) -> None:
        if stamps.has_offset:
            return
        if zone is None:
            why = (
                "stamps have no offset, and no meter is named whose site has a zone: rows are "
                "shown as if they were in UTC, and an import needs to be told"
            )
            guess.assumed["timezone"] = "UTC"
            guess.doubts.append(Doubt("timezone", None, (), why))
        else:
            guess.choose("timezone", zone, ["UTC"], "stamps have no offset; it is the site's zone")

    def _value(self, guess: _Guess, taken: set[int]) -> None:
        """Note the column of values, the likeliest by its name, and how they are written."""
        able = [at for at in range(len(self.names)) if at not in taken and self._is_numeric(at)]
        if not able:
            guess.doubts.append(Doubt("value_column", None, (), "no column has numbers alone"))
            return
        said = guess.said.get("value_column")
        able = [at for at in able if self.names[at] == said] or able
        able.sort(key=lambda at: (*_unlikely(self.names[at]), -len(self.column(at))))
        others = [self.names[at] for at in able[1:]]
        name = self.names[able[0]]
        guess.choose("value_column", name, others, "these columns have numbers, too")
        self._decimal(guess, able[:1])
        if "-" in self.column(able[0]):
            guess.choose("missing_words", "-")
        if unit := _UNIT.search(name):
            guess.choose("unit", unit[1])
        if power := _POWER.search(name):
            self._power(guess, power[1])
        elif unit is None:
            self._units(guess, taken)

    def _power(self, guess: _Guess, unit: str) -> None:
        guess.options["power"] = unit
        why = "mean power needs the length of a slot"
        guess.choose("interval", "PT15M", ["PT30M", "PT1H"], why)

    def _units(self, guess: _Guess, taken: set[int]) -> None:
        """Note a column of units, or the unit of power that all its cells are."""
        able = [at for at in range(len(self.names)) if at not in taken and self.column(at)]
        units = [at for at in able if all(map(_UNITS.fullmatch, self.column(at)))]
        if units:
            others = [self.names[at] for at in units[1:]]
            guess.choose("unit_column", self.names[units[0]], others, "these have units, too")
            return
        words = [{*self.column(at)} for at in able]
        powers = [word for each in words if len(each) == 1 for word in each]
        if power := next(filter(_POWERS.fullmatch, powers), None):
            self._power(guess, power)

    def _is_numeric(self, place: int) -> bool:
        cells = [cell for cell in self.column(place) if cell != "-"]
        return all_but_few(cells, is_number)

    def _decimal(self, guess: _Guess, places: Sequence[int]) -> None:
        cells = [cell for at in places for cell in self.column(at) if is_number(cell)]
        decimal, thousands, why = decimal_of(cells)
        if decimal != ".":
            guess.choose("decimal", decimal, ["."] if why else [], why)
        elif why:
            guess.choose("decimal", decimal, [","], why)
        if thousands:
            guess.choose("thousands", thousands)

    def _repeats(self, guess: _Guess, when: set[int]) -> None:
        """Note a doubt where rows have one stamp, and words that tell them apart."""
        stamps = Counter(tuple(row[at] for at in sorted(when)) for row in self.rows)
        if max(stamps.values()) < 2:
            return
        for at, name in enumerate(self.names):
            words = sorted(set(self.column(at)))
            if at not in when and 2 <= len(words) <= 12 and not all(map(is_number, words)):
                alternatives = tuple(f"{name}={word}" for word in words)
                why = f"rows have the same stamp; {name} may tell which are meant"
                guess.doubts.append(Doubt("where", None, alternatives, why))

    def _end(self, guess: _Guess, place: int) -> None:
        """Note whether stamps are ends: a name may say so, and nothing else does."""
        if _ENDS.search(self.names[place]):
            guess.choose("stamp", "end", ["start"], f"the column is named {self.names[place]}")
        elif not _STARTS.search(self.names[place]):
            why = "nothing says whether a stamp is the start or the end of its slot"
            guess.doubts.append(Doubt("stamp", "start", ("end",), why))


def _unlikely(name: str) -> tuple[bool, bool]:
    """Return how unlikely it is that a column has quantities, by its name; for sorting."""
    return _OTHER.search(name) is not None, _ENERGY.search(name) is None


def _is_time(name: str) -> bool:
    return re.match(r"[0-2]?[0-9]:[0-5][0-9]", name) is not None


def _is_data(row: Sequence[str]) -> bool:
    """Whether a row has a stamp and a number: lines above a header may have dates alone."""
    like = [cell for cell in row[:_PLACES] if is_like_stamp(cell)]
    stamps = {cell for cell in like[:_STAMPS] if stamps_of(cell) is not None}
    return bool(stamps) and any(is_number(cell) for cell in row if cell not in stamps)


def _names(row: Sequence[str], width: int) -> list[str]:
    """Return what options call the columns: their names, or places where these are no use."""
    counts = Counter(row)
    names = [*row, *[""] * width][:width]
    return [
        name if name and counts[name] == 1 else f"#{place}" for place, name in enumerate(names, 1)
    ]


def _stamps(cells: Sequence[str]) -> Stamps | None:
    """Return what the cells of a column are, if they are stamps but for a few."""
    return stamps_of_most(cells)
