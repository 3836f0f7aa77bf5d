"""What is told of a preview: that it runs, that its pull request is closed, or open again."""

from datetime import UTC, datetime, timedelta

from energia.previews.cluster import PreviewPlan
from energia.previews.removal import Fate
from tests.previews import PreviewServer

HOUR = 3600


async def test_the_lease_is_renewed(previews: PreviewServer) -> None:
    """`seen` moves the instant on; it makes nothing, and opens nothing that is closed."""
    cluster = previews.cluster()
    made = (await cluster.make(PreviewPlan(7, commit="abc"))).marker
    await cluster.close(7)
    previews.age(7, seen_at=HOUR)

    assert await cluster.renew(7)
    (found,) = await cluster.previews()
    assert found.marker is not None
    assert timedelta() < found.marker.seen_at - made.seen_at < timedelta(minutes=1)
    assert found.marker.closed_at is not None
    assert found.marker.commit == "abc"
    await cluster.drop(7)
    assert not await cluster.renew(7)
    assert previews.databases() == []


async def test_reopened_is_open(previews: PreviewServer) -> None:
    """The mark is taken away, and the database stays."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    await cluster.close(7)

    assert await cluster.reopen(7)
    assert (await cluster.reap()).fates == ()
    assert previews.databases() == ["app_pr_7"]
    assert not await cluster.close(8)


async def test_the_last_word_counts(previews: PreviewServer) -> None:
    """What happened earlier changes nothing, even if it is told later."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)

    await cluster.reopen(7, noon)
    await cluster.close(7, noon - timedelta(seconds=1))
    assert (await cluster.reap()).fates == ()
    await cluster.close(7, noon + timedelta(seconds=1))

    assert (await cluster.reap()).fates == (Fate(7, "closed"),)
