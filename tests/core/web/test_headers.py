"""Headers about security, and what pages of other origins may do."""

import attrs
import pytest

from energia.plugins import Plugins
from energia.settings import Cors, Server, Settings
from energia_plugins import docs_ui
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

ORIGIN = "https://app.example.com"
ASKING = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}


@pytest.mark.parametrize(
    "path", ["/v1/things/lamp", "/v1/nothing", "/v1/things/x?y=1", "/health/live", "/v1/stream"]
)
async def test_every_answer_is_no_page(client: Client, path: str) -> None:
    """It is shown in no frame, loads nothing, and no cache keeps it; so is an error."""
    async with client.get(path) as answer:
        headers = answer.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers
    assert "Access-Control-Allow-Origin" not in headers


async def test_a_handler_knows_better(serving: Serving) -> None:
    """The documentation page has a policy of its own, and its files may be kept."""
    async with serving(make_core(plugins=Plugins.of(docs_ui=docs_ui))) as client:
        async with client.get("/docs") as answer:
            page = answer.headers
        async with client.get("/docs/swagger-ui.css") as answer:
            style = answer.headers

    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert page.getall("Content-Security-Policy") == [page["Content-Security-Policy"]]
    assert (page["Cache-Control"], style["Cache-Control"]) == ("no-cache", "public, max-age=3600")
    assert page["X-Frame-Options"] == "DENY"


async def test_by_https_only(serving: Serving) -> None:
    """Behind TLS a setting says so."""
    settings = attrs.evolve(Settings(), server=Server(https_only=31_536_000))
    async with serving(make_core(settings=settings)) as client, client.get("/health") as answer:
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


# CORS.


async def test_by_default_no_other_origin(client: Client) -> None:
    """A page of another origin may neither send nor read anything."""
    async with client.options("/v1/things/lamp", headers=ASKING) as answer:
        assert answer.status == 405
        assert "Access-Control-Allow-Origin" not in answer.headers


def of_origins(*origins: str) -> Settings:
    """Return settings that let pages of these origins in."""
    return attrs.evolve(Settings(), cors=Cors(origins=origins))


async def test_a_page_that_is_let_in(serving: Serving) -> None:
    """The browser is told before, and again with the answer; errors can be read too."""
    core = make_core(plugins=Plugins.of(fakes=fakes), settings=of_origins(ORIGIN))
    async with serving(core) as client:
        async with client.options("/v1/things/lamp", headers=ASKING) as asked:
            allowed = asked.headers
            assert (asked.status, await asked.read()) == (204, b"")
        async with client.get("/v1/things/used?x=1", headers={"Origin": ORIGIN}) as answer:
            assert answer.status == 422

    assert allowed["Access-Control-Allow-Origin"] == ORIGIN
    assert allowed["Access-Control-Allow-Headers"] == ", ".join(Cors().headers)
    assert {"If-Match", "Idempotency-Key"} <= set(Cors().headers)
    assert {"PUT", "PATCH"} <= set(allowed["Access-Control-Allow-Methods"].split(", "))
    assert allowed["Access-Control-Max-Age"] == "600"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Link", "Location", "Retry-After", "RateLimit-Limit"} <= exposed
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example"])
async def test_a_page_that_is_not(serving: Serving, origin: str) -> None:
    """Origins are compared whole."""
    core = make_core(plugins=Plugins.of(fakes=fakes), settings=of_origins(ORIGIN))
    async with serving(core) as client:
        async with client.options("/v1/long", headers={**ASKING, "Origin": origin}) as asked:
            assert "Access-Control-Allow-Methods" not in asked.headers
        async with client.get("/v1/long", headers={"Origin": origin}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "Origin" in answer.headers["Vary"]


async def test_pages_of_all_origins(serving: Serving) -> None:
    """A star is for everybody, and no cache needs to tell them apart."""
    core = make_core(plugins=Plugins.of(fakes=fakes), settings=of_origins("*"))
    asking = {"Origin": "null"}
    async with serving(core) as client, client.get("/v1/long", headers=asking) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Origin" not in answer.headers.get("Vary", "")
