"""A tariff, shaped for its page: weeks, charges, prices ahead, versions, corrections."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import attrs
from markupsafe import Markup

from energia_plugins.console.faults import Meaning
from energia_plugins.console.page import View, marked
from energia_plugins.console.periods import Period, periods_of
from energia_plugins.console.tariff.pictures import Curve, Week
from energia_plugins.console.tariff.rates import Charged, charged
from energia_plugins.console.tariff.versions import Changed, changes
from energia_plugins.console.tariff.week import Kind, Part, Span, schedules, weeks
from energia_plugins.console.words import NBSP, capital

Json = Mapping[str, Any]
_DASH: Final = "\N{EN DASH}"
_DAYS: Final = (
    marked("Monday"),
    marked("Tuesday"),
    marked("Wednesday"),
    marked("Thursday"),
    marked("Friday"),
    marked("Saturday"),
    marked("Sunday"),
)
_SHORT: Final = (
    marked("Mon"),
    marked("Tue"),
    marked("Wed"),
    marked("Thu"),
    marked("Fri"),
    marked("Sat"),
    marked("Sun"),
)


def versions_of(tariff: Json) -> list[Json]:
    """Return the versions of a tariff, the oldest first."""
    return sorted(tariff["versions"], key=lambda version: str(version["valid_from"]))


def in_force(tariff: Json, today: date) -> Json:
    """Return the version that is in force today; else the next one, or the last."""
    found = versions_of(tariff)
    for version in found:
        if (version.get("valid_to") or "9999") > today.isoformat():
            return version
    return found[-1]


# Periods of the week.


@attrs.frozen
class Sentence:
    """When a period is on some days.

    Attributes:
        days: The days.
        times: The periods of the day, in their order: a period, and from when to when.

    """

    days: str
    times: tuple[tuple[Period | None, str], ...]


@attrs.frozen
class PartOfYear:
    """Part of a year, with its week.

    Attributes:
        when: From when to when; empty for all of it.
        picture: The week.
        sentences: The same in words.

    """

    when: str
    picture: Markup
    sentences: tuple[Sentence, ...]


@attrs.frozen
class Times:
    """A schedule.

    Attributes:
        of: What charges have it.
        periods: Its periods, peak first.
        answer: When its first period is, in a sentence.
        parts: The parts of the year.
        clock: The clock, where it is not the local one.

    """

    of: str
    periods: tuple[Period, ...]
    answer: str
    parts: tuple[PartOfYear, ...]
    clock: str


def times(view: View, version: Json, year: int) -> list[Times]:
    """Return the schedules of a version that differ."""
    return [
        _times(view, schedule, charges, version, year) for schedule, charges in schedules(version)
    ]


def _times(view: View, schedule: Json, charges: Sequence[Json], version: Json, year: int) -> Times:
    found = weeks(schedule, version, year)
    names = [name for part in found for name in part.periods]
    periods = tuple(periods_of(view.words, names))
    titles = [charged(view.words, "", charge).title for charge in charges]
    parts = tuple(_part(view, part, periods) for part in found)
    clock = str(schedule.get("clock") or "local")
    return Times(
        of=", ".join(dict.fromkeys(titles)),
        periods=periods,
        answer=_answer(view, found, periods),
        parts=parts,
        clock="" if clock == "local" else clock,
    )


def _part(view: View, part: Part, periods: Sequence[Period]) -> PartOfYear:
    by_name = {period.name: period for period in periods}
    when = when_text(view, part)
    sentences = tuple(
        Sentence(
            capital(_days(view, kinds)),
            tuple((by_name.get(span.period), _clocks(span)) for span in spans),
        )
        for kinds, spans in part.alike()
    )
    said = "; ".join(
        f"{one.days}: "
        + ", ".join(f"{period.label if period else '?'} {clock}" for period, clock in one.times)
        for one in sentences
    )
    title = view.text("The week, hour by hour")
    days = [_short_day(view, row.kind) for row in part.rows]
    picture = Week(part, days, by_name, f"{title}{f', {when}' if when else ''}", said).picture()
    return PartOfYear(capital(when), picture, sentences)


def when_text(view: View, part: Part) -> str:
    """Return when a part of the year is; nothing for all of it."""
    return view.text(" and ").join(
        view.text("%(first)s to %(last)s", first=view.words.day(first), last=view.words.day(last))
        for first, last in part.ranges
    )


def _answer(view: View, parts: Sequence[Part], periods: Sequence[Period]) -> str:
    """Return when the first of the periods is: the dearest, as far as its name tells."""
    if len(periods) < 2:  # noqa: PLR2004: of one there is nothing to tell
        return view.text("One period at all times.")
    period, said = periods[0], []
    for part in parts:
        for kinds, spans in part.alike():
            clocks = [_clocks(span) for span in spans if span.period == period.name]
            if clocks:
                words = [view.text(" and ").join(clocks), _days(view, kinds), when_text(view, part)]
                said.append(", ".join(filter(None, words)))
    return f"{capital(period.label)}: {'; '.join(said)}."


def _clocks(span: Span) -> str:
    return f"{_clock(span.start)}{NBSP}{_DASH}{NBSP}{_clock(span.end)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _days(view: View, kinds: Sequence[Kind]) -> str:
    """Return days of the week that follow each other: `Monday to Friday`."""
    plain = [kind for kind in kinds if kind.special is None]
    special = [_day(view, kind) for kind in kinds if kind.special is not None]
    if len(plain) == len(_DAYS):
        return (
            ", ".join([view.text("every day"), *special])
            if not special
            else view.text("every day, %(others)s too", others=", ".join(special))
        )
    if len(plain) > 2:  # noqa: PLR2004: two are told one by one
        named = [
            view.text(
                "%(first)s to %(last)s", first=_day(view, plain[0]), last=_day(view, plain[-1])
            )
        ]
    else:
        named = [_day(view, kind) for kind in plain]
    return view.text(" and ").join([*named, *special])


def _day(view: View, kind: Kind) -> str:
    if kind.special is not None:
        return view.text("holidays") if kind.special == "holiday" else kind.special
    return view.text(_DAYS[kind.weekday])


def _short_day(view: View, kind: Kind) -> str:
    if kind.special == "holiday":
        return view.text("Holiday")
    return kind.special or view.text(_SHORT[kind.weekday])


# Prices ahead.


@attrs.frozen
class Ahead:
    """The prices of the coming days.

    Attributes:
        now: What a unit costs now.
        low: The lowest price, and when it is first.
        high: The highest.
        unit: What is priced.
        picture: The prices.
        rows: A row for each change: when, the price, the period.
        without: What is not in the prices.

    """

    now: str
    low: tuple[str, str]
    high: tuple[str, str]
    unit: str
    picture: Markup
    rows: tuple[tuple[str, str, str], ...]
    without: tuple[Meaning, ...]

    @property
    def is_flat(self) -> bool:
        """Whether the price does not change."""
        return self.low[0] == self.high[0]


def ahead(view: View, answer: Json, now: datetime) -> Ahead | None:
    """Return the prices of the coming days, as the API has them; None where none is known."""
    slots: list[Json] = answer["data"]
    if not slots:
        return None
    words, currency = view.words, unit_text(view, answer)
    lowest = min(slots, key=lambda one: Decimal(one["price"]))
    highest = max(slots, key=lambda one: Decimal(one["price"]))
    current = next((one for one in slots if datetime.fromisoformat(one["end"]) > now), slots[0])

    def told(slot: Json) -> tuple[str, str]:
        places = max(2, len(slot["price"].partition(".")[2]))
        price = words.money(slot["price"], answer["currency"], places)
        return f"{price}/{answer['unit']}", words.moment(slot["start"])

    names = [str(one["period"]) for one in slots if one.get("period")]
    labels = {period.name: period.label for period in periods_of(words, names)}
    rows = tuple(
        (
            words.moment(one["start"]),
            words.number(one["price"]),
            labels.get(one.get("period") or "", ""),
        )
        for before, one in zip([None, *slots], slots, strict=False)
        if before is None or before["price"] != one["price"]
    )
    description = view.text(
        "Lowest %(low)s, highest %(high)s.", low=told(lowest)[0], high=told(highest)[0]
    )
    curve = Curve(words, slots, view.text("Price of each slot ahead"), currency, description)
    return Ahead(
        now=told(current)[0],
        low=told(lowest),
        high=told(highest),
        unit=currency,
        picture=curve.picture(),
        rows=rows,
        without=tuple(Meaning.of(words, one) for one in answer["assumptions"]),
    )


def unit_text(view: View, answer: Json) -> str:
    """Return what a price is of: `R$/kWh`."""
    return f"{view.words.symbol(answer['currency'])}/{answer['unit']}"


# Versions.


@attrs.frozen
class Entry:
    """A version in the timeline.

    Attributes:
        start: When it becomes valid.
        end: The day after its last; None if it has no end.
        is_now: Whether it is in force.
        changes: What is otherwise than in the one before; none of the first.
        is_first: Whether there is none before.

    """

    start: str
    end: str | None
    is_now: bool
    changes: tuple[Changed, ...]
    is_first: bool


def timeline(view: View, tariff: Json, today: date) -> list[Entry]:
    """Return the versions, the newest first, each with what it changes."""
    found, entries = versions_of(tariff), list[Entry]()
    for before, version in zip([None, *found], found, strict=False):
        changed = () if before is None else tuple(changes(view.words, before, version))
        start, end = str(version["valid_from"]), version.get("valid_to")
        is_now = start <= today.isoformat() < (end or "9999")
        entries.append(Entry(start, end, is_now, changed, before is None))
    return entries[::-1]


def rates(view: View, tariff: Json, version: Json) -> list[Charged]:
    """Return the charges of a version in words."""
    return [charged(view.words, tariff["currency"], charge) for charge in version["charges"]]
