"""The reaper of `preview-github`, at work in a service, and what is measured of it."""

from energia.previews.cluster import PreviewPlan
from tests.plugins.github import answer, are, body, is_measured, metrics, service, until
from tests.previews import PreviewServer
from tests.serving import Serving

EXPIRED = 'energia_previews_reaped_total{reason="expired"}'


async def test_the_reaper_needs_no_webhook(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """A lost delivery, a stacked pull request: what is silent goes all the same."""
    cluster = previews.cluster()
    for pr in (1, 2):
        await cluster.make(PreviewPlan(pr))
    previews.run("create database app_pr_3")
    previews.age(1, seen_at=3601)
    async with service(serving, database, previews, {}, ttl=3600) as api:
        await until(lambda: are(previews, ["app_pr_2", "app_pr_3"]))
        assert (await answer(api, body()))[0] == 404
        await until(lambda: is_measured(api, EXPIRED, 1))
        measured = await metrics(api)

    assert measured[EXPIRED] == 1
    assert measured['energia_previews_reaped_total{reason="closed"}'] == 0
    assert measured["energia_preview_drop_failures_total"] == 0
    states = ("open", "closed", "expired", "foreign")
    assert [measured[f'energia_previews{{state="{one}"}}'] for one in states] == [1, 0, 0, 1]


async def test_the_reaper_can_be_rehearsed(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """With `preview.reap_dry_run` it drops nothing, and counts none as dropped."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    await cluster.close(7)
    async with service(serving, database, previews, reap_dry_run=True) as api:
        await until(lambda: is_measured(api, 'energia_previews{state="closed"}', 1))
        measured = await metrics(api)

    assert previews.databases() == ["app_pr_7"]
    assert measured['energia_previews{state="closed"}'] == 1
    assert measured['energia_previews_reaped_total{reason="closed"}'] == 0


async def test_failures_are_counted(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """One that cannot be dropped is tried again, and an alert can tell."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    await cluster.close(7)
    previews.run("alter database app_pr_7 is_template true")
    async with service(serving, database, previews) as api:
        await until(lambda: is_measured(api, "energia_preview_drop_failures_total", 2))
        measured = await metrics(api)

    assert measured["energia_preview_drop_failures_total"] >= 2
    assert measured['energia_previews{state="closed"}'] == 1
