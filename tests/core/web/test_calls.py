"""Calls of the API from within a request: as its client would be answered, and no more."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp import web

from energia import SCOPES, Routes, hookimpl
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Auth, Settings
from energia.web.calls import Api
from energia.web.routes import Upload
from tests.core.web import fakes
from tests.e2e.test_access import bearer
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "UTC", "country": "GB", "currency": "GBP"}
routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)


@routes.post("/page")
async def show_page(request: web.Request) -> web.Response:
    """Call the operation that the body names, and answer as it does."""
    asked = await request.json()
    answer = await Api(request).call(asked["operation"], **asked["arguments"])
    return web.json_response(answer)


@routes.get("/page/{operation}", returns=dict[str, Any])
async def show_whether(operation: str, request: web.Request) -> web.Response:
    """Tell whether the caller may call an operation."""
    return web.json_response(Api(request).may(operation))


@routes.post("/page/both")
async def change_both(request: web.Request) -> web.Response:
    """Change two things of one site at once."""
    call = Api(request).call
    changes: list[dict[str, Any]] = await request.json()
    await asyncio.gather(*(call("update_site", site="home", body=body) for body in changes))
    return web.json_response(await call("get_site", site="home"))


@routes.post("/page/file")
async def pass_file(request: web.Request, upload: Upload) -> web.Response:
    """Hand on the file that the request is."""
    return web.json_response(await Api(request).call("post_file", upload=upload))


class Pages:
    """A plugin with pages."""

    @hookimpl
    def register_routes(self) -> Routes:
        """Offer them."""
        return routes


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with the pages, which needs tokens."""
    settings = attrs.evolve(Settings(), auth=Auth(required=True))
    plugins = Plugins.of(pages=Pages(), fakes=fakes)
    async with serving(make_core(plugins=plugins, settings=settings, pool=pool)) as client:
        yield client


@pytest.fixture(name="admin")
async def _admin(pool: Pool) -> dict[str, str]:
    """Give the header of a token for everything."""
    return await bearer(pool, "admin")


async def call(
    client: Client, headers: dict[str, str], operation: str, **arguments: object
) -> tuple[int, Any]:
    """Return the status and the JSON of a page that calls an operation."""
    asked = {"operation": operation, "arguments": arguments}
    async with client.post("/page", json=asked, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_it_answers_as_a_client_is_answered(client: Client, admin: dict[str, str]) -> None:
    """What is made, read and listed is the JSON of the API; what is deleted answers nothing."""
    made = await call(client, admin, "put_site", site="home", body=SITE)
    async with client.get("/v1/sites/home", headers=admin) as answer:
        site = await answer.json()
    async with client.get("/v1/sites?limit=1", headers=admin) as answer:
        sites = await answer.json()

    assert made == (200, site)
    assert await call(client, admin, "get_site", site="home") == (200, site)
    assert await call(client, admin, "list_sites", limit="1") == (200, sites)
    assert await call(client, admin, "list_sites", limit=1) == (200, sites)
    assert await call(client, admin, "delete_site", site="home") == (200, None)
    assert (await call(client, admin, "get_site", site="home"))[0] == 404


@pytest.mark.parametrize(
    ("operation", "arguments", "method", "path"),
    [
        ("put_site", {"site": "home", "body": {"name": 5}}, "PUT", "/v1/sites/home"),
        ("get_site", {"site": "no/site"}, "GET", "/v1/sites/no%2Fsite"),
        ("get_site", {"site": "gone"}, "GET", "/v1/sites/gone"),
        ("list_sites", {"limit": "many"}, "GET", "/v1/sites?limit=many"),
        ("list_sites", {"limit": 0}, "GET", "/v1/sites?limit=0"),
        ("get_choice", {"kind": "c"}, "GET", "/v1/choice?kind=c"),
        ("get_choice", {}, "GET", "/v1/choice"),
        ("post_numbers", {"body": {"values": [1, "x"]}}, "POST", "/v1/numbers"),
    ],
)
async def test_it_refuses_as_a_client_is_refused(
    client: Client,
    admin: dict[str, str],
    operation: str,
    arguments: dict[str, Any],
    method: str,
    path: str,
) -> None:
    """The status, the code and every fault with its pointer are those of the API."""
    body = arguments.get("body")
    async with client.request(method, path, json=body, headers=admin) as answer:
        refused = answer.status, await answer.json()

    status, told = await call(client, admin, operation, **arguments)

    assert status >= 400
    assert (status, {**told, "request_id": ""}) == (refused[0], {**refused[1], "request_id": ""})


async def test_it_is_its_caller(client: Client, pool: Pool, admin: dict[str, str]) -> None:
    """What a token does not allow is refused, and told beforehand."""
    reader = await bearer(pool, "readings:read")
    await call(client, admin, "put_site", site="home", body=SITE)

    async def may(operation: str) -> bool:
        async with client.get(f"/page/{operation}", headers=reader) as answer:
            return bool(await answer.json())

    status, told = await call(client, reader, "put_site", site="home", body=SITE)

    assert (status, told["code"]) == (403, "forbidden")
    assert "the token lacks" in told["detail"]
    assert (await call(client, reader, "get_site", site="home"))[0] == 200
    assert [await may(one) for one in ("get_site", "put_site", "no_such_thing")] == [
        True,
        False,
        False,
    ]


async def test_an_operation_that_is_not_there(client: Client, admin: dict[str, str]) -> None:
    """Pages are none, and a plugin that is not loaded has none."""
    for name in ("no_such_thing", "show_page"):
        status, told = await call(client, admin, name)
        assert (status, told["detail"]) == (404, f"there is no operation {name!r} here")


async def test_an_argument_that_is_not_there(client: Client, admin: dict[str, str]) -> None:
    """Is a mistake of the page, not of who looks at it."""
    assert (await call(client, admin, "get_site", site="home", sight="x"))[0] == 500


async def test_changes_of_one_thing(client: Client, admin: dict[str, str]) -> None:
    """Each is on top of the one before, also of one request at once."""
    await call(client, admin, "put_site", site="home", body=SITE)

    changes = [{"name": "Casa"}, {"country": "BR"}, {"timezone": "America/Sao_Paulo"}]
    async with client.post("/page/both", json=changes, headers=admin) as answer:
        site = await answer.json()

    assert (site["name"], site["country"], site["timezone"], site["currency"]) == (
        "Casa",
        "BR",
        "America/Sao_Paulo",
        "GBP",
    )


async def test_a_file(client: Client, admin: dict[str, str]) -> None:
    """The body of the request is handed on as it comes, in its media type."""
    headers = {**admin, "Content-Type": "text/csv"}
    async with client.post("/page/file", data=b"a,b\n" * 500, headers=headers) as answer:
        assert await answer.json() == {"size": "2000", "type": "text/csv"}


async def test_pages_are_not_in_the_document(client: Client) -> None:
    """The document is of the API alone."""
    async with client.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]

    assert [path for path in paths if path.startswith("/page")] == []
    assert "/v1/things/{thing}" in paths
