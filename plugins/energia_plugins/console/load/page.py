"""What the page of a meter says: its answer, the choices of its window, its tables."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from energia.time import DAY, Instant
from energia_plugins.console.callers import caller
from energia_plugins.console.load.curve import Curve
from energia_plugins.console.load.slots import length_of_slot
from energia_plugins.console.load.tariff import Chosen, Part, Share, shares, split_by
from energia_plugins.console.load.windows import UNITS, Unit, Window
from energia_plugins.console.page import View, marked
from energia_plugins.console.periods import Period
from energia_plugins.console.words import Words

_HOUR: Final = 3_600
#: The units of powers, by those of energy.
_POWERS: Final = {"kWh": "kW", "kvarh": "kvar", "kVAh": "kVA", "m3": "m³/h"}
_UNITS: Final = {"m3": "m³"}
#: How long the parts of a table are, by the longest window that has them.
_PARTS: Final = ((2 * DAY + _HOUR, "PT1H"), (100 * DAY, "P1D"), (5 * 366 * DAY, "P1M"))
#: From this highest power on one place after the comma is enough.
_FEW: Final = 10
_ROLES: Final = {
    "import": marked("Consumption"),
    "export": marked("Energy fed in"),
    "reactive_import": marked("Reactive energy"),
    "reactive_export": marked("Reactive energy fed in"),
}
_PEAKS: Final[Mapping[Unit | None, str]] = {
    "year": marked("Peak of the year:"),
    "month": marked("Peak of the month:"),
    "week": marked("Peak of the week:"),
    "day": marked("Peak of the day:"),
    None: marked("Peak:"),
}
_ARROWS: Final[Mapping[Unit | None, tuple[str, str]]] = {
    "year": (marked("The year before"), marked("The year after")),
    "month": (marked("The month before"), marked("The month after")),
    "week": (marked("The week before"), marked("The week after")),
    "day": (marked("The day before"), marked("The day after")),
    None: (marked("Before"), marked("After")),
}


def length_of_parts(window: Window) -> str:
    """Return how long the parts are that a table of a window has."""
    long = window.end - window.start
    return next(length for most, length in _PARTS if long <= most)


def power_unit(unit: str) -> str:
    """Return the unit of a power, for that of an energy."""
    return _POWERS.get(unit, unit)


def shown_unit(unit: str) -> str:
    """Return a unit as it is written: `m³`."""
    return _UNITS.get(unit, unit)


def places_of(high: float) -> int:
    """Return to how many places powers are written, by the highest of them."""
    return 1 if high >= _FEW else 2


@attrs.frozen
class Link:
    """A choice.

    Attributes:
        text: What it says.
        url: Where it leads.
        current: Whether it is what is shown.

    """

    text: str
    url: str
    current: bool


@attrs.frozen
class Bar:
    """The choices above a curve.

    Attributes:
        units: Year, month, week and day.
        title: What the window is called.
        before: The window before it, with what that is called.
        after: The window after it.
        periods: The periods of the tariff, or none.

    """

    units: list[Link]
    title: str
    before: Link
    after: Link
    periods: list[Link]


def bar(
    view: View, window: Window, latest: date, tariff: Chosen | None, shown: Chosen | None
) -> Bar:
    """Return the choices above a curve.

    Args:
        view: The page.
        window: The window.
        latest: The day of the latest reading.
        tariff: The tariff of the meter, if it is known.
        shown: The tariff whose periods are shown; None where it has none there.

    """
    units = [
        Link(view.text(name), view.same(**window.to(unit, latest).query), window.unit == unit)
        for unit, name in UNITS
    ]
    before, after = (
        Link(view.text(name), view.same(**window.moved(by).query), current=False)
        for name, by in zip(_ARROWS[window.unit], (-1, 1), strict=True)
    )
    periods = []
    if tariff is not None and (shown is not None or not tariff.shown):
        name = view.text("Periods of %(tariff)s", tariff=tariff.name)
        periods = [
            Link(name, view.same(tariff=None), tariff.shown),
            Link(view.text("No periods"), view.same(tariff="none"), not tariff.shown),
        ]
    return Bar(units, window.title(view.words), before, after, periods)


@attrs.frozen
class Answer:
    """What a section says before its picture.

    Attributes:
        peak_name: `Peak of the week:`.
        peak: The highest power; None where no power is known.
        peak_at: When.
        energy: What was used.
        shares: What of it in which period, with its quantity in words.
        missing: How many slots have no reading.
        expected: How many there have been.

    """

    peak_name: str
    peak: str | None
    peak_at: str
    energy: str
    shares: list[tuple[Period, str]]
    missing: int
    expected: int


def answer(
    words: Words, window: Window, parts: Sequence[Part], unit: str, until: Instant
) -> Answer:
    """Return what a window comes to; what has not come yet is not missing."""
    highest = max((part for part in parts if part.peak is not None), key=_peak, default=None)
    total = sum((part.energy for part in parts), Decimal(0))
    past = [part for part in parts if part.start.timestamp() < until]
    peak = highest.peak if highest else None
    return Answer(
        words.text(_PEAKS[window.unit]),
        None if peak is None else words.quantity(peak, power_unit(unit), places_of(float(peak))),
        words.moment(highest.peak_at) if highest and highest.peak_at else "",
        words.quantity(total, shown_unit(unit), energy_places(total)),
        [(share.period, energy_text(words, share)) for share in shares(words, parts)],
        sum(part.missing for part in past),
        sum(part.expected for part in past),
    )


def _peak(part: Part) -> Decimal:
    return part.peak or Decimal(0)


def energy_places(total: Decimal) -> int:
    """Return to how many places a sum of energy is written."""
    return 0 if abs(total) >= 100 or not total else 1 if abs(total) >= 10 else 2


def energy_text(words: Words, share: Share) -> str:
    """Return what was used in a period, without its unit."""
    return words.number(share.energy, energy_places(share.energy))


@attrs.frozen
class Row:
    """A row of the numbers of a curve.

    Attributes:
        name: The hour, the day or the month.
        url: The window of it alone; None for an hour.
        energy: What was used.
        periods: What of it in which period, in the order of the table's columns.
        peak: The highest power.
        peak_at: When.
        note: What is missing or estimated of it.

    """

    name: str
    url: str | None
    energy: str
    periods: list[str]
    peak: str
    peak_at: str
    note: str


def rows(
    view: View, parts: Sequence[Part], length: str, periods: Sequence[Period], until: Instant
) -> list[Row]:
    """Return the numbers of a curve, part by part, until the readings end."""
    past = [part for part in parts if part.start.timestamp() < until]
    high = max((float(part.peak) for part in past if part.peak is not None), default=0.0)
    return [_row(view, part, length, periods, places_of(high)) for part in past]


def _row(view: View, part: Part, length: str, periods: Sequence[Period], places: int) -> Row:
    words = view.words
    each = [part.periods.get(period.name) for period in periods]
    peak_at = "" if part.peak_at is None else _moment(words, part.peak_at, length)
    return Row(
        name=_name(words, part.start, length),
        url=None
        if length == "PT1H"
        else view.same(**{"from": part.start.date(), "to": part.end.date()}),
        energy=words.number(part.energy, 1),
        periods=["" if value is None else words.number(value, 1) for value in each],
        peak="" if part.peak is None else words.number(part.peak, places),
        peak_at=peak_at,
        note=_note(words, part),
    )


def _name(words: Words, start: datetime, length: str) -> str:
    if length == "PT1H":
        return words.moment(start)
    return words.day(start) if length == "P1D" else words.month(start)


def _moment(words: Words, at: datetime, length: str) -> str:
    return words.moment(at) if length == "P1M" else words.time(at)


def _note(words: Words, part: Part) -> str:
    said = []
    if part.missing:
        said.append(words.text("%(number)s missing", number=words.number(part.missing)))
    if part.estimated:
        said.append(words.text("%(number)s estimated", number=words.number(part.estimated)))
    return ", ".join(said)


@attrs.frozen
class Corrected:
    """A correction as a row says it.

    Attributes:
        when: When it was made.
        what: Which slots have changed, and how.
        who: Who made it.

    """

    when: str
    what: str
    who: str


def corrected(
    view: View, items: Sequence[Mapping[str, Any]], unit: str, zone: Any
) -> list[Corrected]:
    """Return what imports have corrected, as rows."""
    return [_corrected(view, item, unit, zone) for item in items]


def _corrected(view: View, item: Mapping[str, Any], unit: str, zone: Any) -> Corrected:
    words = view.words
    at = datetime.fromisoformat(item["recorded_at"]).astimezone(zone)
    start, end = (datetime.fromisoformat(item[name]) for name in ("start", "end"))
    same = start.date() == end.date()
    until = words.time(end) if same else words.moment(end)
    window = words.text("%(first)s to %(last)s", first=words.moment(start), last=until)
    change = Decimal(item["after"]["value"]) - Decimal(item["before"]["value"])
    slots = words.count("%(num)s interval", "%(num)s intervals", item["slots"])
    said = [f"{window}: {slots}{_qualities(view, item)}"]
    if change:
        said.append(f"{words.signed(change, 2)}\N{NO-BREAK SPACE}{shown_unit(unit)}")
    return Corrected(words.moment(at), ", ".join(said), caller(words, item))


def _qualities(view: View, item: Mapping[str, Any]) -> str:
    """Return from which quality to which slots have changed, where that is plain."""
    before, after = item["before"]["qualities"], item["after"]["qualities"]
    if len(before) != 1 or len(after) != 1 or before.keys() == after.keys():
        return ""
    (was,), (has,) = before, after
    names = quality_names(view)
    return ", " + view.text("%(was)s before, now %(now)s", was=names[was], now=names[has])


def quality_names(view: View) -> dict[str, str]:
    """Return what the qualities of readings are called."""
    return {
        "actual": view.text("read"),
        "validated": view.text("validated"),
        "derived": view.text("derived"),
        "substituted": view.text("substituted"),
        "provisional": view.text("provisional"),
        "estimated": view.text("estimated"),
        "forecast": view.text("forecast"),
        "questionable": view.text("questionable"),
        "missing": view.text("no reading"),
    }


def role_name(view: View, channel: Mapping[str, Any]) -> str:
    """Return what a channel measures, in words."""
    reactive = channel["quantity"] == "reactive_energy"
    role = f"reactive_{channel['direction']}" if reactive else channel["direction"]
    return view.text(_ROLES[role])


def plot(view: View, ids: Mapping[str, str], load: Curve, shown: Chosen | None) -> str:
    """Return what a script needs to draw the curve of other windows, as JSON."""
    split = {} if shown is None else split_by(shown)
    periods = {
        name: {"key": period.key, "letter": period.letter} for name, period in load.periods.items()
    }
    said = {
        "usage": view.url(f"/v1/meters/{ids['meter']}/usage", channel=ids["channel"]),
        "start": load.window.start,
        "end": load.window.end,
        "until": load.until,
        "zone": load.window.zone.name,
        "interval": load.slots.interval,
        "limits": list(load.limits),
        "unit": load.unit,
        "places": load.places,
        "periods": periods,
        "split": split,
        "words": _plot_words(view, load),
    }
    return json.dumps(said, ensure_ascii=False)


def _plot_words(view: View, load: Curve) -> dict[str, str]:
    return {
        "in": view.text("Zoom in"),
        "out": view.text("Zoom out"),
        "title": view.text("Load curve"),
        "none": view.text("no reading"),
        "slots": view.text("average of %(length)s", length=length_of_slot(load.slots.interval)),
        "day": view.text("highest of each day; grey: its average"),
        "hour": view.text("highest of each hour; grey: its average"),
        "parts": view.text("highest of each %(length)s; grey: their average", length="{length}"),
    }
