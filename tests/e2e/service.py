"""The service as an operator runs it: a process of its own, with its configuration and a port."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import attrs

from energia.access import tokens
from energia.access.callers import Scope
from energia.access.tokens import NewToken
from energia.cli.database import pooled
from energia.settings import Database

#: What lets anybody into a preview, as into development.
OPEN = {"ENERGIA_AUTH__REQUIRED": "false"}
#: Below what Linux gives to connections: none takes the port before the server that it is for.
_PORTS = range(15_000, 32_000)


async def token(database: str, *scopes: Scope) -> dict[str, str]:
    """Make a token for the service on a database, and return the header that sends it."""
    async with pooled(Database(url=database), migrating=True) as pool:
        new = NewToken("test", scopes or ("admin",))
        secret = await tokens.create(pool.tenant(), new, datetime.now(UTC))
    return {"Authorization": f"Bearer {secret.text}"}


@attrs.define
class Service:
    """One running `energia serve`."""

    url: str
    process: asyncio.subprocess.Process
    log: Path

    def logged(self) -> str:
        """Return what the service has logged so far."""
        return self.log.read_text()

    def tracebacks(self) -> list[str]:
        """Return the log lines that report an unhandled exception."""
        signs = ("Traceback", "unhandled", "never retrieved", '"level": "error"')
        return [line for line in self.logged().splitlines() if any(s in line for s in signs)]

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop the service as an operator does and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 60)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on; other processes ask as well."""
    while True:
        port = secrets.choice(_PORTS)  # `random` is seeded, and so the same everywhere
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(**extra: str) -> dict[str, str]:
    """Return an environment in which only *extra* configures the service."""
    ours = ("ENERGIA_", "DATABASE_URL", "PORT", "HOST", "PR_NUMBER", "COOLIFY_", "SOURCE_COMMIT")
    plain = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return {**plain, **extra}


@contextlib.asynccontextmanager
async def serving(
    database: str,
    *arguments: str,
    wait: bool = True,
    python: str = sys.executable,
    port: int | None = None,
    command: str = "serve",
    **extra: str,
) -> AsyncIterator[Service]:
    """Run `energia serve`, or another *command*, on *database*, by *python*, until the block ends.

    It listens on a port that is free, if none is given.
    """
    port = port or free_port()
    env = environment(DATABASE_URL=database, PORT=str(port), HOST="127.0.0.1", **extra)
    with tempfile.NamedTemporaryFile("w", suffix=".log", delete=False) as log:
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            "energia",
            *arguments,
            command,
            env=env,
            stdout=log,
            stderr=log,
            stdin=asyncio.subprocess.DEVNULL,
        )
    service = Service(f"http://127.0.0.1:{port}", process, Path(log.name))
    try:
        if wait:
            await ready(service)
        yield service
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        service.log.unlink()


async def ready(service: Service, seconds: float = 60) -> None:
    """Wait until the service says that it is ready."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(seconds):
        while True:
            if service.process.returncode is not None:
                raise AssertionError(f"the service ended: {service.logged()}")
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{service.url}/health/ready") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
