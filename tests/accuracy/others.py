"""Sources without bills: what is compared is the calendar, or that all of it imports."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from energia.errors import EnergiaError
from energia.pricing.calendar import Grid, compiled
from energia.pricing.engine import price
from energia.pricing.holidays.lists import expanded
from energia.pricing.schedule import DayTypes
from energia.time import Zone
from tests.accuracy import pricing
from tests.accuracy.outcomes import Outcome, Source, compared

_MADRID = "Europe/Madrid"
#: The access tariff 2.0TD: working days have three periods, all other days are valle.
_SPAIN: dict[str, Any] = {
    "default": "3",
    "rules": [
        {"period": "1", "days": ["weekday"], "from": "10:00", "to": "14:00"},
        {"period": "1", "days": ["weekday"], "from": "18:00", "to": "22:00"},
        {"period": "2", "days": ["weekday"], "from": "08:00", "to": "24:00"},
    ],
}
_YEARS = range(2021, 2026)
#: aiopvpc counts Good Friday too, which Circular 3/2020 does not, as it has no fixed date.
_GOOD_FRIDAYS = ("2022-04-15", "2023-04-07", "2024-03-29", "2025-04-18")
_DANGLING = "the source's demand schedule names a period that its structure does not have"
_CALCULATOR_KNOWN = {"u17609_Commercial_TOU-8_TOU": _DANGLING}
_RAW = "a raw record of another service; its canonical form is imported"


def spain(folder: Path) -> Source:
    """Compare the period of every hour of 2021 to 2025, a month being a case."""
    rates = {"1": "1", "2": "1", "3": "1"}
    charge = {"kind": "energy.time_of_use", "schedule": _SPAIN, "rates": rates}
    version = {"valid_from": "2021-06-01", "charges": [charge]}
    body = {"name": "2.0TD", "currency": "EUR", "timezone": _MADRID, "versions": [version]}
    schedule = pricing.tariff(body).versions[0].charges[0].schedule  # type: ignore[attr-defined]
    holidays = frozenset([*expanded("ES", _YEARS).dates, *map(date.fromisoformat, _GOOD_FRIDAYS)])
    months: dict[str, list[tuple[date, str]]] = {}
    for path in sorted(folder.glob("periods_*.csv")):
        for day, hours in list(csv.reader(path.open()))[1:]:
            months.setdefault(day[:7], []).append((date.fromisoformat(day), hours))
    outcomes = [
        _month(name, days, schedule, DayTypes(holidays=holidays)) for name, days in months.items()
    ]
    about = "Spain's periods, hour by hour, June 2021 to December 2025"
    return Source("aiopvpc 4.3 (aiopvpc-2.0td)", about, outcomes)


def _month(name: str, days: list[tuple[date, str]], schedule: Any, types: DayTypes) -> Outcome:
    zone = Zone.named(_MADRID)
    start, end = zone.midnight(days[0][0]), zone.midnight(days[-1][0] + timedelta(days=1))
    grid = Grid(start, 3600, (end - start) // 3600)
    calendar = compiled(schedule, types, zone, grid)
    lengths = np.diff(np.append(calendar.bounds, grid.count))
    found = np.repeat([calendar.periods[key] for key in calendar.keys], lengths)
    of_day = dict(days)
    for at, period in enumerate(found):
        local = zone.datetime(start + at * 3600)
        if of_day[local.date()][local.hour] != period:
            wanted = of_day[local.date()][local.hour]
            return Outcome(name, "differs", f"{local.isoformat()}: P{period}, not P{wanted}")
    return Outcome(name, "exact")


def calculator(folder: Path) -> Source:
    """Import each list of dated rates, and price an hour in each of its versions."""
    outcomes = [_list(path) for path in sorted(folder.glob("*.json"))]
    about = "lists of dated rates: all versions follow each other and can be priced"
    return Source("LBNL electricitycostcalculator", about, outcomes, _CALCULATOR_KNOWN)


def _list(path: Path) -> Outcome:
    source = pricing.read(path)
    try:
        body = pricing.document(source, timezone="America/Los_Angeles", exports="leave_out")
        tariff = pricing.tariff(body)
        for version in tariff.versions:
            start = tariff.zone.midnight(version.valid_from)
            usage = {"import": pricing.series(start, 900, [250_000] * 96)}
            price(tariff, usage, start, start + 86400)
    except EnergiaError as error:
        return Outcome(path.stem, "refused", str(error))
    follow = all(
        one["valid_to"] == two["valid_from"]
        for one, two in zip(body["versions"], body["versions"][1:], strict=False)
    )
    detail = "" if follow else "there are gaps between versions, as in the source"
    return Outcome(path.stem, "exact", detail)


def entries(folder: Path) -> Source:
    """Import canonical entries and raw rates, and price a working day in January of each."""
    outcomes = [_entry(path) for path in sorted(folder.glob("*.expected.json"))]
    raw = [*sorted(folder.glob("*.detail.json")), *sorted(folder.glob("*.sample.json"))]
    outcomes += [_raw(path) for path in raw]
    known = {one.case: _RAW for one in outcomes if one.kind == "refused" and "raw" in one.detail}
    about = "entries and raw rates: a kWh in each hour of a working day"
    return Source("open-energy-tariffs", about, outcomes, known)


def _entry(path: Path) -> Outcome:
    """Compare with the bands of the entry, added up hour by hour."""
    source = pricing.read(path)
    zone = source["meta"]["timezone"]
    body = pricing.document(source, "open-energy-tariffs", timezone=zone, exports="leave_out")
    found = _working_day(body)
    return compared(path.stem, {"day": [found]}, {"day": [_by_hand(source["tariff"])]}, exact=True)


def _by_hand(plan: Mapping[str, Any]) -> Fraction:
    supply = Fraction(str((plan.get("supply") or {}).get("daily", 0)))
    if "schedule" not in plan["import"]:
        return supply + 24 * Fraction(str(plan["import"]["flatRate"]))
    rates = {one["id"]: Fraction(str(one["rate"])) for one in plan["import"]["bands"]}
    halves = [rates[_band(plan["import"]["schedule"], minute)] for minute in range(0, 1440, 30)]
    return supply + sum(halves, Fraction(0)) / 2


def _band(schedule: list[Mapping[str, Any]], minute: int) -> str:
    for one in schedule:
        first, last = (int(one[at][:2]) * 60 + int(one[at][3:]) for at in ("from", "to"))
        inside = first <= minute < last if first < last else minute >= first or minute < last
        if one["days"] in ("all", "weekday") and inside:
            return str(one["band"])
    raise LookupError(f"no band at minute {minute}")


def _raw(path: Path) -> Outcome:
    """Import a raw rate; its rates and those of its canonical form are the same in January."""
    source = pricing.read(path)
    try:
        body = pricing.document(source, "open-energy-tariffs")
    except EnergiaError as error:
        if "energyratestructure" not in source:
            return Outcome(path.stem, "refused", f"raw: {error}")
    body = pricing.document(source, timezone="America/New_York", exports="leave_out")
    # The canonical form has five decimals.
    body["versions"][0]["rounding"] = {"unit_price_decimals": 5, "amount_decimals": None}
    canonical = path.with_name(path.name.replace(".detail.", ".expected."))
    entry = pricing.read(canonical)["tariff"]
    energy = _working_day(body, "energy")
    wanted = _by_hand({**entry, "supply": None})
    return compared(path.stem, {"energy": [energy]}, {"energy": [wanted]})


def _working_day(body: dict[str, Any], *codes: str) -> Fraction:
    (version,) = body["versions"]
    version["valid_from"] = "2018-01-01"
    tariff = pricing.tariff(body)
    start = tariff.zone.midnight(date(2018, 1, 10))
    usage = {"import": pricing.series(start, 1800, [500_000] * 48)}
    cost = price(tariff, usage, start, start + 86400)
    if not codes:
        return Fraction(cost.total)
    return sum(_lines(cost, codes), Fraction(0))


def _lines(cost: Any, codes: tuple[str, ...]) -> Iterator[Fraction]:
    for line, detail in zip(cost.lines, cost.details, strict=True):
        if detail.charge in codes:
            yield Fraction(line.exact)
