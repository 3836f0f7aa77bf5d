"""The health endpoints over HTTP."""

import pytest

from energia.health.state import Phase
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.web.app import create_app
from tests.core.health.test_monitor import FakeProbe
from tests.serving import Client, client_of, make_core, serving


class Probing:
    """A plugin with a probe."""

    @hookimpl
    def register_probes(self) -> list[FakeProbe]:
        """Return a probe with a secret."""
        return [FakeProbe(error=OSError("postgresql://me:secret@host"))]


async def answer_of(client: Client, path: str, method: str = "GET") -> tuple[int, str]:
    """Return the status and the text of a health answer, whose headers are as they must be."""
    async with client.request(method, path, headers={"Accept": "text/plain"}) as answer:
        assert answer.content_type == "application/health+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Retry-After" in answer.headers) == (answer.status == 503)
        return answer.status, await answer.text()


async def test_ready_service() -> None:
    """A service without probes is ready, healthy and alive."""
    async with serving(make_core()) as client:
        assert await answer_of(client, "/health") == (200, '{"status":"pass","checks":{}}')
        assert await answer_of(client, "/health/ready") == (200, '{"status":"pass"}')
        assert await answer_of(client, "/health/live") == (200, '{"status":"pass"}')
        assert await answer_of(client, "/health/ready", "HEAD") == (200, "")


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.MIGRATING, Phase.DRAINING])
async def test_not_ready(phase: Phase) -> None:
    """A service that starts or drains is alive and not ready, and says why."""
    async with client_of(create_app(make_core(phase=phase))) as client:
        status, text = await answer_of(client, "/health/ready")

        assert (status, text) == (503, f'{{"status":"fail","reason":"{phase}"}}')
        assert (await answer_of(client, "/health/live"))[0] == 200
        assert (await answer_of(client, "/health/ready", "HEAD"))[0] == 503


async def test_failing_component() -> None:
    """A failing component is named; why it fails is not told to everybody."""
    async with serving(make_core(plugins=Plugins.of(probing=Probing()))) as client:
        status, text = await answer_of(client, "/health")

        assert status == 503
        assert text == (
            '{"status":"fail","reason":"database","checks":{"database":[{"status":"fail"}]}}'
        )
        assert (await answer_of(client, "/health/live"))[0] == 200
