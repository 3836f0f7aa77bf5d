"""What is built of the sources: complete, the same each time, and enough to run anywhere."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from energia.configuration.loading import PROFILES, load
from tests.e2e.service import environment, serving
from tests.imports import ROOT
from tests.test_structure import tracked

#: What setuptools adds to the sources.
_MADE: Final = ("PKG-INFO", "setup.cfg", "energia.egg-info/")
_SDIST: Final = "from setuptools import build_meta; build_meta.build_sdist({!r})"


def _copied(target: Path, stamp: int) -> Path:
    """Copy the sources, as a checkout of another day and another umask has them."""
    for file in tracked("*"):
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
        copy.chmod((copy.stat().st_mode & 0o700) | (stamp % 2 * 0o044))
        os.utime(copy, (stamp, stamp))
    return target


def _built(source: Path, folder: Path) -> Path:
    """Build both distributions, the wheel from the other one, and return their folder."""
    folder.mkdir()
    given = environment(SOURCE_DATE_EPOCH="1780000000")
    command = [sys.executable, "-c", _SDIST.format(str(folder))]
    subprocess.run(command, cwd=source, env=given, check=True, capture_output=True)
    (sdist,) = folder.glob("*.tar.gz")
    command = [
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"),
        *("--disable-pip-version-check", "--quiet", "--wheel-dir", str(folder), str(sdist)),
    ]
    subprocess.run(command, env=given, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module", name="built")
def _of_sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the folder with both distributions."""
    folder = tmp_path_factory.mktemp("distribution")
    yield _built(_copied(folder / "source", 1_700_000_001), folder / "dist")
    shutil.rmtree(folder)


@pytest.mark.long
def test_the_same_sources_are_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """On another day, in another folder, from files with other modes."""
    again = _built(_copied(tmp_path / "elsewhere", 1_750_000_000), tmp_path / "dist")
    first, second = (
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
        for folder in (built, again)
    )

    assert len(first) == 2
    assert first == second


def test_the_sources_are_complete(built: Path) -> None:
    """Whoever has the archive can build and test: it has what the repository has, and no more."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    expected = {file.relative_to(ROOT).as_posix() for file in tracked("*")}

    assert {name for name in names if not name.startswith(_MADE)} == {
        name for name in expected if not name.startswith(".ci/")
    }


@pytest.fixture(name="site")
def _installed(built: Path, tmp_path: Path) -> Path:
    """Give a folder in which the wheel is installed."""
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    command = [
        *(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile"),
        *("--disable-pip-version-check", "--quiet", "--target", str(site), str(wheel)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return site


def test_what_is_imported_is_the_wheel(site: Path) -> None:
    """The test below would prove nothing if the checkout came first."""
    code = "import energia, energia_plugins; print(energia.__file__, energia_plugins.__file__)"
    command, env = [sys.executable, "-c", code], environment(PYTHONPATH=str(site))
    found = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    assert [file for file in found.split() if not file.startswith(str(site))] == []


async def test_it_runs_outside_of_the_repository(
    site: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed from the wheel alone, in a folder without `config`: all of it is in the package."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    async with (
        serving(database, PYTHONPATH=str(site)) as service,
        aiohttp.ClientSession(service.url) as api,
    ):
        async with api.get("/docs") as answer:
            assert answer.status == HTTPStatus.OK
        async with api.get("/v1/plugins") as answer:
            plugins = (await answer.json())["items"]

    assert [plugin["name"] for plugin in plugins if plugin["state"] == "failed"] == []
    assert len(plugins) > 40


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_are_in_the_package(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of `config` say what holds without them as well: they are there to be changed."""
    monkeypatch.chdir(tmp_path)
    given = {"ENERGIA_PROFILE": profile, "DATABASE_URL": "postgresql://u@h/energia"}
    if profile == "preview":
        given |= {"DATABASE_URL": "postgresql://u@h/app_pr_7", "PR_NUMBER": "7"}
    without = load(environ=given).settings
    with_files = load(environ={**given, "ENERGIA_CONFIG_DIR": str(ROOT / "config")}).settings

    assert without == with_files
