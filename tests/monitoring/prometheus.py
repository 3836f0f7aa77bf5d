"""A real Prometheus that scrapes a service of a test."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import isnan
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from tests.e2e.service import free_port

_INTERVALS = {"scrape_interval": "1s", "evaluation_interval": "1s"}


@attrs.frozen
class Prometheus:
    """One that runs."""

    url: str
    client: aiohttp.ClientSession

    async def values(self, expression: str) -> dict[str, float]:
        """Return the values of an instant query by their labels, those that are no numbers out."""
        query = {"query": expression}
        async with self.client.get(f"{self.url}/api/v1/query", params=query) as answer:
            found: Any = await answer.json()
        assert found["status"] == "success", found
        values = {str(one["metric"]): float(one["value"][1]) for one in found["data"]["result"]}
        return {labels: value for labels, value in values.items() if not isnan(value)}

    async def until_scraped(self) -> None:
        """Wait for the first scrapes."""
        async with asyncio.timeout(60):
            while (await self._scrapes()) < 3:
                await asyncio.sleep(0.2)

    async def _scrapes(self) -> float:
        try:
            found = await self.values('sum_over_time(up{job="energia"}[1m])')
        except aiohttp.ClientError:
            return 0
        return sum(found.values())


@asynccontextmanager
async def scraping(jobs: Mapping[str, str], token: str, folder: Path) -> AsyncIterator[Prometheus]:
    """Run Prometheus, its data in *folder*, with a service to scrape for each of *jobs*."""
    port = free_port()
    configuration = folder / "prometheus.yml"
    scraped = [
        {
            "job_name": job,
            "authorization": {"credentials": token},
            "static_configs": [{"targets": [url.removeprefix("http://")]}],
        }
        for job, url in jobs.items()
    ]
    # Its YAML is a superset of JSON.
    configuration.write_text(json.dumps({"global": _INTERVALS, "scrape_configs": scraped}))
    with (folder / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=log,
            stderr=log,
        )
    try:
        async with aiohttp.ClientSession() as client:
            prometheus = Prometheus(f"http://127.0.0.1:{port}", client)
            await prometheus.until_scraped()
            yield prometheus
    finally:
        process.terminate()
        await process.wait()
