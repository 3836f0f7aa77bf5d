"""Previews as a platform runs them: processes that are told the number of a pull request."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import aiohttp
import pytest

from tests.e2e.service import OPEN, Service, ready, serving, token
from tests.previews import PreviewServer

#: What Coolify copies from production to every preview.
COPIED = {
    "ENERGIA_PROFILE": "production",
    "ENERGIA_PLUGINS__PREVIEW_GITHUB__SECRET": "between GitHub and us",
    "ENERGIA_PLUGINS__PREVIEW_GITHUB__REPOSITORIES": '["acme/energia"]',
    "ENERGIA_PLUGINS__BILL_WEBHOOK__URL": "http://127.0.0.1:1/bills",
}
QUICK = {
    "ENERGIA_HEALTH__PERIOD": "0.2",
    "ENERGIA_HEALTH__DATABASE_GRACE": "0.5",
    "ENERGIA_PREVIEW__LEASE": "0.3",
}
URL = "app_pr_${PR_NUMBER}"


def running(
    url: str, given: Mapping[str, str], *, wait: bool = True
) -> AbstractAsyncContextManager[Service]:
    """Run `energia serve` on a database, in this environment."""
    return serving(url, wait=wait, python=sys.executable, port=None, **given)


async def asked(
    service: Service, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Return the status and the body of an answer."""
    async with (
        aiohttp.ClientSession(service.url, headers=headers) as session,
        session.get(path) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def offered(service: Service, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what a service offers."""
    paths = set((await asked(service, "/openapi.json"))[1]["paths"])
    sites = (await asked(service, "/v1/sites", headers))[1]["items"]
    return {
        "webhook": "/v1/previews/github" in paths,
        "checks": set((await asked(service, "/health"))[1]["checks"]),
        "sites": [site["id"] for site in sites],
    }


async def test_the_number_alone_makes_a_preview(database: str, previews: PreviewServer) -> None:
    """One installation, one environment but for two variables: production and preview."""
    copied = {**COPIED, "ENERGIA_PREVIEW__ADMIN_URL": previews.url()}
    async with (
        running(database, copied) as production,
        running(previews.url(URL), {"PR_NUMBER": "7", **copied, **OPEN}) as preview,
    ):
        admin = await token(database)
        of_production, of_preview = await offered(production, admin), await offered(preview)
        logged = preview.logged()

    assert of_production["webhook"]
    assert not of_preview["webhook"]
    assert of_production["checks"] - of_preview["checks"] == {
        "bill-webhook:responseTime",
        "webhooks:waiting",
    }
    assert (of_production["sites"], of_preview["sites"]) == ([], ["demo-home"])
    assert previews.databases() == ["app_pr_7"]
    assert "preview.admin_url is production's; a preview ignores it" in logged
    assert "plugins.preview-github has settings, and is switched off" in logged


async def test_a_preview_that_loads_them_keeps_quiet(previews: PreviewServer) -> None:
    """Production's list of plugins, copied too, does not make a preview speak for production."""
    given = {**COPIED, "ENERGIA_PLUGINS__DISABLED": "[]", "COOLIFY_CONTAINER_NAME": "x-pr-7"}
    async with running(previews.url(URL), given) as preview:
        status, _ = await asked(preview, "/health/ready")
        logged = preview.logged()

    assert status == 200
    assert "bill_webhook_ignored" in logged
    assert "preview_github_ignored" in logged


@pytest.mark.long
async def test_a_database_lives_as_long_as_its_pull_request(previews: PreviewServer) -> None:
    """Replicas start at once; SIGTERM drops nothing; what is dropped stays so until a new start."""
    given = {"COOLIFY_BRANCH": "pull/10/head:pr-10-coolify", **QUICK}
    cluster = previews.cluster()
    async with AsyncExitStack() as stack:
        starting = [
            await stack.enter_async_context(running(previews.url("app_pr_"), given, wait=False))
            for _ in range(2)
        ]
        await asyncio.gather(*(ready(service) for service in starting))
        assert previews.databases() == ["app_pr_10"]
        assert [await service.stop(signal.SIGTERM) for service in starting] == [0, 0]
    (before,) = await cluster.previews()

    async with running(previews.url(URL), given) as service:
        await until_seen(previews, before.at)
        assert await cluster.drop(10)
        await until_not_ready(service)
        await asyncio.sleep(1)

        assert service.process.returncode is None
        assert previews.databases() == []
        assert (await asked(service, "/health/live"))[0] == 200
        assert service.logged().count("preview_dropped") == 1
        assert await service.stop(signal.SIGTERM) == 0
    assert previews.databases() == []

    async with running(previews.url(URL), {**given, **OPEN}) as service:
        assert (await offered(service))["sites"] == ["demo-home"]
    assert previews.databases() == ["app_pr_10"]


@pytest.mark.parametrize(
    "given",
    [
        {"PR_NUMBER": "7"},
        {"PR_NUMBER": "7", "COOLIFY_BRANCH": "pull/8/head"},
        {"ENERGIA_PROFILE": "preview"},
    ],
)
async def test_a_doubt_ends_the_start(database: str, given: dict[str, str]) -> None:
    """A preview with the URL of production exits with 2, before it connects."""
    async with running(database, given, wait=False) as service:
        code = await asyncio.wait_for(service.process.wait(), 60)

        assert code == 2
        assert "database.url" in service.logged() or "pull request" in service.logged()
        assert "database_away" not in service.logged()


async def until_seen(previews: PreviewServer, after: Any) -> None:
    """Wait until the one preview has said that it runs."""
    async with asyncio.timeout(60):
        while True:
            (found,) = await previews.cluster().previews()
            if found.marker and found.marker.seen_at > after:
                return
            await asyncio.sleep(0.1)


async def until_not_ready(service: Service) -> None:
    """Wait until a service says that its database is away."""
    async with asyncio.timeout(60):
        while True:
            status, said = await asked(service, "/health/ready")
            if status == 503:
                assert said["reason"] == "database"
                return
            await asyncio.sleep(0.1)
