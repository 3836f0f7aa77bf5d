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
