"""How installed plugins are found, chosen and given their settings."""

from typing import Any

import pytest
from click.testing import CliRunner

from energia.cli.main import energia
from energia.configuration.values import structure
from energia.errors import PluginError
from energia.plugins import Plugins
from energia.plugins.discovery import PluginState
from energia.settings import PluginSelection
from tests.core.plugins.conftest import Install

WITH_SETTINGS = """
import attrs
import click
from energia.hookspecs import hookimpl
from energia.settings import SecretStr

@attrs.frozen
class Settings:
    port: int = 1883
    topics: tuple[str, ...] = ()
    token: SecretStr = SecretStr("")

class Plugin:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def register_commands(self):
        return [click.Command("show", callback=lambda: self.settings)]
"""
WITH_ROUTE = """
from energia.hookspecs import hookimpl
from energia.web.routes import Routes

routes = Routes()

@routes.get("/health/live")
async def live() -> str:
    return "yes"

@hookimpl
def register_routes():
    return routes
"""


def only(*names: str, **settings: dict[str, Any]) -> PluginSelection:
    """Select *names*, with the settings of some plugins."""
    return PluginSelection(enabled=names, settings=settings)


def test_an_installed_plugin_is_loaded(install: Install) -> None:
    """An entry point of any distribution is enough."""
    install("third-one = third_one")

    plugins = Plugins.installed(only("third-*"))

    (state,) = [state for state in plugins.states if state.state == "loaded"]
    assert plugins.names == ("third-one",)
    assert (state.distribution, state.version, state.family) == ("third0", "1.2", "third")
    assert state.hooks == ("register_middlewares",)


def test_a_disabled_plugin_is_not_imported(install: Install) -> None:
    """Leaving a plugin out works even where it does not import."""
    install("third-bad = third_bad", source="1 / 0")

    plugins = Plugins.installed(PluginSelection(enabled=("third-*",), disabled=("third-b?d",)))

    (state,) = [state for state in plugins.states if state.name == "third-bad"]
    assert plugins.names == ()
    assert (state.state, state.reason) == ("disabled", "disabled in the configuration")


def test_a_hook_narrows_what_is_loaded(install: Install) -> None:
    """A command imports only plugins whose source has the name of the hook."""
    install("third-one = third_one")
    install("third-bad = third_bad", source="1 / 0")

    assert Plugins.installed(only("third-*"), "register_middlewares").names == ("third-one",)
    assert Plugins.installed(only("third-*"), "register_commands").names == ()


def test_a_plugin_that_does_not_import_is_named(install: Install) -> None:
    """The start fails with the plugin's name and the reason."""
    install("third-bad = third_bad", source="import nothing_of_this_name")

    with pytest.raises(PluginError, match=r"'third-bad' does not import: .*nothing_of_this_name"):
        Plugins.installed(only("third-*"))


def test_every_faulty_plugin_is_named(install: Install) -> None:
    """Several plugins that do not load are listed at once."""
    install("third-a = third_a", "third-b = third_b", source="1 / 0")

    with pytest.raises(PluginError, match="2 plugins") as caught:
        Plugins.installed(only("third-*"))

    assert ["'third-a'" in caught.value.faults[0].message, len(caught.value.faults)] == [True, 2]


def test_a_check_puts_the_routes_together(install: Install) -> None:
    """`energia config check` finds what would stop the service, and needs no database."""
    install("third-a = third_a", source=WITH_ROUTE)
    environ = {"ENERGIA_PLUGINS__ENABLED": '["third-*"]', "ENERGIA_PROFILE": "development"}

    result = CliRunner(env=environ).invoke(energia, ["config", "check"])

    assert result.exit_code == 2
    assert result.stderr == (
        "energia: plugin 'third-a' and the core both answer GET /health/live\n"
    )


def test_one_name_declared_twice_is_refused(install: Install) -> None:
    """Two distributions cannot both be one plugin."""
    install("third-one = third_one")
    install("third-one = third_other")

    with pytest.raises(PluginError, match="'third-one' is declared twice: by third"):
        Plugins.installed()


@pytest.mark.parametrize(
    ("key", "selection"),
    [
        ("enabled", PluginSelection(enabled=("tariff-flad",))),
        ("disabled", PluginSelection(disabled=("tariff-flad",))),
    ],
)
def test_selecting_what_is_not_installed_is_refused(key: str, selection: PluginSelection) -> None:
    """A misspelt name does not go unseen; a pattern may match nothing."""
    with pytest.raises(
        PluginError, match=rf"plugins.{key}: .*'tariff-flad' is not installed .*flat"
    ):
        Plugins.installed(selection)

    assert Plugins.installed(PluginSelection(enabled=("nothing-*",))).names == ()


def test_a_pattern_that_matches_nothing_is_told() -> None:
    """One configuration may serve several installations; a misspelt pattern is worth a warning."""
    selection = PluginSelection(enabled=("*", "tarif-*"), disabled=("[a",))

    assert Plugins.unmatched(selection) == [
        "plugins.enabled: 'tarif-*' matches no plugin that is installed (did you mean 'tariff-*'?)",
        "plugins.disabled: '[a' matches no plugin that is installed",
    ]
    assert Plugins.unmatched(PluginSelection(disabled=("tariff-*", "*"))) == []


def test_settings_of_what_is_not_installed_are_refused() -> None:
    """Settings that nobody reads are a mistake."""
    with pytest.raises(PluginError, match="plugin 'absent' is not installed"):
        Plugins.installed(only("nothing-*", absent={"port": 1}))


def test_a_class_gets_its_settings(install: Install) -> None:
    """The table of a plugin is structured into the class that its constructor takes."""
    install("third = third_settings:Plugin", source=WITH_SETTINGS)

    plugins = Plugins.installed(only("third", third={"port": 1884, "topics": ["a"], "token": "x"}))

    show = plugins.commands()["show"].callback
    assert show is not None
    settings = show()
    (state,) = [state for state in plugins.states if state.name == "third"]
    assert (settings.port, settings.topics) == (1884, ("a",))
    assert (repr(settings.token), settings.token.get_secret_value()) == ("SecretStr('***')", "x")
    assert state.settings is type(settings)


def test_without_commands(install: Install) -> None:
    """A service does not ask its plugins for commands."""
    install("third = third_settings:Plugin", source=WITH_SETTINGS)

    assert not Plugins.installed(only("third"), serving=True).commands()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prot": 1884}, r"plugins.third.prot: there is no such field \(did you mean 'port'"),
        ({"port": "1884"}, "plugins.third.port: expected a whole number"),
        ({"topics": [1]}, "plugins.third.topics.0: expected a string"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    install: Install, settings: dict[str, Any], message: str
) -> None:
    """A fault has the plugin's name and the key's path."""
    install("third = third_settings:Plugin", source=WITH_SETTINGS)

    with pytest.raises(PluginError, match=f"plugin 'third': {message}"):
        Plugins.installed(only("third", third=settings))


def test_settings_for_a_plugin_that_takes_none_are_refused(install: Install) -> None:
    """A module has no settings."""
    install("third = third_one")

    with pytest.raises(PluginError, match="plugin 'third' takes no settings"):
        Plugins.installed(only("third", third={"port": 1}))


def test_a_plugin_without_its_requirements_is_unavailable(install: Install) -> None:
    """A plugin of an extra that is not installed is skipped, with the reason."""
    needs = ['no-such-distribution>=1; extra == "radio"', 'pluggy>=1; extra == "radio"']
    install("third = third_one [radio]", requires=needs)

    plugins = Plugins.installed(only("th*"))

    (state,) = [state for state in plugins.states if state.name == "third"]
    assert state.state == "unavailable"
    assert state.reason == "needs no-such-distribution (extra 'radio')"
    with pytest.raises(PluginError, match="'third' is enabled but not available: needs no-such"):
        Plugins.installed(only("third"))


def test_a_plugin_with_its_requirements_is_loaded(install: Install) -> None:
    """An extra whose requirements are installed is no obstacle."""
    install("third = third_one [radio]", requires=['pluggy>=1; extra == "radio"'])

    assert Plugins.installed(only("third")).names == ("third",)


SETTINGS = [state for state in Plugins.installed().states if state.settings]


@pytest.mark.parametrize("state", SETTINGS, ids=lambda state: state.name)
def test_settings_that_nobody_states_are_the_defaults(state: PluginState) -> None:
    """They are those that an empty table would be read as."""
    assert state.settings is not None

    assert structure({}, state.settings) == state.settings()


NEEDY = """
import attrs
from energia.hookspecs import hookimpl

@attrs.frozen
class Settings:
    host: str

class Plugin:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def register_middlewares(self):
        return []
"""


def test_a_setting_without_a_default_that_nobody_states(install: Install) -> None:
    """The start fails with the name of the setting."""
    install("third-needy = third_needy:Plugin", source=NEEDY)

    with pytest.raises(PluginError, match=r"'third-needy'.*host"):
        Plugins.installed(only("third-*"))
