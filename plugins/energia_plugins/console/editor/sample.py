"""What a made-up household pays under a tariff that is being edited, as the API prices it."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs
import msgspec

from energia import EnergiaError, Invalid
from energia_plugins.console.comparison.costs import parameters_in, reason
from energia_plugins.console.page import View
from energia_plugins.console.tariff.reading import Times, in_force, times

Json = Mapping[str, Any]
#: A day of the household: Wh of each hour, 10 kWh together.
_DAY: Final = (
    200, 180, 170, 170, 180, 250, 400, 450, 400, 350, 350, 400,
    450, 400, 350, 350, 400, 550, 900, 1000, 850, 600, 400, 250,
)  # fmt: skip
_DAYS: Final = 30
#: Later than that nothing is priced: days after it may be none.
_LAST: Final = date(9000, 1, 1)


@attrs.frozen
class Price:
    """What a tariff costs.

    Attributes:
        faults: How many things are wrong with the document, so that it cannot be priced.
        total: What the household pays; empty where it cannot be told.
        lines: The lines: what they are called, their quantity and unit, their amount.
        trouble: Why it cannot be told, though nothing is wrong.
        times: The schedules of the version that is in force.
        first: The first day.
        meter: The meter whose readings were priced; empty of the household.
        kwh: How much energy it is, in kWh.

    """

    faults: int = 0
    total: str = ""
    lines: tuple[tuple[str, str, str], ...] = ()
    trouble: str = ""
    times: tuple[Times, ...] = ()
    first: date | None = None
    meter: str = ""
    kwh: str = ""


async def priced(view: View, document: Json, now: datetime, meter: str = "") -> Price:
    """Return what a month costs, and what is wrong with the document.

    Args:
        view: Of the page.
        document: The tariff.
        now: By which the last whole month is known.
        meter: Whose readings of that month are priced; without, 30 days of the household.

    """
    if not view.api.may("compute_cost"):
        return Price()
    today = now.astimezone(_zone(document)).date().replace(day=1)
    first = (today - timedelta(days=1)).replace(day=1) if meter else _first_day(document, today)
    end = today if meter else first + timedelta(days=_DAYS)
    body: dict[str, Any] = {"tariff": document, "start": str(first), "end": str(end)}
    try:
        body |= await _readings(view, document, meter) if meter else {}
        body |= {} if meter else {"usage": usage(first, _zone(document))}
        answer = await view.api.call("compute_cost", body=body)
    except Invalid as error:
        return await _refused(view, document, first, error)
    except EnergiaError as error:
        return Price(trouble=reason(view, error), times=await _times(view, document, first))
    drawn = await _times(view, document, first)
    return attrs.evolve(_answered(view, answer, first, drawn), meter=meter)


async def _readings(view: View, document: Json, meter: str) -> dict[str, Any]:
    """Return what the API is asked of a meter: with what its contract gives the charges."""
    given: Json = {}
    if view.api.may("list_contracts"):
        found = (await view.api.call("list_contracts", meter=meter, limit=100))["items"]
        given = found[-1].get("parameters") or {} if found else {}
    wanted = set(parameters_in(document))
    parameters = {name: value for name, value in given.items() if name in wanted}
    return {"meter": meter, "missing": "estimate", "parameters": parameters}


async def _refused(view: View, document: Json, first: date, error: Invalid) -> Price:
    """Return what is wrong with the document; if nothing is, why it cannot be priced."""
    pointers = [one.pointer or "" for one in error.faults]
    faults = [one for one in pointers if one.startswith("/tariff/")]
    if faults or "/tariff" in pointers:
        return Price(len(faults), trouble="" if faults else reason(view, error))
    return Price(trouble=reason(view, error), times=await _times(view, document, first))


def usage(first: date, zone: ZoneInfo) -> dict[str, Any]:
    """Return the readings of the household, in quarter-hours: the same day again and again."""
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    quarters = [str(Decimal(watts) / 4000) for watts in _DAY for _ in range(4)]
    values = quarters * (_DAYS + 1)
    channel = {"start": start.isoformat(), "unit": "kWh", "values": values}
    return {"timezone": str(zone), "interval": "PT15M", "channels": {"import": channel}}


def _zone(document: Json) -> ZoneInfo:
    try:
        return ZoneInfo(str(document.get("timezone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _first_day(document: Json, today: date) -> date:
    """Return a day from which the household is priced: this month's first, if it has a price."""
    versions = document.get("versions")
    starts = [_day(one.get("valid_from")) for one in versions or () if isinstance(one, Mapping)]
    known = sorted(one for one in starts if one is not None)
    is_ahead = bool(known) and today < known[0] <= _LAST
    return known[0] if is_ahead else today


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


async def _times(view: View, document: Json, first: date) -> tuple[Times, ...]:
    """Return the schedules, as pictures: of a document that the API can read."""
    version = in_force(document, first)
    return tuple(await asyncio.to_thread(times, view, version, first.year))


def _answered(view: View, answer: Json, first: date, drawn: tuple[Times, ...]) -> Price:
    words, currency = view.words, str(answer["currency"])
    lines = tuple(
        (
            str(line.get("description") or line["code"]),
            _quantity(view, line),
            words.money(line["amount"], currency),
        )
        for line in answer["lines"]
    )
    total = words.money(answer["total"], currency)
    return Price(total=total, lines=lines, times=drawn, first=first, kwh=words.number(_kwh()))


def _quantity(view: View, line: Json) -> str:
    if line.get("quantity") is None:
        return ""
    return view.words.quantity(line["quantity"], str(line.get("unit") or ""))


def _kwh() -> int:
    """Return how much the household uses in all, in kWh."""
    return sum(_DAY) * _DAYS // 1000


def text_of(document: object) -> str:
    """Return a document as JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
