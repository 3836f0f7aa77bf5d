"""Zero downtime: release after release takes over behind Traefik, under load, as Coolify does it.

    python -m tests.rehearsals.rolling [--switches 10] [--busy 0] [--no-drain] [--no-build]

Traefik finds the containers by their labels, through the engine's own socket, and sends requests to
healthy ones only. A switch is Coolify's: start the new container, sleep its whole start period,
look at its health up to three times, stop the old one with 30 seconds of grace, remove it. All the
while requests come in an open loop: days of real readings, and questions about them. Exit code 1 if
one request fails or one acknowledged reading is not there.

`--busy 6` keeps the processors busy all the while, as a platform does that builds an image where it
runs the service. `--no-drain` is the negative control: the service stops at once, as most do. Exit
code 1 if nothing fails then, for the rehearsal would see nothing.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import aiohttp

from tests.e2e.load import Load
from tests.e2e.proxies import traefik
from tests.e2e.service import free_port, token
from tests.rehearsals.coolify import MARK, Platform
from tests.rehearsals.engine import build
from tests.rehearsals.postgres import postgres

RATE: Final = 100.0
NO_DRAIN: Final = {"ENERGIA_SERVER__DRAIN_READY": "0", "ENERGIA_SERVER__DRAIN": "0"}


@asynccontextmanager
async def proxying(folder: Path, platform: Platform) -> AsyncIterator[str]:
    """Run Traefik before the containers of a platform, as Coolify configures it; give its URL."""
    port = free_port()
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    arguments = [
        f"--entryPoints.http.address=127.0.0.1:{port}",
        "--providers.docker=true",
        f"--providers.docker.endpoint={engine}",
        "--providers.docker.exposedByDefault=false",
        f"--providers.docker.constraints=Label(`{MARK}`, `{platform.name}`)",
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


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep as many processes busy with nothing."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


async def routed(url: str, seconds: float = 20) -> None:
    """Wait until the proxy has somewhere to send requests to."""
    async with aiohttp.ClientSession(url) as api, asyncio.timeout(seconds):
        while True:
            async with api.get("/health/ready") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.1)


async def loaded(
    url: str, platform: Platform, switches: int, headers: dict[str, str]
) -> tuple[Load, int]:
    """Switch releases under load; return the load, and how many acknowledged days are lost."""
    container = await platform.started()
    await routed(url)
    load = Load(url, RATE, meters=20 + 10 * switches, headers=headers)
    await load.set_up()
    async with load.running():
        await asyncio.sleep(2)
        for number in range(switches):
            since = time.monotonic()
            container = await platform.switched(container)
            seconds, said = time.monotonic() - since, dict(sorted(load.said(since).items()))
            print(f"switch {number + 1}: {seconds:.1f} s, {said}", flush=True)
        await asyncio.sleep(2)
    return load, len(await load.lost())


async def rehearse(image: str, switches: int, environ: dict[str, str]) -> bool:
    """Rehearse, print what became of all requests, and tell whether none failed."""
    with tempfile.TemporaryDirectory() as folder, postgres() as dsn:
        platform = Platform(image, {"DATABASE_URL": dsn, **environ})
        try:
            async with proxying(Path(folder), platform) as url:
                load, lost = await loaded(url, platform, switches, await token(dsn))
        finally:
            platform.remove()
    failed = [one for one in load.answered if one.said != "200"]
    slowest = sorted(one.seconds for one in load.answered)
    print(
        f"{switches} switches: {len(load.answered)} requests, {len(failed)} failed "
        f"({dict(load.said())}); {len(load.acknowledged)} days of readings acknowledged, "
        f"{lost} lost; 99 % answered within {1000 * slowest[int(0.99 * len(slowest))]:.0f} ms"
    )
    return not failed and not lost


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--image", default="energia:rehearsal")
    parser.add_argument("--switches", type=int, default=10)
    parser.add_argument("--busy", type=int, default=0, help="processes that compete")
    parser.add_argument("--no-drain", action="store_true", help="the negative control")
    parser.add_argument("--no-build", action="store_true")
    given = parser.parse_args()
    if not given.no_build:
        print(f"built in {build(given.image):.0f} s", flush=True)
    environ = NO_DRAIN if given.no_drain else {}
    with busy(given.busy):
        good = asyncio.run(rehearse(given.image, given.switches, environ))
    sys.exit(good if given.no_drain else not good)
