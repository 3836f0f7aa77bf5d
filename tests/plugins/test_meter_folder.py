"""Files that are dropped: each is stored once for each of its versions, when it is complete."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import pytest

from energia import SourceFailed
from energia.configuration.values import structure
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Health
from energia.settings import Settings as Service
from energia.testing import Gathered, gathered
from energia_plugins import meter_csv
from energia_plugins.meter_folder import MeterFolder
from energia_plugins.meter_folder.settings import Settings
from energia_plugins.meter_folder.source import FolderSource
from tests.core.metering.test_endpoints import CHANNEL, SITE, answer
from tests.core.metering.test_sources import check, stored, until
from tests.serving import Serving, make_core

OPTIONS = {
    "meter": "m",
    "timezone": "America/Sao_Paulo",
    "start_column": "when",
    "value_column": "kWh",
    "date_format": "%Y-%m-%d %H:%M",
}
ROWS = "when,kWh\n2026-03-01 00:00,0.5\n2026-03-01 00:15,0.25\n"


def dropped(path: str, **more: Any) -> FolderSource:
    """Return the source of a folder, which is looked into all the time."""
    table = {"path": path, "format": "csv", "options": OPTIONS, **more}
    settings = structure({"folders": {"in": table}}, Settings, "plugins.meter-folder")
    return FolderSource("in", attrs.evolve(settings.folders["in"], period=0.02))


@asynccontextmanager
async def running(source: FolderSource, emit: Gathered) -> AsyncIterator[None]:
    """Run a source while the block lasts."""
    task = asyncio.create_task(source.run(emit))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_file_is_stored_once(tmp_path: Path) -> None:
    """Neither the next look nor a restart reads it again; a new version is another file."""
    (tmp_path / "a.csv").write_text(ROWS)
    first, second = Gathered(), Gathered()
    async with running(dropped(str(tmp_path)), first):
        await until(lambda: first.files)
        await asyncio.sleep(0.1)
    second.state = dict(first.state)
    async with running(dropped(str(tmp_path)), second):
        await asyncio.sleep(0.1)
        assert second.files == []
        (tmp_path / "a.csv").write_text(ROWS + "2026-03-01 00:30,1\n")
        await until(lambda: second.files)

    assert first.files == [(ROWS.encode(), "csv", OPTIONS)]
    assert second.files[0][0].endswith(b"00:30,1\n")


async def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    """It is taken when it has stayed as it was from one look to the next."""
    emit = Gathered()
    with (tmp_path / "a.csv").open("w") as file:
        async with running(dropped(str(tmp_path)), emit):
            for line in (ROWS * 20).splitlines(keepends=True):
                file.write(line)
                file.flush()
                await asyncio.sleep(0.005)
            await until(lambda: emit.files)

    assert [data for data, _, _ in emit.files] == [(ROWS * 20).encode()]


async def test_only_what_fits_the_pattern_is_taken(tmp_path: Path) -> None:
    """Neither folders nor empty files are."""
    (tmp_path / "folder.csv").mkdir()
    for name, text in (("a.csv", ROWS), ("b.txt", ROWS), ("c.csv", "")):
        (tmp_path / name).write_text(text)
    emit = Gathered()
    async with running(dropped(str(tmp_path), pattern="*.csv"), emit):
        await until(lambda: emit.files)
        await asyncio.sleep(0.1)

    assert list(emit.state) == ["a.csv"]


async def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    """Another one of its name is stored."""
    path, emit = tmp_path / "a.csv", Gathered()
    path.write_text(ROWS)
    async with running(dropped(str(tmp_path)), emit):
        await until(lambda: emit.files)
        path.unlink()
        await until(lambda: not emit.state)

    assert len(emit.files) == 1


async def test_a_file_that_was_refused_is_read_when_it_is_read_otherwise(tmp_path: Path) -> None:
    """Other options may be what it needs."""
    (tmp_path / "a.csv").write_text(ROWS)
    first = await gathered(dropped(str(tmp_path)))

    second = await gathered(dropped(str(tmp_path), options={}), state=first.state)

    assert second.files == [(ROWS.encode(), "csv", {})]


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The source fails, and is begun again by the core."""
    with pytest.raises(SourceFailed, match="the folder cannot be read"):
        await gathered(dropped(str(tmp_path / "none")))


@pytest.fixture(name="bucket")
def _bucket() -> Callable[[str, bytes], None]:
    """Give what writes files to a store of fsspec, as one writes to S3."""
    store: Any = import_module("fsspec").filesystem("memory")
    store.store.clear()

    def write(name: str, data: bytes) -> None:
        store.pipe(f"/drop/{name}", data)

    write("keep", b"")
    return write


async def test_a_bucket_is_a_folder(bucket: Callable[[str, bytes], None]) -> None:
    """Whatever fsspec knows is."""
    bucket("a.csv", ROWS.encode())

    found = await gathered(dropped("memory://drop"))

    assert found.files == [(ROWS.encode(), "csv", OPTIONS)]


async def test_a_store_that_nobody_knows_is_told() -> None:
    """The message is fsspec's."""
    with pytest.raises(SourceFailed, match="nowhere"):
        await gathered(dropped("nowhere://drop"))


async def test_files_are_stored_in_a_service(pool: Pool, serving: Serving, tmp_path: Path) -> None:
    """One that cannot be read is in the problems of an import, and does not hold up the rest."""
    table = {"path": str(tmp_path), "format": "csv", "options": OPTIONS, "period": 1}
    settings = structure({"folders": {"in": table}}, Settings, "plugins.meter-folder")
    plugins = Plugins.of(meter_folder=MeterFolder(settings), meter_csv=meter_csv)
    core = make_core(plugins=plugins, pool=pool, settings=Service(health=Health(period=0.05)))
    async with serving(core) as client:
        await check(client, "pass", "folder-in")
        await client.put("/v1/sites/home", json=SITE)
        await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
        (tmp_path / "a.csv").write_text("other,columns\n1,2\n")
        (tmp_path / "b.csv").write_text(ROWS)
        await until(lambda: core.sources["folder-in"].readings["created"] == 2)
        values = await stored(client)
        imports = await answer(await client.get("/v1/imports"))
        bad = await answer(await client.get(f"/v1/imports/{imports['items'][1]['import']}"))

    assert values[:2] == [0.5, 0.25]
    assert [one["format"] for one in imports["items"]] == ["csv", "folder-in"]
    assert bad["problems"][0]["message"].startswith("a.csv: ")
