"""The command line: what it prints, and its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import COMMANDS, energia

FLAT = """
name = "Flat"
currency = "GBP"
timezone = "UTC"
[[versions]]
valid_from = 2018-01-01
[[versions.charges]]
kind = "energy.flat"
rate = 0.25
"""
USAGE = {
    "timezone": "UTC",
    "interval": "PT1H",
    "channels": {"import": {"start": "2018-01-01T00:00:00Z", "values": [1, 2, "3.5"]}},
}
STORED = ("flat", "--meter", "m", "--start", "2018-01-01", "--end", "2018-01-02")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder with a few documents, and without a configuration."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("ENERGIA_", "DATABASE_URL", "PORT", "HOST")):
            monkeypatch.delenv(name)
    Path("flat.toml").write_text(FLAT)
    Path("dear.toml").write_text(FLAT.replace("Flat", "Dear").replace("0.25", "0.5"))
    Path("usage.json").write_text(json.dumps(USAGE))


def run(*arguments: str, **environ: str) -> Result:
    """Run `energia` with *arguments*."""
    return CliRunner(env=environ).invoke(energia, arguments)


def test_help_lists_the_commands_of_the_core_and_of_plugins() -> None:
    """`demo` is a plugin's."""
    result = run("--help")

    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in (*COMMANDS, "demo"))
    assert "..." not in result.output.partition("Commands:")[2]


@pytest.mark.parametrize("name", [*COMMANDS, "demo"])
def test_every_command_explains_itself_by_example(name: str) -> None:
    """Help texts end in lines that can be copied."""
    result = run(name, "--help")

    assert result.exit_code == 0
    assert f"\n    energia {name}" in result.output or f"energia --profile production {name}" in (
        result.output
    )


def test_help_comes_before_anything_heavy() -> None:
    """Neither the server nor the arithmetic is imported to show help."""
    code = (
        "import sys; from energia.__main__ import main; sys.argv = ['energia', 'serve', '--help']\n"
        "try: main()\n"
        "finally: print({'aiohttp', 'numpy', 'structlog', 'rich'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("set()\n")


def test_help_does_not_need_a_configuration() -> None:
    """A broken configuration is told, and help is shown all the same."""
    result = run("--help", PORT="x")

    assert result.exit_code == 0
    assert "the plugins' commands are not listed: PORT: server.port" in result.stderr
    assert "\n  serve " in result.stdout


def test_an_unknown_command_is_misuse() -> None:
    """Exit code 2, and the nearest name."""
    result = run("migrat")

    assert result.exit_code == 2
    assert "No such command 'migrat'" in result.stderr


def test_a_configuration_that_does_not_fit_is_misuse() -> None:
    """Exit code 2; one line, then each fault; no traceback."""
    result = run("config", "check", PORT="x", ENERGIA_SERVER__HSOT="y")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "energia: the configuration has 2 faults",
        "  ENERGIA_SERVER__HSOT: there is no such setting (did you mean 'ENERGIA_SERVER__HOST'?)",
        "  PORT: server.port: expected a whole number",
    ]


def test_debug_tells_where_an_error_came_from() -> None:
    """For developers."""
    result = run("--debug", "config", "check", PORT="x")

    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "loading.py" in result.stderr


def test_config_check_says_what_fits() -> None:
    """The database URL is parsed, and the plugins are loaded and put together."""
    result = run("config", "check")
    wrong = run("config", "check", DATABASE_URL="mysql://x")

    assert result.exit_code == 0
    assert result.output.startswith("The configuration fits: profile development, ")
    assert wrong.exit_code == 2
    assert "database.url is not a PostgreSQL URL" in wrong.stderr


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"ENERGIA_PLUGINS__ENABLED": '["tariff-flad"]'}, "plugins.enabled: plugin 'tariff-flad'"),
        ({"ENERGIA_PLUGINS__HEALTH_DISK__WARN_BELOW": "x"}, "plugins.health-disk.warn_below: "),
    ],
)
def test_a_fault_of_a_plugin_names_its_variable(environ: dict[str, str], message: str) -> None:
    """The layer is told for plugins as for the core."""
    (variable,) = environ

    assert f"energia: {variable}: {message}" in run("config", "check", **environ).stderr


def test_config_check_warns_of_a_pattern_that_matches_nothing() -> None:
    """It would switch everything off without a word."""
    result = run("config", "check", ENERGIA_PLUGINS__ENABLED='["tarif-*"]')

    assert result.exit_code == 0
    assert "energia: plugins.enabled: 'tarif-*' matches no plugin" in result.stderr


def test_an_address_that_cannot_be_listened_on_is_told_in_a_word() -> None:
    """The reason is the system's, without what Python adds to it."""
    result = run(
        "serve", DATABASE_URL="embedded:/nowhere", HOST="192.0.2.1", ENERGIA_AUTH__REQUIRED="true"
    )

    assert result.exit_code == 2
    assert result.stderr.endswith("192.0.2.1 port 8080: Cannot assign requested address\n")


@pytest.mark.parametrize("command", [["serve"], ["config", "check"]])
def test_an_option_after_the_command_is_told_where_it_goes(command: list[str]) -> None:
    """`--config` and `--profile` are options of `energia` itself."""
    after, unknown = run(*command, "--config", "own.toml"), run(*command, "--nothing")

    assert after.exit_code == 2
    assert "No such option '--config'. It goes before the command" in after.stderr
    assert "goes before" not in unknown.stderr


def test_config_show_tells_values_and_origins() -> None:
    """Secrets are masked."""
    Path("own.toml").write_text("[server]\nport = 81")

    result = run("--config", "own.toml", "config", "show", DATABASE_URL="postgresql://u:geheim@h/d")

    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert "server.port = 81 # own.toml" in lines
    assert 'server.host = "127.0.0.1" # default of profile development' in lines
    assert 'database.url = "postgresql://u:***@h/d" # DATABASE_URL' in lines
    assert "geheim" not in result.output


def test_config_show_works_when_a_plugin_does_not_fit() -> None:
    """What is known is shown, then the fault; no value of an unknown class is."""
    result = run("config", "show", ENERGIA_PLUGINS__TARIFF_FLAT__TOKEN="geheim")

    assert result.exit_code == 2
    assert "plugins.tariff-flat.token = ***" in result.stdout
    assert "plugin 'tariff-flat' takes no settings" in result.stderr
    assert "geheim" not in result.output


def test_openapi_prints_the_document() -> None:
    """The routes of the loaded plugins are in it, and only theirs."""
    result = run("openapi")
    small = run("openapi", ENERGIA_PLUGINS__DISABLED='["metrics-*"]')

    assert json.loads(result.stdout)["openapi"] == "3.1.0"
    assert "/metrics" in json.loads(result.stdout)["paths"]
    assert "/metrics" not in json.loads(small.stdout)["paths"]


def test_price_prints_lines_and_total() -> None:
    """Documents and usage from files need no database."""
    result = run("price", "flat.toml", "--usage", "usage.json")

    lines = [line.split() for line in result.output.replace("│", " ").splitlines()]
    assert result.exit_code == 0
    assert ["Energy", "6.5", "kWh", "0.25", "1.63"] in lines
    assert ["total", "1.63"] in lines


def test_price_takes_a_window() -> None:
    """`--start` and `--end` cut the usage."""
    window = ("--start", "2018-01-01T01:00:00Z", "--end", "2018-01-01T02:00:00Z")

    result = run("price", "flat.toml", "--usage", "usage.json", *window, "--json")

    assert json.loads(result.stdout)["total"] == "0.50"


def test_compare_ranks() -> None:
    """The cheapest comes first; differences are to the first one given."""
    result = run("compare", "dear.toml", "flat.toml", "--usage", "usage.json", "--json")

    ranking = json.loads(result.stdout)["ranking"]
    assert [(one["tariff"], one["total"], one["difference"]) for one in ranking] == [
        ("Flat", "1.63", "-1.62"),
        ("Dear", "3.25", "0.00"),
    ]
    assert run("compare", "dear.toml", "flat.toml", "--usage", "usage.json").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("none.toml", "--usage", "usage.json"), 1, "none.toml: No such file or directory"),
        (("usage.json", "--usage", "usage.json"), 1, "usage.json: "),
        (("bad.json", "--usage", "usage.json"), 1, "bad.json: not JSON"),
        (("flat",), 2, "Give either --meter, a stored meter, or --usage, a file."),
        (("flat", "--usage", "usage.json", "--meter", "m"), 2, "Give either --meter"),
        (("flat", "--meter", "m", "--end", "2018-01-02"), 2, "--meter needs a window"),
        (("flat", "--usage", "usage.json", "--channel", "import=x"), 2, "channels of a --meter"),
        (("flat.toml", "--usage", "none.json"), 2, "'none.json' does not exist"),
        ((*STORED, "--channel", "import"), 2, "expected ROLE=ID"),
    ],
)
def test_what_cannot_be_priced_is_told(arguments: tuple[str, ...], code: int, message: str) -> None:
    """Exit code 1 for what fails, 2 for misuse; no traceback."""
    Path("bad.json").write_text("{")

    result = run("price", *arguments)

    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_production_does_not_start_without_a_database() -> None:
    """The refusal comes before anything is done."""
    result = run("--profile", "production", "serve")

    assert result.exit_code == 2
    assert result.stderr == "energia: database.url: production needs DATABASE_URL\n"
