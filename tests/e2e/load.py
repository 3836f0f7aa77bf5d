"""Traffic at a steady rate: real readings and questions about them, and what became of each.

Open loop: a request is sent when its time has come, however long the earlier ones take.
"""

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import resources

import aiohttp
import attrs
import msgspec

_FILE = resources.files("energia_plugins.demo").joinpath("household_2021.csv.gz")
_BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
_DAYS = 365
_PROBLEM = "application/problem+json"


def household() -> list[list[float]]:
    """Return the kilowatt-hours of each hour of each day of a real household's 2021, in UTC."""
    rows = gzip.decompress(_FILE.read_bytes()).decode().splitlines()[1:]
    values = [float(Decimal(row.partition(",")[2]).quantize(Decimal("0.000001"))) for row in rows]
    return [values[24 * day : 24 * day + 24] for day in range(_DAYS)]


@attrs.frozen
class Answered:
    """One request that is over.

    Attributes:
        sent: When it was sent, on the monotonic clock.
        seconds: How long it took.
        method: `GET` or `POST`.
        said: The status, with what is wrong with the answer; or the error in its place.

    """

    sent: float
    seconds: float
    method: str
    said: str


@attrs.define(eq=False)
class Load:
    """Requests at a steady rate: every other one sends a day of readings, the others ask for one.

    In each pair either comes first in turn, so that a proxy that takes turns between two services
    sends both kinds to both.

    Attributes:
        url: Where to send them.
        rate: How many a second.
        meters: How many meters there are; each has a year of days to send.
        headers: What each request carries: a token.
        answered: The requests that are over.
        acknowledged: The meters and days whose readings were answered with 200.

    """

    url: str
    rate: float
    meters: int = 20
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)
    answered: list[Answered] = attrs.field(factory=list, init=False)
    acknowledged: list[tuple[int, int]] = attrs.field(factory=list, init=False)
    _days: list[list[float]] = attrs.field(factory=household, init=False, repr=False)
    _stop: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)

    async def set_up(self) -> None:
        """Store the meters."""
        site = {"name": "Home", "timezone": "UTC", "country": "GB", "currency": "GBP"}
        channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
        channel |= {"unit": "kWh", "interval": "PT1H", "kind": "interval"}
        meter = {"site": "home", "channels": [channel]}
        bodies = {f"/v1/meters/m{number}": meter for number in range(self.meters)}
        async with aiohttp.ClientSession(self.url, headers=self.headers) as api:
            for path, body in {"/v1/sites/home": site, **bodies}.items():
                async with api.put(path, json=body) as answer:
                    assert answer.status == 201, await answer.text()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send requests until the block is left, and wait for the last answers."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._stop.set()
            await task

    def said(self, since: float = 0) -> Counter[str]:
        """Count what was said to the requests that were sent since an instant."""
        return Counter(f"{one.method} {one.said}" for one in self.answered if one.sent >= since)

    async def lost(self, url: str | None = None) -> list[tuple[int, int]]:
        """Ask for all that was acknowledged, and return the meters and days that are not there."""
        query = {"start": _BEGIN.isoformat(), "end": (_BEGIN + timedelta(_DAYS)).isoformat()}
        stored: dict[int, list[float]] = {}
        async with aiohttp.ClientSession(url or self.url, headers=self.headers) as api:
            for number in range(self.meters):
                async with api.get(f"/v1/meters/m{number}/readings", params=query) as answer:
                    assert answer.status == 200, await answer.text()
                    stored[number] = msgspec.json.decode(await answer.read())["values"]
        return [
            (meter, day)
            for meter, day in self.acknowledged
            if stored[meter][24 * day : 24 * day + 24] != self._days[day]
        ]

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        limit = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(
                self.url, connector=connector, timeout=limit, headers=self.headers
            ) as api,
            asyncio.TaskGroup() as requests,
        ):
            begun, number = time.monotonic(), 0
            while not self._stop.is_set():
                requests.create_task(self._one(api, number))
                number += 1
                await asyncio.sleep(begun + number / self.rate - time.monotonic())

    async def _one(self, api: aiohttp.ClientSession, number: int) -> None:
        day, meter = divmod(number // 2, self.meters)
        assert day < _DAYS, "there are no more readings to send"
        sends = (number + number // 2) % 2
        method = "POST" if sends else "GET"
        sent = time.monotonic()
        try:
            said = await (self._post if sends else self._get)(api, meter, day)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            said = type(error).__name__
        if (method, said) == ("POST", "200"):
            self.acknowledged.append((meter, day))
        self.answered.append(Answered(sent, time.monotonic() - sent, method, said))

    async def _post(self, api: aiohttp.ClientSession, meter: int, day: int) -> str:
        series = {
            "meter": f"m{meter}",
            "start": (_BEGIN + timedelta(day)).isoformat(),
            "interval": "PT1H",
            "values": self._days[day],
        }
        async with api.post("/v1/readings", json={"series": [series]}) as answer:
            return await _said(answer)

    async def _get(self, api: aiohttp.ClientSession, meter: int, day: int) -> str:
        start = _BEGIN + timedelta(day)
        query = {"start": start.isoformat(), "end": (start + timedelta(1)).isoformat()}
        async with api.get(f"/v1/meters/m{meter}/readings", params=query) as answer:
            return await _said(answer)


async def _said(answer: aiohttp.ClientResponse) -> str:
    """Return the status, and what an error lacks that clients may rely on."""
    body = await answer.read()
    if answer.status < 400:
        return str(answer.status)
    faults = [] if answer.content_type == _PROBLEM else [f"no problem document: {body[:80]!r}"]
    if answer.status == 503 and "Retry-After" not in answer.headers:
        faults.append("no Retry-After")
    return " ".join([str(answer.status), *faults])


@attrs.define(eq=False)
class Watch:
    """What a service says of its health, asked again and again.

    Attributes:
        url: The service.
        live: When it was asked whether it is alive, and the status; 0 for no answer.
        ready: The same of whether it is ready.

    """

    url: str
    live: list[tuple[float, int]] = attrs.field(factory=list, init=False)
    ready: list[tuple[float, int]] = attrs.field(factory=list, init=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask twenty times a second until the block is left."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, status: int, seconds: float = 30) -> float:
        """Wait until readiness is answered with *status*, from now on, and return when it was."""
        since = time.monotonic()
        async with asyncio.timeout(seconds):
            while True:
                for at, found in reversed(self.ready):
                    if at >= since and found == status:
                        return at
                await asyncio.sleep(0.01)

    async def _run(self) -> None:
        async with aiohttp.ClientSession(self.url) as api:
            while True:
                for path, found in (("live", self.live), ("ready", self.ready)):
                    found.append(await self._status(api, path))
                await asyncio.sleep(0.05)

    async def _status(self, api: aiohttp.ClientSession, path: str) -> tuple[float, int]:
        at = time.monotonic()
        try:
            async with api.get(f"/health/{path}") as answer:
                return at, answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return at, 0
