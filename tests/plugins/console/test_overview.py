"""The overview: what a month costs so far, what needs attention, the last bills."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from playwright.async_api import Browser

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Auth, Settings
from tests.core.metering.setting import FixedClock
from tests.plugins.console.browser import tab_of
from tests.plugins.console.service import Answer, Service
from tests.serving import LOOPBACK, Serving, make_core

#: A quarter past ten on the 11th of March, in Brasília: it is a Wednesday.
NOW = datetime(2026, 3, 11, 13, 15, tzinfo=UTC)
SITE = {
    "name": "Padaria Sol",
    "timezone": "America/Sao_Paulo",
    "country": "BR",
    "currency": "BRL",
}
CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT1H",
}
#: Ponta from 18 to 21 on working days, at 2.00; all else at 0.50; demand of 5 kW is contracted.
CHARGES = [
    {
        "kind": "energy.time_of_use",
        "schedule": {
            "default": "fora_ponta",
            "rules": [{"period": "ponta", "days": ["weekday"], "from": "18:00", "to": "21:00"}],
        },
        "rates": {"ponta": "2.00", "fora_ponta": "0.50"},
    },
    {
        "kind": "demand.contracted",
        "code": "demanda",
        "contracted": "5",
        "rate": "10",
        "interval": "PT1H",
        "overrun": {"tolerance_percent": "5", "multiplier": "2"},
    },
]
TARIFF = {
    "name": "A4 verde",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [{"valid_from": "2025-01-01", "charges": CHARGES}],
}
CONTRACT = {"meter": "m", "tariff": "verde", "start": "2026-01-01"}


@pytest.fixture(name="bakery")
async def _bakery(pool: Pool, serving: Serving) -> AsyncIterator[Service]:
    """Give a service without anything in it, that needs no token, on a day in March."""
    settings = attrs.evolve(Settings(), auth=Auth(required=False), outgoing=LOOPBACK)
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with serving(attrs.evolve(core, clock=FixedClock(NOW))) as client:
        yield Service(client, pool)


async def put(service: Service, path: str, body: object, method: str = "PUT") -> Any:
    """Send what must be taken."""
    async with service.client.request(method, path, json=body) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def site(service: Service, id_: str = "sol", **more: str) -> None:
    """Make a site with a meter, whose id is `m` for the bakery."""
    await put(service, f"/v1/sites/{id_}", {**SITE, **more})
    meter = "m" if id_ == "sol" else f"m-{id_}"
    await put(service, f"/v1/meters/{meter}", {"site": id_, "channels": [CHANNEL]})


async def hours(service: Service, start: str, values: list[float], meter: str = "m") -> None:
    """Send hours from a local time on."""
    series = {"meter": meter, "interval": "PT1H", "start": f"{start}:00-03:00", "values": values}
    await put(service, "/v1/readings", {"series": [series]}, "POST")


async def open_bakery(service: Service) -> None:
    """Store what is seen on the 11th: 1 kWh in every hour since February, 6 in one of the 3rd."""
    await site(service)
    await put(service, "/v1/tariffs/verde", TARIFF)
    await put(service, "/v1/contracts/c", CONTRACT)
    await hours(service, "2026-02-01T00:00", [1.0] * 24 * 28)
    march = [1.0] * (24 * 10 + 10)
    march[2 * 24 + 9] = 6.0
    await hours(service, "2026-03-01T00:00", march)


async def page(service: Service, path: str = "/console", language: str = "en") -> Answer:
    """Return a page of the console, which is there."""
    found = await service.get(path, Accept_Language=language)
    assert found.status == 200, found.text
    return found


async def test_it_says_what_the_month_costs_so_far(bakery: Service) -> None:
    """By hand: 255 kWh, 21 of them in ponta; 6 kW where 5 are contracted.

    21 x 2.00 + 234 x 0.50 = 159.00; demand 6 x 10 = 60.00 and the excess of 1 kW twice: 20.00.
    """
    await open_bakery(bakery)

    said = (await page(bakery)).text

    assert "Padaria Sol" in said
    assert "March 2026 So far, 1 to 11 Mar, 10:00 BRL 239.00" in said
    assert "of it for demand: BRL 80.00" in said
    assert "Consumption kWh 255" in said
    assert "In peak kWh 21" in said
    assert "Readings until 11 Mar 2026, 10:00 (America/Sao_Paulo)." in said


async def test_it_says_it_in_portuguese(bakery: Service) -> None:
    """With the words of a bill, and the numbers as they are written there."""
    await open_bakery(bakery)

    said = (await page(bakery, language="pt-BR")).text

    assert "Março de 2026 Até agora, 1 a 11 mar., 10:00 R$ 239,00" in said
    assert "com a demanda do mês, R$ 80,00" in said
    assert "6,0 kW no máximo, em 3 mar., 09:00: 120 % dos 5 kW contratados." in said
    assert "Demanda passou do contratado" in said
    assert "O limite com a tolerância é 5,3 kW. Custa R$ 20,00 de ultrapassagem" in said


async def test_the_forecast_is_priced_by_the_tariff(bakery: Service) -> None:
    """By hand: the other 494 hours as their like so far.

    The hour of the 3rd at 09:00 was 6 among 1 in eight working days, so that hour of a working day
    is 13/8: 14 are to come, from the 12th on. 22 working days have 66 hours of ponta. So
    66 x 2.00 + (744 - 66 + 5 + 14 x 5/8) x 0.50 = 132 + 345.875, and 80.00 of demand: 557.88.
    """
    await open_bakery(bakery)

    said = (await page(bakery)).text

    assert "Forecast of the month BRL 558 if the days that are left are like" in said


async def test_the_same_days_of_the_month_before_are_beside_it(bakery: Service) -> None:
    """By hand: 250 hours of February, 21 of them in ponta: 42 + 114.50, and 50 of demand."""
    await open_bakery(bakery)

    said = (await page(bakery)).text

    assert "Cost BRL 239.00 206.50 +16% \N{EN DASH} \N{EN DASH}" in said
    assert "Highest demand kW 6.0 1.0 +500%" in said


async def test_a_gap_is_told_and_shown(bakery: Service) -> None:
    """The bars have a dashed frame there, and the cost says what was filled in."""
    await site(bakery)
    await put(bakery, "/v1/tariffs/verde", TARIFF)
    await put(bakery, "/v1/contracts/c", CONTRACT)
    await hours(bakery, "2026-03-01T00:00", [1.0] * 24 * 6)
    await hours(bakery, "2026-03-07T03:00", [1.0] * (24 * 4 + 7))

    found = await page(bakery)

    assert "Readings are missing The meter, 7 Mar, 00:00 to 03:00: 3 intervals." in found.text
    assert "3 intervals without a reading are estimated in the cost." in found.text
    assert 'class="missing"' in found.html
    assert "98.8% read, 1.2% without a reading." in found.text


async def test_bills_are_listed_with_what_changed(bakery: Service) -> None:
    """The newest first, each with its share in ponta and the change from the one before."""
    await open_bakery(bakery)
    await hours(bakery, "2026-01-01T00:00", [2.0] * 24 * 31)
    for name, start, end in (
        ("jan", "2026-01-01", "2026-02-01"),
        ("feb", "2026-02-01", "2026-03-01"),
    ):
        period = {"id": name, "contract": "c", "start": start, "end": end}
        await put(bakery, "/v1/bills", period, "POST")
        await put(bakery, f"/v1/bills/{name}/issue", None, "POST")

    said = (await page(bakery)).text

    # 672 hours, 60 of them in ponta: 120 + 306, and 5 kW of which 4 are not used: 50.
    assert "February 2026 672 8.9% 1.0 476.00" in said
    assert said.index("February 2026 672") < said.index("January 2026 1,488")


async def test_a_bill_that_would_be_another_one_says_by_how_much(bakery: Service) -> None:
    """10 kWh more in an hour of fora ponta are 5.00; the demand of 11 kW is 60.00 and 120.00."""
    await open_bakery(bakery)
    period = {"id": "feb", "contract": "c", "start": "2026-02-01", "end": "2026-03-01"}
    await put(bakery, "/v1/bills", period, "POST")
    await put(bakery, "/v1/bills/feb/issue", None, "POST")
    await hours(bakery, "2026-02-03T09:00", [11.0])

    said = (await page(bakery)).text

    # Demand was 50.00 and is 110.00, with 6 kW of excess twice: 120.00 more.
    assert "The bill of February would be another one It would be BRL 185.00 more now." in said


async def test_a_meter_without_a_contract_has_energy_alone(bakery: Service) -> None:
    """Nothing says what it costs; nothing is foretold."""
    await site(bakery)
    await hours(bakery, "2026-03-01T00:00", [1.0] * 24 * 10)

    said = (await page(bakery)).text

    assert "So far, 1 to 11 Mar, 00:00 240 kWh No contract says what that costs." in said
    assert "Forecast" not in said


async def test_old_readings_are_shown_as_their_month(bakery: Service) -> None:
    """A meter that is silent since January shows January."""
    await site(bakery)
    await hours(bakery, "2026-01-01T00:00", [1.0] * 24 * 31)

    said = (await page(bakery)).text

    assert "January 2026 Whole month, 1 to 31 Jan 744 kWh" in said


async def test_first_steps_where_there_is_nothing(bakery: Service) -> None:
    """Nothing is wrong: it says what to do."""
    said = (await page(bakery, language="pt-BR")).text

    assert "Ainda não há nada aqui" in said
    assert "Cadastre um local e seu medidor" in said


@pytest.mark.parametrize("has_meter", [True, False])
async def test_a_site_without_readings_says_so(bakery: Service, has_meter: bool) -> None:
    """With a meter there is a file to import; without one there is one to make."""
    await put(bakery, "/v1/sites/sol", SITE)
    if has_meter:
        await put(bakery, "/v1/meters/m", {"site": "sol", "channels": [CHANNEL]})

    said = (await page(bakery)).text

    assert "No readings yet" in said
    assert ("Import a file" if has_meter else "Make a meter") in said


async def test_many_sites_are_a_table(bakery: Service) -> None:
    """With what each used this month, and what needs attention at any of them."""
    await open_bakery(bakery)
    await site(bakery, "lua", name="Padaria Lua")
    await hours(bakery, "2026-03-01T00:00", [2.0] * 24, "m-lua")
    await put(bakery, "/v1/contracts/l", {**CONTRACT, "meter": "m-lua"})

    said = (await page(bakery)).text

    assert "All sites" in said
    assert "Padaria Lua 1 48 2 Mar, 00:00" in said
    assert "Padaria Sol 1 255 11 Mar, 10:00" in said
    assert "1 channel gets no readings Padaria Lua: the newest reading is of 2 Mar, 00:00." in said


async def test_a_site_is_searched_by_its_name(bakery: Service) -> None:
    """A part of it is enough; without any there is a way back."""
    await site(bakery)
    await site(bakery, "lua", name="Padaria Lua")

    found = (await page(bakery, "/console?name=LUA")).html
    none = (await page(bakery, "/console?name=mar%3Cb%3E")).html

    assert "site=lua" in found
    assert '<th scope="row"><a href="/console?site=sol">' not in found
    assert "No site has “mar&lt;b&gt;” in its name." in none


async def test_the_switch_leads_from_one_site_to_another(bakery: Service) -> None:
    """It is there once there are two, and says which one is shown."""
    await open_bakery(bakery)
    assert 'class="switch"' not in (await page(bakery)).html
    await site(bakery, "lua", name="Padaria Lua")

    html = (await page(bakery, "/console?site=sol")).html

    assert '<a href="/console?site=sol" aria-current="true">Padaria Sol</a>' in html
    assert '<a href="/console?site=lua">Padaria Lua</a>' in html


async def test_the_meters_of_a_site_are_a_choice(bakery: Service) -> None:
    """The figures are those of one of them: each has a bill of its own."""
    await open_bakery(bakery)
    await put(bakery, "/v1/meters/solar", {"site": "sol", "name": "Solar", "channels": [CHANNEL]})
    await hours(bakery, "2026-03-01T00:00", [3.0] * 24, "solar")

    said = (await page(bakery, "/console?site=sol&meter=solar")).text

    assert "72 kWh" in said


async def test_an_unknown_site_is_not_found(bakery: Service) -> None:
    """It is a page all the same."""
    await site(bakery)

    found = await bakery.get("/console?site=none")

    assert found.status == 404
    assert "<h1>" in found.html


async def test_who_may_not_bill_sees_no_money(service: Service) -> None:
    """No contract, no cost, no bills: and no links to them."""
    await service.sign_in()
    token = await service.token()
    headers = {"Authorization": f"Bearer {token}"}
    made: list[tuple[str, object]] = [
        ("/v1/sites/sol", SITE),
        ("/v1/meters/m", {"site": "sol", "channels": [CHANNEL]}),
        ("/v1/tariffs/verde", TARIFF),
        ("/v1/contracts/c", CONTRACT),
    ]
    for path, document in made:
        async with service.client.put(path, json=document, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
    series = {"meter": "m", "interval": "PT1H", "start": "2026-03-01T00:00:00-03:00"}
    sent = {"series": [{**series, "values": [1.0] * 48}]}
    async with service.client.post("/v1/readings", json=sent, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    await service.sign_in("readings:read")

    said = (await page(service)).text

    assert "48 kWh What that costs is in contracts, which your token does not show." in said
    assert "Last bills" not in said
    assert "Import readings" not in said


async def test_who_sees_no_site_is_told_so(service: Service) -> None:
    """The rest of the console is still theirs."""
    await service.sign_in("billing")

    assert "does not let you see sites and meters" in (await page(service)).text


@pytest.mark.needs("chromium")
async def test_the_overview_in_a_browser(bakery: Service, browser: Browser) -> None:
    """Axe finds nothing, nothing overhangs at 360 pixels, and the switch opens by keyboard."""
    await open_bakery(bakery)
    await site(bakery, "lua", name="Padaria Lua")
    async with tab_of(browser, bakery, width=360) as one:
        await one.open("/console?site=sol")
        assert await one.axe() == ""
        assert await one.overhang() == 0

        await one.page.locator(".switch summary").focus()
        await one.page.keyboard.press("Enter")
        await one.press(".switch >> text=Padaria Lua")

        assert await one.heading() == "Padaria Lua"
        assert await one.axe() == ""
