"""Reaping: what nobody misses is dropped, and nothing else."""

import asyncio

import pytest

from energia.db.session import Session, in_thread
from energia.previews import databases
from energia.previews.cluster import PreviewPlan
from energia.previews.databases import ReaperBusy
from energia.previews.removal import Fate
from tests.previews import PreviewServer

HOUR = 3600


async def test_the_closed_and_the_silent_are_reaped(previews: PreviewServer) -> None:
    """Closed ones without sessions, and those not seen for the time to live; no other."""
    cluster = previews.cluster(ttl=HOUR)
    for pr in (1, 10, 12, 100):
        await cluster.make(PreviewPlan(pr))
    await cluster.close(1)
    previews.age(10, seen_at=HOUR + 1)
    previews.age(12, seen_at=HOUR - 60)

    done = await cluster.reap()

    assert done.fates == (Fate(1, "closed"), Fate(10, "expired"))
    assert previews.databases() == ["app_pr_12", "app_pr_100"]
    assert (await cluster.reap()).fates == ()


async def test_sessions_keep_a_preview(previews: PreviewServer) -> None:
    """A silent one as long as they last; a closed one for the time of grace."""
    cluster = previews.cluster(ttl=HOUR, closed_grace=900)
    for pr in (1, 2):
        await cluster.make(PreviewPlan(pr))
    await cluster.close(1)
    previews.age(2, seen_at=2 * HOUR)
    with previews.session("app_pr_1"), previews.session("app_pr_2"):
        assert (await cluster.reap()).fates == ()
        previews.age(1, closed_at=901)
        previews.age(2, seen_at=100 * HOUR)

        assert (await cluster.reap()).fates == (Fate(1, "closed"),)
    assert previews.databases() == ["app_pr_2"]


async def test_a_half_dropped_one_is_dropped(previews: PreviewServer) -> None:
    """Whoever began it has died."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    previews.run("alter database app_pr_7 allow_connections false")

    assert (await cluster.reap()).fates == (Fate(7, "closed"),)


async def test_a_dry_run_drops_nothing(previews: PreviewServer) -> None:
    """It says the same as the run that follows."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    await cluster.close(7)

    rehearsed = await cluster.reap(dry_run=True)

    assert previews.databases() == ["app_pr_7"]
    assert rehearsed.fates == (await cluster.reap()).fates == (Fate(7, "closed"),)


async def test_a_run_drops_a_few(previews: PreviewServer) -> None:
    """Whatever went wrong with the marks, it does not take everything at once."""
    cluster = previews.cluster(reap_limit=2)
    for pr in (1, 2, 3):
        await cluster.make(PreviewPlan(pr))
        await cluster.close(pr)

    done = await cluster.reap()

    assert [fate.pr for fate in done.fates] == [1, 2]
    assert len(done.previews) == 3
    assert previews.databases() == ["app_pr_3"]


async def test_one_that_cannot_be_dropped_is_told(previews: PreviewServer) -> None:
    """The others are dropped all the same."""
    cluster = previews.cluster()
    for pr in (1, 2):
        await cluster.make(PreviewPlan(pr))
        await cluster.close(pr)
    previews.run("alter database app_pr_1 is_template true")

    first, second = (await cluster.reap()).fates

    assert (first.pr, first.error) == (1, "cannot drop a template database")
    assert second == Fate(2, "closed")
    assert previews.databases() == ["app_pr_1"]


async def test_two_never_reap_at_once(previews: PreviewServer) -> None:
    """The second goes away, or waits for as long as it is told."""
    cluster = previews.cluster()

    def held(session: Session) -> None:
        with session.turn(databases.LOCK, 0, ReaperBusy()):
            session.pause(1)

    first = asyncio.create_task(in_thread(previews.url(), held, {}))
    await asyncio.sleep(0.3)
    with pytest.raises(ReaperBusy):
        await cluster.reap()
    assert (await cluster.reap(patience=5)).fates == ()
    await first
