"""A tariff that is made anew leaves what is billed as it is."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import aiohttp
import pytest

from energia.billing.renewal import BilledDays, TariffRenewal, renew_tariff
from energia.core import Core
from energia.db.pool import Pool
from energia.errors import Conflict
from energia.plugins import Plugins
from energia_plugins import tariff_flat
from tests.serving import Serving, make_core

SITE = {"name": "Home", "timezone": "UTC", "country": "BR", "currency": "BRL"}
CHANNEL = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
METER = {"site": "home", "channels": [{**CHANNEL, "interval": "PT1H"}]}
SERIES = {"meter": "m", "start": "2026-03-01T00:00:00Z", "interval": "PT1H", "values": [1] * 240}


def tariff(*versions: tuple[str, str | None, str], **more: str) -> dict[str, Any]:
    """Return a tariff: the days of each version, and its price."""
    return {
        "name": "Flat",
        "currency": "BRL",
        "timezone": "UTC",
        "versions": [
            {
                "valid_from": start,
                **({"valid_to": end} if end else {}),
                "charges": [{"kind": "energy.flat", "rate": rate}],
            }
            for start, end, rate in versions
        ],
        **more,
    }


class Service:
    """A service with a meter."""

    def __init__(self, core: Core, api: aiohttp.ClientSession) -> None:
        self._core, self._api = core, api

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask, and return the JSON of the answer."""
        async with self._api.request(method, path, json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def renew(self, document: dict[str, Any]) -> TariffRenewal:
        """Make the tariff anew."""
        return await renew_tariff(self._core, self._core.pool.tenant(), "t", document)

    async def issue(self, start: str, end: str) -> None:
        """Issue a bill."""
        contract = {"meter": "m", "tariff": "t", "start": "2026-03-01"}
        await self.ask("PUT", "/v1/contracts/c", contract)
        bill = {"id": f"b{start}", "contract": "c", "start": start, "end": end}
        await self.ask("POST", "/v1/bills", bill)
        await self.ask("POST", f"/v1/bills/b{start}/issue")

    async def versions(self) -> list[tuple[str, str | None, str]]:
        """Return the versions that are stored."""
        found = await self.ask("GET", "/v1/tariffs/t")
        return [
            (one["valid_from"], one.get("valid_to"), one["charges"][0]["rate"])
            for one in found["versions"]
        ]


@pytest.fixture(name="service")
async def _service(pool: Pool, serving: Serving) -> AsyncIterator[Service]:
    """Serve a meter with ten days of March."""
    core = make_core(plugins=Plugins.of(**{"tariff-flat": tariff_flat}), pool=pool)
    async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as api:
        service = Service(core, api)
        await service.ask("PUT", "/v1/sites/home", SITE)
        await service.ask("PUT", "/v1/meters/m", METER)
        await service.ask("POST", "/v1/readings", {"series": [SERIES]})
        yield service


async def test_a_tariff_without_bills_is_as_the_new_one_says(service: Service) -> None:
    """It is made, replaced, and left alone where nothing is different."""
    first = await service.renew(tariff(("2026-01-01", None, "2")))
    same = await service.renew(tariff(("2026-01-01", None, "2")))
    other = await service.renew(tariff(("2026-02-01", None, "3")))

    found = [(one.created, one.changed, one.kept) for one in (first, same, other)]
    assert found == [(True, True, ()), (False, False, ()), (False, True, ())]
    assert await service.versions() == [("2026-02-01", None, "3")]


async def test_what_is_billed_stays_and_the_rest_is_new(service: Service) -> None:
    """The version of a bill ends with it where its price would be another; before it all is new."""
    await service.renew(tariff(("2026-01-01", "2026-03-02", "1"), ("2026-03-02", None, "2")))
    await service.issue("2026-03-03", "2026-03-05")

    renewed = await service.renew(
        tariff(("2026-01-01", "2026-03-04", "7"), ("2026-03-04", None, "8"))
    )

    assert renewed.kept == (BilledDays(date(2026, 3, 2), date(2026, 3, 5)),)
    assert await service.versions() == [
        ("2026-01-01", "2026-03-02", "7"),
        ("2026-03-02", "2026-03-05", "2"),
        ("2026-03-05", None, "8"),
    ]
    again = await service.renew(tariff(("2026-01-01", None, "2")))
    assert (again.changed, again.kept) == (True, ())
    assert await service.versions() == [
        ("2026-01-01", "2026-03-02", "2"),
        ("2026-03-02", None, "2"),
    ]


async def test_a_bill_over_two_versions_keeps_both(service: Service) -> None:
    """Up to where the first ended, and to the end of the bill."""
    old = tariff(("2026-01-01", "2026-03-04", "1"), ("2026-03-04", None, "2"))
    await service.renew(old)
    await service.issue("2026-03-03", "2026-03-06")

    renewed = await service.renew(tariff(("2026-02-01", None, "9")))

    assert await service.versions() == [
        ("2026-01-01", "2026-03-04", "1"),
        ("2026-03-04", "2026-03-06", "2"),
        ("2026-03-06", None, "9"),
    ]
    assert [one.end for one in renewed.kept] == [date(2026, 3, 4), date(2026, 3, 6)]


async def test_another_currency_is_refused_once_there_are_bills(service: Service) -> None:
    """Nothing can keep bills as they are then, and nothing is stored."""
    await service.renew(tariff(("2026-01-01", None, "1")))
    await service.issue("2026-03-03", "2026-03-06")

    with pytest.raises(Conflict, match="its currency stays BRL"):
        await service.renew(tariff(("2026-01-01", None, "1"), currency="EUR"))

    assert await service.versions() == [("2026-01-01", None, "1")]
