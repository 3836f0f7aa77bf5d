"""Dropping the databases of previews, and nothing else."""

import asyncio
from datetime import timedelta

import psycopg2
import pytest

from energia.db.embedded import ADMIN
from energia.db.embedded import ROLE as PRODUCTION
from energia.db.previews import registry
from energia.db.previews.errors import NotOurs, ReaperBusy
from energia.db.previews.making import Wanted
from energia.db.previews.reaping import Fate
from energia.db.session import Session, in_thread
from energia.errors import DatabaseAway, DatabaseError
from tests.previews import PreviewServer

HOUR = 3600


async def test_a_database_is_dropped_with_its_sessions(previews: PreviewServer) -> None:
    """A plain drop would fail with 55006; ours puts everybody out. Again is no error."""
    cluster = previews.cluster()
    await cluster.make(Wanted(7))
    with previews.session("app_pr_7"):
        code = await asyncio.to_thread(previews.code, "drop database app_pr_7")

        assert code == "55006"
        assert await cluster.drop(7)
    assert not await cluster.drop(7)
    assert previews.databases() == []


async def test_what_is_dropped_is_away(previews: PreviewServer) -> None:
    """3D000, which the driver does not tell as a code when it connects."""
    cluster = previews.cluster()
    await cluster.make(Wanted(7))
    await cluster.drop(7)

    with pytest.raises(psycopg2.OperationalError, match='"app_pr_7" does not exist'):
        previews.run("select 1", "app_pr_7")
    assert previews.code("drop database app_pr_7") == "3D000"
    with pytest.raises(DatabaseAway, match='"app_pr_7" does not exist'):
        await in_thread(previews.url("app_pr_7"), lambda session: session.fetch("select 1"), {})


@pytest.mark.parametrize(
    "comment", ["null", "'by hand'", '\'{"energia_preview": 1, "pr": 8}\'', "'{}'", "'[]'"]
)
async def test_only_ours_are_dropped(previews: PreviewServer, comment: str) -> None:
    """The comment must say that it is a preview, and this one's."""
    cluster = previews.cluster()
    previews.run("create database app_pr_7")
    previews.run(f"comment on database app_pr_7 is {comment}")

    with pytest.raises(NotOurs):
        await cluster.drop(7)
    done = await cluster.reap()

    assert previews.databases() == ["app_pr_7"]
    assert [one.standing(HOUR) for one in done.previews] == ["foreign"]
    assert done.fates == ()


async def test_a_renamed_database_is_not_ours(previews: PreviewServer) -> None:
    """The comment is that of pull request 7, the name that of 8."""
    cluster = previews.cluster()
    await cluster.make(Wanted(7))
    previews.run("alter database app_pr_7 rename to app_pr_8")

    with pytest.raises(NotOurs):
        await cluster.drop(8)


@pytest.mark.parametrize("number", [0, -7, 10_000_000_000])
async def test_no_other_number_is_dropped(previews: PreviewServer, number: int) -> None:
    """There is no such pull request, so there is no such name."""
    with pytest.raises(ValueError, match="not the number"):
        await previews.cluster().drop(number)


async def test_the_role_cannot_drop_production(previews: PreviewServer) -> None:
    """42501, even where somebody gives production's database the name of a preview."""
    cluster = previews.cluster()
    previews.run(f"create database app_pr_7 owner {PRODUCTION}", role=ADMIN)
    previews.run(f"comment on database app_pr_7 is '{_COMMENT}'", role=ADMIN)

    assert previews.code(f"drop database {PRODUCTION}") == "42501"
    assert previews.code(f"drop database {PRODUCTION} with (force)") == "42501"
    assert previews.code(f"alter database {PRODUCTION} allow_connections false") == "42501"
    with pytest.raises(DatabaseError, match="must be owner of database app_pr_7"):
        await cluster.drop(7)


_COMMENT = (
    '{"energia_preview": 1, "pr": 7, "created_at": "2026-01-01T00:00:00Z",'
    ' "seen_at": "2026-01-01T00:00:00Z"}'
)


async def test_the_closed_and_the_silent_are_reaped(previews: PreviewServer) -> None:
    """Closed ones without sessions, and those not seen for the time to live; no other."""
    cluster = previews.cluster(ttl=HOUR)
    for pr in (1, 10, 12, 100):
        await cluster.make(Wanted(pr))
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
        await cluster.make(Wanted(pr))
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
    await cluster.make(Wanted(7))
    previews.run("alter database app_pr_7 allow_connections false")

    assert (await cluster.reap()).fates == (Fate(7, "closed"),)


async def test_a_dry_run_drops_nothing(previews: PreviewServer) -> None:
    """It says the same as the run that follows."""
    cluster = previews.cluster()
    await cluster.make(Wanted(7))
    await cluster.close(7)

    rehearsed = await cluster.reap(dry_run=True)

    assert previews.databases() == ["app_pr_7"]
    assert rehearsed.fates == (await cluster.reap()).fates == (Fate(7, "closed"),)


async def test_a_run_drops_a_few(previews: PreviewServer) -> None:
    """Whatever went wrong with the marks, it does not take everything at once."""
    cluster = previews.cluster(reap_limit=2)
    for pr in (1, 2, 3):
        await cluster.make(Wanted(pr))
        await cluster.close(pr)

    done = await cluster.reap()

    assert [fate.pr for fate in done.fates] == [1, 2]
    assert len(done.previews) == 3
    assert previews.databases() == ["app_pr_3"]


async def test_one_that_cannot_be_dropped_is_told(previews: PreviewServer) -> None:
    """The others are dropped all the same."""
    cluster = previews.cluster()
    for pr in (1, 2):
        await cluster.make(Wanted(pr))
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
        with session.turn(registry.LOCK, 0, ReaperBusy()):
            session.pause(1)

    first = asyncio.create_task(in_thread(previews.url(), held, {}))
    await asyncio.sleep(0.3)
    with pytest.raises(ReaperBusy):
        await cluster.reap()
    assert (await cluster.reap(patience=5)).fates == ()
    await first


async def test_making_and_dropping_take_turns(previews: PreviewServer) -> None:
    """Whatever the order, there is a whole database or none."""
    cluster = previews.cluster()
    for _ in range(5):
        await asyncio.gather(cluster.make(Wanted(7)), cluster.drop(7), cluster.make(Wanted(7)))
        for one in await cluster.previews():
            assert one.accepting
            assert one.marker is not None


async def test_the_lease_is_renewed(previews: PreviewServer) -> None:
    """`seen` moves the instant on; it makes nothing, and opens nothing that is closed."""
    cluster = previews.cluster()
    made = (await cluster.make(Wanted(7, commit="abc"))).marker
    await cluster.close(7)
    previews.age(7, seen_at=HOUR)

    assert await cluster.seen(7)
    (found,) = await cluster.previews()
    assert found.marker is not None
    assert timedelta() < found.marker.seen_at - made.seen_at < timedelta(minutes=1)
    assert found.marker.closed_at is not None
    assert found.marker.commit == "abc"
    await cluster.drop(7)
    assert not await cluster.seen(7)
    assert previews.databases() == []


async def test_reopened_is_open(previews: PreviewServer) -> None:
    """The mark is taken away, and the database stays."""
    cluster = previews.cluster()
    await cluster.make(Wanted(7))
    await cluster.close(7)

    assert await cluster.reopen(7)
    assert (await cluster.reap()).fates == ()
    assert previews.databases() == ["app_pr_7"]
    assert not await cluster.close(8)
