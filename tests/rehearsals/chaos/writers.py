"""Writers at full rate, and what they were told: the next request is sent when one is answered."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final

import aiohttp
import attrs
import msgspec
import numpy as np

#: Slots of a day, each a quarter-hour.
DAY: Final = 96
BEGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
#: How many days one request has, for each of its meters.
DAYS: Final = 5
#: What bills are about: a meter with a year that is stored before anything breaks, its contract and
#: its rate.
BILLED: Final = "billed"
CONTRACT: Final = "chaos"
RATE: Final = "0.25"
_SITE: Final = {"name": "Chaos", "timezone": "UTC", "country": "GB", "currency": "GBP"}
_IMPORT: Final = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
_METER: Final = {"site": "chaos", "channels": [{**_IMPORT, "interval": "PT15M"}]}
_TARIFF: Final = {
    "name": "Chaos",
    "currency": "GBP",
    "timezone": "UTC",
    "versions": [{"valid_from": "2000-01-01", "charges": [{"kind": "energy.flat", "rate": RATE}]}],
}


def values(meter: int, day: int, days: int) -> list[float]:
    """Return what a meter has measured from a day on: three decimals, each slot its own."""
    slots = np.arange(day * DAY, (day + days) * DAY)
    found: list[float] = ((slots * 37 + meter * 101) % 9973 / 1000).tolist()
    return found


@attrs.define(eq=False)
class Batch:
    """One request: some days of some meters, all of which are stored or none.

    Attributes:
        parts: Each a meter, by number, and its first day.
        as_file: Whether it is sent as a file.
        acknowledged: Whether it was answered with 200.

    """

    parts: tuple[tuple[int, int], ...]
    as_file: bool
    acknowledged: bool = False

    @property
    def readings(self) -> int:
        """How many it has."""
        return len(self.parts) * DAYS * DAY

    def body(self) -> bytes:
        """Return it as JSON, or as a file of a line for each meter."""
        series = [
            {
                "meter": f"m{meter}",
                "start": (BEGIN + timedelta(day)).isoformat(),
                "interval": "PT15M",
                "values": values(meter, day, DAYS),
            }
            for meter, day in self.parts
        ]
        if not self.as_file:
            return msgspec.json.encode({"series": series})
        return b"\n".join(map(msgspec.json.encode, series))


@attrs.define(eq=False)
class Writers:
    """All of them.

    Attributes:
        url: Where they send to.
        meters: How many meters there are; each writer has its own.
        batches: Everything that was sent.
        in_flight: How many requests have no answer yet.
        said: How often what was said.
        served: When the last of the requests was sent that were acknowledged.
        issued: The days for which a bill was acknowledged as issued.

    """

    url: str
    meters: int = 24
    batches: list[Batch] = attrs.field(factory=list, init=False)
    in_flight: int = attrs.field(default=0, init=False)
    said: Counter[str] = attrs.field(factory=Counter, init=False)
    served: float = attrs.field(default=0.0, init=False)
    issued: list[date] = attrs.field(factory=list, init=False)
    _stop: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    @property
    def acknowledged(self) -> int:
        """How many readings were acknowledged."""
        return sum(batch.readings for batch in self.batches if batch.acknowledged)

    async def set_up(self) -> None:
        """Store the meters, and what bills are made of."""
        meters = {f"/v1/meters/m{number}": _METER for number in range(self.meters)}
        contract = {"meter": BILLED, "tariff": "chaos", "start": "2000-01-01"}
        stored: dict[str, object] = {
            "/v1/sites/chaos": _SITE,
            **meters,
            f"/v1/meters/{BILLED}": _METER,
            "/v1/tariffs/chaos": _TARIFF,
            f"/v1/contracts/{CONTRACT}": contract,
        }
        year = {"meter": BILLED, "start": BEGIN.isoformat(), "interval": "PT15M"}
        series = {**year, "values": [1] * DAY * 366}
        async with aiohttp.ClientSession(self.url) as api:
            for path, body in stored.items():
                async with api.put(path, json=body) as answer:
                    assert answer.status == 201, await answer.text()
            async with api.post("/v1/readings", json={"series": [series]}) as answer:
                assert answer.status == 200, await answer.text()

    @asynccontextmanager
    async def running(self, writers: int) -> AsyncIterator[None]:
        """Write with so many writers, and bill, until the block is left."""
        connector = aiohttp.TCPConnector(limit=0)
        limit = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(self.url, connector=connector, timeout=limit) as api:
            tasks = [
                asyncio.create_task(self._write(api, range(writer, self.meters, writers)))
                for writer in range(writers)
            ]
            tasks.append(asyncio.create_task(self._bill(api)))
            try:
                yield
            finally:
                self._stop.set()
                await asyncio.gather(*tasks)

    async def _write(self, api: aiohttp.ClientSession, meters: range) -> None:
        """Send day after day of some meters.

        What fails is sent again every other time, as clients do; else it is left as it is, so that
        we see later whether a part of it is there.
        """
        for number in count():
            batch = _batch(meters, number)
            self.batches.append(batch)
            while not self._stop.is_set():
                if await self._send(api, batch) or number % 2:
                    break
            if self._stop.is_set():
                return

    async def _send(self, api: aiohttp.ClientSession, batch: Batch) -> bool:
        path = "/v1/imports?format=ndjson" if batch.as_file else "/v1/readings"
        type_ = "application/x-ndjson" if batch.as_file else "application/json"
        body, begun = batch.body(), time.monotonic()
        said, _ = await self._said(api, "POST", path, data=body, headers={"Content-Type": type_})
        batch.acknowledged = batch.acknowledged or said == "200"
        if said == "200":
            self.served = max(self.served, begun)
        else:
            await asyncio.sleep(0.25)  # nobody is there: a loop of refused connections helps no one
        return batch.acknowledged

    async def _bill(self, api: aiohttp.ClientSession) -> None:
        """Draft and issue a bill for one day after the other, each until that is acknowledged."""
        for number in range(365):
            day = BEGIN.date() + timedelta(number)
            while not await self._issue(api, day):
                if self._stop.is_set():
                    return
                await asyncio.sleep(0.1)
            self.issued.append(day)
            if self._stop.is_set():
                return

    async def _issue(self, api: aiohttp.ClientSession, day: date) -> bool:
        """Tell whether the bill of a day is issued, now or since an answer that was lost."""
        window = {"start": day.isoformat(), "end": (day + timedelta(1)).isoformat()}
        run = {**window, "issue": True}
        said, answer = await self._said(api, "POST", "/v1/bills/run", json=run)
        return said == "200" and answer["failures"] == 0

    async def _said(
        self, api: aiohttp.ClientSession, method: str, path: str, **more: Any
    ) -> tuple[str, Any]:
        """Send a request; return the status with the answer, or the error in its place."""
        answered, said = None, ""
        self.in_flight += 1
        try:
            async with api.request(method, path, **more) as answer:
                answered, said = await answer.read(), str(answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            said = type(error).__name__
        finally:
            self.in_flight -= 1
        self.said[said] += 1
        return said, msgspec.json.decode(answered) if answered else None


def _batch(meters: range, number: int) -> Batch:
    """Return the request of a number: all of a writer's meters, the same days of each."""
    return Batch(tuple((meter, number * DAYS) for meter in meters), as_file=number % 3 == 2)
