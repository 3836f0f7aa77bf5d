"""What all pages have in common: their language, their files, and where their links lead."""

import gzip
import re
from collections.abc import AsyncIterator

import aiohttp
import attrs
import pytest
from aiohttp import web

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Server, Settings
from energia.web.app import create_app
from energia.web.lifecycle import running
from energia_plugins.console.page import static
from tests.plugins.console.service import Service
from tests.serving import LOOPBACK, make_core

#: What a page may take to be drawn the first time, as it travels.
FIRST_PAGE = 150_000
LINK = re.compile(r'(?:href|src|action)="([^"]*)"')


# Languages.


async def test_the_language_of_a_page(open_service: Service) -> None:
    """That of its URL, else the chosen one, else the browser's; a page says which it is in."""
    weighed = "fr, pt-BR;q=0.7, en;q=0.3"
    assert "Overview" in (await open_service.get("/console")).text
    by_browser = await open_service.get("/console", accept_language=weighed)
    assert 'lang="pt-BR"' in by_browser.html
    assert by_browser.headers["Content-Language"] == "pt-BR"
    assert by_browser.headers["Vary"].startswith("Accept-Language, Cookie")
    assert "Visão geral" in by_browser.text

    by_url = await open_service.get("/console?language=en", accept_language=weighed)
    assert "Overview" in by_url.text
    chosen = await open_service.get("/console", accept_language=weighed)
    assert "Overview" in chosen.text  # the switch is remembered

    unknown = await open_service.get("/console?language=tlh", accept_language=weighed)
    assert "Overview" in unknown.text


async def test_the_switch_keeps_the_page(open_service: Service) -> None:
    """It leads to the same page in the other language: with its query, and all values of it."""
    page = await open_service.get("/console?meter=a&meter=b&from=1")

    switch = '/console?meter=a&amp;meter=b&amp;from=1&amp;language=pt-BR"'
    assert f'hreflang="pt-BR" lang="pt-BR" href="{switch}' in page.html


# Files.


async def test_the_first_page_is_small(service: Service) -> None:
    """A page and everything that it loads at first travel in under 150 kB."""
    await service.sign_in()
    page = await service.get("/console")
    files = set(re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page.html))
    size = len(gzip.compress(page.html.encode()))
    for path in files:
        async with service.client.get(path) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Content-Encoding"] in ("gzip", "deflate")
            size += int(answer.headers["Content-Length"])

    assert files
    assert size < FIRST_PAGE


def test_every_file_is_small() -> None:
    """All files together, as a page may load them, stay below the size of a first page."""
    sizes = {name: len(gzip.compress(data)) for name, data in static().files.items()}

    assert sum(sizes.values()) < FIRST_PAGE, sizes


@pytest.mark.parametrize(
    "name", ["nothing.css", "..%2fsettings.py", "%2e%2e%2fgate.py", "reset.css", "icon.svg/x"]
)
async def test_only_its_own_files(open_service: Service, name: str) -> None:
    """A path that is none of the files is not found, whatever it leads to."""
    assert (await open_service.get(f"/console/static/x/{name}")).status == 404


async def test_the_policy(open_service: Service) -> None:
    """Every page lets run and load what is ours alone, and has no style or script in itself."""
    for path in ("/console", "/console/sign-in", "/console/nothing"):
        page = await open_service.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son\w+=", page.html)


# Where links lead.


@pytest.fixture(name="below")
async def _below(pool: Pool) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client that is a proxy: it takes `/energia` off the paths, and says so."""
    settings = attrs.evolve(
        Settings(), server=Server(trusted_proxies=("127.0.0.0/8",)), outgoing=LOOPBACK
    )
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with running(create_app(core), shutdown_timeout=1) as runner:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        headers = {"X-Forwarded-Prefix": "/energia"}
        async with aiohttp.ClientSession(url, headers=headers) as session:
            yield session


async def test_below_a_path(below: aiohttp.ClientSession) -> None:
    """All links, files and forms of a page stay below the path where the service is seen."""
    for path in ("/console", "/console/sign-in?back=/console", "/console/nothing"):
        async with below.get(path) as answer:
            links = LINK.findall(await answer.text())
        assert len(links) > 3
        assert [one for one in links if not one.startswith(("/energia/", "#"))] == []
    async with below.get("/", headers={"Accept": "text/html"}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/energia/console"


@pytest.mark.parametrize(
    ("accept", "page"), [("text/html,*/*", "/console"), ("*/*", "/docs"), ("", "/docs")]
)
async def test_the_root(open_service: Service, accept: str, page: str) -> None:
    """Leads browsers to the console, and programs to the documentation."""
    assert (await open_service.get("/", accept=accept)).path == page
