"""Two customers to look at: a home in Britain, and an inn in Brazil that contracts its demand.

    energia demo && energia serve
    python -m tests.plugins.console.customers http://127.0.0.1:8080 [token]

The inn is eight copies of the demo household's real year, some weeks apart, in quarter-hours: its
load is made up, its tariff is CPFL Paulista's A4 verde of 2026, for the months before, too. It has
what a page shall show: a gap, estimates, months whose demand is over the contract, issued bills,
one of them corrected.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient

from energia.pricing.dates import month_after
from energia.time import instant_of
from energia_plugins.demo.household import HouseholdFile, chunks

INN: Final = "pousada-pepira"
INN_METER: Final = "pepira-principal"
INN_TARIFF: Final = "cpfl-a4-verde"
INN_CONTRACT: Final = "pepira"
HOME: Final = "demo-home"
HOME_CONTRACT: Final = "home-2021"
_ZONE: Final = ZoneInfo("America/Sao_Paulo")
_COPIES: Final = 8
#: The hour with the most, in Wh; the quarters of it differ.
_HIGHEST: Final = 42_000
#: How a quarter of an hour differs from the others of its hour, in parts of 100, in turn.
_QUARTERS: Final = (23, 27, 22, 28, 26, 24, 29, 21, 25, 25, 20, 30)


#: What sends requests: a session with a base URL, or the client of a test.
Client = aiohttp.ClientSession | TestClient[web.Request, web.Application]


async def send(client: Client, method: str, path: str, body: object = None) -> Any:
    """Send a request that must succeed, and return its answer."""
    async with client.request(method, path, json=body) as answer:
        said = await answer.json() if answer.content_length != 0 else None
        assert answer.status < 300, (method, path, answer.status, said)
        return said


async def fill(client: Client, today: date | None = None, months: int = 13) -> None:
    """Make both customers; the home's readings and tariffs are the demo's, already there.

    Args:
        client: Of a service with all plugins, and the demo's data.
        today: The day until which the inn has readings, at a quarter past ten.
        months: How many months before it they begin.

    """
    await _home(client)
    await make_inn(client, today, months)


async def _home(client: Client) -> None:
    contract = {"id": HOME_CONTRACT, "meter": "demo-meter", "tariff": "demo-day-night"}
    tariffs = [tariff["id"] for tariff in (await send(client, "GET", "/v1/tariffs"))["items"]]
    if contract["tariff"] not in tariffs:
        contract["tariff"] = tariffs[0]
    await send(client, "POST", "/v1/contracts", {**contract, "start": "2021-01-01"})
    for month in range(1, 13):
        start, end = date(2021, month, 1), month_after(date(2021, month, 1))
        await _bill(client, HOME_CONTRACT, start, end, issue=month < 12)


async def make_inn(client: Client, today: date | None = None, months: int = 13) -> None:
    """Make the inn: its readings from months before *today* on, at a quarter past ten."""
    today = today or datetime.now(_ZONE).date()
    start = month_after(today, 1 - months)
    for tariff, customer in _customers(start, today).items():
        await send(client, "PUT", f"/v1/brazil/tariffs/{tariff}", customer)
    site = {"name": "Pousada Pepira", "timezone": _ZONE.key, "country": "BR", "currency": "BRL"}
    await send(client, "PUT", f"/v1/sites/{INN}", site)
    channel = {
        "id": "import",
        "quantity": "active_energy",
        "direction": "import",
        "unit": "kWh",
        "interval": "PT15M",
    }
    meter = {"site": INN, "name": "Medidor principal", "channels": [channel]}
    await send(client, "PUT", f"/v1/meters/{INN_METER}", meter)
    await _read(client, start, today)
    contract = {
        "id": INN_CONTRACT,
        "meter": INN_METER,
        "tariff": INN_TARIFF,
        "start": start.isoformat(),
        "end": month_after(today, 3).isoformat(),
    }
    await send(client, "POST", "/v1/contracts", contract)
    first = start
    while (end := month_after(first)) <= today.replace(day=1):
        await _bill(client, INN_CONTRACT, first, end)
        first = end
    await _correct(client, month_after(first, -1))


#: Rates of CPFL Paulista of April 2026, before taxes.
_VERDE: Final = {
    "ponta": {"tusd": "1.35157", "te": "0.43188"},
    "fora_ponta": {"tusd": "0.16416", "te": "0.27282"},
    "unico": {"demand": "16.53"},
}
_AZUL: Final = {
    "ponta": {"tusd": "0.16416", "te": "0.43188", "demand": "48.90"},
    "fora_ponta": {"tusd": "0.16416", "te": "0.27282", "demand": "16.53"},
}
_B3: Final = {"unico": {"tusd": "0.44925", "te": "0.2902"}}
_CPFL: Final = {"distributor": "cpfl-paulista"}
_A4: Final = {**_CPFL, "subgroup": "A4", "reactive": "none"}


def _customers(start: date, today: date) -> dict[str, dict[str, Any]]:
    """Return the inn as the kit takes it under three tariffs: rates of 2026 for all months."""
    flags, month = {}, start
    while month <= today:
        flags[f"{month:%Y-%m}"] = "18.85" if 5 <= month.month <= 9 else "0"
        month = month_after(month)

    def customer(named: dict[str, Any], rates: dict[str, Any]) -> dict[str, Any]:
        return {**named, "from": start.isoformat(), "overrides": {"rates": rates, "flags": flags}}

    both = {"ponta": "40", "fora_ponta": "40"}
    low = {**_CPFL, "subgroup": "B3", "modality": "convencional", "phases": "trifasico"}
    return {
        INN_TARIFF: customer({**_A4, "modality": "verde", "contracted": {"unico": "40"}}, _VERDE),
        "cpfl-a4-azul": customer({**_A4, "modality": "azul", "contracted": both}, _AZUL),
        "cpfl-b3": customer(low, _B3),
    }


async def _read(client: Client, start: date, today: date) -> None:
    """Send the readings, with a gap in this month, and estimates in the last one."""
    hourly = _load()
    until = datetime(today.year, today.month, today.day, 10, 15, tzinfo=_ZONE)
    gap = _at(_shift(today, 6), 2), _at(_shift(today, 6), 4, 30)
    estimated = _estimated(today)
    first = start
    while first <= today:
        begin, end = _at(first, 0), min(_at(month_after(first), 0), until)
        for low, high in ((begin, min(end, gap[0])), (max(begin, gap[1]), end)):
            if low < high:
                await _send_readings(client, low, high, hourly, estimated)
        first = month_after(first)


async def _send_readings(
    client: Client,
    low: datetime,
    high: datetime,
    hourly: list[int],
    estimated: tuple[datetime, datetime],
) -> None:
    """Send quarter-hours, in kWh; those that are estimated say so."""
    for begin, end, quality in _parts(low, high, estimated):
        count = int((end - begin).total_seconds()) // 900
        starts = (begin.astimezone(UTC) + timedelta(minutes=15 * step) for step in range(count))
        series = {
            "meter": INN_METER,
            "channel": "import",
            "start": begin.isoformat(),
            "interval": "PT15M",
            "values": [_quarter(hourly, at) / 1000 for at in starts],
            "quality": quality,
        }
        await send(client, "POST", "/v1/readings", {"series": [series]})


def _parts(
    low: datetime, high: datetime, estimated: tuple[datetime, datetime]
) -> list[tuple[datetime, datetime, str]]:
    first, last = max(low, estimated[0]), min(high, estimated[1])
    if first >= last:
        return [(low, high, "actual")]
    parts = ((low, first, "actual"), (first, last, "estimated"), (last, high, "actual"))
    return [part for part in parts if part[0] < part[1]]


async def _correct(client: Client, month: date) -> None:
    """Replace the estimates of a billed month by readings, and issue the correction of its bill."""
    begin, end = _estimated(month_after(month))
    hourly = [value * 9 // 10 for value in _load()]
    nowhere = (end, end)
    await _send_readings(client, begin, end, hourly, nowhere)
    bills = await send(client, "GET", f"/v1/bills?contract={INN_CONTRACT}&affected=true")
    for bill in bills["items"]:
        draft = await send(client, "POST", "/v1/bills", {"corrects": bill["id"]})
        await send(client, "POST", f"/v1/bills/{draft['id']}/issue")


async def _bill(
    client: Client, contract: str, start: date, end: date, *, issue: bool = True
) -> None:
    period = {"start": start.isoformat(), "end": end.isoformat()}
    draft = await send(client, "POST", "/v1/bills", {"contract": contract, **period})
    if issue:
        await send(client, "POST", f"/v1/bills/{draft['id']}/issue")


# The load.


def _load() -> list[int]:
    """Return the hours of a year, in Wh: of an inn that peaks at some 50 kW."""
    read = HouseholdFile().decode(chunks(), None)
    year = [int(one.value * 1000) for one in read if one.value is not None]
    weeks = [24 * 7 * 3 * copy for copy in range(_COPIES)]
    total = [sum(year[(hour + shift) % len(year)] for shift in weeks) for hour in range(len(year))]
    return [value * _HIGHEST // max(total) + 900 for value in total]


def _quarter(hourly: list[int], at: datetime) -> int:
    """Return the energy of a quarter of an hour, in Wh."""
    quarters = instant_of(at) // 900
    hour = hourly[(quarters // 4) % len(hourly)]
    return hour * _QUARTERS[quarters * 7 % len(_QUARTERS)] // 100


# Days and months.


def _estimated(today: date) -> tuple[datetime, datetime]:
    """Return six hours of the month before, which were estimated at first."""
    day = month_after(today, -1).replace(day=17)
    return _at(day, 12), _at(day, 18)


def _shift(today: date, days: int) -> date:
    """Return a day of this month before *today*, if there is one."""
    return max(today - timedelta(days=days), today.replace(day=1))


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=_ZONE)


@asynccontextmanager
async def _session(url: str, token: str | None) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers) as session:
        yield session


async def main(url: str, token: str | None = None) -> None:
    """Fill the service at *url*."""
    async with _session(url, token) as session:
        await fill(session)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
