"""`energia plugins list`: what is installed, loaded or not, and why."""

import json
import os
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from click.testing import CliRunner, Result

from energia import Core, __version__
from energia.cli.main import energia
from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
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


#: Prints while it is imported, by other ways than `print` as well, and in a hook.
LOUD = f"""
import logging, os, subprocess, sys
print("hello")
os.write(1, b"from a library in C\\n")
subprocess.run([sys.executable, "-c", "print('from a program', end='')"], check=True)
log = logging.getLogger("loud")
log.addHandler(logging.StreamHandler(sys.stdout))
{PLUGIN.replace("return", "print('again'); log.warning('by a log'); return")}
"""


@pytest.mark.parametrize(
    "command", [["plugins", "list", "--json"], ["openapi"], ["plugins", "check", "third-loud"]]
)
def test_what_a_plugin_prints_is_no_output(
    install: Install, tmp_path: Path, command: list[str]
) -> None:
    """What is written to be read by programs stays so; the plugin is heard, by its name."""
    install("third-loud = third_loud", source=LOUD)
    more = ["--json"] if "check" in command else []

    done = subprocess.run(
        [sys.executable, "-m", "energia", *command, *more],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)
    for text in ("hello", "from a library in C", "from a program", "again", "by a log"):
        assert f"energia: plugin 'third-loud' prints: {text}" in done.stderr.splitlines()


#: A charge that prints, or exits where its rate is 3.
CHARGE = """
import sys
from decimal import Decimal
from typing import ClassVar

import attrs
from energia import BaseCharge, Energy, hookimpl

@attrs.frozen
class Loud(BaseCharge):
    kind: ClassVar[str] = "third.loud"
    rate: Decimal
    def measures(self):
        return {"energy": Energy(self.channel)}
    def lines(self, measured, bill):
        if self.rate == 3:
            sys.exit(3)
        print("charging")
        yield self.metered(measured["energy"]["total"], self.rate)

@hookimpl
def register_charges():
    return [Loud]
"""
USAGE = {
    "timezone": "UTC",
    "interval": "PT1H",
    "channels": {"import": {"start": "2026-03-02T00:00:00Z", "values": [1, 2]}},
}


def price(rate: str, *options: str) -> Result:
    """Price two hours under a tariff with that charge."""
    charge = {"kind": "third.loud", "rate": rate}
    versions = [{"valid_from": "2026-01-01", "charges": [charge]}]
    tariff = {"name": "Loud", "currency": "EUR", "timezone": "UTC", "versions": versions}
    Path("tariff.json").write_text(json.dumps(tariff))
    Path("usage.json").write_text(json.dumps(USAGE))
    return CliRunner().invoke(
        energia, ["price", "tariff.json", "--usage", "usage.json", "--json", *options]
    )


@pytest.mark.parametrize("options", [(), ("--explain",)])
def test_what_a_charge_prints_is_no_output(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """The cost can be read, and what was printed is told beside it."""
    install("third-loud = third_loud", source=CHARGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(structlog, "is_configured", lambda: False)

    result = price("2", *options)

    assert "6.00" in json.dumps(json.loads(result.stdout))
    assert "energia: a plugin prints: charging\n" in result.stderr


def test_a_log_on_the_standard_output_is_not_told_again(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line about what was printed is itself printed: once."""
    install("third-loud = third_loud", source=CHARGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(structlog, "is_configured", lambda: True)

    result = price("2")

    assert json.loads(result.stdout)
    assert result.stderr.count("charging") == 1


def test_a_charge_that_exits_is_an_error(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that ends without a word would look like one that has worked."""
    install("third-loud = third_loud", source=CHARGE)
    monkeypatch.chdir(tmp_path)

    result = price("3")

    assert result.exit_code == 1
    assert "it calls sys.exit(3)" in result.stderr
    assert "in the charge third.loud" in result.stderr


def test_what_a_plugin_prints_is_in_the_log(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is a log, it is a line of that like any other."""
    install("third-loud = third_loud", source=f"print('hello')\n{PLUGIN}")
    monkeypatch.setattr(structlog, "is_configured", lambda: True)

    with structlog.testing.capture_logs() as lines:
        Plugins.installed()

    assert lines == [
        {
            "event": "plugin_printed",
            "log_level": "warning",
            "plugin": "third-loud",
            "text": "hello",
        }
    ]


@pytest.mark.parametrize("command", [["plugins", "list"], ["openapi"], ["serve", "--port", "1"]])
def test_a_plugin_that_exits(install: Install, command: list[str]) -> None:
    """It ends nothing but itself: it is named, and the status is not zero."""
    install("third-gone = third_gone", source="import sys; sys.exit(0)")

    result = CliRunner().invoke(energia, command)

    assert result.exit_code in (1, 2)
    assert "third-gone" in result.output
    assert "sys.exit(0)" in result.output.replace("\n", "")


EXITS = """
import sys
from contextlib import asynccontextmanager
from energia.hookspecs import hookimpl

class Odd:
    name = "odd"
    criticality = "critical"
    async def check(self, core): ...
    @property
    def timeout(self): sys.exit(0)

@hookimpl
def register_probes():
    return [Odd()]
"""


def test_a_plugin_that_exits_while_it_is_looked_at(install: Install) -> None:
    """What a hook returns may exit, too, when somebody asks for a part of it."""
    install("third-odd = third_odd", source=EXITS)

    result = run()

    assert result.exit_code == 1
    assert "third-odd" in result.stdout
    assert "sys.exit(0)" in result.stdout.replace("\n", "")


async def test_a_plugin_that_exits_when_the_service_starts() -> None:
    """It is named like one that fails there in any other way."""

    class Leaving:
        @hookimpl
        def lifespan(self, core: Core) -> AbstractAsyncContextManager[None]:
            raise SystemExit(0)

    plugins = Plugins.of(third_leaving=Leaving())

    with pytest.raises(PluginError, match=r"'third-leaving' did not start.*sys\.exit\(0\)"):
        async with plugins.lifespans(cast("Core", None)):
            pass


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
