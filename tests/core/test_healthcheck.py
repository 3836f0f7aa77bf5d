"""The image's health check."""

import asyncio
import socket
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia.health import healthcheck
from tests.e2e.service import environment, free_port

#: The check as the image runs it, and as a person does; both of one port, as the services of other
#: tests run here too.
CHECKS: Final = {
    "image": ("-I", "-S", str(Path(healthcheck.__file__))),
    "command": ("-m", "energia", "healthcheck", "--port"),
}


async def checked(port: int, check: str = "image") -> tuple[int | None, str]:
    """Run a check, and return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *CHECKS[check], str(port)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode().strip()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    ("status", "code"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)]
)
async def test_a_service_is_healthy_when_ready(
    check: str, status: HTTPStatus, code: int, aiohttp_server: AiohttpServer
) -> None:
    """The exit code is Docker's, what the service says is for people; so is the command."""

    async def ready(_: web.Request) -> web.Response:
        return web.Response(status=status, text=f"status {status.value}")

    app = web.Application()
    app.router.add_get("/health/ready", ready)
    server = await aiohttp_server(app)

    assert await checked(server.port or 0, check) == (code, f"status {status.value}")


async def test_a_service_that_does_not_answer_is_unhealthy() -> None:
    """A refused connection is told, without a traceback."""
    code, output = await checked(1)

    assert code == 1
    assert output.startswith("no answer on port 1: ")


@pytest.mark.parametrize("setting", ["file", "PORT", "ENERGIA_SERVER__PORT", "--port"])
async def test_it_asks_where_the_service_listens(
    setting: str, database: str, tmp_path: Path
) -> None:
    """Whatever layer says the port: the service tells the check, by the name of its process."""
    port = free_port()
    (file := tmp_path / "own.toml").write_text(f"[server]\nport = {port}\n")
    options = {"file": ["--config", str(file), "serve"], "--port": ["serve", "--port", str(port)]}
    environ = {} if setting in options else {setting: str(port)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "energia", *options.get(setting, ["serve"])),
        env=environment(DATABASE_URL=database, **environ),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not healthcheck.check(port)[0]:
                await asyncio.sleep(0.05)
        comm = Path(f"/proc/{process.pid}/comm").read_text()
        found = healthcheck.announced()
    finally:
        process.kill()
        await process.wait()

    assert comm == f"energia:{port}\n"
    assert port in found


@pytest.mark.parametrize(
    ("found", "configured", "port"),
    [([], 8080, 8080), ([9000], 8080, 9000), ([8080, 9000], 8080, 8080)],
)
def test_the_service_that_is_there_is_asked(found: list[int], configured: int, port: int) -> None:
    """The only one, whatever is configured; of several the configured one."""
    assert healthcheck.chosen(found, lambda: configured) == port


def test_of_several_one_must_be_named() -> None:
    """Rather than to ask any of them."""
    with pytest.raises(LookupError, match="on the ports 81, 82"):
        healthcheck.chosen([81, 82], lambda: 8080)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::", "127.0.0.9"])
def test_it_asks_the_address_on_which_the_service_listens(host: str) -> None:
    """The loopback's where all are listened on, of IPv4 or of IPv6, and the only one otherwise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no address {host}")
    with listener:
        port = listener.getsockname()[1]
        with socket.create_connection((healthcheck.host_of(port), port), timeout=10) as reached:
            assert reached.getpeername()[1] == port
