"""Dropping the databases of previews, and nothing else."""

import asyncio

import psycopg2
import pytest

from energia.db.embedded import ADMIN
from energia.db.embedded import ROLE as PRODUCTION
from energia.db.session import in_thread
from energia.errors import DatabaseAway, DatabaseError
from energia.previews.cluster import PreviewPlan
from energia.previews.databases import NotOurs
from tests.previews import PreviewServer

HOUR = 3600


async def test_a_database_is_dropped_with_its_sessions(previews: PreviewServer) -> None:
    """Everybody is put out, which a plain drop does not do. Again is no error."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    with previews.session("app_pr_7"):
        assert await cluster.drop(7)
    assert not await cluster.drop(7)
    assert previews.databases() == []


async def test_what_is_dropped_is_away(previews: PreviewServer) -> None:
    """3D000, which the driver does not tell as a code when it connects."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
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
    await cluster.make(PreviewPlan(7))
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


async def test_making_and_dropping_take_turns(previews: PreviewServer) -> None:
    """Whatever the order, there is a whole database or none."""
    cluster = previews.cluster()
    for _ in range(5):
        await asyncio.gather(
            cluster.make(PreviewPlan(7)), cluster.drop(7), cluster.make(PreviewPlan(7))
        )
        for one in await cluster.previews():
            assert one.accepting
            assert one.marker is not None
