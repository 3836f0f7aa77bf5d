"""How plugins are loaded, and how their hooks are called."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import attrs
import click
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from energia import BaseCharge, BillSoFar, Line, Measure
from energia.core import Core
from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.pricing.charges import Measured
from energia.web.routes import Route

if TYPE_CHECKING:
    from energia.metering.outcome import ReadingsStored

EVENT = cast("ReadingsStored", object())
CORE = cast(Core, object())


async def _coroutine() -> list[object]:
    return []


async def _check(_: Core) -> None:
    pass


class Flat:
    """A plugin with one charge."""

    @attrs.frozen
    class Charge(BaseCharge):
        """A charge."""

        kind: ClassVar[str] = "flat"

        def measures(self) -> dict[str, Measure]:
            """Measure nothing."""
            return {}

        def lines(self, measured: Measured, bill: BillSoFar) -> list[Line]:
            """Charge nothing."""
            return []

    @hookimpl
    def register_charges(self) -> list[type]:
        """Offer the charge."""
        return [self.Charge]


def test_an_object_is_a_plugin() -> None:
    """Anything with hook implementations is a plugin; a class is instantiated."""
    plugins = Plugins.of(flat=Flat(), other_flat=middleware("a"))

    assert plugins.names == ("flat", "other-flat")
    assert list(plugins.charges()) == ["flat"]
    assert plugins.charge_provider("flat").name == "flat"
    assert list(Plugins.of(flat=Flat).charges()) == ["flat"]


def middleware(name: str) -> SimpleNamespace:
    """Return a plugin that registers a middleware with a name."""

    async def passing(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    passing.__name__ = name
    return SimpleNamespace(register_middlewares=hookimpl(lambda: [web.middleware(passing)]))


def test_plugins_are_called_in_the_order_of_their_names() -> None:
    """The order does not depend on how they were found."""
    plugins = Plugins.of(b=middleware("2"), c=middleware("3"), a=middleware("1"))

    assert [getattr(one, "__name__", "") for one in plugins.middlewares()] == ["1", "2", "3"]


def test_a_registration_hook_is_called_once() -> None:
    """However often its objects are asked for, they are the same."""
    calls: list[str] = []

    def register() -> list[Route]:
        calls.append("register_routes")
        return [Route("GET", "/hello", _coroutine)]

    plugins = Plugins.of(one=SimpleNamespace(register_routes=hookimpl(register)))

    assert plugins.routes() == plugins.routes() != ()
    assert calls == ["register_routes"]


def _named(name: str, **more: object) -> SimpleNamespace:
    return SimpleNamespace(name=name, **more)


@pytest.mark.parametrize(
    ("hook", "one", "what"),
    [
        ("register_charges", Flat.Charge, "charge 'flat'"),
        ("register_decoders", _named("x", options=Flat.Charge, decode=iter), "format 'x'"),
        ("register_probes", _named("x", criticality="degraded", check=_check), "probe 'x'"),
        ("register_commands", click.Command("x"), "command 'x'"),
    ],
)
def test_two_plugins_cannot_offer_one_name(hook: str, one: object, what: str) -> None:
    """A kind, a format, a probe and a command mean one thing; both plugins are named."""
    first, second = (SimpleNamespace(**{hook: hookimpl(lambda: [one])}) for _ in range(2))

    with pytest.raises(PluginError, match=f"'one' and 'two' both offer the {what}"):
        Plugins.of(one=first, two=second)


@pytest.mark.parametrize("name", ["", None])
def test_an_object_without_a_name_is_refused(name: str | None) -> None:
    """A command is called by its name."""
    plugin = SimpleNamespace(register_commands=hookimpl(lambda: [click.Command(name)]))

    with pytest.raises(PluginError, match="plugin 'bad' offers a command without a name"):
        Plugins.of(bad=plugin)


def test_an_unknown_hook_is_refused() -> None:
    """A misspelt hook does not go unseen; the one that was meant is named."""
    plugin = SimpleNamespace(register_charge=hookimpl(lambda: []))
    meant = "there is no hook 'register_charge' (did you mean 'register_charges'?)"

    with pytest.raises(PluginError, match=re.escape(f"plugin 'typo': {meant}")):
        Plugins.of(typo=plugin)


@pytest.mark.parametrize(
    ("hook", "function", "message"),
    [
        ("readings_stored", lambda events: None, "takes 'events': the hook gives 'event'"),
        ("register_probes", lambda core, *_: [], "takes 'core': the hook gives nothing"),
    ],
)
def test_an_unknown_argument_is_refused(hook: str, function: Any, message: str) -> None:
    """A hook has the arguments of its specification, and the message says which."""
    with pytest.raises(PluginError, match=f"plugin 'typo': {hook} {message}"):
        Plugins.of(typo=SimpleNamespace(**{hook: hookimpl(function)}))


@pytest.mark.parametrize(("returned", "name"), [(None, "None"), (Flat.Charge, r".*\.Flat\.Charge")])
def test_a_hook_returns_several_things(returned: object, name: str) -> None:
    """One thing without a list around it, or nothing at all, is told as what it is."""
    plugin = SimpleNamespace(register_charges=hookimpl(lambda: returned))

    with pytest.raises(PluginError, match=f"register_charges returned {name}: it must return a l"):
        Plugins.of(one=plugin)


def test_a_module_whose_class_has_the_hooks() -> None:
    """The entry point should name the class, and the message says how."""
    module = ModuleType("acme_levy")
    vars(module)["Plugin"] = Flat

    with pytest.raises(PluginError, match=r"its class Plugin does, so .* acme_levy:Plugin"):
        Plugins.of(levy=module)


def test_a_plugin_without_a_hook_is_refused() -> None:
    """A plugin that does nothing is a mistake."""
    with pytest.raises(PluginError, match="plugin 'idle' implements no hook"):
        Plugins.of(idle=SimpleNamespace())


def test_a_hook_without_its_marker_is_refused() -> None:
    """A function named as a hook would never be called without the marker."""
    plugin = SimpleNamespace(register_probes=lambda: [])

    with pytest.raises(PluginError, match="'bare': register_probes is not marked with @hookimpl"):
        Plugins.of(bare=plugin)


async def _generator(core: Core) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("hook", "function", "message"),
    [
        ("register_probes", _coroutine, "cannot be a coroutine function"),
        ("lifespan", _generator, "needs @asynccontextmanager"),
    ],
)
def test_a_hook_is_synchronous(hook: str, function: Any, message: str) -> None:
    """A hook that would never be awaited is refused."""
    with pytest.raises(PluginError, match=f"'late': {hook} {message}"):
        Plugins.of(late=SimpleNamespace(**{hook: hookimpl(function)}))


def test_a_hook_that_fails_is_named() -> None:
    """An error in a registration hook tells whose it is."""
    plugin = SimpleNamespace(register_routes=hookimpl(lambda: 1 // 0))

    with pytest.raises(PluginError, match=r"plugin 'bad': register_routes failed: .*zero"):
        Plugins.of(bad=plugin)


def test_another_version_of_the_contract_is_refused() -> None:
    """A plugin says which contract it needs."""
    plugin = SimpleNamespace(api_version=2, register_routes=hookimpl(lambda: []))

    with pytest.raises(PluginError, match=r"plugin 'new' needs api_version 2; .* serves 1"):
        Plugins.of(new=plugin)


def test_a_constructor_takes_settings_or_nothing() -> None:
    """A class that wants something else cannot be made."""

    @attrs.frozen
    class Odd:
        port: int

    with pytest.raises(PluginError, match="plugin 'odd': its constructor must take nothing, or"):
        Plugins.of(odd=Odd)


def test_a_failing_observer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """An observer's failure is counted, and the next one is still told."""
    told: list[object] = []
    bad = SimpleNamespace(readings_stored=hookimpl(lambda event: 1 // 0))
    good = SimpleNamespace(readings_stored=hookimpl(lambda event: told.append("good")))
    lazy = SimpleNamespace(readings_stored=hookimpl(lambda: told.append("lazy")))
    plugins = Plugins.of(bad=bad, good=good, lazy=lazy)

    plugins.readings_stored(EVENT)

    assert told == ["good", "lazy"]
    assert +plugins.failures == {("bad", "readings_stored"): 1}


def _lifespan(name: str, log: list[str]) -> SimpleNamespace:
    @asynccontextmanager
    async def lifespan(core: Core) -> AsyncIterator[None]:
        log.append(f"{name} in")
        try:
            yield
        finally:
            log.append(f"{name} out")

    return SimpleNamespace(lifespan=hookimpl(lifespan))


async def test_lifespans_are_nested() -> None:
    """Lifespans are entered in order and left in the opposite one."""
    log: list[str] = []

    async with Plugins.of(b=_lifespan("b", log), a=_lifespan("a", log)).lifespans(CORE):
        log.append("serving")

    assert log == ["a in", "b in", "serving", "b out", "a out"]


async def test_a_lifespan_that_fails_is_named() -> None:
    """What was entered is left, and the error tells whose it is."""
    log: list[str] = []
    bad = SimpleNamespace(lifespan=hookimpl(lambda core: 1 // 0))

    with pytest.raises(ZeroDivisionError) as caught:
        async with Plugins.of(a=_lifespan("a", log), bad=bad).lifespans(CORE):
            pass

    assert caught.value.__notes__ == ["plugin 'bad' did not start"]
    assert log == ["a in", "a out"]
