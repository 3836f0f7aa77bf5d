"""The plugin `preview-github`: GitHub tells which pull requests are closed, once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from energia.db.pool import Pool
from energia.errors import PluginError
from energia.plugins import Plugins
from energia.previews.cluster import PreviewPlan
from energia.settings import Database, PluginSelection
from tests.plugins.github import (
    ACCEPTED,
    IGNORED,
    SECRET,
    answer,
    are,
    body,
    closed,
    headers,
    is_measured,
    metrics,
    service,
    until,
)
from tests.previews import PreviewServer
from tests.serving import Serving


async def test_a_closed_pull_request_loses_its_database(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """The delivery is answered before anything is dropped; pull requests 1 and 10 are two."""
    for pr in (1, 10):
        await previews.cluster().make(PreviewPlan(pr))
    async with service(serving, database, previews) as api:
        assert await answer(api, body(number=1)) == ACCEPTED
        await until(lambda: are(previews, ["app_pr_10"]))
        reaped = 'energia_previews_reaped_total{reason="closed"}'
        await until(lambda: is_measured(api, reaped, 1))


async def test_the_same_again_does_nothing(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """By the id of the delivery or, since that is not signed, by the body: a replay is harmless."""
    cluster = previews.cluster()
    async with service(serving, database, previews) as api:
        sent = body()
        first = headers(sent)
        assert await answer(api, sent, first) == ACCEPTED
        await asyncio.sleep(0.5)
        await cluster.make(PreviewPlan(7))
        assert await answer(api, sent, first) == ACCEPTED
        assert await answer(api, sent, headers(sent)) == ACCEPTED
        other = body(title="another body")
        known = {**headers(other), "X-GitHub-Delivery": first["X-GitHub-Delivery"]}
        assert await answer(api, other, known) == ACCEPTED
        await asyncio.sleep(0.6)

        assert previews.databases() == ["app_pr_7"]


async def test_an_old_event_is_not_accepted(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """A delivery that is so old that we have forgotten it cannot be replayed."""
    await previews.cluster().make(PreviewPlan(7))
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    async with service(serving, database, previews) as api:
        assert await answer(api, body(pull_request={"updated_at": old})) == IGNORED
        await asyncio.sleep(0.5)

    assert previews.databases() == ["app_pr_7"]


async def test_reopened_is_open(database: str, previews: PreviewServer, serving: Serving) -> None:
    """The mark is cleared while sessions still keep the database; so it is whatever comes first."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    async with service(serving, database, previews) as api:
        with previews.session("app_pr_7"):
            assert await answer(api, body()) == ACCEPTED
            await until(lambda: closed(previews, True))
            assert await answer(api, body("reopened")) == ACCEPTED
            await until(lambda: closed(previews, False))
            late = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
            assert await answer(api, body(pull_request={"updated_at": late})) == ACCEPTED
            await asyncio.sleep(0.4)
        await asyncio.sleep(0.4)

        assert previews.databases() == ["app_pr_7"]


async def test_what_was_left_is_done_by_the_next_process(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """The server with the previews is away when GitHub tells; the service restarts; it is done."""
    await previews.cluster().make(PreviewPlan(7))
    away = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    async with service(serving, database, previews, admin_url=away) as api:
        assert await answer(api, body()) == ACCEPTED
        await asyncio.sleep(0.3)
    pool = Pool(database, Database())
    await pool.tenant().execute("update preview_github_delivery set next_at = received_at")
    await pool.close()

    async with service(serving, database, previews):
        await until(lambda: are(previews, []))


@pytest.mark.parametrize("profile", ["preview", "development", "production"])
async def test_it_works_in_production_only(
    database: str, previews: PreviewServer, profile: str, serving: Serving
) -> None:
    """A preview has the secret of production, which Coolify copies; it ends nobody's preview.

    Nor does production without the URL of an administrator.
    """
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    await cluster.close(7)
    url = "" if profile == "production" else previews.url()
    async with service(serving, database, previews, profile=profile, admin_url=url) as api:
        assert (await answer(api, body()))[0] == 404
        await asyncio.sleep(0.5)
        assert await metrics(api) == {}

    assert previews.databases() == ["app_pr_7"]


def test_a_secret_needs_a_repository() -> None:
    """An empty list of repositories would believe everybody who has the secret, or nobody."""
    settings = {"preview-github": {"secret": SECRET}}
    with pytest.raises(PluginError, match="repositories: name the repository"):
        Plugins.installed(PluginSelection(settings=settings))
