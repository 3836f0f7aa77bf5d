"""A load of everything that the dashboards show."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp

from tests.plugins.test_bill_webhook import FLAT, METER, SITE

TODAY = datetime.now(UTC).date()
START = TODAY - timedelta(days=100)


def _tariff() -> dict[str, Any]:
    until = (TODAY + timedelta(days=30)).isoformat()
    version = {"valid_from": "2020-01-01", "valid_to": until, "charges": [FLAT]}
    return {"name": "Flat", "currency": "BRL", "timezone": "UTC", "versions": [version]}


def _day(number: int) -> date:
    return START + timedelta(days=number)


async def prepare(api: aiohttp.ClientSession) -> None:
    """Store a meter with readings, and a contract whose tariff has prices for a month."""
    contract = {"meter": "m", "tariff": "flat", "start": START.isoformat()}
    for path, body in (
        ("sites/home", SITE),
        ("meters/m", METER),
        ("tariffs/flat", _tariff()),
        ("contracts/c", contract),
    ):
        async with api.put(f"/v1/{path}", json=body) as answer:
            assert answer.status == 201, await answer.text()
    await _send(api, "POST", "/v1/readings", _series(0), 200)


async def run(api: aiohttp.ClientSession, seconds: float) -> None:
    """Send readings, right and wrong, price, compare, bill and meet a conflict, over and over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    for number in count(1):
        await _turn(api, number)
        if loop.time() > end:
            return
        await asyncio.sleep(0.25)


async def _turn(api: aiohttp.ClientSession, number: int) -> None:
    first, last = _day(number).isoformat(), _day(number + 1).isoformat()
    period = {"start": first, "end": last}
    window = {"meter": "m", **period}
    bill = f"bill-{number}"
    for method, path, body, status in (
        ("POST", "/v1/readings", _series(number), 200),
        ("POST", "/v1/readings", _series(number, meter="nobody"), 422),
        ("GET", f"/v1/meters/m/readings?start={first}&end={last}", None, 200),
        ("POST", "/v1/costs", {**window, "tariff": "flat"}, 200),
        ("POST", "/v1/costs/compare", {**window, "tariffs": ["flat"]}, 200),
        ("POST", "/v1/bills", {"id": bill, "contract": "c", **period}, 201),
        ("POST", f"/v1/bills/{bill}/issue", None, 200),
        ("POST", "/v1/bills/run", period, 200),
        ("DELETE", "/v1/sites/home", None, 409),
        ("GET", "/v1/sites/nowhere", None, 404),
    ):
        await _send(api, method, path, body, status)


def _series(number: int, meter: str = "m") -> dict[str, Any]:
    start = f"{_day(number).isoformat()}T00:00:00Z"
    return {"series": [{"meter": meter, "start": start, "interval": "PT1H", "values": [1] * 24}]}


async def _send(
    api: aiohttp.ClientSession, method: str, path: str, body: object, status: int
) -> None:
    async with api.request(method, path, json=body) as answer:
        assert answer.status == status, (path, await answer.text())
