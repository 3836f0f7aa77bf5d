"""Windows, slots and pictures of a load, by themselves."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from energia.time import DAY, Zone, instant_of
from energia_plugins.console.load.coverage import Coverage
from energia_plugins.console.load.curve import grain_of
from energia_plugins.console.load.duration import Duration
from energia_plugins.console.load.habits import Habits, averages, draw, scale
from energia_plugins.console.load.slots import Run, Slots
from energia_plugins.console.load.tariff import Chosen, Limit, Part, joined, shaded
from energia_plugins.console.load.windows import Unit, Window
from energia_plugins.console.words import words

ENGLISH, PORTUGUESE = words("en"), words("pt-BR")
PARIS = Zone.named("Europe/Paris")
LATEST = date(2026, 11, 30)


def asked(start: str, end: str) -> Window:
    """Return the window of a URL."""
    return Window.asked(PARIS, {"from": start, "to": end}, LATEST)


@pytest.mark.parametrize(
    ("start", "end", "unit", "title"),
    [
        ("2026-11-30", "2026-12-01", "day", "Mon, 30 Nov 2026"),
        ("2026-11-02", "2026-11-09", "week", "2 to 8 Nov 2026"),
        ("2026-10-29", "2026-11-05", "week", "29 Oct to 4 Nov 2026"),
        ("2026-11-01", "2026-12-01", "month", "November 2026"),
        ("2025-12-01", "2026-12-01", "year", "Dec 2025 to Nov 2026"),
        ("2026-11-02", "2026-11-05", None, "2 to 4 Nov 2026"),
        ("2025-11-02", "2026-11-05", None, "2 Nov 2025 to 4 Nov 2026"),
        ("2026-11-02T08:00:00+01:00", "2026-11-02T20:00:00+01:00", None, None),
    ],
)
def test_windows(start: str, end: str, unit: Unit | None, title: str | None) -> None:
    """A window is called what a calendar calls it, and its URL says it again."""
    found = asked(start, end)
    assert found.unit == unit
    assert found.query == {"from": start, "to": end}
    if title is not None:
        assert found.title(ENGLISH).replace("\N{NO-BREAK SPACE}", " ") == title


def test_moved() -> None:
    """The window before and the one after are as long as the calendar has them."""
    march = asked("2026-03-01", "2026-04-01")
    assert march.moved(-1) == asked("2026-02-01", "2026-03-01")
    assert march.moved(1) == asked("2026-04-01", "2026-05-01")
    # The clocks change on the 29th: a day of 23 hours.
    day = asked("2026-03-28", "2026-03-29").moved(1)
    assert (day.end - day.start, day.unit) == (23 * 3_600, "day")
    year = asked("2025-12-01", "2026-12-01")
    assert year.moved(-1) == asked("2024-12-01", "2025-12-01")
    assert asked("2026-11-02", "2026-11-09").moved(1) == asked("2026-11-09", "2026-11-16")
    some = asked("2026-11-02", "2026-11-05")
    assert some.moved(1).query == {"from": "2026-11-05", "to": "2026-11-08"}


def test_other_units() -> None:
    """From a year one comes to the month, week or day of the latest reading in it."""
    year = asked("2025-12-01", "2026-12-01")
    assert year.to("month", LATEST) == asked("2026-11-01", "2026-12-01")
    assert year.to("day", LATEST) == asked("2026-11-30", "2026-12-01")
    assert asked("2026-03-02", "2026-03-09").to("day", LATEST) == asked("2026-03-08", "2026-03-09")


@pytest.mark.parametrize("query", [{}, {"from": "2026-11-02"}, {"from": "x", "to": "y"}])
def test_no_window(query: dict[str, str]) -> None:
    """What is no window is the seven days to the latest reading."""
    found = Window.asked(PARIS, query, LATEST)
    assert (found.first, found.last, found.unit) == (date(2026, 11, 24), LATEST, "week")


def slots(values: list[float | None], quality: list[dict[str, Any]]) -> Slots:
    """Return quarter-hours from 2026-03-02 on, as the API answers."""
    start = "2026-03-02T00:00:00+00:00"
    return Slots.of({"interval": "PT15M", "start": start, "values": values, "quality": quality})


def runs(*codes: tuple[int, int, str]) -> list[dict[str, Any]]:
    """Return qualities as the API has them."""
    return [{"from": begin, "to": past, "code": code} for begin, past, code in codes]


def test_slots() -> None:
    """Slots become powers; the highest is found, and what is marked, in any part of them."""
    some = slots(
        [1, 2, None, 4, 3, None],
        runs(
            (0, 2, "actual"),
            (2, 3, "missing"),
            (3, 4, "estimated"),
            (4, 5, "substituted"),
            (5, 6, "missing"),
        ),
    )
    start = some.start

    assert some.powers == [4, 8, None, 16, 12, None]
    assert str(some.peak) == str((start + 2_700, 16.0))
    assert (some.first, some.last) == (start, start + 5 * 900)
    assert some.marked() == [
        Run(start + 1_800, start + 2_700, "missing", 1),
        Run(start + 2_700, start + 4_500, "estimated", 2),
        Run(start + 4_500, start + 5_400, "missing", 1),
    ]
    part = some.within(start + 2_700, start + 4_500)
    assert (part.start, part.powers) == (start + 2_700, [16, 12])
    assert part.marked() == [Run(start + 2_700, start + 4_500, "estimated", 2)]
    (step,) = some.steps([start, start + 3_600])
    assert step.peak == 16
    assert step.mean == pytest.approx(28 / 3)


def test_no_slots() -> None:
    """Without any reading there is nothing to mark, and no peak."""
    none = slots([None, None], runs((0, 2, "missing")))
    covered = Coverage.of(none)
    assert [none.peak, none.mean] == [None, None]
    assert [covered.expected, covered.share, covered.runs] == [0, 0.0, ()]


def test_coverage() -> None:
    """What was read counts from the first reading to the last; nearly all of it is not all."""
    values: list[float | None] = [1.0] * 2_000
    values[1_000] = None
    quality = runs((0, 1_000, "actual"), (1_000, 1_001, "missing"), (1_001, 2_000, "actual"))
    covered = Coverage.of(slots([None, *values], quality_after(quality)))
    assert (covered.expected, covered.missing, covered.share) == (2_000, 1, 0.999)
    assert [each.letter for each in covered.listed] == ["a"]


def quality_after(quality: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return qualities that come after a slot without a reading."""
    later = [{**run, "from": run["from"] + 1, "to": run["to"] + 1} for run in quality]
    return [*runs((0, 1, "missing")), *later]


@pytest.mark.parametrize(
    ("days", "width", "grain"),
    [(7, 1_074, 900), (31, 1_074, 3_600), (31, 312, 10_800), (365, 1_074, DAY), (1, 312, 900)],
)
def test_grain(days: int, width: int, grain: int) -> None:
    """Steps are as short as there are pixels for them."""
    first = PARIS.midnight(date(2026, 5, 1))
    assert grain_of(Window(PARIS, first, first + days * DAY), 900, width) == grain


def test_duration() -> None:
    """Powers are in the order of their height, with hours above a limit and the load factor."""
    some = Duration.of(slots([1, 2, None, 3, 2], runs((0, 5, "actual"))))
    assert some.powers == [12, 8, 8, 4]
    assert (some.at(0), some.at(0.5), some.at(1)) == (12, 8, 4)
    assert some.hours_above(8) == 0.25
    assert some.factor == pytest.approx(8 / 12)


def part(start: datetime, energy: str = "1", missing: int = 0, period: str = "") -> Part:
    """Return an hour."""
    each = {period: Decimal(energy)} if period else {}
    end = start + timedelta(hours=1)
    return Part(start, end, Decimal(energy), missing, 0, 4, each, None, None)


def test_strips() -> None:
    """Hours of one period that follow each other are one strip; the longest is the ground."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    names = ["off"] * 4 + ["peak"] * 2 + ["off"]
    hours = [part(start + timedelta(hours=index), period=name) for index, name in enumerate(names)]
    strips = joined(hours)
    assert [strip.name for strip in strips] == ["off", "peak", "off"]
    (peak,) = shaded(strips)
    assert (peak.start, peak.end) == (instant_of(start) + 4 * 3_600, instant_of(start) + 6 * 3_600)


def test_hour_with_gaps() -> None:
    """The power of an hour is that of the slots that were read; without any there is none."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    assert part(start, "1", missing=2).power == 2
    assert part(start, "0", missing=4).power is None


def test_no_label_of_habits_is_cut_off() -> None:
    """A Monday at the right edge has its mark, and no date that would end outside the picture."""
    first = datetime(2026, 11, 11, tzinfo=UTC)
    hours = [part(first + timedelta(days=day)) for day in range(21)]
    drawn = str(draw(Habits.of(PORTUGUESE, hours, {}, "kW"), 358, "x"))
    assert "23\N{NO-BREAK SPACE}nov." in drawn
    assert "30\N{NO-BREAK SPACE}nov." not in drawn
    assert drawn.count('class="axis"') == 3


@pytest.mark.parametrize(("high", "apart"), [("24", 26), ("1.5", 33), ("0.075", 40)])
def test_powers_of_the_legend_of_habits_do_not_touch(high: str, apart: int) -> None:
    """A depth is as wide as the longest of the powers below: 0.25 and 0.5 were one number."""
    hours = [part(datetime(2026, 3, 2, tzinfo=UTC), high)]
    drawn = str(scale(Habits.of(ENGLISH, hours, {}, "kW")))
    assert f'x="{20 + apart}"' in drawn
    assert f'width="{20 + 6 * apart + 44}"' in drawn


def test_habits_when_clocks_change() -> None:
    """The hour that comes twice has two cells of half the height; the skipped one has none."""
    for day, count, halves in ((date(2026, 10, 25), 25, 2), (date(2026, 3, 29), 23, 0)):
        begin = PARIS.midnight(day)
        hours = [part(PARIS.datetime(begin + index * 3_600)) for index in range(count)]
        drawn = str(draw(Habits.of(ENGLISH, hours, {}, "kW"), 358, "x"))
        assert drawn.count('class="n') == count
        assert drawn.count('height="4.5"') == halves


def test_averages() -> None:
    """Working days and weekends have averages of their own."""
    monday, sunday = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    first = averages([part(monday, "2"), part(sunday, "6")])[0]
    assert (first.weekdays, first.weekend) == (2, 6)


def test_contracted() -> None:
    """The contracted demand is what the tariff states, for each period or taken of the contract."""
    for contracted, parameters, limits in (
        ("40", {}, [Limit(Decimal(40))]),
        ({"parameter": "kw"}, {"kw": 55}, [Limit(Decimal(55))]),
        ({"parameter": "kw"}, {}, []),
        ({"p": "30", "f": "40"}, {}, [Limit(Decimal(30), "p"), Limit(Decimal(40), "f")]),
    ):
        charge = {"kind": "demand.contracted", "contracted": contracted}
        version = {"valid_from": "2026-01-01", "charges": [charge]}
        tariff = {"id": "t", "name": "T", "versions": [version]}
        assert list(Chosen.of(tariff, parameters, LATEST).limits) == limits
