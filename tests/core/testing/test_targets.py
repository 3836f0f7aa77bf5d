"""`energia plugins check`: what is checked, and how it ends."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from tests.core.testing.broken import Right

PLUGIN = '''"""A plugin in a module."""

from energia import Charge, hookimpl
from tests.core.testing.broken import Right, Undocumented


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer two kinds."""
    return [Right, Undocumented]
'''


def check(*arguments: str) -> Result:
    """Run `energia plugins check`."""
    return CliRunner().invoke(energia, ["plugins", "check", *arguments])


@pytest.fixture(name="module")
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a module in the current folder."""
    name = f"plugin_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_all_checks_of_a_bundled_plugin_pass() -> None:
    """An entry point is a name too; the table has a row for each check."""
    result = check("tariff-flat", "--without", "another_process")

    assert result.exit_code == 0
    assert ", 0 failed, " in result.output
    assert "clock_changes" in result.output
    assert "another_process" not in result.output


def test_a_module_is_checked_without_being_installed(module: str) -> None:
    """A check that fails ends with status 1, and says why."""
    result = check(module, "--json", "--without", "another_process")

    assert result.exit_code == 1
    failed = [one for one in json.loads(result.output) if one["state"] == "failed"]
    assert [(one["subject"], one["check"]) for one in failed] == [
        ("test.undocumented", "documented"),
        ("test.undocumented", "schema"),
    ]
    assert "lacks rate" in failed[0]["detail"]


def test_one_kind_may_be_chosen(module: str) -> None:
    """The other one is not looked at."""
    result = check(module, "--kind", "test.right", "--without", "another_process")

    assert result.exit_code == 0
    assert "test.undocumented" not in result.output


def test_a_kind_that_is_not_there_is_wrong_usage(module: str) -> None:
    """Nothing was checked, which must not look like success."""
    result = check(module, "--kind", "test.wrong", "--without", "another_process")

    assert result.exit_code == 2
    assert "offers no 'test.wrong'" in result.output


def test_what_another_plugin_lacks_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin is checked beside one that offers charges too, and does not load."""
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[energia]\nother = other_plugin\n")
    (tmp_path / "other_plugin.py").write_text(PLUGIN + "\nraise OSError('no such device')\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    result = check("tariff-flat", "--without", "another_process")

    assert result.exit_code == 0, result.output
    assert ", 0 failed, " in result.output


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "energi",
            "no distribution, plugin or module is called 'energi' (did you mean 'energia'?)",
        ),
        ("json:missing", "plugin 'json:missing' does not import: AttributeError"),
    ],
)
def test_what_is_not_there_is_one_line(name: str, message: str) -> None:
    """It is wrong usage: nothing was checked."""
    result = check(name)

    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.splitlines()) == 1


def test_a_module_that_is_no_plugin_fails() -> None:
    """It implements no hook."""
    result = check("json")

    assert result.exit_code == 1
    assert "plugin 'json' implements no hook" in result.output


def test_hypothesis_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that serves has none: examples that are stated are enough."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)

    for name in ("tariff-flat", "meter-csv"):
        assert check(name, "--without", "another_process").exit_code == 0


def test_without_hypothesis_a_kind_needs_an_example(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check `example` says how to state one."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.setattr(Right, "examples", ())

    (loads, example) = json.loads(check(module, "--json", "--without", "another_process").output)[
        :2
    ]

    assert loads["state"] == "passed"
    assert (example["check"], example["state"]) == ("example", "failed")
    assert "state one: Right.examples = " in example["detail"]
