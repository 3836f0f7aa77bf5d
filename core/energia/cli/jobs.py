"""`energia jobs`: what outlives a request, listed, watched, cancelled and resumed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar, get_args

import click

from energia.cli.invocation import FAILED, Invocation, allow_embedded, pass_invocation
from energia.jobs.models import JobStatus

if TYPE_CHECKING:
    from energia.jobs.models import Job
    from energia.jobs.store import JobStore

T = TypeVar("T")
#: Seconds between two looks at a job that is watched.
_LOOKS: Final = 0.5


@click.group("jobs", short_help="List, watch, cancel and resume jobs.")
def command() -> None:
    """List, watch, cancel and resume jobs: what outlives a request.

    \b
    Examples:
      energia jobs list --status failed
      energia jobs watch 019a3f0e-0000-7000-8000-000000000000
    """


@command.command("list", short_help="List the newest jobs.")
@click.option("--status", type=click.Choice(get_args(JobStatus)), help="Only those.")
@click.option("--kind", metavar="KIND", help="Only those of a kind, such as bills.run.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@allow_embedded
@pass_invocation
def list_(
    invocation: Invocation,
    status: JobStatus | None,
    kind: str | None,
    limit: int,
    as_json: bool,
    allow_embedded: bool,
) -> None:
    """List the jobs of everybody, the newest first."""
    from energia.convert import dumps
    from energia.time import rfc3339

    async def found(store: "JobStore") -> "list[Job]":
        return await store.list(None, status, kind, None, limit)

    for job in _run(invocation, allow_embedded, found):
        if as_json:
            click.echo(dumps(job).decode())
        else:
            of = "" if job.progress.total is None else f"/{job.progress.total}"
            done = f"{job.progress.done}{of}"
            at = rfc3339(job.created_at.replace(microsecond=0))
            click.echo(f"{job.id}  {at}  {job.kind:<16} {job.status:<9} {done}")


@command.command(short_help="Wait for the end of a job.")
@click.argument("job")
@allow_embedded
@pass_invocation
def watch(invocation: Invocation, job: str, allow_embedded: bool) -> None:
    """Show how far JOB is until it ends, then what it has given, as JSON.

    It ends with status 1 unless the job has succeeded.
    """
    from energia.convert import dumps

    ended = _run(invocation, allow_embedded, lambda store: _watched(store, job))
    click.echo(dumps(ended).decode())
    if ended.status != "succeeded":
        raise click.exceptions.Exit(FAILED)


@command.command(short_help="End a job before its end.")
@click.argument("job")
@allow_embedded
@pass_invocation
def cancel(invocation: Invocation, job: str, allow_embedded: bool) -> None:
    """Cancel JOB; what it has done by then stays, but a file is stored whole or not at all."""

    async def end(store: "JobStore") -> None:
        await store.get(job)
        await store.cancel(job)

    _run(invocation, allow_embedded, end)
    click.echo(f"{job}: cancelled")


@command.command(short_help="Let a job go on that failed or was cancelled.")
@click.argument("job")
@allow_embedded
@pass_invocation
def resume(invocation: Invocation, job: str, allow_embedded: bool) -> None:
    """Let JOB go on: it waits for a worker again."""

    async def begin(store: "JobStore") -> None:
        await store.get(job)
        await store.resume(job)

    _run(invocation, allow_embedded, begin)
    click.echo(f"{job}: waiting")


async def _watched(store: "JobStore", id_: str) -> "Job":
    """Return a job once it has ended; on a terminal, a bar shows how far it is."""
    from energia.cli.files import progress

    job = await store.get(id_)
    while job.ended_at is None and not job.progress.total:
        await asyncio.sleep(_LOOKS)
        job = await store.get(id_)
    with progress(job.kind, job.progress.total or 1) as seen:
        while job.ended_at is None:
            seen(job.progress.done)
            await asyncio.sleep(_LOOKS)
            job = await store.get(id_)
    return job


def _run(
    invocation: Invocation, allow_embedded: bool, work: "Callable[[JobStore], Awaitable[T]]"
) -> T:
    from energia.cli.database import operator, pooled
    from energia.jobs.queue import Jobs
    from energia.jobs.store import JobStore

    settings = invocation.settings(allow_embedded=allow_embedded)

    async def run() -> T:
        async with pooled(settings.database) as pool:
            return await work(JobStore(pool.tenant(caller=operator()), Jobs(pool)))

    return asyncio.run(run())
