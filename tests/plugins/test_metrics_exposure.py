"""Who may read the metrics, and where."""

import re
from typing import Any

import aiohttp
import pytest

from energia.errors import PluginError
from energia.plugins import Plugins
from energia.settings import PluginSelection, Profile, Server, Settings
from energia.web.app import create_app, started
from tests.e2e.service import free_port
from tests.serving import Client, Serving, make_core

PROFILES: tuple[Profile, ...] = ("production", "preview")


def core_of(profile: Profile, **settings: Any) -> Any:
    """Return the core of a service of *profile* whose metrics are so configured."""
    selection = PluginSelection(
        enabled=("metrics-prometheus",), settings={"metrics-prometheus": settings}
    )
    server = Server(host="127.0.0.1")
    return make_core(
        plugins=Plugins.installed(selection),
        settings=Settings(profile=profile, server=server, plugins=selection),
    )


async def status(client: Client, authorization: str | None = None) -> int:
    """Return the status of a scrape."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with client.get("/metrics", headers=headers) as answer:
        return answer.status


async def test_open_in_development(serving: Serving) -> None:
    """On a developer's machine nothing is needed."""
    async with serving(core_of("development")) as client:
        assert await status(client) == 200


@pytest.mark.parametrize("profile", PROFILES)
async def test_closed_unless_told(profile: Profile, serving: Serving) -> None:
    """In production and previews nobody reads them until the configuration says who; it says so."""
    async with serving(core_of(profile)) as client, client.get("/metrics") as answer:
        problem = await answer.json(content_type=None)

        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="energia"'
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert problem["code"] == "unauthenticated"
        assert re.search("token, a port or public", problem["detail"])


@pytest.mark.parametrize("profile", PROFILES)
async def test_open_if_public(profile: Profile, serving: Serving) -> None:
    """`public = true` opens them."""
    async with serving(core_of(profile, public=True)) as client:
        assert await status(client) == 200


@pytest.mark.parametrize("profile", ["development", *PROFILES])
async def test_a_token(profile: Profile, serving: Serving) -> None:
    """With a token in the configuration, only who sends it reads them."""
    async with serving(core_of(profile, token="s3cret-ä")) as client:
        assert await status(client, "Bearer s3cret-ä") == 200
        assert await status(client, "bearer s3cret-ä") == 200
        assert await status(client) == 401
        assert await status(client, "Bearer ") == 401
        assert await status(client, "Bearer s3cret") == 401
        assert await status(client, "Basic s3cret-ä") == 401
        assert await status(client, "s3cret-ä") == 401


async def test_a_port_of_their_own(serving: Serving) -> None:
    """With a port, the public one has no metrics, and the other has them for everybody there."""
    port = free_port()
    async with serving(core_of("production", port=port)) as client:
        assert await status(client) == 404
        (await client.get("/health/live")).release()
        async with aiohttp.request("GET", f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()

            assert answer.status == 200
        assert 'route="unmatched",status="404"' in text
        assert "health_check_status" in text
    with pytest.raises(aiohttp.ClientConnectorError):
        async with aiohttp.request("GET", f"http://127.0.0.1:{port}/metrics"):
            pass


async def test_a_port_and_a_token(serving: Serving) -> None:
    """The token is asked for on the other port too."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    async with serving(core_of("production", port=port, token="t")):
        async with aiohttp.request("GET", url) as answer:
            assert answer.status == 401
        async with aiohttp.request("GET", url, headers={"Authorization": "Bearer t"}) as answer:
            assert answer.status == 200


async def test_a_port_in_use(serving: Serving) -> None:
    """A port that somebody else has stops the start, with a message that names it."""
    port = free_port()
    async with serving(core_of("production", port=port)):
        app = create_app(core_of("production", port=port))
        said = f"metrics cannot listen on 127.0.0.1 port {port}: the port is in use\n"
        with pytest.raises(PluginError, match=said):
            async with started(app):
                pass


@pytest.mark.parametrize("also", [{"token": "t"}, {"port": 9100}])
def test_public_and_closed(also: dict[str, object]) -> None:
    """Settings that contradict each other are refused."""
    with pytest.raises(PluginError, match="metrics-prometheus"):
        core_of("production", public=True, **also)
