"""What holds the folders together."""

import ast
import inspect
import re
import subprocess
from fnmatch import fnmatch
from importlib.metadata import entry_points, requires
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import energia
from energia import hookspecs
from energia.plugins import Plugins
from energia.plugins.registration import HOOKS
from tests.house_map import DOCUMENT, written
from tests.imports import ROOT, SOURCES, Import, circles, imports, modules

#: Parts of the core, from the top; a part imports its own and lower ones only.
LAYERS = (
    ("web", "cli", "testing"),
    ("webhooks",),
    ("billing", "previews"),
    ("costing",),
    ("access", "audit", "health", "idempotency", "metering", "pricing"),
    ("jobs",),
    ("configuration", "db", "plugins"),
)


def layer(module: str) -> int:
    """Return how high the part of the core that *module* is in stands."""
    part = f"{module}.".split(".")[1]
    return next((at for at, parts in enumerate(LAYERS) if part in parts), len(LAYERS))


def described(found: list[Import]) -> list[str]:
    """Return lines that name each import."""
    return sorted({f"{one.importer}:{one.line} imports {one.imported}" for one in found})


def is_of(module: str, *packages: str) -> bool:
    """Tell whether *module* is, or is in, one of *packages*."""
    return f"{module}.".startswith(tuple(f"{package}." for package in packages))


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository; without git, what a checkout of it has."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        visible = [path for path in ROOT.iterdir() if not path.name.startswith(".")]
        found = [path for top in visible for path in (top.rglob("*") if top.is_dir() else [top])]
        # As git does: `*` takes in folders.
        names = {path: path.relative_to(ROOT).as_posix() for path in found if path.is_file()}
        return [path for path in names if any(fnmatch(names[path], one) for one in patterns)]
    return [path for name in done.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_the_core_imports_no_plugin() -> None:
    """Plugins know the core; the core knows only hooks."""
    wrong = [one for one in imports("energia") if is_of(one.imported, "energia_plugins")]

    assert described(wrong) == []


#: The contract names what it is about, whatever part that is in: for types alone.
CONTRACT = ("energia.hookspecs", "energia.plugins", "energia.core")
#: The one circle: a Core has the Plugins, which are asked for Routes, whose handlers get the Core,
#: and for Panels, which get the Api, that is those routes.
HONEST = {
    "energia.access.callers",
    "energia.core",
    "energia.health.monitor",
    "energia.hookspecs",
    "energia.jobs.tasks",
    "energia.plugins",
    "energia.plugins.discovery",
    "energia.plugins.loading",
    "energia.plugins.registration",
    "energia.access.authentication",
    "energia.access.tokens",
    "energia.web.access",
    "energia.web.calls",
    "energia.web.keys",
    "energia.web.panels",
    "energia.web.parameters",
    "energia.web.routes",
    "energia.web.tenant",
}


def test_imports_point_down() -> None:
    """web, cli, testing -> webhooks -> billing -> costing -> metering, pricing -> db, plugins."""
    wrong = [
        one
        for one in imports("energia")
        if is_of(one.imported, "energia") and layer(one.imported) < layer(one.importer)
        if one.importer not in ("energia", "energia.__main__")
        if not (one.for_types and is_of(one.importer, *CONTRACT))
        # What a service hands to plugins is made when they ask for it.
        if (one.importer, one.imported.rpartition(".")[0]) != ("energia.core", "energia.jobs.queue")
        if (one.importer, one.imported) != ("energia.core", "energia.jobs.queue")
    ]

    assert described(wrong) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types count; the honest circle is the one that architecture.md names."""
    assert circles("energia_plugins") == []
    assert all(set(found) <= HONEST for found in circles("energia"))


def test_every_pattern_is_said_in_words() -> None:
    """Who sends what does not match reads words, and no regular expression."""
    calls = [
        (path.name, node)
        for folder in SOURCES.values()
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and any(one.arg == "pattern" for one in node.keywords)
    ]
    silent = [
        f"{name}:{c.lineno}" for name, c in calls if "extra" not in {k.arg for k in c.keywords}
    ]

    assert (silent, len(calls) > 20) == ([], True)


def test_the_map_is_the_house() -> None:
    """architecture.md lists every file as it is; `python -m tests.house_map` draws it anew."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert text == written(text)


def test_parts_of_one_layer_are_apart() -> None:
    """Metering, pricing and health do not know each other, but for series and their gaps."""
    wrong = [
        one
        for one in imports("energia")
        if layer(one.importer) == layer(one.imported) == layer("energia.metering")
        if one.importer.split(".")[1] != one.imported.split(".")[1]
        if not is_of(one.imported, "energia.metering.series", "energia.metering.gaps")
    ]

    assert described(wrong) == []


def test_only_the_database_layer_knows_the_driver() -> None:
    """Rows and errors of the driver end in `energia.db`."""
    found = chain(imports("energia"), imports("energia_plugins"))
    wrong = [
        one
        for one in found
        if is_of(one.imported, "psycopg2", "aiopg")
        if not is_of(one.importer, "energia.db")
    ]

    assert described(wrong) == []


def test_only_the_metrics_plugin_knows_prometheus() -> None:
    """Another metrics plugin could take its place; one that measures does so in its `metrics`."""
    found = chain(imports("energia"), imports("energia_plugins"))
    wrong = [
        one
        for one in found
        if is_of(one.imported, "prometheus_client", "prometheus_async")
        if not one.for_types  # the contract names the type of what a plugin registers
        if not is_of(one.importer, "energia_plugins.metrics_prometheus")
        if one.importer.rpartition(".")[2] != "metrics"
    ]

    assert described(wrong) == []


def test_every_bundled_plugin_has_an_entry_point() -> None:
    """A plugin that setup.py forgets would never load."""
    declared = {entry.module for entry in entry_points(group="energia")}
    folder = SOURCES["energia_plugins"]
    bundled = {
        f"energia_plugins.{path.stem}"
        for path in folder.iterdir()
        if not path.name.startswith("_")
        and (path.suffix == ".py" or (path / "__init__.py").exists())
    }

    assert bundled <= declared


def test_all_bundled_plugins_load_together() -> None:
    """They do not stand in each other's way."""
    states = Plugins.installed().states

    assert {state.name for state in states if state.distribution == "energia"} == {
        entry.name
        for entry in entry_points(group="energia")
        if entry.dist and entry.dist.name == "energia"
    }


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_and_tested(hook: str) -> None:
    """docs/how-to/plugins.md has a heading with its signature; a test file mentions it."""
    signature = str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")
    signature = re.sub(r"(?<![\w.])(?:\w+\.)+(?=AbstractAsync)", "", signature)
    documented = (ROOT / "docs/how-to/plugins.md").read_text(encoding="utf-8")
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]

    assert f"### `{hook}{signature}`\n" in documented
    assert inspect.getdoc(getattr(hookspecs, hook))
    assert any(hook in path.read_text(encoding="utf-8") for path in tests)


def test_every_sql_statement_is_used() -> None:
    """A block of SQL that no code asks for is dead."""
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for path in chain(modules("energia").values(), modules("energia_plugins").values())
    )
    unused = [
        f"{path.relative_to(ROOT)}: {name}"
        for root in SOURCES.values()
        for path in root.rglob("queries.sql")
        for name in re.findall(r"^-- name: (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if f'"{name}"' not in sources
    ]

    assert unused == []


def test_every_public_name_can_be_imported() -> None:
    """What `energia` offers to plugin authors is there."""
    assert all(getattr(energia, name) is not None for name in energia.__all__)


def test_no_file_tells_of_the_machine_it_was_made_on() -> None:
    """No home folder, no work folder and no package index is named."""
    home = re.escape(f"{Path.home()}/")
    named = re.compile(rf"{home}|/(?:root|work)/|/Users/\w|(?:index-url|find-links)[ =]\S*:/")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked(
            "*.py", "*.toml", "*.ini", "*.md", "*.lock", "*.yml", "*.sql", "Makefile"
        )
        if path != Path(__file__)
        if (match := named.search(path.read_text(encoding="utf-8")))
    ]

    assert found == []


def test_no_file_has_the_marks_of_a_merge() -> None:
    """What two sides wrote was made one."""
    mark = re.compile(rf"^(?:{'<' * 7}|{'>' * 7}) ".encode(), re.MULTILINE)
    texts = {path: path.read_bytes() for path in tracked() if path.suffix != ".gz"}

    assert [str(path) for path, text in texts.items() if mark.search(text)] == []


def test_locks_name_hashes_and_no_host() -> None:
    """What is installed is what was resolved, from whatever index."""
    for path in sorted((ROOT / "requirements").glob("*.lock")):
        text = path.read_text(encoding="utf-8")
        pinned = re.findall(r"^[A-Za-z0-9]\S*==", text, re.MULTILINE)

        assert "://" not in text
        assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))
        blocks = [one for one in re.split(r"\n(?=\S)", text.strip()) if not one.startswith("#")]
        assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("lock", ["image", "run", "test"])
def test_locks_meet_the_requirements(lock: str) -> None:
    """`make lock` was run after setup.py was changed."""
    text = (ROOT / f"requirements/{lock}.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE))
    needed = [Requirement(line) for line in requires("energia") or () if "extra ==" not in line]

    assert needed
    assert [one.name for one in needed if pinned.get(one.name, "") not in one.specifier] == []


def test_make_installs_what_tests_need() -> None:
    """`make test-all` knows every program that a test is marked to need."""
    marked = {
        program
        for path in tracked("tests/*.py", "tests/**/*.py")
        for program in re.findall(r"pytest\.mark\.needs\(\"([\w-]+)\"\)", path.read_text())
        if path.name not in ("test_needs.py", "test_structure.py")
    }
    (line,) = re.findall(r"^PROGRAMS = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert marked - {"root", "pid-namespace", "tmpfs"} == set(line.split())
