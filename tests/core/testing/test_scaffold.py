"""`energia plugins new` writes a distribution that works right away."""

import json
import re
import shlex
import tomllib
from contextlib import suppress
from importlib.metadata import EntryPoint
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from energia.cli.main import energia
from energia.errors import PluginError
from energia.plugins import Plugins
from energia.testing.scaffold import PARTS, first_steps, written
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


@pytest.mark.long
def test_its_tests_pass(project: Path, site: Path) -> None:
    """They use `energia.testing`."""
    found = authoring.run(project, site, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"\b34 passed\b", found)


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
    assert "no issues found in 17 source files" in authoring.mypy(project, site, tmp_path)


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")])
def test_it_has_good_style(project: Path, arguments: tuple[str, ...]) -> None:
    """Ruff finds nothing, by the project's own configuration."""
    authoring.ruff(*arguments, project=project)


COMBINATIONS = [parts for size in range(1, len(PARTS) + 1) for parts in combinations(PARTS, size)]


def test_every_combination_has_good_style(tmp_path: Path) -> None:
    """Imports and names are in order whatever is beside them."""
    for number, parts in enumerate(COMBINATIONS):
        written(NAME, tmp_path / str(number), parts)

    authoring.ruff("check", project=tmp_path)
    authoring.ruff("format", "--check", project=tmp_path)


def test_every_combination_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It offers what was asked for, and nothing else."""
    some = [parts for parts in COMBINATIONS if len(parts) in (1, 2, len(PARTS))]
    for number, parts in enumerate(some):
        folder = tmp_path / str(number)
        written(f"acme-n{number}", folder, parts)
        monkeypatch.syspath_prepend(folder / "src")
        (name, entry), *_ = tomllib.loads((folder / "pyproject.toml").read_text())["project"][
            "entry-points"
        ]["energia"].items()

        (state,) = Plugins.of(**{name: EntryPoint(name, entry, "energia").load()}).states

        hooks = [hook.name for part in parts for hook in PARTS[part].hooks]
        assert state.hooks == tuple(sorted(hooks))


#: One letter, digits, words of the language, the longest; a class in capitals; sorted otherwise.
NAMES = ("a-b", "a-1", "x9-y8-z7", "for-class", "import-lambda", "i-o", "test-tests", "energia-x")
LONG = (f"acme-{'q' * 35}", f"{'a' * 38}-b", "-".join("abcdefghijklmnopqrst"))
DRAWN = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){1,3}", fullmatch=True)


@settings(max_examples=1)
@example([*NAMES, *LONG])
@given(st.lists(DRAWN, min_size=5, max_size=10, unique=True))
def test_any_name_has_good_style(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    """However long it is, and whatever is in it."""
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        with suppress(PluginError):  # one that would be called as something else is
            written(name, folder / name, list(PARTS))
    assert len(list(folder.iterdir())) >= len(names) - 1

    authoring.ruff("check", project=folder)
    authoring.ruff("format", "--check", project=folder)


@pytest.mark.long
@pytest.mark.parametrize("name", ["a-b", "for-class", LONG[0]])
def test_any_name_works(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """Its tests pass, and its types are right."""
    folder = tmp_path / "project"
    written(name, folder, list(PARTS))
    site = authoring.installed(folder, tmp_path_factory.mktemp("installed"))

    authoring.run(folder, site, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    cache = tmp_path_factory.getbasetemp() / "mypy"
    assert "no issues found in 17 source files" in authoring.mypy(folder, site, cache)


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
        ("page", "there is no 'page' to begin with: choose of charge, importer, decoder, "),
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
    assert "acme_solar_levy_readings_total" in text
    assert f"/v1/{NAME}/emissions" in text


def test_its_files_are_told(tmp_path: Path) -> None:
    """What was written is listed, and what comes next."""
    result = new("acme-levy", "--directory", str(tmp_path / "levy"))

    written = {str(path) for path in (tmp_path / "levy").rglob("*") if path.is_file()}
    assert written <= set(result.output.splitlines())
    assert len(written) == 7
    assert "energia plugins check acme-levy" in result.output


def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: object) -> list[str]:
    """Return what comes next where Energia was installed from *origin*, as PEP 610 has it."""
    info = tmp_path / "energia-9.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: energia\nVersion: 9.1\n")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(tmp_path)
    return first_steps("acme-levy", Path("acme-levy"))


@pytest.mark.parametrize(
    ("recorded", "source"),
    [
        (None, "energia[testing]==9.1"),
        ({"url": "file://{}/a%20wheel.whl", "archive_info": {}}, "'{}/a wheel.whl[testing]'"),
        ({"url": "file://{}", "dir_info": {"editable": True}}, "--editable '{}[testing]'"),
        ({"url": "file://{}", "dir_info": {}}, "'{}[testing]'"),
        ({"url": "file:///gone/e.whl", "archive_info": {}}, "'PATH-OF-e.whl[testing]'"),
        ({"url": "https://e.example/e.whl"}, "'energia[testing] @ https://e.example/e.whl'"),
    ],
)
def test_energia_is_installed_first(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recorded: dict[str, object] | None,
    source: str,
) -> None:
    """From where it was installed here: pip may find none by its name."""
    (tmp_path / "a wheel.whl").touch()
    origin = recorded and {**recorded, "url": str(recorded["url"]).format(tmp_path)}

    _, _, energia_, own, *_ = steps(tmp_path, monkeypatch, origin)

    expected = source.format(tmp_path)
    assert shlex.split(energia_) == ["pip", "install", *shlex.split(expected)]
    assert own == "pip install --editable '.[test]'"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("levy", "'levy' is no name: say who makes it and what it is"),
        ("Acme-Levy", "'Acme-Levy' is no name"),
        ("acme_levy", "'acme_levy' is no name"),
        ("../acme-levy", "'../acme-levy' is no name"),
        ("bill-days", "the class of 'bill-days' would be called BillDays, as another one is"),
        ("runtime-error", "would be called RuntimeError, as another one is: choose another name"),
        ("class-var", "would be called ClassVar, as another one is: choose another name"),
        (f"acme-{'x' * 36}", "is too long: a name has at most 40 characters"),
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
