"""The probe of the embedded server's disk, with just its plugin."""

import shutil
from pathlib import Path

import attrs
import pytest

from energia.plugins import Plugins
from energia.settings import Database, Health, Settings
from energia_plugins.health_disk import DiskHealth
from energia_plugins.health_disk import Settings as OfDisk
from tests.plugins.components import component_of, probe_names
from tests.serving import Serving, make_core


def settings_of(url: str) -> Settings:
    """Return settings with a database."""
    return attrs.evolve(Settings(), database=Database(url=url), health=Health(period=0.02))


async def shown(serving: Serving, url: str, warn_below: int = 1) -> tuple[str, float, str | None]:
    """Return the status, the free bytes and the complaint of a service on the database *url*."""
    plugins = Plugins.of(health_disk=DiskHealth(OfDisk(warn_below=warn_below)))
    async with serving(make_core(plugins=plugins, settings=settings_of(url))) as client:
        found = await component_of(client, "disk")
        assert found is not None
        assert (found.measurement, found.type) == ("free", "system")
        value = found.observed.value if found.observed else -1
        return found.status, value, found.output


async def test_room(tmp_path: Path, serving: Serving) -> None:
    """The free bytes are those of the disk that the data is on."""
    status, free, complaint = await shown(serving, f"embedded:{tmp_path}")

    assert (status, complaint) == ("pass", None)
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)


async def test_no_room(tmp_path: Path, serving: Serving) -> None:
    """Less than it should be is a warning."""
    most = 2**62
    status, _, complaint = await shown(serving, f"embedded:{tmp_path}", warn_below=most)

    assert status == "warn"
    assert complaint == f"under {most} bytes are free in {tmp_path}"


async def test_no_folder(tmp_path: Path, serving: Serving) -> None:
    """A folder that is gone is a warning."""
    status, _, complaint = await shown(serving, f"embedded:{tmp_path / 'gone'}")

    assert status == "warn"
    assert complaint is not None
    assert complaint.startswith("FileNotFoundError")


async def test_elsewhere(serving: Serving) -> None:
    """Where the database is on another machine its disk is none of ours."""
    plugins = Plugins.of(health_disk=DiskHealth)
    core = make_core(plugins=plugins, settings=settings_of("postgresql://me@db/energia"))
    async with serving(core) as client:
        assert probe_names(core) == ["disk"]
        assert await component_of(client, "disk") is None
