"""The plugins in `examples/`: built with the public names alone, installed, tested, checked."""

import ast
import json
import re
from pathlib import Path

import pytest

import energia
import energia.testing
from tests.core.testing import authoring
from tests.imports import ROOT

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))


@pytest.fixture(scope="module", name="project", params=EXAMPLES, ids=lambda path: path.name)
def _project(request: pytest.FixtureRequest) -> Path:
    """Give each of them."""
    found: Path = request.param
    return found


@pytest.fixture(scope="module", name="site")
def _site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it."""
    return authoring.installed(project, tmp_path_factory.mktemp(project.name))


def test_there_is_one() -> None:
    """A folder without a project would be overlooked."""
    assert EXAMPLES
    assert [one.name for one in (ROOT / "examples").iterdir()] == [one.name for one in EXAMPLES]


def test_only_public_names_are_imported(project: Path) -> None:
    """`from energia import ...`, and `energia.testing` in tests: what an author may rely on."""
    public = {"energia": set(energia.__all__), "energia.testing": set(energia.testing.__all__)}
    for path in sorted(project.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not [one.name for one in node.names if one.name.startswith("energia.")]
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and re.match(r"energia(\.|$)", module):
                assert module == "energia" or "tests" in path.parts
                assert {one.name for one in node.names} <= public.get(module, set()), path


@pytest.mark.long
def test_its_tests_pass(project: Path, site: Path) -> None:
    """All of them, by its own configuration."""
    found = authoring.run(project, site, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert re.search(r"\b\d+ passed\b", found)
    assert "skipped" not in found


@pytest.mark.long
def test_it_conforms(project: Path, site: Path) -> None:
    """`energia plugins check` finds nothing."""
    found = authoring.run(project, site, "-m", "energia", "plugins", "check", project.name)

    assert ", 0 failed, " in found


def test_its_tariff_can_be_tried(project: Path, site: Path) -> None:
    """As the README says: (6 - 4.2) kW x 4.00 are paid back."""
    (options,) = re.findall(
        r"energia plugins (try .*) --explain", (project / "README.md").read_text()
    )

    words = ("plugins", *options.split())
    found = authoring.run(project, site, "-m", "energia", *words, "--json")

    assert json.loads(found)["lines"][-1]["amount"] == "-7.20"


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")])
def test_it_has_good_style(project: Path, arguments: tuple[str, ...]) -> None:
    """Ruff finds nothing, by the project's own configuration."""
    authoring.ruff(*arguments, project=project)
