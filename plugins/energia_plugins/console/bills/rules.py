"""The rule by which a charge takes what it charges, in a person's words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from energia_plugins.console.bills.arithmetic import plain, price, quantity
from energia_plugins.console.page import marked
from energia_plugins.console.periods import period_of
from energia_plugins.console.words import Words, capital

_DAYS: Final = {
    "all": marked("every day"),
    "weekday": marked("on working days"),
    "weekend": marked("on weekends"),
    "holiday": marked("on holidays"),
    "mon": marked("on Mondays"),
    "tue": marked("on Tuesdays"),
    "wed": marked("on Wednesdays"),
    "thu": marked("on Thursdays"),
    "fri": marked("on Fridays"),
    "sat": marked("on Saturdays"),
    "sun": marked("on Sundays"),
}
_PER: Final = {
    "day": marked("An amount for each day."),
    "month": marked("An amount for each month; of a part of one, by its days."),
    "year": marked("An amount for each year, a twelfth of it each month."),
    "bill": marked("An amount for each bill."),
    "meter": marked("An amount for each meter and bill."),
}
#: What the other kinds of charges do.
_KINDS: Final = {
    "energy.flat": marked("The same price at every hour."),
    "energy.tiered": marked("What is used is split into tiers, each with its price."),
    "energy.dynamic": marked("Each interval has the price of its own time."),
    "energy.time_of_use": marked("The price depends on the hour and the day."),
    "export": marked("What is fed into the grid is paid for, or counted against what is used."),
    "adjustment.calendar": marked("Each day has the adjustment that is in force on it."),
    "demand.contracted": marked("What is contracted is paid, and what is measured beyond it."),
    "demand": marked("The highest power of the period is charged."),
    "reactive": marked("Reactive energy beyond what the power factor allows is charged."),
    "minimum": marked("The bill is at least a minimum: what is missing to it is charged."),
    "percent": marked("A percentage of other lines."),
    "event": marked("What was used in an event is held against what is usual at its time."),
    "table": marked("The amount is that of the row of a table into which the customer falls."),
    "tax": marked("A percentage of the lines that are taxed."),
    "brazil.scee": marked("Energy that was fed into the grid is set against what is used."),
}


def rule_of(
    words: Words, explained: Mapping[str, Any], charge: Mapping[str, Any], bill: Mapping[str, Any]
) -> list[str]:
    """Return the rule of a line, in sentences."""
    calendar = explained["calendar"]
    if calendar and calendar["rules"]:
        return list(_by_schedule(words, explained, charge, bill))
    match charge.get("kind"):
        case "fixed":
            return [words.text(_PER[charge["per"]])]
        case "adjustment.calendar" if told := list(_by_dates(words, explained["line"], charge)):
            return told
        case "demand.contracted" if told := list(_contracted(words, charge, bill["currency"])):
            return told
        case kind if kind in _KINDS:
            return [words.text(_KINDS[kind])]
    return [words.text("As the tariff says: %(kind)s.", kind=charge.get("kind") or "?")]


def _by_schedule(
    words: Words, explained: Mapping[str, Any], charge: Mapping[str, Any], bill: Mapping[str, Any]
) -> Iterator[str]:
    """Yield when the periods are that the line charges."""
    rules = charge.get("schedule", {}).get("rules", [])
    for used in explained["calendar"]["rules"]:
        if used["rule"] is None or used["rule"] >= len(rules):
            name = period_of(words, explained["line"].get("period") or "").label
            yield words.text("%(period)s: all hours that no other period takes.", period=name)
            continue
        rule = rules[used["rule"]]
        yield _rule(words, rule)
        if list(rule["days"]) == ["weekday"]:
            yield from _left_out(words, explained["calendar"]["runs"], bill)


def _rule(words: Words, rule: Mapping[str, Any]) -> str:
    """Return a rule of a schedule: `ponta: nos dias úteis, 18:00 às 21:00.`."""
    days = ", ".join(words.text(_DAYS[day]) if day in _DAYS else day for day in rule["days"])
    told = words.text(
        "%(period)s: %(days)s, %(from)s to %(to)s",
        period=period_of(words, rule["period"]).label,
        days=days,
        **{"from": rule["from"], "to": rule["to"]},
    )
    season = rule.get("season")
    if season:
        told += words.text(", from %(from)s on", **{"from": _in_year(words, season["from"])})
        if season.get("to"):
            told += words.text(" until %(to)s", to=_in_year(words, season["to"]))
        elif season.get("until"):
            told += words.text(" until before %(to)s", to=_in_year(words, season["until"]))
    return f"{told}."


def _in_year(words: Words, day: str) -> str:
    try:
        return words.day(date.fromisoformat(f"2000-{day}"))
    except ValueError:
        return day.replace("_", " ")


def _left_out(
    words: Words, runs: Sequence[Mapping[str, Any]], bill: Mapping[str, Any]
) -> Iterator[str]:
    """Yield which working days of the bill are holidays: those without an interval."""
    there = {run["start"][:10] for run in runs}
    first, end = (date.fromisoformat(bill[name]) for name in ("start", "end"))
    days = (first + timedelta(days=step) for step in range((end - first).days))
    none = [day for day in days if day.weekday() < 5 and day.isoformat() not in there]
    if none and there:
        holidays = ", ".join(words.day(day) for day in none)
        told = words.text("Not on weekends and holidays: %(days)s", days=holidays)
        yield f"{told.rstrip('.')}."


def _by_dates(words: Words, line: Mapping[str, Any], charge: Mapping[str, Any]) -> Iterator[str]:
    """Yield when the adjustment was in force that the line is of."""
    for entry in charge.get("ranges", ()):
        if entry.get("name") and entry["name"] == line.get("period") and entry.get("to"):
            yield words.text(
                "%(name)s from %(start)s to %(end)s.",
                name=capital(entry["name"].replace("_", " ")),
                start=words.day(entry["from"], year=True),
                end=words.last_day(entry["to"], year=True),
            )


def _contracted(words: Words, charge: Mapping[str, Any], currency: str) -> Iterator[str]:
    """Yield what is paid of the contract, and beyond it."""
    contract, unit = charge.get("contracted"), charge["unit"]
    if isinstance(contract, str):
        yield words.text(
            "Contracted: %(contract)s. What is more is paid too; what is less, as contracted.",
            contract=quantity(words, contract, unit),
        )
    overrun = charge.get("overrun")
    if overrun and isinstance(contract, str):
        limit = Decimal(contract) * (1 + Decimal(overrun["tolerance_percent"]) / 100)
        said = {
            "limit": quantity(words, f"{limit.normalize():f}", unit),
            "times": plain(words, overrun["multiplier"]),
        }
        if overrun.get("rate"):
            said["rate"] = price(words, overrun["rate"], currency, unit)
            yield words.text(
                "Above %(limit)s, what exceeds the contract costs %(times)s times %(rate)s more.",
                **said,
            )
        else:
            yield words.text(
                "Above %(limit)s, what exceeds the contract costs %(times)s times the rate more.",
                **said,
            )
