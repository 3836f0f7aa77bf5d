"""Proxies before the service: whom it believes, and where its clients see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address, ip_network

import aiohttp
import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from energia import PUBLIC, Routes, hookimpl
from energia.configuration.loading import load
from energia.errors import ConfigurationError
from energia.plugins import Plugins
from energia.settings import Server, Settings
from energia.web.app import create_app
from energia.web.lifecycle import running
from energia.web.proxies import Proxies
from energia_plugins import docs_ui
from tests.e2e.service import environment
from tests.serving import make_core

PROXIES = ("127.0.0.0/8", "10.0.0.0/8")
routes = Routes(reads=PUBLIC)


@routes.get("/v1/asker", returns=dict[str, str])
async def get_asker(request: web.Request) -> web.Response:
    """Return what the service takes for the request's origin, and links to itself."""
    said = {"client": request.remote, "scheme": request.scheme, "host": request.host}
    headers = {"Link": '</v1/asker?page=2>; rel="next", <//elsewhere/x>; rel="help"'}
    return web.json_response(said | {"path": request.path_qs}, headers=headers)


class Asker:
    """A plugin that tells who asks."""

    @hookimpl
    def register_routes(self) -> Routes:
        """Offer the route."""
        return routes


@asynccontextmanager
async def serve(*trusted: str, base_path: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """Serve as the process does, and give a client that believes to talk to a proxy."""
    server = Server(trusted_proxies=trusted, base_path=base_path)
    plugins = Plugins.of(asker=Asker, docs_ui=docs_ui)
    app = create_app(make_core(plugins=plugins, settings=attrs.evolve(Settings(), server=server)))
    async with running(app, shutdown_timeout=1) as runner:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session


def client_of(*hops: str, trusted: tuple[str, ...] = PROXIES) -> str | None:
    """Return whose request one is that a proxy passes on with these hops."""
    headers = {"X-Forwarded-For": ", ".join(hops)} if hops else {}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="127.0.0.1")
    return Proxies(trusted, "").as_sent(request).remote


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.7"], "203.0.113.7"),
        (["1.2.3.4", "203.0.113.7"], "203.0.113.7"),
        (["1.2.3.4", "203.0.113.7", "10.1.1.1"], "203.0.113.7"),
        (["10.2.2.2", "10.1.1.1"], "10.2.2.2"),
        (["1.2.3.4", "unknown", "10.1.1.1"], "10.1.1.1"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["2001:DB8::7"], "2001:db8::7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, "], "127.0.0.1"),
        (["<script>"], "127.0.0.1"),
    ],
)
def test_the_client_is_the_last_that_no_proxy_is(hops: list[str], client: str) -> None:
    """From the right each address is believed that a trusted proxy has written, and no other."""
    assert client_of(*hops) == client


def test_without_trust_nothing_is_believed() -> None:
    """A client that says of itself where it comes from is not believed."""
    assert client_of("203.0.113.7", trusted=()) == "127.0.0.1"
    assert client_of("203.0.113.7", trusted=("192.0.2.0/24",)) == "127.0.0.1"


@given(st.lists(st.text(max_size=20) | st.ip_addresses().map(str), max_size=6), st.data())
def test_what_a_client_claims_changes_nothing(claims: list[str], data: st.DataObject) -> None:
    """Whatever stands before the address that a trusted proxy saw, that address is the client."""
    networks = [ip_network(one) for one in PROXIES]
    mine = data.draw(st.ip_addresses(v=4).filter(lambda one: not any(one in n for n in networks)))
    plain = [claim for claim in claims if claim.isprintable()]
    hops = [*plain, str(mine), *data.draw(st.lists(st.just("10.0.0.9"), max_size=2))]

    assert ip_address(client_of(*hops) or "") == IPv4Address(mine)


async def test_the_scheme_and_host_are_the_clients() -> None:
    """As the nearest proxy says them, where it is trusted and what it says can be one."""
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "energia.example"}
    async with serve(*PROXIES) as api:
        async with api.get("/v1/asker", headers=said) as answer:
            believed = await answer.json()
        said = {"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "a/b c"}
        async with api.get("/v1/asker", headers=said) as answer:
            odd = await answer.json()

    assert (believed["scheme"], believed["host"]) == ("https", "energia.example")
    assert (odd["scheme"], odd["host"].partition(":")[0]) == ("http", "127.0.0.1")


@pytest.mark.parametrize(
    ("base_path", "sent_path", "headers"),
    [
        ("/a/energia", "/v1/asker", {}),
        ("/a/energia", "/a/energia/v1/asker", {}),
        ("", "/v1/asker", {"X-Forwarded-Prefix": "/a/energia"}),
        ("/other", "/v1/asker", {"X-Forwarded-Prefix": "/a/energia"}),
    ],
)
async def test_below_a_path_everything_leads_back(
    base_path: str, sent_path: str, headers: dict[str, str]
) -> None:
    """Redirects, links and the document's server begin as the client's paths do."""
    root = sent_path.removesuffix("/v1/asker")
    async with serve(*PROXIES, base_path=base_path) as api:
        async with api.get(f"{sent_path}?page=1", headers=headers) as answer:
            links, said = answer.headers["Link"], await answer.json()
        async with api.get(f"{root}/", headers=headers, allow_redirects=False) as answer:
            start = answer.headers["Location"]
        async with api.get(f"{root}/openapi.json", headers=headers) as answer:
            document = await answer.json()

    assert said["path"] == "/v1/asker?page=1"
    assert links == '</a/energia/v1/asker?page=2>; rel="next", <//elsewhere/x>; rel="help"'
    assert start == "/a/energia/docs"
    assert [server["url"] for server in document["servers"]] == ["/a/energia"]


@pytest.mark.parametrize("prefix", ["//evil.example", "/a/", "a", "/a b", "/a\\b", "http://x"])
async def test_a_prefix_that_is_no_path_leads_nowhere(prefix: str) -> None:
    """A redirect to another site cannot be made of a header, not even of a proxy's."""
    headers = {"X-Forwarded-Prefix": prefix}
    async with (
        serve(*PROXIES) as api,
        api.get("/", headers=headers, allow_redirects=False) as answer,
    ):
        assert answer.status == HTTPStatus.FOUND
        assert answer.headers["Location"] == "/docs"


async def test_a_path_that_only_begins_like_it_is_another_one() -> None:
    """`/energy` is not below `/en`, and what is not below it is served all the same."""
    async with serve(base_path="/en") as api:
        async with api.get("/energy/v1/asker") as answer:
            assert answer.status == HTTPStatus.NOT_FOUND
        async with api.get("/en", allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/en/docs"
        async with api.get("/health/live") as answer:
            assert answer.status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TRUSTED_PROXIES", '["10.0.0.1/8"]', "10.0.0.1/8 has host bits set"),
        ("TRUSTED_PROXIES", '["traefik"]', "does not appear to be an IPv4 or IPv6 network"),
        ("BASE_PATH", "/energia/", "server.base_path"),
        ("BASE_PATH", "//x", "server.base_path"),
        ("BASE_PATH", "/v1", "the service has /v1 itself"),
    ],
)
def test_what_cannot_be_trusted_is_refused(name: str, value: str, message: str) -> None:
    """Networks and paths are checked before the service starts."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ=environment(**{f"ENERGIA_SERVER__{name}": value}))

    assert message in caught.value.faults[0].message
