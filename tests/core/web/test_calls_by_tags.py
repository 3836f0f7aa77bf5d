"""Calls of the API from within a request, by what the caller has seen."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from energia import SCOPES, Routes, hookimpl
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.web.calls import Api
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES))


@routes.get("/v1/seen")
async def get_seen(request: web.Request) -> dict[str, Any]:
    """Return a site with its tag."""
    seen = await Api(request).seen("get_site", site="home")
    return {"value": seen.value, "tag": seen.tag}


@routes.post("/v1/renamed")
async def post_renamed(request: web.Request, tag: str, name: str) -> dict[str, Any]:
    """Rename the site that has a tag."""
    body = {"name": name}
    changed = await Api(request).call("update_site", if_match=tag, site="home", body=body)
    return dict(changed)


@routes.post("/v1/replaced")
async def post_replaced(request: web.Request, tag: str) -> dict[str, Any]:
    """Replace the site that has a tag."""
    body = {**SITE, "name": "House"}
    changed = await Api(request).call("put_site", if_match=tag, site="home", body=body)
    return dict(changed)


@routes.post("/v1/deleted")
async def post_deleted(request: web.Request, tag: str) -> dict[str, Any]:
    """Delete the site that has a tag."""
    return {"answer": await Api(request).call("delete_site", if_match=tag, site="home")}


@routes.post("/v1/tagless")
async def post_tagless(request: web.Request) -> dict[str, Any]:
    """Write what nothing reads."""
    return dict(await Api(request).call("post_site", if_match="x", body=SITE))


class Calling:
    """A plugin whose routes call the API."""

    @hookimpl
    def register_routes(self) -> Routes:
        """Offer the routes."""
        return routes


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site."""
    async with serving(make_core(plugins=Plugins.of(calling=Calling()), pool=pool)) as client:
        assert (await client.put("/v1/sites/home", json=SITE)).status == 201
        yield client


async def seen(client: Client) -> tuple[dict[str, Any], str]:
    """Return the site and its tag, as a handler sees them."""
    async with client.get("/v1/seen") as answer:
        body = await answer.json()
        return body["value"], body["tag"]


async def write(client: Client, path: str, **query: str) -> tuple[int, Any]:
    """Let a handler write; return the status and the body."""
    async with client.post(path, params=query) as answer:
        return answer.status, await answer.json()


async def test_the_tag_is_the_one_that_clients_get(client: Client) -> None:
    """Whoever reads by a call can compare it with an answer of the API."""
    value, tag = await seen(client)

    async with client.get("/v1/sites/home") as answer:
        assert answer.headers["ETag"] == f'"{tag}"'
        assert await answer.json() == value


async def test_what_was_seen_is_changed(client: Client) -> None:
    """The tag of now lets PATCH, PUT and DELETE through."""
    _, tag = await seen(client)
    renamed = await write(client, "/v1/renamed", tag=tag, name="Casa")
    _, tag = await seen(client)
    replaced = await write(client, "/v1/replaced", tag=tag)
    _, tag = await seen(client)
    deleted = await write(client, "/v1/deleted", tag=tag)

    assert (renamed[0], renamed[1]["name"]) == (200, "Casa")
    assert (replaced[0], replaced[1]["name"]) == (200, "House")
    assert deleted == (200, {"answer": None})
    assert (await client.get("/v1/sites/home")).status == 404


async def test_what_has_changed_meanwhile_stays(client: Client) -> None:
    """With the tag of before nothing is written, and nothing deleted."""
    _, before = await seen(client)
    await write(client, "/v1/renamed", tag=before, name="Casa")

    refused = [
        await write(client, path, tag=before, **query)
        for path, query in (
            ("/v1/renamed", {"name": "Late"}),
            ("/v1/replaced", {}),
            ("/v1/deleted", {}),
        )
    ]

    assert [status for status, _ in refused] == [412, 412, 412]
    assert {body["code"] for _, body in refused} == {"precondition_failed"}
    assert (await seen(client))[0]["name"] == "Casa"


async def test_what_has_no_tag_is_not_written_by_one(client: Client) -> None:
    """A condition on what nothing reads is refused, not passed over."""
    status, body = await write(client, "/v1/tagless")

    assert (status, body["code"]) == (412, "precondition_failed")
