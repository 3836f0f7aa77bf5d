"""The pages of tariffs."""

import pytest
from playwright.async_api import Browser

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import tariff_flat
from energia_plugins.console import Console, Settings
from tests.plugins.console.browser import tab_of
from tests.plugins.console.customers import send
from tests.plugins.console.service import Service
from tests.plugins.console.two_months import (
    BY_TIME,
    DEMAND,
    FLAT,
    agree,
    make_shop,
    make_tariffs,
    read_two_months,
    tariff,
)
from tests.serving import Serving, make_core

_SEASON = {"from": "10-01", "to": "03-31"}
_RULE = {"period": "peak", "days": ["weekday"], "from": "16:00", "to": "20:00", "season": _SEASON}
_SEASONS = {**BY_TIME, "schedule": {"default": "off_peak", "rules": [_RULE]}}


@pytest.fixture(name="shop")
async def _shop(open_service: Service) -> Service:
    """Give a service with a tariff of two versions, which the contract of a shop has."""
    document = tariff("Day and evening", _SEASONS)
    (first,) = document["versions"]
    rates = {"peak": "0.75", "off_peak": "0.25"}
    second = {"valid_from": "2026-07-01", "charges": [{**_SEASONS, "rates": rates}]}
    document["versions"] = [{**first, "valid_to": "2026-07-01"}, second]
    await make_shop(open_service.client)
    await make_tariffs(open_service.client, seasons=document)
    await agree(open_service.client, "seasons")
    return open_service


async def test_the_list_of_tariffs(shop: Service) -> None:
    """Each with its currency, the version that is in force, and how many contracts it has."""
    await make_tariffs(shop.client, flat=tariff("All day", FLAT))
    page = await shop.get("/console/tariffs", Accept_Language="en")

    assert page.status == 200
    assert "Day and evening seasons GBP since 1 Jul 2026 2 1" in page.text
    assert "All day flat GBP since 1 Jan 2026 1 0" in page.text
    assert "/console/tariffs/new" in page.html


async def test_no_tariff_yet(open_service: Service) -> None:
    """The page says what one is for."""
    page = await open_service.get("/console/tariffs", Accept_Language="en")

    assert "There is no tariff yet." in page.text


async def test_a_tariff_whose_plugin_is_missing(pool: Pool, serving: Serving) -> None:
    """It is listed with why it cannot be read; others are compared without it."""
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        await make_shop(client)
        await read_two_months(client)
        await make_tariffs(client, demand=tariff("With demand", DEMAND), flat=tariff("All", FLAT))
    few = Plugins.of(console=Console(Settings()), flat=tariff_flat)
    async with serving(make_core(plugins=few, pool=pool)) as client:
        service = Service(client, pool)
        listed = await service.get("/console/tariffs", Accept_Language="en")
        compared = await service.get("/console/compare", Accept_Language="en")
        asked = await service.get("/console/compare?tariff=demand", Accept_Language="en")

    assert "With demand It cannot be read: a plugin that it needs is not loaded." in listed.text
    assert "Only one tariff could be priced: All" in compared.text
    assert "Left out" not in compared.text
    assert "Left out: With demand : a plugin that it needs is not loaded." in asked.text


async def test_who_may_only_read_changes_nothing(service: Service) -> None:
    """No button leads to the editor, and contracts are not told of."""
    bearer = await service.token("admin")
    service.client.session.headers["Authorization"] = f"Bearer {bearer}"
    await make_tariffs(service.client, flat=tariff("All day", FLAT))
    del service.client.session.headers["Authorization"]
    await service.sign_in("readings:read")
    listed = await service.get("/console/tariffs", Accept_Language="en")
    page = await service.get("/console/tariffs/flat", Accept_Language="en")

    assert "New tariff" not in listed.text
    assert "Contracts" not in listed.text
    assert "Edit" not in page.text
    assert "Who uses it" not in page.text


async def test_when_which_period_is(shop: Service) -> None:
    """In a sentence, as a picture for each season, and in words."""
    page = await shop.get("/console/tariffs/seasons", Accept_Language="en")

    assert "Peak: 16:00 – 20:00, Monday to Friday, 1 Oct to 31 Mar." in page.text  # noqa: RUF001
    assert page.html.count('class="season"') == 2
    assert "00:00 – 16:00 off-peak , 16:00 – 20:00 peak , 20:00 – 24:00 off-peak" in page.text  # noqa: RUF001


async def test_what_it_charges_and_what_a_version_changed(shop: Service) -> None:
    """The version in force unless another one is asked for; 0.60 to 0.75 is a quarter more."""
    now = await shop.get("/console/tariffs/seasons", Accept_Language="en")
    before = await shop.get("/console/tariffs/seasons?version=2026-01-01", Accept_Language="en")
    never = await shop.get("/console/tariffs/seasons?version=2020-01-01", Accept_Language="en")

    assert "P Peak 0.75 GBP/kWh" in now.text
    assert "P Peak 0.60 GBP/kWh" in before.text
    assert "1 change What changed on 1 Jul 2026" in now.text
    assert "Electricity · peak 0.60 0.75 25.0%" in now.text
    assert "agreed shop-1 1 Jan 2026 –" in now.text  # noqa: RUF001
    assert never.status == 404


async def test_the_prices_ahead(shop: Service) -> None:
    """A flat one is a sentence; others have their lowest and highest slot, and a picture."""
    await make_tariffs(shop.client, flat=tariff("All day", FLAT), always=tariff("Always", BY_TIME))
    flat = await shop.get("/console/tariffs/flat", Accept_Language="en")
    varies = await shop.get("/console/tariffs/always", Accept_Language="pt-BR")

    assert "Consumption costs GBP 0.30/kWh , at all times of the coming days." in flat.text
    assert "It has no periods: the time of day does not matter." in flat.text
    assert "entre £ 0,25/kWh e £ 0,60/kWh" in varies.text
    assert "Preços dos próximos dias" in varies.text


async def test_prices_that_a_contract_makes(shop: Service) -> None:
    """Without one they cannot be told, and the page says what is missing."""
    asks = tariff("Agreed", {**FLAT, "rate": {"parameter": "price"}})
    await make_tariffs(shop.client, asks=asks)
    page = await shop.get("/console/tariffs/asks", Accept_Language="en")

    assert page.status == 200
    assert "They cannot be told: it asks for what only a contract says." in page.text
    assert "as the contract says (price)" in page.text
    assert "The contract gives: price." in page.text


async def test_a_tariff_that_is_not_there(shop: Service) -> None:
    """It is an error page of the console."""
    page = await shop.get("/console/tariffs/none", Accept_Language="en")

    assert page.status == 404
    assert "<h1>" in page.html


async def test_corrections_after_bills(shop: Service) -> None:
    """Why it was corrected, and how many bills are by what it said before."""
    body = {"contract": "agreed", "start": "2026-01-01", "end": "2026-02-01", "missing": "zero"}
    channel = {"meter": "shop-1", "channel": "import", "interval": "PT1H"}
    series = {**channel, "start": "2026-01-01T00:00:00Z", "values": [1] * 744}
    await send(shop.client, "POST", "/v1/readings", {"series": [series]})
    made = await send(shop.client, "POST", "/v1/bills", body)
    await send(shop.client, "POST", f"/v1/bills/{made['id']}/issue")
    document = await send(shop.client, "GET", "/v1/tariffs/seasons")
    document["versions"][0]["charges"][0]["rates"]["peak"] = "0.61"
    await send(shop.client, "PUT", "/v1/tariffs/seasons?correction=A+slip", document)
    page = await shop.get("/console/tariffs/seasons", Accept_Language="en")

    assert "Corrections after bills" in page.text
    assert "A slip 1" in page.text


@pytest.mark.needs("chromium")
async def test_the_pages_in_a_browser(browser: Browser, shop: Service) -> None:
    """Nothing for axe to find, and no sideways scrolling on a phone."""
    async with tab_of(browser, shop, width=390) as tab:
        for path in ("/console/tariffs", "/console/tariffs/seasons"):
            assert await tab.open(path) == 200
            assert await tab.overhang() == 0
            assert await tab.axe() == ""
