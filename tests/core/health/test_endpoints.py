"""The health endpoints over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

import energia
from energia.health.heartbeat import Heartbeat
from energia.health.probes import Observed
from energia.health.state import Phase
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.settings import Health, SecretStr, Settings
from energia.web.app import create_app
from tests.core.health.fakes import FakeProbe, core_of
from tests.serving import Client, Serving, make_core

#: What the core checks of every service; whether the database is there, others tell.
ALWAYS = '"jobs:due":[{"status":"pass"}],"webhooks:waiting":[{"status":"pass"}]'
TOKEN = "s3cret-tökén"
SETTINGS = attrs.evolve(Settings(), health=Health(token=SecretStr(TOKEN)))


class Probing:
    """A plugin with probes."""

    def __init__(self, *probes: FakeProbe) -> None:
        self.probes = probes

    @hookimpl
    def register_probes(self) -> list[FakeProbe]:
        """Return the probes."""
        return list(self.probes)


class Guarding:
    """A plugin whose middleware lets nobody through, and takes its time."""

    @hookimpl
    def register_middlewares(self) -> list[Middleware]:
        """Return the middleware."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            await asyncio.sleep(60)
            raise web.HTTPUnauthorized

        return [guard]


async def answer_of(client: Client, path: str, method: str = "GET") -> tuple[int, str]:
    """Return the status and the text of a health answer, whose headers are as they must be."""
    async with client.request(method, path, headers={"Accept": "text/plain"}) as answer:
        assert answer.content_type == "application/health+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Retry-After" in answer.headers) == (answer.status == 503)
        return answer.status, await answer.text()


async def test_ready_service(serving: Serving) -> None:
    """A service without probes is ready, healthy and alive."""
    async with serving(make_core()) as client:
        well = '{"status":"pass","state":"ready"}'
        checks = f'"checks":{{{ALWAYS}}}'
        assert await answer_of(client, "/health") == (200, f"{well[:-1]},{checks}}}")
        assert await answer_of(client, "/health/ready") == (200, well)
        assert await answer_of(client, "/health/live") == (200, well)


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
async def test_head(path: str, serving: Serving) -> None:
    """HEAD is answered as GET, without the body."""
    async with serving(make_core()) as client:
        assert await answer_of(client, path, "HEAD") == (200, "")


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.MIGRATING, Phase.DRAINING])
async def test_not_ready(phase: Phase, serving: Serving) -> None:
    """A service that starts or drains is alive and not ready, and says why."""
    async with await serving.app(create_app(make_core(phase=phase))) as client:
        status, text = await answer_of(client, "/health/ready")

        assert (status, text) == (
            503,
            f'{{"status":"fail","state":"{phase}","reason":"{phase}"}}',
        )
        assert (await answer_of(client, "/health/live"))[0] == 200
        assert (await answer_of(client, "/health/ready", "HEAD"))[0] == 503


async def test_failing_component(serving: Serving) -> None:
    """A failing component is named; why it fails is not told to everybody."""
    failing = Probing(FakeProbe(error=OSError("postgresql://me:secret@host")))
    async with serving(make_core(plugins=Plugins.of(probing=failing))) as client:
        status, text = await answer_of(client, "/health")

        assert status == 503
        assert text == (
            '{"status":"fail","state":"degraded","reason":"database",'
            f'"checks":{{"database:responseTime":[{{"status":"fail"}}],{ALWAYS}}}}}'
        )
        assert (await answer_of(client, "/health/live"))[0] == 200


async def test_warning_component(serving: Serving) -> None:
    """What only warns is answered with 200, and the state is degraded."""
    warning = Probing(FakeProbe("pool", observed=Observed(100, "percent", "no room")))
    async with serving(make_core(plugins=Plugins.of(probing=warning))) as client:
        status, text = await answer_of(client, "/health")

        assert status == 200
        assert text.startswith('{"status":"warn","state":"degraded","checks"')
        assert (await answer_of(client, "/health/ready"))[0] == 200


@pytest.fixture(name="guarded")
async def _guarded(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with a token, one good and one bad component."""
    probes = Probing(
        FakeProbe("broker", "degraded", OSError("gone")),
        FakeProbe("pool", observed=Observed(40, "percent")),
    )
    core = make_core(plugins=Plugins.of(probing=probes), settings=SETTINGS)
    async with serving(core) as client:
        yield client


async def body_of(client: Client, authorization: str | None) -> dict[str, Any]:
    """Return what `/health` tells for a value of `Authorization`."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with client.get("/health", headers=headers) as answer:
        assert answer.status == 200
        body: dict[str, Any] = await answer.json(content_type="application/health+json")
        return body


async def test_details(guarded: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the token the answer tells of the release, and why each component is as it is."""
    monkeypatch.setenv("SOURCE_COMMIT", "3ac9f00d")
    monkeypatch.setenv("COOLIFY_RESOURCE_UUID", "k8s4w")
    body = await body_of(guarded, f"Bearer {TOKEN}")
    (broker,), (pool,) = list(body["checks"].values())[:2]

    assert list(body["checks"])[:2] == ["broker:responseTime", "pool:responseTime"]
    assert (body["version"], body["releaseId"]) == (energia.__version__, "3ac9f00d")
    assert (body["serviceId"], body["notes"]) == ("k8s4w", ["profile development"])
    assert (broker["status"], broker["output"]) == ("warn", "OSError: gone")
    assert (pool["observedValue"], pool["observedUnit"]) == (40, "percent")
    assert (pool["componentType"], "output" in pool) == ("component", False)
    assert 0 <= pool["age"] < 10
    checked = datetime.fromisoformat(pool["time"])
    assert timedelta(0) <= datetime.now(UTC) - checked < timedelta(seconds=10)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \udcff\udcfe",
    ],
)
async def test_no_details(guarded: Client, authorization: str | None) -> None:
    """Without the token, or with a wrong one, the answer is the public one."""
    assert await body_of(guarded, authorization) == {
        "status": "warn",
        "state": "degraded",
        "checks": {
            "broker:responseTime": [{"status": "warn"}],
            "pool:responseTime": [{"status": "pass"}],
            "jobs:due": [{"status": "pass"}],
            "webhooks:waiting": [{"status": "pass"}],
        },
    }


async def test_no_token_is_no_password(serving: Serving) -> None:
    """Where no token is set nothing is told, whatever is sent."""
    async with serving(make_core()) as client:
        for authorization in ("Bearer ", "Bearer"):
            assert "version" not in await body_of(client, authorization)


async def test_a_preview_says_so(serving: Serving) -> None:
    """Everybody is told that a preview is one."""
    settings = attrs.evolve(Settings(), profile="preview")
    async with serving(make_core(settings=settings)) as client:
        assert (await body_of(client, None))["notes"] == ["profile preview"]


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
async def test_middlewares_of_plugins_are_left_out(path: str, serving: Serving) -> None:
    """No plugin can refuse a question about health, or delay it."""
    async with serving(make_core(plugins=Plugins.of(guarding=Guarding()))) as client:
        async with asyncio.timeout(60):
            assert (await answer_of(client, path))[0] == 200
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), client.get("/v1/plugins"):
                pass


class HeldUp(Heartbeat):
    """The beat of a loop that has not turned for a while."""

    age = 10.5


async def test_a_held_up_loop_is_not_alive(serving: Serving) -> None:
    """A loop that has not turned for longer than `health.loop_timeout` is not alive."""
    core = make_core()
    core.state.heartbeat = HeldUp()
    async with serving(core) as client:
        assert await answer_of(client, "/health/live") == (
            503,
            '{"status":"fail","state":"ready","reason":"event_loop"}',
        )


async def test_work_that_failed_is_told_for_a_while(serving: Serving) -> None:
    """It is begun again, and `/health` warns: nobody reads a log without a reason."""
    core, again = core_of(), asyncio.Event()
    core.background.first_pause = 0.01

    async def work() -> None:
        if not core.background.failures.total():
            raise RuntimeError("odd answer")
        again.set()

    async with serving(core) as client, core.background.running({"webhook": work}):
        async with asyncio.timeout(10):
            await again.wait()
            while '"background:failures"' not in (text := (await answer_of(client, "/health"))[1]):
                await asyncio.sleep(0.02)

    assert '"background:failures":[{"status":"warn"}]' in text
