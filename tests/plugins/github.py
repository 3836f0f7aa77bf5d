"""GitHub, as the plugin `preview-github` meets it, and a service with the plugin."""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Jobs, PluginSelection, Preview, Settings
from tests.previews import PreviewServer
from tests.serving import Serving, make_core

SECRET = "between GitHub and us"
REPOSITORY = "acme/energia"
URL = "/v1/previews/github"
OURS = {"secret": SECRET, "repositories": [REPOSITORY], "poll": 0.2}


def body(action: str = "closed", number: int = 7, **more: object) -> bytes:
    """Return what GitHub sends of a pull request, as far as we read it, and a little more."""
    now = datetime.now(UTC).isoformat()
    known = {
        "action": action,
        "number": number,
        "pull_request": {"updated_at": now, "merged": True, "title": "Prices, \u00e0 la carte"},
        "repository": {"full_name": REPOSITORY, "private": False},
    }
    return json.dumps({**known, **more}).encode()


def headers(sent: bytes, secret: str = SECRET, **more: str) -> dict[str, str]:
    """Return the headers that GitHub sends along."""
    digest = hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={digest}",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


async def answer(
    api: aiohttp.ClientSession, sent: bytes, with_: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Send a delivery and return the status and the body of the answer."""
    async with api.post(URL, data=sent, headers=headers(sent) if with_ is None else with_) as got:
        return got.status, await got.json(content_type=None)


ACCEPTED = (202, {"status": "accepted"})
IGNORED = (202, {"status": "ignored"})


@asynccontextmanager
async def service(
    serving: Serving,
    database: str,
    previews: PreviewServer,
    given: Mapping[str, object] | None = None,
    profile: Any = "production",
    **rules: Any,
) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve with the plugin, so configured; production unless it is said otherwise."""
    ours = dict(OURS if given is None else given)
    selection = PluginSelection(
        settings={"preview-github": ours, "metrics-prometheus": {"public": True}}
    )
    plugins = Plugins.installed(selection)
    await migrate(database, {**CORE_MIGRATIONS, **plugins.migrations()})
    rules = {"admin_url": previews.url(), "reap_period": 0.2, **rules}
    jobs = Jobs(poll=0.1, grace=0.1, heartbeat=2)
    settings = Settings(profile=profile, preview=Preview(**rules), jobs=jobs)
    pool = Pool(database, Database())
    core = make_core(plugins=plugins, settings=settings, pool=pool)
    try:
        async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as api:
            yield api
    finally:
        await pool.close()


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(60):
        while not await found():
            await asyncio.sleep(0.05)


async def names(previews: PreviewServer) -> list[str]:
    """Return the databases of previews."""
    return await asyncio.to_thread(previews.databases)


async def metrics(api: aiohttp.ClientSession) -> dict[str, float]:
    """Return what is measured of previews."""
    async with api.get("/metrics") as got:
        lines = (await got.text()).splitlines()
    ours = [line.rsplit(" ", 1) for line in lines if line.startswith("energia_preview")]
    return {name: float(value) for name, value in ours}


async def is_measured(api: aiohttp.ClientSession, name: str, least: float) -> bool:
    """Tell whether a metric has come to a value, or beyond."""
    return (await metrics(api)).get(name, -1) >= least


async def are(previews: PreviewServer, expected: list[str]) -> bool:
    """Tell whether just these are the databases of previews."""
    return await names(previews) == expected


async def closed(previews: PreviewServer, expected: bool) -> bool:
    """Tell whether the one preview is marked as closed, or is not, as expected."""
    (found,) = await previews.cluster().previews()
    assert found.marker is not None
    return (found.marker.closed_at is not None) is expected
