"""A plugin with routes of every shape, for tests of the route layer."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal

import attrs
import msgspec
from aiohttp import web
from msgspec import Meta

from energia.convert import Id
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import InUse, NotFound
from energia.hookspecs import hookimpl
from energia.web.routes import Created, Query, Route, Routes, Upload
from energia.web.streams import CSV, NDJSON, Accepted, Batch, Rows

routes = Routes()
tagged = Routes(tag="Sites")


@attrs.frozen
class Thing:
    """A thing.

    Attributes:
        name: What it is called.
        price: What it costs.

    """

    name: Annotated[str, Meta(max_length=10)]
    price: Decimal = Decimal(1)


class Numbers(msgspec.Struct, forbid_unknown_fields=True):
    """Many numbers."""

    values: list[float]


@routes.get("/v1/things/{thing}", errors=(NotFound,))
async def get_thing(thing: Id, since: date | None = None, limit: int = 10) -> Thing:
    """Return a thing.

    The second paragraph.
    """
    if thing == "none":
        raise NotFound("there is no thing none")
    if thing == "broken":
        raise RuntimeError("the secret password is 1234")
    if thing == "exit":
        sys.exit(3)
    return Thing(f"{thing}-{limit}", Decimal(since.day if since else 0))


@routes.put("/v1/things/{thing}", examples={"A lamp": {"name": "lamp", "price": "9.50"}})
async def put_thing(thing: Id, body: Thing, dry: bool = False) -> Thing | Created[Thing]:
    """Store a thing."""
    return body if dry else Created(f"/v1/things/{thing}", body)


@routes.post("/v1/things", status=HTTPStatus.CREATED)
async def post_thing(new: Thing | None = None) -> Thing:
    """Make a thing."""
    return new or Thing("default")


@routes.delete("/v1/things/{thing}", errors=(InUse,))
async def delete_thing(thing: Id) -> None:
    """Delete a thing."""
    if thing == "used":
        raise InUse


@routes.post("/v1/numbers")
async def post_numbers(body: Numbers, core: Core) -> dict[str, float]:
    """Add numbers up."""
    return {"sum": sum(body.values), "limit": core.settings.limits.body_bytes}


@routes.get("/v1/choice")
async def get_choice(
    kind: Literal["a", "b"],
    at: Annotated[list[int], Meta(max_length=2)] = [],  # noqa: B006
) -> dict[str, str]:
    """Return a choice."""
    return {"kind": kind, "at": repr(at)}


@routes.post("/v1/files")
async def post_file(upload: Upload, query: Query) -> dict[str, str]:
    """Count the bytes of a file."""
    size = 0
    async for chunk in upload:
        size += len(chunk)
    return {"size": str(size), "type": upload.media_type} | query


@routes.post("/v1/blocking")
async def post_blocking(upload: Upload) -> dict[str, int]:
    """Count the bytes of a file in a worker thread."""
    async with upload.blocking() as chunks:
        return {"size": await asyncio.to_thread(lambda: sum(map(len, chunks)))}


@routes.get("/v1/stored")
async def get_stored(tenant: Tenant) -> list[int]:
    """Read from the database."""
    return await tenant.fetch(int, "select 1")


@routes.get("/v1/stream", produces=("text/csv",))
async def get_stream(request: web.Request) -> web.StreamResponse:
    """Stream a file."""
    response = web.StreamResponse(headers={"Content-Type": "text/csv"})
    await response.prepare(request)
    await response.write(b"a,b\n")
    return response


@tagged.get("/v1/places", answers={HTTPStatus.SERVICE_UNAVAILABLE: Thing})
async def get_places(limit: Annotated[int, Meta(examples=[5])]) -> list[str]:
    """Return places."""
    return ["here"] * limit


@routes.get("/v1/slow")
async def get_slow(seconds: float) -> list[str]:
    """Take some time."""
    await asyncio.sleep(seconds)
    return ["done"]


@routes.get("/v1/asleep")
async def get_asleep(seconds: float, tenant: Tenant) -> list[int]:
    """Let the database take some time."""
    return await tenant.fetch(int, "select 1 from pg_sleep(%s)", seconds)


@routes.get("/v1/drops", produces=(CSV, NDJSON))
async def get_drops(seconds: float, accepted: Accepted) -> Rows:
    """Begin to answer at once, and take some time for it."""

    async def batches() -> AsyncGenerator[Batch, None]:
        yield [[1]]
        await asyncio.sleep(seconds)
        yield [[2]]

    return Rows(("drop",), batches())


@routes.get("/v1/long")
async def get_long() -> list[str]:
    """Return a long answer."""
    return ["x" * 100] * 100


@hookimpl
def register_routes() -> list[Route]:
    """Return the routes."""
    return [*routes, *tagged]
