"""Small requests that ask for much: refused, or answered while everybody else is."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest

from tests.core.pricing.documents import document
from tests.e2e.service import Service, serving
from tests.serving import AWAY

#: The time-out of the image's HEALTHCHECK: one probe that takes longer is a failure.
_PROBE = 2.0
_START = "2010-01-01T00:00:00Z"
_USAGE = {
    "timezone": "UTC",
    "interval": "PT1H",
    "channels": {"import": {"start": _START, "values": [1]}},
}


def _flats(number: int) -> list[dict[str, Any]]:
    return [{"kind": "energy.flat", "rate": "0.1", "code": f"c{index}"} for index in range(number)]


def _by_days(number: int, end: str) -> dict[str, Any]:
    """Return a price by days under so many flat charges."""
    asked = {"start": "2010-01-01", "end": end, "group": "P1D", "missing": "zero"}
    return {"usage": _USAGE, "tariff": document(_flats(number)), **asked}


def _doubling(times: int) -> dict[str, Any]:
    """Return a price whose lines double so many times."""
    each = {"kind": "percent", "percent": "1", "form": "line_each"}
    charges = [*_flats(1), *({**each, "code": f"p{index}"} for index in range(times))]
    return {"usage": _USAGE, "tariff": document(charges)}


def _prices(number: int) -> dict[str, Any]:
    """Return a price with so many prices of quarter-hours."""
    values = [f"0.{index % 997:03d}" for index in range(number)]
    charges = [{"kind": "energy.dynamic", "series": "spot"}]
    series = {"start": _START, "interval": "PT15M", "unit": "kWh", "values": values}
    return {"usage": _USAGE, "tariff": document(charges), "prices": {"spot": series}}


@attrs.define
class Probes:
    """How long `/health/live` and `/health/ready` take, one after another."""

    seconds: list[float] = attrs.Factory(list)

    @asynccontextmanager
    async def of(self, url: str) -> AsyncIterator[None]:
        """Probe while the block runs."""
        task = asyncio.create_task(self._probe(url))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _probe(self, url: str) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                started = time.perf_counter()
                async with session.get(f"{url}/health/live") as answer:
                    await answer.read()
                self.seconds.append(time.perf_counter() - started)
                await asyncio.sleep(0.02)


@pytest.fixture(name="pricing")
async def _pricing() -> AsyncIterator[Service]:
    """Run a service that needs no database: all that is priced comes along."""
    async with serving(AWAY, wait=False) as service:
        async with aiohttp.ClientSession(service.url) as session:
            async with asyncio.timeout(60):
                while True:
                    with suppress(aiohttp.ClientError):
                        await session.get("/health/live")
                        break
                    await asyncio.sleep(0.1)
        yield service


async def _cost(service: Service, body: Mapping[str, Any]) -> int:
    async with (
        aiohttp.ClientSession(service.url) as session,
        session.post("/v1/costs", data=json.dumps(body), headers=_JSON) as answer,
    ):
        await answer.read()
        return answer.status


_JSON = {"Content-Type": "application/json"}


async def test_health_answers_under_every_attack(pricing: Service) -> None:
    """No probe fails by the time-out of the image's own check; half of them take under 100 ms.

    Takes seconds: the requests that are not refused are as dear as any may be. On a machine that
    does nothing else the longest probe is under 100 ms; here other tests run beside it.
    """
    probes = Probes()

    async with probes.of(pricing.url):
        refused = await asyncio.gather(
            _cost(pricing, _by_days(100, "2020-12-01")), _cost(pricing, _doubling(18))
        )
        dear = await asyncio.gather(
            _cost(pricing, _by_days(10, "2012-12-01")),
            _cost(pricing, _doubling(12)),
            _cost(pricing, _prices(35_040)),
        )

    assert list(refused) == [413, 422]
    assert list(dear) == [200, 200, 200]
    assert max(probes.seconds) < _PROBE
    assert sorted(probes.seconds)[len(probes.seconds) // 2] < 0.1


async def test_no_work_is_done_for_a_client_that_left(pricing: Service) -> None:
    """A second after its connection is closed, the process rests.

    Takes seconds: it must be seen that nothing is done.
    """
    asking = asyncio.create_task(_cost(pricing, _by_days(50, "2012-12-01")))
    await asyncio.sleep(1)
    busy = _processor_seconds(pricing)
    asking.cancel()
    await asyncio.sleep(1)

    left = _processor_seconds(pricing)
    await asyncio.sleep(1)

    assert busy > 0
    assert _processor_seconds(pricing) - left < 0.2


def _processor_seconds(service: Service) -> float:
    """Return how many seconds of processors the service has used."""
    stat = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
