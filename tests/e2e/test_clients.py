"""Clients that are made of the document: by two generators as they come, and our own."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from energia.plugins import Plugins
from energia.web.app import document
from tests.clients import CLIENTS, interpreter, run
from tests.e2e.service import token

#: CI has a job of its own for these: `make clients`.
pytestmark = pytest.mark.long

#: What the tours print, whatever they are written in.
PRINTED = [
    *([name, "interval", "PT0S"] for name in ("a", "b", "c")),
    ["created", 24, ["a"]],
    ["cost", "9.60", "BRL", 24],
    ["bill", "9.60", "draft", "Energia"],
    ["explained", "12 kWh x 0.8 BRL/kWh"],
    *(["page", ["a", "b"]], ["page", ["c"]]),
    ["problem", 404, "not_found"],
    ["faults", [["/channels", "too_short"]]],
]


@pytest.fixture(name="secret")
async def _secret(database: str) -> str:
    """Give a token for the service at `url`."""
    return (await token(database))["Authorization"].removeprefix("Bearer ")


@pytest.fixture(name="openapi", scope="session")
def _openapi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the document as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(document(Plugins.installed())))
    return path


@pytest.fixture(name="python", scope="session")
def _python() -> str:
    """Give the Python of the environment of the clients."""
    return str(interpreter())


def lines(printed: str) -> list[object]:
    """Return what a tour printed."""
    return [json.loads(line) for line in printed.splitlines()]


async def test_python_as_it_comes(
    url: str, secret: str, openapi: Path, python: str, tmp_path: Path
) -> None:
    """openapi-python-client leaves nothing out, its client fits its types, and the tour works."""
    client, tour = tmp_path / "client", str(CLIENTS / "tour.py")
    generate = ("openapi_python_client", "generate", "--path", str(openapi))
    path = {"PYTHONPATH": str(client)}
    # It formats its code with the `ruff` of the path, and warns where there is none.
    with_ruff = {"PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"}

    said = await asyncio.to_thread(
        run, python, "-m", *generate, "--output-path", str(client), environment=with_ruff
    )
    await asyncio.to_thread(check_types, python, tmp_path, client / "energia_client", tour)
    printed = await asyncio.to_thread(run, python, tour, url, secret, environment=path)

    assert "WARNING" not in said.upper()
    assert lines(printed) == PRINTED


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
async def test_typescript_as_it_comes(url: str, secret: str, openapi: Path, tmp_path: Path) -> None:
    """With the types of openapi-typescript the tour needs no cast, and works."""
    tour = tmp_path / "tour"
    shutil.copytree(CLIENTS / "typescript", tour)

    def built() -> None:
        bin_ = tour / "node_modules/.bin"
        run("npm", "ci", "--no-progress", folder=tour)
        run(str(bin_ / "openapi-typescript"), str(openapi), "--output", "energia.d.ts", folder=tour)
        run(str(bin_ / "tsc"), folder=tour)

    await asyncio.to_thread(built)
    printed = await asyncio.to_thread(run, "node", str(tour / "built/tour.js"), url, secret)

    assert lines(printed) == PRINTED


@pytest.fixture(name="project", scope="session")
def _project(openapi: Path, python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of our client's project, with all that is made of the document."""
    project = tmp_path_factory.mktemp("client") / "python"
    left_out = shutil.ignore_patterns("generated", "operations.py", "build", "*.egg-info")
    shutil.copytree(CLIENTS / "python", project, ignore=left_out)
    run(python, "generate.py", str(openapi), folder=project)
    return project


@pytest.fixture(name="installed", scope="session")
def _installed(project: Path, python: str) -> Path:
    """Give the folder that our client is installed in, from its wheel."""
    wheel = ("pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    run(python, "-m", *wheel, "--wheel-dir", "dist", ".", folder=project)
    (built,) = project.glob("dist/*.whl")
    target = project.parent / "installed"
    pip = ("pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile")
    run(python, "-m", *pip, "--target", str(target), str(built))
    return target


def test_our_client_fits_its_types(project: Path, python: str) -> None:
    """What is made of the document, what is written by hand, and its tests."""
    check_types(python, project, project / "src/energia_client", project / "tests")


def test_our_client_keeps_its_word(project: Path, installed: Path, python: str) -> None:
    """Its own tests pass, against the wheel as it is installed."""
    printed = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"),
        folder=project,
        environment={"PYTHONPATH": str(installed)},
    )

    assert " passed" in printed
    assert "skipped" not in printed


async def test_the_notebook_runs(
    url: str, secret: str, project: Path, installed: Path, python: str
) -> None:
    """Every cell, in a kernel of its own, against a service."""
    notebook = str(project / "examples/day.ipynb")
    environment = {
        "HOME": str(project),
        "PYTHONPATH": str(installed),
        "ENERGIA": url,
        "TOKEN": secret,
    }

    execute = str(Path(python).with_name("jupyter-execute"))
    await asyncio.to_thread(run, execute, notebook, environment=environment)


def check_types(python: str, folder: Path, *sources: Path | str) -> None:
    """Check types strictly: those of a package, and of who imports it."""
    package, *others = map(str, sources)
    run(
        *(python, "-m", "mypy", "--strict", "--cache-dir", str(folder / "mypy"), package, *others),
        folder=folder,
        environment={"MYPYPATH": str(Path(package).parent)},
    )
