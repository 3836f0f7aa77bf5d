"""The image's health check."""

import asyncio
import sys
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia.health import healthcheck


async def checked(port: int) -> tuple[int | None, str]:
    """Run the script as the image does, and return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(Path(healthcheck.__file__))),
        env={"PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode().strip()


@pytest.mark.parametrize(
    ("status", "code"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)]
)
async def test_a_service_is_healthy_when_ready(
    status: HTTPStatus, code: int, aiohttp_server: AiohttpServer
) -> None:
    """The exit code is Docker's; what the service says is kept for the operator."""

    async def ready(_: web.Request) -> web.Response:
        return web.Response(status=status, text=f"status {status.value}")

    app = web.Application()
    app.router.add_get("/health/ready", ready)
    server = await aiohttp_server(app)

    assert await checked(server.port or 0) == (code, f"status {status.value}")


async def test_a_service_that_does_not_answer_is_unhealthy() -> None:
    """A refused connection is told, without a traceback."""
    code, output = await checked(1)

    assert code == 1
    assert output.startswith("no answer: ")


@pytest.mark.parametrize(
    ("command", "environ", "port"),
    [
        ("", {}, 8080),
        ("", {"PORT": "1"}, 1),
        ("", {"ENERGIA_SERVER__PORT": "2"}, 2),
        ("energia serve", {"PORT": "1"}, 1),
        ("energia serve --port 3", {"PORT": "1"}, 3),
        ("init -- energia serve --port=3", {"ENERGIA_SERVER__PORT": "2"}, 3),
        ("energia serve", {"ENERGIA_PROFILE": "production"}, 4),
        ("energia --profile production serve", {}, 4),
        ("energia serve", {"ENERGIA_PROFILE": "production", "ENERGIA_CONFIG": "own.toml"}, 5),
        ("energia --config own.toml serve", {"ENERGIA_PROFILE": "production"}, 5),
        ("energia serve", {"ENERGIA_CONFIG": "broken.toml:none.toml"}, 8080),
    ],
)
def test_the_port_is_that_of_the_configuration(
    command: str,
    environ: dict[str, str],
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An option, a variable or a file says it, in the order in which the service reads them."""
    files = {"config/production.toml": 4, "own.toml": 5, "broken.toml": "no"}
    (tmp_path / "config").mkdir()
    for name, said in files.items():
        (tmp_path / name).write_text(f"[server]\nport = {said}\n")
    monkeypatch.chdir(tmp_path)

    assert healthcheck.port_of(command.split(), environ) == port
