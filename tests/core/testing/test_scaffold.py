"""`energia plugins new` writes a distribution that works right away."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.testing.scaffold import PARTS
from tests.core.testing import authoring

NAME = "acme-solar-levy"
ALL = ",".join(PARTS)


def new(*arguments: str) -> Result:
    """Run `energia plugins new`."""
    return CliRunner().invoke(energia, ["plugins", "new", *arguments])


@pytest.fixture(scope="module", name="project")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a project with everything that there is."""
    folder = tmp_path_factory.mktemp("author") / "project"
    assert new(NAME, "--directory", str(folder), "--with", ALL).exit_code == 0
    return folder


@pytest.fixture(scope="module", name="site")
def _site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it."""
    return authoring.installed(project, tmp_path_factory.mktemp("installed"))


def test_its_tests_pass(project: Path, site: Path) -> None:
    """They use `energia.testing`."""
    found = authoring.run(project, site, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"\b20 passed\b", found)


def test_it_conforms(project: Path, site: Path) -> None:
    """`energia plugins check` finds nothing."""
    found = authoring.run(project, site, "-m", "energia", "plugins", "check", NAME)

    assert ", 0 failed, " in found


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [f"tariff-{NAME}", f"{NAME.replace('-', '_')}:AcmeSolarLevyPlugin"]
)
def test_it_is_found(project: Path, site: Path, name: str) -> None:
    """The name of the plugin and of the module will do, too."""
    found = authoring.run(project, site, "-m", "energia", "plugins", "check", name)

    assert ", 0 failed, " in found


@pytest.mark.long
def test_its_types_are_right(project: Path, site: Path, tmp_path: Path) -> None:
    """Mypy is strict."""
    assert "no issues found in 9 source files" in authoring.mypy(project, site, tmp_path)


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")])
def test_it_has_good_style(project: Path, arguments: tuple[str, ...]) -> None:
    """Ruff finds nothing, by the project's own configuration."""
    authoring.ruff(*arguments, project=project)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_good_style(tmp_path: Path, part: str) -> None:
    """By itself: imports and names are in order whatever is beside them."""
    folder = tmp_path / "project"
    new(NAME, "--directory", str(folder), "--with", part)

    authoring.ruff("check", project=folder)
    authoring.ruff("format", "--check", project=folder)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_each_part_works_by_itself(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, part: str
) -> None:
    """Its tests pass, and its types are right."""
    folder = tmp_path / "project"
    new(NAME, "--directory", str(folder), "--with", part)
    site = authoring.installed(folder, tmp_path_factory.mktemp("installed"))

    authoring.run(folder, site, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    cache = tmp_path_factory.getbasetemp() / "mypy"  # of all parts: the second takes a tenth
    assert "no issues found in 3 source files" in authoring.mypy(folder, site, cache)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("tariff", "there is no 'tariff' to begin with: choose of charge, decoder, source, probe"),
        ("charge,", "there is no '' to begin with"),
    ],
)
def test_other_parts_are_refused(tmp_path: Path, parts: str, message: str) -> None:
    """Those that there are, are named."""
    result = new(NAME, "--directory", str(tmp_path / "new"), "--with", parts)

    assert result.exit_code == 2
    assert message in result.output


def test_its_readme_names_the_fields(project: Path) -> None:
    """Whoever reads it knows what the charge takes."""
    text = (project / "README.md").read_text()

    assert "`acme.solar_levy`" in text
    assert all(f"`{name}`" in text for name in ("allowance_kwh", "rate", "rate_above"))
    assert "`acme_solar_levy`" in text
    assert f"[plugins.tariff-{NAME}]" in text


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
