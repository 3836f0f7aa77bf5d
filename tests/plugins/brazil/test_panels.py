"""Panels of the kit on the pages of the console."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import (
    tariff_adjustment_calendar,
    tariff_demand_contracted,
    tariff_fixed,
    tariff_flat,
    tariff_minimum,
    tariff_percent,
    tariff_reactive,
    tariff_table,
    tariff_tax,
    tariff_tiered,
    tariff_time_of_use,
)
from energia_plugins.console import Console
from energia_plugins.tariff_brazil import TariffBrazil
from energia_plugins.tariff_brazil.panels import Customer
from tests.core.metering.test_endpoints import SITE
from tests.plugins.console.customers import INN_CONTRACT, make_inn, send
from tests.plugins.console.test_panels import Offer, page
from tests.serving import Serving, make_core


def plugins() -> Plugins:
    """Return the kit, what its tariffs are of, and a page that shows panels."""
    return Plugins.of(
        console=Console,
        offer=Offer(),
        tariff_brazil=TariffBrazil,
        tariff_adjustment_calendar=tariff_adjustment_calendar,
        tariff_demand_contracted=tariff_demand_contracted,
        tariff_fixed=tariff_fixed,
        tariff_flat=tariff_flat,
        tariff_minimum=tariff_minimum,
        tariff_percent=tariff_percent,
        tariff_reactive=tariff_reactive,
        tariff_table=tariff_table,
        tariff_tax=tariff_tax,
        tariff_tiered=tariff_tiered,
        tariff_time_of_use=tariff_time_of_use,
    )


@pytest.mark.parametrize(
    ("start", "today", "months"),
    [
        ("2025-01-01", "2026-11-30", ("2025-11-01", "2026-11-01")),
        ("2026-08-15", "2026-11-30", ("2026-09-01", "2026-11-01")),
        ("2026-11-01", "2026-11-30", None),
    ],
)
def test_a_question_is_about_whole_months(
    start: str, today: str, months: tuple[str, str] | None
) -> None:
    """Twelve at most, of the contract, before this one."""
    found = Customer({"start": start}, {}, date.fromisoformat(today)).months

    assert (found and tuple(map(str, found))) == months


async def test_the_contracted_demand_of_an_inn(pool: Pool, serving: Serving) -> None:
    """What it should be, with the months and the curve; nothing of it for who may not bill."""
    async with serving(make_core(plugins=plugins(), pool=pool)) as client:
        await make_inn(client, months=4)
        portuguese = await page(client, "pt", contract=INN_CONTRACT)
        english = await page(client, contract=INN_CONTRACT)
        elsewhere = await page(client, contract=INN_CONTRACT, place="service")

    assert "A demanda contratada é a certa?" in portuguese
    assert "Contrate" in portuguese
    assert "Demanda medida, kW" in portuguese
    assert "Contract" in english
    assert english.count("<svg") == 4
    assert "<section" not in elsewhere


@attrs.frozen
class LateEvening:
    """A clock that stands at ten in the evening of 30 November in São Paulo, in December of UTC."""

    def now(self) -> datetime:
        """Return when it is."""
        return datetime(2026, 12, 1, 1, tzinfo=UTC)


async def test_a_month_ends_where_its_meter_is(pool: Pool, serving: Serving) -> None:
    """In the last hours of a month in Brazil, which is over by UTC, it is not asked about."""
    core = attrs.evolve(make_core(plugins=plugins(), pool=pool), clock=LateEvening())
    async with serving(core) as client:
        await make_inn(client, today=date(2026, 11, 30), months=4)
        panel = await page(client, "pt", contract=INN_CONTRACT)

    assert "Contrate" in panel


HOME: dict[str, Any] = {"distributor": "light", "subgroup": "B1", "phases": "bifasico"}


async def test_convencional_or_branca_for_a_home(pool: Pool, serving: Serving) -> None:
    """Month by month, by what its meter read."""
    today = datetime.now(ZoneInfo("America/Sao_Paulo")).date()
    start = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    hours = (today.replace(day=1) - start).days * 24
    flags = {f"{start:%Y-%m}": "0", f"{today:%Y-%m}": "0"}
    request = {**HOME, "from": start.isoformat(), "overrides": {"flags": flags}}
    site = {"name": "Casa", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    series = {"meter": "casa", "channel": "import", "start": f"{start}T00:00:00-03:00"}
    async with serving(make_core(plugins=plugins(), pool=pool)) as client:
        await send(client, "PUT", "/v1/brazil/tariffs/light-b1", request)
        await send(client, "PUT", "/v1/sites/casa", site)
        meter = {"site": "casa", "channels": [{**channel, "interval": "PT1H"}]}
        await send(client, "PUT", "/v1/meters/casa", meter)
        readings = {**series, "interval": "PT1H", "values": [0.25] * hours}
        await send(client, "POST", "/v1/readings", {"series": [readings]})
        contract = {"meter": "casa", "tariff": "light-b1", "start": start.isoformat()}
        await send(client, "PUT", "/v1/contracts/casa", contract)
        shown = await page(client, "pt", contract="casa", place="compare")

    assert "Convencional ou branca?" in shown
    assert f"{start:%m/%y}" in shown
    assert "Diferença, R$" in shown


async def test_other_customers_have_none_of_it(pool: Pool, serving: Serving) -> None:
    """A tariff that does not follow the tables is none of the kit's."""
    async with serving(make_core(plugins=plugins(), pool=pool)) as client:
        tariff = {
            "name": "Flat",
            "currency": "EUR",
            "timezone": "UTC",
            "versions": [
                {"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "0.2"}]}
            ],
        }
        await send(client, "PUT", "/v1/tariffs/flat", tariff)
        await send(client, "PUT", "/v1/sites/s", SITE)
        channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
        meter = {"site": "s", "channels": [{**channel, "unit": "kWh", "interval": "PT1H"}]}
        await send(client, "PUT", "/v1/meters/m", meter)
        contract = {"meter": "m", "tariff": "flat", "start": "2026-01-01"}
        await send(client, "PUT", "/v1/contracts/c", contract)

        assert "<section" not in await page(client, contract="c")
