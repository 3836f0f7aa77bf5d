"""The distribution of `docs/how-to/plugins.md`, built from its text and installed by itself."""

import asyncio
import re
import subprocess
import sys
import sysconfig
import venv
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from energia.db.pool import Pool
from energia.settings import Database
from tests.e2e import service

DOCS = (Path(__file__).parents[2] / "docs/how-to/plugins.md").read_text(encoding="utf-8")
SECTION = DOCS.partition("## A whole distribution")[2].partition("\n## ")[0]
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)```", SECTION, re.DOTALL | re.MULTILINE))
(CONFIGURATION,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
NAME = "tariff-acme-club"
USAGE = {
    "timezone": "UTC",
    "interval": "PT1H",
    "channels": {"import": {"start": "2026-03-02T00:00:00Z", "values": [1, 2.5]}},
}
TARIFF = {
    "name": "Club",
    "currency": "EUR",
    "timezone": "UTC",
    "versions": [
        {"valid_from": "2026-01-01", "charges": [{"kind": "acme.cashback", "rate": "0.02"}]}
    ],
}


def run(*command: object) -> None:
    """Run a command that must work."""
    words = [str(part) for part in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", name="python")
def _python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of a fresh environment with Energia and the distribution in it."""
    folder = tmp_path_factory.mktemp("acme")
    for name, text in FILES.items():
        file = folder / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    wheels = folder / "wheels"
    run(sys.executable, "-m", "pip", "wheel", *offline, "-w", wheels, folder / "source")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env/bin/python"
    # What is installed here is seen there too: nothing is downloaded twice.
    paths = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    here = sysconfig.get_path("purelib")
    (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    run(python, "-m", "pip", "install", *offline[:2], *wheels.glob("acme_club-*.whl"))
    return python


@asynccontextmanager
async def serving(python: Path, database: str, folder: Path, more: str = "") -> Any:
    """Serve from that environment, configured as the text says."""
    file = folder / "club.toml"
    file.write_text(CONFIGURATION + more)
    async with (
        service.serving(database, "--config", str(file), python=str(python)) as running,
        aiohttp.ClientSession(running.url) as api,
    ):
        yield running, api


async def get(api: aiohttp.ClientSession, path: str) -> Any:
    """Return a JSON answer."""
    async with api.get(path) as answer:
        return await answer.json()


async def price(api: aiohttp.ClientSession) -> Any:
    """Price 3.5 kWh with the plugin's charge."""
    async with api.post("/v1/costs", json={"usage": USAGE, "tariff": TARIFF}) as answer:
        return await answer.json()


async def kinds(api: aiohttp.ClientSession) -> list[str]:
    """Return the kinds of charge that are offered."""
    return [one["kind"] for one in (await get(api, "/v1/charge-kinds"))["items"]]


async def probes(api: aiohttp.ClientSession) -> str:
    """Return the names of what is probed, as the metrics have them."""
    async with api.get("/metrics") as answer:
        return await answer.text()


def test_the_text_has_all_files() -> None:
    """A reader who copies the blocks has the distribution."""
    assert list(FILES) == [
        "setup.py",
        "acme_club/charges.py",
        "acme_club/migrations/0001_members.sql",
        "acme_club/__init__.py",
    ]


async def test_everything_it_brings_works(python: Path, database: str, tmp_path: Path) -> None:
    """Kind, route, table, probe, metric and settings are there, and no secret is told."""
    async with serving(python, database, tmp_path) as (running, api):
        assert "acme.cashback" in await kinds(api)
        assert (await price(api))["total"] == "-0.07"  # 3.5 kWh x -0.02
        async with api.put("/v1/acme/members/UC-1") as answer:
            first = await answer.json()
        async with api.put("/v1/acme/members/UC-1") as answer:
            joined = await answer.json()
        assert first == joined
        assert joined == {"meter": "UC-1", "members": 1, "welcome": "Welcome to the club"}
        document = await get(api, "/openapi.json")
        assert "/v1/acme/members/{meter}" in document["paths"]
        metrics = await _until(api, 'health_check_status{check="acme-club"} 1.0')
        assert "acme_joined_total 1.0" in metrics
        (plugin,) = [p for p in (await get(api, "/v1/plugins"))["items"] if p["name"] == NAME]
        assert (plugin["state"], plugin["distribution"], plugin["version"]) == (
            "loaded",
            "acme-club",
            "1.2",
        )
        (settings,) = plugin["settings_schema"]["$defs"].values()
        assert settings["properties"]["welcome"]["default"] == "Welcome"
        assert settings["properties"]["key"] == {
            "type": "string",
            "format": "password",
            "writeOnly": True,
        }
        told = f"{plugin} {document} {metrics} {running.logged()}"
        assert "only-here" not in told


@pytest.mark.long
async def test_disabled_it_is_gone(python: Path, database: str, tmp_path: Path) -> None:
    """Nothing of it is left but its table; the service is as it is without it."""
    async with (
        serving(python, database, tmp_path) as (_, api),
        api.put("/v1/acme/members/UC-1") as answer,
    ):
        assert answer.status == 200

    off = f'\n[plugins]\ndisabled = ["{NAME}"]\n'
    async with serving(python, database, tmp_path, off) as (running, api):
        assert "acme.cashback" not in await kinds(api)
        refused = await price(api)
        assert refused["errors"][0]["code"] == "unknown_kind"
        async with api.put("/v1/acme/members/UC-1") as answer:
            assert answer.status == 404
        metrics = await _until(api, 'health_check_status{check="database"} 1.0')
        named = {line.partition("{")[0] for line in metrics.splitlines() if "acme" in line}
        assert named == {"db_migration_info"}  # of the table, which stays
        async with api.get("/health") as answer:
            assert answer.status == 200
        assert f"{NAME} 0001_members" in running.logged()
    pool = Pool(database, Database())
    assert await pool.tenant().fetch(int, "select count(*) from acme_member") == [1]
    await pool.close()


async def test_a_misspelt_setting_is_named(python: Path, database: str, tmp_path: Path) -> None:
    """The service does not start, and says which setting it does not know."""
    file = tmp_path / "club.toml"
    file.write_text(CONFIGURATION.replace("welcome", "wellcome"))
    process = await asyncio.create_subprocess_exec(
        *(str(python), "-m", "energia", "--config", str(file), "config", "check"),
        env=service.environment(DATABASE_URL=database),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()

    assert process.returncode != 0
    assert f"plugins.{NAME}.wellcome" in out.decode()


async def _until(api: aiohttp.ClientSession, text: str) -> str:
    """Return the metrics once they have *text*."""
    async with asyncio.timeout(60):
        while text not in (metrics := await probes(api)):
            await asyncio.sleep(0.1)
    return metrics
