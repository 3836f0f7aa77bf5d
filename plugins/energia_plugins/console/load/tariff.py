"""What a meter's tariff says about a window: its periods, and the demand that is contracted."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Self

import attrs

from energia import EnergiaError, Invalid
from energia.time import DAY, Instant, instant_of, length_text
from energia.web.calls import Api
from energia_plugins.console.load.windows import Window
from energia_plugins.console.periods import Period, periods_of
from energia_plugins.console.words import Words

_HOUR: Final = 3_600
#: How many parts of hours one question asks for, at most.
_MOST: Final = 3_000


@attrs.frozen
class Strip:
    """Consecutive hours, or parts of them, of one period.

    Attributes:
        start: When they begin.
        end: When they end.
        name: What the tariff calls the period.

    """

    start: Instant
    end: Instant
    name: str


@attrs.frozen
class Part:
    """What was used in part of a window: in an hour, a day or a month.

    Attributes:
        start: When it begins.
        end: When it ends.
        energy: What was used, exact.
        missing: How many of its slots have no reading.
        estimated: How many were estimated.
        expected: How many it has.
        periods: What was used in each period that it touches; empty without a tariff.
        peak: The highest power, exact; None where no power is known.
        peak_at: When that slot starts.

    """

    start: datetime
    end: datetime
    energy: Decimal
    missing: int
    estimated: int
    expected: int
    periods: Mapping[str, Decimal]
    peak: Decimal | None
    peak_at: datetime | None

    @classmethod
    def of(cls, window: Mapping[str, Any]) -> Self:
        """Return a window as `get_usage` has it."""
        coverage, peak = window["coverage"], window["peak"]
        periods = {name: Decimal(value) for name, value in window.get("periods", {}).items()}
        return cls(
            datetime.fromisoformat(window["start"]),
            datetime.fromisoformat(window["end"]),
            Decimal(window["value"]),
            coverage["missing"],
            coverage["estimated"],
            coverage["expected"],
            periods,
            None if peak is None else Decimal(peak["value"]),
            None if peak is None else datetime.fromisoformat(peak["start"]),
        )

    @property
    def period(self) -> str | None:
        """The period in which most of it was used; None without a tariff."""
        return max(self.periods, key=lambda name: self.periods[name], default=None)

    @property
    def power(self) -> float | None:
        """The average power of the slots that have a reading; None where none has."""
        there = self.expected - self.missing
        seconds = (self.end - self.start).total_seconds() * there / max(1, self.expected)
        return float(self.energy) * _HOUR / seconds if there else None


@attrs.frozen
class Limit:
    """A contracted demand.

    Attributes:
        value: As the tariff has it.
        period: The period for which it is; None for all of them.

    """

    value: Decimal
    period: str | None = None


@attrs.frozen
class Chosen:
    """The tariff whose periods are shown.

    Attributes:
        id: Its id.
        name: For people.
        charge: The charge whose schedule it is, where they differ in it.
        limits: What demand is contracted.
        shown: Whether the reader wants to see its periods.

    """

    id: str
    name: str
    charge: str | None
    limits: tuple[Limit, ...]
    shown: bool = True

    @classmethod
    def of(cls, tariff: Mapping[str, Any], parameters: Mapping[str, Any], day: date) -> Self:
        """Return a tariff as it is on a day, for a contract with some parameters."""
        charges = _version(tariff, day).get("charges", [])
        limits = [limit for charge in charges for limit in _limits(charge, parameters)]
        return cls(tariff["id"], tariff["name"], _scheduled(charges), tuple(limits))


def _version(tariff: Mapping[str, Any], day: date) -> Mapping[str, Any]:
    """Return the version in force on a day; the last one before it, or the first of all."""
    versions: list[Mapping[str, Any]] = sorted(
        tariff["versions"], key=lambda one: one["valid_from"]
    )
    before = [one for one in versions if one["valid_from"] <= day.isoformat()]
    return (before or versions)[-1 if before else 0]


def _scheduled(charges: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the charge of energy that is named where several have schedules."""
    with_rules = [one for one in charges if _has_periods(one.get("schedule"))]
    of_energy = [one for one in with_rules if str(one["kind"]).startswith("energy")] or with_rules
    return None if len(with_rules) < 2 else of_energy[0].get("code") or of_energy[0]["kind"]


def _has_periods(schedule: object) -> bool:
    return isinstance(schedule, Mapping) and bool(schedule.get("rules"))


def _limits(charge: Mapping[str, Any], parameters: Mapping[str, Any]) -> Sequence[Limit]:
    if charge["kind"] != "demand.contracted":
        return ()
    said = charge.get("contracted")
    each = said.items() if isinstance(said, Mapping) and "parameter" not in said else [(None, said)]
    found = [(name, _number(value, parameters)) for name, value in each]
    return [Limit(value, name) for name, value in found if value is not None]


def _number(said: object, parameters: Mapping[str, Any]) -> Decimal | None:
    """Return a number that a charge states, or that it takes from the contract."""
    if isinstance(said, Mapping):
        said = parameters.get(str(said.get("parameter")))
    try:
        return None if said is None else Decimal(str(said))
    except ArithmeticError:
        return None


async def tariff_of(api: Api, meter: str, asked: str | None, window: Window) -> Chosen | None:
    """Return the tariff of a meter: the one that is *asked* for, or the contract's.

    None where the reader may not see contracts, or there is none. `none` is the contract's, whose
    periods are not shown.
    """
    if not api.may("get_tariff"):
        return None
    contract: Mapping[str, Any] = {}
    if api.may("list_contracts"):
        listed = await api.call("list_contracts", meter=meter, limit="100")
        contract = _in_force(listed["items"], window) or {}
    is_shown = asked != "none"
    id_ = asked if asked and is_shown else contract.get("tariff")
    if id_ is None:
        return None
    try:
        tariff = await api.call("get_tariff", tariff=id_)
    except EnergiaError:
        return None
    given = contract.get("parameters", {}) if contract.get("tariff") == id_ else {}
    return attrs.evolve(Chosen.of(tariff, given, window.last), shown=is_shown)


def _in_force(contracts: Sequence[Mapping[str, Any]], window: Window) -> Mapping[str, Any] | None:
    """Return the newest contract that is in force in a window; the last before it, if none is."""
    begun = [one for one in contracts if one["start"] <= window.last.isoformat()]
    return max(begun, key=lambda one: str(one["start"]), default=None)


@attrs.frozen
class Usage:
    """What a channel used, part by part, by the periods of a tariff.

    Attributes:
        parts: The parts.
        tariff: Whose periods they have; None without any.

    """

    parts: list[Part]
    tariff: Chosen | None


async def usage(
    api: Api, channel: Mapping[str, str], window: Window, length: str, tariff: Chosen | None
) -> Usage:
    """Return what a channel used in parts of a window, by the periods of a tariff, if it has any.

    Args:
        api: The API.
        channel: The ids of the meter and the channel, as the API takes them.
        window: The window.
        length: How long its parts are.
        tariff: The tariff, if any.

    """
    asked = {**channel, **span(window), "window": length}
    if tariff is not None and tariff.shown:
        try:
            found = await api.call("get_usage", **asked, **split_by(tariff))
            return Usage([Part.of(each) for each in found["data"]], tariff)
        except Invalid:
            pass  # it has no periods there
    found = await api.call("get_usage", **asked)
    return Usage([Part.of(each) for each in found["data"]], None)


def span(window: Window) -> dict[str, str]:
    """Return a window as the API takes it."""
    return {"start": window.query["from"], "end": window.query["to"]}


def split_by(tariff: Chosen) -> dict[str, str]:
    """Return what usage is asked with to be split by the periods of a tariff."""
    charge = {} if tariff.charge is None else {"charge": tariff.charge}
    return {"by": "period", "tariff": tariff.id, **charge}


async def strips(
    api: Api, channel: Mapping[str, str], window: Window, hours: Usage, interval: int
) -> list[Strip]:
    """Return when which period is: by hours, or by slots where a period begins within an hour."""
    inside = [hour for hour in hours.parts if _touches(hour, window)]
    tariff = hours.tariff
    finer = any(len(hour.periods) > 1 for hour in inside)
    if tariff is None or not finer or (window.end - window.start) // interval > _MOST:
        return joined(inside)
    length = length_text(interval)
    return joined((await usage(api, channel, window, length, tariff)).parts)


def _touches(hour: Part, window: Window) -> bool:
    return instant_of(hour.start) < window.end and instant_of(hour.end) > window.start


def joined(hours: Sequence[Part]) -> list[Strip]:
    """Return hours that follow each other and are of one period as one strip."""
    found: list[Strip] = []
    for hour in hours:
        name, start, end = hour.period, instant_of(hour.start), instant_of(hour.end)
        if name is None:
            continue
        if found and found[-1].name == name and found[-1].end == start:
            start = found.pop().start
        found.append(Strip(start, end, name))
    return found


@attrs.frozen
class Share:
    """What was used in a period.

    Attributes:
        period: The period.
        energy: How much, exact.

    """

    period: Period
    energy: Decimal


def shares(words: Words, hours: Sequence[Part]) -> list[Share]:
    """Return what was used in each period of some hours, peak first."""
    totals: dict[str, Decimal] = {}
    for hour in hours:
        for name, value in hour.periods.items():
            totals[name] = totals.get(name, Decimal(0)) + value
    return [Share(period, totals[period.name]) for period in periods_of(words, totals)]


def shaded(strips_: Sequence[Strip]) -> list[Strip]:
    """Return the strips of all periods but the one that lasts longest, which is the ground."""
    lasts: dict[str, int] = {}
    for strip in strips_:
        lasts[strip.name] = lasts.get(strip.name, 0) + strip.end - strip.start
    ground = max(lasts, key=lambda name: lasts[name], default=None)
    return [strip for strip in strips_ if strip.name != ground]


#: The longest window whose periods are shaded: beyond it they are no wider than a line.
SHADED: Final = 45 * DAY
