"""`energia preview`: the databases of pull requests, from the command line."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.previews.cluster import PreviewPlan
from tests.previews import PreviewServer


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder: no `config` is found by accident."""
    monkeypatch.chdir(tmp_path)


def run(previews: PreviewServer, *arguments: str, **environ: str) -> Result:
    """Run `energia preview` as production does."""
    given = {
        "ENERGIA_PROFILE": "production",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/energia",
        "ENERGIA_PREVIEW__ADMIN_URL": previews.url(),
        **environ,
    }
    return CliRunner(env=given).invoke(energia, ("preview", *arguments))


def made(previews: PreviewServer, *numbers: int, closed: bool = False) -> None:
    """Make the databases of pull requests."""

    async def make() -> None:
        for pr in numbers:
            await previews.cluster().make(PreviewPlan(pr, commit="0123456789abcdef"))
            if closed:
                await previews.cluster().close(pr)

    asyncio.run(make())


def test_the_list_is_a_table_or_json(previews: PreviewServer) -> None:
    """Each with how it stands; what is not ours is told, too."""
    made(previews, 7)
    made(previews, 8, closed=True)
    made(previews, 10)
    previews.age(10, seen_at=259_201)
    previews.run("create database app_pr_9")

    table = run(previews, "list")
    rows = json.loads(run(previews, "list", "--json").output)

    assert table.exit_code == 0
    assert "0123456789ab" in table.output
    assert [(row["pr"], row["state"]) for row in rows] == [
        (7, "open"),
        (8, "closed"),
        (9, "foreign"),
        (10, "expired"),
    ]
    assert (rows[0]["commit"], rows[0]["sessions"]) == ("0123456789abcdef", 0)
    assert rows[0]["size"] > 1_000_000
    assert rows[0]["created_at"].endswith("Z")
    assert rows[2]["created_at"] is None


def test_ensure_makes_migrates_and_fills(previews: PreviewServer) -> None:
    """Production makes one by its number; the second time there is nothing to do."""
    before = run(previews, "ensure", "7", "--dry-run")
    first = run(previews, "ensure", "7", ENERGIA_PREVIEW__SEED="demo")
    second = run(previews, "ensure", "7", "--json", ENERGIA_PREVIEW__SEED="demo")

    assert (before.exit_code, before.output) == (0, "app_pr_7: would be made\n")
    assert (first.exit_code, first.stdout) == (0, "app_pr_7: made\n")
    assert json.loads(second.stdout) == {
        "pr": 7,
        "database": "app_pr_7",
        "outcome": "is there",
        "applied": [],
    }
    ours = "select set_config('energia.organization', '1', true); select id from site"
    assert previews.run(ours, "app_pr_7") == [("demo-home",)]


def test_ensure_of_a_preview_is_its_own(previews: PreviewServer) -> None:
    """It has the number and the URL, and no other database."""
    own = {"PR_NUMBER": "7", "DATABASE_URL": previews.url("app_pr_")}

    done = run(previews, "ensure", **own)
    other = run(previews, "ensure", "8", **own)

    assert (done.exit_code, done.stdout) == (0, "app_pr_7: made\n")
    assert other.exit_code == 2
    assert "this is the preview of pull request 7, not 8" in other.output
    assert previews.databases() == ["app_pr_7"]


def test_drop_drops_one(previews: PreviewServer) -> None:
    """After a rehearsal; what is not there is no error."""
    made(previews, 1, 10)

    rehearsed = run(previews, "drop", "1", "--dry-run")
    dropped = run(previews, "drop", "1")
    again = run(previews, "drop", "1", "--json")

    assert (rehearsed.exit_code, rehearsed.output) == (0, "app_pr_1: would be dropped\n")
    assert (dropped.exit_code, dropped.output) == (0, "app_pr_1: dropped\n")
    assert json.loads(again.output)["outcome"] == "there is no such database"
    assert again.exit_code == 0
    assert previews.databases() == ["app_pr_10"]


def test_drop_leaves_what_is_not_ours(previews: PreviewServer) -> None:
    """It ends with 1, and says why."""
    previews.run("create database app_pr_7")

    rehearsed = run(previews, "drop", "7", "--dry-run")
    refused = run(previews, "drop", "7")

    assert rehearsed.output == "app_pr_7: would be left alone: it is not ours\n"
    assert refused.exit_code == 1
    assert "app_pr_7 has no comment of ours" in refused.output
    assert previews.databases() == ["app_pr_7"]


def test_reap_says_what_it_does(previews: PreviewServer) -> None:
    """A rehearsal, the run, and nothing more to do."""
    made(previews, 1, closed=True)
    made(previews, 2)

    rehearsed = run(previews, "reap", "--dry-run")
    done = run(previews, "reap", "--json")
    idle = run(previews, "reap")

    assert (rehearsed.exit_code, rehearsed.output) == (0, "app_pr_1: would be dropped (closed)\n")
    assert json.loads(done.output) == [{"pr": 1, "reason": "closed", "error": None}]
    assert (idle.exit_code, idle.output) == (0, "Nothing is due.\n")
    assert previews.databases() == ["app_pr_2"]


def test_reap_fails_where_a_drop_does(previews: PreviewServer) -> None:
    """A scheduled task shows that something is left."""
    made(previews, 1, closed=True)
    previews.run("alter database app_pr_1 is_template true")

    done = run(previews, "reap")

    assert done.exit_code == 1
    assert done.output == "app_pr_1: cannot drop a template database (closed)\n"


@pytest.mark.parametrize(
    "arguments", [("list",), ("drop", "8"), ("reap",), ("drop", "8", "--dry-run")]
)
def test_a_preview_has_no_power_over_others(
    previews: PreviewServer, arguments: tuple[str, ...]
) -> None:
    """The administrator's URL that was copied to it is not used."""
    made(previews, 8, closed=True)

    refused = run(previews, *arguments, PR_NUMBER="7", DATABASE_URL=previews.url("app_pr_7"))

    assert refused.exit_code == 2
    assert "preview.admin_url is not set" in refused.output
    assert previews.databases() == ["app_pr_8"]


@pytest.mark.parametrize("number", ["0", "-1", "07x", "10000000000", "energia"])
def test_a_number_is_a_number(previews: PreviewServer, number: str) -> None:
    """Anything else is wrong usage."""
    assert run(previews, "drop", "--", number).exit_code == 2


def test_an_unknown_seed_is_told_before_anything_is_made(previews: PreviewServer) -> None:
    """With the nearest name."""
    refused = run(previews, "ensure", "7", ENERGIA_PREVIEW__SEED="dmo")

    assert refused.exit_code == 2
    assert "preview.seed: no plugin offers 'dmo' (did you mean 'demo'?)" in refused.output
    assert previews.databases() == []
