"""Every panel shows something: a real Prometheus scrapes a real service under load."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from tests.e2e.service import serving, token
from tests.monitoring import load
from tests.monitoring.dashboards import Target, targets
from tests.monitoring.prometheus import Prometheus, scraping
from tests.previews import PreviewServer

#: Panels that show a state, which a load does not change; nothing is sent to the preview at all,
#: and a request that is alone waits for no connection.
STEADY = {
    *("Ready", "Running", "Health checks", "Draining", "Migrations", "Database"),
    *("Waiting", "Failures", "Connections", "Waits", "In flight", "Files", "Tasks", "Errors"),
    *("Newest reading", "Price horizon", "Bills to tell"),
}
TOKEN = "for-the-scraper"
Values = Mapping[Target, Mapping[str, float]]


@pytest.fixture(name="receiver")
async def _receiver(aiohttp_server: AiohttpServer) -> str:
    """Serve who takes bills, and give the URL."""

    async def take(_: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    server = await aiohttp_server(app)
    return str(server.make_url("/"))


async def _panels(prometheus: Prometheus) -> Values:
    return {target: await prometheus.values(target.expression) for target in targets()}


@pytest.mark.long
@pytest.mark.needs("prometheus")
async def test_panels_show_a_load(
    database: str, previews: PreviewServer, receiver: str, tmp_path: Path
) -> None:
    """No panel is without data under a load, and those of activity show another value than idle."""
    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        await load.prepare(api)
    async with (
        serving(
            database,
            ENERGIA_PROFILE="production",
            ENERGIA_PLUGINS__BILL_WEBHOOK__URL=receiver,
            ENERGIA_OUTGOING__ALLOW='["127.0.0.1"]',
            ENERGIA_PREVIEW__ADMIN_URL=previews.url(),
            ENERGIA_PREVIEW__REAP_PERIOD="1",
            ENERGIA_PLUGINS__METRICS_PROMETHEUS__TOKEN=TOKEN,
        ) as service,
        serving(
            previews.url("app_pr_${PR_NUMBER}"),
            PR_NUMBER="7",
            ENERGIA_PLUGINS__METRICS_PROMETHEUS__TOKEN=TOKEN,
        ) as preview,
        scraping(
            {"energia": service.url, "energia-previews": preview.url}, TOKEN, tmp_path
        ) as prometheus,
        aiohttp.ClientSession(service.url, headers=await token(database)) as api,
    ):
        await asyncio.sleep(2)
        idle = await _panels(prometheus)
        await load.run(api, 10)
        busy = await _panels(prometheus)
        tracebacks = service.tracebacks()

    assert [str(target) for target, found in busy.items() if not found] == []
    moving = [one for one in busy if one.panel not in STEADY and one.dashboard != "previews"]
    assert [str(target) for target in moving if busy[target] == idle[target]] == []
    assert tracebacks == []
