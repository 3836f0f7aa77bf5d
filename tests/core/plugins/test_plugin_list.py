"""`energia plugins list`: what is installed, loaded or not, and why."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from energia import __version__
from energia.cli.main import energia
from energia.plugins.discovery import offering
from tests.core.plugins.conftest import PLUGIN, Install

DISABLED = {"ENERGIA_PLUGINS__DISABLED": '["third-off"]'}


def run(*arguments: str, **environ: str) -> Result:
    """Run `energia plugins list`."""
    return CliRunner(env=environ).invoke(energia, ["plugins", "list", *arguments])


def listed(**environ: str) -> dict[str, dict[str, Any]]:
    """Return the plugins by name."""
    return {one["name"]: one for one in json.loads(run("--json", **environ).stdout)}


def test_bundled_plugins_are_loaded() -> None:
    """Each has its hooks, its family and the distribution that it comes from."""
    found = listed()["tariff-flat"]

    assert found == {
        "name": "tariff-flat",
        "family": "tariff",
        "state": "loaded",
        "hooks": ["register_charges"],
        "distribution": "energia",
        "version": __version__,
    }


def test_settings_are_described_and_their_values_are_not_told() -> None:
    """The schema of a plugin's settings is there; a secret is not."""
    result = run("--json", ENERGIA_PLUGINS__BILL_WEBHOOK__SECRET="hush")
    (found,) = [one for one in json.loads(result.stdout) if one["name"] == "bill-webhook"]

    assert "url" in json.dumps(found["settings_schema"])
    assert "hush" not in result.output


def test_what_is_not_loaded_says_why(install: Install) -> None:
    """Disabled by the configuration, or without its optional requirements."""
    install("third-off = third_off")
    install(
        "third-radio = third_radio [radio]",
        requires=['nothing-of-this-name; extra == "radio"'],
    )

    found = listed(**DISABLED)

    assert found["third-off"]["state"] == "disabled"
    assert found["third-off"]["reason"] == "disabled in the configuration"
    assert found["third-radio"]["state"] == "unavailable"
    assert "nothing-of-this-name" in found["third-radio"]["reason"]


def test_what_fails_does_not_hide_the_others(install: Install) -> None:
    """The list is complete, and the status says that the service would not start."""
    install("third-bad = third_bad", source="import nothing_of_this_name")
    install("third-good = third_good")

    result, found = run(), listed()

    assert result.exit_code == 1
    assert (found["third-bad"]["state"], found["third-good"]["state"]) == ("failed", "loaded")
    assert "nothing_of_this_name" in found["third-bad"]["reason"]
    assert "third-good" in result.stdout
    assert "failed: " in result.stdout


@pytest.mark.parametrize("command", [["plugins", "list", "--json"], ["openapi"]])
def test_what_a_plugin_prints_is_no_output(install: Install, command: list[str]) -> None:
    """What is written to be read by programs stays so; the plugin is heard on the other stream."""
    install("third-loud = third_loud", source=f"print('hello')\n{PLUGIN}\n    print('again')")

    result = CliRunner().invoke(energia, command)

    assert json.loads(result.stdout)
    assert "hello" in result.stderr


@pytest.mark.parametrize("command", [["plugins", "list"], ["openapi"], ["serve", "--port", "1"]])
def test_a_plugin_that_exits(install: Install, command: list[str]) -> None:
    """It ends nothing but itself: it is named, and the status is not zero."""
    install("third-gone = third_gone", source="import sys; sys.exit(0)")

    result = CliRunner().invoke(energia, command)

    assert result.exit_code in (1, 2)
    assert "third-gone" in result.output
    assert "sys.exit(0)" in result.output.replace("\n", "")


def test_all_is_well_without_failures() -> None:
    """The status is zero, and the table names every plugin."""
    result = run()

    assert result.exit_code == 0
    assert all(name in result.stdout for name in listed())


def test_a_kind_of_charge_is_found_in_the_source_of_its_plugin() -> None:
    """In a module or in any file of a package, loaded or not; a part of a name is not it."""
    assert offering("demand") == "tariff-demand"
    assert offering("demand.contracted") == "tariff-demand-contracted"
    assert offering("export") == "tariff-export"
    assert offering("dema.d") is None
