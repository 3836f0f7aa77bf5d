"""`energia jobs`: what outlives a request, at the command line."""

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.db.pool import Pool
from energia.jobs.queue import Jobs
from energia.jobs.store import JobStore
from energia.settings import Database


def run(database: str, *arguments: str) -> Result:
    """Run a command on a database."""
    env = {"DATABASE_URL": database, "ENERGIA_PROFILE": "development"}
    return CliRunner().invoke(energia, ["jobs", *arguments], env=env)


@pytest.fixture(name="job")
def _job(database: str) -> str:
    """Give the id of a job that waits."""

    async def begin() -> str:
        pool = Pool(database, Database())
        try:
            store = JobStore(pool.tenant(), Jobs(pool))
            id_ = await store.new("readings.export", {"format": "csv"})
            await store.start(id_)
            return id_
        finally:
            await pool.close()

    return asyncio.run(begin())


def test_jobs_are_listed(database: str, job: str) -> None:
    """As lines, or as JSON."""
    lines = run(database, "list")
    one = json.loads(run(database, "list", "--json").output)

    assert lines.output.startswith(f"{job}  ")
    assert "readings.export  waiting   0" in lines.output
    assert (one["id"], one["status"]) == (job, "waiting")


def test_a_job_is_cancelled_and_resumed(database: str, job: str) -> None:
    """Each once; again is an error in one line."""
    assert run(database, "cancel", job).output == f"{job}: cancelled\n"
    assert run(database, "list", "--status", "waiting").output == ""
    again = run(database, "cancel", job)
    assert (again.exit_code, again.stderr) == (1, "energia: the job has ended: cancelled\n")
    assert run(database, "resume", job).output == f"{job}: waiting\n"


def test_a_job_that_has_ended_is_watched_no_longer(database: str, job: str) -> None:
    """It is printed, and the status tells that it has not succeeded."""
    run(database, "cancel", job)

    watched = run(database, "watch", job)

    assert watched.exit_code == 1
    assert json.loads(watched.output)["status"] == "cancelled"


def test_a_job_that_is_not_there_is_told(database: str) -> None:
    """In one line."""
    result = run(database, "watch", "nothing")

    assert (result.exit_code, result.stderr) == (1, "energia: there is no job 'nothing'\n")
