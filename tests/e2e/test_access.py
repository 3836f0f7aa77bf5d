"""Who may use which route, with every bundled plugin."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from energia.access import tokens
from energia.access.callers import Caller, Scope
from energia.access.tokens import NewToken
from energia.core import Core
from energia.db.pool import Pool
from energia.errors import Unauthenticated
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.settings import Auth, Settings
from tests.serving import Client, Serving, make_core

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SITE = {"name": "Home", "timezone": "UTC", "country": "ES", "currency": "EUR"}
PUBLIC = {"/", "/docs", "/docs/{asset}", "/health", "/health/live", "/health/ready"}


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service that needs tokens."""
    settings = attrs.evolve(Settings(), auth=Auth(required=True))
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with serving(core) as client:
        yield client


async def bearer(pool: Pool, *scopes: Any, **limits: Any) -> dict[str, str]:
    """Make a token, and return the header that sends it."""
    secret = await tokens.create(pool.tenant(), NewToken("test", scopes, **limits), NOW)
    return {"Authorization": f"Bearer {secret.text}"}


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the method, the path and the description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


async def test_every_route_asks_who_it_is(client: Client, pool: Pool) -> None:
    """Without a token 401; with one that has no scope 403, which names those that would do."""
    nothing = await bearer(pool)
    document = await (await client.get("/openapi.json")).json()

    for method, path, operation in operations(document):
        where = re.sub(r"\{\w+\}", "x", path)
        if path in {*PUBLIC, "/openapi.json"}:
            assert operation["security"] == [], path
            assert (await client.request(method, where, allow_redirects=False)).status < 405
            continue
        stranger = await client.request(method, where)
        refused = await client.request(method, where, headers=nothing)
        scopes = [scope for each in operation["security"] for scope in each["token"]]
        assert (stranger.status, refused.status) == (401, 403), path
        assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
        assert scopes
        detail = (await refused.json())["detail"]
        assert [scope for scope in scopes if scope not in detail] == []
        assert {"401", "403"} <= operation["responses"].keys()


async def test_every_route_lets_its_scopes_in(client: Client, pool: Pool) -> None:
    """A token with one scope of a route passes, and so does `admin`."""
    document = await (await client.get("/openapi.json")).json()
    headers: dict[str, dict[str, str]] = {}

    for method, path, operation in operations(document):
        where = re.sub(r"\{\w+\}", "x", path)
        scopes = [scope for each in operation["security"] for scope in each["token"]]
        for scope in {*scopes, "admin"} if scopes else ():
            headers.setdefault(scope, await bearer(pool, scope))
            answer = await client.request(method, where, headers=headers[scope])
            assert answer.status not in (401, 403), (path, scope)


async def test_paths_that_nothing_answers(client: Client) -> None:
    """They are 404 and 405 for everybody."""
    assert (await client.get("/v1/nothing")).status == 404
    assert (await client.patch("/v1/sites")).status == 405


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer nonsense", "bearer \udcff", "Bearer a b"],
)
async def test_nonsense_is_refused(client: Client, authorization: str) -> None:
    """What is no token of anybody is 401, whatever it looks like."""
    answer = await client.get("/v1/sites", headers={"Authorization": authorization})

    assert answer.status == 401
    assert (await answer.json())["code"] == "unauthenticated"


async def test_in_development(pool: Pool, serving: Serving) -> None:
    """Nobody needs a token, but one that is sent counts: nonsense is refused."""
    nothing = await bearer(pool)
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        assert (await client.get("/v1/sites")).status == 200
        assert (await client.get("/v1/sites", headers=nothing)).status == 403
        nonsense = {"Authorization": "Bearer nonsense"}
        async with client.get("/v1/sites", headers=nonsense) as answer:
            assert answer.status == 401
            assert "none is needed here" in (await answer.json())["detail"]


class Partners:
    """A plugin that knows one token of its own kind, and refuses others of that kind."""

    name = "partners"

    @hookimpl
    def register_authenticators(self) -> list["Partners"]:
        """Offer itself."""
        return [self]

    async def authenticate(self, bearer: str, core: Core) -> Caller | None:
        """Know the partner."""
        if bearer == "partner:forged":
            raise Unauthenticated("the partner's token is forged")
        scopes: frozenset[Scope] = frozenset({"billing"})
        return Caller("partner:7", "Acme", scopes=scopes) if bearer == "partner:7" else None


async def test_authenticators_of_plugins(pool: Pool, serving: Serving) -> None:
    """They are asked for what is no token of the core; who they know has the scopes they say."""
    settings = attrs.evolve(Settings(), auth=Auth(required=True))
    core = make_core(plugins=Plugins.of(partners=Partners()), pool=pool, settings=settings)
    async with serving(core) as client:

        async def status(path: str, bearer: str) -> int:
            headers = {"Authorization": f"Bearer {bearer}"}
            return (await client.get(path, headers=headers)).status

        assert await status("/v1/bills", "partner:7") == 200
        assert await status("/v1/sites", "partner:7") == 403
        assert await status("/v1/bills", "partner:8") == 401
        assert await status("/v1/bills", "partner:forged") == 401


async def test_while_the_database_is_away(client: Client, pool: Pool) -> None:
    """Of an unknown token it cannot be told: 503, not 401."""
    known, other = await bearer(pool, "admin"), await bearer(pool, "admin")
    assert (await client.get("/v1/plugins", headers=known)).status == 200
    await pool.close()

    assert (await client.get("/v1/plugins", headers=known)).status == 200
    assert (await client.get("/v1/plugins", headers=other)).status == 503


async def test_details_of_health(client: Client, pool: Pool) -> None:
    """A token with the scope `health` sees them, another one does not; both get an answer."""
    health, reader = await bearer(pool, "health"), await bearer(pool, "readings:read")
    nonsense = {"Authorization": "Bearer nonsense"}
    for headers in (health, reader):  # health does not wait until a token is looked up
        assert (await client.get("/v1/plugins", headers=headers)).status == 403

    shown = [
        "version" in await (await client.get("/health", headers=headers)).json()
        for headers in (health, reader, nonsense)
    ]

    assert shown == [True, False, False]


async def test_tokens_over_http(client: Client, pool: Pool) -> None:
    """An admin makes, lists, rotates and revokes tokens; secrets are shown once."""
    admin = await bearer(pool, "admin")
    body = {"name": "logger", "scopes": ["readings:write"], "meters": ["UC-123"]}
    made = await client.post("/v1/tokens", json=body, headers=admin)
    token = await made.json()
    prefix = token["about"]["prefix"]
    listed = await (await client.get("/v1/tokens", headers=admin)).text()
    rotated = await client.post(f"/v1/tokens/{prefix}/rotate?grace=60", headers=admin)
    gone = await client.delete(f"/v1/tokens/{prefix}", headers=admin)
    again = await client.post(f"/v1/tokens/{prefix}/rotate", headers=admin)

    assert (made.status, rotated.status, gone.status, again.status) == (201, 200, 204, 404)
    assert token["about"]["meters"] == ["UC-123"]
    assert token["about"]["organization"] == "default"
    assert token["token"].rpartition("_")[2] not in listed
    assert (await rotated.json())["token"].startswith(f"energia_{prefix}_")
    assert (await client.get(made.headers["Location"], headers=admin)).status == 200


async def test_nobody_gives_what_they_lack(client: Client, pool: Pool) -> None:
    """Only `admin` makes tokens, of its own organization alone."""
    billing = await bearer(pool, "billing", "readings:write")
    admin = await bearer(pool, "admin")
    body = {"name": "x", "scopes": ["billing"]}

    assert (await client.post("/v1/tokens", json=body, headers=billing)).status == 403
    elsewhere = {**body, "organization": "other"}
    assert (await client.post("/v1/tokens", json=elsewhere, headers=admin)).status == 422
