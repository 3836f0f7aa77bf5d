"""Tables are fetched, and count once they were found whole and plausible."""

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia_plugins.tariff_brazil import Settings, TariffBrazil, shelf
from tests.plugins.brazil.open_data import tariffs
from tests.plugins.brazil.test_upkeep import HOME, OLD, Service, dearer, running
from tests.serving import Serving


@attrs.define
class Publisher:
    """Publishes a file under an ETag, as ANEEL's portal does."""

    data: bytes = b""
    status: int = 200
    asked: list[str | None] = attrs.Factory(list)

    async def give(self, request: web.Request) -> web.Response:
        """Give it, unless the client has it."""
        tag = f'"{hash(self.data)}"'
        self.asked.append(request.headers.get("If-None-Match"))
        if self.asked[-1] == tag:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.data, headers={"ETag": tag})


@pytest.fixture(name="publisher")
async def _publisher() -> Publisher:
    return Publisher(tariffs(OLD))


@pytest.fixture(name="service")
async def _service(
    database: str,
    tmp_path: Path,
    serving: Serving,
    aiohttp_server: AiohttpServer,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Service]:
    """Serve with the tariffs of a publisher."""
    monkeypatch.setattr(shelf, "LOOK", 0.0)
    app = web.Application()
    app.router.add_get("/tarifas.csv", publisher.give)
    url = f"{(await aiohttp_server(app)).make_url('/tarifas.csv')}?key=1"
    sources = {"tarifas.csv": url}
    async with running(serving, database, tmp_path, sources=sources) as service:
        yield service


async def versions(service: Service) -> list[str]:
    """Return the first days of the versions of a tariff, made of the tables in use."""
    made = await service.ask("POST", "/v1/brazil/tariff", HOME)
    return [one["valid_from"] for one in made["tariff"]["versions"]]


async def test_a_newer_file_is_taken(service: Service, publisher: Publisher) -> None:
    """The next requests are answered by it; the same file is not read twice."""
    await service.do("brazil-tables")
    before = await versions(service)
    publisher.data = tariffs(OLD, dearer("2026-09-11"))
    await service.do("brazil-tables")
    await service.do("brazil-tables")
    after = await versions(service)
    (table,) = (
        one
        for one in (await service.ask("GET", "/v1/brazil/tables"))["items"]
        if one["name"] == "tarifas.csv"
    )

    assert (before, after) == (["2026-08-01"], ["2026-08-01", "2026-09-11"])
    assert [tag is None for tag in publisher.asked] == [True, False, False]
    assert table["origin"].endswith("/tarifas.csv")  # without what may be a secret
    assert (table["trouble"], table["fetched_at"] is None) == (None, False)


BROKEN = {
    "cut": (tariffs(OLD)[:-30], 200, "colunas"),
    "another page": (b"<html>Em manuten\xc3\xa7\xc3\xa3o</html>", 200, "faltam as colunas"),
    "away": (b"", 503, "a resposta foi 503"),
    "older": (tariffs(("2025-03-15", "2026-03-14", "400,10", "200,20")), 200, "é mais velho"),
}


async def test_a_broken_file_changes_nothing(service: Service, publisher: Publisher) -> None:
    """It is told in `GET /v1/brazil/tables` and in health, until a good one comes."""
    publisher.data = tariffs(OLD, dearer("2026-09-11"))
    await service.do("brazil-tables")
    good = await versions(service)
    for data, status, reason in BROKEN.values():
        publisher.data, publisher.status = data, status
        await service.do("brazil-tables")

        assert reason in await service.warning()
        assert await versions(service) == good

    publisher.data, publisher.status = tariffs(OLD, dearer("2026-09-12")), 200
    await service.do("brazil-tables")

    assert await service.warning() == ""


def test_a_source_of_an_unknown_table_is_refused() -> None:
    """At the start, with the names that there are."""
    with pytest.raises(ValueError, match=r"tarifa\.csv is no table; there are bandeiras"):
        TariffBrazil(Settings(sources={"tarifa.csv": "https://example.com"}))
