"""What plugins may return from their registration hooks."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import attrs
import click
import pytest
from aiohttp import web
from prometheus_client import Counter, Gauge

from energia import BaseCharge, Core
from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.plugins.registration import HOOKS
from energia.web.routes import Route
from energia_plugins.demo.household import DemoSeed
from tests.typing.panels import Standby
from tests.typing.plugin import Acme
from tests.typing.tasks import Cleaning, Greeting


@attrs.frozen
class Charge(BaseCharge):
    """A charge that costs nothing."""

    kind: ClassVar[str] = "nothing"

    def measures(self) -> dict[str, object]:
        """Measure nothing."""
        return {}

    def lines(self, measured: object, bill: object) -> Iterator[object]:
        """Charge nothing."""
        return iter(())


class Bare:
    """A charge that is no attrs class."""

    kind = "bare"


@attrs.frozen
class Unnamed(BaseCharge):
    """A charge without a kind."""


@attrs.frozen
class Strange(Charge):
    """A charge whose kind is no string."""

    kind: ClassVar[str] = 1  # type: ignore[assignment]


@attrs.frozen
class Spaced(Charge):
    """A charge whose kind no tariff could name."""

    kind: ClassVar[str] = "acme levy"


class Undecorated(Charge):
    """A charge whose field attrs does not know."""

    rate: int


@attrs.frozen
class OneExample(Charge):
    """A charge with an example where several are expected."""

    examples: ClassVar[Mapping[str, object]] = {"kind": "nothing"}  # type: ignore[assignment]


@attrs.frozen
class Mute(BaseCharge):
    """A charge without lines."""

    kind: ClassVar[str] = "mute"

    def measures(self) -> dict[str, object]:
        """Measure nothing."""
        return {}


@attrs.frozen
class Rootless:
    """A charge that lacks what the core asks of every charge."""

    kind: ClassVar[str] = "rootless"
    channel: str = "import"


@attrs.frozen
class Probe:
    """A probe that passes."""

    name: str = "broker"
    criticality: str = "degraded"

    async def check(self, _: Core) -> None:
        """Pass."""


@attrs.frozen
class BlockingProbe:
    """A probe that would block the service."""

    name: str = "broker"
    criticality: str = "degraded"

    def check(self) -> None:
        """Pass."""


class Misplaced(Standby):
    """A panel for a page that there is not."""

    places: ClassVar[Any] = ("meters",)


class Untitled(Standby):
    """A panel without a title in Portuguese."""

    titles: ClassVar = {"en": "Standby"}


class Silent:
    """A panel that shows nothing, whoever asks."""

    name = "silent"
    places = ("meter",)


class BlockingTask:
    """A task that would block the worker."""

    name = "blocks"

    def run(self, core: Core, arguments: object) -> None:
        """Do nothing."""


class StubbornTask:
    """A task that says in numbers how often it is tried."""

    name = "stubborn"
    retry = 5

    async def run(self, core: Core, arguments: object) -> None:
        """Do nothing."""


@attrs.frozen
class Unreadable:
    """A probe that fails when it is asked what it is."""

    name: str = "broker"

    @property
    def criticality(self) -> str:
        """Fail."""
        raise OSError("no broker")


@attrs.frozen
class Decoder:
    """A decoder of empty files."""

    name: str = "empty"
    options: type = Probe

    def decode(self, chunks: object, options: object) -> Iterator[object]:
        """Find nothing."""
        return iter(())


class Custom:
    """A collector that does not describe itself."""

    def collect(self) -> Iterator[object]:
        """Collect nothing."""
        return iter(())


class Indescribable(Custom):
    """A collector that fails to describe itself."""

    def describe(self) -> Iterator[object]:
        """Fail."""
        raise OSError("no broker")


@web.middleware
async def middleware(request: web.Request, handler: object) -> web.Response:
    """Answer."""
    return web.Response()


async def unmarked(request: web.Request, handler: object) -> web.Response:
    """Answer."""
    return web.Response()


async def hello() -> str:
    """Return a greeting."""
    return "hello"


def offering(hook: str, *objects: object) -> SimpleNamespace:
    """Return a plugin that registers *objects* by *hook*."""
    return SimpleNamespace(**{hook: hookimpl(lambda: list(objects))})


@pytest.mark.parametrize(
    ("hook", "one", "message"),
    [
        ("register_routes", 1, "1: it must be of the class energia.web.routes.Route"),
        ("register_commands", "demo", "'demo': it must be of the class click.Command"),
        ("register_charges", Bare, r"test_offers.Bare: a charge must be an attrs class"),
        ("register_charges", Charge(), "a charge must be an attrs class"),
        ("register_charges", Unnamed, "a charge must have a `kind`"),
        ("register_charges", Strange, "a charge must have a `kind`"),
        ("register_charges", Spaced, "a charge must have a `kind`: a string of its class, 1 to 64"),
        ("register_charges", Undecorated, "its `rate` is no field: decorate the class with @attr"),
        ("register_charges", OneExample, "`examples` must be a tuple of charges"),
        ("register_charges", Mute, "a charge must have a method `lines`"),
        ("register_charges", Rootless, "a charge must have `code`, `description`"),
        ("register_middlewares", "x", "'x': a middleware must be callable"),
        ("register_middlewares", unmarked, "a middleware must be marked with @web.middleware"),
        ("register_probes", SimpleNamespace(name="broker"), "the `criticality` of a probe must be"),
        ("register_probes", Probe(criticality="low"), "must be 'critical' or 'degraded'"),
        ("register_probes", BlockingProbe(), "a probe must have a coroutine function `check`"),
        ("register_probes", Unreadable(), "it cannot be read: no broker"),
        ("register_tasks", BlockingTask(), "a task must have a coroutine function `run`"),
        ("register_tasks", StubbornTask(), "the `retry` of a task: it must be of the class"),
        ("register_tasks", Greeting("g" * 41), "the `name` of a task has 40 bytes at most"),
        ("register_panels", Misplaced(), "there is no place 'meters' \\(did you mean 'meter'"),
        ("register_panels", Untitled(), "the `titles` of a panel must have one for each of en, pt"),
        ("register_panels", Silent(), "a panel must have a coroutine function `content`"),
        (
            "register_seeds",
            SimpleNamespace(name="x"),
            "a seed must have a coroutine function `sow`",
        ),
        ("register_collectors", object(), "a collector must have a method `collect`"),
        ("register_collectors", Counter, "it is a class: a collector must be an instance"),
        (
            "register_decoders",
            SimpleNamespace(name="x"),
            "the `options` of a decoder must be an attrs",
        ),
        ("register_decoders", Decoder(options=int), "the `options` of a decoder must be an attrs"),
        (
            "register_decoders",
            SimpleNamespace(name="x", options=Probe),
            "a decoder must have a method `decode`",
        ),
    ],
)
def test_an_object_of_the_wrong_type_is_refused(hook: str, one: object, message: str) -> None:
    """It would fail in a request, or be passed over; the plugin and the hook are named."""
    with pytest.raises(PluginError, match=f"^plugin 'bad': {hook} returned .*{message}"):
        Plugins.of(bad=offering(hook, one))


@pytest.mark.parametrize(
    ("hook", "one"),
    [
        ("register_charges", Charge),
        ("register_decoders", Decoder()),
        ("register_probes", Probe()),
        ("register_seeds", DemoSeed()),
        ("register_tasks", Cleaning()),
        ("register_panels", Standby()),
        ("register_collectors", Gauge("g", "A gauge.", registry=None)),
        ("register_collectors", Custom()),
        ("register_routes", Route("GET", "/v1/hello", hello)),
        ("register_middlewares", middleware),
        ("register_commands", click.Group("solar")),
    ],
)
def test_an_object_of_the_right_type_is_offered(hook: str, one: object) -> None:
    """Each registration hook has a method that gives its objects."""
    offered = getattr(Plugins.of(good=offering(hook, one)), hook.removeprefix("register_"))()

    assert one in (offered.values() if isinstance(offered, dict) else offered)


def test_the_plugin_of_the_type_checker_loads() -> None:
    """What the types allow in every hook is accepted when it runs, too."""
    (state,) = Plugins.of(acme=Acme).states

    assert set(state.hooks) == set(HOOKS)


def test_two_metrics_of_one_name_are_refused() -> None:
    """The registry could not hold both; both plugins are named."""
    one, two = (Counter("messages", "Messages.", registry=None) for _ in range(2))

    with pytest.raises(PluginError, match="plugins 'a' and 'b' both offer the metric 'messages'"):
        Plugins.of(a=offering("register_collectors", one), b=offering("register_collectors", two))
    with pytest.raises(PluginError, match="plugin 'a' offers twice the metric 'messages'"):
        Plugins.of(a=offering("register_collectors", one, two))


def test_a_collector_that_does_not_describe_itself_is_named() -> None:
    """A failure while the names of metrics are compared tells whose it is."""
    with pytest.raises(PluginError, match=r"plugin 'bad': .* does not describe .*: no broker"):
        Plugins.of(bad=offering("register_collectors", Indescribable()))


def test_the_owners_of_what_is_registered_are_known() -> None:
    """Whoever finds a fault later can name the plugin."""
    route, collector = Route("GET", "/v1/hello", hello), Gauge("g", "A gauge.", registry=None)

    plugins = Plugins.of(
        a=offering("register_routes", route), b=offering("register_collectors", collector)
    )

    assert plugins.owned_routes() == (("a", route),)
    assert plugins.owned_collectors() == (("b", collector),)
