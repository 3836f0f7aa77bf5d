"""`energia plugins new` writes a distribution that works right away."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import energia
from energia.cli.main import energia as command

NAME = "acme-solar-levy"


def new(*arguments: str) -> Result:
    """Run `energia plugins new`."""
    return CliRunner().invoke(command, ["plugins", "new", *arguments])


@pytest.fixture(scope="module", name="project")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a project, and install it beside itself."""
    folder = tmp_path_factory.mktemp("author") / "project"
    assert new(NAME, "--directory", str(folder)).exit_code == 0
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    built = folder.with_name("built")
    shutil.copytree(folder, built)
    run(folder, "pip", "install", "--quiet", *offline, "--target", folder.with_name("site"), built)
    return folder


def run(project: Path, module: str, *arguments: object, **environ: str) -> str:
    """Run a Python module as the author would, and return what it prints; it must work."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project.with_name("site")), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_tests_pass(project: Path) -> None:
    """They use `energia.testing`."""
    assert re.search(r"\b4 passed\b", run(project, "pytest", "-q", "-p", "no:cacheprovider"))


def test_it_conforms(project: Path) -> None:
    """Installed, it is found by the name of the distribution, of the plugin and of the module."""
    for name in (NAME, f"tariff-{NAME}", NAME.replace("-", "_")):
        assert ", 0 failed, " in run(project, "energia", "plugins", "check", name)


def test_its_types_are_right(project: Path) -> None:
    """Mypy is strict."""
    # A checkout is not in site-packages, where mypy would find it by itself.
    source = Path(energia.__file__).parents[1]
    paths = {} if source.name == "site-packages" else {"MYPYPATH": str(source)}

    assert "no issues found in 3 source files" in run(project, "mypy", **paths)


def test_it_has_good_style(project: Path) -> None:
    """Ruff finds nothing, by the project's own configuration."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ruff = shutil.which("ruff", path=path)
    if ruff is None:
        pytest.skip("needs ruff")
    for arguments in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        done = subprocess.run(
            [ruff, *arguments], cwd=project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_its_readme_names_the_fields(project: Path) -> None:
    """Whoever reads it knows what the charge takes."""
    text = (project / "README.md").read_text()

    assert "`acme.solar_levy`" in text
    assert all(f"`{name}`" in text for name in ("allowance_kwh", "rate", "rate_above"))


def test_its_files_are_told(tmp_path: Path) -> None:
    """What was written is listed, and what comes next."""
    result = new("acme-levy", "--directory", str(tmp_path / "levy"))

    written = {str(path) for path in (tmp_path / "levy").rglob("*") if path.is_file()}
    assert written <= set(result.output.splitlines())
    assert len(written) == 7
    assert "energia plugins check acme-levy" in result.output


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("levy", "'levy' is no name: say who makes it and what it is"),
        ("Acme-Levy", "'Acme-Levy' is no name"),
        ("acme_levy", "'acme_levy' is no name"),
        ("../acme-levy", "'../acme-levy' is no name"),
        ("bill-days", "energia has a BillDays: choose another name than 'bill-days'"),
        ("energia-plugins", "a package 'energia_plugins' is installed already"),
    ],
)
def test_bad_names_are_refused(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says why, and nothing is written."""
    monkeypatch.chdir(tmp_path)

    result = new(name)

    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert message in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_never_written_over(tmp_path: Path) -> None:
    """Not even an empty one."""
    result = new("acme-levy", "--directory", str(tmp_path))

    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"energia: {tmp_path} exists already; choose another --directory"
    ]
