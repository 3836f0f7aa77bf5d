"""Distributions with plugins, as if they were installed."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import pytest

PLUGIN = """
from energia.hookspecs import hookimpl

@hookimpl
def register_middlewares():
    return []
"""


class Install(Protocol):
    """Installs a distribution with plugins."""

    def __call__(self, *entries: str, source: str = PLUGIN, requires: Iterable[str] = ()) -> None:
        """Declare *entries*, lines such as `solar = solar`, whose modules have *source*."""


@pytest.fixture(name="install")
def _install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def install(*entries: str, source: str = PLUGIN, requires: Iterable[str] = ()) -> None:
        count = len(list(tmp_path.iterdir()))
        info = tmp_path / f"third{count}-1.2.dist-info"
        info.mkdir()
        metadata = ["Metadata-Version: 2.1", f"Name: third{count}", "Version: 1.2"]
        metadata += ["Provides-Extra: radio", *(f"Requires-Dist: {one}" for one in requires)]
        (info / "METADATA").write_text("\n".join(metadata) + "\n")
        (info / "entry_points.txt").write_text("[energia]\n" + "\n".join(entries) + "\n")
        for entry in entries:
            module = entry.partition("=")[2].strip().partition(":")[0].partition(" ")[0]
            (tmp_path / f"{module}.py").write_text(source)
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(tmp_path)

    return install
