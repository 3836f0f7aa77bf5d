"""Tariffs are made and changed on a page, by a form that comes from the schemas of the charges."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import tariff_fixed, tariff_flat, tariff_time_of_use
from energia_plugins.console import Console, Settings
from energia_plugins.console.editor.sample import usage
from tests.plugins.console.browser import tab_of
from tests.plugins.console.customers import send
from tests.plugins.console.people import Person, Shown
from tests.plugins.console.service import Service
from tests.plugins.console.two_months import FLAT, agree, make_shop, make_tariffs, tariff
from tests.serving import Client, Serving, make_core

NEW = "/console/tariffs/new"
CHARGES = "/versions/0/charges"
RATE = f"{CHARGES}/0/rate"
TYPED = {"/name": "Casa", "/currency": "BRL", "/timezone": "America/Sao_Paulo"}
TARIFF: dict[str, Any] = {
    "name": "Casa",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [{"valid_from": "2024-01-01", "charges": [{"kind": "energy.flat", "rate": "0.8"}]}],
}


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve the console and three kinds of charge, with nothing stored."""
    plugins = Plugins.of(
        console=Console(Settings()), flat=tariff_flat, fixed=tariff_fixed, tou=tariff_time_of_use
    )
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        yield client


async def stored(client: Client, tariff: str) -> Any:
    """Return a tariff as the API has it."""
    async with client.get(f"/v1/tariffs/{tariff}") as answer:
        return await answer.json()


async def pressed(person: Person, page: Shown, action: str, **typed: str) -> Shown:
    """Press a button of the editor."""
    return await person.send(page, {**typed, "do": action})


async def test_a_tariff_is_made(client: Client) -> None:
    """Numbers may be typed as a Brazilian does; its price is shown, its id made of the name."""
    person = Person(client, "pt-BR")
    page = await person.see(NEW)

    priced = await person.send(page, {**TYPED, RATE: "1,25", "do": "show"})
    made = await person.send(priced, {"do": "save"})

    assert "R$ 375,00" in priced.text.replace("\xa0", " ")
    assert priced.fields[RATE] == "1,25"
    assert made.path == "/console/tariffs/casa"
    found = await stored(client, "casa")
    assert found["name"] == "Casa"
    assert found["versions"][0]["charges"][0]["rate"] == "1.25"


async def test_charges_are_added_moved_and_deleted(client: Client) -> None:
    """Each button gives the page back with everything that was typed."""
    person = Person(client)
    page = await person.see(NEW)

    added = await person.send(
        page, {**TYPED, RATE: "0.80", f"{CHARGES}~new": "fixed", "do": f"add:{CHARGES}"}
    )
    moved = await pressed(person, added, f"up:{CHARGES}/1", **{f"{CHARGES}/1/amount": "15.5"})
    alone = await pressed(person, moved, f"remove:{CHARGES}/1")
    made = await pressed(person, alone, "save")

    assert added.fields[f"{CHARGES}/1~form"] == "fixed"
    assert moved.fields[f"{CHARGES}/0/amount"] == "15.5"
    assert moved.fields[f"{CHARGES}/1/rate"] == "0.80"
    assert made.status == 200
    [charge] = (await stored(client, "casa"))["versions"][0]["charges"]
    assert (charge["kind"], charge["amount"]) == ("fixed", "15.5")


async def test_mistakes_are_at_their_fields(client: Client) -> None:
    """Several are told at once, each at its field, and nothing typed is lost."""
    person = Person(client, "pt-BR")
    page = await person.see(NEW)
    page = await person.send(page, {f"{CHARGES}~new": "energy.time_of_use", "do": f"add:{CHARGES}"})

    wrong = await person.send(
        page, {**TYPED, "/name": "", "/currency": "reais", RATE: "muito", "do": "save"}
    )

    assert wrong.status == 422
    assert wrong.fault("/name") == "Preencha este campo."
    assert wrong.fault("/currency").startswith("Essa moeda não existe.")
    assert wrong.fault(RATE) != ""
    assert wrong.fault(f"{CHARGES}/1/rates/0") == "Preencha este campo."
    assert (wrong.fields["/currency"], wrong.fields[RATE]) == ("reais", "muito")


async def test_a_stored_tariff_is_changed(client: Client) -> None:
    """The form says what is stored; once it is saved, only what was typed is different."""
    await client.put("/v1/tariffs/casa", json=TARIFF)
    before, person = await stored(client, "casa"), Person(client)

    page = await person.see("/console/tariffs/casa/edit")
    await person.send(page, {RATE: "0.9", "do": "save"})

    after = await stored(client, "casa")
    assert after["versions"][0]["charges"][0].pop("rate") == "0.9"
    before["versions"][0]["charges"][0].pop("rate")
    assert after == before


async def test_somebody_else_was_faster(client: Client) -> None:
    """Nothing is written over that was not seen; what was typed stays, and a second try counts."""
    await client.put("/v1/tariffs/casa", json=TARIFF)
    person = Person(client)
    page = await person.see("/console/tariffs/casa/edit")
    await client.put("/v1/tariffs/casa", json={**TARIFF, "name": "Other"})

    refused = await person.send(page, {RATE: "0.9", "do": "save"})
    saved = await pressed(person, refused, "save")

    assert refused.status == 412
    assert "Somebody has changed it meanwhile." in refused.text
    assert refused.fields[RATE] == "0.9"
    assert saved.path == "/console/tariffs/casa"
    assert (await stored(client, "casa"))["name"] == "Casa"


async def test_as_json_and_back(client: Client) -> None:
    """The form is a document and the document a form; what the form cannot show stays JSON."""
    person = Person(client)
    page = await person.see(NEW)
    page = await person.send(page, {**TYPED, RATE: "0.80", "do": "json"})

    assert "&#34;rate&#34;: &#34;0.80&#34;" in page.html
    back = await pressed(person, page, "form", document='{"name": "Sítio", "versions": []}')
    strange = await pressed(person, page, "form", document='{"colour": "red"}')
    broken = await pressed(person, page, "form", document="{")
    unfit = await pressed(person, page, "save", document='{"name": "Sítio", "versions": [{}]}')

    assert back.fields["/name"] == "Sítio"
    assert strange.fault("document") == "It says something that the form cannot show."
    assert broken.fault("document") == "This is no JSON object."
    assert unfit.status == 422
    assert "/versions/0/" in unfit.fault("document")


async def test_periods_are_drawn(client: Client) -> None:
    """A charge by the time of day has rows of rules, and its week is drawn beside them."""
    await client.put("/v1/tariffs/casa", json=TARIFF)
    person = Person(client)
    page = await person.see("/console/tariffs/casa/edit")
    tou = f"{CHARGES}/1"

    page = await person.send(page, {f"{CHARGES}~new": "energy.time_of_use", "do": f"add:{CHARGES}"})
    rates = {name: "1" for name in page.fields if name.startswith(f"{tou}/rates/")}
    prices = {name: one for name, one in rates.items() if "~" not in name}
    page = await person.send(page, {**prices, "do": "show"})

    assert f"{tou}/schedule/rules/0/from" in page.fields
    assert "The week, hour by hour" in page.text
    assert page.fields[f"{tou}/schedule/rules/0~is"] == "yes"


async def test_a_sample_that_cannot_be_priced(client: Client) -> None:
    """Where a contract gives a value, that is said instead of a price."""
    asks = [{"kind": "energy.flat", "rate": {"parameter": "price"}}]
    body = {**TARIFF, "versions": [{"valid_from": "2024-01-01", "charges": asks}]}
    await client.put("/v1/tariffs/casa", json=body)

    page = await Person(client).see("/console/tariffs/casa/edit")

    assert "it asks for what only a contract says: price" in page.text
    assert page.fields[f"{RATE}/parameter"] == "price"


async def test_the_readings_of_a_meter_are_priced(open_service: Service) -> None:
    """Who has a meter may choose it: its last whole month is priced instead of the household."""
    client, person = open_service.client, Person(open_service.client)
    await make_shop(client)
    await make_tariffs(client, day=tariff("All day", {**FLAT, "rate": "0.5"}))
    end = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = (end - timedelta(days=1)).replace(day=1)
    channel = {"meter": "shop-1", "channel": "import", "interval": "PT1H"}
    hours = int((end - start) / timedelta(hours=1))
    series = {**channel, "start": start.isoformat(), "values": [1] * hours}
    await send(client, "POST", "/v1/readings", {"series": [series]})

    page = await person.see("/console/tariffs/day/edit")
    chosen = await person.send(page, {"sample": "shop-1", "do": "show"})

    assert "Main meter" in page.text
    assert f"GBP\xa0{hours // 2}.00" in chosen.html
    assert chosen.fields["sample"] == "shop-1"


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"document": "[" * 5000, "do": "form"}, 422),
        ({"document": '{"versions":' + "[" * 700 + "]" * 700 + "}", "do": "form"}, 422),
        ({"document": '{"versions":' + "[" * 700 + "]" * 700 + "}", "do": "save"}, 422),
        ({"document": '{"versions": 5}', "do": "show"}, 200),
        ({"document": '{"versions": [5], "timezone": "../x"}', "do": "show"}, 200),
        ({"document": "x", "do": "add:/versions"}, 200),
        ({"/versions/0/valid_from": "9999-12-31", "do": "show"}, 200),
        ({"/versions": "x", "/versions/0": "y", "do": "show"}, 200),
        ({f"/versions/{'9' * 5000}/valid_to": "y", "do": "remove:/versions/0"}, 200),
        ({f"{CHARGES}/0~form": "nothing", "do": "show"}, 200),
        ({"do": ":"}, 200),
    ],
)
async def test_strange_forms(client: Client, typed: dict[str, str], status: int) -> None:
    """Whatever is sent, it is refused or shown again, and nothing fails."""
    person = Person(client)
    page = await person.see(NEW)

    assert (await person.send(page, {**TYPED, RATE: "1", **typed})).status == status


async def test_who_may_not_write(service: Service) -> None:
    """Neither the form nor its buttons are shown to who may only read."""
    await service.sign_in("readings:read")

    page = await service.get(NEW)

    assert "Your token does not allow this" in page.text
    assert 'name="do"' not in page.html


async def test_bills_are_issued_by_it(open_service: Service) -> None:
    """What they are by is changed with a reason alone: the page says so, and asks for it."""
    client, person = open_service.client, Person(open_service.client)
    await make_shop(client)
    await make_tariffs(client, day=tariff("All day", FLAT))
    await agree(client, "day")
    channel = {"meter": "shop-1", "channel": "import", "interval": "PT1H"}
    series = {**channel, "start": "2026-01-01T00:00:00Z", "values": [1] * 744}
    await send(client, "POST", "/v1/readings", {"series": [series]})
    body = {"contract": "agreed", "start": "2026-01-01", "end": "2026-02-01", "missing": "zero"}
    made = await send(client, "POST", "/v1/bills", body)
    await send(client, "POST", f"/v1/bills/{made['id']}/issue")

    page = await person.see("/console/tariffs/day/edit")
    refused = await person.send(page, {RATE: "0.31", "do": "save"})
    saved = await pressed(person, refused, "save", correction="A slip")

    assert refused.status == 409
    assert "Bills are issued by it" in refused.text
    assert refused.fault("correction").startswith("Say why it was wrong")
    assert refused.fields[RATE] == "0.31"
    assert saved.path == "/console/tariffs/day"
    assert "A slip" in saved.text


def test_the_made_up_household() -> None:
    """It uses 10 kWh a day, with an offset of its own zone."""
    found = usage(date(2026, 3, 1), ZoneInfo("America/Sao_Paulo"))

    channel = found["channels"]["import"]
    assert channel["start"] == "2026-03-01T00:00:00-03:00"
    assert sum(Decimal(one) for one in channel["values"][:96]) == 10


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("javascript", [True, False])
async def test_in_a_browser(browser: Browser, open_service: Service, *, javascript: bool) -> None:
    """With a script the price follows what is typed; without one, the same buttons do the same."""
    async with tab_of(browser, open_service, javascript=javascript) as tab:
        page = tab.page
        await tab.open(NEW)
        for name, text in {**TYPED, RATE: "0.5"}.items():
            await page.locator(f'[name="{name}"]').fill(text)
        if not javascript:
            await tab.press(".no-script button")
        await page.locator(".price .big").wait_for()
        assert "150.00" in await page.locator(".price .big").inner_text()

        await page.locator(f'[name="{CHARGES}~new"]').select_option("energy.time_of_use")
        await page.locator(f'button[value="add:{CHARGES}"]').click()
        await page.locator(f'[id="{CHARGES}/1"]').wait_for()
        assert await page.locator(f'[name="{RATE}"]').input_value() == "0.5"
        if javascript:
            assert await tab.focused() == "Name"
            assert await tab.axe() == ""
        await page.locator(f'button[value="remove:{CHARGES}/1"]').click()
        await page.locator(f'[id="{CHARGES}/1"]').wait_for(state="detached")
        await tab.press('button[value="save"]')
        assert await tab.heading() == "Casa"
