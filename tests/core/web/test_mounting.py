"""Routes of the core and of plugins on one application."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from types import SimpleNamespace
from typing import ClassVar

import attrs
import pytest
from aiohttp import hdrs, web
from aiohttp.test_utils import make_mocked_request

from energia import BaseCharge
from energia.convert import JSON
from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.pricing.tariffs import tariff_converter
from energia.web.app import check, create_app, mount
from energia.web.endpoints import ROUTES, routes
from energia.web.keys import CONVERSION
from energia.web.routes import PUBLIC, Route, RoutesBelow
from tests.serving import Serving, make_core


async def here(name: str = "x") -> str:
    """Return a name."""
    return name


async def odd() -> complex:
    """Return what JSON has not."""
    return 1j


@attrs.frozen
class Odd(BaseCharge):
    """A charge with a field that JSON has not."""

    kind: ClassVar[str] = "odd"
    rate: complex = 1j

    def measures(self) -> dict[str, object]:
        """Measure nothing."""
        return {}

    def lines(self, measured: object, bill: object) -> list[object]:
        """Charge nothing."""
        return []


def routed(*routes: Route | RoutesBelow) -> SimpleNamespace:
    """Return a plugin with *routes*."""
    return SimpleNamespace(register_routes=hookimpl(lambda: list(routes)))


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        (
            {"a": routed(Route("GET", "/x", here)), "b": routed(Route("GET", "/x", here))},
            "plugins 'a' and 'b' both answer GET /x",
        ),
        (
            {"a": routed(Route("GET", "/v1/sites", here))},
            "plugin 'a' and the core both answer GET /v1/sites",
        ),
        (
            {"a": routed(Route("get", "/v1/sites/{id}", here))},
            r"plugin 'a' and the core both answer GET /v1/sites/\{id\}",
        ),
        (
            {"a": routed(Route("GET", "/x", here), Route("GET", "/x", here))},
            "plugin 'a' answers GET /x twice",
        ),
        (
            {
                "a": routed(RoutesBelow("/x", lambda: [Route("GET", "/x/{id}", here)])),
                "b": routed(Route("GET", "/x/{name}", here)),
            },
            r"plugins 'a' and 'b' both answer GET /x/\{name\}",
        ),
        (
            {"a": routed(RoutesBelow("/x", lambda: [Route("GET", "/y", here)]))},
            "the route /y is not below /x",
        ),
        ({"a": routed(Route("GET", "x", here))}, "plugin 'a': the route x: "),
        ({"a": routed(Route("GET", "/{x", here))}, r"plugin 'a': the route /\{x: "),
        ({"a": routed(Route("B D", "/x", here))}, "plugin 'a': the route /x: "),
        (
            {"a": routed(), "b": routed(Route("GET", "/x", odd))},
            "plugin 'b': the route GET /x cannot be described: .*complex",
        ),
        (
            {"a": routed(), "b": SimpleNamespace(register_charges=hookimpl(lambda: [Odd]))},
            "plugin 'b': the charge 'odd' cannot be described: .*complex",
        ),
    ],
)
def test_a_route_that_does_not_fit_names_its_plugin(
    plugins: dict[str, object], message: str
) -> None:
    """The operator learns whom to disable, and `energia config check` tells it too."""
    with pytest.raises(PluginError, match=f"^{message}"):
        check(Plugins.of(**plugins))


def test_methods_of_one_path_may_be_of_two_plugins() -> None:
    """What is compared is the method and the path; GET answers HEAD unless a route does."""
    plugins = Plugins.of(
        a=routed(Route("GET", "/x", here)),
        b=routed(Route("PUT", "/x", here), Route("HEAD", "/x", here)),
    )
    app = web.Application()

    mount(app, plugins)

    (resource,) = (one for one in app.router.resources() if one.canonical == "/x")
    assert sorted(route.method for route in resource) == ["GET", "HEAD", "PUT"]


def test_a_route_of_a_plugin_and_one_of_the_core_that_is_not_made_yet() -> None:
    """A service does not start with both, though most routes of the core are made on demand."""
    plugins = Plugins.of(a=routed(Route("GET", "/v1/contracts/{id}", here)))

    with pytest.raises(PluginError, match=r"^plugin 'a' and the core both answer"):
        mount(web.Application(), plugins)


async def test_no_route_stands_before_one_that_is_made_on_demand() -> None:
    """Those that are there from the start answer no request for which the core has another."""
    app = web.Application()
    mount(app, Plugins.installed())
    resources = [one for one in app.router.resources() if "{below}" not in one.canonical]
    late = [route for route in routes() if route not in ROUTES]

    assert len(late) > len(ROUTES)
    for route in late:
        path = route.path.replace("{", "").replace("}", "")
        request = make_mocked_request(route.method, path)
        assert path.startswith("/v1/")
        assert [one for one in resources if await one.resolve(request) != (None, set())] == []


async def test_routes_of_the_core_that_are_made_on_demand(serving: Serving) -> None:
    """They are answered as any other, and what is none of them is not there."""
    client = await serving.app(create_app(make_core(plugins=Plugins.of())))
    answers = [await client.request("PUT", path) for path in ("/v1/costs", "/v1/sites", "/v1/no")]

    assert [answer.status for answer in answers] == [405, 405, 404]
    assert [answer.headers.get(hdrs.ALLOW) for answer in answers] == ["POST", "GET,HEAD,POST", None]


async def test_routes_below_a_path_are_made_when_one_is_asked_for(
    serving: Serving,
) -> None:
    """They are made once, for the first request, and each answers as any other does."""
    made = []

    def load() -> list[Route]:
        made.append(1)
        return [
            Route("GET", "/w", here, scopes=PUBLIC),
            Route("GET", "/w/{name}", here, scopes=PUBLIC),
        ]

    plugins = Plugins.of(weather=routed(RoutesBelow("/w", load)))
    client = await serving.app(create_app(make_core(plugins=plugins)))
    before = list(made)
    found = [await client.get(path) for path in ("/w", "/w/rain", "/w/rain/often", "/v1/none")]
    other = await client.post("/w/rain")

    assert (before, made) == ([], [1])
    assert [answer.status for answer in found] == [200, 200, 404, 404]
    assert await found[1].json() == "rain"
    assert (other.status, other.headers["Allow"]) == (405, "GET,HEAD")


def test_routes_that_two_ask_for_at_once_are_made_once() -> None:
    """The one that comes second waits for the routes, and gets the same."""
    both = Barrier(2)
    made = []

    def load() -> list[Route]:
        made.append(1)
        with suppress(BrokenBarrierError):
            both.wait(0.2)  # until another one loads, too
        return [Route("GET", "/w", here)]

    below = RoutesBelow("/w", load)
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(lambda _: below.routes(), range(2))

    assert made == [1]
    assert first is second


async def test_bodies_have_charges_where_a_route_may_have_some(serving: Serving) -> None:
    """Who only sends readings waits for no charge to be imported."""
    core = make_core(plugins=Plugins.of())
    app = create_app(core)
    client, conversion = await serving.app(app), app[CONVERSION]
    await client.get("/v1/imports")
    after_readings = conversion.converter

    await client.get("/v1/tariffs")

    assert after_readings is JSON
    assert conversion.converter is tariff_converter(core.plugins.charges())
