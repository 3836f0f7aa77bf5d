"""What the suite takes from its environment is declared in setup.py, and pinned in its lock."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from energia.testing import scaffold
from tests.e2e.test_third_party import FILES
from tests.imports import ROOT
from tests.test_example_plugins import EXAMPLES

#: The extras that `make lock` resolves into the lock of the tests.
EXTRAS = ("embedded", "lint", "test", "types")
OURS = {"energia", "energia_plugins", "tests", "benchmarks"}
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)", (ROOT / "requirements/test.lock").read_text(), re.MULTILINE
    )
}


def declared() -> list[Requirement]:
    """Return what setup.py says that tests need; not of an installation, which may be older."""
    statements = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body
    expressions = [one.value for one in statements if isinstance(one, ast.Expr)]
    (call,) = [one for one in expressions if isinstance(one, ast.Call)]
    said = {
        word.arg: ast.literal_eval(word.value)
        for word in call.keywords
        if word.arg in ("install_requires", "extras_require")
    }
    extras = [line for extra in EXTRAS for line in said["extras_require"][extra]]
    return [Requirement(line) for line in (*said["install_requires"], *extras)]


def locked(requirement: Requirement) -> bool:
    """Tell whether the lock has a version that meets *requirement*."""
    version = PINS.get(canonicalize_name(requirement.name))
    return version is not None and version in requirement.specifier


def used(project: Path) -> set[str]:
    """Return which modules the code of *project* imports or runs, its own and Python's left out."""
    names = set()
    for path in project.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        names.update(re.findall(r'"-m",\s*"([\w.]+)', source))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    own = {path.stem for path in (*project.glob("*"), *project.glob("src/*"))}
    return {name.partition(".")[0] for name in names} - own - OURS - sys.stdlib_module_names


@pytest.fixture(scope="module", name="projects")
def _projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give what tests run: our own, the examples, what an author begins with, that of the docs."""
    made = tmp_path_factory.mktemp("projects")
    scaffold.written("acme-levy", made / "levy")
    for name, text in FILES.items():
        (made / "club" / name).parent.mkdir(parents=True, exist_ok=True)
        (made / "club" / name).write_text(text)
    return [ROOT / "tests", ROOT / "benchmarks", *EXAMPLES, made / "levy", made / "club"]


def test_all_that_tests_import_or_run_is_declared(projects: list[Path]) -> None:
    """What is here only by way of Python or of another requirement may be gone tomorrow."""
    brought = packages_distributions()
    names = {canonicalize_name(one.name) for one in declared()}
    unsaid = {
        f"{project.name}: {module}"
        for project in projects
        for module in used(project)
        if names.isdisjoint(map(canonicalize_name, brought.get(module, [module])))
    }

    assert unsaid == set()


def test_all_that_tests_build_with_is_declared(projects: list[Path]) -> None:
    """A distribution is built and tested in this environment: none is made for it."""
    names = {canonicalize_name(one.name) for one in declared()}
    stated = [tomllib.loads(path.read_text()) for one in projects for path in one.glob("*.toml")]
    lines = [line for one in stated for line in one["build-system"]["requires"]]
    lines += [line for one in stated for line in one["project"]["optional-dependencies"]["test"]]
    needed = [one for one in map(Requirement, lines) if one.name not in OURS]

    assert {"setuptools", "mypy", "ruff"} == {one.name for one in needed}
    assert [str(one) for one in needed if one.name not in names or not locked(one)] == []


def test_the_lock_has_all_that_is_declared() -> None:
    """`make lock` was run after an extra was changed."""
    assert [str(one) for one in declared() if not locked(one)] == []
