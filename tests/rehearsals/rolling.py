"""Zero downtime: release after release takes over behind Traefik, under load, as Coolify does it.

    python -m tests.rehearsals.rolling [--switches 10] [--no-drain] [--no-build]

Traefik finds the containers by their labels, through the engine's own socket, and sends requests to
healthy ones only. A switch is Coolify's: start the new container, sleep its whole start period,
look at its health up to three times, stop the old one with 30 seconds of grace, remove it. All the
while requests come in an open loop: days of real readings, and questions about them. Exit code 1 if
one request fails or one acknowledged reading is not there. `--no-drain` is the negative control.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from tests.e2e.load import Load
from tests.e2e.proxies import traefik
from tests.e2e.service import free_port
from tests.rehearsals.engine import Container, build, run
from tests.rehearsals.postgres import postgres

#: What Coolify reads from the Dockerfile's health check, and its default grace.
START_PERIOD: Final = 15.0
INTERVAL: Final = 2.0
RETRIES: Final = 3
GRACE: Final = 30
RATE: Final = 100.0
NO_DRAIN: Final = {"ENERGIA_SERVER__DRAIN_READY": "0", "ENERGIA_SERVER__DRAIN": "0"}


def labels(port: int) -> list[str]:
    """Return the labels that Coolify gives a container: one router and one service for all."""
    router, service = "traefik.http.routers.http-0-energia", "traefik.http.services.http-0-energia"
    found = {
        "traefik.enable": "true",
        f"{router}.entryPoints": "http",
        f"{router}.rule": "PathPrefix(`/`)",
        f"{router}.service": "http-0-energia",
        f"{service}.loadbalancer.server.port": str(port),
    }
    return [f"--label={name}={value}" for name, value in found.items()]


@asynccontextmanager
async def proxying(folder: Path) -> AsyncIterator[str]:
    """Run Traefik as Coolify configures it; give its URL."""
    port = free_port()
    arguments = [
        f"--entryPoints.http.address=127.0.0.1:{port}",
        "--providers.docker=true",
        f"--providers.docker.endpoint={os.environ.get('DOCKER_HOST', 'unix:///var/run/docker.sock')}",
        "--providers.docker.exposedByDefault=false",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=INFO",
    ]
    with (folder / "traefik.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            traefik(), *arguments, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def routed(url: str, seconds: float = 20) -> None:
    """Wait until the proxy has somewhere to send requests to."""
    async with aiohttp.ClientSession(url) as api, asyncio.timeout(seconds):
        while True:
            async with api.get("/health/ready") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.1)


async def started(image: str, environ: dict[str, str]) -> Container:
    """Start a release, and wait for it as Coolify does; exits if it is not healthy by then."""
    port = free_port()
    container = await asyncio.to_thread(run, image, port, environ, *labels(port))
    await asyncio.sleep(START_PERIOD)
    for _ in range(RETRIES):
        if await asyncio.to_thread(lambda: container.health) == "healthy":
            return container
        await asyncio.sleep(INTERVAL)
    container.remove()
    raise SystemExit("the new container is not healthy: Coolify would keep the old one")


async def switched(image: str, environ: dict[str, str], old: Container) -> Container:
    """Let a new release take over; exits if the old one ends with an error."""
    new = await started(image, environ)
    _, code = await asyncio.to_thread(old.stop, GRACE)
    old.remove()
    if code:
        raise SystemExit(f"exit code {code}")
    return new


async def rehearse(image: str, switches: int, environ: dict[str, str]) -> bool:
    """Rehearse, print what became of all requests, and tell whether none failed."""
    with tempfile.TemporaryDirectory() as folder, postgres() as dsn:
        environ = {"DATABASE_URL": dsn, **environ}
        async with proxying(Path(folder)) as url:
            container = await started(image, environ)
            try:
                await routed(url)
                load = Load(url, RATE, meters=20 + 10 * switches)
                await load.set_up()
                async with load.running():
                    await asyncio.sleep(2)
                    for number in range(switches):
                        since = time.monotonic()
                        container = await switched(image, environ, container)
                        said = dict(load.said(since))
                        print(
                            f"switch {number + 1}: {time.monotonic() - since:.1f} s, {said}",
                            flush=True,
                        )
                    await asyncio.sleep(2)
                lost = await load.lost()
            finally:
                container.remove()
    failed = [one for one in load.answered if one.said != "200"]
    slowest = sorted(one.seconds for one in load.answered)
    print(
        f"{switches} switches: {len(load.answered)} requests, {len(failed)} failed "
        f"({dict(load.said())}); {len(load.acknowledged)} days of readings acknowledged, "
        f"{len(lost)} lost; 99 % answered within {1000 * slowest[int(0.99 * len(slowest))]:.0f} ms"
    )
    return not failed and not lost


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--image", default="energia:rehearsal")
    parser.add_argument("--switches", type=int, default=10)
    parser.add_argument("--no-drain", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    given = parser.parse_args()
    if not given.no_build:
        print(f"built in {build(given.image):.0f} s", flush=True)
    good = asyncio.run(rehearse(given.image, given.switches, NO_DRAIN if given.no_drain else {}))
    sys.exit(0 if good else 1)
