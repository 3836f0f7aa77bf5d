"""Walks in a real browser: a site and a meter are made, a file is dropped, and it is stored."""

import pytest
from playwright.async_api import Browser

from tests.plugins.console.browser import Tab, tab_of
from tests.plugins.console.service import Service
from tests.plugins.console.test_import import METER, SITE, memory

pytestmark = pytest.mark.needs("chromium")

#: Drops a text onto the field of files, as a person does from a folder.
_DROP = """text => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'massa.csv', {type: 'text/csv'}));
    const place = document.querySelector('[data-drop]');
    for (const kind of ['dragover', 'drop'])
        place.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true}));
}"""


async def is_for_everybody(tab: Tab) -> None:
    """Hold a page to what everybody can use: nothing that axe finds, nothing beside the window."""
    details = "document.querySelectorAll('details').forEach(one => one.open = true)"
    await tab.page.evaluate(details)
    assert await tab.axe() == ""
    assert await tab.overhang() == 0


async def test_a_dropped_file_is_stored(browser: Browser, open_service: Service) -> None:
    """In Portuguese, on a phone in the dark: dropped, seen, checked, stored, and led to."""
    await open_service.client.put("/v1/sites/pepira", json=SITE)
    await open_service.client.put("/v1/meters/uc-1", json=METER)
    async with tab_of(browser, open_service, language="pt-BR", width=360, scheme="dark") as tab:
        await tab.open("/console/import")
        await is_for_everybody(tab)
        await tab.page.evaluate(_DROP, memory(96).decode())
        await tab.press("button.first")
        assert await tab.heading() == "massa.csv"
        await is_for_everybody(tab)

        await tab.press("button:text-is('Conferir tudo')")
        assert "96 leituras novas" in await tab.page.locator("#outcome").inner_text()
        await is_for_everybody(tab)

        await tab.press("#outcome button")
        assert await tab.heading() == "Importado"
        await is_for_everybody(tab)


async def test_records_are_made_without_scripts(browser: Browser, open_service: Service) -> None:
    """A site and a meter with two channels; a mistake is told at its field, by keyboard too."""
    async with tab_of(browser, open_service, javascript=False) as tab:
        await tab.open("/console/records/new-site")
        await tab.page.get_by_label("Name").first.fill("A home")
        await tab.page.get_by_label("Country").select_option("GB")
        await tab.page.get_by_label("Time zone").select_option("Europe/London")
        await tab.page.get_by_label("Currency").fill("GBP")
        await tab.press("button.first")
        assert await tab.heading() == "A home"

        await tab.press("a:text-is('New meter')")
        await tab.press("button:text-is('Add a channel')")
        await tab.page.locator("[name='/name']").fill("Main meter")
        await tab.page.locator("[name='/channels/1/id']").fill("import")
        async with tab.page.expect_navigation():
            await tab.page.locator("[name='/name']").press("Enter")
        fault = tab.page.locator("[id='/channels/1/id-fault']")
        assert await fault.inner_text() == "Another one has this name. Choose a different one."

        await tab.page.locator("[name='/channels/1/id']").fill("export")
        await tab.press("button.first")
        assert await tab.heading() == "Main meter"


@pytest.mark.long
async def test_everybody_can_use_records(browser: Browser, open_service: Service) -> None:
    """Lists, forms with faults and questions are for everybody, on a wide screen."""
    await open_service.client.put("/v1/sites/pepira", json=SITE)
    await open_service.client.put("/v1/meters/uc-1", json=METER)
    async with tab_of(browser, open_service) as tab:
        for path in ("", "/new-site", "/sites/pepira", "/meters/uc-1", "/meters/uc-1/delete"):
            assert await tab.open(f"/console/records{path}") == 200
            await is_for_everybody(tab)
        await tab.open("/console/records/meters/uc-1")
        await tab.page.locator("[name='/channels/1/id']").fill("import")
        await tab.press("button.first")
        await is_for_everybody(tab)
