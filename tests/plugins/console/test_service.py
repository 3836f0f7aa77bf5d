"""The pages of the service: health, jobs, prices, plugins, tokens, webhooks, the audit log."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser

from energia_plugins.console.service.watching import changes
from tests.core.metering.test_endpoints import CHANNEL, SITE
from tests.plugins.console.browser import tab_of
from tests.plugins.console.service import Answer, Service

_TOKEN = re.compile(r"energia_[0-9]+x[0-9a-f]{10}_[0-9a-f]{64}")


async def page(service: Service, path: str, language: str = "en") -> Answer:
    """Return a page, which is there."""
    found = await service.get(path, Accept_Language=language)
    assert found.status == 200, found.text
    return found


async def api(service: Service, method: str, path: str, body: object = None) -> Any:
    """Ask the API for what must be done, as who may do everything."""
    headers = {"Authorization": f"Bearer {await service.token()}"}
    async with service.client.request(method, path, json=body, headers=headers) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def test_it_says_how_the_service_is(service: Service) -> None:
    """In a sentence; every component and plugin is below.

    The settings of these tests name no database, as the check of migrations notices; whether there
    is a folder for one, which the check of the disk looks at, depends on the machine.
    """
    await service.sign_in()

    said = (await page(service, "/console/service")).text
    portuguese = (await page(service, "/console/service", "pt-BR")).text

    assert re.search(r"\d components? complains?: [^.]*Schema of the database", said)
    assert "Schema of the database complains DatabaseAway" in said
    assert "Database works" in said
    assert re.search(r"\d+ plugins are installed", said)
    assert re.search(r"\d componentes? reclamam?: [^.]*Esquema do banco de dados", portuguese)


async def test_a_job_is_shown_and_cancelled(service: Service) -> None:
    """Nothing works jobs off here: it waits, can be cancelled, and then go on."""
    await service.sign_in()
    job = await api(service, "POST", "/v1/bills/reprice", {"start": "2026-01-01"})
    path = f"/console/service/jobs/{job['id']}"

    shown = await page(service, "/console/service")
    cancelled = await service.post(f"{path}/cancel", {})
    again = await service.post(f"{path}/cancel", {})
    resumed = await service.post(f"{path}/resume", {})

    assert "Corrections of bills" in shown.text
    assert f'action="{path}/cancel"' in shown.html
    assert "cancelled" in cancelled.text
    assert "The job has ended or goes on already" in again.text
    assert "waiting" in resumed.text


async def test_a_form_of_another_site_cancels_nothing(service: Service) -> None:
    """The job waits on."""
    await service.sign_in()
    job = await api(service, "POST", "/v1/bills/reprice", {"start": "2026-01-01"})

    refused = await service.post(
        f"/console/service/jobs/{job['id']}/cancel", {}, Origin="https://elsewhere.example"
    )

    assert refused.status == 403
    assert (await api(service, "GET", f"/v1/jobs/{job['id']}"))["status"] == "waiting"


async def test_a_price_series_says_until_when_prices_are_known(service: Service) -> None:
    """One that is filled by hand has no feed that could be late."""
    await service.sign_in()
    series = {"currency": "EUR", "unit": "MWh", "timezone": "Europe/Madrid"}
    await api(service, "PUT", "/v1/price-series/spot", series)

    said = (await page(service, "/console/service")).text

    assert "All prices are there that should be." in said
    assert "spot" in said
    assert "by hand" in said


async def test_a_token_is_made_and_shown_once(service: Service) -> None:
    """It does what its boxes say; the list never shows it again."""
    await service.sign_in()
    fields = {"/name": "Bia", "scope-readings:read": "on", "days": "30", "/sites": "a, b"}

    made = await service.post("/console/service/tokens", fields)
    later = await page(service, "/console/service/tokens")

    (token,) = set(_TOKEN.findall(made.html))
    assert "It is shown this once." in made.text
    assert token not in later.html
    assert "Bia" in later.text
    assert "see sites, meters and readings only a, b" in later.text
    async with service.client.get("/v1/tokens", headers={"Authorization": f"Bearer {token}"}) as no:
        assert no.status == 403


async def test_a_mistake_in_the_form_of_a_token_is_at_its_field(service: Service) -> None:
    """Nothing that was typed is lost, and nothing is made."""
    await service.sign_in()

    refused = await service.post("/console/service/tokens", {"/name": "", "/meters": "no id"})

    assert refused.status == 422
    assert 'id="/name-fault"' in refused.html
    assert 'id="scopes-fault"' in refused.html
    assert 'value="no id"' in refused.html
    assert _TOKEN.search(refused.html) is None


async def test_a_token_is_revoked_after_a_question(service: Service) -> None:
    """The question says what goes; the token is of no use after it."""
    await service.sign_in()
    made = await api(service, "POST", "/v1/tokens", {"name": "Caio", "scopes": ["readings:read"]})
    path = f"/console/service/tokens/{made['about']['prefix']}/revoke"

    asked = await page(service, path)
    revoked = await service.post(path, {})

    assert "Revoke the token of “Caio”?" in asked.text
    assert "What was done with it stays." in asked.text
    assert revoked.path == "/console/service/tokens"
    assert re.search(r"Caio .{0,200}revoked", revoked.text)


async def test_nobody_gives_what_they_lack(service: Service) -> None:
    """Who may not manage tokens has no such page, and no link to it."""
    await service.sign_in("readings:read")

    shown = await page(service, "/console/service")
    refused = await service.get("/console/service/tokens")

    assert "/console/service/tokens" not in shown.html
    assert "Plugins" not in shown.text
    assert refused.status == 403


async def test_a_webhook_is_shown_with_what_was_sent(service: Service) -> None:
    """A test of it waits, as nothing sends here."""
    await service.sign_in()
    assert (
        "Nobody is told of what happens." in (await page(service, "/console/service/webhooks")).text
    )
    body = {
        "url": "http://127.0.0.1:1/hook",
        "events": ["bill.issued", "gap.opened"],
        "description": "ERP",
    }
    made = await api(service, "POST", "/v1/webhooks", body)
    await api(service, "POST", f"/v1/webhooks/{made['webhook']['id']}/test")

    said = (await page(service, "/console/service/webhooks")).text

    assert "ERP" in said
    assert "a bill was issued, readings are missing" in said
    assert "a test waits for its next try" in said
    assert made["secret"] not in said


async def test_the_audit_log_says_who_changed_what(service: Service) -> None:
    """With what was and is; it can be had of one kind of thing."""
    await service.sign_in()
    await api(service, "PUT", "/v1/sites/home", SITE)
    await api(service, "PUT", "/v1/sites/home", {**SITE, "name": "Casa <b>"})
    await api(service, "PUT", "/v1/meters/m", {"site": "home", "channels": [CHANNEL]})

    every = (await page(service, "/console/service/audit")).text
    sites = await page(service, "/console/service/audit?resource=site")

    assert "Site home , changed" in every
    assert "Meter m , made" in every
    assert "name Home Casa <b>" in sites.text
    assert "<b>" not in sites.html.replace("<b>home", "")
    assert "Meter m , made" not in sites.text


def test_changes_are_the_fields_that_differ() -> None:
    """What is the same is left out; what there was none of is a dash."""
    before = {"name": "a", "same": 1, "gone": True}
    after = {"name": "b", "same": 1, "new": "x" * 300}

    assert changes(before, after) == [
        ("name", "a", "b"),
        ("gone", "True", "\N{EN DASH}"),
        ("new", "\N{EN DASH}", "x" * 200 + "…"),
    ]


@pytest.mark.needs("chromium")
async def test_the_service_in_a_browser(service: Service, browser: Browser) -> None:
    """Axe finds nothing on any of its pages, which fit 360 pixels; a token is made by hand."""
    await api(service, "PUT", "/v1/sites/home", SITE)
    async with tab_of(browser, service, width=360, token=await service.token()) as tab:
        for path in ("", "/tokens", "/webhooks", "/audit"):
            await tab.open(f"/console/service{path}")
            assert await tab.axe() == "", path
            assert await tab.overhang() == 0, path

        await tab.open("/console/service/tokens")
        await tab.page.get_by_label("Who will use it").fill("Logger")
        await tab.press("text=Make the token")

        assert await tab.page.locator("#made code").inner_text() != ""
        assert await tab.axe() == ""
