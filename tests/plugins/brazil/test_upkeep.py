"""Tariffs of Brazil that follow the tables, from a newer file of ANEEL's to the next bill."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest

from energia.core import Core
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, PluginSelection, Settings
from energia_plugins.tariff_brazil import shelf
from tests.plugins.brazil.open_data import FLAGS, tariffs
from tests.serving import LOOPBACK, Serving, make_core

SITE = {"name": "Casa", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
CHANNEL = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
METER = {"site": "casa", "channels": [{**CHANNEL, "interval": "PT1H"}]}
#: 1 kWh in each hour of August to October.
SERIES = {
    "meter": "m",
    "start": "2026-08-01T00:00:00-03:00",
    "interval": "PT1H",
    "values": [1] * (92 * 24),
}
HOME: dict[str, Any] = {
    "distributor": "ENEL RJ",
    "subgroup": "B1",
    "phases": "monofasico",
    "from": "2026-08-01",
    "overrides": {"icms": [{"rate": "0"}], "pis": "0", "cofins": "0"},
}
#: The price of 2026, and another one that comes later: 0.80 and 1.00 R$/kWh.
OLD = ("2026-03-15", "2027-03-14", "500,00", "300,00")


def dearer(start: str) -> tuple[str, str, str, str]:
    """Return a row from a day on."""
    return start, "2027-03-14", "650,00", "350,00"


@attrs.frozen
class Service:
    """A service with tables in a folder."""

    core: Core
    api: aiohttp.ClientSession
    folder: Path

    async def ask(self, method: str, path: str, body: object = None, status: int = 0) -> Any:
        """Ask, and return the JSON of the answer, which has that status, or is no error."""
        async with self.api.request(method, path, json=body) as answer:
            text = await answer.text()
            assert answer.status == status if status else answer.status < 300, text
            return await answer.json() if text else None

    def put_tariffs(self, *rows: tuple[str, str, str, str]) -> None:
        """Put a file of ANEEL's into the folder."""
        (self.folder / "tarifas.csv").write_bytes(tariffs(*rows))

    async def do(self, name: str) -> None:
        """Let a task be done once."""
        (task,) = (one for one in self.core.plugins.tasks() if one.name == name)
        await task.run(self.core, {})

    async def follow(self) -> None:
        """Let tariffs follow the tables."""
        await self.do("brazil-tariffs")

    async def warning(self) -> str:
        """Return what the probe says of the tables."""
        (probe,) = (one for one in self.core.plugins.probes() if one.name == "brazil-tables")
        observed = await probe.check(self.core)
        assert observed is not None
        return observed.warning or ""

    async def bill(self, id_: str, start: str, end: str) -> Any:
        """Make the draft of a bill."""
        body = {"id": id_, "contract": "c", "start": start, "end": end}
        return await self.ask("POST", "/v1/bills", body)

    async def move_in(self) -> None:
        """Make the customer of a tariff that follows, with readings and a contract."""
        contract = {"meter": "m", "tariff": "casa", "start": "2026-08-01"}
        await self.ask("PUT", "/v1/sites/casa", SITE)
        await self.ask("PUT", "/v1/meters/m", METER)
        await self.ask("PUT", "/v1/brazil/tariffs/casa", HOME, 201)
        await self.ask("PUT", "/v1/contracts/c", contract)
        await self.ask("POST", "/v1/readings", {"series": [SERIES]})

    async def versions(self) -> list[tuple[str, str | None]]:
        """Return the days of the versions of the tariff."""
        found = await self.ask("GET", "/v1/tariffs/casa")
        return [(one["valid_from"], one.get("valid_to")) for one in found["versions"]]


@pytest.fixture(name="service")
async def _service(
    database: str, tmp_path: Path, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """Serve with tables of one's own: two files in a folder."""
    monkeypatch.setattr(shelf, "LOOK", 0.0)
    (tmp_path / "tarifas.csv").write_bytes(tariffs(OLD))
    (tmp_path / "bandeiras.csv").write_bytes(FLAGS)
    async with running(serving, database, tmp_path, data=f"{tmp_path}") as service:
        yield service


@asynccontextmanager
async def running(
    serving: Serving, database: str, folder: Path, **settings: object
) -> AsyncIterator[Service]:
    """Serve with the plugin, so configured."""
    plugins = Plugins.installed(PluginSelection(settings={"tariff-brazil": settings}))
    await migrate(database, {**CORE_MIGRATIONS, **plugins.migrations()})
    pool = Pool(database, Database())
    core = make_core(plugins=plugins, pool=pool, settings=Settings(outgoing=LOOPBACK))
    try:
        async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as api:
            yield Service(core, api, folder)
    finally:
        await pool.close()


async def test_the_next_bill_has_the_newer_price(service: Service) -> None:
    """A newer file of ANEEL's comes after August is billed: September has it, August stays."""
    await service.move_in()
    august = await service.bill("agosto", "2026-08-01", "2026-09-01")
    await service.ask("POST", "/v1/bills/agosto/issue")
    service.put_tariffs(OLD, dearer("2026-09-11"))
    await service.follow()

    september = await service.bill("setembro", "2026-09-01", "2026-10-01")
    period = {"meter": "m", "tariff": "casa", "start": "2026-08-01", "end": "2026-09-01"}
    again = await service.ask("POST", "/v1/costs", period)
    issued = await service.ask("GET", "/v1/bills/agosto")

    assert Decimal(august["total"]) == Decimal("595.20")  # 744 kWh
    assert Decimal(september["total"]) == Decimal("672.00")  # 240 and 480 kWh
    assert (await service.ask("GET", "/v1/bills?affected=true"))["items"] == []
    assert again["total"] == issued["total"] == august["total"]


async def test_issued_days_stay_where_the_price_changes_within_them(service: Service) -> None:
    """A price that comes late, from a day in a bill, begins after that bill, and that is told."""
    await service.move_in()
    await service.bill("agosto", "2026-08-01", "2026-09-01")
    await service.ask("POST", "/v1/bills/agosto/issue")
    service.put_tariffs(OLD, dearer("2026-08-11"))
    await service.follow()

    september = await service.bill("setembro", "2026-09-01", "2026-10-01")
    found = await service.ask("GET", "/v1/brazil/tariffs/casa")

    assert Decimal(september["total"]) == Decimal("720.00")
    assert (await service.ask("GET", "/v1/bills?affected=true"))["items"] == []
    assert await service.versions() == [("2026-08-01", "2026-09-01"), ("2026-09-01", "2027-03-15")]
    assert found["kept"] == [{"start": "2026-08-01", "end": "2026-09-01"}]
    assert found["trouble"] is None


async def test_a_tariff_that_cannot_follow_says_so(service: Service) -> None:
    """The tables lack it: it stays as it was, `GET` and health say why; then it follows again."""
    await service.move_in()
    before = await service.ask("GET", "/v1/brazil/tariffs/casa")
    tariff = await service.ask("GET", "/v1/tariffs/casa")
    service.put_tariffs(dearer("2026-09-11"))
    await service.follow()
    stuck = await service.ask("GET", "/v1/brazil/tariffs/casa")

    assert "a tabela não tem tarifa B1" in stuck["trouble"]
    assert stuck["drawn_at"] == before["drawn_at"]
    assert await service.ask("GET", "/v1/tariffs/casa") == tariff
    assert "1 tariffs do not follow the tables: a tabela não tem" in await service.warning()

    service.put_tariffs(OLD, dearer("2026-09-11"))
    await service.follow()

    assert (await service.ask("GET", "/v1/brazil/tariffs/casa"))["trouble"] is None
    assert await service.warning() == ""


async def test_a_broken_file_in_the_folder_changes_nothing(service: Service) -> None:
    """What was read before stays in use, and health names the line."""
    await service.move_in()
    tables = await service.ask("GET", "/v1/brazil/tables")
    service.put_tariffs(OLD, ("2026-09-11", "2027-03-14", "65000,00", "350,00"))
    await service.follow()

    assert await service.ask("GET", "/v1/brazil/tables") == tables
    assert "linha 3: '65000,00' passa de 10000 R$/MWh" in await service.warning()


async def test_a_tariff_stops_to_follow(service: Service) -> None:
    """It is listed while it follows; then it stays as it is, and the audit log has both."""
    await service.move_in()
    listed = await service.ask("GET", "/v1/brazil/tariffs?limit=1")
    again = await service.ask("PUT", "/v1/brazil/tariffs/casa", HOME, 200)
    await service.ask("DELETE", "/v1/brazil/tariffs/casa", status=204)
    service.put_tariffs(OLD, dearer("2026-09-11"))
    await service.follow()
    await service.ask("GET", "/v1/brazil/tariffs/casa", status=404)
    entries = await service.ask("GET", "/v1/audit?resource=tariff&id=casa")

    assert listed["items"] == [again | {"drawn_at": listed["items"][0]["drawn_at"]}]
    assert again["request"]["from"] == "2026-08-01"
    assert await service.versions() == [("2026-08-01", "2027-03-15")]
    last, *_, first = entries["items"]
    assert (last["action"], (last["after"] or {}).get("follows")) == ("update", None)
    assert first["action"] == "create"
    assert first["after"]["follows"]["casa"]["request"] == again["request"]


async def test_the_tables_are_listed(service: Service) -> None:
    """Each with where it is from, and its newest day."""
    found = await service.ask("GET", "/v1/brazil/tables")
    tables = {one["name"]: one for one in found["items"]}

    folder = f"{service.folder}/tarifas.csv"
    assert (tables["tarifas.csv"]["origin"], tables["tarifas.csv"]["newest"]) == (
        folder,
        "2026-07-04",  # a price that was read on bills of Light's
    )
    assert tables["bandeiras.csv"]["newest"] == "2026-12-01"
    assert tables["icms.json"]["origin"] == "energia"
