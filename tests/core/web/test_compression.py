"""Answers are compressed for clients that ask for it, whoever made them."""

import gzip
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from energia.plugins import Plugins
from energia_plugins import docs_ui
from energia_plugins.metrics_prometheus import Metrics
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture(name="api")
async def _api(serving: Serving) -> AsyncIterator[Client]:
    """Give a client that sees answers as they are sent."""
    plugins = Plugins.of(fakes=fakes, docs=docs_ui, metrics=Metrics)
    async with serving(make_core(plugins=plugins)) as client:
        yield client


async def got(api: Client, path: str, method: str = "GET", **headers: str) -> tuple[bytes, str]:
    """Return the body of an answer as it was sent, and its encoding."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, api.make_url(path), headers=headers) as answer,
    ):
        assert answer.status == 200
        if answer.headers.get("Content-Encoding"):
            assert "Accept-Encoding" in answer.headers["Vary"]
        return await answer.read(), answer.headers.get("Content-Encoding", "")


@pytest.mark.parametrize(
    "path", ["/v1/long", "/openapi.json", "/docs/swagger-ui-bundle.js", "/metrics"]
)
async def test_what_is_long_is_compressed(api: Client, path: str) -> None:
    """JSON, the document, the page and the metrics are smaller, and the same once inflated."""
    plain, none = await got(api, path, **{"Accept-Encoding": "identity"})
    packed, encoding = await got(api, path, **GZIP)

    assert (none, encoding) == ("", "gzip")
    assert len(packed) < len(plain)
    if path != "/metrics":
        assert gzip.decompress(packed) == plain


async def test_what_is_short_is_not(api: Client) -> None:
    """A header would be longer than what is saved."""
    body, encoding = await got(api, "/health/live", **GZIP)

    assert (json.loads(body)["status"], encoding) == ("pass", "")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", ""),
        ("*, gzip;q=0", ""),
        ("identity", ""),
        ("br", ""),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("gzip, identity;q=0", "gzip"),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=0, *", ""),
        ("*;q=0, identity", ""),
        ("", ""),
    ],
)
async def test_the_client_decides(api: Client, accepted: str, encoding: str) -> None:
    """Weights count; nothing is compressed unasked."""
    _, found = await got(api, "/v1/long", **{"Accept-Encoding": accepted})

    assert found == encoding


async def test_problems_are_compressed_too(api: Client) -> None:
    """A problem document with many faults is long."""
    query = "&".join(f"unknown_{number}=1" for number in range(50))
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(api.make_url(f"/v1/long?{query}"), headers=GZIP) as answer,
    ):
        body = await answer.read()

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(body))["errors"]) == 50


async def test_head_has_the_headers_of_get(api: Client) -> None:
    """And no body."""
    body, encoding = await got(api, "/v1/long", "HEAD", **GZIP)

    assert (body, encoding) == (b"", "gzip")


async def test_what_is_short_for_those_who_take_nothing_else(api: Client) -> None:
    """It is compressed, however little that saves."""
    headers = {"Accept-Encoding": "gzip, identity;q=0"}
    body, encoding = await got(api, "/health/live", **headers)

    assert (json.loads(gzip.decompress(body))["status"], encoding) == ("pass", "gzip")


@pytest.mark.parametrize("accepted", ["identity;q=0", "*;q=0", "br, identity;q=0"])
async def test_neither(api: Client, accepted: str) -> None:
    """A client that takes neither gzip nor no encoding gets 406."""
    async with api.get("/v1/things/a", headers={"Accept-Encoding": accepted}) as answer:
        problem = await answer.json(content_type="application/problem+json")

    assert (answer.status, problem["code"]) == (406, "not_acceptable")


async def test_a_header_of_several_lines(api: Client) -> None:
    """It is one list."""
    headers = [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
    async with api.get("/v1/long", headers=headers) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
