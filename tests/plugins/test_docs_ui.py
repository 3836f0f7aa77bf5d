"""The documentation page, with just its plugin."""

import re
from collections.abc import AsyncIterator

import pytest

from energia.plugins import Plugins
from energia_plugins import docs_ui
from tests.serving import Client, Serving, make_core


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with just this plugin."""
    async with serving(make_core(plugins=Plugins.of(docs_ui=docs_ui))) as client:
        yield client


async def test_start_leads_to_the_page(client: Client) -> None:
    """With this plugin / leads to the page, and the page to the document."""
    async with client.get("/") as answer:
        assert answer.url.path == "/docs"
        assert answer.content_type == "text/html"
    async with client.get("/docs/initializer.js") as answer:
        assert 'url: "openapi.json"' in await answer.text()


async def test_everything_is_served_from_here(client: Client) -> None:
    """Whatever the page refers to is served by the service itself."""
    async with client.get("/docs") as answer:
        page = await answer.text()
    references = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert len(references) >= 5
    for reference in references:
        async with client.get(f"/{reference}") as answer:
            assert reference.startswith("docs/")
            assert answer.status == 200
            assert len(await answer.read()) > 100


async def test_policy(client: Client) -> None:
    """The page runs no script but ours, and is shown in no frame."""
    async with client.get("/docs") as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script>" not in page
    assert "<style" not in page


async def test_renders_our_version(client: Client) -> None:
    """The bundle is of a major version that renders OpenAPI 3.1."""
    async with client.get("/docs/swagger-ui-bundle.js") as answer:
        assert answer.content_type == "text/javascript"
        assert "OpenAPI 3.1" in await answer.text() or "isOAS31" in await answer.text()


@pytest.mark.parametrize(
    "path",
    [
        "/docs/index.html",
        "/docs/..%2f..%2f__init__.py",
        "/docs/%2e%2e%2fswagger-ui.css",
        "/docs/..%5cx",
        "/docs//etc/passwd",
        "/docs/a/b",
    ],
)
async def test_only_its_own_files(client: Client, path: str) -> None:
    """A path that is none of its files is not found, whatever it leads to."""
    async with client.get(path) as answer:
        assert answer.status == 404
