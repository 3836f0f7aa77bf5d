"""Jobs: what outlives a request, watched, cancelled and resumed by whoever began it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from energia.access.callers import Caller, Scope
from energia.convert import Id
from energia.core import Core
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import NotFound
from energia.jobs.models import Job, JobStatus
from energia.jobs.store import JobEnded, JobStore, NotResumable
from energia.web import bodies
from energia.web.access import refuse_strangers
from energia.web.export_files import MEDIA_TYPES, Export
from energia.web.resources import (
    BILLERS,
    READERS,
    WRITERS,
    Cursor,
    Limit,
    Page,
    examples,
    page,
    place_of,
)
from energia.web.routes import Accepted, Deferred, Routes

#: Whoever may begin any job.
BEGINNERS: Final[tuple[Scope, ...]] = (*READERS, *WRITERS, *BILLERS)
#: Whoever may begin jobs of a kind.
BEGINNERS_OF: Final[Mapping[str, tuple[Scope, ...]]] = {
    "bills.run": BILLERS,
    "bills.reprice": BILLERS,
    "readings.import": WRITERS,
    Export.kind: READERS,
}

JobId = Annotated[
    Id,
    Meta(description="The id of the job.", examples=["019a3f0e-0000-7000-8000-000000000000"]),
]
OfStatus = Annotated[JobStatus, Meta(description="Only jobs that stand like this.")]
OfKind = Annotated[
    str, Meta(max_length=64, description="Only jobs of this kind.", examples=["bills.run"])
]

routes = Routes(tag="Jobs", reads=BEGINNERS, writes=BEGINNERS)
export_routes = Routes(tag="Readings", writes=READERS)


async def begun(core: Core, tenant: Tenant, kind: str, request: object) -> Deferred[Job]:
    """Begin a job and return the answer that says so."""
    store = JobStore(tenant, core.jobs)
    id_ = await store.new(kind, request)
    return await started(store, id_)


async def started(store: JobStore, id_: str) -> Deferred[Job]:
    """Let a job wait for a worker, and return the answer that says so."""
    await store.start(id_)
    return Deferred(f"/v1/jobs/{id_}", await store.get(id_))


@export_routes.add(
    "POST",
    "/v1/exports",
    status=HTTPStatus.ACCEPTED,
    examples=examples("exports"),
    once="together",
)
async def post_export(body: Export, core: Core, tenant: Tenant) -> Deferred[Job]:
    """Write stored readings to a file, all of one instant: exact, in kWh, kvarh, kVAh or m3.

    It is a job (202); `GET /v1/jobs/{job}/file` gives the file, and `POST /v1/imports` takes it as
    it is: `format=csv&mapping=energia`, or `format=ndjson`.
    """
    return await begun(core, tenant, Export.kind, body)


@routes.get("/v1/jobs")
async def list_jobs(
    core: Core,
    tenant: Tenant,
    caller: Caller,
    status: OfStatus | None = None,
    kind: OfKind | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Job]:
    """List the jobs that the caller has begun, the newest first; to `admin`, those of all."""
    store = JobStore(tenant, core.jobs)
    before = place_of(cursor) or None
    found = await store.list(_beginner(caller), status, kind, before, limit + 1)
    return page(found, limit, lambda job: job.id)


@routes.get("/v1/jobs/{job}", errors=(NotFound,), holds=holding("job"))
async def get_job(job: JobId, core: Core, tenant: Tenant, caller: Caller) -> Job:
    """Return a job: how far it is, and once it has ended, what it has given."""
    return await JobStore(tenant, core.jobs).get(job, _beginner(caller))


@routes.delete("/v1/jobs/{job}", errors=(NotFound, JobEnded))
async def cancel_job(job: JobId, core: Core, tenant: Tenant, caller: Caller) -> None:
    """Cancel a job that has not ended.

    A file is stored whole or not at all; of a bill run, what is done by then stays.
    """
    store = JobStore(tenant, core.jobs)
    await store.get(job, _beginner(caller))
    await store.cancel(job)


@routes.post("/v1/jobs/{job}/resume", errors=(NotFound, NotResumable), once="together")
async def resume_job(job: JobId, core: Core, tenant: Tenant, caller: Caller) -> Deferred[Job]:
    """Let a job that has failed, or was cancelled, go on: what it has done is not done again."""
    store = JobStore(tenant, core.jobs)
    found = await store.get(job, _beginner(caller))
    refuse_strangers(caller, BEGINNERS_OF.get(found.kind, ("admin",)))
    await store.resume(job)
    return Deferred(f"/v1/jobs/{job}", await store.get(job))


@routes.add(
    "GET",
    "/v1/jobs/{job}/file",
    scopes=READERS,
    errors=(NotFound,),
    produces=tuple(MEDIA_TYPES.values()),
)
async def get_job_file(
    job: JobId,
    request: web.Request,
    _: Accepted,
    core: Core,
    tenant: Tenant,
    caller: Caller,
) -> web.StreamResponse:
    """Return the file that an export has written; 404 until the job has succeeded."""
    store = JobStore(tenant, core.jobs)
    found = await store.get(job, _beginner(caller))
    if found.status != "succeeded" or found.kind != Export.kind or found.result is None:
        raise NotFound(f"the job {job!r} has no file: it is a {found.kind}, {found.status}")
    format_ = found.result["format"]
    bodies.accepted(request, (MEDIA_TYPES[format_],))
    response = web.StreamResponse()
    response.content_type = MEDIA_TYPES[format_]
    response.content_length = found.result["bytes"]
    name = f"energia-{job}.{format_}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    await response.prepare(request)
    number = 0
    while request.method != "HEAD" and (part := await store.part(job, number)) is not None:
        await response.write(part)
        number += 1
    await response.write_eof()
    return response


def _beginner(caller: Caller) -> str | None:
    """Return whose jobs a caller sees: its own, or with the scope `admin` those of everybody."""
    return None if caller.may("admin") and not caller.limited else caller.id
