"""The page of a meter: its load curve, its habits, how long which load lasts, its coverage."""

import asyncio
import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any, Final

import attrs
from aiohttp import hdrs, web

from energia import SCOPES, NotFound, Routes
from energia.time import Zone, instant_of
from energia.web.panels import Subject
from energia.web.resources import MeterId
from energia.web.routes import Query
from energia.work import off_loop
from energia_plugins.console.load import coverage, curve, duration, habits, page, tariff
from energia_plugins.console.load.slots import Slots, length_of_slot
from energia_plugins.console.load.tariff import Chosen, Part, Strip, Usage
from energia_plugins.console.load.windows import Window, title_of_days
from energia_plugins.console.page import View
from energia_plugins.console.panels import panels_of
from energia_plugins.console.periods import Period, periods_of
from energia_plugins.console.svg import both

#: The most slots of a window that a page looks at: seven years of quarter-hours. With those of its
#: year, they are no more than one answer of the API has.
_MOST: Final = 250_000
#: The most that a load-duration curve is made of; of shorter slots it is of fewer months.
_HISTORY: Final = 100_000

routes = Routes(reads=tuple(SCOPES), documented=False)


@attrs.frozen
class Channel:
    """The channel that is shown.

    Attributes:
        meter: Its meter, as the API has it.
        site: The site, as the API has it.
        declared: The channel, as the API has it.
        state: What is stored of it.

    """

    meter: Mapping[str, Any]
    site: Mapping[str, Any]
    declared: Mapping[str, Any]
    state: Mapping[str, Any]

    @property
    def ids(self) -> dict[str, str]:
        """What the API is asked by."""
        return {"meter": self.meter["id"], "channel": self.declared["id"]}

    @property
    def zone(self) -> Zone:
        """The zone of the site."""
        return Zone.named(self.site["timezone"])

    @property
    def unit(self) -> str:
        """The unit of its readings."""
        return str(self.state["unit"])

    @property
    def has_slots(self) -> bool:
        """Whether it has slots; else it is known from day to day."""
        return "interval" in self.declared

    @property
    def last(self) -> datetime | None:
        """When the newest reading ends."""
        text = self.state["last"]
        return None if text is None else datetime.fromisoformat(text)

    @property
    def latest(self) -> date:
        """The day of the latest reading."""
        assert self.last is not None
        return (self.last - timedelta(seconds=1)).date()


async def _channel(view: View, meter_id: str, wanted: str | None) -> Channel:
    """Return the channel that is shown; raises `NotFound`."""
    meter, states = await asyncio.gather(
        view.api.call("get_meter", meter=meter_id),
        view.api.call("list_channels", meters=[meter_id]),
    )
    site = await view.api.call("get_site", site=meter["site"])
    declared = next((one for one in meter["channels"] if wanted in (None, one["id"])), None)
    if declared is None:
        raise NotFound(f"the meter {meter_id!r} has no channel {wanted!r}")
    state = next(one for one in states["channels"] if one["channel"] == declared["id"])
    return Channel(meter, site, declared, state)


@routes.get("/console/meters/{meter}", produces=("text/html",))
async def show_meter(meter: MeterId, request: web.Request, query: Query) -> web.Response:
    """Show a meter in a window."""
    view = View.of(request)
    channel = await _channel(view, meter, query.get("channel"))
    shown: dict[str, Any] = {
        "meter": channel.meter,
        "name": channel.meter.get("name") or meter,
        "channel": channel,
        "head": _head(view, channel),
    }
    if channel.last is None:
        return view.page("meter_empty.html", place="meters", **shown)
    window = Window.asked(channel.zone, query, channel.latest)
    return view.page("meter.html", place="meters", **shown, **await _shown(view, channel, window))


async def _shown(view: View, channel: Channel, window: Window) -> dict[str, Any]:
    """Return what the template shows of a window."""
    asked = view.request.query.get("tariff")
    chosen = await tariff.tariff_of(view.api, channel.ids["meter"], asked, window)
    if not channel.has_slots:
        return await _by_days(view, channel, window)
    interval = Slots.interval_of(channel.declared)
    if (window.end - window.start) // interval > _MOST:
        window = Window.around(channel.zone, "day", channel.latest)
    found = await _found(view, channel, window, chosen, interval)
    sections = await off_loop(_sections, view, channel, found)
    about = Subject(
        site=channel.site["id"],
        meter=channel.ids["meter"],
        start=window.first,
        end=window.last + timedelta(days=1),
    )
    return {**sections, "panels": await panels_of(view, "meter", about)}


@attrs.frozen(kw_only=True)
class Found:
    """What the API says of a channel for its page.

    Attributes:
        window: The window.
        history: The months of which coverage and duration are.
        chosen: The tariff, whether or not its periods are shown.
        slots: The readings of both.
        table: The usage of the window, part by part.
        hours: The usage of the days of the habits.
        strips: When which period is.
        corrections: What imports have corrected, a page of it; None where that may not be seen.

    """

    window: Window
    history: Window
    chosen: Chosen | None
    slots: Slots
    table: Usage
    hours: Usage
    strips: Sequence[Strip]
    corrections: Mapping[str, Any] | None


async def _found(
    view: View, channel: Channel, window: Window, chosen: Chosen | None, interval: int
) -> Found:
    history = _history(window, channel.latest, interval)
    all_of_it = Window(window.zone, min(window.start, history.start), max(window.end, history.end))
    first, past = habits.shown_days(interval, min(window.last, max(channel.latest, window.first)))
    days = Window(window.zone, window.zone.midnight(first), window.zone.midnight(past))
    until, length = instant_of(channel.last) if channel.last else 0, page.length_of_parts(window)
    slots, table, hours, corrections = await asyncio.gather(
        _slots(view, channel, all_of_it),
        tariff.usage(view.api, channel.ids, window.until(until), length, chosen),
        tariff.usage(view.api, channel.ids, days.until(until), "PT1H", chosen),
        _corrections(view, channel, history),
    )
    strips: Sequence[Strip] = ()
    if window.end - window.start <= tariff.SHADED:
        strips = await tariff.strips(view.api, channel.ids, window, hours, interval)
    return Found(
        window=window,
        history=history,
        chosen=chosen,
        slots=slots,
        table=table,
        hours=hours,
        strips=tariff.shaded(strips),
        corrections=corrections,
    )


async def _by_days(view: View, channel: Channel, window: Window) -> dict[str, Any]:
    """Return what is shown of a channel that has no slots: sums of days or months."""
    if window.unit == "day":
        window = Window.around(channel.zone, "week", window.first)
    length = page.length_of_parts(window).replace("PT1H", "P1D")
    found = await tariff.usage(view.api, channel.ids, window, length, None)
    until = instant_of(channel.last) if channel.last else window.start
    rows = page.rows(view, found.parts, length, (), until)
    unit = page.shown_unit(channel.unit)
    return {
        "window": window,
        "bar": page.bar(view, window, channel.latest, None, None),
        "answer": page.answer(view.words, window, found.parts, channel.unit, until),
        "load": None,
        "table": {"length": length, "periods": [], "unit": unit, "power": None, "rows": rows},
    }


def _history(window: Window, latest: date, interval: int) -> Window:
    """Return the year of a window; a shorter time where slots are so short that it has too many."""
    day = max(window.first, min(window.last, latest))
    for unit in ("year", "month", "week"):
        found = Window.around(window.zone, unit, day)
        if (found.end - found.start) // interval <= _HISTORY:
            return found
    return Window.around(window.zone, "day", day)


async def _slots(view: View, channel: Channel, window: Window) -> Slots:
    return Slots.of(await view.api.call("get_readings", **channel.ids, **tariff.span(window)))


async def _corrections(view: View, channel: Channel, window: Window) -> Mapping[str, Any] | None:
    if channel.declared["kind"] != "interval":
        return None
    found: Mapping[str, Any] = await view.api.call(
        "list_reading_corrections", **channel.ids, **tariff.span(window), limit="1000"
    )
    return found


def _head(view: View, channel: Channel) -> str:
    """Return what is measured, how often, and how fresh it is."""
    words, role = view.words, page.role_name(view, channel.declared)
    unit = page.shown_unit(channel.unit)
    said = view.text("%(role)s, %(unit)s", role=role, unit=unit)
    if channel.has_slots:
        length = length_of_slot(Slots.interval_of(channel.declared))
        said = view.text("%(role)s, %(unit)s each %(length)s", role=role, unit=unit, length=length)
    if channel.last is None:
        return said
    year = channel.last.year != view.api.core.clock.now().year
    at = words.moment(channel.last, year=year)
    return f"{said} · " + view.text("last reading %(moment)s", moment=at)


def _sections(view: View, channel: Channel, found: Found) -> dict[str, Any]:
    words, window = view.words, found.window
    unit = page.power_unit(channel.unit)
    inside = found.slots.within(window.start, window.end)
    history = found.slots.within(found.history.start, found.history.end)
    until = instant_of(channel.last) if channel.last else window.start
    names = [strip.name for strip in found.strips]
    names += [name for part in (*found.table.parts, *found.hours.parts) for name in part.periods]
    periods = {period.name: period for period in periods_of(words, names)}
    high = inside.peak[1] if inside.peak else 0.0
    limits = [float(limit.value) for limit in found.chosen.limits] if found.chosen else []
    load = curve.Curve(
        words=words,
        window=window,
        slots=inside,
        until=until,
        strips=found.strips,
        periods=periods,
        limits=limits,
        unit=unit,
        places=page.places_of(high),
    )
    return {
        "window": window,
        "bar": page.bar(view, window, channel.latest, found.chosen, found.table.tariff),
        "answer": page.answer(words, window, found.table.parts, channel.unit, until),
        "curve": load,
        "load": both(*curve.widths(load)),
        "plot": page.plot(view, channel.ids, load, found.table.tariff),
        "limits": [load.power(limit) for limit in limits],
        "legend": [period for period in periods.values() if period.name in names],
        "shaded": _shaded(found.strips, periods),
        "marks": {run.kind for run in inside.marked() if run.start < until},
        "habits_marks": _marks(found.hours.parts),
        "table": _table(view, found, until, channel.unit),
        **_habits(view, found, periods, unit),
        **_duration(view, found, history, limits, unit),
        **_coverage(view, channel, found, history),
    }


def _shaded(strips: Sequence[Strip], periods: Mapping[str, Period]) -> list[tuple[str, str, str]]:
    """Return the periods that are shaded, as a legend shows them."""
    names = {strip.name for strip in strips}
    return [period.entry for name, period in periods.items() if name in names]


def _marks(parts: Sequence[Part]) -> set[str]:
    """Return what is marked in some parts."""
    missing = any(part.missing for part in parts)
    estimated = any(part.estimated for part in parts)
    return {name for name, is_there in (("missing", missing), ("estimated", estimated)) if is_there}


def _table(view: View, found: Found, until: int, unit: str) -> dict[str, Any]:
    length = page.length_of_parts(found.window)
    names = [name for part in found.table.parts for name in part.periods]
    periods = periods_of(view.words, names)
    return {
        "length": length,
        "periods": periods,
        "unit": page.shown_unit(unit),
        "power": page.power_unit(unit),
        "rows": page.rows(view, found.table.parts, length, periods, until),
    }


def _habits(view: View, found: Found, periods: dict[str, Period], unit: str) -> dict[str, Any]:
    shown = habits.Habits.of(view.words, found.hours.parts, periods, unit)
    days = Window(
        found.window.zone,
        instant_of(found.hours.parts[0].start),
        instant_of(found.hours.parts[-1].end),
    )
    averages = habits.averages(found.hours.parts)
    there = [one for one in averages if one.weekdays is not None]
    return {
        "habits": both(*habits.widths(shown)),
        "habits_scale": habits.scale(shown),
        "habits_days": title_of_days(view.words, days),
        "averages": averages,
        "highest": max(there, key=lambda one: one.weekdays or 0.0, default=None),
        "lowest": min(there, key=lambda one: one.weekdays or 0.0, default=None),
        "power_unit": unit,
    }


def _duration(
    view: View, found: Found, history: Slots, limits: list[float], unit: str
) -> dict[str, Any]:
    powers = duration.Duration.of(history)
    if not powers.powers:
        return {"duration": None}
    places = page.places_of(powers.powers[0])
    shown = duration.Shown(view.words, powers, limits, unit, places)
    return {
        "duration": duration.draw(shown),
        "duration_of": found.history.title(view.words),
        "highest_power": shown.power(powers.powers[0]),
        "factor": powers.factor,
        "durations": [(share, shown.power(powers.at(share))) for share in duration.SHARES],
        "above": [(shown.power(limit), powers.hours_above(limit)) for limit in limits],
    }


def _coverage(view: View, channel: Channel, found: Found, history: Slots) -> dict[str, Any]:
    covered = coverage.Coverage.of(history)
    zone = channel.zone
    corrections = found.corrections
    return {
        "covered": covered,
        "covered_since": view.words.day(zone.datetime(covered.start), year=True),
        "coverage": both(*coverage.widths(view.words, covered, found.history)),
        "next_day": _next_day,
        "gaps": [
            (each.letter, each.run, zone.datetime(each.run.start), zone.datetime(each.run.end))
            for each in covered.listed
        ],
        "corrections": None
        if corrections is None
        else page.corrected(view, corrections["items"], channel.unit, zone.tzinfo),
        "has_other_imports": corrections is not None and corrections["next"] is not None,
    }


def _next_day(end: datetime) -> date:
    """Return the day after the one in which something ends."""
    return (end - timedelta(seconds=1)).date() + timedelta(days=1)


# The readings as a file.


@routes.get("/console/meters/{meter}/readings.csv", produces=("text/csv",))
async def download_readings(meter: MeterId, request: web.Request, query: Query) -> web.Response:
    """Give the readings of a window as a table, with the marks of the language."""
    view = View.of(request)
    channel = await _channel(view, meter, query.get("channel"))
    if channel.last is None or not channel.has_slots:
        raise NotFound(f"the meter {meter!r} has no readings of slots")
    window = Window.asked(channel.zone, query, channel.latest)
    readings = await view.api.call("get_readings", **channel.ids, **tariff.span(window))
    name = f"{meter}-{window.first}-{window.last}.csv"
    headers = {
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
        hdrs.CACHE_CONTROL: "no-store",
    }
    text = _csv(view, channel, readings)
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


def _csv(view: View, channel: Channel, readings: Mapping[str, Any]) -> str:
    """Return readings as rows: with semicolons and decimal commas where people write so."""
    is_portuguese = view.words.language == "pt-BR"
    file = StringIO()
    table = csv.writer(file, delimiter=";" if is_portuguese else ",", lineterminator="\r\n")
    table.writerow(["start", "value", "unit", "quality"])
    start = instant_of(datetime.fromisoformat(readings["start"]))
    interval = Slots.interval_of(readings)
    qualities = [code for run in readings["quality"] for code in [run["code"]] * _length(run)]
    for index, (value, quality) in enumerate(zip(readings["values"], qualities, strict=True)):
        at = channel.zone.datetime(start + index * interval)
        text = "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")
        number = text.replace(".", ",") if is_portuguese else text
        table.writerow([at.isoformat(), number, readings["unit"], quality])
    return file.getvalue()


def _length(run: Mapping[str, int]) -> int:
    return run["to"] - run["from"]
