"""Making the databases of previews."""

import asyncio
from datetime import UTC, datetime

import psycopg2
import pytest

from energia.db.embedded import ADMIN
from energia.db.session import in_thread
from energia.errors import ConfigurationError, DatabaseAway
from energia.previews import cluster
from energia.previews.cluster import PreviewPlan, create
from energia.previews.databases import NotOurs
from tests.previews import ROLE, PreviewServer


async def test_a_database_is_made_once(previews: PreviewServer) -> None:
    """The first call makes it, with a comment; the second finds it, and says when."""
    cluster = previews.cluster()
    before = datetime.now(UTC)

    first = await cluster.make(PreviewPlan(7, connections=5, commit="abc"))
    second = await cluster.make(PreviewPlan(7, connections=6, commit="def"))

    (found,) = await cluster.previews()
    assert (first.created, second.created) == (True, False)
    assert (found.pr, found.database, found.connections) == (7, "app_pr_7", 6)
    assert found.marker == second.marker
    assert (second.marker.pr, second.marker.commit) == (7, "def")
    assert before < first.marker.created_at == second.marker.created_at < second.marker.seen_at


async def test_the_comment_is_the_registry(previews: PreviewServer) -> None:
    """It says whose the database is, for whoever looks with psql."""
    await previews.cluster().make(PreviewPlan(7, commit="abc"))

    (row,) = previews.run(
        "select d::jsonb ->> 'energia_preview', d::jsonb ->> 'pr', d::jsonb ->> 'commit',"
        " d::jsonb ? 'created_at', d::jsonb ? 'seen_at'"
        " from (select shobj_description(oid, 'pg_database') d from pg_database"
        "       where datname = 'app_pr_7') x"
    )
    assert row == ("1", "7", "abc", True, True)


async def test_many_make_the_same_at_once(previews: PreviewServer) -> None:
    """Replicas of one preview, and previews of others, all get their database."""
    cluster = previews.cluster()

    made = await asyncio.gather(*(cluster.make(PreviewPlan(pr)) for pr in (1, 10, 12) * 4))

    assert previews.databases() == ["app_pr_1", "app_pr_10", "app_pr_12"]
    assert sum(one.created for one in made) == 3


async def test_coming_second_is_no_error(previews: PreviewServer) -> None:
    """42P04: somebody else has made it, without our lock."""
    previews.run("create database app_pr_7")

    assert previews.code("create database app_pr_7") == "42P04"
    assert not await _created(previews, PreviewPlan(7))


async def test_coming_second_at_the_same_moment_is_no_error(previews: PreviewServer) -> None:
    """23505: two that begin together without our lock; never anything but a success."""
    wanted = PreviewPlan(7)
    codes: set[str | None] = set()
    for _ in range(20):
        outcomes = await asyncio.gather(*(_outcome(previews) for _ in range(4)))
        codes |= set(outcomes)
        previews.run("drop database app_pr_7")
        created = await asyncio.gather(*(_created(previews, wanted) for _ in range(4)))
        assert sorted(created) == [False, False, False, True]
        previews.run("drop database app_pr_7")
        if "23505" in codes:
            break

    assert codes <= {"created", "42P04", "23505"}
    assert "23505" in codes


async def test_a_template_is_copied(previews: PreviewServer) -> None:
    """A preview begins with what the template has; a comment is not copied."""
    previews.run("create database app_pr_template_7")
    previews.run("create table made (at int)", "app_pr_template_7")

    await previews.cluster().make(PreviewPlan(7, template="app_pr_template_7"))

    assert previews.run("select to_regclass('made')::text", "app_pr_7") == [("made",)]


async def test_a_template_in_use_is_waited_for(previews: PreviewServer) -> None:
    """The copy is made as soon as the last session of the template ends."""
    previews.run("create database app_pr_template_7")
    with previews.session("app_pr_template_7"):
        making_it = asyncio.create_task(
            previews.cluster().make(PreviewPlan(7, template="app_pr_template_7"))
        )
        await asyncio.sleep(0.5)
        assert not making_it.done()

    assert (await making_it).created


@pytest.mark.long  # PostgreSQL waits five seconds for others to leave
async def test_a_template_that_stays_in_use_is_told(
    previews: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away, as it were: the service tries again."""
    previews.run("create database app_pr_template_7")
    with previews.session("app_pr_template_7"):
        wanted = PreviewPlan(7, template="app_pr_template_7")
        with pytest.raises(DatabaseAway, match="the template is in use"):
            await in_thread(
                previews.url(), lambda session: cluster.make(session, wanted, limit=0), {}
            )


async def test_a_template_that_is_not_there_is_told(previews: PreviewServer) -> None:
    """3D000: a fault of the configuration, which names the setting."""
    assert previews.code("create database app_pr_7 template nowhere") == "3D000"
    with pytest.raises(ConfigurationError, match=r"preview\.template: .*nowhere"):
        await previews.cluster().make(PreviewPlan(7, template="nowhere"))


async def test_a_role_without_the_right_is_told(previews: PreviewServer) -> None:
    """42501: a fault of the configuration, which says what is missing."""
    previews.run(f"alter role {ROLE} nocreatedb", role=ADMIN)
    try:
        with pytest.raises(ConfigurationError, match=r"app_pr_7: .*its role needs CREATEDB"):
            await previews.cluster().make(PreviewPlan(7))
    finally:
        previews.run(f"alter role {ROLE} createdb", role=ADMIN)


async def test_the_database_of_somebody_else_is_left_alone(previews: PreviewServer) -> None:
    """A comment that is not ours says that it is not ours."""
    previews.run("create database app_pr_7")
    previews.run("comment on database app_pr_7 is 'the accounts of 2025'")

    with pytest.raises(NotOurs):
        await previews.cluster().make(PreviewPlan(7))


async def test_a_database_without_a_comment_is_taken_over(previews: PreviewServer) -> None:
    """Whoever made it died before the comment."""
    previews.run("create database app_pr_7")

    made = await previews.cluster().make(PreviewPlan(7))

    assert not made.created
    assert (await previews.cluster().previews())[0].marker == made.marker


async def test_what_was_half_dropped_is_made_anew(previews: PreviewServer) -> None:
    """Whoever dropped it died in the middle: a new start has a new database."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    previews.run("create table old (at int)", "app_pr_7")
    previews.run("alter database app_pr_7 allow_connections false")

    made = await cluster.make(PreviewPlan(7))

    assert made.created
    assert previews.run("select to_regclass('old')", "app_pr_7") == [(None,)]


async def test_a_new_start_opens_a_closed_one(previews: PreviewServer) -> None:
    """Somebody wants the preview: it is not dropped under its feet."""
    cluster = previews.cluster()
    await cluster.make(PreviewPlan(7))
    await cluster.close(7)

    made = await cluster.make(PreviewPlan(7))

    assert made.marker.closed_at is None


async def _created(previews: PreviewServer, wanted: PreviewPlan) -> bool:
    return await in_thread(previews.url(), lambda session: create(session, wanted), {})


async def _outcome(previews: PreviewServer) -> str | None:
    """Return the code of a plain `create database`, or that it was created."""
    try:
        await asyncio.to_thread(previews.run, "create database app_pr_7")
    except psycopg2.Error as error:
        return error.pgcode
    return "created"
